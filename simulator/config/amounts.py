"""Amounts and months of one row that must agree; months are checked up to the first fault."""

from __future__ import annotations

from simulator.config.case import Case
from simulator.config.tape import AssetRow, BoxRow, ContractRow, DebtRow
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
    _check_schedule(case, place, row)
    _check_coupon_terms(case, place, row)
    _check_box_terms(case, place, row)


def _check_schedule(case: Case, place: str, row: DebtRow) -> None:
    """Check that custom debt has a schedule after t0, and that sized debt has a commitment."""
    if row.amortisation == "custom" and not row.schedule:
        mend = "giving the schedule, as 2027-06: 5%; 2027-12: 10%"
        case.fault(place, "schedule", "months and shares of custom debt", "a blank", mend)
    if row.schedule and row.amortisation != "custom":
        mend = "writing custom, or leaving schedule blank"
        got = row.amortisation or "a blank"
        case.fault(place, "amortisation", "custom beside a schedule", got, mend)
    if row.schedule and "start" not in case.unsound:
        first, last = row.schedule[0][0], row.schedule[-1][0]
        rules: list[_Rule] = [
            ("schedule", first, "after", case.study.start, "t0"),
            ("schedule", last, "not after", row.maturity, "maturity"),
        ]
        _first_fault(case, place, rules)
    if row.amortisation == "sized" and row.commitment_usd_m is None:
        mend = "giving the most that may be drawn"
        case.fault(place, "commitment_usd_m", "the commitment of sized debt", "a blank", mend)


def _check_coupon_terms(case: Case, place: str, row: DebtRow) -> None:
    """Check caps and steps of a coupon."""
    if row.rate_cap is not None and row.fixed_rate is not None:
        got = f"{row.rate_cap:g} beside a fixed rate"
        case.fault(place, "rate_cap", "a cap of floating debt", got, "leaving one blank")
    elif row.rate_cap is not None and row.rate_cap < (row.floor or 0.0):
        expected = f"at least the floor of {row.floor or 0.0:g}"
        case.fault(place, "rate_cap", expected, f"{row.rate_cap:g}", "correcting one of them")
    if row.margin_step_bp and row.margin_step_month is None:
        mend = "giving the first month of the stepped margin"
        case.fault(place, "margin_step_month", "a month beside margin_step_bp", "a blank", mend)
    if row.margin_step_month is not None and row.margin_step_bp is None:
        mend = "giving the step, or leaving margin_step_month blank"
        case.fault(place, "margin_step_bp", "a step beside margin_step_month", "a blank", mend)


def _check_box_terms(case: Case, place: str, row: DebtRow) -> None:
    """Refuse terms that only the debt of a box can have."""
    if row.box is not None:
        return
    terms = {
        "amortisation": row.amortisation == "sized",
        "maturity_moves": row.maturity_moves,
        "construction_interest": row.construction_interest == "paid",
        "borrowing_base": row.borrowing_base,
        "prepayments": row.prepayments == "shorten",
        "missed": row.missed == "left",
    }
    for name, is_set in terms.items():
        if is_set:
            got = str(getattr(row, name)).lower()
            mend = "leaving it blank, or naming the box"
            case.fault(place, name, "a term of box debt only", got, mend)


def check_box(case: Case, place: str, row: BoxRow) -> None:
    """Check that an accordion is there to be used."""
    if row.overrun == "accordion" and not row.accordion_usd_m:
        mend = "giving accordion_usd_m, or writing sponsor"
        case.fault(place, "accordion_usd_m", "the accordion that pays overruns", "a blank", mend)
    if row.accordion_usd_m and row.overrun != "accordion":
        got, mend = row.overrun or "a blank", "writing accordion, or leaving accordion_usd_m blank"
        case.fault(place, "overrun", "accordion beside accordion_usd_m", got, mend)


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
