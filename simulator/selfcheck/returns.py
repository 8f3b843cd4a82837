"""Cases of internal rates of return, by the accounts of a box without debt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from simulator.selfcheck.book import Delivery, Setting, study
from simulator.selfcheck.months import Result, run

__all__ = ["rates_of_return"]

YEAR = 12
SEVERAL = 2.0  # state of an internal rate


def rates_of_return(case: Mapping[str, Any]) -> Result:
    """Find the internal rates of yearly flows that begin with an outlay.

    The engine gives the one rate there is, and says when there are several; which ones these are
    is worked out here, from the flows' polynomial.
    """
    return Result({}, {name: rates(flows) for name, flows in case.items()})


def rates(flows: Sequence[float]) -> list[float]:
    """Return all internal rates of flows of years 0, 1, ..."""
    months = YEAR * (len(flows) - 1) + 1
    rent = np.zeros(months)
    deliveries = []
    for year, flow in enumerate(flows[1:], start=1):
        if flow >= 0.0:
            rent[YEAR * year - 1] = flow
        else:  # paid at the start of the next month
            deliveries.append(Delivery(cost=-flow, month=YEAR * year + 1))
    setting = Setting(box={"equity0": -flows[0], "useful_life_months": months - 1})
    one = run(study(months, [Delivery(rent), *deliveries], [], setting), unit=1.0)
    if one.scalars["equity_irr_state"][0, 0] != SEVERAL:
        return [float(one.scalars["equity_irr"][0, 0])]
    roots = np.roots(np.asarray(flows, dtype=float)) - 1.0  # of sum flow (1 + r)^(n - year)
    return sorted(float(root.real) for root in roots if abs(root.imag) < 1e-9 and root.real > -1.0)
