"""Credit-only studies made ready and run: terms packed by month, blocks of paths, results.

Model: docs/model.md §17.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from simulator.config.pool_terms import PoolInputs, PoolName
from simulator.credit.pool import (
    PoolOutputs,
    PoolParams,
    PoolState,
    draw_defaults,
    draw_tilted_defaults,
    new_pool,
    new_pool_outputs,
    record_pool,
    walk_regimes,
)
from simulator.credit.pool_granular import lose_expected
from simulator.credit.pool_tilting import no_tilt
from simulator.engine.pool_many import pack_granular, pack_severity
from simulator.engine.results import Arrays, whole
from simulator.numerics.addressed import Addressed
from simulator.numerics.jit import kernel
from simulator.numerics.quantiles import beta_quantile_table, chi2_quantile_table
from simulator.numerics.streams import stream_id, stream_id_array
from simulator.numerics.student_t import student_t_quantile

__all__ = ["POOL_VARIABLES", "PreparedPool", "pool_ids", "pool_labels", "prepare_pool"]

POOL_VARIABLES: Final = (
    "lender_loss",
    "lender_principal_loss",
    "exposure_at_default",
    "facility_default_month",
    "facility_censored",
    "book_lender_loss",
    "note_loss",
    "outstanding_debt",
    "cumulative_lender_loss",
    "path_weight",
)
"""What a run of a pool stores: a facility is a name, the book is the pool."""

SLACK: Final = 1e-6
"""Added to the highest score at which a default is possible, against rounding."""


@kernel
def run_pool(params, state, seed, paths, outputs, offset):
    """Run a block of paths of a pool.

    Parameters
    ----------
    params : PoolParams
    state : PoolState, scratch
    seed : uint64
    paths : (lane,) int64
    outputs : PoolOutputs, zeros; written at columns offset..offset + lanes
    offset : int
    """
    state.lost[:] = 0.0
    state.gone[:] = 0.0
    walk_regimes(params, seed, paths, state.regime)
    if params.tilt.shares.shape[0] > 0:
        draw_tilted_defaults(params, state, seed, paths, outputs, offset)
    else:
        draw_defaults(params, state, seed, paths, outputs, offset)
    lose_expected(params, state, outputs, offset)
    record_pool(params, state, outputs, offset)


@dataclass(frozen=True)
class PreparedPool:
    """What workers need; the same face as `engine.prepare.Prepared`.

    Attributes
    ----------
    pool : PoolInputs
        The study.
    params : PoolParams
        Packed terms.
    weighted : bool
        Whether outputs carry likelihood ratios; all are 1 if the terms do not tilt.
    """

    pool: PoolInputs
    params: PoolParams
    weighted: bool = False
    inputs: None = None  # nothing is uncertain, so nothing is packed anew

    @cached_property
    def packed(self) -> Addressed[PoolParams]:
        """The terms as the kernel takes them."""
        return Addressed(self.params)

    def drawn(self, values: NDArray[np.float64]) -> PreparedPool:
        """Return itself: no parameter is uncertain."""
        return self

    def outputs(self, paths: int) -> Addressed[PoolOutputs]:
        """Allocate results of so many paths."""
        return Addressed(new_pool_outputs(len(self.pool.names), self.pool.horizon, paths))

    def state(self, lanes: int) -> Addressed[PoolState]:
        """Allocate the state of a block."""
        return Addressed(new_pool(self.params, lanes))

    def run_block(
        self,
        state: Addressed[PoolState],
        seed: int,
        paths: NDArray[np.int64],
        outputs: Addressed[PoolOutputs],
        offset: int,
    ) -> None:
        """Run a block of paths to the horizon."""
        run_pool(
            self.packed.argument, state.argument, np.uint64(seed), paths, outputs.argument, offset
        )

    def scalars(self, outputs: PoolOutputs) -> Arrays:
        """Return one number per path and entity, by the names of `dataset.variables`."""
        owed = self.params.balance[:, -1:] > 0.0
        censored = (outputs.default_month == 0.0) & owed
        rows: Arrays = {
            "lender_loss": outputs.loss,
            "lender_principal_loss": outputs.nominal_loss,
            "exposure_at_default": outputs.claim,
            "facility_default_month": whole(outputs.default_month),
            "facility_censored": censored.astype(np.int8),
        }
        if self.pool.tranches:
            rows["note_loss"] = tranche_losses(self.pool, outputs.book_loss)
        scalars = {name: np.ascontiguousarray(array.T) for name, array in rows.items()}
        if self.weighted:
            scalars["path_weight"] = outputs.weight
        return scalars | {"book_lender_loss": outputs.book_loss}

    def series(self, outputs: PoolOutputs) -> Arrays:
        """Return one number per month and path."""
        return {
            "outstanding_debt": outputs.outstanding,
            "cumulative_lender_loss": outputs.loss_so_far,
        }


def tranche_losses(pool: PoolInputs, loss: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return what each tranche loses, (tranche, path), of the losses of the pool (path,)."""
    total = pool.exposure
    slices = [
        np.clip(loss - one.attachment * total, 0.0, (one.detachment - one.attachment) * total)
        for one in pool.tranches
    ]
    return np.array(slices).reshape(len(slices), loss.size)


def pool_ids(pool: PoolInputs) -> dict[str, tuple[str, ...]]:
    """Return the ids along each entity dimension of a dataset."""
    notes = {"note": tuple(one.id for one in pool.tranches)} if pool.tranches else {}
    return {"facility": tuple(one.id for one in pool.names), **notes}


