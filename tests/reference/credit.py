"""Stage 10, first half: default thresholds, hazards, integration (§10)."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence

from simulator.config.terms import ModelInputs, Name
from simulator.numerics import normal_cdf, student_t_cdf
from tests.reference.draws import Draws, chi2_draw, fires, rounded
from tests.reference.market import Market
from tests.reference.state import NameState, World


def loadings(name: Name, parameters: Mapping[str, float]) -> tuple[float, float]:
    """a, b: loadings on Z* and C⊥."""
    if not name.ai:
        return math.sqrt(0.24), 0.0
    rho, rho_macro = parameters["cp.rho"], parameters["cp.rho_macro"]
    return math.sqrt(rho) * rho_macro, math.sqrt(rho) * math.sqrt(1.0 - rho_macro**2)


def threshold(inputs: ModelInputs, name: Name, draws: Draws, market: Market) -> float:
    """E = −ln(1 − Φ(w)), or −ln(1 − T_ν(w·√(ν/χ²)))."""
    a, b = loadings(name, inputs.parameters)
    own, _ = draws.normals(f"name.{name.id}", 0)
    w = a * market.Z_star + b * market.C_perp + math.sqrt(1.0 - a * a - b * b) * own
    nu = inputs.copula_nu
    if nu > 0.0:
        chi2 = chi2_draw(nu, draws.normals("copula", 0)[0])
        w *= math.sqrt(nu / chi2)
        survival = student_t_cdf(-w, nu)
    else:
        survival = normal_cdf(-w)
    return -math.log(survival)


def yearly_hazard(name: Name, t: int, parameters: Mapping[str, float]) -> float:
    year = min((t - 1) // 12, len(name.hazard_per_year) - 1)
    return name.hazard_per_year[year] * parameters["cp.pd_curve"]


def counterparty_defaults(
    world: World, t: int, compensator: Mapping[str, Sequence[float]] | None
) -> None:
    for name in world.names.values():
        if name.terms.sponsor:
            sponsor = world.sponsors[name.terms.sponsor]
            if sponsor.default_month > 0 and t == sponsor.default_month + 1:
                name.default_month = t
            continue
        c = 0.0
        if compensator is not None and world.is_on("compensator"):
            c = compensator[name.terms.id][t - 1]
        h = yearly_hazard(name.terms, t, world.p)
        path = world.inputs.path
        if path is None:
            beta, loading = name.terms.beta, name.terms.efficiency_loading
            moved = world.market.hazard_multiplier(beta, loading, t, c)
        else:
            moved = path.hazard_multiplier * math.exp(-c)
        name.hazard_multiplier = moved
        name.cumulative_hazard += h / 12.0 * moved
        is_certain = path is not None and (name.terms.id, t) in path.defaults
        if (
            world.is_on("counterparty_default")
            and name.default_month == 0
            and (name.cumulative_hazard >= name.threshold or is_certain)
        ):
            name.default_month = t


def ratings(world: World, t: int) -> None:
    """N(t) = notch0 + ln M(t)/slope + sd·W(t), rounded: of names whose rating a contract watches.

    W is a random walk with steps z₁/√12 of "name.<id>.rating".  Without defaults, and for names
    that are a simulated sponsor, the rating stays what it was.
    """
    watched = {
        contract.offtaker.terms.id
        for contract in world.contracts.values()
        if contract.terms.rating_floor > 0.0
    }
    for name in world.names.values():
        if name.terms.id not in watched or name.terms.notch is None:
            continue
        if name.terms.sponsor or not world.is_on("counterparty_default"):
            name.notch = rounded(name.terms.notch)
            continue
        z, _ = world.draws.normals(f"name.{name.terms.id}.rating", t)
        name.rating_walk += z / math.sqrt(12.0)
        moved = max(name.hazard_multiplier, sys.float_info.min)
        drifted = name.terms.notch + math.log(moved) / world.p["cp.notch_slope"]
        name.notch = rounded(drifted + world.p["cp.drift_sd"] * name.rating_walk)


def integration(market: Market, draws: Draws, names: Mapping[str, NameState], t: int) -> None:
    """A hyperscaler takes rented work in house, at most once; demand falls from t + 1 on."""
    if not market.is_on("integration"):
        return
    hazard = market.p["sup.vi_lambda"] * market.prior["sup.vi_lambda"]
    for name in names.values():
        if not name.terms.hyperscaler or name.integrated_month > 0:
            continue
        u, _ = draws.uniforms(f"name.{name.terms.id}.integration", t)
        if fires(hazard, u):
            name.integrated_month = t
            market.integrations += 1


def lower_control_clocks(names: Mapping[str, NameState], t: int) -> None:
    """After billing."""
    for name in names.values():
        if name.clock > 0:
            name.clock -= 1
            if name.clock == 0:
                name.ended_month = t
