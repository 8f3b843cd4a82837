"""Complete rows to terms: months from t0, fractions, canonical order."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from simulator.config.derive.ledger import Ledger
from simulator.config.derive.market import Market
from simulator.config.ratings import notch
from simulator.config.schema import StudyFile
from simulator.config.tape import AssetRow, BoxRow, ContractRow, DebtRow
from simulator.config.terms import (
    NEW_NOTES,
    Amortisation,
    Asset,
    Box,
    Contract,
    Overrun,
    Recourse,
    Site,
    Sponsor,
    Tranche,
)
from simulator.config.values import filled

CONSENT = {"with_lenders": 1.0, "without": 2.0, "at_will": 4.0}
"""Factor on the renegotiation hazard (model §10)."""


OTHER_VALUE = "market value and HoldCo debt less cash and the equity of its boxes"


def to_new_notes(sponsor: str) -> Tranche:
    """Return the tranche on which a sponsor issues new notes; none stand at t0."""
    name = f"{sponsor}{NEW_NOTES}"
    return Tranche(
        id=name,
        facility=name,
        box="",
        sponsor=sponsor,
        rank=0,
        commitment=0.0,
        balance0=0.0,
        available_until=0,
        maturity=60,
        fixed=False,
        rate=0.0,
        floor=0.0,
        undrawn_fee=0.0,
        hedge_share=0.0,
        swap_rate=0.0,
        issue_discount=0.0,
        advance=0.0,
        amortisation=Amortisation.BULLET,
        amortisation_start=1,
        sculpt_dscr=0.0,
        depreciation_months=72,
        balloon=0.0,
        lender_share=0.0,
    )


def to_box(row: BoxRow, market: Market) -> Box:
    """Return a complete row of boxes as terms."""
    return Box(
        id=row.box,
        sponsor=row.sponsor,
        generation=row.generation,
        recourse=Recourse[filled(row.recourse).upper()],
        guarantee_cap=filled(row.guarantee_cap_usd_m),
        investment_grade=bool(row.investment_grade),
        power_hedged=filled(row.power_hedged),
        colo_usd_per_kw_month=filled(row.colo_usd_per_kw_month),
        triple_net=bool(row.triple_net),
        operations_share=filled(row.operations_share),
        useful_life_months=int(filled(row.useful_life_months)),
        market_factor=filled(row.market_factor),
        reserve_months=filled(row.reserve_months),
        power_reserve_months=filled(row.power_reserve_months),
        sweep_share=filled(row.sweep_share),
        sweep_threshold=filled(row.sweep_threshold_dscr),
        lockup_dscr=filled(row.lockup_dscr),
        default_dscr=filled(row.default_dscr),
        realisation_minimum=filled(row.realisation_minimum),
        minimum_liquidity=filled(row.minimum_liquidity_usd_m),
        first_test=market.month(filled(row.first_test)),
        test_interval=int(filled(row.test_interval_months)),
        ltc_trigger=filled(row.ltc_trigger),
        ltv_trigger=filled(row.ltv_trigger),
        ltv_step_down=filled(row.ltv_step_down),
        ratio_cure_months=int(filled(row.ratio_cure_months)),
        payment_interval=int(filled(row.payment_interval_months)),
        overrun=Overrun[filled(row.overrun).upper()],
        accordion=filled(row.accordion_usd_m),
        cures=int(filled(row.cures)),
        default_on_termination=bool(row.default_on_termination),
        trap_on_breach=bool(row.trap_on_breach),
        operating_licence=bool(row.operating_licence),
        equity0=math.nan if row.equity0_usd_m is None else row.equity0_usd_m,
        cost_currency=filled(row.cost_currency),
        reserve_covers_costs=row.reserve_covers == "debt_service_and_costs",
        cure_months=int(filled(row.cure_months)),
    )


def to_tranche(row: DebtRow, market: Market) -> Tranche:
    """Return a complete row of debt as terms."""
    fixed = row.fixed_rate is not None
    after_t0 = market.month(filled(row.close)) > 0
    return Tranche(
        id=row.tranche,
        facility=filled(row.facility),
        box=row.box or "",
        sponsor=filled(row.sponsor),
        rank=int(filled(row.rank)),
        commitment=filled(row.commitment_usd_m),
        balance0=filled(row.drawn_usd_m),
        available_until=market.month(filled(row.draw_end)),
        maturity=market.month(filled(row.maturity)),
        fixed=fixed,
        rate=filled(row.fixed_rate) if fixed else filled(row.margin_bp) / 1e4,
        floor=0.0 if fixed else filled(row.floor),
        undrawn_fee=filled(row.undrawn_fee),
        hedge_share=0.0 if fixed else filled(row.hedge_share),
        swap_rate=0.0 if fixed else filled(row.swap_rate),
        issue_discount=1 - filled(row.issue_price) if after_t0 else 0.0,
        advance=filled(row.advance),
        amortisation=Amortisation[filled(row.amortisation).upper()],
        amortisation_start=market.month(filled(row.amortisation_start)),
        sculpt_dscr=filled(row.sculpt_dscr),
        depreciation_months=round(12 * filled(row.depreciation_years)),
        balloon=filled(row.balloon),
        rate_cap=row.rate_cap,
        margin_step=filled(row.margin_step_bp) / 1e4,
        margin_step_month=market.month(row.margin_step_month) if row.margin_step_month else 0,
        shorten=row.prepayments == "shorten",
        catch_up=row.missed == "caught_up",
        moves_with_acceptance=bool(row.maturity_moves),
        capitalises=row.construction_interest == "capitalised",
        schedule=tuple((market.month(month), share) for month, share in row.schedule or ()),
        borrowing_base=bool(row.borrowing_base),
        lender_share=filled(row.lender_share),
        conversion_value=row.conversion_value_usd_m,
    )


def to_contract(row: ContractRow, market: Market) -> Contract:
    """Return a complete row of contracts as terms."""
    return Contract(
        id=row.contract,
        box=row.box,
        offtaker=row.offtaker,
        backstop=row.backstop or "",
        backstop_cap=row.backstop_cap_usd_m or 0.0,
        price=filled(row.price_usd_per_gpu_hour),
        term_months=int(filled(row.term_months)),
        consent_multiplier=CONSENT[filled(row.consent)],
        prepayment_share=filled(row.prepayment_share),
        moneyness0=filled(row.moneyness0),
        currency=filled(row.currency),
        escalator=filled(row.escalator),
        billing=tuple((market.month(month), times) for month, times in row.billing or ()),
        credit_months=int(filled(row.credit_months)),
        rating_floor=float(notch(row.rating_floor) or 0),
        residual_share=filled(row.residual_share),
        residual_guarantor=row.residual_guarantor or "",
        residual_cap=row.residual_cap_usd_m,
    )


def to_asset(row: AssetRow, market: Market) -> Asset:
    """Return a complete row of assets as terms."""
    planned = market.month(filled(row.planned_delivery))
    return Asset(
        id=row.asset,
        box=row.box,
        contract=row.contract or "",
        site=filled(row.site),
        gpus=filled(row.gpus),
        cost=filled(row.cost_usd_m),
        price_fixed=bool(row.price_fixed),
        planned_delivery=planned,
        accepted=None if row.accepted is None else market.month(row.accepted),
        cost_delivered_at_t0=planned <= 0,
        licence=bool(row.licence) and planned > 0,
        commission_months=row.commission_months,
    )


def to_sites(
    study: StudyFile, assets: Sequence[Asset], market: Market, ledger: Ledger
) -> list[Site]:
    """Return the sites in use; a site the study does not describe follows stated rules."""
    weights = study.jurisdictions
    first = max(sorted(weights), key=lambda name: weights[name])
    sites = []
    for name in sorted({asset.site for asset in assets}):
        block = study.sites.get(name)
        if block is None:
            arrived = all(asset.cost_delivered_at_t0 for asset in assets if asset.site == name)
            ledger.note("sites", name, "jurisdiction", first, "the one with the largest weight")
            rule = "everything there is delivered" if arrived else "deliveries are to come"
            ledger.note("sites", name, "energised", arrived, rule)
            sites.append(Site(name, first, 1.0, arrived, 1.0, False, 0.0))
            continue
        fibre = block.fibre_probability
        if fibre is None:
            fibre = market.terms["del.fibre_p"] if block.network_risk else 0.0
            rule = "del.fibre_p" if block.network_risk else "no network risk"
            ledger.note("sites", name, "fibre_probability", fibre, rule)
        sites.append(
            Site(
                id=name,
                jurisdiction=block.jurisdiction,
                power_factor=block.power_factor,
                energised=block.energised,
                delay_factor=block.delay_factor,
                network_risk=block.network_risk,
                fibre_probability=fibre,
                power_limited=block.power_limited,
            )
        )
        ledger.assume("sites", name, block)
    return sites


def to_sponsors(market: Market, used: Iterable[str], ledger: Ledger) -> list[Sponsor]:
    """Return the sponsors in use."""
    study = market.study
    sponsors = []
    for name in sorted(set(used)):
        block = study.sponsors[name]
        given = block.model_fields_set
        fallbacks: Mapping[str, str] = {
            "other_cash_usd_m_per_year": "no business outside the tape",
            "lease_usd_m_per_year": "no guarantees outside the tape",
        }
        for field, rule in fallbacks.items():
            if field not in given:
                ledger.note("sponsors", name, field, getattr(block, field), rule)
        if block.other_value_usd_m is None:
            ledger.note("sponsors", name, "other_value_usd_m", "at t0 on each path", OTHER_VALUE)
        sponsors.append(
            Sponsor(
                id=name,
                cash=block.cash_usd_m,
                market_value=block.market_value_usd_m,
                other_cash_per_year=block.other_cash_usd_m_per_year,
                lease_per_year=block.lease_usd_m_per_year,
                purchases=tuple(
                    sorted((market.month(due), usd) for due, usd in block.purchases_usd_m.items())
                ),
                other_value=(
                    math.nan if block.other_value_usd_m is None else block.other_value_usd_m
                ),
            )
        )
        ledger.assume("sponsors", name, block)
    return sponsors
