"""Uncertain parameters: how they split risk, and what each does."""

from __future__ import annotations

import xarray as xr

from simulator.analytics.frame import labels
from simulator.analytics.summary import Analysis
from simulator.reports.tables.table import Table, reader_of


def split(analysis: Analysis, table: xr.Dataset) -> Table:
    """Variance within and between parameters, with the spread of the expected loss below."""
    read = reader_of(analysis, table)
    low, middle, high = (read.number("expected_loss", probability=p) for p in (0.05, 0.5, 0.95))
    return Table(
        "Variance within and between parameters, (USD m)²",
        ("", "total", "within", "between", "between, of total"),
        [
            [
                f"{quantity}, {whose}",
                *(
                    read.number(f"{part}_variance", quantity=quantity)
                    for part in ("total", "within", "between")
                ),
                read.percent("between_share", quantity=quantity),
            ]
            for quantity, whose in (("lender loss", "book"), ("equity profit", "all boxes"))
        ],
        f"{table.attrs['draws']:,} draws of the parameters, {table.attrs['paths_per_draw']} paths "
        "each. One-way analysis of variance with random effects, errors by the jackknife over "
        "draws; a variance between that is next to nothing may come out below 0. Over parameters "
        f"the book's expected loss has a 5% quantile of USD {low} m, a median of USD {middle} m "
        f"and a 95% quantile of USD {high} m (means of the draws, shrunk to the mean of all by as "
        "much as chance within draws spreads them).",
    )


def effects(analysis: Analysis, table: xr.Dataset) -> Table:
    """List all parameters, the largest effect on the expected loss first."""
    read = reader_of(analysis, table)
    return Table(
        "Uncertain parameters and the book's expected loss",
        ("", "USD m per standard deviation", "rank correlation"),
        [
            [
                name,
                read.number("slope", parameter=name),
                read.number("rank_correlation", parameter=name),
            ]
            for name in labels(table, "parameter")
        ],
        "First column: by how much the expected loss rises if the parameter is one standard "
        "deviation higher. Second: between the parameter and mean losses of the draws, which "
        "chance within draws blurs. Parameters drawn together show one effect twice.",
    )
