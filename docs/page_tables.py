"""Tables of the pages of docs/drivers, as Markdown: parameters, and what simulations say.

Used by make_pages.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import xarray as xr

import simulator
from simulator.analytics.estimate import Estimate, format_estimate
from simulator.analytics.frame import labels
from simulator.config.parameters import Parameter, parameter_table
from simulator.config.study import load_study
from simulator.dataset.order_statistics import LEVELS, quantiles_at
from simulator.drivers.shocks import effective_correlations
from simulator.reports.tables.market import POINTS, quantile_rows

GPU: Final = "H100"
YEARS: Final = (12, 24, 36, 48, 60, 72)
FACTORS: Final = {
    "Z": "credit cycle",
    "C": "AI credit",
    "D": "demand",
    "P": "rental price",
    "M": "memory",
    "S": "supply chain",
    "E": "efficiency",
    "W": "power",
    "R": "rates",
}


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """Return a table; its first columns hold words, the others numbers."""
    line = ["---" if place < words else "---:" for place in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, line, *rows))


def chosen(prefixes: Sequence[str]) -> list[Parameter]:
    """Return the parameters whose ids begin with one of some parts, those that the model reads."""
    found = [
        one
        for one in parameter_table().values()
        if one.read and any(f"{one.id}.".startswith(f"{prefix}.") for prefix in prefixes)
    ]
    unused = [p for p in prefixes if not any(f"{one.id}.".startswith(f"{p}.") for one in found)]
    if unused:
        raise ValueError(f"no parameter begins with {', '.join(unused)}")
    return found


def parameters(*prefixes: str) -> str:
    """Return the rows of parameters.csv whose ids begin with one of some parts."""
    rows = [
        (
            f"`{one.id}`",
            one.description.replace("|", "/"),
            one.unit,
            *(f"{value:g}" for value in (one.low, one.base, one.stress)),
            one.basis,
            one.source.replace("|", "/"),
        )
        for one in chosen(prefixes)
    ]
    head = ("parameter", "what", "unit", "low", "base", "stress", "basis", "source")
    lines = markdown(head, rows).splitlines()
    return "\n".join([lines[0], "|---|---|---|---:|---:|---:|---|---|", *lines[2:]])


def quantiles(fans: xr.Dataset, *names: str) -> str:
    """Return the 5%, 50% and 95% points of variables after one to five years."""
    rows: list[Sequence[str]] = []
    for name in names:
        where = {"generation": GPU} if "generation" in fans[f"fan_{name}"].dims else {}
        rows += quantile_rows(fans, name, where, POINTS)
    dates = [str(fans["date"].sel(month=m).values.astype("datetime64[M]")) for m in POINTS]
    head = ("", "", *(f"month {m} ({date})" for m, date in zip(POINTS, dates, strict=True)))
    return markdown(head, rows)


def hall_rents(fans: xr.Dataset) -> str:
    """Return the 5%, 50% and 95% points of rents and values of halls after one to five years."""
    rows: list[Sequence[str]] = []
    for hall in labels(fans, "hall"):
        for name in ("hall_rent", "hall_value_factor"):
            rows += quantile_rows(fans, name, {"hall": hall}, POINTS)
    dates = [str(fans["date"].sel(month=m).values.astype("datetime64[M]")) for m in POINTS]
    head = ("", "", *(f"month {m} ({date})" for m, date in zip(POINTS, dates, strict=True)))
    return markdown(head, rows)


def hall_widths(market: xr.Dataset) -> str:
    """Return how far the log rent of a hall and the log price of a GPU spread, and move together.

    A hall's own log rent is what is left when its share of the market for compute is taken out.
    """
    hall = labels(market, "hall")[0]
    share = parameter_table()["hall.beta"].base
    rows = []
    for month in YEARS:
        at = market.sel(month=month)
        rent = np.log(at["hall_rent"].sel(hall=hall).values.astype(float))
        price = np.log(at["rental_price_contract"].sel(generation=GPU).values.astype(float))
        own = rent - share * at["price_deviation"].values.astype(float)
        together = np.corrcoef(rent, price)[0, 1]
        spreads = (f"{np.std(values):.2f}" for values in (price, rent, own))
        rows.append((f"month {month}", *spreads, f"{together:.2f}"))
    head = ("sd of the log", f"price of an {GPU}", "rent of a hall", "of it its own", "correlation")
    return markdown(head, rows)


def power_certainty() -> str:
    """Return what becomes of a site by its power and the scale of its sponsor, at base values."""
    p = {name: one.base for name, one in parameter_table().items()}
    rows = []
    for power in ("contracted", "applied_for"):
        hoped = power == "applied_for"
        for scale in ("large", "medium", "small"):
            often = p[f"hold.scale_p.{scale}"]
            late = min(1.0, p["del.p"] * often * (p["del.applied_p"] if hoped else 1.0))
            months = p["del.size"] * (p["del.applied_size"] if hoped else 1.0)
            kill = min(1.0, p["del.kill"] * often * (p["del.applied_kill"] if hoped else 1.0))
            rows.append((power, scale, f"{late:.1%}", f"{months:g} months", f"{late * kill:.1%}"))
    return markdown(("power", "sponsor", "late", "median delay", "cancelled"), rows, words=2)


def contract_price(fans: xr.Dataset) -> str:
    """Return the fan of the one-year contract price of an H100 with its standard errors."""
    fan, error = (
        fans[f"fan_rental_price_contract{part}"].sel(generation=GPU) for part in ("", "_se")
    )
    means = [
        fans[f"fan_rental_price_contract_mean{part}"].sel(generation=GPU) for part in ("", "_se")
    ]
    levels = (0.05, 0.25, 0.5, 0.75, 0.95)
    rows = []
    for month in YEARS:
        date = str(fans["date"].sel(month=month).values.astype("datetime64[M]"))
        cells = [
            format_estimate(*(float(one.sel(quantile=level, month=month)) for one in (fan, error)))
            for level in levels
        ]
        mean = format_estimate(*(float(one.sel(month=month)) for one in means))
        rows.append((f"{month} ({date})", *cells, mean))
    return markdown(("month", *(f"{level:.0%}" for level in levels), "mean"), rows)


WIDTHS: Final[dict[str, tuple[str, ...]]] = {
    "all drivers on": (),
    "without noise of prices (`price_noise`, `generations`)": ("price_noise", "generations"),
    "without surprises of demand (`demand`)": ("demand",),
    "without surprises of supply (`supply`)": ("supply",),
    "without memory cycle (`memory`)": ("memory",),
    "without breakthroughs (`efficiency`)": ("efficiency",),
}
"""Drivers that are switched off, to see what they add to the width of the fan."""


def widths(study: Path, paths: int, seed: int) -> str:
    """Return the 5%, 50% and 95% points of the H100 contract price with drivers switched off."""
    rows = []
    for name, off in WIDTHS.items():
        market = simulator.simulate_market(
            study, paths, seed, {f"drivers.{one}": False for one in off}
        )
        prices = market["rental_price_contract"].sel(generation=GPU)
        cells = []
        for month in (12, 36):
            values = np.sort(prices.sel(month=month).values)
            points = quantiles_at(lambda rank, values=values: values[rank - 1], len(values))
            found = dict(zip(LEVELS, zip(*points, strict=True), strict=True))
            cells += [format_estimate(*found[level]) for level in (0.05, 0.5, 0.95)]
            cells.append(f"{np.std(np.log(values)):.2f}")
        rows.append((name, *cells))
    parts = ("5%", "50%", "95%", "sd of log")
    head = ("", *(f"month {month}, {part}" for month in (12, 36) for part in parts))
    return markdown(head, rows)


def spot_volatility(market: xr.Dataset) -> str:
    """Return the yearly volatility of the simulated spot price over its first months."""
    spot = np.log(market["rental_price_spot"].sel(generation=GPU).values.astype(np.float64))
    rows = []
    for months in (1, 3, 6, 12):
        change = spot[:, months] - spot[:, 0]
        sd = float(np.std(change, ddof=1)) / np.sqrt(months / 12.0)
        error = sd / np.sqrt(2.0 * (len(change) - 1.0))
        rows.append((str(months), format_estimate(sd, error, percent=True)))
    return markdown(("months from t0", "yearly volatility of the simulated H100 spot price"), rows)


def term_structure(fans: xr.Dataset) -> str:
    """Return what three years cost in the model's mean and median, over the one-year price."""
    months = (0, 12, 24)
    base = parameter_table()
    asked = base["gpu.term_disc.3y"].base / base["gpu.term_disc.1y"].base
    rows = []
    for name, series in (
        ("mean", fans["fan_rental_price_contract_mean"].sel(generation=GPU)),
        ("median", fans["fan_rental_price_contract"].sel(generation=GPU, quantile=0.5)),
    ):
        found = [float(series.sel(month=month)) for month in months]
        rows.append(
            (
                f"three one-year contracts in a row, {name} of paths",
                f"{np.mean(found) / found[0]:.2f}",
            )
        )
    rows.append(
        ("a three-year contract, `gpu.term_disc` (public cloud price lists)", f"{asked:.2f}")
    )
    return markdown(("", "over the one-year price at t0"), rows)


