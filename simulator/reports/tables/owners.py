"""Tables of owners: equity of boxes, sponsors."""

from __future__ import annotations

from typing import Final

from simulator.analytics.frame import estimate_at, labels
from simulator.analytics.summary import Analysis
from simulator.reports.tables.table import Table, level_name, reader_of

FEWEST_DEFINED: Final = 0.5
"""Share of paths with a rate of return below which its quantiles are not printed."""


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
        back.append(
            [
                name,
                *(one.number("moic", probability=p) for p in points),
                one.chance("moic_undefined_share"),
            ]
        )
        defined = estimate_at(analysis.equity, "irr_defined_share", box=name).value
        rate.append(
            [
                name,
                *(
                    one.percent("irr", probability=p) if defined >= FEWEST_DEFINED else "n/a"
                    for p in points
                ),
                one.chance("irr_defined_share"),
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
        Table(
            "Box equity: money multiple, quantiles over the paths on which it exists",
            ("", *heads, "undefined"),
            back,
            "Undefined: nothing was paid in. Those paths are in no quantile.",
        ),
        Table(
            "Box equity: internal rate of return, quantiles over the paths on which it exists",
            ("", *heads, "defined", "no rate", "several rates"),
            rate,
            "Paths on which no rate brings the flows to zero (such as those on which nothing comes "
            "back) and paths on which several do are in no quantile: where these are many, read "
            "the multiples instead. Quantiles are n/a where a rate is defined on less than half of "
            "the paths.",
        ),
    ]


def sponsors(analysis: Analysis) -> Table:
    """Sponsors: default and dilution."""
    read = reader_of(analysis, analysis.sponsors)
    rows = [
        [
            name,
            read.chance("default_probability", sponsor=name),
            read.chance("dilution_probability", sponsor=name),
            read.percent("mean_dilution", sponsor=name),
        ]
        for name in labels(analysis.sponsors, "sponsor")
    ]
    return Table(
        "Sponsors: default and dilution",
        ("", "PD", "P(diluted)", "mean share given up"),
        rows,
    )


def sponsor_profit(analysis: Analysis) -> Table:
    """Profit of the sponsors' opening owners, which is degenerate where debt exceeds value."""
    read = reader_of(analysis, analysis.sponsors)
    rows = [
        [
            name,
            read.number("mean_pnl", sponsor=name),
            *(read.number("pnl", sponsor=name, probability=p) for p in (0.05, 0.5, 0.95)),
        ]
        for name in labels(analysis.sponsors, "sponsor")
    ]
    return Table(
        "Sponsors: profit of their opening owners within the tape (PV, USD m)",
        ("", "mean profit", "profit 5%", "50%", "95%"),
        rows,
        "Closing less opening value, each max(0, cash + equity of the boxes - debt of the HoldCo). "
        "For a HoldCo that owes more than its cash and boxes are worth at the start both are 0 on "
        "most paths, and so is the profit: it says nothing about such owners. Cash is discounted "
        "at the hurdle rate and earns nothing, so a HoldCo that holds cash shows a loss for that "
        "alone. The profit contains that of the boxes: never add the two.",
    )
