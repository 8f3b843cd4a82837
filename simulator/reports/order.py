"""In which order names stand in figures and tables."""

from __future__ import annotations

import numpy as np

from simulator.analytics.summary import Analysis


def by_risk(analysis: Analysis) -> list[str]:
    """Return the facilities, the largest expected loss first (ties in the order of the run)."""
    risk = analysis.risk
    order = np.argsort(-risk["expected_loss"].values, kind="stable")
    return [str(name) for name in risk["facility"].values[order]]
