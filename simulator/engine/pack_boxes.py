"""Boxes and what stands in them, packed: sites, deliveries, costs, collateral, terms, disposals."""

from __future__ import annotations

from collections.abc import Sequence

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
    BoxParams,
)
from simulator.config.terms import (
    DOLLAR,
    WATERFALL_LINES,
    Generation,
    ModelInputs,
    currencies,
)
from simulator.drivers.collateral import HOURS, CollateralParams, pack_collateral
from simulator.engine.columns import (
    bools,
    code_rows,
    float_rows,
    floats,
    indices,
    ints,
    ranges,
    stream_rows,
    whole_months,
)
from simulator.engine.layout import Layout
from simulator.engine.pack_debt import payment_dates
from simulator.engine.state import CONTRACT_MONTHS
from simulator.numerics.quantiles import beta_quantile_table
from simulator.numerics.streams import stream_id_array

HALL_ESCALATOR = 0.04  # log per year
UTILISATION_SD = 0.08
HIGHEST_OCCUPANCY = 0.99
RECOVERY_SD = 0.25
REPLACEMENT_YEARS = 5.0  # over which new GPUs must earn their price


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
            delay_median=floats([p["del.size"] * s.delay_size_factor for s in sites]),
            kill_probability=floats([min(1.0, p["del.kill"] * s.kill_factor) for s in sites]),
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
    exposed = {g.name: g.memory_exposed for g in inputs.book.generations}
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
            memory_exposed=bools([exposed[boxes[a.box].generation] for a in assets]),
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
    halls = {g.name for g in inputs.book.generations if g.is_hall}
    assets = layout.assets
    own = [boxes[a.box] for a in assets]
    power = [a.gpus * kw[b.generation] for a, b in zip(assets, own, strict=True)]
    # whoever rents a triple-net hall pays for its power, and an empty one draws none
    drawn = [
        0.0 if b.triple_net and b.generation in halls else kilowatts
        for kilowatts, b in zip(power, own, strict=True)
    ]
    years = np.arange(CONTRACT_MONTHS) / 12.0
    return CostParams(
        terms=float_rows(
            COST_TERM,
            gpus=floats([a.gpus for a in assets]),
            cost=floats([a.cost for a in assets]),
            power_mwh=floats([kilowatts * p["gpu.pue"] * HOURS / 1000.0 for kilowatts in drawn]),
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
    generations, p = inputs.book.generations, inputs.parameters
    resale = tuple(p[f"gpu.resale_curve.y{year}"] for year in range(1, 7))
    decay = p["gpu.delta"] - 0.75 * p["gpu.gen_step"]
    return pack_collateral(
        p,
        hardware_usd=floats([g.hardware_share * g.capex_usd for g in generations]),
        installed_base=floats([g.installed_base_m * 1e6 for g in generations]),
        base_grows=floats([1.0 if g.base_grows else 0.0 for g in generations]),
        curve=np.array([(1.0, *(g.resale_curve or resale)) for g in generations]),
        late_life=floats([g.resale_after for g in generations]),
        resale_beta=floats([_or(g.resale_beta, p["gpu.resale_beta"]) for g in generations]),
        resale_open=floats([0.0 if g.is_hall else 1.0 for g in generations]),
        price_drift=floats([_or(g.price_drift, decay) for g in generations]),
        income_months=floats([g.income_months for g in generations]),
        income_rate=floats([_or(g.income_rate, p["col.rate"]) for g in generations]),
    )


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value


def pack_utilisation(inputs: ModelInputs) -> NDArray[np.float64]:
    """Return the quantile tables (generation, node) of a pool's mean utilisation."""
    usual = inputs.parameters["gpu.util"]
    means = [min(HIGHEST_OCCUPANCY, _or(g.occupancy, usual)) for g in inputs.book.generations]
    tables = {mean: beta_quantile_table(mean, UTILISATION_SD) for mean in set(means)}
    return np.array([tables[mean] for mean in means])


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
    refinancing = ["hall.refi_" if b.generation in layout.halls else "refi." for b in boxes]

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
        refinancing_months=ints([int(p[f"{kind}months"] + 0.5) for kind in refinancing]),
        refinancing_ltv=floats([p[f"{kind}ltv"] for kind in refinancing]),
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
