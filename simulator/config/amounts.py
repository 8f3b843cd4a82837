"""Amounts and months of one row that must agree; months are checked up to the first fault."""

from __future__ import annotations

from simulator.config.case import Case
from simulator.config.tape import AssetRow, ContractRow, DebtRow
from simulator.config.values import YearMonth


def check_debt(case: Case, place: str, row: DebtRow) -> None:
    """Check amounts, price and months of a tranche."""
    if row.commitment_usd_m is None and row.drawn_usd_m is None:
        mend = "giving commitment_usd_m or drawn_usd_m"
        case.fault(place, "commitment_usd_m", "an amount", "a blank", mend)
    elif (row.drawn_usd_m or 0) > (row.commitment_usd_m or float("inf")) * (1 + 1e-9):
        expected = f"at most the commitment of {row.commitment_usd_m:g}"
        case.fault(place, "drawn_usd_m", expected, f"{row.drawn_usd_m:g}", "correcting one of them")
    if row.margin_bp is not None and row.fixed_rate is not None:
        got = f"both ({row.margin_bp:g} bp and {row.fixed_rate:g})"
        case.fault(place, "margin_bp", "a margin or a fixed rate", got, "leaving one blank")
    if row.box is not None and row.conversion_value_usd_m is not None:
        got = f"{row.conversion_value_usd_m:g} on debt of {row.box}"
        expected = "a blank: only HoldCo debt converts"
        case.fault(place, "conversion_value_usd_m", expected, got, "leaving it blank")
    start = None if "start" in case.unsound else case.study.start
    _first_fault(case, place, _debt_months(row, start))


def check_residual(case: Case, place: str, row: ContractRow) -> None:
    """Check that what a residual guarantee says has a share of cost to say it of."""
    for column in ("residual_guarantor", "residual_cap_usd_m"):
        value = getattr(row, column)
        if value is not None and not row.residual_share:
            expected = "a blank, or a residual_share above 0"
            case.fault(place, column, expected, repr(value), "giving residual_share")


def check_purchases(case: Case) -> None:
    """Check that purchase commitments fall due after t0."""
    if "start" in case.unsound or "sponsors" in case.unsound:
        return
    for name, sponsor in case.study.sponsors.items():
        at = ("sponsors", name, "purchases_usd_m")
        past = [month for month in sponsor.purchases_usd_m if month <= case.study.start]
        if past:
            path, expected = ".".join(at), f"months after t0, {case.study.start}"
            got, mend = str(min(past)), "dropping what is paid"
            case.fault(case.document.place(at), path, expected, got, mend)


_Rule = tuple[str, YearMonth | None, str, YearMonth | None, str]


def _debt_months(row: DebtRow, start: YearMonth | None) -> list[_Rule]:
    """Return (column, month, 'after' or 'not after', other month, its name)."""
    return [
        ("maturity", row.maturity, "after", row.close, "close"),
        ("maturity", row.maturity, "after", start, "t0 (drop what is repaid)"),
        ("draw_end", row.draw_end, "not before", row.close, "close"),
        ("draw_end", row.draw_end, "not after", row.maturity, "maturity"),
        ("drawn_asof", row.drawn_asof, "not after", start, "t0"),
        ("amortisation_start", row.amortisation_start, "not after", row.maturity, "maturity"),
        ("amortisation_start", row.amortisation_start, "after", row.close, "close"),
    ]


def check_contract(case: Case, place: str, row: ContractRow) -> None:
    """Check that a billing profile begins after t0: what holds then is the price."""
    if row.billing and "start" not in case.unsound:
        first, start = row.billing[0][0], case.study.start
        if first <= start:
            mend = "putting what holds at t0 into the price"
            case.fault(place, "billing", f"months after t0, {start}", str(first), mend)


def check_asset(case: Case, place: str, row: AssetRow) -> None:
    """Check the months of a delivery."""
    start = None if "start" in case.unsound else case.study.start
    rules: list[_Rule] = [
        ("accepted", row.accepted, "not after", start, "t0 (else give planned_delivery only)"),
        ("planned_delivery", row.planned_delivery, "not after", row.accepted, "accepted"),
    ]
    _first_fault(case, place, rules)


def _first_fault(case: Case, place: str, rules: list[_Rule]) -> None:
    for column, month, relation, other, name in rules:
        if month is None or other is None:
            continue
        sound = {
            "after": month > other,
            "not after": month <= other,
            "not before": month >= other,
        }[relation]
        if not sound:
            mend = "correcting one of the two months"
            case.fault(place, column, f"a month {relation} {name}, {other}", str(month), mend)
            return
