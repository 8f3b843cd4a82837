"""One path of one study, told top to bottom."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from simulator.config.terms import Asset, Box, ModelInputs, Site, Tranche
from tests.reference import accounts
from tests.reference.boxes import (
    acceptance,
    boxes_one,
    move_schedules,
    open_month,
    open_tranche,
    planned_cost_reserve,
    reserve_target,
    sales_queue,
    set_credit,
)
from tests.reference.collateral import term_factor
from tests.reference.credit import (
    counterparty_defaults,
    integration,
    lower_control_clocks,
    ratings,
    threshold,
)
from tests.reference.debt import commission_months, coupon, fix_schedules, prepayment_of
from tests.reference.defaults import events_of_default
from tests.reference.draws import Draws, beta_draw, lognormal
from tests.reference.leases import leases
from tests.reference.market import HOURS, SHORTAGE, Market, ReferencePath, reference_path
from tests.reference.outcome import Outcome, collect_outcome
from tests.reference.projection import power_cost
from tests.reference.sponsors import liquidity, support_and_cures
from tests.reference.state import (
    TINY,
    AssetState,
    BoxState,
    ContractState,
    NameState,
    SiteState,
    SponsorState,
    Standing,
    Status,
    TrancheState,
    World,
)
from tests.reference.waterfall import refinance, waterfall
from tests.reference.workout import closed, force_close, recovery, workout

HIGHEST_OCCUPANCY = 0.99  # of a pool, on average

Compensator = Mapping[str, Sequence[float]]


def simulate_path(
    inputs: ModelInputs,
    seed: int,
    path: int,
    compensator: Compensator | None = None,
    reference: ReferencePath | None = None,
    market: Market | None = None,
) -> Outcome:
    """Simulate one path; `compensator` maps the id of a name to c(1..H), None to zeros.

    `market` replaces the market of the path, at month 0, by one that steps itself differently.
    """
    if reference is None:
        reference = reference_path(inputs)
    world = start(inputs, seed, path, reference, market)
    outcome = Outcome.empty(world)
    for t in range(1, inputs.horizon + 1):
        month(world, t, compensator)
        outcome.record_month(world, t)
    collect_outcome(world, outcome)
    return outcome


# ------------------------------------------------------------------ the month


def month(world: World, t: int, compensator: Compensator | None) -> None:
    world.t = t
    world.market.step(t)  # 1-9
    sales_queue(world, t)
    policy_hits_deals(world, t)
    memory_slips(world, t)
    counterparties_and_leases(world, t, compensator)  # 10
    for box in world.boxes:
        open_month(world, box, t)
    for sponsor in world.sponsors.values():
        for note in sponsor.notes:
            open_tranche(world, note, t)
    boxes_one(world, t)  # 11
    for sponsor in world.sponsors.values():
        support_and_cures(world, sponsor, t)  # 12
    for box in world.boxes:
        boxes_two(world, box, t)  # 13
        acceptance(world, box, t)
        fix_schedules(world, box, t)
    for sponsor in world.sponsors.values():
        liquidity(world, sponsor, t)  # 14
    close_month(world, t)


def policy_hits_deals(world: World, t: int) -> None:
    event = world.market.policy_event
    if event is None:
        return
    for name in world.names.values():
        is_exposed = name.terms.export_exposed == event.jurisdiction
        if event.control and is_exposed and name.clock == 0 and name.ended_month == 0:
            name.clock = 12
    for asset in world.assets:
        site = asset.site.terms
        is_hit = site.jurisdiction == event.jurisdiction and not site.energised
        if is_hit and asset.status is Status.PENDING:
            asset.due += event.site_slip


def memory_slips(world: World, t: int) -> None:
    if world.market.shortage_starts:
        for asset in world.assets:
            if asset.status is Status.PENDING and asset.generation.memory_exposed:
                asset.due += memory_slip(world, asset, t)


def memory_slip(world: World, asset: AssetState, t: int) -> float:
    z, _ = world.draws.normals(f"asset.{asset.id}.slip", t)
    return lognormal(world.p["mem.delay"], 0.7, z)


def counterparties_and_leases(world: World, t: int, compensator: Compensator | None) -> None:
    counterparty_defaults(world, t, compensator)
    ratings(world, t)
    integration(world.market, world.draws, world.names, t)
    for box in world.boxes:
        leases(world, box, t)
    lower_control_clocks(world.names, t)


def boxes_two(world: World, box: BoxState, t: int) -> None:
    if box.standing is Standing.PERFORMING:
        waterfall(world, box, t)
        refinance(world, box, t)
        events_of_default(world, box, t)
        note_repayment(box, t)
    elif box.standing is Standing.WORKOUT:
        workout(world, box, t)
    elif box.standing is Standing.RECOVERY:
        recovery(world, box, t)
    else:
        closed(world, box, t)
    if t == world.inputs.horizon:
        force_close(world, box, t)


def note_repayment(box: BoxState, t: int) -> None:
    """A box counts as repaid when it owes nothing, can draw nothing and never defaulted."""
    if not box.had_debt or box.repaid_month > 0 or box.default_month > 0:
        return
    can_draw = any(tr.undrawn > TINY and t < tr.terms.available_until for tr in box.tranches)
    if box.debt() <= TINY and not can_draw:
        box.repaid_month = t


def close_month(world: World, t: int) -> None:
    for box in world.boxes:
        month = box.month
        cfads, service = box.window_sums()
        if month.debt_service > TINY and service > TINY:
            month.dscr = cfads / service
        box.in_start.append(month.capex_equity + month.issue_discount)
        box.in_end.append(
            month.construction_equity + month.reserve_equity + month.support + month.cure
        )
        box.out.append(month.distribution)
        month.reserve, month.power_reserve, month.trap = box.reserve, box.power_reserve, box.trap
        month.collected = box.collected
        month.debt = 0.0 if box.standing is Standing.CLOSED else box.debt()
        month.arrears = sum(tr.arrears for tr in box.tranches)
        month.carried_costs, month.carried_fees = box.carried_costs, box.carried_fees
        box.months.append(month)
        for tranche in box.tranches:
            accounts.close_tranche_month(tranche)
    for sponsor in world.sponsors.values():
        for note in sponsor.notes:
            accounts.close_tranche_month(note)
    world.market.end_month()
    if t == world.inputs.horizon:
        for box in world.boxes:
            box.terminal_value = accounts.terminal_value(world, box)


# ------------------------------------------------------------------ the state at t0


def start(
    inputs: ModelInputs,
    seed: int,
    path: int,
    reference: ReferencePath,
    market: Market | None = None,
) -> World:
    draws = Draws(seed, path)
    if market is None:
        market = Market(inputs, draws, inputs.parameters, reference)
    book = inputs.book
    names = {
        name.id: NameState(name, threshold(inputs, name, draws, market)) for name in book.names
    }
    world = World(inputs, draws, market, 0, names, {}, {}, [], [], {})
    world.sites = {site.id: site_state(world, site) for site in book.sites}
    world.contracts = {
        contract.id: ContractState(
            contract,
            names[contract.offtaker],
            names[contract.backstop] if contract.backstop else None,
            contract.backstop_cap,
            names[contract.residual_guarantor or contract.offtaker],
            math.inf if contract.residual_cap is None else contract.residual_cap,
        )
        for contract in book.contracts
    }
    boxes = {box.id: box for box in book.boxes}
    world.assets = [asset_state(world, asset, boxes[asset.box]) for asset in book.assets]
    world.boxes = [box_state(world, box) for box in book.boxes]
    for sponsor in book.sponsors:
        world.sponsors[sponsor.id] = SponsorState(
            terms=sponsor,
            boxes=[box for box in world.boxes if box.terms.sponsor == sponsor.id],
            notes=[
                tranche_state(tranche)
                for tranche in book.tranches
                if not tranche.box and tranche.sponsor == sponsor.id
            ],
            cash=sponsor.cash,
        )
    for box in world.boxes:
        for tranche in box.tranches:
            tranche.coupon = coupon(tranche, 0, market.sofr[0])
        move_schedules(world, box)
        fix_schedules(world, box, 0)
        box.had_debt = box.debt() > TINY
        fill_reserves(world, box)
        box.in_0 = accounts.equity_at_start(box)
    for sponsor in world.sponsors.values():
        sponsor.other_value = other_value_at_start(sponsor)
    for tranche in world.tranches():
        tranche.opening = tranche.claim()
    return world


def other_value_at_start(sponsor: SponsorState) -> float:
    """As given, or what market value says beyond cash, boxes and debt."""
    given = sponsor.terms.other_value
    if not math.isnan(given):
        return given
    debt = sum(note.terms.balance0 for note in sponsor.notes)
    known = sponsor.terms.cash + sum(box.in_0 for box in sponsor.boxes)
    return max(0.0, sponsor.terms.market_value + debt - known)


def site_state(world: World, site: Site) -> SiteState:
    p, draws = world.p, world.draws
    _, z_curtail = draws.normals(f"site.{site.id}.more", 0)
    curtailed = beta_draw(p["pow.curtail"], p["pow.curtail"], z_curtail)
    delay = 0.0
    is_killed = False
    if world.is_on("delivery") and not site.energised:
        u_late, _ = draws.uniforms(f"site.{site.id}", 0)
        _, z_own = draws.normals(f"site.{site.id}", 0)
        if u_late < min(1.0, p["del.p"] * site.delay_factor):
            rho = p["del.rho"]
            z = math.sqrt(rho) * world.market.S_star + math.sqrt(1.0 - rho) * z_own
            delay += lognormal(p["del.size"], 0.7, z) * site.delay_size_factor
            kill = min(1.0, p["del.kill"] * site.kill_factor)
            is_killed = draws.uniforms(f"site.{site.id}.more", 0)[0] < kill
        if site.network_risk:
            u_fibre, _ = draws.uniforms(f"site.{site.id}.fibre", 0)
            _, z_fibre = draws.normals(f"site.{site.id}.fibre", 0)
            if u_fibre < site.fibre_probability:
                delay += lognormal(4.0, 0.7, z_fibre)
    return SiteState(site, delay, is_killed, (1.0 - curtailed) * 0.99)


def asset_state(world: World, asset: Asset, box: Box) -> AssetState:
    generation = next(g for g in world.inputs.book.generations if g.name == box.generation)
    contract = world.contracts[asset.contract] if asset.contract else None
    site = world.sites[asset.site]
    term = contract.terms.term_months if contract else 0
    remaining = term + asset.accepted if asset.accepted is not None else term
    remaining = max(0, remaining)
    price = contract.terms.price if contract else 0.0
    moneyness = contract.terms.moneyness0 if contract else 1.0
    k = box.market_factor
    if contract:
        years = max(0, -asset.accepted) // 12 if asset.accepted is not None else 0
        asked = price * (1.0 + contract.terms.escalator) ** years
        term_price = generation.contract_price * term_factor(world, generation, remaining)
        k = moneyness * asked / term_price
    state = AssetState(
        terms=asset,
        contract=contract,
        site=site,
        generation=generation,
        unit=asset.gpus * HOURS * site.availability / 1e6,
        status=Status.PENDING,
        due=asset.planned_delivery + site.delay,
        delivered=None,
        accepted=asset.accepted,
        remaining=remaining,
        is_first_term=True,
        price=price,
        first_price=price,
        k=k,
        moneyness=moneyness,
    )
    if asset.accepted is not None or asset.cost_delivered_at_t0:
        delivered_at_start(state)
        return state
    if world.inputs.path is not None:
        state.due += world.inputs.path.delay_months
    if asset.licence and world.is_on("policy"):
        z, _ = world.draws.normals(f"asset.{asset.id}.licence", 0)
        _, u = world.draws.uniforms(f"asset.{asset.id}.licence", 0)
        state.is_refused = u >= world.p["reg.licence_p"]
        state.due = max(state.due, lognormal(6.0, 0.5, z))
    is_short = world.is_on("memory") and world.market.memory_state[0] == SHORTAGE
    if is_short and generation.memory_exposed:
        state.due += memory_slip(world, state, 0)
    return state


def delivered_at_start(asset: AssetState) -> None:
    asset.delivered = asset.terms.planned_delivery
    if asset.accepted is None:
        asset.status = Status.COMMISSIONING
    elif asset.contract is not None and asset.remaining > 0:
        asset.status = Status.CONTRACTED
    else:
        asset.status = Status.MERCHANT
        asset.reason = "expiry" if asset.contract is not None else ""
        asset.is_first_term = False
    set_credit(asset, prepayment_of(asset))
    asset.unearned -= asset.credit * max(0, asset.credit_months - asset.remaining)


def tranche_state(tranche: Tranche, interval: int = 1, payment_anchor: int = 0) -> TrancheState:
    is_open_at_start = tranche.available_until >= 1
    return TrancheState(
        terms=tranche,
        balance=tranche.balance0,
        undrawn=max(0.0, tranche.commitment - tranche.balance0) if is_open_at_start else 0.0,
        maturity=tranche.maturity,
        fixed=tranche.fixed,
        rate=tranche.rate,
        hedge_share=0.0 if tranche.fixed else tranche.hedge_share,
        amortisation=tranche.amortisation,
        amortisation_start=tranche.amortisation_start,
        interval=interval,
        payment_anchor=payment_anchor,
        drawn_pv=tranche.balance0,
    )


def box_state(world: World, box: Box) -> BoxState:
    z, _ = world.draws.normals(f"box.{box.id}.utilisation", 0)
    tranches = [tr for tr in world.inputs.book.tranches if tr.box == box.id]
    latest = max((tr.maturity for tr in tranches), default=0)
    generation = next(g for g in world.inputs.book.generations if g.name == box.generation)
    occupancy = world.p["gpu.util"]
    if generation.occupancy is not None:
        occupancy = min(HIGHEST_OCCUPANCY, generation.occupancy)
    assets = [asset for asset in world.assets if asset.terms.box == box.id]
    return BoxState(
        terms=box,
        generation=generation,
        assets=assets,
        tranches=[
            tranche_state(tr, box.payment_interval, latest)
            for tr in sorted(tranches, key=lambda tr: (tr.rank, tr.id))
        ],
        pool_utilisation=beta_draw(occupancy, 0.08, z),
        payment_anchor=latest,
        accordion_left=box.accordion,
        planned_acceptance=min(
            (planned_acceptance(world, asset) for asset in assets), default=math.inf
        ),
    )


def planned_acceptance(world: World, asset: AssetState) -> float:
    """As planned at t0, without delays."""
    if asset.accepted is not None:
        return asset.accepted
    return max(1, asset.terms.planned_delivery + commission_months(world, asset))


def fill_reserves(world: World, box: BoxState) -> None:
    """A box in operation at t0 has its reserves full."""
    if box.first_acceptance() is None or box.debt() <= TINY:
        return
    box.reserve = reserve_target(world, box, 0) + planned_cost_reserve(world, box, 0)
    power = sum(
        power_cost(world, box, asset, 0)
        for asset in box.assets
        if asset.accepted is not None and not box.terms.triple_net
    )
    box.power_reserve = box.terms.power_reserve_months * power
