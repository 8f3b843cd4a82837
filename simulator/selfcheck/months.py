"""A case run through the engine: its months as columns, in the money of the case."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from simulator.box.flows import LINES
from simulator.box.terms import BOX, TRANCHE
from simulator.config.terms import ModelInputs
from simulator.engine.base_case import constant
from simulator.engine.paths import trace_path
from simulator.engine.prepare import Prepared, prepare
from simulator.engine.results import Arrays
from simulator.selfcheck.book import POOL_SOLD

__all__ = ["Column", "Result", "Run", "internal_rate", "run", "weighted_life"]

Column = NDArray[np.float64]

DOLLARS = 1e-6
"""The engine's unit (USD m) in the money of a case in dollars."""


@dataclass(frozen=True)
class Result:
    """What a case comes to.

    Attributes
    ----------
    columns : mapping of str to ndarray (period,)
        The months (or quarters) of the case; none of one with random numbers.
    figures : mapping
        Its single numbers; a mapping or list where a case asks for several. A number is exact,
        an `analytics.Estimate` has an error (0: exact; NaN: not known, so it counts as not given).
    stepped : frozenset of str
        Paths of estimates that can only take a few values, such as quantiles of a law with
        atoms: their scores are no normal ones, and have no part in the mean of z squared.
    """

    columns: Mapping[str, Column]
    figures: Mapping[str, Any] = field(default_factory=dict)
    stepped: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Run:
    """One path of a case.

    Attributes
    ----------
    months : ndarray (month,)
        1, 2, ... H.
    lines, loan, box : mapping of str to ndarray (month,)
        Lines of the waterfall, rows of the first tranche and of the box, in the money of the case
        (rates, flags and ratios as they are).
    scalars : mapping
        Results of the path.
    """

    months: Column
    lines: Mapping[str, Column]
    loan: Mapping[str, Column]
    box: Mapping[str, Column]
    scalars: Arrays

    @property
    def interest(self) -> Column:
        """Interest paid by the box."""
        return self.lines["senior_interest_paid"]

    @property
    def principal(self) -> Column:
        """Instalments, arrears and final principal paid; no sweep, no cure."""
        return self.lines["senior_principal_paid"]

    @property
    def closing(self) -> Column:
        """Balance at the end of each month."""
        return self.loan["balance"]

    @property
    def opening(self) -> Column:
        """Balance at the start of each month, before draws."""
        first = self.closing[0] + self.principal[0] + self.lines["swept"][0]
        return np.concatenate([[first - self.lines["debt_drawn"][0]], self.closing[:-1]])


PURE = frozenset({"coupon", "discount", "maturity", "start", "accrued_rate", "margin"})
RATIOS = frozenset({"dscr", "ltv"})
AMOUNTS_OF_BOX = frozenset({"reserve", "reserve_target", "trapped", "collected"})


def run(inputs: ModelInputs, unit: float = DOLLARS) -> Run:
    """Run a case by the kernels that simulate.

    Parameters
    ----------
    inputs : ModelInputs
        From `book.study`.
    unit : float
        USD m of one unit of the case's money.
    """
    path = trace_path(settled(prepare(inputs)), 0, 0)
    trace = path.trace

    def money(name: str, values: Column, kept: bool) -> Column:
        return np.array(values if kept else values / unit)

    flows = {
        name: money(name, trace.flow[:, line, 0], name in RATIOS) for line, name in enumerate(LINES)
    }
    loan: dict[str, Column] = {}
    if trace.debt.shape[2]:
        names = enumerate(TRANCHE._fields)
        loan = {name: money(name, trace.debt[:, row, 0], name in PURE) for row, name in names}
    box = {
        name: money(name, trace.box[:, row, 0], name not in AMOUNTS_OF_BOX)
        for row, name in enumerate(BOX._fields)
    }
    months = np.arange(1.0, inputs.horizon + 1.0)
    return Run(months, flows, loan, box, path.scalars)


def settled(prepared: Prepared) -> Prepared:
    """Return a study without the draws that no switch turns off: curtailment, pools, lags.

    Nor do arrears end in a default: cases say what is owed, not what lenders then do.
    """
    params = prepared.params
    curtailment = constant(params.sites.curtailment_table, 0.0)
    return Prepared(
        prepared.layout,
        params._replace(
            leases=params.leases._replace(centred=True),
            sites=params.sites._replace(curtailment_table=curtailment),
            boxes=params.boxes._replace(grace=np.inf),
            utilisation_tables=constant(params.utilisation_tables, POOL_SOLD),
        ),
    )


def weighted_life(principal: Column, amount: float) -> float:
    """Return the weighted average life of principal paid at the end of months 1, 2, ..., years."""
    months = np.arange(1.0, len(principal) + 1.0)
    return float(months @ principal / 12.0 / amount)


def internal_rate(flows: Column) -> float:
    """Return the rate per period at which flows of periods 0, 1, ... are worth nothing."""
    periods = np.arange(len(flows))
    return float(brentq(lambda rate: flows @ (1.0 + rate) ** -periods, -0.5, 1.0, xtol=1e-15))
