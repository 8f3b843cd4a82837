"""Agreement of a sample with theory, in standard errors of the sample.

Every assertion allows four standard errors: with fixed seeds a right model fails none, and a wrong
sign, unit or month shows as tens.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

ENOUGH = 4.0


def within(estimate: float, exact: float, error: float, what: str = "") -> None:
    """Assert that an estimate lies within four standard errors of the exact value."""
    z = (estimate - exact) / error
    assert abs(z) < ENOUGH, f"{what}: {estimate:.6g}, exact {exact:.6g}, {z:+.1f} standard errors"


def mean_is(sample: ArrayLike, exact: float, what: str = "mean") -> None:
    """Assert the mean of independent draws."""
    x = np.asarray(sample, dtype=np.float64)
    within(x.mean(), exact, x.std(ddof=1) / np.sqrt(x.size), what)


def variance_is(sample: ArrayLike, exact: float, what: str = "variance") -> None:
    """Assert the variance of independent draws: its error is √((m₄ − s⁴)/n)."""
    x = np.asarray(sample, dtype=np.float64)
    squares = (x - x.mean()) ** 2
    within(x.var(ddof=1), exact, squares.std() / np.sqrt(x.size), what)


def covariance_is(one: ArrayLike, other: ArrayLike, exact: float, what: str = "covariance") -> None:
    """Assert the covariance of independent pairs."""
    x, y = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    products = (x - x.mean()) * (y - y.mean())
    within(products.mean(), exact, products.std(ddof=1) / np.sqrt(x.size), what)


def correlation_is(
    one: ArrayLike, other: ArrayLike, exact: float, what: str = "correlation"
) -> None:
    """Assert the correlation of independent normal pairs: its error is (1 − ρ²)/√n."""
    x, y = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    error = (1.0 - exact**2) / np.sqrt(x.size)
    within(float(np.corrcoef(x, y)[0, 1]), exact, error, what)


def share_is(event: ArrayLike, exact: float, what: str = "share") -> None:
    """Assert how often an event happens among independent trials (binomial error)."""
    happened = np.asarray(event, dtype=bool)
    error = np.sqrt(exact * (1.0 - exact) / happened.size)
    within(happened.mean(), exact, error, what)


def law_is(
    sample: ArrayLike, points: ArrayLike, probabilities: ArrayLike, what: str = "law"
) -> None:
    """Assert a distribution: the share of the sample at or below each point."""
    x = np.asarray(sample, dtype=np.float64)
    for point, probability in zip(np.atleast_1d(points), np.atleast_1d(probabilities), strict=True):
        share_is(x <= point, float(probability), f"{what}: P(X <= {point:.4g})")


def count_moments(
    months: int, hazard: float, shape: float | None = None, share: float = 1.0
) -> tuple[float, float]:
    """Return mean and variance of a driver's number of events.

    Parameters
    ----------
    months : int
        Length of the count n; at most one event a month, p = 1 − e^(−λ/12).
    hazard : float
        λ (per year).
    shape : float, optional
        Shape k of the gamma multiplier G (mean 1) of a path's hazard; None for no multiplier.
    share : float
        Probability s that an event counts.

    Returns
    -------
    tuple of float
        Binomial: n s p and n s p (1 − s p). With G the two are averaged over it, by
        E e^(−aG) = (1 + a/k)^(−k), and the variance of the conditional mean is added. For small p
        these are the Poisson law's mean = variance = μ and the negative binomial's μ + μ²/k.
    """
    if shape is None:
        p = share * -np.expm1(-hazard / 12.0)
        return months * p, months * p * (1.0 - p)
    laplace = [(1.0 + n * hazard / 12.0 / shape) ** -shape for n in (1, 2)]
    p = share * (1.0 - laplace[0])
    p_squared = share**2 * (1.0 - 2.0 * laplace[0] + laplace[1])
    return months * p, months * (p - p_squared) + months**2 * (p_squared - p * p)


def ou_variance(kappa: float, sigma: float, months: ArrayLike) -> NDArray[np.float64]:
    """Return the variance of an Ornstein-Uhlenbeck state that starts at its mean.

    σ² (1 − e^(−2κt)) / (2κ), t in years, κ and σ per year (Uhlenbeck and Ornstein, 1930).
    """
    t = np.asarray(months, dtype=np.float64) / 12.0
    return sigma**2 * -np.expm1(-2.0 * kappa * t) / (2.0 * kappa)
