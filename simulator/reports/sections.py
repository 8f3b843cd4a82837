"""The chapters of the report, in the order in which a credit committee reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import xarray as xr

from simulator.analytics.frame import labels
from simulator.analytics.summary import Analysis
from simulator.reports import assumptions
from simulator.reports.canvas import Picture
from simulator.reports.catalogue.months import KINDS, MARKET, PORTFOLIO
from simulator.reports.catalogue.sizes import MOST_PANELS
from simulator.reports.limits import LIMITS, POOL_LIMITS
from simulator.reports.tables import causes, lenders, notes, overlays, owners, parameters, tail
from simulator.reports.tables.fans import fan_table
from simulator.reports.tables.table import Table


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


def sections(analysis: Analysis, drawn: Mapping[str, Picture]) -> list[Section]:
    """Lay the report out in the order in which a credit committee reads."""
    run = analysis.run
    chapters = [
        Section(
            "who",
            "Who loses what",
            "Lenders and equity on the same paths: equity stands first in line.",
            images=_images(drawn, "absorption"),
            tables=(lenders.holders(analysis),) if analysis.has_boxes else (),
        ),
        Section(
            "facilities",
            "Facilities",
            "Risk of the lenders, loan by loan. Every number comes with its standard error.",
            tables=(lenders.facilities(analysis), lenders.defaults(analysis)),
        ),
        Section(
            "market-paths",
            "Market",
            "What the simulated markets do, month by month.",
            images=_images(drawn, "rental_price_contract", "hall_rent", "market"),
            tables=_market_tables(run),
        ),
        Section(
            "book-paths",
            "Book by month",
            "Coverage, debt, losses and distributions."
            if analysis.has_boxes
            else "What is owed, and what has been lost.",
            images=_images(drawn, "portfolio"),
            tables=_fan_tables(run, [(key, title) for key, title, _, _ in PORTFOLIO]),
        ),
        Section(
            "tail",
            "Loss distribution",
            "How large losses can be, and which facilities they come from.",
            images=_images(drawn, "exceedance", "facilities"),
            tables=(
                tail.tails(analysis),
                tail.contributions(analysis),
                tail.worst(analysis),
            ),
        ),
        *_notes(analysis),
        *_uncertainty(analysis, drawn),
        *_why(analysis, drawn),
        Section(
            "returns",
            "Equity of the boxes",
            "What owners of the boxes stand to get back and how often they lose everything.",
            images=_images(drawn, "equity"),
            tables=tuple(owners.equity(analysis)),
        ),
        Section(
            "sponsors",
            "Sponsors and counterparties",
            "When they default, and how far the sponsors' owners are diluted.",
            images=_images(drawn, "names"),
            tables=(
                owners.sponsors(analysis),
                causes.by_year(
                    analysis,
                    analysis.counterparty_defaults,
                    "Cumulative probability of default by counterparty",
                ),
            ),
            folded=(owners.sponsor_profit(analysis),),
        ),
        Section(
            "enough",
            "Convergence",
            "A running estimate that leaves its own band asks for more paths.",
            images=_images(drawn, "convergence"),
            tables=(tail.convergence(analysis), tail.sampling(analysis)),
        ),
        Section(
            "assumptions",
            "Assumptions and sources",
            "What the run was told, what was filled in by rule, and what was assumed.",
            tables=(),
            folded=tuple(assumptions.assumption_tables(run)),
            text=assumptions.study_text(run),
        ),
        Section(
            "limits",
            "Limits",
            "Before leaning on the numbers.",
            points=LIMITS if analysis.has_boxes else POOL_LIMITS,
        ),
        Section(
            "provenance",
            "Provenance",
            "The same study, seed and versions give the same bytes on any number of workers.",
            tables=(assumptions.provenance_table(run),),
        ),
    ]
    return [one for one in map(filled, chapters) if one is not None]


def filled(section: Section) -> Section | None:
    """Return a chapter without its empty tables, None if nothing is left of it."""
    tables, folded = (
        tuple(table for table in some if table.rows) for some in (section.tables, section.folded)
    )
    kept = replace(section, tables=tables, folded=folded)
    return kept if kept.images or tables or folded or kept.points or kept.text else None


def _notes(analysis: Analysis) -> tuple[Section, ...]:
    """Return the chapters on notes and overlays, if there are any."""
    found = []
    if analysis.notes is not None:
        lead = "What the holders of notes and tranches lose, and how bad it can get."
        tables = notes.notes(analysis, analysis.notes)
        found.append(Section("notes", "Notes", lead, tables=tables))
    if analysis.overlays is not None:
        lead = "What insurance and floors pay on the same paths, and what is left to the lenders."
        tables = overlays.overlays(analysis, analysis.overlays)
        found.append(Section("overlays", "Overlays", lead, tables=tables))
    return tuple(found)


def _why(analysis: Analysis, drawn: Mapping[str, Picture]) -> tuple[Section, ...]:
    """Return the chapter on causes of default; a credit-only run tells none."""
    if not analysis.has_boxes:
        return ()
    return (
        Section(
            "why",
            "Causes of default",
            "The cause is what took most contracted revenue in the month of default; the event is "
            "the clause that was broken first.",
            images=_images(drawn, "causes"),
            tables=(
                causes.causes(analysis),
                causes.triggers(analysis),
                causes.by_year(
                    analysis,
                    analysis.breaches,
                    "Cumulative probability of a first covenant breach by box",
                ),
            ),
        ),
    )


def _uncertainty(analysis: Analysis, drawn: Mapping[str, Picture]) -> tuple[Section, ...]:
    """Return the chapter on uncertain parameters, if there are any."""
    if analysis.uncertainty is None:
        return ()
    return (
        Section(
            "uncertainty",
            "Within and between parameters",
            "How much of risk is the world's, and how much comes from not knowing the parameters. "
            "Paths that share a draw of them are not independent: standard errors of this report "
            "are taken over draws, those of quantiles by month too.",
            images=_images(drawn, "parameters"),
            tables=(parameters.split(analysis, analysis.uncertainty),),
            folded=(parameters.effects(analysis, analysis.uncertainty),),
        ),
    )


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
        fan_table(
            run,
            [(f"rental_price_{kind}", name, {"generation": name}) for name in generations],
            f"Rental price, {terms}",
        )
        for kind, terms in KINDS
        if f"fan_rental_price_{kind}" in run and generations
    ]
    if "fan_hall_rent" in run:
        rents = [("hall_rent", name, {"hall": name}) for name in labels(run, "hall")]
        prices.append(fan_table(run, rents[:MOST_PANELS], "Rent of data-centre halls"))
    return (*prices, *_fan_tables(run, [(key, title) for key, title, _ in MARKET]))


def _fan_tables(run: xr.Dataset, series: Iterable[tuple[str, str]]) -> tuple[Table, ...]:
    """Return the table of those of the named fans that the run has."""
    held: list[tuple[str, str, dict[str, str]]] = [
        (key, title, {}) for key, title in series if f"fan_{key}" in run
    ]
    return (fan_table(run, held),) if held else ()
