"""From resolved terms to packed arrays: the last place that knows names.

Canonical order: assets and tranches grouped by box, everything sorted by id.  Streams are keyed by
id, so the order is a matter of layout and never of numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.costs import COST_CODE, COST_TERM, CostParams
from simulator.box.deliveries import (
    CAPEX_SD,
    DELIVERY_CODE,
    DELIVERY_STREAM,
    DELIVERY_TERM,
    DeliveryParams,
)
from simulator.box.disposals import DISPOSAL_CODE, DISPOSAL_TERM, DisposalParams
from simulator.box.sites import SITE_CODE, SITE_STREAM, SITE_TERM, SiteParams
from simulator.box.terms import (
    BOX_CODE,
    BOX_STREAM,
    BOX_TERM,
    GRACE_MONTH_ENDS,
    TRANCHE_CODE,
    TRANCHE_TERM,
    BoxParams,
    TrancheParams,
)
from simulator.config.terms import (
    DOLLAR,
    NEW_NOTES,
    WATERFALL_LINES,
    Asset,
    Generation,
    ModelInputs,
    Name,
    Tranche,
    currencies,
)
from simulator.credit.leases import LEASE_CODE, LEASE_STREAM, LEASE_TERM, NEVER, LeaseParams
from simulator.credit.names import (
    NAME_CODE,
    NAME_STREAM,
    NAME_TERM,
    OTHER_MACRO_LOADING,
    NameParams,
)
from simulator.drivers.collateral import HOURS, CollateralParams, pack_collateral
from simulator.drivers.prices import tenor_factor
from simulator.engine.market import MarketParams
from simulator.engine.state import CONTRACT_MONTHS, ModelParams
from simulator.numerics.quantiles import beta_quantile_table, chi2_quantile_table
from simulator.numerics.streams import stream_id_array
from simulator.sponsor.terms import SPONSOR_TERM, SponsorParams

IntegerColumn = NDArray[np.int64] | NDArray[np.bool_]

HALL_ESCALATOR = 0.04  # log per year
UTILISATION_SD = 0.08
CONCESSION_SD = 0.2
CLAIM_SD = 0.25
RECOVERY_SD = 0.25
REPLACEMENT_YEARS = 5.0  # over which new GPUs must earn their price


class Layout(NamedTuple):
    """The order of rows: what the engine's arrays stand for."""

    generations: tuple[str, ...]
    names: tuple[str, ...]
    sites: tuple[str, ...]
    contracts: tuple[str, ...]
    assets: tuple[Asset, ...]
    boxes: tuple[str, ...]
    tranches: tuple[Tranche, ...]
    sponsors: tuple[str, ...]
    jurisdictions: tuple[str, ...]


class NameClass(NamedTuple):
    """What names must share to share a compensator."""

    hazard: tuple[float, ...]
    beta: float
    macro_loading: float
    ai_loading: float
    efficiency_loading: float


def layout_of(inputs: ModelInputs) -> Layout:
    """Return the canonical order of a book."""
    book = inputs.book
    return Layout(
        generations=tuple(g.name for g in book.generations),
        names=tuple(sorted(n.id for n in book.names)),
        sites=tuple(sorted(s.id for s in book.sites)),
        contracts=tuple(sorted(c.id for c in book.contracts)),
        assets=tuple(sorted(book.assets, key=lambda a: (a.box, a.id))),
        boxes=tuple(sorted(b.id for b in book.boxes)),
        tranches=tuple(
            sorted(
                book.tranches,
                key=lambda d: (d.box == "", d.box, d.sponsor if d.box == "" else "", d.rank, d.id),
            )
        ),
        sponsors=tuple(sorted(s.id for s in book.sponsors)),
        jurisdictions=tuple(name for name, _ in book.jurisdictions),
    )


def floats(values: Sequence[float]) -> NDArray[np.float64]:
    """Return a float64 array."""
    return np.array(values, dtype=np.float64)


def ints(values: Sequence[int]) -> NDArray[np.int64]:
    """Return an int64 array."""
    return np.array(values, dtype=np.int64)


def bools(values: Sequence[bool]) -> NDArray[np.bool_]:
    """Return a bool array."""
    return np.array(values, dtype=np.bool_)


