"""Figures of the lenders' losses."""

from __future__ import annotations

from functools import partial

import numpy as np

from simulator.analytics.summary import Analysis
from simulator.reports.canvas import Picture
from simulator.reports.catalogue.sizes import MOST_BARS, MOST_LINES, bar_height, bar_margin, money
from simulator.reports.figures import losses
from simulator.reports.order import by_risk, held


def absorption(analysis: Analysis) -> Picture:
    """Equity before lenders."""
    worst = analysis.absorption.isel(bucket=-1)
    parts = ", ".join(
        f"{holder} {money(worst, 'mean_loss', holder=holder)}"
        for holder in ("box equity", "lenders")
    )
    return Picture(
        "absorption",
        "Paths are ranked by the combined loss of the book's lenders and of box equity; each bar "
        "is the mean loss of a slice of them; lines are ± 2 standard errors.",
        f"Stacked bars of mean losses by slice of paths. In the worst 1% of paths: {parts}.",
        [partial(losses.absorption, analysis.absorption, title="Mean loss by severity of path")],
        width=10.4,
        height=3.1,
    )


def exceedance(analysis: Analysis) -> Picture:
    """Book and main facilities."""
    table, risk = analysis.exceedance, analysis.risk
    leading = by_risk(analysis)[:MOST_LINES]
    tail = money(risk, "book_expected_shortfall", level=0.99)
    return Picture(
        "exceedance",
        "How likely a larger loss is (log axis). Left the book, right the facilities with the "
        "largest expected losses, each in full. Bands are 95% Wilson intervals, point by point.",
        "Loss exceedance curves of the book and of the main facilities. Mean loss of the book in "
        f"the worst 1% of paths: {tail}.",
        [
            partial(losses.book_exceedance, table, title="Book"),
            partial(losses.facility_exceedance, table, facilities=leading, title="Facilities"),
        ],
        columns=2,
        width=5.2,
        height=3.6,
    )


def facilities(analysis: Analysis) -> Picture:
    """Draw what each facility adds to expected loss and tail."""
    table = analysis.contributions
    part = table.sel(facility=held(analysis))
    order = np.argsort(-part["expected_loss_contribution"].values, kind="stable")[:MOST_BARS]
    names = [str(name) for name in part["facility"].values[order]]
    leading = f"{names[0]} {money(table, 'expected_loss_contribution', facility=names[0])}"
    return Picture(
        "facilities",
        "What each facility adds to the book, at the lender's share; lines are ± 2 standard "
        "errors. Left the bars add up to the expected loss, right to the 99% expected shortfall.",
        f"Bars of contributions to expected loss by facility, largest first: {leading}.",
        [
            partial(
                losses.facility_bars,
                table,
                variable="expected_loss_contribution",
                facilities=names,
                title="Contribution to expected loss",
                label="USD m (PV)",
            ),
            partial(
                losses.facility_bars,
                table.sel(level=0.99),
                variable="shortfall_contribution",
                facilities=names,
                title="Contribution to the 99% expected shortfall",
                label="USD m (PV)",
            ),
        ],
        columns=2,
        width=5.2,
        height=bar_height(len(names)),
        left=bar_margin(names),
    )


def convergence(analysis: Analysis) -> Picture:
    """Draw expected loss, VaR and ES against the number of paths."""
    table = analysis.convergence
    last = table.isel(paths=-1)
    measures: list[tuple[str, dict[str, float], str]] = [
        ("expected_loss", {}, "Expected loss"),
        ("value_at_risk", {"level": 0.99}, "VaR 99%"),
        ("expected_shortfall", {"level": 0.99}, "ES 99%"),
        ("expected_shortfall", {"level": 0.999}, "ES 99.9%"),
    ]
    ends = ", ".join(f"{title} {money(last, name, **at)}" for name, at, title in measures)
    return Picture(
        "convergence",
        "Have enough paths been run? Estimates for the book after the first n paths with ± 2 "
        "standard errors; the dashed line is the final value.",
        f"Running estimates settle at: {ends}.",
        [
            partial(losses.convergence, table.sel(at), variable=name, title=title)
            for name, at, title in measures
        ],
        columns=2,
        width=5.2,
        height=2.8,
    )
