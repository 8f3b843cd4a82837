"""Random numbers by name, and the laws they are turned into (§0 of docs/model.md)."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy import optimize, special

from simulator.numerics import (
    beta_quantile_table,
    beta_quantile_table_ab,
    chi2_quantile_table,
    gamma_quantile_table,
    normal_pair,
    stream_id,
    uniform_pair,
)

Pair = tuple[float, float]


@lru_cache(maxsize=100_000)
def stream_number(name: str) -> np.uint64:
    return np.uint64(stream_id(name))


class Draws:
    """The draws of one path: a pair for every stream name and month."""

    def __init__(self, seed: int, path: int) -> None:
        self.seed = np.uint64(seed)
        self.path = np.uint64(path)

    def uniforms(self, name: str, month: int) -> Pair:
        return uniform_pair(self.seed, self.path, stream_number(name), month)

    def normals(self, name: str, month: int) -> Pair:
        return normal_pair(self.seed, self.path, stream_number(name), month)


def rounded(x: float) -> int:
    """round(x) = floor(x + 0.5)."""
    return math.floor(x + 0.5)


def fires(hazard_per_year: float, u: float) -> bool:
    """A hazard λ fires in a month if u < 1 − e^(−λ/12)."""
    return u < -math.expm1(-hazard_per_year / 12.0)


def lognormal(median: float, sd_of_log: float, z: float) -> float:
    return median * math.exp(sd_of_log * z)


def triangular(low: float, mode: float, high: float, u: float) -> float:
    if high <= low:
        return low
    split = (mode - low) / (high - low)
    if u < split:
        return low + math.sqrt(u * (high - low) * (mode - low))
    return high - math.sqrt((1.0 - u) * (high - low) * (high - mode))


def read_table(table: list[float], z: float) -> float:
    """Linear between 4,097 equidistant nodes on [−8, 8]."""
    position = min(max((z + 8.0) * 256.0, 0.0), 4096.0)
    cell = min(int(position), 4095)
    weight = position - cell
    return (1.0 - weight) * table[cell] + weight * table[cell + 1]


@lru_cache(maxsize=4096)
def beta_table(mean: float, sd: float) -> list[float]:
    return beta_quantile_table(mean, sd).tolist()


@lru_cache(maxsize=4096)
def gamma_table(shape: float) -> list[float]:
    return gamma_quantile_table(1.0, shape).tolist()


@lru_cache(maxsize=256)
def chi2_table(nu: float) -> list[float]:
    return chi2_quantile_table(nu).tolist()


@lru_cache(maxsize=256)
def beta_table_of_mean_and_q95(mean: float, q95: float) -> list[float]:
    """Quantile table of the Beta law with a given mean and 95% point: a = m·n, b = (1−m)·n."""

    def miss(n: float) -> float:
        return float(special.betaincinv(mean * n, (1.0 - mean) * n, 0.95)) - q95

    # The 95% point falls from 1 to the mean as n grows.
    n = optimize.brentq(miss, 1e-3, 1e7, xtol=1e-14, rtol=1e-15)
    return beta_quantile_table_ab(mean * n, (1.0 - mean) * n).tolist()


def beta_draw(mean: float, sd: float, z: float) -> float:
    """Beta(mean, sd) at Φ(z)."""
    return read_table(beta_table(mean, sd), z)


def gamma_multiplier(shape: float, z: float) -> float:
    """Gamma law of mean 1 at Φ(z)."""
    return read_table(gamma_table(shape), z)


def chi2_draw(nu: float, z: float) -> float:
    return read_table(chi2_table(nu), z)
