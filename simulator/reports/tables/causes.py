"""Why and when: causes, events of default, breaches and defaults by year."""

from __future__ import annotations

import xarray as xr

from simulator.analytics.frame import labels
from simulator.analytics.summary import Analysis
from simulator.reports.figures.axis import words
from simulator.reports.order import by_risk
from simulator.reports.tables.table import Table, reader_of


def causes(analysis: Analysis) -> Table:
    """Probability of default by cause, and what each costs the book."""
    read = reader_of(analysis, analysis.causes)
    codes = [str(code) for code in analysis.causes["cause"].values]
    rows = [
        [name, *(read.chance("default_probability", facility=name, cause=code) for code in codes)]
        for name in by_risk(analysis)
    ]
    rows.append(
        [
            "Book, expected loss (USD m)",
            *(read.number("book_expected_loss", cause=code) for code in codes),
        ]
    )
    return Table(
        "Probability of default by cause; last line: expected loss of the book by cause",
        ("", *map(words, codes)),
        rows,
    )


def triggers(analysis: Analysis) -> Table:
    """Probability of default by event of default."""
    read = reader_of(analysis, analysis.causes)
    codes = [str(code) for code in analysis.causes["trigger"].values]
    return Table(
        "Probability of default by event of default",
        ("", *map(words, codes)),
        [
            [
                name,
                *(read.chance("trigger_probability", facility=name, trigger=c) for c in codes),
            ]
            for name in by_risk(analysis)
        ],
    )


def by_year(analysis: Analysis, table: xr.Dataset, caption: str) -> Table:
    """Lay out a cumulative probability by year."""
    read = reader_of(analysis, table)
    name = next(str(key) for key in table if not str(key).endswith("_se"))
    entity = str(table[name].dims[0])
    years = [int(year) for year in table["year"].values]
    return Table(
        caption,
        ("", *(f"year {year}" for year in years)),
        [
            [label, *(read.chance(name, **{entity: label, "year": year}) for year in years)]
            for label in labels(table, entity)
        ],
    )
