"""Stage 10, second half: what each asset's lease does in a month (§10)."""

from __future__ import annotations

import math

from tests.reference.collateral import box_utilisation, cash_floor, term_factor, value
from tests.reference.draws import beta_draw, fires, lognormal, rounded
from tests.reference.market import GLUT_THRESHOLD
from tests.reference.state import (
    COMING,
    LEASED,
    TINY,
    AssetState,
    BoxState,
    Standing,
    Status,
    World,
)


def comparable(world: World, asset: AssetState, t: int) -> float:
    """P^c(t) = k·P_g,contract(t)·T(remaining)."""
    price = world.market.contract_price[asset.generation.name][t]
    return asset.k * price * term_factor(world, asset.generation, asset.remaining)


def price_multiplier(asset: AssetState, t: int, accepted: float | None) -> float:
    """m(t) = billing(t)·(1 + e)^floor((t − accepted)/12) in the first term, then 1 (§10)."""
    if asset.contract is None or not asset.is_first_term:
        return 1.0
    terms = asset.contract.terms
    billing = 1.0
    for month, multiplier in terms.billing:
        if month <= t:
            billing = multiplier
    years = 0 if accepted is None else max(0, math.floor((t - accepted) / 12.0))
    return billing * (1.0 + terms.escalator) ** years


def price_of_month(asset: AssetState, t: int) -> float:
    """What the contract charges in month t, USD per GPU-hour."""
    return asset.price * price_multiplier(asset, t, asset.accepted)


def moneyness_surprise(world: World, asset: AssetState, t: int) -> float:
    """R̃ = dev(t)/dev₀·moneyness."""
    return world.market.dev[asset.generation.name][t] / asset.dev_0 * asset.moneyness


def reset(world: World, asset: AssetState, t: int) -> None:
    asset.dev_0 = world.market.dev[asset.generation.name][t]
    asset.moneyness = 1.0


def glut_factor(world: World, t: int) -> float:
    return 2.0 if world.market.x[t] < GLUT_THRESHOLD else 1.0


def leases(world: World, box: BoxState, t: int) -> None:
    box.conceded = 0.0
    for asset in box.assets:
        asset.invoice_due = asset.received = asset.merchant = asset.arrears_received = 0.0
        asset.is_running = False
        if asset.contract is not None:  # its price in dollars of today
            rate = world.market.exchange[asset.contract.terms.currency]
            asset.price *= rate[t] / rate[t - 1]
        if box.standing is Standing.CLOSED or asset.status in (Status.GONE, Status.CANCELLED):
            continue
        life = box.terms.useful_life_months
        if life > 0 and asset.is_accepted_before(t) and asset.age(t) > life:
            asset.status = Status.GONE
            asset.reason = asset.reason or "expiry"
            continue
        if asset.contract is not None:
            default_of_offtaker(world, box, asset, t)
        status = asset.status
        bill(world, box, asset, t)
        if asset.contract is not None and not asset.is_void:
            renegotiation(world, box, asset, t)
            end_of_term(world, box, asset, t)
        if status is Status.RELETTING:
            asset.reletting_left -= 1
            if asset.reletting_left == 0:
                asset.status, asset.merchant_months = Status.MERCHANT, 0


def default_of_offtaker(world: World, box: BoxState, asset: AssetState, t: int) -> None:
    """a."""
    contract = asset.contract
    offtaker, backstop = contract.offtaker, contract.backstop
    if asset.is_void or asset.status not in (*LEASED, *COMING):
        return
    if 0 < offtaker.ended_month < t:
        end_contract(world, asset, t, "control")
    elif offtaker.default_month == t and asset.status is Status.CONTRACTED:
        is_backed = (
            backstop is not None and not backstop.is_in_default(t) and contract.backstop_left > 0.0
        )
        asset.status = Status.BACKSTOPPED if is_backed else Status.UNPAID
    elif asset.status is Status.BACKSTOPPED:
        if backstop.is_in_default(t - 1) or contract.backstop_left <= 0.0:
            reject(world, box, asset, t)
    elif offtaker.default_month == t - 3 > 0 and asset.status is not Status.CONTRACTED:
        is_assumed = asset.remaining > 0 and comparable(world, asset, t) >= price_of_month(asset, t)
        if not is_assumed:
            reject(world, box, asset, t)
        elif asset.status is Status.UNPAID:
            asset.status = Status.CONTRACTED
            asset.arrears_received, asset.arrears = asset.arrears, 0.0


