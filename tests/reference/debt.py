"""Coupons, instalments and the schedules that are fixed once (§11, debt service)."""

from __future__ import annotations

import math
from itertools import pairwise

from simulator.config.terms import Amortisation
from tests.reference.collateral import colo_growth, expected_power_price, pays_for_power
from tests.reference.draws import rounded
from tests.reference.leases import price_multiplier
from tests.reference.market import HOURS
from tests.reference.state import (
    COMING,
    LEASED,
    TINY,
    AssetState,
    BoxState,
    Fit,
    Standing,
    Status,
    TrancheState,
    World,
    is_never,
)

FITTED = (Amortisation.SCULPTED, Amortisation.DEPRECIATED, Amortisation.SIZED)
BY_SHARES = (Amortisation.SCULPTED, Amortisation.SIZED)


def index(tranche: TrancheState, sofr_before: float) -> float:
    """min(cap, max(floor, SOFR(t−1))), for the coupon and for the swap."""
    floored = max(tranche.terms.floor, sofr_before)
    cap = tranche.terms.rate_cap
    return floored if cap is None else min(cap, floored)


def margin(tranche: TrancheState, t: int) -> float:
    """Fixed rate or margin over the index in month t; a refinancing ends the step."""
    step_month = tranche.terms.margin_step_month
    is_stepped = 0 < step_month <= t and not tranche.is_extended
    return tranche.rate + (tranche.terms.margin_step if is_stepped else 0.0)


def coupon(tranche: TrancheState, t: int, sofr_before: float) -> float:
    """y = fixed rate, or index + margin, with its step."""
    if tranche.fixed:
        return margin(tranche, t)
    return index(tranche, sofr_before) + margin(tranche, t)


def is_open(box: BoxState, tranche: TrancheState, t: int) -> bool:
    """Whether a tranche can still be drawn in t."""
    return box.standing is Standing.PERFORMING and t <= tranche.terms.available_until


def annuity_payment(amount: float, rate: float, months: int) -> float:
    """Level payment of interest and principal."""
    i = rate / 12.0
    if abs(i) < 1e-12:
        return amount / months
    return amount * i / (1.0 - (1.0 + i) ** -months)


def instalment(tranche: TrancheState, t: int, base: float, rate: float) -> float:
    """Regular instalment of month t on a balance `base` without arrears."""
    if base <= 0.0 or t > tranche.maturity or not tranche.is_payment_month(t):
        return 0.0
    if t < tranche.amortisation_start or tranche.amortisation is Amortisation.BULLET:
        return 0.0
    periods_left = tranche.payments_left(t)
    balloon = tranche.balloon_amount
    if balloon is None:  # before it is fixed: today's balance stands for it
        balloon = tranche.terms.balloon * base
    amortising = max(0.0, base - balloon)
    kind = tranche.amortisation
    i = tranche.interval * rate / 12.0
    if kind is Amortisation.CUSTOM:
        amount = custom_share(tranche, t) * custom_base(tranche, base)
    elif kind is Amortisation.LEVEL and tranche.payment is not None:
        amount = tranche.payment - base * i
    elif kind is Amortisation.STRAIGHT and tranche.payment is not None:
        amount = tranche.payment
    elif kind is Amortisation.LEVEL:
        if abs(i) < 1e-12:
            amount = amortising / periods_left
        else:
            amount = amortising * i / ((1.0 + i) ** periods_left - 1.0)
    elif kind is Amortisation.STRAIGHT or tranche.fit is None:
        amount = amortising / periods_left
    elif kind in BY_SHARES:
        amount = amortising * tranche.fit.shares.get(t, 1.0 / periods_left)
    else:
        amount = base - max(tranche.fit.caps[t], balloon)
    return min(max(0.0, amount), base)


def custom_share(tranche: TrancheState, t: int) -> float:
    """Shares of the months since the payment before; they move with the schedule."""
    before = next(s for s in range(t - 1, t - tranche.interval - 1, -1) if tranche.is_regular(s))
    return sum(
        share for month, share in tranche.terms.schedule if before < month + tranche.shift <= t
    )


def custom_base(tranche: TrancheState, base: float) -> float:
    """What the shares are of: the balance at the fit, before it the projected one."""
    return base if tranche.fit_balance is None else tranche.fit_balance


def final_principal(tranche: TrancheState, t: int, base: float, regular: float) -> float:
    """What is left at maturity after the regular instalment."""
    return max(0.0, base - regular) if t >= tranche.maturity else 0.0


