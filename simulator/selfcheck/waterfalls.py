"""Cases of a box: sweeps, reserves, lock-up, cures, and a customer who stops paying."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from simulator.config.terms import WATERFALL_LINES, Amortisation
from simulator.credit.leases import RESOLUTION_MONTHS
from simulator.selfcheck.book import POOL_SOLD, Delivery, Setting, loan, study
from simulator.selfcheck.months import (
    DOLLARS,
    Column,
    Result,
    Run,
    internal_rate,
    run,
    weighted_life,
)

__all__ = ["covenant", "full_sweep", "lock_up", "lost_customer", "reserve", "share_sweep"]

Case = Mapping[str, Any]
NOTHING = 1e-6  # of the case's money: below it a balance counts as repaid


def full_sweep(case: Case) -> Result:
    """Sweep all cash of a five-year contract until the debt is repaid.

    The rent is such that the debt is repaid in month 30 if nothing happens; operating costs are a
    share of it, and stay when the rent is cut.
    """
    months, target = 60, 30
    amount, capex, rate = case["debt"], case["capex"], case["nominal_rate"]
    monthly = rate / 12.0
    cash = amount * monthly / (1.0 - (1.0 + monthly) ** -target)
    rent = cash / (1.0 - case["opex_fraction_of_base_revenue"])
    rents = np.full(months, rent * DOLLARS)
    if case.get("renegotiation"):
        first, cut = case["renegotiation"]
        rents[int(first) - 1 :] *= 1.0 - float(cut)
    debt = loan(
        amount * DOLLARS,
        months,
        rate,
        amortisation=Amortisation.BULLET,
        catch_up=False,
    )
    setting = Setting(
        box={
            "sweep_share": 1.0,
            "useful_life_months": months,
            "equity0": (capex - amount) * DOLLARS,
        },
        costs=12.0 * (rent - cash) / capex,
    )
    one = run(study(months, [Delivery(rents, cost=capex * DOLLARS)], [debt], setting))
    out, cfads = one.lines["distributed"], one.lines["cfads"]
    principal = one.lines["swept"] + one.principal
    annual = float(one.scalars["equity_irr"][0, 0])
    return Result(
        {
            "month": one.months,
            "revenue": one.lines["receipts"],
            "opex": one.lines["operating_costs_paid"],
            "cfads": cfads,
            "interest_due": one.loan["interest"],
            "interest_paid": one.interest,
            "principal": principal,
            "to_equity": out,
            "closing_debt": one.closing,
        },
        {
            "cfads_month1": cfads[0],
            "payback_month": repaid_in(one),
            "total_interest": one.interest.sum(),
            "principal_WAL_years": weighted_life(principal, amount),
            "equity_total": out.sum(),
            "equity_MOIC": float(one.scalars["equity_moic"][0, 0]),
            "equity_irr_annual_effective": annual,
            "equity_irr_monthly": (1.0 + annual) ** (1.0 / 12.0) - 1.0,
            "PLCR_at_close": float(cfads @ (1.0 + monthly) ** -one.months) / amount,
            "debt_at_month_24": one.closing[23],
            "closing_debt": one.closing[-1],
        },
    )


def repaid_in(one: Run) -> float:
    """Return the month in which the balance is repaid, NaN if it is not."""
    clear = one.months[one.closing <= NOTHING]
    return float(clear[0]) if len(clear) else float("nan")


def reserve(case: Case) -> Result:
    """Draw on a debt-service reserve when cash flow falls short, and fill it again."""
    months, ahead = case["months"], case["dsra_months"]
    cash = np.full(months, case["base_cfads"] * DOLLARS)
    for month, times in case["shock_multipliers"].items():
        cash[int(month) - 1] *= float(times)
    debt = loan(case["debt"] * DOLLARS, months, case["rate"])
    setting = Setting(box={"reserve_months": float(ahead)})
    one = run(study(months, [Delivery(cash)], [debt], setting))
    line = one.lines
    drawn, filled = line["debt_service_reserve_used"], line["debt_service_reserve_funded"]
    kept, target = line["debt_service_reserve"], one.box["reserve_target"]
    due = line["senior_interest_due"] + line["senior_principal_due"]
    until = one.months <= months - ahead
    lowest = kept[until].min()
    return Result(
        {
            "month": one.months,
            "cfads": line["cfads"],
            "interest_due": line["senior_interest_due"],
            "principal_due": line["senior_principal_due"] + line["arrears_due"],
            "interest_paid": one.interest,
            "principal_paid": one.principal,
            "dsra_draw": drawn,
            "dsra_topup": filled,
            "dsra_release": line["reserves_released"],
            "distribution": line["distributed"],
            "dsra_closing": kept,
            "dsra_target": target,
            "debt_closing": one.closing,
            "dscr_on_scheduled": line["cfads"] / due,
        },
        {
            "scheduled_payment": due[0],
            "dsra_initial": kept[0] + drawn[0] - filled[0] + line["reserves_released"][0],
            "total_draws": drawn.sum(),
            "min_dsra_before_run_off": lowest,
            "first_month_of_min_dsra": float(one.months[until][kept[until] <= lowest][0]),
            "months_below_target": float((kept < target - NOTHING).sum()),
            "total_distributions": line["distributed"].sum(),
            "total_interest_paid": one.interest.sum(),
            "max_arrears_principal": one.loan["arrears"].max(),
            "closing_debt": one.closing[-1],
            "closing_dsra": kept[-1],
        },
    )


def share_sweep(case: Case) -> Result:
    """Prepay with a share of the cash above a cover; the instalment stays, the tail goes."""
    swept = sweep_run(case, case["share"])
    plain = sweep_run(case, 0.0)
    line = swept.lines
    due = line["senior_interest_due"] + line["senior_principal_due"]
    serves = due > NOTHING
    cover = np.where(serves, line["cfads"] / np.where(serves, due, 1.0), 0.0)
    principal = swept.principal + line["swept"]
    return Result(
        {
            "month": swept.months,
            "cfads": line["cfads"],
            "interest": swept.interest,
            "scheduled_principal": swept.principal,
            "sweep": line["swept"],
            "distribution": line["distributed"],
            "closing": swept.closing,
            "dscr": cover,
        },
        {
            "level_payment": due[0],
            "repaid_month": repaid_in(swept),
            "total_swept": line["swept"].sum(),
            "total_interest": swept.interest.sum(),
            "interest_saved": plain.interest.sum() - swept.interest.sum(),
            "WAL_years": weighted_life(principal, case["debt"]),
            "total_distribution": line["distributed"].sum(),
            "balance_24": swept.closing[23],
        },
    )


def sweep_run(case: Case, share: float) -> Run:
    """Run the loan of `share_sweep` with a share of its own."""
    debt = loan(case["debt"] * DOLLARS, case["months"], case["rate"], shorten=True)
    setting = Setting(box={"sweep_share": share, "sweep_threshold": case["threshold"]})
    cash = np.asarray(case["cfads"], dtype=float) * DOLLARS
    return run(study(case["months"], [Delivery(cash)], [debt], setting))


def lock_up(case: Case) -> Result:
    """Trap cash while the cover of three months is too low, release it when it is not."""
    if case.get("lookback", 3) != 3:
        raise ValueError("the engine tests the cover of three months")
    months = case["months"]
    times = np.ones(months)
    for first, multiplier in case["price_multipliers"]:
        times[int(first) - 1 :] = float(multiplier)
    debt = loan(case["debt"] * DOLLARS, months, case["rate"])
    setting = Setting(box={"lockup_dscr": case["lock"]}, costs=12.0 * case["opex"] * DOLLARS)
    rents = times * case["revenue"] * DOLLARS
    one = run(study(months, [Delivery(rents)], [debt], setting))
    line, trapped = one.lines, one.lines["trapped_cash"]
    locked = one.box["trap_on"] * (one.closing > NOTHING)
    after = one.months[(locked == 0.0) & (np.cumsum(locked) > 0.0)]
    return Result(
        {
            "month": one.months,
            "cfads": line["cfads"],
            "interest": one.interest,
            "principal": one.principal,
            "dscr": line["cfads"] / line["debt_service"],
            "test_dscr": line["dscr"],
            "locked": locked,
            "from_trap": line["trapped_cash_used"],
            "trap_closing": trapped,
            "distribution": line["distributed"],
            "closing_debt": one.closing,
        },
        {
            "payment": line["debt_service"][0],
            "locked_months": locked.sum(),
            "first_locked": float(one.months[locked > 0.0][0]) if locked.any() else float("nan"),
            "first_release_after_lock": float(after[0]) if len(after) else float("nan"),
            "max_trapped": trapped.max(),
            "total_distributions": line["distributed"].sum(),
            "used_from_trap": line["trapped_cash_used"].sum(),
            "closing_debt": one.closing[-1],
            "trap_at_end": trapped[-1],
        },
    )


def covenant(case: Case) -> Result:
    """Test loan-to-value after each instalment, and prepay the excess at once.

    The owner pays the cures: the box earns enough to be worth them. Nothing else prepays.
    """
    amount, months, worth = case["debt"] * DOLLARS, case["months"], case["v0"] * DOLLARS
    values = case["monthly_factor"] ** np.arange(months + 1.0)
    for month, times in case["jumps"].items():
        values[int(month) :] *= float(times)
    debt = loan(amount, months, case["rate"])
    setting = Setting(
        box={
            "ltv_trigger": case["cap"],
            "ltv_step_down": case["cap_step_down_per_year"],
            "ratio_cure_months": 0,
            "cures": 1000,
        },
        switches=("sponsor",),
        values=values,
        waterfall=tuple(line for line in WATERFALL_LINES if line != "sweep"),
    )
    one = run(study(months, [Delivery([amount], value=worth)], [debt], setting))
    cure, collateral = one.lines["cure"], one.lines["collateral"]
    payment = one.interest + one.principal
    cured = one.months[cure > 0.0]
    return Result(
        {
            "month": one.months,
            "collateral": collateral,
            "interest": one.interest,
            "principal": one.principal,
            "ltv_before_cure": (one.closing + cure) / collateral,
            "ltv_cap": case["cap"] - case["cap_step_down_per_year"] * one.months / 12.0,
            "cure_payment": cure,
            "closing": one.closing,
            "instalment_next": following(payment),
        },
        {
            "initial_instalment": payment[0],
            "total_cures": cure.sum(),
            "cure_months": [float(month) for month in cured],
            "n_cures": float(len(cured)),
            "first_cure_amount": cure[cure > 0.0][0] if len(cured) else 0.0,
            "final_instalment": payment[-1],
            "total_interest": one.interest.sum(),
            "closing": one.closing[-1],
        },
    )


def following(payment: Column) -> Column:
    """Return the payment of the next month; in the last month its own."""
    return np.concatenate([payment[1:], payment[-1:]])


def lost_customer(case: Case) -> Result:
    """Lose the last of several customers: its machines are sold, or let again at a lower rent.

    What the instalments lack stays in the balance and falls due at maturity; the proceeds of a
    sale prepay it, and the instalment is levelled anew. The value of the fleet is the case's own.
    """
    amount, months, failed = case["debt"] * DOLLARS, case["months"], case["default_month"]
    shares, sale = case["lessee_shares"], case["sale_month"]
    value = case["gpu_value_0"] * case["monthly_value_factor"] ** np.arange(1.0, months + 1.0)
    rents = [share * case["monthly_rent_full"] * DOLLARS for share in shares]
    if sale:
        proceeds = shares[-1] * value[sale - 1] * (1.0 - case["sale_cost"]) * DOLLARS
        lost, setting = sold(rents[-1], failed, sale, proceeds), Setting(parameters=NEVER_LET)
        value[sale - 1 :] *= 1.0 - shares[-1]
    else:
        lost, setting = let_again(rents[-1], failed, case["relet"])
    deliveries = [*(Delivery([rent]) for rent in rents[:-1]), lost]
    debt = loan(amount, months, case["rate"], catch_up=False)
    one = run(study(months, deliveries, [debt], setting))
    line = one.lines
    to_debt = line["swept"]
    payments = one.interest + one.principal
    instalment = following(one.loan["interest"] + one.loan["instalment"])
    received = np.concatenate([[-case["debt"]], payments + to_debt])
    return Result(
        {
            "month": one.months,
            "rent_received": line["receipts"],
            "interest_due": one.loan["interest"],
            "interest_paid": one.interest,
            "principal_paid": one.principal,
            "net_sale_proceeds": line["disposals"],
            "proceeds_to_debt": to_debt,
            "to_equity": line["distributed"],
            "closing_debt": one.closing,
            "instalment_next": instalment,
            "collateral_value": value,
        },
        {
            "initial_instalment": payments[0],
            "balance_end_of_month_before_default": one.closing[failed - 2],
            "LTV_before_default": one.closing[failed - 2] / value[failed - 2],
            "net_sale_proceeds": line["disposals"].sum(),
            "instalment_after_sale": instalment[sale - 1] if sale else instalment[-1],
            "unpaid_at_maturity": one.closing[-1],
            "total_interest_paid": one.interest.sum(),
            "total_to_equity": line["distributed"].sum(),
            "lender_irr_monthly": internal_rate(received),
            "max_balance_above_schedule": (one.closing - scheduled(case)).max(),
        },
    )


NEVER_LET = {"cp.relet_lag": 1e6}


def sold(rent: float, failed: int, sale: int, proceeds: float) -> Delivery:
    """Return machines without rent from a month on, and what they bring in another.

    What the engine pays a month after the end of a contract stands for the buyer.
    """
    rents = [rent] * (failed - 1) + [0.0]
    return Delivery(rents, term=sale - 1, guaranteed=proceeds)


def let_again(rent: float, failed: int, relet: Any) -> tuple[Delivery, Setting]:
    """Return machines of a customer who defaults, let by the month from another month on."""
    first, times = int(relet[0]), float(relet[1])
    setting = Setting(
        switches=("counterparty_default",),
        parameters={
            "cp.relet_lag": float(max(1, first - failed - RESOLUTION_MONTHS)),
            "cp.workout_time": 1e3,  # years: nothing of the claim comes in
        },
    )
    return Delivery([rent], default_month=failed, moneyness=times / POOL_SOLD), setting


def scheduled(case: Case) -> Column:
    """Return the balance by month of the loan if every instalment is paid."""
    amount, months = case["debt"] * DOLLARS, case["months"]
    one = run(study(months, [Delivery([amount])], [loan(amount, months, case["rate"])]))
    return one.closing
