"""Tables of a report: numbers of analytics as text, cut to their standard errors."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import xarray as xr

from simulator.analytics.estimate import (
    decimals_of,
    format_estimate,
    format_number,
    format_probability,
    format_significant,
)
from simulator.analytics.frame import estimate_at, labels
from simulator.analytics.summary import Analysis
from simulator.reports.catalogue import by_risk
from simulator.reports.figures.axis import PERCENT, UNITS
from simulator.reports.figures.defaults import words

FEW: Final = 20
FEW_NOTE: Final = (
    f"† fewer than {FEW} paths lie beyond this level: read it as a rough indication and run more."
)


@dataclass(frozen=True, slots=True)
class Table:
    """A table of text.

    Parameters
    ----------
    caption : str
        What it holds, with units.
    columns : sequence of str
        Headings.
    rows : sequence of sequence of str
        Cells.
    note : str
        Said below it.
    words : int
        How many columns from the left hold words; the others hold numbers and align right.
    strong : int
        How many rows from the top stand out, as totals do.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""
    words: int = 1
    strong: int = 0


@dataclass(slots=True)
class Reader:
    """Reads estimates of one table of analytics as text.

    Parameters
    ----------
    table : Dataset
        Estimates with ``_se``.
    paths : int
        Number of paths, for bounds where no event was seen.
    selection : dict
        Labels that every reading shares.
    """

    table: xr.Dataset
    paths: int
    selection: dict[str, object] = field(default_factory=dict)

    def at(self, **selection: object) -> Reader:
        """Return a reader of a part of the table."""
        return Reader(self.table, self.paths, {**self.selection, **selection})

    def number(self, name: str, **selection: object) -> str:
        """Read an amount, e.g. in USD m."""
        return format_estimate(*estimate_at(self.table, name, **self.selection, **selection))

    def percent(self, name: str, **selection: object) -> str:
        """Read a share as a percentage."""
        estimate = estimate_at(self.table, name, **self.selection, **selection)
        return format_estimate(*estimate, percent=True)

    def word(self, name: str) -> str:
        """Read a grade or another word."""
        return str(self.table[name].sel(self.selection).values)

    def chance(self, name: str, **selection: object) -> str:
        """Read a probability; where no event was seen, its bound."""
        estimate = estimate_at(self.table, name, **self.selection, **selection)
        return format_probability(*estimate, self.paths)


def _reader(analysis: Analysis, table: xr.Dataset) -> Reader:
    return Reader(table, analysis.run.sizes["path"])


def level_name(level: float) -> str:
    """Return a level in percent.

    >>> level_name(0.995), level_name(0.99)
    ('99.5%', '99%')
    """
    return f"{100 * level:.6g}%"


def headline_cards(analysis: Analysis) -> list[tuple[str, str, str]]:
    """Return label, value and remark of the first numbers a committee asks for."""
    read = _reader(analysis, analysis.risk)
    grade = str(analysis.risk["book_implied_rating"].values)
    spread = str(analysis.risk["book_implied_rating_range"].values)
    shortfall = "book_expected_shortfall"
    return [
        (
            "Expected loss",
            f"USD {read.number('book_expected_loss')} m",
            f"{read.percent('book_expected_loss_share')} of exposure",
        ),
        (
            "Probability of a loss",
            read.chance("book_loss_probability"),
            f"any facility defaults: {read.chance('book_default_probability')}",
        ),
        (
            "Mean of the worst 1% (ES 99%)",
            f"USD {read.number(shortfall, level=0.99)} m",
            f"{read.percent(f'{shortfall}_share', level=0.99)} of exposure; "
            f"{max(1, round(0.01 * read.paths)):,} paths",
        ),
        (
            "Implied rating",
            grade,
            f"± 2 standard errors: {spread}" if spread != grade else "the same within ± 2 SE",
        ),
    ]


def holders(analysis: Analysis) -> Table:
    """Lenders beside equity."""
    read = _reader(analysis, analysis.holders)
    level = level_name(float(analysis.holders.attrs["level"]))
    rows = [
        [
            str(name),
            read.number("money_in", holder=name),
            read.chance("loss_probability", holder=name),
            read.number("expected_loss", holder=name),
            read.percent("expected_loss_share", holder=name),
            read.number("expected_shortfall", holder=name),
        ]
        for name in analysis.holders["holder"].values
    ]
    return Table(
        "Lenders and equity of all facilities and boxes in full, PV in USD m",
        ("", "money in", "P(loss)", "mean loss", "of money in", f"ES {level}"),
        rows,
        "Lenders discount at their loan's coupon, equity at its hurdle rate. The mean loss counts "
        "paths with a gain as no loss.",
    )


