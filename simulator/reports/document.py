"""The report: one HTML file that holds everything, runs no script and asks nothing of a network."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import xarray as xr
from jinja2 import Environment, PackageLoader, StrictUndefined

from simulator.analytics.frame import labels
from simulator.analytics.rating import RatingScale
from simulator.analytics.summary import Analysis, analyse
from simulator.reports import assumptions, tables
from simulator.reports.canvas import Picture
from simulator.reports.catalogue import KINDS, MARKET, MOST_PANELS, PORTFOLIO, pictures
from simulator.reports.limits import LIMITS
from simulator.reports.tables import Table

TEMPLATE: Final = "report.html.j2"


@dataclass(frozen=True, slots=True)
class Image:
    """A drawn figure as the template takes it."""

    name: str
    uri: str
    alt: str
    caption: str


@dataclass(frozen=True, slots=True)
class Section:
    """A chapter of the report: figures beside their tables."""

    name: str
    title: str
    lead: str
    images: tuple[Image, ...] = ()
    tables: tuple[Table, ...] = ()
    folded: tuple[Table, ...] = ()
    points: tuple[str, ...] = ()
    text: str = ""


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
        "cards": tables.headline_cards(analysis),
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
    return (
        f"{counts}; {run.sizes['month']} months from {run.attrs.get('start', '')}; "
        f"{run.sizes['path']:,} paths, seed {run.attrs.get('seed', '')}"
    )


def sections(analysis: Analysis, drawn: Mapping[str, Picture]) -> list[Section]:
    """Lay the report out in the order in which a credit committee reads."""
    run = analysis.run
    return [
        Section(
            "who",
            "Who loses what",
            "Lenders and equity on the same paths: equity stands first in line.",
            images=_images(drawn, "absorption"),
            tables=(tables.holders(analysis),),
        ),
        Section(
            "facilities",
            "Facilities",
            "Risk of the lenders, loan by loan. Every number comes with its standard error.",
            tables=(tables.facilities(analysis), tables.defaults(analysis)),
        ),
        Section(
            "market-paths",
            "Market",
            "What the simulated markets do, month by month.",
            images=_images(drawn, "rental_price_contract", "rental_price_spot", "market"),
            tables=_market_tables(run),
        ),
        Section(
            "book-paths",
            "Book by month",
            "Coverage, debt, losses and distributions.",
            images=_images(drawn, "portfolio"),
            tables=_fan_tables(run, [(key, title) for key, title, _, _ in PORTFOLIO]),
        ),
        Section(
            "tail",
            "Loss distribution",
            "How large losses can be, and which facilities they come from.",
            images=_images(drawn, "exceedance", "facilities"),
            tables=(
                tables.tails(analysis),
                tables.contributions(analysis),
                tables.worst(analysis),
            ),
        ),
        Section(
            "why",
            "Causes of default",
            "The cause is what took most contracted revenue in the month of default; the event is "
            "the clause that was broken first.",
            images=_images(drawn, "causes"),
            tables=(
                tables.causes(analysis),
                tables.triggers(analysis),
                tables.by_year(
                    analysis,
                    analysis.breaches,
                    "Cumulative probability of a first covenant breach by box",
                ),
            ),
        ),
        Section(
            "returns",
            "Equity of the boxes",
            "What owners of the boxes stand to get back and how often they lose everything.",
            images=_images(drawn, "equity"),
            tables=tuple(tables.equity(analysis)),
        ),
        Section(
            "sponsors",
            "Sponsors and counterparties",
            "When they default, and what that does to the sponsors' owners.",
            images=_images(drawn, "names"),
            tables=(
                tables.sponsors(analysis),
                tables.by_year(
                    analysis,
                    analysis.counterparty_defaults,
                    "Cumulative probability of default by counterparty",
                ),
            ),
        ),
        Section(
            "enough",
            "Convergence",
            "A running estimate that leaves its own band asks for more paths.",
            images=_images(drawn, "convergence"),
            tables=(tables.convergence(analysis),),
        ),
        Section(
            "assumptions",
            "Assumptions and sources",
            "What the run was told, what was filled in by rule, and what was assumed.",
            tables=(),
            folded=tuple(assumptions.assumption_tables(run)),
            text=assumptions.study_text(run),
        ),
        Section("limits", "Limits", "Before leaning on the numbers.", points=LIMITS),
        Section(
            "provenance",
            "Provenance",
            "The same study, seed and versions give the same bytes on any number of workers.",
            tables=(assumptions.provenance_table(run),),
        ),
    ]


def _images(drawn: Mapping[str, Picture], *names: str) -> tuple[Image, ...]:
    """Draw those of the named figures that the run has."""
    return tuple(
        Image(name, drawn[name].data_uri(), drawn[name].alt, drawn[name].caption)
        for name in names
        if name in drawn
    )


def _market_tables(run: xr.Dataset) -> tuple[Table, ...]:
    """Tables of rental prices by generation and of the other market series."""
    generations = labels(run, "generation")[:MOST_PANELS]
    prices = [
        tables.fan_table(
            run,
            [(f"rental_price_{kind}", name, {"generation": name}) for name in generations],
            f"Rental price, {terms}",
        )
        for kind, terms in KINDS
        if f"fan_rental_price_{kind}" in run and generations
    ]
    return (*prices, *_fan_tables(run, [(key, title) for key, title, _ in MARKET]))


def _fan_tables(run: xr.Dataset, series: Iterable[tuple[str, str]]) -> tuple[Table, ...]:
    """Return the table of those of the named fans that the run has."""
    held: list[tuple[str, str, dict[str, str]]] = [
        (key, title, {}) for key, title in series if f"fan_{key}" in run
    ]
    return (tables.fan_table(run, held),) if held else ()