def float_rows(rows: tuple[int, ...], **columns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stack columns of terms: one row a term, in the order of its Rows tuple."""
    return np.array([columns[name] for name in fields_of(rows)], dtype=np.float64)


def code_rows(rows: tuple[int, ...], **columns: IntegerColumn) -> NDArray[np.int64]:
    """Stack columns of whole-number terms and flags."""
    return np.array([columns[name] for name in fields_of(rows)], dtype=np.int64)


def stream_rows(rows: tuple[int, ...], **columns: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Stack columns of stream numbers."""
    return np.array([columns[name] for name in fields_of(rows)], dtype=np.uint64)


def fields_of(rows: tuple[int, ...]) -> tuple[str, ...]:
    """Return the names of a Rows tuple."""
    names: tuple[str, ...] = rows._fields  # type: ignore[attr-defined]
    return names


def whole_months(months: float) -> float:
    """Return a duration rounded to months."""
    return float(np.floor(months + 0.5))


def indices(order: Sequence[str], wanted: Sequence[str]) -> NDArray[np.int64]:
    """Return the row of each wanted id, -1 for the empty id."""
    rows = {name: row for row, name in enumerate(order)}
    return ints([rows[name] if name else -1 for name in wanted])


def loadings(inputs: ModelInputs, name: Name) -> tuple[float, float]:
    """Return (a, b): loadings of a name on the credit cycle and on the AI factor."""
    if not name.ai:
        return OTHER_MACRO_LOADING, 0.0
    rho, macro = inputs.parameters["cp.rho"], inputs.parameters["cp.rho_macro"]
    return rho**0.5 * macro, rho**0.5 * (1.0 - macro * macro) ** 0.5


def name_classes(inputs: ModelInputs) -> tuple[list[NameClass], dict[str, int]]:
    """Return the distinct classes of names, and the class of each name."""
    classes: dict[NameClass, int] = {}
    members: dict[str, int] = {}
    for name in sorted(inputs.book.names, key=lambda n: n.id):
        of_factors = loadings(inputs, name)
        key = NameClass(name.hazard_per_year, name.beta, *of_factors, name.efficiency_loading)
        members[name.id] = classes.setdefault(key, len(classes))
    return list(classes), members


def pack_names(inputs: ModelInputs, layout: Layout, compensator: NDArray[np.float64]) -> NameParams:
    """Pack the counterparties; `compensator` (class, month) is solved on the pilot."""
    p = inputs.parameters
    names = sorted(inputs.book.names, key=lambda n: n.id)
    _, members = name_classes(inputs)
    years = max([len(n.hazard_per_year) for n in names], default=1)
    hazard = np.zeros((len(names), years))
    for row, name in enumerate(names):
        curve = list(name.hazard_per_year) + [name.hazard_per_year[-1]] * years
        hazard[row] = np.array(curve[:years]) * p["cp.pd_curve"]
    nu = inputs.copula_nu
    pairs = [loadings(inputs, n) for n in names]
    certain: dict[str, int] = {}
    log_multiplier = 0.0
    watched = {c.offtaker for c in inputs.book.contracts if c.rating_floor > 0.0}
    if inputs.path:  # its multiplier stands in for the stress of the sector
        certain = dict(inputs.path.defaults)
        hazard = hazard * inputs.path.hazard_multiplier
        with np.errstate(divide="ignore"):  # no hazard at all: the best of ratings
            log_multiplier = float(np.log(inputs.path.hazard_multiplier))
    return NameParams(
        terms=float_rows(
            NAME_TERM,
            beta=floats([0.0 if inputs.path else n.beta for n in names]),
            macro_loading=floats([a for a, _ in pairs]),
            ai_loading=floats([b for _, b in pairs]),
            efficiency_loading=floats(
                [0.0 if inputs.path else n.efficiency_loading for n in names]
            ),
            notch=floats([n.notch or 0.0 for n in names]),
        ),
        codes=code_rows(
            NAME_CODE,
            group=ints([members[n.id] for n in names]),
            sponsor=indices(layout.sponsors, [n.sponsor for n in names]),
            jurisdiction=indices(layout.jurisdictions, [n.export_exposed for n in names]),
            integrates=bools([n.hyperscaler for n in names]),
            certain=ints([certain.get(n.id, 0) for n in names]),
            drifts=bools([n.id in watched and bool(n.notch) and not n.sponsor for n in names]),
        ),
        streams=stream_rows(
            NAME_STREAM,
            default_streams=stream_id_array([f"name.{n.id}" for n in names]),
            integration_streams=stream_id_array([f"name.{n.id}.integration" for n in names]),
            rating_streams=stream_id_array([f"name.{n.id}.rating" for n in names]),
        ),
        hazard=hazard,
        compensator=compensator,
        integration_hazard=p["sup.vi_lambda"] if inputs.switches["integration"] else 0.0,
        degrees_of_freedom=float(nu),
        chi2_table=chi2_quantile_table(nu) if nu > 0 else np.zeros(2),
        copula_stream=stream_id_array(["copula"])[0],
        log_multiplier=log_multiplier,
        notch_slope=p["cp.notch_slope"],
        drift_sd=p["cp.drift_sd"],
        enabled=inputs.switches["counterparty_default"],
    )


def streams_of(names: Sequence[str]) -> NDArray[np.uint64]:
    """Return stream numbers of names that may repeat (the assets of a contract share its draws)."""
    known = dict(zip(sorted(set(names)), stream_id_array(sorted(set(names))), strict=True))
    return np.array([known[name] for name in names], dtype=np.uint64)


def billing_profile(steps: Sequence[tuple[int, float]]) -> NDArray[np.float64]:
    """Return the multiplier of a contract's price by month from t0: 1 before the first step."""
    profile = np.ones(CONTRACT_MONTHS)
    for month, multiplier in sorted(steps):
        profile[month:] = multiplier
    return profile


def pack_leases(inputs: ModelInputs, layout: Layout) -> LeaseParams:
    """Pack the leases: one per asset, with the terms of its contract."""
    p = inputs.parameters
    book = inputs.book
    assets = layout.assets
    contracts = {c.id: c for c in book.contracts}
    boxes = {b.id: b for b in book.boxes}
    names = {n.id: n for n in book.names}
    generations = {g.name: g for g in book.generations}
    money = (DOLLAR, *currencies(book))
    discounts = floats([p[f"gpu.term_disc.{year}y"] for year in (1, 3, 5)])
    profiled = [c for c in layout.contracts if contracts[c].billing or contracts[c].escalator]

    def of(asset: Asset, field: str, default: float) -> float:
        return float(getattr(contracts[asset.contract], field)) if asset.contract else default

    def factor(asset: Asset) -> float:
        if not asset.contract:
            return boxes[asset.box].market_factor
        contract = contracts[asset.contract]
        left = contract.term_months + (asset.accepted if asset.accepted is not None else 0)
        market = generations[boxes[asset.box].generation].contract_price
        age = 0 if asset.accepted is None else -asset.accepted
        price = contract.price * (1.0 + contract.escalator) ** (age // 12)
        return contract.moneyness0 * price / (market * tenor_factor(float(left), discounts))

    def grade(asset: Asset, stem: str, good: str, other: str) -> float:
        if not asset.contract:
            return 0.0
        is_good = names[contracts[asset.contract].offtaker].investment_grade
        return p[f"{stem}{good if is_good else other}"]

    def offtaker(asset: Asset) -> str:
        return contracts[asset.contract].offtaker if asset.contract else ""

    def contract_stream(asset: Asset, what: str) -> str:
        return f"contract.{asset.contract}.{what}" if asset.contract else f"asset.{asset.id}.{what}"

    return LeaseParams(
        terms=float_rows(
            LEASE_TERM,
            gpus=floats([a.gpus for a in assets]),
            first_price=floats([of(a, "price", 0.0) for a in assets]),
            term=floats([of(a, "term_months", 0.0) for a in assets]),
            price_factor=floats([factor(a) for a in assets]),
            moneyness=floats([of(a, "moneyness0", 1.0) for a in assets]),
            prepayment_share=floats([of(a, "prepayment_share", 0.0) for a in assets]),
            consent=floats([of(a, "consent_multiplier", 1.0) for a in assets]),
            renegotiation_hazard=floats([grade(a, "cp.reneg_h0_", "ig", "nig") for a in assets]),
            renegotiation_slope=floats(
                [grade(a, "cp.reneg_slope.", "ig", "non_ig") for a in assets]
            ),
            accepted=floats([np.nan if a.accepted is None else a.accepted for a in assets]),
            life=floats([boxes[a.box].useful_life_months or NEVER for a in assets]),
            credits=floats(
                [min(of(a, "credit_months", 36.0), of(a, "term_months", 0.0)) for a in assets]
            ),
            rating_floor=floats([of(a, "rating_floor", 0.0) for a in assets]),
            log_escalator=np.log1p(floats([of(a, "escalator", 0.0) for a in assets])),
        ),
        codes=code_rows(
            LEASE_CODE,
            generation=indices(layout.generations, [boxes[a.box].generation for a in assets]),
            box=indices(layout.boxes, [a.box for a in assets]),
            name=indices(layout.names, [offtaker(a) for a in assets]),
            backstop=indices(
                layout.names, [contracts[a.contract].backstop if a.contract else "" for a in assets]
            ),
            contract=indices(layout.contracts, [a.contract for a in assets]),
            delivered=bools([a.accepted is not None or a.cost_delivered_at_t0 for a in assets]),
            currency=indices(
                money, [contracts[a.contract].currency if a.contract else DOLLAR for a in assets]
            ),
            profile=ints(
                [profiled.index(a.contract) if a.contract in profiled else -1 for a in assets]
            ),
        ),
        streams=stream_rows(
            LEASE_STREAM,
            renegotiation_streams=streams_of([contract_stream(a, "renegotiation") for a in assets]),
            claim_streams=streams_of([contract_stream(a, "claim") for a in assets]),
            renewal_streams=stream_id_array([f"asset.{a.id}.renewal" for a in assets]),
        ),
        backstop_cap=floats([contracts[c].backstop_cap for c in layout.contracts] or [0.0]),
        profiles=np.array(
            [billing_profile(contracts[c].billing) for c in profiled] or [billing_profile(())]
        ),
        tenor_discounts=discounts,
        concession_table=beta_quantile_table(p["cp.reneg_concession"], CONCESSION_SD),
        claim_table=beta_quantile_table(p["cp.lgd_claim"], CLAIM_SD),
        claim_years=p["cp.workout_time"],
        claim_discount=1.0 / (1.0 + p["cp.claim_rate"] / 12.0),
        relet_lag=p["cp.relet_lag"],
        renewal_probability=p["cp.renew0"],
        offtake_hit=p["reg.offtake_hit"],
        renegotiation=inputs.switches["renegotiation"],
        lender_consent=inputs.switches["lender_consent"],
        centred=False,
    )


def pack_sites(inputs: ModelInputs, layout: Layout) -> SiteParams:
    """Pack the sites; with delivery switched off nothing is late."""
    p = inputs.parameters
    sites = sorted(inputs.book.sites, key=lambda s: s.id)
    on = inputs.switches["delivery"]
    late = [0.0 if s.energised else min(1.0, p["del.p"] * s.delay_factor) for s in sites]
    fibre = [s.fibre_probability if s.network_risk and not s.energised else 0.0 for s in sites]
    return SiteParams(
        terms=float_rows(
            SITE_TERM,
            late_probability=floats(late if on else [0.0] * len(sites)),
            fibre_probability=floats(fibre if on else [0.0] * len(sites)),
        ),
        codes=code_rows(
            SITE_CODE,
            jurisdiction=indices(layout.jurisdictions, [s.jurisdiction for s in sites]),
            energised=bools([s.energised for s in sites]),
        ),
        streams=stream_rows(
            SITE_STREAM,
            site_streams=stream_id_array([f"site.{s.id}" for s in sites]),
            more_streams=stream_id_array([f"site.{s.id}.more" for s in sites]),
            fibre_streams=stream_id_array([f"site.{s.id}.fibre" for s in sites]),
        ),
        delay_median=p["del.size"],
        kill_probability=p["del.kill"],
        supply_loading=p["del.rho"] ** 0.5,
        own_loading=(1.0 - p["del.rho"]) ** 0.5,
        curtailment_table=beta_quantile_table(p["pow.curtail"], p["pow.curtail"]),
    )


def pack_deliveries(inputs: ModelInputs, layout: Layout) -> DeliveryParams:
    """Pack the deliveries."""
    p = inputs.parameters
    assets = layout.assets
    sites = {s.id: s for s in inputs.book.sites}
    boxes = {b.id: b for b in inputs.book.boxes}
    commission = whole_months(p["box.commission"])
    return DeliveryParams(
        terms=float_rows(
            DELIVERY_TERM,
            cost=floats([a.cost for a in assets]),
            planned=floats([a.planned_delivery for a in assets]),
            commission=floats(
                [commission if a.commission_months is None else a.commission_months for a in assets]
            ),
        ),
        codes=code_rows(
            DELIVERY_CODE,
            site=indices(layout.sites, [a.site for a in assets]),
            jurisdiction=indices(
                layout.jurisdictions, [sites[a.site].jurisdiction for a in assets]
            ),
            generation=indices(layout.generations, [boxes[a.box].generation for a in assets]),
            energised=bools([sites[a.site].energised for a in assets]),
            price_fixed=bools([a.price_fixed for a in assets]),
            pending=bools([a.accepted is None for a in assets]),
            paid=bools([a.accepted is not None or a.cost_delivered_at_t0 for a in assets]),
            licence=bools([a.licence for a in assets]),
        ),
        streams=stream_rows(
            DELIVERY_STREAM,
            cost_streams=stream_id_array([f"asset.{a.id}.cost" for a in assets]),
            slip_streams=stream_id_array([f"asset.{a.id}.slip" for a in assets]),
            licence_streams=stream_id_array([f"asset.{a.id}.licence" for a in assets]),
        ),
        long_stop_months=whole_months(p["contract.long_stop"]),
        slip_median=p["mem.delay"],
        revenue_lost=p["del.revenue_lost"],
        noise=CAPEX_SD if inputs.switches["delivery"] else 0.0,
        path_delay=inputs.path.delay_months if inputs.path else 0.0,
        licence_probability=p["reg.licence_p"] if inputs.switches["policy"] else 1.0,
    )


def pack_costs(inputs: ModelInputs, layout: Layout) -> CostParams:
    """Pack operating costs by asset."""
    p = inputs.parameters
    boxes = {b.id: b for b in inputs.book.boxes}
    sites = {s.id: s for s in inputs.book.sites}
    kw = {g.name: g.kw for g in inputs.book.generations}
    assets = layout.assets
    own = [boxes[a.box] for a in assets]
    power = [a.gpus * kw[b.generation] for a, b in zip(assets, own, strict=True)]
    years = np.arange(CONTRACT_MONTHS) / 12.0
    return CostParams(
        terms=float_rows(
            COST_TERM,
            gpus=floats([a.gpus for a in assets]),
            cost=floats([a.cost for a in assets]),
            power_mwh=floats([kilowatts * p["gpu.pue"] * HOURS / 1000.0 for kilowatts in power]),
            power_factor=floats([sites[a.site].power_factor for a in assets]),
            hedged=floats([b.power_hedged for b in own]),
            hall=floats(
                [k * b.colo_usd_per_kw_month / 1e6 for k, b in zip(power, own, strict=True)]
            ),
            operations=floats(
                [b.operations_share * a.cost / 12.0 for a, b in zip(assets, own, strict=True)]
            ),
        ),
        codes=code_rows(
            COST_CODE,
            triple_net=bools([b.triple_net for b in own]),
            currency=indices((DOLLAR, *currencies(inputs.book)), [b.cost_currency for b in own]),
        ),
        power_path=p["pow.p0"] * np.exp(p["pow.trend"] * years),
        hall_path=np.exp(HALL_ESCALATOR * years),
    )


def pack_collateral_of(inputs: ModelInputs) -> CollateralParams:
    """Pack the collateral model of the study's generations."""
    generations = inputs.book.generations
    return pack_collateral(
        inputs.parameters,
        hardware_usd=floats([g.hardware_share * g.capex_usd for g in generations]),
        installed_base=floats([g.installed_base_m * 1e6 for g in generations]),
        base_grows=floats([1.0 if g.base_grows else 0.0 for g in generations]),
    )


def ranges(owners: Sequence[str], order: Sequence[str]) -> tuple[NDArray[np.int64], ...]:
    """Return first and end row of each owner in a list grouped by owner."""
    listed = list(owners)
    first = [listed.index(owner) if owner in listed else 0 for owner in order]
    counts = [listed.count(owner) for owner in order]
    return ints(first), ints([f + n for f, n in zip(first, counts, strict=True)])


def pack_boxes(inputs: ModelInputs, layout: Layout) -> BoxParams:
    """Pack the terms of the boxes."""
    p = inputs.parameters
    boxes = sorted(inputs.book.boxes, key=lambda b: b.id)
    first_asset, end_asset = ranges([a.box for a in layout.assets], layout.boxes)
    first_tranche, end_tranche = ranges([d.box for d in layout.tranches], layout.boxes)
    last_rank = [max((d.rank for d in layout.tranches if d.box == b.id), default=0) for b in boxes]
    codes = {name: code for code, name in enumerate(WATERFALL_LINES)}
    contracts = inputs.book.contracts
    dates = payment_dates(inputs)

    def column(field: str) -> NDArray[np.float64]:
        return floats([float(getattr(b, field)) for b in boxes])

    return BoxParams(
        terms=float_rows(
            BOX_TERM,
            guarantee_cap=column("guarantee_cap"),
            useful_life=column("useful_life_months"),
            power_reserve_months=column("power_reserve_months"),
            sweep_share=column("sweep_share"),
            sweep_threshold=column("sweep_threshold"),
            lockup_dscr=column("lockup_dscr"),
            default_dscr=column("default_dscr"),
            realisation_minimum=column("realisation_minimum"),
            minimum_liquidity=column("minimum_liquidity") * inputs.switches["sponsor"],
            ltc_trigger=column("ltc_trigger"),
            ltv_trigger=column("ltv_trigger"),
            cures=column("cures"),
            equity0=column("equity0"),
            ratio_step_down=column("ltv_step_down"),
            accordion=column("accordion"),
        ),
        codes=code_rows(
            BOX_CODE,
            sponsor=indices(layout.sponsors, [b.sponsor for b in boxes]),
            recourse=ints([int(b.recourse) for b in boxes]),
            investment_grade=bools([b.investment_grade for b in boxes]),
            first_asset=first_asset,
            end_asset=end_asset,
            first_tranche=first_tranche,
            end_tranche=end_tranche,
            last_rank=ints(last_rank),
            triple_net=bools([b.triple_net for b in boxes]),
            reserve_months=ints([int(b.reserve_months + 0.5) for b in boxes]),
            first_test=ints([b.first_test for b in boxes]),
            test_interval=ints([max(1, b.test_interval) for b in boxes]),
            default_on_termination=bools([b.default_on_termination for b in boxes]),
            trap_on_breach=bools([b.trap_on_breach for b in boxes]),
            operating_licence=bools([b.operating_licence for b in boxes]),
            reserve_covers_costs=bools([b.reserve_covers_costs for b in boxes]),
            cure_months=ints([b.cure_months for b in boxes]),
            watches_ratings=bools(
                [any(c.box == b.id and c.rating_floor > 0.0 for c in contracts) for b in boxes]
            ),
            payment_interval=ints([b.payment_interval for b in boxes]),
            payment_anchor=ints([dates[b.id].anchor for b in boxes]),
            ratio_cure_months=ints([b.ratio_cure_months for b in boxes]),
            overrun=ints([int(b.overrun) for b in boxes]),
        ),
        streams=stream_rows(
            BOX_STREAM,
            workout_streams=stream_id_array([f"box.{b.id}.workout" for b in boxes]),
            recovery_streams=stream_id_array([f"box.{b.id}.recovery" for b in boxes]),
        ),
        horizon=inputs.horizon,
        sale_lag=int(p["wo.sale_lag"] + 0.5),
        run_months=int(p["wo.run_months"] + 0.5),
        refinancing_months=int(p["refi.months"] + 0.5),
        refinancing_ltv=p["refi.ltv"],
        refinancing_dscr=p["refi.dscr"],
        transfer_cost=p["hold.transfer"],
        hurdle=(1.0 + p["eq.hurdle"]) ** (-1.0 / 12.0),
        collateral_model=inputs.switches["collateral"],
        lender_consent=inputs.switches["renegotiation"] and inputs.switches["lender_consent"],
        consent_dscr=p["cp.consent_dscr"],
        amendments=inputs.switches["amendments"],
        waivers=p["box.waivers"],
        waiver_fee=p["box.waiver_fee"],
        waiver_months=whole_months(p["box.waiver_months"]),
        grace=GRACE_MONTH_ENDS,
        recovery_table=beta_quantile_table(p["cp.recovery_loan"], RECOVERY_SD),
        recovery_years=p["cp.workout_time"],
        neo_beta=p["cs.neo_beta"],
        ig_margin=p["cs.ig_margin"],
        log_spread_start=float(np.log(p["cs.hy0"])),
        learning=p["cs.learn"],
        waterfall=ints([codes[line] for line in inputs.waterfall]),
    )


class PaymentDates(NamedTuple):
    """When a box pays its debt."""

    interval: int  # months
    anchor: int  # a payment month, modulo the interval


MONTHLY = PaymentDates(1, 0)


def payment_dates(inputs: ModelInputs) -> dict[str, PaymentDates]:
    """Return the payment dates of each box: counted back from its latest maturity at t0."""
    latest = {d.box: 0 for d in inputs.book.tranches}
    for d in inputs.book.tranches:
        latest[d.box] = max(latest[d.box], d.maturity)
    return {
        b.id: PaymentDates(b.payment_interval, latest.get(b.id, 0) % b.payment_interval)
        for b in inputs.book.boxes
    }


def custom_shares(tranches: Sequence[Tranche]) -> NDArray[np.float64]:
    """Return the shares of custom schedules by tranche and month, 0 for other debt."""
    last = max((month for d in tranches for month, _ in d.schedule), default=0)
    shares = np.zeros((max(1, len(tranches)), last + 1))
    for row, d in enumerate(tranches):
        for month, share in d.schedule:
            shares[row, month] += share
    return shares


def pack_tranches(inputs: ModelInputs, layout: Layout) -> TrancheParams:
    """Pack the debt."""
    tranches = layout.tranches
    known = payment_dates(inputs)
    dates = [known[d.box] if d.box else MONTHLY for d in tranches]

    def column(field: str) -> NDArray[np.float64]:
        return floats([float(getattr(d, field)) for d in tranches])

    def whole(field: str) -> NDArray[np.int64]:
        return ints([int(getattr(d, field)) for d in tranches])

    return TrancheParams(
        terms=float_rows(
            TRANCHE_TERM,
            commitment=column("commitment"),
            balance0=column("balance0"),
            rate=column("rate"),
            floor=column("floor"),
            undrawn_fee=column("undrawn_fee"),
            hedge_share=column("hedge_share"),
            swap_rate=column("swap_rate"),
            issue_discount=column("issue_discount"),
            advance=column("advance"),
            sculpt_dscr=column("sculpt_dscr"),
            depreciation_months=column("depreciation_months"),
            balloon=column("balloon"),
            lender_share=column("lender_share"),
            rate_cap=floats([np.inf if d.rate_cap is None else d.rate_cap for d in tranches]),
            margin_step=column("margin_step"),
        ),
        codes=code_rows(
            TRANCHE_CODE,
            box=indices(layout.boxes, [d.box for d in tranches]),
            sponsor=indices(layout.sponsors, [d.sponsor for d in tranches]),
            rank=whole("rank"),
            available_until=whole("available_until"),
            maturity=whole("maturity"),
            fixed=bools([d.fixed for d in tranches]),
            amortisation=whole("amortisation"),
            start=whole("amortisation_start"),
            margin_step_month=whole("margin_step_month"),
            shorten=whole("shorten"),
            catch_up=whole("catch_up"),
            moves=ints([int(d.moves_with_acceptance and d.box != "") for d in tranches]),
            capitalises=whole("capitalises"),
            borrowing_base=whole("borrowing_base"),
            payment_interval=ints([one.interval for one in dates]),
            payment_anchor=ints([one.anchor for one in dates]),
        ),
        shares=custom_shares(tranches),
    )


def newest_generation(generations: Sequence[Generation]) -> int:
    """Return the row of the GPU generation that earns most per kW at t0, -1 if there is none."""
    gpus = [row for row, g in enumerate(generations) if not g.is_hall]
    by_power = [generations[row].contract_price / generations[row].kw for row in gpus]
    return gpus[by_power.index(max(by_power))] if gpus else -1


def pack_disposals(inputs: ModelInputs, layout: Layout) -> DisposalParams:
    """Pack residual guarantees, and what would replace old GPUs where power is scarce."""
    p, book, assets = inputs.parameters, inputs.book, layout.assets
    contracts = {c.id: c for c in book.contracts}
    boxes = {b.id: b for b in book.boxes}
    scarce = {s.id: s.power_limited for s in book.sites}
    rows = {g.name: row for row, g in enumerate(book.generations)}
    newest = newest_generation(book.generations)
    new = book.generations[newest]
    own = [book.generations[rows[boxes[a.box].generation]] for a in assets]
    sold = [contracts[a.contract] if a.contract else None for a in assets]
    guaranteed = [
        contract.residual_share * a.cost if contract else 0.0
        for a, contract in zip(assets, sold, strict=True)
    ]
    promised = [(c.residual_guarantor or c.offtaker, c.offtaker) if c else ("", "") for c in sold]
    replaceable = [
        scarce[a.site] and not g.is_hall and rows[g.name] != newest
        for a, g in zip(assets, own, strict=True)
    ]
    caps = [contracts[name].residual_cap for name in layout.contracts]
    hurdle = p["eq.hurdle"]
    annuity = hurdle / (1.0 - (1.0 + hurdle) ** -REPLACEMENT_YEARS) if hurdle else 0.2
    return DisposalParams(
        terms=float_rows(
            DISPOSAL_TERM,
            guaranteed=floats(guaranteed),
            kw=floats([g.kw for g in own]),
            operations=floats(
                [boxes[a.box].operations_share * a.cost * 1e6 / a.gpus / 8760.0 for a in assets]
            ),
        ),
        codes=code_rows(
            DISPOSAL_CODE,
            guarantor=indices(layout.names, [guarantor for guarantor, _ in promised]),
            independent=bools([guarantor != offtaker for guarantor, offtaker in promised]),
            replaceable=bools(replaceable),
        ),
        cap=floats([np.inf if cap is None else cap for cap in caps] or [0.0]),
        newest=newest,
        newest_kw=new.kw,
        newest_operations=p["gpu.om"] * new.capex_usd / 8760.0,
        newest_charge=annuity * new.hardware_share * new.capex_usd / 8760.0,
        enabled=any(guaranteed) or any(replaceable),
    )


def pack_sponsors(inputs: ModelInputs, layout: Layout) -> SponsorParams:
    """Pack the HoldCos."""
    p = inputs.parameters
    sponsors = sorted(inputs.book.sponsors, key=lambda s: s.id)
    tranches = layout.tranches
    notes = {d.id: row for row, d in enumerate(tranches) if not d.box}
    purchases = np.zeros((len(sponsors), inputs.horizon + 1))
    for row, sponsor in enumerate(sponsors):
        for month, amount in sponsor.purchases:
            if 0 < month <= inputs.horizon:
                purchases[row, month] += amount
    return SponsorParams(
        terms=float_rows(
            SPONSOR_TERM,
            cash0=floats([s.cash for s in sponsors]),
            market_value=floats([s.market_value for s in sponsors]),
            other_cash=floats([s.other_cash_per_year / 12.0 for s in sponsors]),
            lease=floats([s.lease_per_year / 12.0 for s in sponsors]),
            support_factor=floats([s.support_factor for s in sponsors]),
            other_value=floats([s.other_value for s in sponsors]),
        ),
        purchases=purchases,
        new_notes=ints([notes.get(f"{s.id}{NEW_NOTES}", -1) for s in sponsors]),
        conversion_value=floats(
            [np.inf if d.conversion_value is None else d.conversion_value for d in tranches]
        ),
        last_rank=max((d.rank for d in tranches if not d.box), default=0),
        overhead=p["hold.overhead"],
        minimum_months=p["hold.min_cash"],
        borrow_share=p["hold.borrow_share"],
        equity_beta=p["hold.eq_beta"],
        estate_share=p["hold.estate_share"],
        estate_lag=whole_months(p["hold.estate_lag"]),
        spread_beta=p["cs.hold_beta"],
        learning=p["cs.learn"],
        horizon=inputs.horizon,
        enabled=inputs.switches["sponsor"],
    )


def pack_model(
    inputs: ModelInputs, market: MarketParams, compensator: NDArray[np.float64]
) -> ModelParams:
    """Pack a study.

    Parameters
    ----------
    market : MarketParams
        With the frozen reference path, see `engine.pack_market`.
    compensator : ndarray, shape (class, H + 1)
        See `engine.compensator`.
    """
    layout = layout_of(inputs)
    p = inputs.parameters
    return ModelParams(
        market=market,
        names=pack_names(inputs, layout, compensator),
        leases=pack_leases(inputs, layout),
        sites=pack_sites(inputs, layout),
        deliveries=pack_deliveries(inputs, layout),
        costs=pack_costs(inputs, layout),
        collateral=pack_collateral_of(inputs),
        boxes=pack_boxes(inputs, layout),
        tranches=pack_tranches(inputs, layout),
        disposals=pack_disposals(inputs, layout),
        sponsors=pack_sponsors(inputs, layout),
        asset_site=indices(layout.sites, [a.site for a in layout.assets]),
        utilisation_table=beta_quantile_table(p["gpu.util"], UTILISATION_SD),
        utilisation_streams=stream_id_array([f"box.{b}.utilisation" for b in layout.boxes]),
        horizon=inputs.horizon,
    )


__all__ = ["Layout", "NameClass", "layout_of", "name_classes", "pack_model"]