def facilities(analysis: Analysis) -> Table:
    """Lay out the headline table."""
    rows = []
    for name, one, pre in _book_and_facilities(analysis):
        rows.append(
            [
                name,
                one.percent(f"{pre}held_share") if not pre else "",
                one.number(f"{pre}exposure"),
                one.chance(f"{pre}default_probability"),
                one.percent(f"{pre}loss_given_default"),
                one.number(f"{pre}expected_loss"),
                one.percent(f"{pre}expected_loss_share"),
                one.percent(f"{pre}value_at_risk_share", level=0.99),
                one.percent(f"{pre}expected_shortfall_share", level=0.99),
                one.word(f"{pre}implied_rating"),
                one.word(f"{pre}implied_rating_range"),
            ]
        )
    return Table(
        "Risk of lenders by facility, money in USD m",
        (
            *("", "held", "lent (PV)", "PD", "LGD", "expected loss", "EL %", "VaR 99% %"),
            *("ES 99% %", "implied rating", "within ± 2 SE"),
        ),
        rows,
        "Facilities in full, the largest expected loss first; the book is what the lender holds "
        "of them. EL, VaR and ES in percent of the amount lent (opening claim and draws, PV). PD "
        "is over the whole horizon, of the book that any facility it holds defaults. LGD is "
        "principal lost over claim at default. Ratings are read off the expected loss on a scale "
        f"of five-year losses: {analysis.risk.attrs['rating_scale']}.",
        strong=1,
    )


def defaults(analysis: Analysis) -> Table:
    """Lay out exposure at default, what stays open, and default by year."""
    years = [int(year) for year in analysis.facility_defaults["year"].values]
    by_year = _reader(analysis, analysis.facility_defaults)
    rows = []
    for name, one, pre in _book_and_facilities(analysis):
        cells = [
            by_year.chance("default_probability", facility=name, year=year) if not pre else ""
            for year in years
        ]
        rows.append(
            [
                name,
                one.number(f"{pre}exposure_at_default"),
                one.chance(f"{pre}loss_probability"),
                one.chance(f"{pre}censored_probability"),
                *cells,
            ]
        )
    return Table(
        "Exposure at default (USD m), probabilities of loss, of debt left at the horizon, and of "
        "default by year",
        ("", "EAD", "P(loss)", "P(open)", *(f"PD year {year}" for year in years)),
        rows,
        "EAD is the mean claim at default. Open: alive with debt at the horizon, counted at par. "
        "PD is cumulative.",
        strong=1,
    )


def _book_and_facilities(analysis: Analysis) -> Iterator[tuple[str, Reader, str]]:
    """Yield the book, then facilities by risk: name, reader, prefix of variables."""
    read = _reader(analysis, analysis.risk)
    yield "Book", read, "book_"
    for name in by_risk(analysis):
        yield name, read.at(facility=name), ""


def tails(analysis: Analysis) -> Table:
    """VaR and ES at all levels."""
    read = _reader(analysis, analysis.risk)
    levels = [float(level) for level in analysis.risk["level"].values]
    thin = [level for level in levels if (1.0 - level) * read.paths < FEW]
    names = [f"{m} {level_name(level)}" for m in ("VaR", "ES") for level in levels]
    columns = [f"{name} †" if name.split()[1] in map(level_name, thin) else name for name in names]
    rows = [
        [
            name,
            *(
                one.number(pre + measure, level=level)
                for measure in ("value_at_risk", "expected_shortfall")
                for level in levels
            ),
        ]
        for name, one, pre in _book_and_facilities(analysis)
    ]
    return Table(
        "Value at risk and expected shortfall, PV in USD m",
        ("", *columns),
        rows,
        "VaR: smallest loss not exceeded with that probability, error from order statistics "
        "(Maritz-Jarrett). ES: mean of the losses beyond, error from the influence function."
        + (f" {FEW_NOTE}" if thin else ""),
        strong=1,
    )


def contributions(analysis: Analysis) -> Table:
    """Lay out who makes up expected loss and tail."""
    table = analysis.contributions.sel(level=0.99)
    names = ("expected_loss_contribution", "shortfall_contribution")
    totals = (
        float(analysis.risk["book_expected_loss"]),
        float(analysis.risk["book_expected_shortfall"].sel(level=0.99)),
    )
    rows = []
    for facility in by_risk(analysis):
        cells = []
        for name, total in zip(names, totals, strict=True):
            part = estimate_at(table, name, facility=facility)
            share = (part.value / total, part.se / total) if total > 0.0 else (math.nan, math.nan)
            cells += [format_estimate(*part), format_estimate(*share, percent=True)]
        rows.append([facility, *cells])
    return Table(
        "What each facility adds to the book at the lender's share, PV in USD m",
        ("", "to expected loss", "of it", "to ES 99%", "of it"),
        rows,
        "Contributions (Euler) add up to the book's expected loss and expected shortfall.",
    )


