"""Tables of insurance and floors: the book gross and net, and what each overlay pays and costs."""

from __future__ import annotations

import xarray as xr

from simulator.analytics.frame import labels
from simulator.analytics.summary import Analysis
from simulator.reports.tables.table import Table, level_name, reader_of


def overlays(analysis: Analysis, table: xr.Dataset) -> tuple[Table, Table]:
    """Lay out the book gross and net, then the overlays."""
    read = reader_of(analysis, table)
    book = [
        [
            str(basis),
            *(
                read.at(basis=basis).number(name)
                for name in ("expected_loss", "expected_shortfall")
            ),
            read.at(basis=basis).percent("loss_probability"),
        ]
        for basis in table["basis"].values
    ]
    rows = [
        [
            name,
            read.chance("payout_probability", overlay=name),
            read.number("mean_payout", overlay=name),
            read.number("mean_premium", overlay=name),
        ]
        for name in labels(table, "overlay")
    ]
    level = level_name(float(table.attrs["level"]))
    return (
        Table(
            "Loss of the lender's book gross and net of overlays, PV in USD m",
            ("", "expected loss", f"ES {level}", "P(loss)"),
            book,
            "Both stand on the same paths: errors of the difference are paired. Premiums are not "
            "in the net loss.",
        ),
        Table(
            "Overlays, to and from the lender's book, PV in USD m",
            ("", "P(paid)", "mean payout", "mean premium"),
            rows,
        ),
    )
