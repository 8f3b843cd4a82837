"""Figure of uncertain parameters."""

from __future__ import annotations

from functools import partial

from simulator.analytics.estimate import format_estimate
from simulator.analytics.frame import estimate_at, labels
from simulator.analytics.summary import Analysis
from simulator.reports.canvas import Picture
from simulator.reports.catalogue.sizes import MOST_BARS, bar_height, bar_margin, money
from simulator.reports.figures.parameters import effect_bars


def parameters(analysis: Analysis) -> Picture | None:
    """Draw what each uncertain parameter does to expected loss; None if all are certain."""
    table = analysis.uncertainty
    if table is None or not labels(table, "parameter"):
        return None
    names = labels(table, "parameter")[:MOST_BARS]
    share = estimate_at(table, "between_share", quantity="lender loss")
    return Picture(
        "parameters",
        "Which parameters the expected loss of the book hangs on, the largest effect first; lines "
        "are ± 2 standard errors. Left per standard deviation of the parameter, right by rank.",
        "Bars of the effect of uncertain parameters on the expected loss of the book. "
        f"{format_estimate(*share, percent=True)} of the variance of losses lies between "
        f"parameters; the largest effect is that of {names[0]}, "
        f"{money(table, 'slope', parameter=names[0])} per standard deviation.",
        [
            partial(
                effect_bars,
                table,
                variable="slope",
                parameters=names,
                title="Effect on expected loss",
                label="USD m (PV) per standard deviation",
            ),
            partial(
                effect_bars,
                table,
                variable="rank_correlation",
                parameters=names,
                title="Rank correlation with mean losses",
                label="",
            ),
        ],
        columns=2,
        width=5.2,
        height=bar_height(len(names)),
        left=bar_margin(names),
    )
