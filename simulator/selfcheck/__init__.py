"""Cases that can be done by hand, done by the engine: parameters in, months and figures out.

A case is a loan or a box with everything random switched off. It is run by the same kernels that
simulate, and comes back as a table of its months and a few figures, to be held against numbers
that were worked out elsewhere.

>>> from simulator.selfcheck import run_case
>>> case = {"P": 1e6, "nominal_rate": 0.09, "months": 60}
>>> run_case(case).figures["level_payment"]  # doctest: +SKIP
20758.355226354
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from simulator.selfcheck import loans, notes, returns, waterfalls
from simulator.selfcheck.months import Result

__all__ = ["CASES", "Result", "kind_of", "run_case"]

Kind = Callable[[Mapping[str, Any]], Result]

CASES: dict[str, tuple[Kind, frozenset[str]]] = {
    "level_loan": (loans.level_loan, frozenset({"P", "nominal_rate", "months"})),
    "floating_loan": (loans.floating_loan, frozenset({"margin", "cap", "step", "index"})),
    "delayed_draw": (loans.delayed_draw, frozenset({"commitment", "draws", "availability"})),
    "construction": (loans.construction, frozenset({"draws", "scheduled_instalments", "delay"})),
    "sculpted_loan": (loans.sculpted_loan, frozenset({"dscr", "periods_per_year", "cfads"})),
    "full_sweep": (waterfalls.full_sweep, frozenset({"capex", "opex_fraction_of_base_revenue"})),
    "reserve": (waterfalls.reserve, frozenset({"dsra_months", "shock_multipliers"})),
    "share_sweep": (waterfalls.share_sweep, frozenset({"threshold", "share", "cfads"})),
    "lock_up": (waterfalls.lock_up, frozenset({"lock", "price_multipliers"})),
    "covenant": (waterfalls.covenant, frozenset({"cap", "cap_step_down_per_year", "v0"})),
    "lost_customer": (waterfalls.lost_customer, frozenset({"lessee_shares", "default_month"})),
    "level_loan_in_cents": (loans.level_loan_in_cents, frozenset({"P", "nominal_rate", "months"})),
    "notes_of_a_pool": (notes.notes_of_a_pool, frozenset({"sizes", "coupons", "pool_rate"})),
    "rates_of_return": (returns.rates_of_return, frozenset({"a"})),
}
"""Kinds of cases, and the parameters that tell them apart."""


def kind_of(case: Mapping[str, Any]) -> str:
    """Return the kind of a case, by the parameters it has."""
    fitting = [name for name, (_, keys) in CASES.items() if keys <= case.keys()]
    if not fitting:
        raise ValueError(f"no kind of case has the parameters {', '.join(case)}")
    return fitting[0]


def run_case(case: Mapping[str, Any], kind: str = "") -> Result:
    """Run a case.

    Parameters
    ----------
    case : mapping
        Its parameters.
    kind : str
        One of `CASES`; empty: told by the parameters.
    """
    runner, _ = CASES[kind or kind_of(case)]
    return runner(case)
