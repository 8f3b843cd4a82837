"""Blank cells of a tranche: months and amounts first, price and schedule when the box is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from simulator.config.derive.ledger import Ledger
from simulator.config.derive.market import Market
from simulator.config.tape import DebtRow
from simulator.config.values import YearMonth, filled

UNDRAWN_FEE = 0.005
"""Fee on undrawn commitments where the tape gives none: 0.40-0.50% is what is seen."""
DEPRECIATION_YEARS = 6.0
"""Life in depreciated schedules where the tape gives none: public GPU loans use 6 years."""
_BULLETS = ("convertible", "revolver")


@dataclass(frozen=True, slots=True)
class Filler:
    """Fills one row and notes each rule."""

    table: str
    row: str
    source: Any
    ledger: Ledger

    def __call__(self, name: str, value: Any, rule: str) -> Any:
        """Return the cell as given, else `value`."""
        given = getattr(self.source, name)
        return self.ledger.fill(self.table, self.row, name, given, value, rule)


def fill_amounts(row: DebtRow, sponsor: str, market: Market, ledger: Ledger) -> DebtRow:
    """Fill the months and amounts of a tranche, and roll its balance to t0.

    Parameters
    ----------
    row
        The tranche.
    sponsor
        Its sponsor.
    market
        Start and parameters.
    ledger
        Takes what was filled.

    Returns
    -------
    DebtRow
        The row with its balance at t0.
    """
    fill, start = Filler("debt", row.tranche, row, ledger), market.start
    drawn_rule = "month of the balance" if row.drawn_asof else "t0"
    close: YearMonth = fill("close", row.drawn_asof or start, drawn_rule)
    draw_end: YearMonth = fill("draw_end", close, "close: no more draws")
    years = market.terms["loan.tenor"]
    maturity: YearMonth = fill("maturity", close.plus(round(12 * years)), "close + loan.tenor")
    if maturity <= max(start, close, draw_end):
        name = "maturity"
        expected = f"a month after close, draw_end and t0 ({max(start, close, draw_end)})"
        ledger.stop("debt", row.tranche, name, expected, str(maturity), "giving the maturity")
    commitment: float = fill("commitment_usd_m", row.drawn_usd_m, "the amount drawn")
    drawn, asof = _drawn(row, commitment, close, draw_end, start)
    balance, how = _roll(row, commitment, drawn, asof, draw_end, maturity, start)
    if row.drawn_usd_m is None or balance != row.drawn_usd_m:
        given = "" if row.drawn_usd_m is None else f"{drawn:g} at {asof}, "
        ledger.note("debt", row.tranche, "drawn_usd_m", balance, f"at t0: {given}{how}")
    return row.model_copy(
        update={
            "facility": fill("facility", row.tranche, "a facility of its own"),
            "sponsor": fill("sponsor", sponsor, "sponsor of the box"),
            "kind": fill("kind", "term_loan", "term loan"),
            "rank": fill("rank", 0, "senior"),
            "commitment_usd_m": commitment,
            "drawn_usd_m": balance,
            "drawn_asof": start,
            "close": close,
            "draw_end": draw_end,
            "maturity": maturity,
        }
    )


def _drawn(
    row: DebtRow, commitment: float, close: YearMonth, draw_end: YearMonth, start: YearMonth
) -> tuple[float, YearMonth]:
    """Return a balance and its month, by the rules of the column."""
    if row.drawn_usd_m is not None:
        return row.drawn_usd_m, row.drawn_asof or start
    if row.amortisation == "sized":
        return 0.0, start
    if close > start or draw_end > start or row.kind == "revolver":
        return 0.0, close
    return commitment, draw_end


def _roll(
    row: DebtRow,
    commitment: float,
    drawn: float,
    asof: YearMonth,
    draw_end: YearMonth,
    maturity: YearMonth,
    start: YearMonth,
) -> tuple[float, str]:
    """Return the balance at t0 and how it came about.

    Notes
    -----
    While draws go on they run straight to the commitment at `draw_end`; afterwards the balance is
    amortised straight to maturity, from the month before the first instalment if that is given.
    """
    if asof >= start:
        return drawn, "nothing happened since" if row.drawn_usd_m is not None else "no draws yet"
    if row.kind == "revolver":
        return drawn, "a revolver draws by no schedule"
    if draw_end > start:
        share = (start - asof) / (draw_end - asof)
        return drawn + (commitment - drawn) * share, f"draws straight to {draw_end}"
    since, how = asof, ""
    if draw_end > asof:
        drawn, since, how = commitment, draw_end, f"drawn in full at {draw_end}, "
    if row.amortisation == "bullet" or (row.amortisation is None and _bullet(row)):
        return drawn, f"{how}bullet"
    first = row.schedule[0][0] if row.schedule else row.amortisation_start
    if first is not None:
        since = max(since, first.plus(-1))
    if since >= start:
        return drawn, f"{how}no instalment yet"
    left = (maturity - start) / (maturity - since)
    return drawn * left, f"{how}amortised straight from {since} to {maturity}"


def _bullet(row: DebtRow) -> bool:
    return row.box is None or row.kind in _BULLETS


def fill_terms(
    row: DebtRow, investment_grade: bool, advance: tuple[float, str], market: Market, ledger: Ledger
) -> DebtRow:
    """Fill the price and schedule of a tranche whose amounts are known.

    Parameters
    ----------
    row
        The tranche, from `fill_amounts`.
    investment_grade
        Whether the box is.
    advance
        Debt over cost of the box, and the rule that gave it.
    market
        Parameters.
    ledger
        Takes what was filled.
    """
    fill = Filler("debt", row.tranche, row, ledger)
    start, terms = market.start, market.terms
    draw_end, maturity = filled(row.draw_end), filled(row.maturity)
    floating = row.fixed_rate is None
    open_at_t0 = draw_end > start
    update: dict[str, Any] = {}
    if floating:
        update["margin_bp"] = fill("margin_bp", *_margin(row, investment_grade, market))
        hedged = (terms["ir.hedge"], "ir.hedge") if row.box else (0.0, "HoldCo debt: unhedged")
        update["hedge_share"] = fill("hedge_share", *hedged)
        update["floor"] = fill("floor", 0.0, "no floor above 0")
        years = (maturity - max(start, filled(row.close))) / 12
        rule = f"SOFR expected on average over {years:.1f} years at t0"
        update["swap_rate"] = fill("swap_rate", market.expected_sofr(years), rule)
    fee = (UNDRAWN_FEE, "usual fee") if open_at_t0 else (0.0, "no more draws")
    update["undrawn_fee"] = fill("undrawn_fee", *fee)
    update["issue_price"] = fill("issue_price", 1.0, "par")
    update["advance"] = fill("advance", *advance)
    schedule = ("bullet", "bullet debt") if _bullet(row) else ("level", "level debt service")
    update["amortisation"] = fill("amortisation", *schedule)
    first = draw_end.plus(1) if open_at_t0 else start.plus(1)
    rule = "month after draw_end" if open_at_t0 else "closed: month after t0"
    if row.schedule:
        first, rule = row.schedule[0][0], "first month of the schedule"
    update["amortisation_start"] = fill("amortisation_start", min(first, maturity), rule)
    grade = "ig" if investment_grade else "non_ig"
    dscr = f"loan.dscr0.{grade}"
    update["sculpt_dscr"] = fill("sculpt_dscr", terms[dscr], dscr)
    update["depreciation_years"] = fill("depreciation_years", DEPRECIATION_YEARS, "usual life")
    update["balloon"] = fill("balloon", 0.0, "repaid in full")
    update["prepayments"] = fill("prepayments", "relevel", "later instalments fall")
    update["missed"] = fill("missed", "caught_up", "overdue, due next month")
    update["maturity_moves"] = fill("maturity_moves", False, "dates stay")
    update["construction_interest"] = fill("construction_interest", "capitalised", "capitalised")
    update["borrowing_base"] = fill("borrowing_base", False, "no borrowing base")
    update["margin_step_bp"] = fill("margin_step_bp", 0.0, "no step")
    share = (1.0, "the book holds box debt") if row.box else (0.0, "the book holds no HoldCo debt")
    update["lender_share"] = fill("lender_share", *share)
    return row.model_copy(update=update)


def _margin(row: DebtRow, investment_grade: bool, market: Market) -> tuple[float, str]:
    expected = market.expected
    if row.box is None:
        return expected["cs.hold_beta"] * expected["cs.hy0"], "cs.hold_beta x cs.hy0"
    if investment_grade:
        return expected["cs.ig_margin"], "cs.ig_margin"
    return expected["cs.neo_beta"] * expected["cs.hy0"], "cs.neo_beta x cs.hy0"