def causes(analysis: Analysis) -> Table:
    """Probability of default by cause, and what each costs the book."""
    read = _reader(analysis, analysis.causes)
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
    read = _reader(analysis, analysis.causes)
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


def equity(analysis: Analysis) -> list[Table]:
    """Lay out what box equity loses and gets."""
    read = _reader(analysis, analysis.equity)
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
            ("", *heads, "no rate", "several rates"),
            rate,
            "A path without a rate (nothing comes back) or with several is in no quantile: read "
            "the last two columns with the others.",
        ),
    ]


def sponsors(analysis: Analysis) -> Table:
    """Sponsors and their owners."""
    read = _reader(analysis, analysis.sponsors)
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


def by_year(analysis: Analysis, table: xr.Dataset, caption: str) -> Table:
    """Lay out a cumulative probability by year."""
    read = _reader(analysis, table)
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


def worst(analysis: Analysis) -> Table:
    """List the worst paths of the book."""
    rows = [
        [
            str(int(one["path"])),
            str(one["costliest"].values),
            words(str(one["cause"].values)),
            format_significant(float(one["book_lender_loss"]), 4),
            str(int(one["defaults"])),
            str(int(one["first_default_month"])),
            format_significant(float(one["equity_pnl"]), 4),
        ]
        for one in (analysis.worst.isel(rank=i) for i in range(analysis.worst.sizes["rank"]))
    ]
    return Table(
        "The worst paths of the book, by number",
        (
            *("path", "costliest facility", "its cause", "loss, USD m (PV)", "defaults"),
            *("first in month", "profit of all box equity, USD m"),
        ),
        rows,
        "Single paths carry no standard error. The same study and seed give the same path under "
        "the same number.",
        words=3,
    )


def convergence(analysis: Analysis) -> Table:
    """Estimates after an eighth, a quarter, half and all of the paths."""
    table = analysis.convergence
    last = table.sizes["paths"]
    picks = sorted({max(1, round(last * share)) - 1 for share in (0.125, 0.25, 0.5, 1.0)})
    read = _reader(analysis, table)
    sizes = [int(table["paths"].values[i]) for i in picks]
    return Table(
        "Estimates for the book after the first n paths, USD m",
        ("paths", "expected loss", f"ES {level_name(float(table.attrs['level']))}"),
        [
            [
                f"{n:,}",
                read.number("expected_loss", paths=n),
                read.number("expected_shortfall", paths=n),
            ]
            for n in sizes
        ],
    )


def fan_table(
    run: xr.Dataset, series: Iterable[tuple[str, str, dict[str, str]]], subject: str = ""
) -> Table:
    """Median and 5% to 95% range after 1, 3 and 5 years and at the horizon, for several fans.

    Parameters
    ----------
    run : Dataset
        With the fans.
    series : iterable of (str, str, dict)
        Series, what to call it, and its position along an entity dimension.
    subject : str
        Begins the caption.
    """
    last = run.sizes["month"] - 1
    months = sorted({month for month in (11, 35, 59, last) if month <= last})
    dates = [str(run["date"].values[m].astype("datetime64[M]")) for m in months]
    rows = []
    for key, title, where in series:
        fan, error = run[f"fan_{key}"].sel(where), run[f"fan_{key}_se"].sel(where)
        units = str(fan.attrs.get("units", "1"))
        percent = key in PERCENT or units == "1/year"
        unit = ("%" if units == "1" else "% a year") if percent else UNITS.get(units, units)
        cells = []
        for month in months:
            low, middle, high = (
                _point(fan, error, level, month, 100.0 if percent else 1.0)
                for level in (0.05, 0.5, 0.95)
            )
            cells.append(middle if low == "n/a" else f"{middle} ({low} to {high})")
        rows.append([f"{title}, {unit}" if unit else title, *cells])
    return Table(
        f"{subject}{': m' if subject else 'M'}edian (5% to 95%) at the end of the month",
        ("", *dates),
        rows,
        "Digits are cut to the standard error of each quantile.",
    )


def _point(fan: xr.DataArray, error: xr.DataArray, level: float, month: int, scale: float) -> str:
    """Read one quantile with as many digits as its error supports."""
    value = scale * float(fan.sel(quantile=level).isel(month=month))
    se = scale * float(error.sel(quantile=level).isel(month=month))
    if math.isnan(value):
        return "n/a"
    if not math.isfinite(se) or se <= 1e-9 * abs(value):
        return format_significant(value, 3)
    return format_number(value, decimals_of(se))
