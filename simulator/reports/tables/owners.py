"""Tables of owners: equity of boxes, sponsors."""

from __future__ import annotations

from simulator.analytics.frame import labels
from simulator.analytics.summary import Analysis
from simulator.reports.tables.table import Table, level_name, reader_of


def equity(analysis: Analysis) -> list[Table]:
    """Lay out what box equity loses and gets."""
    read = reader_of(analysis, analysis.equity)
    points = [float(p) for p in analysis.equity["probability"].values]
    loss, back, rate = [], [], []
    for name in labels(analysis.equity, "box"):
        one = read.at(box=name)
        loss.append(
            [
                name,
                one.number("mean_contributions"),
                one.chance("wipe_out_probability"),
                one.chance("pnl_loss_probability"),
                one.number("mean_pnl"),
                *(one.number("pnl", probability=p) for p in (0.05, 0.5, 0.95)),
            ]
        )
        back.append([name, *(one.number("moic", probability=p) for p in points)])
        rate.append(
            [
                name,
                *(one.percent("irr", probability=p) for p in points),
                one.chance("irr_none_share"),
                one.chance("irr_several_share"),
            ]
        )
    heads = [level_name(p) for p in points]
    return [
        Table(
            "Box equity: profit after the hurdle rate, PV in USD m",
            (
                *("", "paid in", "P(wiped out)", "P(loss)", "mean profit"),
                *("profit 5%", "50%", "95%"),
            ),
            loss,
            "Wiped out: less than 5% of what was paid in comes back.",
        ),
        Table("Box equity: money multiple, quantiles over paths", ("", *heads), back),
        Table(
            "Box equity: internal rate of return, quantiles over the paths on which it exists",
            ("", *heads, "no rate", "ambiguous"),
            rate,
            "Of the paths without a rate (nothing comes back) and those whose flows change sign "
            "more than once (ambiguous) none is in a quantile: where the last two columns are "
            "large, read the multiples instead.",
        ),
    ]


def sponsors(analysis: Analysis) -> Table:
    """Sponsors and their owners."""
    read = reader_of(analysis, analysis.sponsors)
    rows = [
        [
            name,
            read.chance("default_probability", sponsor=name),
            read.chance("dilution_probability", sponsor=name),
            read.percent("mean_dilution", sponsor=name),
            read.number("mean_pnl", sponsor=name),
            *(read.number("pnl", sponsor=name, probability=p) for p in (0.05, 0.5, 0.95)),
        ]
        for name in labels(analysis.sponsors, "sponsor")
    ]
    return Table(
        "Sponsors: default, dilution, and profit of their opening owners (PV, USD m)",
        (
            *("", "PD", "P(diluted)", "mean share given up", "mean profit"),
            *("profit 5%", "50%", "95%"),
        ),
        rows,
        "The sponsor's profit contains that of its boxes: never add the two.",
    )