def correlations(study: Path) -> str:
    """Return the matrix of the study and the one that is used, where they differ."""
    inputs = load_study(study).inputs
    given = np.array(inputs.correlations)
    stressed = any(name.beta > 0.0 for name in inputs.book.names)
    used = effective_correlations(
        given, inputs.parameters["cp.rho_macro"], inputs.switches["structural_link"], stressed
    )
    names = list(FACTORS)
    rows = []
    for i, (letter, words) in enumerate(FACTORS.items()):
        cells = [
            ""
            if j > i
            else f"{used[i, j]:.2f}"
            if used[i, j] == given[i, j]
            else f"{used[i, j]:.2f} ({given[i, j]:.2f})"
            for j in range(len(names))
        ]
        rows.append((f"{letter} {words}", *cells))
    return markdown(("", *names), rows)


PAIRS: Final = {
    "demand": "demand_index",
    "capacity": "capacity_index",
    "H100 contract price": "rental_price_contract",
    "memory cost": "memory_cost_factor",
    "high-yield spread": "high_yield_spread",
    "power price": "power_price",
}


def yearly_correlations(market: xr.Dataset, months: int = 12) -> str:
    """Return rank correlations over paths of log changes over the second year."""
    changes = []
    for name in PAIRS.values():
        variable = market[name]
        if "generation" in variable.dims:
            variable = variable.sel(generation=GPU)
        logs = np.log(variable.sel(month=[months, 2 * months]).values.astype(np.float64))
        changes.append(np.argsort(np.argsort(logs[:, 1] - logs[:, 0])))
    found = np.corrcoef(changes)
    error = (1.0 - found**2) / np.sqrt(market.sizes["path"])
    names = list(PAIRS)
    rows = [
        (
            name,
            *(
                "" if j >= i else format_estimate(*Estimate(found[i, j], error[i, j]))
                for j in range(len(names) - 1)
            ),
        )
        for i, name in enumerate(names)
        if i > 0
    ]
    return markdown(("", *names[:-1]), rows)


def shares(fans: xr.Dataset, series: str, state: str, months: Sequence[int]) -> str:
    """Return the share of paths in a state of a code at some months."""
    where: Mapping[str, Any] = {f"{series}_state": state}
    share, error = (fans[f"share_{series}{part}"].sel(where) for part in ("", "_se"))
    cells = [
        format_estimate(float(share.sel(month=m)), float(error.sel(month=m)), percent=True)
        for m in months
    ]
    return markdown(
        ("", *(f"month {month}" for month in months)),
        [(f"{series.replace('_', ' ')}: {state}", *cells)],
    )
