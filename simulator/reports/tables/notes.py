"""Tables of notes of structures and tranches of pools."""

from __future__ import annotations

import xarray as xr

from simulator.analytics.estimate import format_significant
from simulator.analytics.frame import labels
from simulator.analytics.summary import Analysis
from simulator.reports.tables.table import Table, reader_of


def notes(analysis: Analysis, table: xr.Dataset) -> tuple[Table, ...]:
    """Lay out expected loss and tail of every note, and what structures pay."""
    read = reader_of(analysis, table)
    rows = []
    for name in labels(table, "note"):
        one = read.at(note=name)
        rows.append(
            [
                name,
                format_significant(float(table["size"].sel(note=name)), 6),
                one.chance("loss_probability"),
                one.number("expected_loss"),
                one.percent("expected_loss_share"),
                one.percent("value_at_risk_share", level=0.99),
                one.percent("expected_shortfall_share", level=0.99),
            ]
        )
    risk = Table(
        "Notes and tranches, in the order of the study, money in USD m",
        ("", "size", "P(loss)", "expected loss", "EL %", "VaR 99% %", "ES 99% %"),
        rows,
        "EL, VaR and ES in percent of the size.",
    )
    if "mean_interest" not in table:
        return (risk,)
    paid = [
        [
            name,
            read.number("mean_interest", note=name),
            read.number("mean_principal", note=name),
        ]
        for name in labels(table, "note")
    ]
    paid += [
        [f"{name}, residual", read.number("mean_residual", structure=name), ""]
        for name in labels(table, "structure")
    ]
    return (
        risk,
        Table(
            "What structures pay within the horizon, mean in USD m",
            ("", "interest", "principal"),
            paid,
            "Undiscounted. Notes still outstanding at the horizon count at par in their loss.",
        ),
    )
