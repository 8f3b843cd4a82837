"""Exact monthly steps of the processes that drivers are made of.

References
----------
O. Vasicek (1977), "An equilibrium characterization of the term structure", Journal of Financial
Economics 5, 177-188.
"""

from __future__ import annotations

import math
from typing import Any

from simulator.numerics.elementary import expm1, expm1_of
from simulator.numerics.jit import scalar

__all__ = [
    "MONTH_IN_YEARS",
    "monthly_event_probability",
    "ou_coefficients",
    "ou_step",
    "vasicek_mean_rate",
]

MONTH_IN_YEARS = 1.0 / 12.0
"""Length of the time step (years)."""


def ou_coefficients(kappa: float, sigma: float, dt: float = MONTH_IN_YEARS) -> tuple[float, float]:
    """Return decay and standard deviation of one exact Ornstein-Uhlenbeck step.

    Parameters
    ----------
    kappa : float
        Speed of mean reversion (per year), not negative; 0 for a random walk.
    sigma : float
        Volatility (per square root of a year), not negative.
    dt : float
        Length of the step (years), positive.

    Returns
    -------
    decay : float
        Factor on the deviation from the mean, in [0, 1].
    sd : float
        Standard deviation of the innovation.

    Raises
    ------
    ValueError
        If an argument is outside its domain.

    Notes
    -----
    decay = exp(−κ dt), sd = σ sqrt((1 − exp(−2 κ dt)) / (2 κ)); σ sqrt(dt) as κ → 0.
    """
    if not (kappa >= 0.0 and math.isfinite(kappa)):
        raise ValueError(f"kappa: expected a number >= 0 (per year), got {kappa!r}")
    if not (sigma >= 0.0 and math.isfinite(sigma)):
        raise ValueError(f"sigma: expected a number >= 0 (per root year), got {sigma!r}")
    if not (dt > 0.0 and math.isfinite(dt)):
        raise ValueError(f"dt: expected a number > 0 (years), got {dt!r}")
    double = 2.0 * kappa * dt
    share = -math.expm1(-double) / double if double > 0.0 else 1.0
    return math.exp(-kappa * dt), sigma * math.sqrt(dt * share)


@scalar
def ou_step(x: float, decay: float, sd: float, xi: float) -> float:
    """Return the deviation from the mean one step later.

    Parameters
    ----------
    x : float
        Deviation from the mean now.
    decay, sd : float
        Coefficients, see :func:`ou_coefficients`.
    xi : float
        Standard normal draw.

    Returns
    -------
    float
        ``x * decay + sd * xi``, in the unit of ``x``.
    """
    return x * decay + sd * xi


@scalar
def monthly_event_probability(hazard_per_year: float) -> float:
    """Return the probability of at least one event in a month under a constant hazard.

    Parameters
    ----------
    hazard_per_year : float
        Events per year, not negative.

    Returns
    -------
    float
        1 − exp(−hazard / 12), in [0, 1], precise for small hazards too.
    """
    result: float = monthly_event_probability_of(float(hazard_per_year))
    return result


@scalar
def monthly_event_probability_of(hazard_per_year: Any) -> Any:
    """Return the probability of a hazard, or of each lane of a pack of hazards."""
    return -expm1_of(hazard_per_year * -MONTH_IN_YEARS)


@scalar
def vasicek_mean_rate(rate: float, theta: float, kappa: float, horizon_years: float) -> float:
    """Return the expected average of a Vasicek short rate over a horizon.

    Parameters
    ----------
    rate : float
        Short rate now (per year).
    theta : float
        Its long-run mean (per year).
    kappa : float
        Speed of mean reversion (per year), not negative.
    horizon_years : float
        Horizon T (years), not negative.

    Returns
    -------
    float
        θ + (r − θ) (1 − exp(−κ T)) / (κ T) (per year); the rate itself as κ T → 0.
    """
    scaled = kappa * horizon_years
    is_moving = scaled > 0.0
    share = -expm1(-scaled) / (scaled if is_moving else 1.0)
    return theta + (rate - theta) * (share if is_moving else 1.0)
