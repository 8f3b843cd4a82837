"""Zero bonds of a Vasicek rate: in continuous time, and of what months can only sum."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def bond(rate: float, theta: float, kappa: float, sigma: float, years: float) -> float:
    """Return E exp(−∫₀ᵀ r ds), Vasicek (1977), equation 27 with no price of risk."""
    b = -np.expm1(-kappa * years) / kappa
    limit = theta - sigma**2 / (2.0 * kappa**2)
    return float(np.exp((b - years) * limit - sigma**2 * b**2 / (4.0 * kappa) - b * rate))


def sum_weights(months: int, ends: float) -> NDArray[np.float64]:
    """Return the weights of r(0), ..., r(n): 1 inside, `1 − ends` at first and `ends` at last."""
    weights = np.ones(months + 1)
    weights[0], weights[-1] = 1.0 - ends, ends
    return weights


def sum_moments(
    rate: float,
    theta: float,
    kappa: float,
    sigma: float,
    months: int,
    *,
    ends: float,
    step: float = 1.0 / 12.0,
) -> tuple[float, float, float]:
    """Return mean and variance of Σ wᵢ r(iΔ) Δ, and its covariance with the last rate.

    r on the grid is a Gaussian AR(1): cov(r(s), r(t)) = e^(−κ(t−s)) σ²(1 − e^(−2κs))/2κ, s ≤ t.
    """
    times = step * np.arange(months + 1)
    weights = step * sum_weights(months, ends)
    mean = theta + (rate - theta) * np.exp(-kappa * times)
    variance = sigma**2 * -np.expm1(-2.0 * kappa * times) / (2.0 * kappa)
    gap = np.abs(np.subtract.outer(times, times))
    covariance = np.exp(-kappa * gap) * np.minimum.outer(variance, variance)
    return (
        float(weights @ mean),
        float(weights @ covariance @ weights),
        float(covariance[-1] @ weights),
    )


def discrete_bond(
    rate: float,
    theta: float,
    kappa: float,
    sigma: float,
    months: int,
    *,
    ends: float = 0.0,
    step: float = 1.0 / 12.0,
) -> float:
    """Return E exp(−Σ wᵢ r(iΔ) Δ) = exp(−mean + variance/2); `ends` 0 sums rates at the start."""
    mean, variance, _ = sum_moments(rate, theta, kappa, sigma, months, ends=ends, step=step)
    return float(np.exp(-mean + variance / 2.0))
