"""A simpler structural model of one facility, in closed form and one quadrature.

The facility is a level loan to a vehicle that leases GPUs to one customer. It knows two states of
the customer, a value of the GPUs that is lognormal around a fixed curve, and a fixed schedule:

    P(customer defaults in month τ) = e^(−h(τ−1)/12) − e^(−hτ/12)
    last payment  u = τ − 1 + reserve months;  nothing is lost if u ≥ maturity
    default       u + 2, after two missed payments;  sale s = u + 2 + decision + sale lag
    loss          v^u · E[max(0, B(u) − v^(s−u)·K(s)·D·(1 − H))],  v = 1/(1 + y/12)

B is the balance, K(s) what the GPUs would fetch on the curve net of costs of sale, ln D normal with
mean 0 and the variance of an Ornstein-Uhlenbeck process at s, times the elasticity of resale
values, H a Beta haircut. Given H the expectation is a put (Black and Scholes 1973, Merton 1974);
over H it is a Gauss-Jacobi sum. It shares no line of code with the simulator.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

__all__ = ["Answer", "Facility", "challenge"]

MISSED: Final = 2  # payments, then the facility is in default
NODES: Final = 32

Vector = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Facility:
    """A level loan against GPUs that one customer leases.

    Attributes
    ----------
    balance : float
        At t0, USD m.
    coupon : float
        Per year.
    maturity, reserve_months : int
        Month of the last payment; payments that the reserve holds.
    hazard : float
        Of the customer, per year.
    decision_months, sale_months : int
        From the default to the decision to sell, and from there to the sale.
    hardware : sequence of (float, float)
        USD m when new and age at t0 in months of what was delivered together.
    resale_curve : sequence of float
        Value at ages of 1, 2, ... years, of the price when new; 1 at age 0, linear between.
    resale_beta : float
        Elasticity of resale values to rents.
    kappa, sigma : float
        Of the log rent around its path, per year.
    haircut, haircut_sd : float
        Mean and sd of the forced-sale discount, a Beta law.
    sale_cost : float
        Of the proceeds.
    """

    balance: float
    coupon: float
    maturity: int
    reserve_months: int
    hazard: float
    decision_months: int
    sale_months: int
    hardware: Sequence[tuple[float, float]]
    resale_curve: Sequence[float]
    resale_beta: float
    kappa: float
    sigma: float
    haircut: float
    haircut_sd: float
    sale_cost: float


class Answer(NamedTuple):
    """What the challenger says."""

    default_probability: float
    expected_loss_share: float  # present value, of the balance at t0
    loss_given_default: float  # expected loss over expected claim at default, present values


def challenge(facility: Facility) -> Answer:
    """Return default probability and expected loss of a facility.

    Parameters
    ----------
    facility : Facility
        Its terms.

    Returns
    -------
    Answer

    Examples
    --------
    A customer that never defaults costs nothing, and one whose GPUs are worth nothing costs the
    balance that is left:

    >>> from dataclasses import replace
    >>> loan = Facility(100.0, 0.12, 12, 0, 0.0, 3, 6, [], [1.0], 1.0, 1.0, 0.0, 0.25, 0.1, 0.0)
    >>> challenge(loan).expected_loss_share
    0.0
    >>> round(challenge(replace(loan, hazard=1e9)).expected_loss_share, 12)
    1.0
    """
    months = np.arange(1, facility.maturity + 1)
    h = facility.hazard / 12.0
    fails = np.exp(-h * (months - 1)) - np.exp(-h * months)
    last = months - 1 + facility.reserve_months
    loses = last < facility.maturity
    v = 1.0 / (1.0 + facility.coupon / 12.0)
    discounted = v ** last[loses] * balances(facility)[last[loses]]
    lost = np.array([loss(facility, int(u)) for u in last[loses]])
    expected = float(fails[loses] @ lost)
    exposed = float(fails[loses] @ discounted)
    return Answer(
        default_probability=float(fails[loses].sum()),
        expected_loss_share=expected / facility.balance,
        loss_given_default=expected / exposed if exposed else 0.0,
    )


def balances(facility: Facility) -> Vector:
    """Return the balance after the payment of months 0 to maturity, USD m."""
    i, n = facility.coupon / 12.0, facility.maturity
    months = np.arange(n + 1)
    left: Vector = facility.balance * (1.0 - (1.0 + i) ** (months - n)) / (1.0 - (1.0 + i) ** -n)
    return left


def loss(facility: Facility, last: int) -> float:
    """Return the present value of the expected loss if the payment of month `last` is the last."""
    v = 1.0 / (1.0 + facility.coupon / 12.0)
    sale = last + MISSED + facility.decision_months + facility.sale_months
    owed = float(balances(facility)[last])
    worth = v ** (sale - last) * on_the_curve(facility, sale)
    spread = facility.resale_beta * facility.sigma
    spread *= math.sqrt(-math.expm1(-facility.kappa * sale / 6.0) / (2.0 * facility.kappa))
    haircuts, weights = beta_nodes(facility.haircut, facility.haircut_sd)
    puts = [put(owed, worth * (1.0 - one), spread) for one in haircuts]
    return v**last * float(weights @ puts)


def on_the_curve(facility: Facility, month: int) -> float:
    """Return what all GPUs fetch in a month with rents on their path, before the haircut, USD m."""
    ages = np.arange(len(facility.resale_curve) + 1) * 12.0
    curve = [1.0, *facility.resale_curve]
    gross = sum(new * np.interp(age + month, ages, curve) for new, age in facility.hardware)
    return float(gross) * (1.0 - facility.sale_cost)


def put(owed: float, median: float, spread: float) -> float:
    """Return E[max(0, owed − median·D)], ln D normal with mean 0 and sd `spread`."""
    if median <= 0.0:
        return owed
    if spread <= 0.0:
        return max(0.0, owed - median)
    d = math.log(owed / median) / spread
    mean = median * math.exp(0.5 * spread**2)
    return float(owed * special.ndtr(d) - mean * special.ndtr(d - spread))


def beta_nodes(mean: float, sd: float) -> tuple[Vector, Vector]:
    """Return nodes and weights of the Beta law with a mean and an sd."""
    n = mean * (1.0 - mean) / sd**2 - 1.0
    nodes, weights = special.roots_jacobi(NODES, (1.0 - mean) * n - 1.0, mean * n - 1.0)
    return 0.5 * (nodes + 1.0), weights / weights.sum()