def projected_service(
    tranche: TrancheState, t: int, balance: float, rate: float, months: int
) -> float:
    """Interest and regular instalments of the next `months` months, draws ended."""
    total = 0.0
    accrued = tranche.accrued
    for s in range(t + 1, min(t + months, tranche.maturity) + 1):
        if balance <= TINY:
            break
        accrued += balance * rate / 12.0
        if tranche.is_payment_month(s):
            principal = instalment(tranche, s, balance, rate)
            total += accrued + principal
            balance -= principal
            accrued = 0.0
    return total


# ---------------------------------------------------------------- schedules fixed once


def commission_months(world: World, asset: AssetState) -> int:
    """From delivery to acceptance."""
    own = asset.terms.commission_months
    return rounded(world.p["box.commission"]) if own is None else own


def expected_acceptance(world: World, asset: AssetState) -> float:
    """Month of acceptance: actual, or expected; never at a killed site."""
    commission = commission_months(world, asset)
    if asset.accepted is not None:
        return asset.accepted
    if asset.delivered is not None:
        return asset.delivered + commission
    return math.inf if is_never(asset) else rounded(asset.due) + commission


def contract_months(world: World, asset: AssetState, t: int) -> range:
    """Months after t in which the contract pays, as expected at the end of t."""
    if asset.contract is None or asset.is_void or asset.status not in (*LEASED, *COMING):
        return range(0)
    start: float = t
    if asset.status in COMING:
        start = max(t, expected_acceptance(world, asset))
        if start == math.inf:
            return range(0)
    return range(int(start) + 1, int(start) + asset.remaining + 1)


def contract_cash(world: World, box: BoxState, asset: AssetState, s: int, stop: int) -> float:
    """Invoice less credit less costs of month s of a contract whose last month is stop − 1."""
    life = box.terms.useful_life_months
    accepted = asset.accepted if asset.accepted is not None else stop - 1 - asset.remaining
    if life > 0 and s - accepted > life:
        return 0.0
    invoice = asset.price * asset.unit * price_multiplier(asset, s, accepted)
    terms = asset.contract.terms
    term = min(terms.credit_months, terms.term_months)
    if asset.is_first_term and stop - s <= term:
        prepayment = asset.credit * term if asset.credit > 0.0 else prepayment_of(asset)
        invoice -= min(invoice, prepayment / term)
    return invoice - reference_costs(world, box, asset, s)


def prepayment_of(asset: AssetState) -> float:
    """π·price·gpus·730·term/10⁶."""
    if asset.contract is None:
        return 0.0
    terms = asset.contract.terms
    value = asset.price * asset.terms.gpus * 730.0 * terms.term_months / 1e6
    return terms.prepayment_share * value


def reference_costs(world: World, box: BoxState, asset: AssetState, s: int) -> float:
    """Operating costs of month s with all power at reference prices."""
    if box.terms.triple_net:
        return 0.0
    kw, gpus = asset.generation.kw, asset.terms.gpus
    power = 0.0
    if pays_for_power(box):
        price = expected_power_price(world, asset, s)
        power = gpus * kw * world.p["gpu.pue"] * HOURS * price / 1e9
    colo = box.terms.colo_usd_per_kw_month * kw * gpus / 1e6 * colo_growth(s)
    return power + colo + box.terms.operations_share * asset.terms.cost / 12.0


def contracted_cash(world: World, box: BoxState, t: int) -> dict[int, float]:
    """C(s): contracted invoices less credits less costs, by month s > t."""
    cash: dict[int, float] = {}
    for asset in box.assets:
        months = contract_months(world, asset, t)
        for s in months:
            flow = contract_cash(world, box, asset, s, months.stop)
            cash[s] = cash.get(s, 0.0) + flow
    return cash


def present_values(cash: dict[int, float], t: int, last: int, v: float) -> dict[int, float]:
    """S(s) = Σ_{u=s..last} max(0, C(u))·v^(u−s+1), by s = t+1..last+1."""
    values = {last + 1: 0.0}
    for s in range(last, t, -1):
        values[s] = v * (max(0.0, cash.get(s, 0.0)) + values[s + 1])
    return values


def fix_schedules(world: World, box: BoxState, t: int) -> None:
    """At the end of month amortisation_start − 1, or at t0."""
    for tranche in box.tranches:
        if max(0, tranche.amortisation_start - 1) != t or tranche.is_extended:
            continue
        cash = contracted_cash(world, box, t)
        if tranche.amortisation is Amortisation.SIZED and not tranche.is_sized:
            draw_to_size(box, tranche, cash, t)
        tranche.balloon_amount = tranche.terms.balloon * tranche.balance
        tranche.fit_balance = tranche.balance
        if tranche.amortisation in FITTED and tranche.maturity > t:
            tranche.fit = fit_schedule(world, box, tranche, cash, t)


