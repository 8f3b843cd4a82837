"""Coupons, instalments and the schedules that are fixed once (§11, debt service)."""

from __future__ import annotations

import math

from simulator.config.terms import Amortisation
from tests.reference.collateral import colo_growth, expected_power_price
from tests.reference.draws import rounded
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

FITTED = (Amortisation.SCULPTED, Amortisation.DEPRECIATED)


def coupon(tranche: TrancheState, sofr_before: float) -> float:
    """y = fixed rate, or max(floor, SOFR(t−1)) + margin."""
    if tranche.fixed:
        return tranche.rate
    return max(tranche.terms.floor, sofr_before) + tranche.rate


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
    if base <= 0.0 or t > tranche.maturity:
        return 0.0
    if t < tranche.amortisation_start or tranche.amortisation is Amortisation.BULLET:
        return 0.0
    months_left = tranche.maturity - t + 1
    balloon = tranche.balloon_amount
    if balloon is None:  # before it is fixed: today's balance stands for it
        balloon = tranche.terms.balloon * base
    amortising = max(0.0, base - balloon)
    kind = tranche.amortisation
    if kind is Amortisation.LEVEL:
        i = rate / 12.0
        if abs(i) < 1e-12:
            amount = amortising / months_left
        else:
            amount = amortising * i / ((1.0 + i) ** months_left - 1.0)
    elif kind is Amortisation.STRAIGHT or tranche.fit is None:
        amount = amortising / months_left
    elif kind is Amortisation.SCULPTED:
        amount = amortising * tranche.fit.shares[t]
    else:
        amount = base - max(tranche.fit.caps[t], balloon)
    return min(max(0.0, amount), base)


def final_principal(tranche: TrancheState, t: int, base: float, regular: float) -> float:
    """What is left at maturity after the regular instalment."""
    return max(0.0, base - regular) if t >= tranche.maturity else 0.0


def projected_service(
    tranche: TrancheState, t: int, balance: float, rate: float, months: int
) -> float:
    """Interest and regular instalments of the next `months` months, draws ended."""
    total = 0.0
    for s in range(t + 1, min(t + months, tranche.maturity) + 1):
        if balance <= TINY:
            break
        principal = instalment(tranche, s, balance, rate)
        total += balance * rate / 12.0 + principal
        balance -= principal
    return total


# ---------------------------------------------------------------- schedules fixed once


def expected_acceptance(world: World, asset: AssetState) -> float:
    """Month of acceptance: actual, or expected; never at a killed site."""
    commission = rounded(world.p["box.commission"])
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
    invoice = asset.price * asset.unit
    term = min(36, asset.contract.terms.term_months)
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
    power = gpus * kw * world.p["gpu.pue"] * HOURS * expected_power_price(world, asset, s) / 1e9
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
        tranche.balloon_amount = tranche.terms.balloon * tranche.balance
        if tranche.amortisation in FITTED and tranche.maturity > t:
            tranche.fit = fit_schedule(world, box, tranche, t)


def fit_schedule(world: World, box: BoxState, tranche: TrancheState, t: int) -> Fit:
    terms = tranche.terms
    rate = tranche.rate if tranche.fixed else terms.swap_rate + tranche.rate
    v = 1.0 / (1.0 + rate / 12.0)
    cash = contracted_cash(world, box, t)
    fit = Fit(t)
    if tranche.amortisation is Amortisation.SCULPTED:
        S = present_values(cash, t, tranche.maturity, v)
        for s in range(t + 1, tranche.maturity + 1):
            if S[s] <= TINY:
                share = 1.0 / (tranche.maturity - s + 1)
            else:
                share = min(max(1.0 - S[s + 1] / S[s], 0.0), 1.0)
            fit.shares[s] = 1.0 if s == tranche.maturity else share
        return fit

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
            fit.caps[s] = tranche.balance * (tranche.maturity - s) / (tranche.maturity - t)
    return fit
