"""Figures by name: causes of default, equity of boxes, sponsors and counterparties."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from simulator.analytics.estimate import format_estimate, format_probability
from simulator.analytics.frame import draws_of, estimate_at, labels
from simulator.analytics.summary import Analysis
from simulator.reports.canvas import Picture
from simulator.reports.catalogue.sizes import MOST_BARS, MOST_LINES, bar_height, bar_margin, money
from simulator.reports.figures import defaults
from simulator.reports.figures import equity as spreads
from simulator.reports.figures.axis import words
from simulator.reports.order import by_risk


def causes(analysis: Analysis) -> Picture:
    """Probability of default and loss by cause."""
    names = by_risk(analysis)[:MOST_BARS]
    table = analysis.causes
    worst = str(table["cause"].values[int(np.argmax(table["book_expected_loss"].values))])
    return Picture(
        "causes",
        "Why facilities default: what took most contracted revenue in the month of default. "
        "Lines are ± 2 standard errors; those on the left stand in the table.",
        "Stacked bars of the probability of default by cause and facility. Costliest cause for "
        f"the book: {words(worst)}, {money(table, 'book_expected_loss', cause=worst)}.",
        [
            partial(
                defaults.cause_bars,
                table,
                facilities=names,
                title="Probability of default by cause",
            ),
            partial(defaults.cause_losses, table, title="Expected loss of the book by cause"),
        ],
        columns=2,
        width=5.2,
        height=max(3.2, bar_height(len(names))),
        left=bar_margin([*names, *map(str, table["cause"].values)]),
        shared_legend=True,
    )


def equity(analysis: Analysis) -> Iterable[Picture | None]:
    """Money multiples and internal rates of return of boxes."""
    boxes = labels(analysis.equity, "box")[:MOST_BARS]
    if not boxes:
        return
    medians = [
        estimate_at(analysis.equity, "moic", box=name, probability=0.5)
        for name in boxes[:MOST_LINES]
    ]
    middle = ", ".join(
        f"{name} {format_estimate(*one)}" for name, one in zip(boxes, medians, strict=False)
    )
    yield Picture(
        "equity",
        "What box equity gets back, and how likely it is to lose. Dashed: money back. Errors of "
        "the quantiles stand in the table.",
        f"Ranges of money multiples by box, and probabilities of loss. Median multiples: {middle}.",
        [
            partial(
                spreads.spread,
                analysis.equity,
                variable="moic",
                entity="box",
                names=boxes,
                title="Money multiple",
                label="times contributions",
                reference=1.0,
            ),
            partial(
                spreads.chances,
                analysis.equity,
                entity="box",
                names=boxes,
                title="Probability of loss and of wipe-out",
            ),
        ],
        columns=2,
        width=5.2,
        height=bar_height(len(boxes)),
        left=bar_margin(boxes),
    )


def names(analysis: Analysis) -> Iterable[Picture | None]:
    """Sponsors and counterparties: when they default."""
    panels, said = [], []
    for table, entity, title in (
        (analysis.sponsor_defaults, "sponsor", "Sponsors"),
        (analysis.counterparty_defaults, "counterparty", "Counterparties"),
    ):
        last = table["default_probability"].isel(year=-1)
        final = last.values
        order = np.argsort(-final, kind="stable")[:MOST_LINES]
        names = [str(name) for name in table[entity].values[order]]
        if not names:
            continue
        panels.append(
            partial(defaults.default_curves, table, entity=entity, names=names, title=title)
        )
        first = estimate_at(
            table, "default_probability", **{entity: names[0], "year": last["year"].values}
        )
        said.append(f"{names[0]} {format_probability(*first, draws_of(analysis.run))}")
    if panels:
        yield Picture(
            "names",
            "Cumulative probability of default; bands are ± 2 standard errors. Of many names the "
            "six likeliest to default are drawn, the table has all.",
            f"Curves of cumulative default probability, highest at the horizon: {', '.join(said)}.",
            panels,
            columns=2,
            width=5.2,
            height=3.1,
        )
