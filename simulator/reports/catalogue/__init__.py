"""Which figures a report holds, in order, with captions and words for those who cannot see them."""

from __future__ import annotations

from simulator.analytics.summary import Analysis
from simulator.reports.canvas import Picture
from simulator.reports.catalogue import lenders, months, names, parameters


def pictures(analysis: Analysis) -> dict[str, Picture]:
    """Return every figure that the run has the data for, by name, in the order of the report."""
    drawn = [
        lenders.absorption(analysis) if analysis.has_boxes else None,
        *months.market(analysis),
        *months.portfolio(analysis),
        lenders.exceedance(analysis),
        lenders.facilities(analysis),
        parameters.parameters(analysis),
        names.causes(analysis) if analysis.has_boxes else None,
        *names.equity(analysis),
        *names.names(analysis),
        lenders.convergence(analysis),
    ]
    return {picture.name: picture for picture in drawn if picture is not None}