def pool_labels(pool: PoolInputs) -> dict[str, tuple[str, tuple[float, ...]]]:
    """Return further coordinates: what is lent to each name, and how large each tranche is."""
    labels: dict[str, tuple[str, tuple[float, ...]]] = {
        "facility_lent": ("facility", tuple(one.exposure for one in pool.names))
    }
    if pool.tranches:
        sizes = [(one.detachment - one.attachment) * pool.exposure for one in pool.tranches]
        labels["note_size"] = ("note", tuple(sizes))
    return labels


def prepare_pool(pool: PoolInputs) -> PreparedPool:
    """Pack a credit-only study.

    Parameters
    ----------
    pool : PoolInputs
        The study.

    Returns
    -------
    PreparedPool
        The same for the same inputs.
    """
    names, nu, months = pool.names, pool.copula_nu, np.arange(pool.horizon + 1)
    factors = len(names[0].loadings)
    hazard = np.array([integrated_hazard(one, months) for one in names])
    balances, owed = zip(*(schedule(one, months) for one in names), strict=True)
    losses = [
        losses_of(one, claim, months, pool.discount_rate)
        for one, claim in zip(names, owed, strict=True)
    ]
    claim, nominal, present = (
        np.array(owed),
        *(np.array(rows) for rows in zip(*losses, strict=True)),
    )
    granular = pack_granular(names, hazard, present, nu)
    drawn = sorted({(one.loss_mean, one.loss_sd) for one in names if one.loss_sd > 0.0})
    law = [drawn.index((n.loss_mean, n.loss_sd)) if n.loss_sd > 0.0 else -1 for n in names]
    tables = [beta_quantile_table(mean, sd) for mean, sd in drawn]
    regime_hazard, leaves, following, start = chain(pool)
    highest = hazard[:, -1] + pool.horizon * regime_hazard.max(initial=0.0)
    scores = [student_t_quantile(-np.expm1(-h), nu if nu > 0.0 else np.inf) for h in highest]
    return PreparedPool(
        pool,
        PoolParams(
            loadings=np.array([one.loadings for one in names])
            .reshape(len(names), factors)
            .T.copy(),
            highest_score=np.array(scores) + SLACK,
            hazard=hazard,
            claim=claim,
            balance=np.array(balances),
            nominal=nominal,
            present=present,
            severity=pack_severity(names, factors),
            granular=granular,
            law=np.array(law, dtype=np.int64),
            laws=np.array(tables) if tables else np.zeros((1, 2)),
            factor_streams=stream_id_array(f"factor.{k + 1}" for k in range(factors)),
            name_streams=stream_id_array(f"name.{one.id}" for one in names),
            loss_streams=stream_id_array(f"name.{one.id}.loss" for one in names),
            degrees_of_freedom=nu,
            chi2_table=chi2_quantile_table(nu) if nu > 0.0 else np.zeros(2),
            copula_stream=np.uint64(stream_id("copula")),
            regime_hazard=regime_hazard,
            regime_leaves=leaves,
            regime_next=following,
            regime_start=start,
            regime_stream=np.uint64(stream_id("regime")),
            tilt=no_tilt(),
        ),
    )


def integrated_hazard(name: PoolName, months: NDArray[np.int64]) -> NDArray[np.float64]:
    """Integrate the hazard of a name from t0 to the end of each month."""
    held = np.minimum((months[1:] - 1) // 12, len(name.hazard_per_year) - 1)
    by_month = np.array(name.hazard_per_year)[held] / 12.0
    return np.concatenate([[0.0], np.cumsum(by_month)])


def schedule(
    name: PoolName, months: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return balances at the end of each month, and claims at a default in it, USD m.

    A loan pays level instalments at the end of each month; the claim is what was owed before the
    instalment: the balance of the month before and a month of interest.
    """
    if name.loan_months == 0:
        balance = np.full(months.shape, name.exposure)
    elif name.loan_rate == 0.0:
        balance = name.exposure * np.maximum(0.0, 1.0 - months / name.loan_months)
    else:
        left = np.maximum(0, name.loan_months - months)
        v = 1.0 / (1.0 + name.loan_rate / 12.0)
        balance = name.exposure * (1.0 - v**left) / (1.0 - v**name.loan_months)
    before = np.concatenate([balance[:1], balance[:-1]])
    return balance, before * (1.0 + name.loan_rate / 12.0)


def losses_of(
    name: PoolName, claim: NDArray[np.float64], months: NDArray[np.int64], rate: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return nominal loss and its PV at a default in each month; all the claim if it is scaled."""
    discount = (1.0 + rate / 12.0) ** (-1.0 * months)
    if name.collateral is None:
        certain = name.loss_sd == 0.0 and not name.loss_loadings
        nominal = claim * (name.loss_mean if certain else 1.0)
        return nominal, discount * nominal
    pledged = name.collateral
    sold = months + pledged.sale_lag
    proceeds = pledged.value * pledged.monthly_factor**sold * (1.0 - pledged.sale_cost)
    received = np.minimum(claim, proceeds)
    later = (1.0 + rate / 12.0) ** (-1.0 * sold)
    return claim - received, discount * claim - later * received


def chain(pool: PoolInputs) -> tuple[NDArray[np.float64], ...]:
    """Return hazards and rates of leaving per month, and cumulative probabilities of a jump."""
    if pool.regimes is None:
        return np.zeros(0), np.zeros(0), np.zeros((0, 0)), np.zeros(0)
    generator = np.array(pool.regimes.generator)
    leaves = -np.diag(generator)
    jumps = np.where(np.eye(len(leaves), dtype=bool), 0.0, generator)
    shares = np.divide(
        jumps, leaves[:, None], out=np.zeros_like(jumps), where=leaves[:, None] > 0.0
    )
    hazard = np.array(pool.regimes.hazard_per_year) / 12.0
    return hazard, leaves / 12.0, np.cumsum(shares, axis=1), np.cumsum(pool.regimes.start)
