"""The terms of a credit-only study in the model's own units: what `config` hands to `engine`.

As in `terms`: nothing is blank; months count from t0, money is in USD millions, rates and shares
are fractions, hazards are per year. Names stand in the order of their ids.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Collateral:
    """What stands behind a loan and is sold after a default."""

    value: float  # USD m at t0
    monthly_factor: float  # value of a month over that of the month before
    sale_cost: float  # of the proceeds
    sale_lag: int  # months from default to sale


@dataclass(frozen=True, slots=True)
class PoolName:
    """A borrower and what it owes."""

    id: str
    exposure: float  # USD m at t0
    loan_rate: float  # per year; the claim at default is the balance and a month of it
    loan_months: int  # of level payments, 0 = the exposure stands to the horizon
    hazard_per_year: tuple[float, ...]  # by year from t0, last one held
    loss_mean: float  # of the claim
    loss_sd: float  # of its Beta law, 0 = certain
    collateral: Collateral | None  # in place of that law
    loadings: tuple[float, ...]  # on the factors
    loss_loadings: tuple[float, ...] = ()  # of the loss, on them; none: it does not move
    granular: bool = False  # many small borrowers in place of one


@dataclass(frozen=True, slots=True)
class Regimes:
    """A hazard common to all names that follows a Markov chain in continuous time."""

    generator: tuple[tuple[float, ...], ...]  # rates per year, rows sum to 0
    start: tuple[float, ...]  # probabilities at t0
    hazard_per_year: tuple[float, ...]  # added to that of every name


@dataclass(frozen=True, slots=True)
class PoolTranche:
    """A slice of the losses of the pool."""

    id: str
    attachment: float  # of the exposure at t0
    detachment: float


@dataclass(frozen=True, slots=True)
class PoolInputs:
    """Everything one path of a pool depends on, besides the seed and the path number."""

    horizon: int  # months
    discount_rate: float  # per year, of losses
    copula_nu: float  # degrees of freedom of the t copula, 0 = Gaussian
    names: tuple[PoolName, ...]
    regimes: Regimes | None
    tranches: tuple[PoolTranche, ...]

    @property
    def exposure(self) -> float:
        """What the pool is owed at t0, USD m."""
        return sum(name.exposure for name in self.names)
