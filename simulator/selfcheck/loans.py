"""Cases of a loan alone: level payments, a capped coupon, draws, construction, sculpting, cents."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import numpy as np

from simulator.config.terms import Amortisation
from simulator.selfcheck.book import Delivery, Setting, loan, study
from simulator.selfcheck.months import (
    DOLLARS,
    Column,
    Result,
    internal_rate,
    run,
    weighted_life,
)

__all__ = [
    "construction",
    "delayed_draw",
    "floating_loan",
    "level_loan",
    "level_loan_in_cents",
    "sculpted_loan",
]

Case = Mapping[str, Any]
CENT = Decimal("0.01")


def level_loan(case: Case) -> Result:
    """Pay a level loan, with months of interest only and a balloon."""
    amount, months, first = case["P"], case["months"], case.get("io_months", 0) + 1
    terms = {"amortisation_start": first, "balloon": case.get("balloon_fraction", 0.0)}
    debt = loan(amount * DOLLARS, months, case["nominal_rate"], **terms)
    one = run(study(months, [Delivery([2.0 * amount * DOLLARS])], [debt]))
    payment = one.interest + one.principal
    years = [month for month in (12, 24, 30, 48) if month <= months]
    return Result(
        {
            "month": one.months,
            "opening": one.opening,
            "interest": one.interest,
            "principal": one.principal,
            "payment": payment,
            "closing": one.closing,
        },
        {
            "level_payment": payment[first - 1],
            "total_interest": one.interest.sum(),
            "WAL_years": weighted_life(one.principal, amount),
            "last_payment": payment[-1],
            "balance_after": {str(month): one.closing[month - 1] for month in years},
            "monthly_irr": internal_rate(np.concatenate([[-amount], payment])),
        },
    )


def level_loan_in_cents(case: Case) -> Result:
    """Bill a level loan in whole cents: the engine's payment and rate, rolled as a servicer does.

    Interest and payment are rounded half up, and the last payment clears the balance. The engine
    itself never rounds: cents belong to whoever prints a bill.
    """
    amount, months = case["P"], case["months"]
    debt = loan(amount * DOLLARS, months, case["nominal_rate"])
    one = run(study(months, [Delivery([2.0 * amount * DOLLARS])], [debt]))
    payment = cents(one.interest[0] + one.principal[0])
    balance = cents(amount)
    rows = []
    for month, coupon in enumerate(one.loan["coupon"], start=1):
        interest = (balance * Decimal(repr(float(coupon))) / 12).quantize(CENT, ROUND_HALF_UP)
        paid = payment if month < months else balance + interest
        closing = balance + interest - paid
        rows.append((month, balance, interest, paid - interest, paid, closing))
        balance = closing
    names = ("month", "opening", "interest", "principal", "payment", "closing")
    columns = {name: np.array([float(row[i]) for row in rows]) for i, name in enumerate(names)}
    return Result(
        columns,
        {
            "payment": float(payment),
            "last_payment": columns["payment"][-1],
            "total_interest": float(sum((row[2] for row in rows), Decimal(0))),
            "sum_principal": float(sum((row[3] for row in rows), Decimal(0))),
        },
    )


def cents(amount: float) -> Decimal:
    """Return an amount rounded half up to cents."""
    return Decimal(repr(float(amount))).quantize(CENT, ROUND_HALF_UP)


def floating_loan(case: Case) -> Result:
    """Pay a floating loan with a cap of its index and a step of its margin, levelled monthly."""
    amount, months, (step_month, step) = case["debt"], case["months"], case["step"]
    terms = {
        "fixed": False,
        "rate_cap": case["cap"],
        "margin_step": float(step),
        "margin_step_month": int(step_month),
    }
    debt = loan(amount * DOLLARS, months, case["margin"], **terms)
    setting = Setting(index=case["index"])
    one = run(study(months, [Delivery([2.0 * amount * DOLLARS])], [debt], setting))
    payment = one.interest + one.principal
    return Result(
        {
            "month": one.months,
            "index": np.asarray(case["index"], dtype=float),
            "coupon": one.loan["coupon"],
            "interest": one.interest,
            "principal": one.principal,
            "payment": payment,
            "closing": one.closing,
        },
        {
            "payment_1": payment[0],
            "payment_last": payment[-1],
            "max_payment": payment.max(),
            "total_interest": one.interest.sum(),
            "WAL_years": weighted_life(one.principal, amount),
            f"balance_{step_month - 1}": one.closing[step_month - 2],
            "closing": one.closing[-1],
        },
    )


def delayed_draw(case: Case) -> Result:
    """Draw a loan month by month: fees and interest in cash, level payments after the last."""
    commitment, last = case["commitment"] * DOLLARS, case["availability"]
    months = last + case["amort_months"]
    draws = {int(month): amount * DOLLARS for month, amount in case["draws"].items()}
    debt = loan(
        0.0,
        months,
        case["rate"],
        commitment=commitment,
        available_until=last,
        undrawn_fee=case["undrawn_fee"],
        amortisation_start=last + 1,
        capitalises=False,
    )
    deliveries = [
        Delivery([commitment], cost=amount, month=month, commission=last - month)
        for month, amount in draws.items()
    ]
    one = run(study(months, deliveries, [debt]))
    in_draws = one.months <= last
    interest = np.where(in_draws, one.loan["received"], one.interest)
    fee = np.where(in_draws, one.lines["equity_other"] - interest, 0.0)
    draw = one.lines["debt_drawn"]
    lent = np.concatenate([draw, [0.0]])  # at the start of a month: at the end of the one before
    back = np.concatenate([[0.0], interest + fee + one.principal])
    return Result(
        {
            "month": one.months,
            "draw": draw,
            "interest": interest,
            "undrawn_fee": fee,
            "principal": one.principal,
            "closing": one.closing,
        },
        {
            "drawn": draw.sum(),
            "total_fee": fee.sum(),
            "instalment": one.interest[last] + one.principal[last],
            "total_interest": interest.sum(),
            "lender_irr_monthly": internal_rate(back - lent),
            "closing": one.closing[-1],
        },
    )


def construction(case: Case) -> Result:
    """Capitalise interest on draws up to a start that may be late; then pay a level loan.

    Machines are accepted `delay` months after the plan, though they are delivered when the case
    draws: what is late is their start. Plan and commissioning are set so.
    """
    draws = {int(month): amount * DOLLARS for month, amount in case["draws"].items()}
    delay, planned = case["delay"], max(draws) + 1
    moves = case["mode"] == "shift"
    started, payments = planned + delay, case["scheduled_instalments"]
    maturity = planned + payments
    months = maturity + (delay if moves else 0)
    debt = loan(
        0.0,
        maturity,
        case["rate"],
        commitment=10.0 * sum(draws.values()),
        available_until=started,
        amortisation_start=planned + 1 if moves else started + 1,
        moves_with_acceptance=moves,
    )
    cash = case["cfads"] * DOLLARS / len(draws)
    deliveries = [
        Delivery([cash], cost=amount, month=month + 1 - delay, commission=started - month - 1)
        for month, amount in draws.items()
    ]
    one = run(study(months, deliveries, [debt], Setting(delay=float(delay))))
    drawn, pays = one.lines["debt_drawn"], one.months > started
    growth = np.diff(one.closing, prepend=0.0) - drawn
    interest = np.where(pays, one.interest, growth)
    service = one.interest + one.principal
    return Result(
        {
            "month": one.months,
            "draw_at_start": drawn,
            "interest": interest,
            "principal": one.principal,
            "cfads_less_ds": np.where(pays, one.lines["cfads"] - service, 0.0),
            "closing": one.closing,
        },
        {
            "total_draws": drawn.sum(),
            "idc": interest[~pays].sum(),
            "debt_at_cod": one.closing[started - 1],
            "instalments": float((one.principal > 0.0).sum()),
            "instalment": service[started],
            "final_month": float(one.months[one.principal > 0.0][-1]),
            "dscr": one.lines["cfads"][started] / service[started],
            "total_interest_after_cod": one.interest.sum(),
            "closing": one.closing[-1],
        },
    )


def sculpted_loan(case: Case) -> Result:
    """Size and sculpt a loan on cash flow by quarter, or by month; amounts have no unit.

    With a downside the loan is sized on the lesser of both cash flows; the cover is that of the
    first.
    """
    interval = 12 // case["periods_per_year"]
    cash = np.asarray(case["cfads"], dtype=float)
    sure = cash if case.get("downside_cfads") is None else np.minimum(cash, case["downside_cfads"])
    months = interval * len(cash)
    debt = loan(
        0.0,
        months,
        case["rate"],
        commitment=float(cash.sum()),
        amortisation=Amortisation.SIZED,
        sculpt_dscr=case["dscr"],
    )
    rent = np.repeat(sure / interval, interval)
    setting = Setting(box={"payment_interval": interval})
    one = run(study(months, [Delivery(rent)], [debt], setting), unit=1.0)
    interest = by_period(one.interest, interval)
    principal = by_period(one.principal, interval)
    closing = one.closing[interval - 1 :: interval]
    opening, service = closing + principal, interest + principal
    cover = cash / service
    discounts = (1.0 + case["rate"] * interval / 12.0) ** -np.arange(1.0, len(cash) + 1.0)
    return Result(
        {
            "period": np.arange(1.0, len(cash) + 1.0),
            "cfads": cash,
            "opening": opening,
            "interest": interest,
            "principal": principal,
            "debt_service": service,
            "closing": closing,
            "dscr": cover,
        },
        {
            "debt_capacity": one.closing[0] + one.principal[0],
            "closing": closing[-1],
            "WAL_years": weighted_life(one.principal, opening[0]),
            "min_dscr": cover.min(),
            "avg_dscr": cover.mean(),
            "LLCR": float(cash @ discounts) / opening[0],
            "total_interest": interest.sum(),
            "min_principal": principal.min(),
        },
    )


def by_period(values: Column, interval: int) -> Column:
    """Return sums of monthly values by period."""
    return np.array(values.reshape(-1, interval).sum(axis=1))
