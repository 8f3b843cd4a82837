"""Student's t law, for copulas with tail dependence.

References
----------
NIST Digital Library of Mathematical Functions, 8.17.22 (continued fraction of the incomplete
Beta function) and 5.11 (ratio of Gamma functions). W. J. Lentz (1976), Applied Optics 15, 668-671.
"""

from __future__ import annotations

import math

from scipy import special

from simulator.numerics.jit import kernel
from simulator.numerics.normal import normal_cdf

__all__ = ["student_t_cdf", "student_t_quantile"]

TINY = 1e-300
CONVERGED = 1e-15
MOST_TERMS = 20_000
NORMAL_FROM = 1e9  # degrees of freedom from which the law is normal to 1e-9 of a probability
LOG_ROOT_PI = 0.5 * math.log(math.pi)


@kernel
def _log_gamma_ratio(a: float) -> float:
    """Return log Γ(a + 1/2) − log Γ(a), without cancellation for large a."""
    if a < 25.0:
        return math.lgamma(a + 0.5) - math.lgamma(a)
    inverse = 1.0 / a
    square = inverse * inverse
    series = 31.0 / 18432.0
    series = 17.0 / 14336.0 - square * series
    series = 1.0 / 640.0 - square * series
    series = 1.0 / 192.0 - square * series
    series = 1.0 / 8.0 - square * series
    return 0.5 * math.log(a) - inverse * series


@kernel
def _beta_fraction(a: float, b: float, x: float) -> float:
    """Return the continued fraction of the incomplete Beta function, for x < (a+1) / (a+b+2)."""
    c = 1.0
    d = 1.0 - (a + b) * x / (a + 1.0)
    d = 1.0 / (d if abs(d) > TINY else TINY)
    fraction = d
    for term in range(1, MOST_TERMS):
        m = float(term)
        even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        d = 1.0 + even * d
        d = 1.0 / (d if abs(d) > TINY else TINY)
        c = 1.0 + even / c
        c = c if abs(c) > TINY else TINY
        fraction *= c * d
        odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        d = 1.0 + odd * d
        d = 1.0 / (d if abs(d) > TINY else TINY)
        c = 1.0 + odd / c
        c = c if abs(c) > TINY else TINY
        fraction *= c * d
        if abs(c * d - 1.0) < CONVERGED:
            break
    return fraction


@kernel
def student_t_cdf(x: float, nu: float) -> float:
    """Return the distribution function of Student's t.

    Parameters
    ----------
    x : float
        Any float64.
    nu : float
        Degrees of freedom, positive; infinite for the normal law.

    Returns
    -------
    float
        In [0, 1], within 1e-12 relative in both tails for nu up to 1e4; nan for nan.

    Notes
    -----
    For x < 0 it is half the regularised incomplete Beta function I_w(ν/2, 1/2) at
    w = ν / (ν + x²), or 1 − I_{1−w}(1/2, ν/2) where that fraction converges faster.
    """
    if not nu > 0.0 or x != x:
        return math.nan
    if nu >= NORMAL_FROM:
        return normal_cdf(x)
    if abs(x) > 1e150:  # the square would overflow
        return 0.0 if x < 0.0 else 1.0
    if x == 0.0:
        return 0.5
    half_nu = 0.5 * nu
    square = x * x
    w = nu / (nu + square)
    v = square / (nu + square)
    log_w = -math.log1p(square / nu)
    log_v = math.log(v)
    power = math.exp(_log_gamma_ratio(half_nu) - LOG_ROOT_PI + half_nu * log_w + 0.5 * log_v)
    if w < (half_nu + 1.0) / (half_nu + 2.5):
        tail = 0.5 * power * _beta_fraction(half_nu, 0.5, w) / half_nu
    else:
        tail = 0.5 - power * _beta_fraction(0.5, half_nu, v)
    return tail if x < 0.0 else 1.0 - tail


def student_t_quantile(probability: float, nu: float) -> float:
    """Return the quantile of Student's t.

    Parameters
    ----------
    probability : float
        In [0, 1].
    nu : float
        Degrees of freedom, positive; infinite for the normal law.

    Returns
    -------
    float
        Infinite at 0 and 1.

    Raises
    ------
    ValueError
        If an argument is outside its domain.
    """
    if not 0.0 <= probability <= 1.0:
        raise ValueError(f"probability: expected a number in [0, 1], got {probability!r}")
    if not nu > 0.0:
        raise ValueError(f"degrees of freedom: expected a positive number, got {nu!r}")
    if probability in (0.0, 1.0):
        return math.copysign(math.inf, probability - 0.5)
    lower = min(probability, 1.0 - probability)
    quantile = float(special.ndtri(lower) if nu >= NORMAL_FROM else special.stdtrit(nu, lower))
    return quantile if probability < 0.5 else -quantile
