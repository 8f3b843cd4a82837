"""Several runs of one book on the same random numbers: what each scenario does to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import xarray as xr

from simulator.analytics.estimate import Estimate
from simulator.analytics.estimators import mean, mean_difference, probability
from simulator.analytics.frame import estimates, path_weights, vector
from simulator.analytics.sample import Design, Vector, independent_draws
from simulator.analytics.tail import expected_shortfall, shortfall_difference
from simulator.config.errors import NeoboxError

__all__ = ["Outcome", "comparison_table", "outcome_of"]

LEVEL = 0.99


class UnlikeRunsError(NeoboxError):
    """Runs that were not made on the same random numbers cannot be compared path by path."""

    exit_code = 2


class Outcome(NamedTuple):
    """What a comparison needs of a run, by path."""

    lender_loss: Vector  # of the book, USD m, PV
    equity_value: Vector  # of all boxes: PV of distributions and terminal value, USD m
    default: Vector  # 1 if any facility defaults
    seed: int
    weights: Design | None


def outcome_of(run: xr.Dataset) -> Outcome:
    """Read what a comparison needs of a run.

    Parameters
    ----------
    run : Dataset
        With dimension ``path``.
    """
    value = run["equity_pnl"] + run["equity_contributions"]
    months = run["facility_default_month"].values
    return Outcome(
        lender_loss=vector(run, "book_lender_loss"),
        equity_value=np.ascontiguousarray(value.sum("box").values, dtype=np.float64),
        default=np.any(months > 0, axis=1).astype(np.float64),
        seed=int(run.attrs["seed"]),
        weights=path_weights(run),
    )


def comparison_table(outcomes: Mapping[str, Outcome]) -> xr.Dataset:
    """Compare runs with the first of them.

    Parameters
    ----------
    outcomes : mapping of str to Outcome
        By name of the scenario, the base first; same seed and number of paths.

    Returns
    -------
    Dataset (scenario)
        Expected loss, expected shortfall at 99%, probability of a loss and of a default, equity
        value; and the change of each against the base, with its paired standard error.

    Raises
    ------
    UnlikeRunsError
        If seeds or numbers of paths differ.
    """
    names = list(outcomes)
    base = outcomes[names[0]]
    for name, one in outcomes.items():
        if one.seed != base.seed or one.lender_loss.size != base.lender_loss.size:
            raise UnlikeRunsError(
                f"{name}: seed {one.seed}, {one.lender_loss.size} paths, but {names[0]}: seed "
                f"{base.seed}, {base.lender_loss.size} paths; run both with the same --seed and "
                "--paths"
            )
    rows = [measures(one, base) for one in outcomes.values()]
    draws = min(independent_draws(one.weights, one.lender_loss.size) for one in outcomes.values())
    columns = {key: [row[key] for row in rows] for key in rows[0]}
    data = {
        name: part
        for key, values in columns.items()
        for name, part in estimates(
            key, ("scenario",), values, (len(names),), UNITS[key]["long_name"], UNITS[key]["units"]
        ).items()
    }
    return xr.Dataset(
        data, coords={"scenario": names}, attrs={"base": names[0], "level": LEVEL, "draws": draws}
    )


def measures(one: Outcome, base: Outcome) -> dict[str, Estimate]:
    """Return the measures of a run and their changes against the base."""
    w, w0 = one.weights, base.weights or Design()  # plain, whatever the other is
    lost, lost_before = one.lender_loss > 0.0, base.lender_loss > 0.0
    value = mean_difference(one.equity_value, base.equity_value, w, w0)
    return {
        "expected_loss": mean(one.lender_loss, w),
        "expected_loss_change": mean_difference(one.lender_loss, base.lender_loss, w, w0),
        "expected_shortfall": expected_shortfall(one.lender_loss, LEVEL, w),
        "expected_shortfall_change": shortfall_difference(
            one.lender_loss, base.lender_loss, LEVEL, w, w0
        ),
        "loss_probability": probability(lost, w),
        "loss_probability_change": mean_difference(
            lost.astype(np.float64), lost_before.astype(np.float64), w, w0
        ),
        "default_probability": probability(one.default > 0.0, w),
        "default_probability_change": mean_difference(one.default, base.default, w, w0),
        "equity_value": mean(one.equity_value, w),
        "equity_value_change": value,
        "equity_value_change_share": _share(value, one, base),
    }


def _share(change: Estimate, one: Outcome, base: Outcome) -> Estimate:
    """Divide the change of equity value by its base: error of the ratio, both from these paths."""
    before = mean(base.equity_value, base.weights).value
    if before == 0.0:
        return Estimate(np.nan, np.nan)
    share = change.value / before
    error = mean_difference(
        one.equity_value,
        (1.0 + share) * base.equity_value,
        one.weights,
        base.weights or Design(),
    ).se
    return Estimate(share, error / abs(before))


MONEY = {"units": "million USD"}
SHARE = {"units": "1"}
UNITS: Mapping[str, Mapping[str, str]] = {
    "expected_loss": {**MONEY, "long_name": "Expected loss of the lender's book"},
    "expected_loss_change": {**MONEY, "long_name": "Change of the expected loss"},
    "expected_shortfall": {**MONEY, "long_name": "Expected shortfall of the book, 99%"},
    "expected_shortfall_change": {**MONEY, "long_name": "Change of the expected shortfall"},
    "loss_probability": {**SHARE, "long_name": "Probability of a loss of the book"},
    "loss_probability_change": {**SHARE, "long_name": "Change of that probability"},
    "default_probability": {**SHARE, "long_name": "Probability that any facility defaults"},
    "default_probability_change": {**SHARE, "long_name": "Change of that probability"},
    "equity_value": {**MONEY, "long_name": "Equity value of all boxes"},
    "equity_value_change": {**MONEY, "long_name": "Change of the equity value"},
    "equity_value_change_share": {
        **SHARE,
        "long_name": "Change of the equity value, of base",
    },
}