def reject(world: World, box: BoxState, asset: AssetState, t: int) -> None:
    """Bankruptcy ends a contract; for accepted GPUs there is a claim."""
    if asset.status in LEASED:
        file_claim(world, box, asset, t)
        if asset.contract.guarantor is not asset.contract.offtaker:
            call_residual_guarantee(world, box, asset, t)
    end_contract(world, asset, t, "counterparty")


def call_residual_guarantee(world: World, box: BoxState, asset: AssetState, t: int) -> None:
    """max(0, residual_share·cost − V·gpus) at the end of a first term, a disposal of t + 1."""
    contract = asset.contract
    terms = contract.terms
    if not asset.is_first_term or contract.guarantor.is_in_default(t):
        return
    worth = value(world, box, asset, t) * asset.terms.gpus / 1e6
    shortfall = max(0.0, terms.residual_share * asset.terms.cost - worth)
    amount = min(shortfall, contract.residual_left)
    if amount > 0.0:
        contract.residual_left -= amount
        box.disposals.append((t + 1, amount))


def end_contract(world: World, asset: AssetState, t: int, reason: str) -> None:
    """What is accepted seeks a new customer from this month on; what is pending is cancelled."""
    asset.reason, asset.terminated_month = reason, t
    asset.is_void = True
    asset.arrears = asset.unearned = asset.credit = 0.0
    if asset.status is Status.PENDING:
        asset.status = Status.CANCELLED
    elif asset.status in LEASED:
        asset.is_first_term = False
        start_reletting(world, asset, t)


def file_claim(world: World, box: BoxState, asset: AssetState, t: int) -> None:
    """Contract cash lost, less what re-letting brings, less unearned prepayment."""
    p = world.p
    i = p["cp.claim_rate"] / 12.0

    def annuity(months: int) -> float:
        return float(months) if abs(i) < 1e-12 else (1.0 - (1.0 + i) ** -months) / i

    n = asset.remaining
    lag = rounded(p["cp.relet_lag"] * math.exp(0.245) * glut_factor(world, t))
    lost = price_of_month(asset, t) * asset.unit * annuity(n)
    replaced = comparable(world, asset, t) * asset.unit * (annuity(n) - annuity(min(lag, n)))
    amount = max(0.0, max(0.0, lost - replaced) - asset.unearned)
    z_share, z_time = world.draws.normals(f"contract.{asset.contract.terms.id}.claim", t)
    share = beta_draw(p["cp.lgd_claim"], 0.25, z_share)
    delay = max(1, rounded(12.0 * lognormal(p["cp.workout_time"], 0.5, z_time)))
    if amount * share > 0.0:
        box.claims.append((t + delay, amount * share))


def start_reletting(world: World, asset: AssetState, t: int) -> None:
    """e."""
    _, z = world.draws.normals(f"asset.{asset.id}.renewal", t)
    lag = world.p["cp.relet_lag"] * math.exp(0.7 * z) * glut_factor(world, t)
    asset.status = Status.RELETTING
    asset.reletting_left = max(1, rounded(lag))


def bill(world: World, box: BoxState, asset: AssetState, t: int) -> None:
    """b."""
    if asset.status in LEASED:
        asset.is_running = True
        if asset.remaining > 0:
            bill_contract(world, asset, t)
    elif asset.status is Status.MERCHANT:
        bill_merchant(world, box, asset, t)


def receipts_share(world: World, box: BoxState, t: int) -> float:
    """A change of servicer costs half the receipts for three months (one with a licence)."""
    default = world.sponsors[box.terms.sponsor].default_month
    months = 1 if box.terms.operating_licence else 3
    return 0.5 if default > 0 and default < t <= default + months else 1.0


def bill_contract(world: World, asset: AssetState, t: int) -> None:
    contract = asset.contract
    hit = world.p["reg.offtake_hit"] if contract.offtaker.clock > 0 else 0.0
    due = price_of_month(asset, t) * asset.unit
    if asset.is_first_term and asset.remaining <= asset.credit_months and asset.unearned > 0.0:
        credit = min(due, asset.credit)
        asset.unearned = max(0.0, asset.unearned - credit)
        due -= credit
    asset.invoice_due = due
    invoice = due * (1.0 - hit)
    if asset.status is Status.CONTRACTED:
        asset.received = invoice
    elif asset.status is Status.UNPAID:
        asset.arrears += invoice
    elif contract.offtaker.default_month != t:
        asset.received = min(invoice, contract.backstop_left)
        contract.backstop_left -= asset.received
    asset.remaining -= 1


