"""The lenders' headline: cards, lenders beside equity, risk and default by facility."""

from __future__ import annotations

from collections.abc import Iterator

from simulator.analytics.summary import Analysis
from simulator.reports.order import by_risk
from simulator.reports.tables.table import Reader, Table, level_name, reader_of


def headline_cards(analysis: Analysis) -> list[tuple[str, str, str]]:
    """Return label, value and remark of the first numbers a committee asks for."""
    read = reader_of(analysis, analysis.risk)
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
            f"rests on {float(analysis.risk['book_tail_paths'].sel(level=0.99)):,.0f} paths",
        ),
        (
            "Implied rating",
            grade,
            f"± 2 standard errors: {spread}" if spread != grade else "the same within ± 2 SE",
        ),
    ]


def holders(analysis: Analysis) -> Table:
    """Lenders beside equity."""
    read = reader_of(analysis, analysis.holders)
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
        "The book's lenders beside the equity of all boxes, PV in USD m",
        ("", "money in", "P(loss)", "mean loss", "of money in", f"ES {level}"),
        rows,
        "Lenders at the share the book holds, discounted at their loan's coupon; equity in full, "
        "at its hurdle rate. A box that gains does not make up for one that loses.",
    )


def book_and_facilities(analysis: Analysis) -> Iterator[tuple[str, Reader, str]]:
    """Yield the book, then facilities by risk: name, reader, prefix of variables."""
    read = reader_of(analysis, analysis.risk)
    yield "Book", read, "book_"
    for name in by_risk(analysis):
        yield name, read.at(facility=name), ""


def facilities(analysis: Analysis) -> Table:
    """Lay out the headline table."""
    rows = []
    for name, one, pre in book_and_facilities(analysis):
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
        f"of five-year losses: {analysis.risk.attrs['rating_scale']}; n/a where nothing was ever "
        "lent.",
        strong=1,
    )


def defaults(analysis: Analysis) -> Table:
    """Lay out exposure at default, what stays open, and default by year."""
    years = [int(year) for year in analysis.facility_defaults["year"].values]
    by_year = reader_of(analysis, analysis.facility_defaults)
    rows = []
    for name, one, pre in book_and_facilities(analysis):
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
