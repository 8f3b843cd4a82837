"""Parameters that must fit each other, whatever the domain of each."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

BETA_SD: Final = {
    "dem.ap_rebound": 0.2,
    "sup.complete": 0.1,
    "cp.reneg_concession": 0.2,
    "cp.lgd_claim": 0.25,
    "cp.recovery_loan": 0.25,
    "gpu.util": 0.08,
    "hall.occupancy": 0.08,
    "gpu.fire_haircut": 0.1,
}
"""Means of Beta laws whose standard deviation is part of the model (docs/model.md)."""

ORDERED: Final = (
    ("dem.ap_mult.min", "dem.ap_mult.mode", "dem.ap_mult.max"),
    ("eff.scope.min", "eff.scope.max"),
)
"""Ids whose values may not fall."""

SPELLS: Final = ("mem.dur_short", "mem.dur_bal", "mem.dur_glut")


def contradictions(parameters: Mapping[str, float]) -> list[tuple[str, str, str]]:
    """Return what does not fit: id, what was expected, what was got.

    Parameters
    ----------
    parameters
        All parameters by id.

    Examples
    --------
    >>> from simulator.config.parameters import resolve
    >>> from simulator.config.schema import ParameterBlock
    >>> contradictions(resolve(ParameterBlock(values={"eff.size.q95": 0.2})))
    [('eff.size.q95', 'more than eff.size.mean, 0.35', '0.2')]
    """
    p, found = parameters, []
    for ids in ORDERED:
        for low, high in pairwise(ids):
            if p[high] < p[low]:
                found.append((high, f"at least {low}, {p[low]:g}", f"{p[high]:g}"))
    if p["eff.size.q95"] <= p["eff.size.mean"]:
        expected = f"more than eff.size.mean, {p['eff.size.mean']:g}"
        found.append(("eff.size.q95", expected, f"{p['eff.size.q95']:g}"))
    for name in SPELLS:
        if p[name] < p["mem.shape"]:
            expected = f"at least mem.shape, {p['mem.shape']:g} (a sub-stage takes a month)"
            found.append((name, expected, f"{p[name]:g}"))
    for name, sd in (*BETA_SD.items(), ("pow.curtail", p["pow.curtail"])):
        mean = p[name]
        if 0.0 < mean < 1.0 and not sd * sd < mean * (1.0 - mean):
            expected = f"a mean that a Beta law with sd {sd:g} can have"
            found.append((name, expected, f"{mean:g}"))
    return found
