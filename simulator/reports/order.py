"""In which order names stand in figures and tables."""

from __future__ import annotations

import numpy as np

from simulator.analytics.summary import Analysis


def by_risk(analysis: Analysis) -> list[str]:
    """Return the facilities, those of the book first, the largest expected loss first in each.

    Ties stand in the order of the run.
    """
    risk = analysis.risk
    order = np.argsort(-risk["expected_loss"].values, kind="stable")
    names = [str(name) for name in risk["facility"].values[order]]
    inside = set(held(analysis))
    return [name for name in names if name in inside] + [
        name for name in names if name not in inside
    ]


def held(analysis: Analysis) -> list[str]:
    """Return the facilities of which the book holds a part, the largest expected loss first.

    All of them if the run does not say what is held.
    """
    risk = analysis.risk
    order = np.argsort(-risk["expected_loss"].values, kind="stable")
    share = risk["held_share"].values
    some = share > 0.0 if np.isfinite(share).any() else np.ones(share.size, dtype=np.bool_)
    return [str(risk["facility"].values[i]) for i in order if some[i]]