def bill_merchant(world: World, box: BoxState, asset: AssetState, t: int) -> None:
    market = world.market
    name = asset.generation.name
    if asset.contract is None:
        asset.merchant_price = asset.k * market.spot_price[name][t]
    else:
        if asset.merchant_months == 0:
            asset.merchant_price = asset.k * market.contract_price[name][t]
            asset.merchant_months = 12
        asset.merchant_months -= 1
    utilisation = box_utilisation(world, box, t)
    floor = cash_floor(world, box, asset, t)
    if asset.merchant_price * utilisation < floor:
        asset.idle_months += 1
        if asset.idle_months == 6:
            asset.status = Status.GONE
    else:
        asset.is_running = True
        asset.idle_months = 0
        asset.merchant = asset.merchant_price * utilisation * asset.unit


def renegotiation(world: World, box: BoxState, asset: AssetState, t: int) -> None:
    """c."""
    is_open = asset.status in (Status.CONTRACTED, Status.PENDING, Status.COMMISSIONING)
    offtaker = asset.contract.offtaker
    if not world.is_on("renegotiation") or not is_open or offtaker.is_in_default(t):
        return
    if asset.renegotiated is not None and t - asset.renegotiated < 12:
        return
    p = world.p
    if offtaker.terms.investment_grade:
        h_0, slope = p["cp.reneg_h0_ig"], p["cp.reneg_slope.ig"]
    else:
        h_0, slope = p["cp.reneg_h0_nig"], p["cp.reneg_slope.non_ig"]
    surprise = max(0.0, 0.75 - moneyness_surprise(world, asset, t))
    hazard = h_0 * world.market.prior["cp.reneg"] + slope * surprise
    hazard *= asset.contract.terms.consent_multiplier
    stream = f"contract.{asset.contract.terms.id}.renegotiation"
    if not fires(hazard, world.draws.uniforms(stream, t)[0]):
        return
    _, z = world.draws.normals(stream, t)
    gap = max(0.0, price_of_month(asset, t) - comparable(world, asset, t))
    concession = beta_draw(p["cp.reneg_concession"], 0.2, z) * gap
    asset.renegotiated = t  # whether or not it is granted
    if not lenders_agree(world, box, asset, concession * asset.unit):
        return
    if concession > 0.0:
        asset.price -= concession / price_multiplier(asset, t, asset.accepted)
    reset(world, asset, t)


def lenders_agree(world: World, box: BoxState, asset: AssetState, cut: float) -> bool:
    """Whether the coverage window of t − 1 bears what is given away, USD m a month (§10).

    Granted cuts of the same month use up coverage.
    """
    is_asked = asset.contract.terms.consent_multiplier == 1.0 and world.is_on("lender_consent")
    is_protected = box.debt() > TINY or box.undrawn() > TINY
    if not is_asked or not is_protected:
        return True
    if box.standing is not Standing.PERFORMING:
        return False
    cfads, service = box.window_sums()
    months = len(box.window) * box.terms.payment_interval
    left = cfads - months * (box.conceded + cut)
    if service <= TINY or left < world.p["cp.consent_dscr"] * service:
        return False
    box.conceded += cut
    return True


def end_of_term(world: World, box: BoxState, asset: AssetState, t: int) -> None:
    """d."""
    if asset.status not in (Status.CONTRACTED, Status.BACKSTOPPED) or asset.remaining > 0:
        return
    offtaker = asset.contract.offtaker
    p = world.p
    chance = min(0.95, p["cp.renew0"] * math.exp(world.market.x[t] / 2.0))
    if offtaker.integrated_month > 0:
        chance *= 0.05
    u, _ = world.draws.uniforms(f"asset.{asset.id}.renewal", t)
    asset.reason = asset.reason or "expiry"
    if asset.status is Status.CONTRACTED and u < chance and not offtaker.is_in_default(t):
        price = world.market.contract_price[asset.generation.name][t]
        asset.price = asset.k * price * term_factor(world, asset.generation, 24)
        asset.remaining = 24
        reset(world, asset, t)
    else:
        call_residual_guarantee(world, box, asset, t)
        start_reletting(world, asset, t)
    asset.is_first_term = False


def accept(world: World, asset: AssetState, t: int) -> None:
    """End of month: revenue, costs and age start the month after."""
    asset.accepted = t
    if asset.contract is None:
        asset.status = Status.MERCHANT
    elif asset.is_void:
        asset.is_first_term = False
        start_reletting(world, asset, t)
    else:
        default = asset.contract.offtaker.default_month
        is_unresolved = default > 0 and t < default + 3
        asset.status = Status.UNPAID if is_unresolved else Status.CONTRACTED
