"""Counterparties and leases, packed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import (
    DOLLAR,
    Asset,
    ModelInputs,
    Name,
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
from simulator.drivers.prices import tenor_factor
from simulator.engine.columns import (
    bools,
    code_rows,
    float_rows,
    floats,
    indices,
    ints,
    stream_rows,
    streams_of,
)
from simulator.engine.layout import Layout
from simulator.engine.state import CONTRACT_MONTHS
from simulator.numerics.quantiles import beta_quantile_table, chi2_quantile_table
from simulator.numerics.streams import stream_id_array

CONCESSION_SD = 0.2
CLAIM_SD = 0.25


class NameClass(NamedTuple):
    """What names must share to share a compensator."""

    hazard: tuple[float, ...]
    beta: float
    macro_loading: float
    ai_loading: float
    efficiency_loading: float


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
    of_gpus = floats([p[f"gpu.term_disc.{year}y"] for year in (1, 3, 5)])
    profiled = [c for c in layout.contracts if contracts[c].billing or contracts[c].escalator]

    def discounts(asset: Asset) -> NDArray[np.float64]:
        """Return the prices of 1, 3 and 5 years; rents of halls are quoted for their term."""
        return np.ones(3) if generations[boxes[asset.box].generation].is_hall else of_gpus

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
        return contract.moneyness0 * price / (market * tenor_factor(float(left), discounts(asset)))

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
        tenor_discounts=np.array([discounts(a) for a in assets]).reshape(-1, 3),
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
