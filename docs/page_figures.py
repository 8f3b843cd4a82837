"""Figures of docs/drivers that no study's run draws by itself; used by make_pages.py."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.axes import Axes

import simulator
from simulator.analytics.market import market_fans
from simulator.config.parameters import parameter_table
from simulator.config.study import load_study
from simulator.drivers.shocks import effective_correlations
from simulator.reports.canvas import Picture
from simulator.reports.catalogue.market import Panels, picture
from simulator.reports.figures.axis import percent_axis
from simulator.reports.figures.paths import shares_of_paths
from simulator.reports.style import BLUES, INK, MEDIAN, line_style

GPU: Final = "H100"
BEFORE, AFTER = -6, 36  # months around an event


def correlation_picture(study: Path) -> Picture:
    """Return the correlations of monthly shocks: as given, and as used."""
    inputs = load_study(study).inputs
    given = np.array(inputs.correlations)
    stressed = any(name.beta > 0.0 for name in inputs.book.names)
    used = effective_correlations(
        given, inputs.parameters["cp.rho_macro"], inputs.switches["structural_link"], stressed
    )
    names = (
        "spread",
        "AI credit",
        "demand",
        "price",
        "memory",
        "supply",
        "efficiency",
        "power",
        "rates",
    )

    def matrix(axes: Axes, values: np.ndarray, title: str) -> Axes:
        axes.imshow(values, cmap="PuOr_r", vmin=-1.0, vmax=1.0)
        for i in range(len(names)):
            for j in range(len(names)):
                text = f"{values[i, j]:.2f}".replace("0.", ".") if i != j else "1"
                colour = "white" if abs(values[i, j]) > 0.6 else INK
                axes.text(j, i, text, ha="center", va="center", fontsize=7.5, color=colour)
        axes.set_xticks(range(len(names)), names, rotation=45, ha="right")
        axes.set_yticks(range(len(names)), names)
        axes.grid(visible=False)
        axes.set_title(title)
        return axes

    return Picture(
        "correlations",
        "Correlations of monthly shocks.",
        "Two correlation matrices of the nine monthly shocks: as given and as used.",
        [
            lambda axes: matrix(axes, given, "As given (correlations.csv)"),
            lambda axes: matrix(axes, used, "As used: what equations carry is taken out"),
        ],
        columns=2,
        width=5.2,
        height=4.7,
        left=0.85,
        bottom=0.85,
    )


def resale_picture() -> Picture:
    """Return the resale curve by age: low, base and stress."""
    table = parameter_table()

    def curve(axes: Axes) -> Axes:
        for i, column in enumerate(("low", "base", "stress")):
            shares = [1.0, *(table[f"gpu.resale_curve.y{y}"].value(column) for y in range(1, 7))]
            axes.plot(range(7), shares, marker="o", markersize=4, label=column, **line_style(i))
        axes.set_xlim(0, 6)
        axes.set_ylim(0.0, 1.02)
        percent_axis(axes)
        axes.set_xlabel("age, years since acceptance")
        axes.set_ylabel("share of the server's price when new")
        axes.legend()
        axes.set_title("Resale curve in an unchanged market")
        return axes

    return Picture(
        "resale_curve",
        "Resale curve by age: low, base and stress.",
        "Three falling lines: resale value by age.",
        [curve],
        width=5.2,
        height=2.9,
    )


def currency_picture(study: Path, paths: int, seed: int) -> Picture:
    """Return the fan of an exchange rate: the book with one contract moved to euros."""
    contract = load_study(study).inputs.book.contracts[0].id
    euros = {f"contracts.{contract}.currency": "EUR"}
    market = simulator.simulate_market(study, paths, seed, euros)
    at = Panels(market, market_fans(market))
    title = "Exchange rate against the dollar, t0 = 1"
    return picture("currencies", title, at.pair("exchange_rate", title))


def easing_picture(study: Path, paths: int, seed: int) -> Picture:
    """Return how often easing is under way, and what an event does to the price of an H100.

    The same paths are simulated with and without the driver: no other draw moves, so the ratio of
    the two prices is what the event has done.
    """
    off, on = (
        simulator.simulate_market(study, paths, seed, {"drivers.easing": easing})
        for easing in (False, True)
    )
    ratio = (on["rental_price_contract"] / off["rental_price_contract"]).sel(generation=GPU)
    under_way = on["easing"].values > 0.0
    first = np.argmax(under_way, axis=1)
    since = np.arange(BEFORE, AFTER + 1)
    events = np.flatnonzero((first >= -BEFORE) & (first + AFTER < under_way.shape[1]))
    if not events.size:
        raise ValueError(f"no easing event on {paths} paths: simulate more")
    effect = ratio.values[events[:, None], first[events][:, None] + since]
    low, middle, high = np.quantile(effect, (0.05, 0.5, 0.95), axis=0)
    fans = market_fans(on)

    def prices(axes: Axes) -> Axes:
        axes.fill_between(since, low, high, color=BLUES[1], linewidth=0, label="5% to 95%")
        axes.plot(since, middle, color=MEDIAN, label="median")
        axes.axhline(1.0, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
        axes.set_xlim(BEFORE, AFTER)
        axes.set_ylim(bottom=0.0)
        axes.set_xlabel("months since the event")
        axes.set_ylabel("with easing over without")
        axes.legend(loc="lower left", ncols=2)
        axes.set_title(f"H100 contract price, {len(events):,} paths with an event")
        return axes

    return Picture(
        "easing",
        "Easing: how often it is under way, and what an event does to the H100 contract price.",
        "Share of paths in which all constraints ease; ratio of the H100 price with to without.",
        [
            lambda axes: shares_of_paths(
                fans, axes, "easing", ("yes",), title="Paths in which all constraints ease"
            ),
            prices,
        ],
        columns=2,
        width=5.2,
        height=2.8,
    )