def hold_payment(tranche: TrancheState, base: float) -> None:
    """Keep the payment of this month for those to come, where it is to be kept (§11).

    It is if prepayments shorten the tail, or if what is missed is left in the balance.
    """
    is_held = tranche.terms.shorten or not tranche.terms.catch_up
    if not is_held or tranche.is_extended or tranche.instalment <= 0.0:
        return
    if tranche.payment is not None:
        return
    if tranche.amortisation is Amortisation.LEVEL:
        interest = base * tranche.interval * tranche.coupon / 12.0
        tranche.payment = tranche.instalment + interest
    elif tranche.amortisation is Amortisation.STRAIGHT:
        tranche.payment = tranche.instalment


def fit_rate(tranche: TrancheState, t: int) -> float:
    """y_fit: the coupon at the fit with the swap rate as index."""
    return margin(tranche, t) + (0.0 if tranche.fixed else tranche.terms.swap_rate)


def period_values(tranche: TrancheState, cash: dict[int, float], t: int) -> dict[int, float]:
    """S(s) by payment month s after t: contracted cash of its period and later ones, before it.

    The first period begins at the fit; one of k months is discounted by 1 + k·y_fit/12.
    """
    rate = fit_rate(tranche, t)
    months = [s for s in range(t + 1, tranche.maturity + 1) if tranche.is_payment_month(s)]
    values: dict[int, float] = {}
    later = 0.0
    for last, s in reversed(list(pairwise([t, *months]))):
        period = sum(max(0.0, cash.get(u, 0.0)) for u in range(last + 1, s + 1))
        v = 1.0 / (1.0 + (s - last) * rate / 12.0)
        later = values[s] = v * (period + later)
    return values


def draw_to_size(box: BoxState, tranche: TrancheState, cash: dict[int, float], t: int) -> None:
    """The last draw of a SIZED tranche: what contracted cash carries, paid out to equity."""
    tranche.is_sized = True
    undrawn, tranche.undrawn = tranche.undrawn, 0.0
    if t == 0 and tranche.balance <= TINY:  # whatever its draw period
        undrawn = tranche.terms.commitment
    if box.standing is not Standing.PERFORMING or box.trap_on:
        return
    values = period_values(tranche, cash, t)
    capacity = values[min(values)] / tranche.terms.sculpt_dscr if values else 0.0
    ahead = sum(tr.balance for tr in box.tranches if tr.terms.rank <= tranche.terms.rank)
    amount = min(undrawn, max(0.0, capacity - ahead))
    tranche.balance += amount
    if t == 0:  # claim(0) counts it
        tranche.drawn_pv += amount
        return
    tranche.fee_drawn += amount  # at the end of the month
    box.month.sized_draw += amount
    box.month.distribution += amount


def fit_schedule(
    world: World, box: BoxState, tranche: TrancheState, cash: dict[int, float], t: int
) -> Fit:
    terms = tranche.terms
    fit = Fit(t)
    if tranche.amortisation in BY_SHARES:
        S = period_values(tranche, cash, t)
        months = sorted(S)
        for s, following in zip(months, [*months[1:], None], strict=True):
            if following is None:
                fit.shares[s] = 1.0
            elif S[s] <= TINY:
                fit.shares[s] = 1.0 / tranche.payments_left(s)
            else:
                fit.shares[s] = min(max(1.0 - S[following] / S[s], 0.0), 1.0)
        return fit
    v = 1.0 / (1.0 + fit_rate(tranche, t) / 12.0)

    # DEPRECIATED: the smaller of depreciated cost and covered contracted cash, of the box
    debt = box.debt()
    share = tranche.balance / debt if debt > TINY else 0.0
    end = max([tranche.maturity, *cash])
    S = present_values(cash, t, end, v)

    def cap(s: int) -> float:
        depreciated = 0.0
        for asset in box.assets:
            if asset.status in (Status.GONE, Status.CANCELLED):
                continue
            accepted = expected_acceptance(world, asset)
            if accepted == math.inf:
                continue
            age = max(0, s - accepted)
            left = max(0.0, 1.0 - age / terms.depreciation_months)
            depreciated += terms.advance * asset.terms.cost * left
        # present value at the end of s of the contracted cash after s
        return share * min(depreciated, S[s + 1] / terms.sculpt_dscr)

    at_fit = cap(t)
    for s in range(t + 1, tranche.maturity + 1):
        if tranche.balance <= at_fit:
            fit.caps[s] = cap(s)
        elif at_fit > TINY:
            fit.caps[s] = cap(s) * tranche.balance / at_fit
        else:
            left = (tranche.maturity - s) / (tranche.maturity - t)
            fit.caps[s] = tranche.balance * left
    return fit
