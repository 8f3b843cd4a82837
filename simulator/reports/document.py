"""The report: one HTML file that holds everything, runs no script and asks nothing of a network."""

from __future__ import annotations

from typing import Any, Final

import xarray as xr
from jinja2 import Environment, PackageLoader, StrictUndefined

from simulator.analytics.rating import RatingScale
from simulator.analytics.sampling import sampling_facts
from simulator.analytics.summary import Analysis, analyse
from simulator.reports.catalogue import pictures
from simulator.reports.sections import sections
from simulator.reports.tables.lenders import headline_cards

TEMPLATE: Final = "report.html.j2"


def render_report(dataset: xr.Dataset, scale: RatingScale | None = None) -> str:
    """Analyse a run and write its report.

    Parameters
    ----------
    dataset : Dataset
        A complete run.
    scale : RatingScale, optional
        Scale of implied ratings; the fitted curve unless given.

    Returns
    -------
    str
        HTML; the same text for the same run and Matplotlib.
    """
    return render(analyse(dataset, scale))


def render(analysis: Analysis) -> str:
    """Fill the template with figures and tables of an analysis."""
    environment = Environment(
        loader=PackageLoader("simulator.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(TEMPLATE).render(context(analysis))


def context(analysis: Analysis) -> dict[str, Any]:
    """Return everything the template names."""
    run = analysis.run
    return {
        "title": str(run.attrs.get("title", "")) or "Simulated book",
        "subtitle": _subtitle(run),
        "cards": headline_cards(analysis),
        "sections": sections(analysis, pictures(analysis)),
        "source": str(run.attrs.get("source", "")),
        "digest": str(run.attrs.get("digest", "")),
    }


def _subtitle(run: xr.Dataset) -> str:
    """Return what was simulated, in one line."""
    counts = ", ".join(
        f"{run.sizes[dim]} {word if run.sizes[dim] != 1 else one}"
        for dim, one, word in (
            ("facility", "facility", "facilities"),
            ("box", "box", "boxes"),
            ("sponsor", "sponsor", "sponsors"),
            ("counterparty", "counterparty", "counterparties"),
        )
        if dim in run.sizes
    )
    facts = sampling_facts(run)
    return (
        f"{counts}; {run.sizes['month']} months from {run.attrs.get('start', '')}; "
        f"{run.sizes['path']:,} paths, seed {run.attrs.get('seed', '')}"
        + (f"; {facts}" if facts else "")
    )
