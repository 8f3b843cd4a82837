"""Cases with known answers, done by the engine: parameters in, figures out.

Some are loans or boxes with everything random switched off, and come back as a table of their
months and a few figures. Others have random numbers in them, and come back as estimates with
their standard errors. All are run by the kernels that simulate, to be held against numbers that
were worked out elsewhere.

>>> from simulator.selfcheck import run_case
>>> case = {"P": 1e6, "nominal_rate": 0.09, "months": 60}
>>> run_case(case).figures["level_payment"]  # doctest: +SKIP
20758.355226354
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from simulator.selfcheck import (
    capital,
    cashflows,
    collateral_loan,
    curves,
    estimators,
    finite_pools,
    generator,
    large_pools,
    listed_pools,
    paper_pools,
    processes,
    quasi,
    rare_pools,
    regimes,
    scope,
)
from simulator.selfcheck.kinds import Draws, Kind
from simulator.selfcheck.months import Result

__all__ = ["CASES", "Draws", "Kind", "Result", "kind_of", "kinds_of", "run_case"]

CASES: dict[str, Kind] = {
    **cashflows.CASES,
    **collateral_loan.CASES,
    **large_pools.CASES,
    **capital.CASES,
    **finite_pools.CASES,
    **listed_pools.CASES,
    **paper_pools.CASES,
    **rare_pools.CASES,
    **processes.CASES,
    **regimes.CASES,
    **estimators.CASES,
    **generator.CASES,
    **curves.CASES,
    **quasi.CASES,
    **scope.CASES,
}
"""Kinds of cases, and what tells them apart. Each family has a module with some of them."""


def kinds_of(params: Mapping[str, Any], asked: Iterable[str] = ()) -> list[list[str]]:
    """Return the kinds that a case can be of, the most particular ones first, equals together."""
    paths = tuple(asked)
    ranks: dict[int, list[str]] = {}
    for name, kind in CASES.items():
        if kind.fits(params, paths):
            ranks.setdefault(kind.detail, []).append(name)
    return [ranks[detail] for detail in sorted(ranks, reverse=True)]


def kind_of(params: Mapping[str, Any], asked: Iterable[str] = ()) -> str:
    """Return the kind of a case, by the parameters it has and what it is asked for."""
    fitting = kinds_of(params, asked)
    if not fitting:
        raise ValueError(f"no kind of case has the parameters {', '.join(params)}")
    return fitting[0][0]


def run_case(params: Mapping[str, Any], kind: str = "", draws: Draws | None = None) -> Result:
    """Run a case.

    Parameters
    ----------
    params : mapping
        Its parameters.
    kind : str
        One of `CASES`; empty: told by the parameters and by what is asked.
    draws : Draws, optional
        Seed, paths and numbers asked for, of a case with random numbers.
    """
    draws = draws or Draws()
    return CASES[kind or kind_of(params, draws.asked)].result(params, draws)
