"""Stages 1-9 of a month: everything that does not know a deal (§1-§9 of docs/model.md).

Written for steps of a month; `per_month` steps it more finely, to measure what the month costs
in accuracy (docs/model-document.md).  Then t counts steps, and lists hold a value per step.  What
is a rule of so many months (windows, durations, the lag of rents behind memory) keeps its length;
what looks back one step only because stages come one after another looks back a shorter one.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from simulator.config.terms import CORRELATION_ORDER, Generation, ModelInputs, currencies
from tests.reference.draws import (
    Draws,
    beta_draw,
    beta_table_of_mean_and_q95,
    fires,
    gamma_multiplier,
    lognormal,
    read_table,
    rounded,
    triangular,
)

BALANCED, SHORTAGE, GLUT = 0, 1, 2
STATE_NAMES = ("balanced", "shortage", "glut")
GLUT_THRESHOLD = -0.14  # of tightness
PHI = 0.5  # after a month
YEARS = ("2027", "2028", "2029", "2030", "2031", "2032")
PRIOR_IDS = ("dem.ap_lambda", "eff.lambda", "cp.reneg", "reg.lambda", "sup.vi_lambda")
HOURS = 730.0


def half_life(months: float) -> float:
    """Factor of one month of decay with a given half-life."""
    return 2.0 ** (-1.0 / months)


@lru_cache(maxsize=1024)
def ou(kappa: float, sigma: float, per_year: float = 12.0) -> tuple[float, float]:
    """X(t) = a·X(t−1) + s·ξ."""
    a = math.exp(-kappa / per_year)
    return a, sigma * math.sqrt(-math.expm1(-kappa / (per_year / 2.0)) / (2.0 * kappa))


@lru_cache(maxsize=8)
def demand_norm(phi: float, steps: int) -> float:
    """N: an AR(1) noise of unit shocks, summed over a year of steps, has this sd."""
    return math.sqrt(sum(((1.0 - phi**k) / (1.0 - phi)) ** 2 for k in range(1, steps + 1)))


def logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x))


def logit(p: float) -> float:
    """Infinite at 1: a pool whose draw is full stays full."""
    return math.log(p / (1.0 - p)) if p < 1.0 else math.inf


def price_drift(parameters: Mapping[str, float], generation: Generation) -> float:
    """d, log per year (§8): that of the generation if it has one."""
    own = generation.price_drift
    return parameters["gpu.delta"] if own is None else own


def growth_path(parameters: Mapping[str, float], month: int) -> float:
    """ḡ of a month: one value per model year, the last one held."""
    year = max(0, min((month - 1) // 12, len(YEARS) - 1))
    return parameters[f"dem.g_path.{YEARS[year]}"]


@lru_cache(maxsize=1024)
def cholesky(
    correlations: tuple[tuple[float, ...], ...], changes: tuple[tuple[str, str, float], ...]
) -> list[list[float]]:
    matrix = [list(row) for row in correlations]
    for first, second, value in changes:
        i, j = CORRELATION_ORDER.index(first), CORRELATION_ORDER.index(second)
        matrix[i][j] = matrix[j][i] = value
    size = len(matrix)
    lower = [[0.0] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            rest = matrix[i][j] - sum(lower[i][k] * lower[j][k] for k in range(j))
            lower[i][j] = math.sqrt(rest) if i == j else rest / lower[j][j]
    return lower


@dataclass(frozen=True)
class ReferencePath:
    """What was expected at t0, by month 0..H (or by step)."""

    tightness: list[float]  # x̄
    price_deviation: list[float]  # q̄
    capacity: list[float]  # K̄
    captive: list[float]
    steps: list[float]
    contract_price: dict[str, list[float]]  # P̄ by generation
    high_yield: list[float]  # HY_ref


@dataclass
class PolicyEvent:
    """What hits deals when a policy event fires."""

    jurisdiction: str
    control: bool
    site_slip: float  # months, 0 = none


class Market:
    """State of the market by month; every list starts with month 0.

    `draws` None is the centred mode. Then every driver is on and at its centre.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        draws: Draws | None,
        parameters: Mapping[str, float],
        reference: ReferencePath | None,
        switches: Mapping[str, bool] | None = None,
        per_month: int = 1,
    ) -> None:
        p = self.p = parameters
        self.per_month = per_month  # steps
        self.per_year = 12.0 * per_month
        self.inputs = inputs
        self.draws = draws
        self.reference = reference
        self.switches = inputs.switches if switches is None else switches
        self.horizon = inputs.horizon
        self.generations = inputs.book.generations
        self.jurisdictions = inputs.book.jurisdictions
        self.prior = {name: self.draw_prior(name) for name in PRIOR_IDS}

        self.systemic_normals()

        # policy
        self.tariff = {name: 1.0 for name, _ in self.jurisdictions}
        self.resale_hit = {name: 0.0 for name, _ in self.jurisdictions}
        self.policy_event: PolicyEvent | None = None
        # easing
        self.easing_now = False
        self.easing_left = 0
        # demand
        self.L = [0.0]
        self.e = 0.0
        self.m = 1.0
        self.m_star = 1.0
        self.pocket_left = 0
        self.pocket_lost = 0.0
        self.pocket_arrived = False
        self.rebound_left = 0
        self.rebound_step = 0.0
        # efficiency
        self.A = 0.0
        self.B = 0.0
        self.Delta = [0.0]  # A + B
        self.Y = [0.0]
        # silicon, captive
        self.n = 0.0
        self.integrations = 0  # counted by credit, acts from the next month on
        self.L_addressable = [0.0]
        self.captive_on = False
        self.captive = [0.0]
        # memory
        self.memory_state = [int(p["mem.start"]) if self.is_on("memory") else BALANCED]
        self.memory_stage = 1
        self.spell_steps = 0
        self.memory_log = 0.0
        self.c = [self.fixed_cost()]
        self.shortage_starts = False
        # supply
        self.waiting = 0.0
        self.pipeline = [0.0] * 4
        self.K = [0.0]
        self.v = [p["gpu.beta_tight"] * p["sup.x0"]]
        self.negative_gap_steps = 0
        self.below_floor = {"A100": 0, "H100": 0}
        self.retired = {"A100": False, "H100": False}
        self.completion = self.draw_completion()
        # prices
        self.x = [p["sup.x0"]]
        self.q = [0.0]
        self.G = 0.0
        self.steps = [0.0]
        self.releases = self.draw_releases()
        self.X = {(g.name, kind): 0.0 for g in self.generations for kind in ("contract", "spot")}
        self.contract_price = {g.name: [g.contract_price] for g in self.generations}
        self.spot_price = {g.name: [g.spot_price] for g in self.generations}
        self.dev = {g.name: [1.0] for g in self.generations}
        self.market_utilisation = [p["gpu.util"]]
        self.f_sold = {g.name: 0.0 for g in self.generations}
        self.overhang = {g.name: 0.0 for g in self.generations}  # of the month before
        # power, rates
        self.exchange = {"USD": [1.0]} | {name: [1.0] for name in currencies(inputs.book)}
        self.W = [0.0]
        self.sofr = [p["ir.r0"]]
        self.rate_noise = 0.0
        self.hy = [p["cs.hy0"]]
        self.market_open = [True]
        self.stress = [0.0]

    # ------------------------------------------------------------------ plumbing

    @property
    def is_centred(self) -> bool:
        return self.draws is None

    def month_of(self, t: int) -> int:
        """Month in which a step lies."""
        return (t + self.per_month - 1) // self.per_month

    def half_life(self, months: float) -> float:
        """Factor of one step of decay."""
        return half_life(months * self.per_month)

    def fires(self, hazard_per_year: float, u: float) -> bool:
        return fires(hazard_per_year / self.per_month, u)

    def is_on(self, switch: str) -> bool:
        """Whether a driver is on *and* random."""
        return self.draws is not None and self.switches[switch]

    def draw_prior(self, name: str) -> float:
        if not self.is_on("priors"):
            return 1.0
        z, _ = self.draws.normals(f"prior.{name}", 0)
        return gamma_multiplier(self.p["prior.k"], z)

    def fixed_cost(self) -> float:
        """Cost of deliveries while memory is not simulated (a stress case may set it)."""
        path = self.inputs.path
        return path.capex_factor if path is not None and not self.is_on("memory") else 1.0

    def draw_completion(self) -> float:
        """c_K."""
        if not self.is_on("supply"):
            return 1.0
        z, _ = self.draws.normals("supply.completion", 0)
        return (
            beta_draw(self.p["sup.complete"], 0.1, z)
            / self.inputs.expected.parameters["sup.complete"]
        )

    def draw_releases(self) -> list[tuple[float, float]]:
        """Month and size of each generation release."""
        releases = []
        for j in range(1, self.horizon // 12 + 2):
            month, z = 12.0 * j, 0.0
            if self.is_on("generations"):
                u, _ = self.draws.uniforms("generation.release", j)
                _, z = self.draws.normals("generation.release", j)
                month += 6.0 * (u - 0.5)
            size = self.p["gpu.gen_step"] * (1.0 + 0.5 * z)
            releases.append((month, 0.5 * size if j % 2 else size))
        return releases

    def systemic_normals(self) -> None:
        """ξ of every month, and the static factors Z*, C*, S*, C⊥."""
        n = self.per_month
        steps = max(self.horizon, 60) * n
        if self.is_centred:
            self.xi = [dict.fromkeys(CORRELATION_ORDER, 0.0)] * (steps + 1)
            self.Z_star = self.C_star = self.S_star = self.C_perp = 0.0
            return
        rho = self.p["cp.rho_macro"]
        changes = [("C", "Z", rho)]
        if self.switches["structural_link"]:
            changes += [("D", "P", 0.15), ("M", "P", 0.10), ("E", "P", 0.0), ("S", "P", 0.0)]
            names = self.inputs.book.names
            if any(name.beta > 0.0 or name.efficiency_loading > 0.0 for name in names):
                changes += [("C", "D", 0.15), ("C", "P", 0.15)]
        lower = cholesky(self.inputs.correlations, tuple(changes))
        self.xi = [dict.fromkeys(CORRELATION_ORDER, 0.0)]
        for t in range(1, steps + 1):
            u = [
                *self.draws.normals("market.ZC", t),
                *self.draws.normals("market.DP", t),
                *self.draws.normals("market.MS", t),
                *self.draws.normals("market.EW", t),
                self.draws.normals("market.R", t)[0],
            ]
            xi = [sum(row[k] * u[k] for k in range(i + 1)) for i, row in enumerate(lower)]
            self.xi.append(dict(zip(CORRELATION_ORDER, xi, strict=True)))
        self.Z_star = sum(self.xi[t]["Z"] for t in range(1, 60 * n + 1)) / math.sqrt(60.0 * n)
        self.C_star = sum(self.xi[t]["C"] for t in range(1, 60 * n + 1)) / math.sqrt(60.0 * n)
        self.S_star = sum(self.xi[t]["S"] for t in range(1, 24 * n + 1)) / math.sqrt(24.0 * n)
        self.C_perp = (self.C_star - rho * self.Z_star) / math.sqrt(1.0 - rho * rho)

    # ------------------------------------------------------------------ the month

    def step(self, t: int) -> None:
        self.easing(t)
        self.policy(t)
        self.demand(t)
        self.efficiency(t)
        self.silicon_and_captive(t)
        self.memory(t)
        self.supply(t)
        self.tightness_and_prices(t)
        self.power_rates_spreads(t)

    def easing(self, t: int) -> None:
        self.easing_left = max(0, self.easing_left - 1)
        self.easing_now = self.is_on("easing") and self.fires(
            self.p["ease.lambda"], self.draws.uniforms("easing", t)[0]
        )
        if self.easing_now:
            self.easing_left = 24 * self.per_month

    def policy(self, t: int) -> None:
        """§2."""
        self.policy_event = None
        if not self.is_on("policy"):
            return
        p = self.p
        for name in self.resale_hit:
            self.resale_hit[name] *= self.half_life(12.0)
        u_fire, u_where = self.draws.uniforms("policy.event", t)
        if not self.fires(p["reg.lambda"] * self.prior["reg.lambda"], u_fire):
            return
        where = self.jurisdictions[-1][0]
        cumulative = 0.0
        for name, weight in self.jurisdictions:
            cumulative += weight
            if cumulative > u_where:
                where = name
                break
        u_tariff, u_control = self.draws.uniforms("policy.effects", t)
        u_resale, u_site = self.draws.uniforms("policy.more", t)
        z_size, _ = self.draws.normals("policy.size", t)
        _, u_size = self.draws.uniforms("policy.size", t)
        if u_tariff < 0.4:
            self.tariff[where] *= 1.0 + p["reg.capex_hit"]
        if u_resale < 0.6:
            self.resale_hit[where] += max(0.0, p["reg.resale_hit"] + 0.03 * z_size)
        slip = -p["reg.site_hit"] * math.log(1.0 - u_size) if u_site < 0.2 else 0.0
        self.policy_event = PolicyEvent(where, u_control < 0.4, slip)

    def demand(self, t: int) -> None:
        """§3."""
        p = self.p
        trend = growth_path(p, self.month_of(t))
        self.pocket_arrived = False
        if not self.is_on("demand"):
            self.L.append(self.L[-1] + trend / self.per_year)
            return
        rebound = 0.0
        if self.rebound_left > 0:
            rebound = self.rebound_step
            self.rebound_left -= 1

        u_fire, u_depth = self.draws.uniforms("demand.pocket", t)
        z_length, z_share = self.draws.normals("demand.shape", t)
        hazard = (
            p["dem.ap_lambda"]
            * self.prior["dem.ap_lambda"]
            * math.exp(p["dem.ap_beta"] * max(0.0, -self.x[t - 1]))
        )
        if self.fires(hazard, u_fire):
            self.pocket_arrived = True
            depth = triangular(
                p["dem.ap_mult.min"], p["dem.ap_mult.mode"], p["dem.ap_mult.max"], u_depth
            )
            months = max(9, math.ceil(3.0 * p["dem.ap_dur"] * math.exp(0.45 * z_length)))
            steps = months * self.per_month
            if self.pocket_left == 0:
                self.m_star, self.pocket_left, self.pocket_lost = depth, steps, 0.0
            else:
                self.m_star = min(self.m_star, depth)
                self.pocket_left = max(self.pocket_left, steps)
        if self.pocket_left > 0:
            onset = p["dem.ap_onset"] * self.per_month
            self.m = max(self.m_star, self.m - (1.0 - self.m_star) / onset)
            self.pocket_lost += trend * (1.0 - self.m) / self.per_year
            self.pocket_left -= 1
            if self.pocket_left == 0:
                returns = beta_draw(p["dem.ap_rebound"], 0.2, z_share) * self.pocket_lost
                pool = self.rebound_left * self.rebound_step + returns
                self.rebound_left = 24 * self.per_month
                self.rebound_step = pool / self.rebound_left
        else:
            self.m = 1.0

        phi = PHI ** (1.0 / self.per_month)
        norm = demand_norm(phi, 12 * self.per_month)
        self.e = phi * self.e + self.per_year * p["dem.sigma"] * self.xi[t]["D"] / norm
        surprise = self.q[t - 1] - self.reference.price_deviation[t - 1]
        growth = trend * self.m + self.e - p["dem.price_resp"] * surprise
        self.L.append(self.L[-1] + growth / self.per_year + rebound)

    def efficiency(self, t: int) -> None:
        """§4: A += w(1−ε_LR); B ← B·2^(−1/η) + w(ε_LR−ε_SR)."""
        p = self.p
        if not self.is_on("efficiency"):
            self.Y.append(0.0)
            self.Delta.append(0.0)
            return
        z_long, z_half = self.draws.normals("efficiency.path", 0)
        e_long = p["eff.e_lr"] + 0.15 * z_long
        half = lognormal(p["eff.half_life"], 0.4, z_half)
        w = 0.0
        jump = 0.0
        u_fire, u_scope = self.draws.uniforms("efficiency.event", t)
        if self.fires(p["eff.lambda"] * self.prior["eff.lambda"], u_fire):
            table = beta_table_of_mean_and_q95(p["eff.size.mean"], p["eff.size.q95"])
            saving = read_table(table, self.xi[t]["E"])
            scope = p["eff.scope.min"] + u_scope * (p["eff.scope.max"] - p["eff.scope.min"])
            w += scope * math.log(1.0 - saving)
            z, _ = self.draws.normals("efficiency.sentiment", t)
            jump = p["eff.sentiment"] + p["eff.sentiment_sd"] * z
        if self.easing_now:
            w += 0.5 * math.log(0.5)
        self.A += w * (1.0 - e_long)
        self.B = self.B * self.half_life(half) + w * (e_long - p["eff.e_sr"])
        self.Delta.append(self.A + self.B)
        self.Y.append(self.Y[-1] * self.half_life(2.0) + jump)

    def silicon_and_captive(self, t: int) -> None:
        """§5."""
        p = self.p
        if self.is_on("silicon"):
            z, _ = self.draws.normals("silicon.share", t)
            self.n += p["sup.asic_noise"] / math.sqrt(self.per_year) * z
        first, last = p["sup.asic_share.2026"], p["sup.asic_share.2031"]
        end = 60 * self.per_month
        line = first + (last - first) * min(t, end) / end
        share = min(max(line + self.n, 0.05), 0.9)
        self.L_addressable.append(
            self.L[t]
            + self.A
            + self.B
            + math.log(1.0 - share)
            - math.log(1.0 - first)
            - p["sup.vi_demand"] * self.integrations
        )
        if self.x[t - 1] < -0.3:
            self.captive_on = True
        elif self.x[t - 1] > 0.0:
            self.captive_on = False
        if self.easing_now:
            self.captive_on = True
        is_counted = self.is_centred or (self.switches["captive"] and self.switches["supply"])
        release = math.log(1.0 + p["sup.captive_release"] / p["sup.merchant_share"])
        self.captive.append(release if self.captive_on and is_counted else 0.0)

    def memory(self, t: int) -> None:
        """§6."""
        p = self.p
        self.shortage_starts = False
        if not self.is_on("memory"):
            self.memory_state.append(BALANCED)
            self.c.append(self.fixed_cost())
            return
        state = self.memory_state[-1]
        mean = (p["mem.dur_bal"], p["mem.dur_short"], p["mem.dur_glut"])[state]
        u_stage, u_next = self.draws.uniforms("memory.regime", t)
        if u_stage < p["mem.shape"] / (mean * self.per_month):
            self.memory_stage += 1
            if self.memory_stage > p["mem.shape"]:
                if state == BALANCED:
                    state = GLUT if u_next < p["mem.p_bal_to_glut"] else SHORTAGE
                    self.shortage_starts = state == SHORTAGE
                else:
                    state = BALANCED
                self.memory_stage, self.spell_steps = 1, 0
        if self.easing_now:  # whatever the month's draw was
            self.shortage_starts = False
            state, self.memory_stage, self.spell_steps = GLUT, 1, 0
        self.spell_steps += 1
        if state == GLUT:
            early = self.spell_steps <= 8 * self.per_month
            drift = p["mem.mu.glut_first_8_months" if early else "mem.mu.glut_after"]
        else:
            drift = p[f"mem.mu.{STATE_NAMES[state]}"]
        sigma = p[f"mem.sigma.{STATE_NAMES[state]}"]
        self.memory_log += drift / self.per_month + sigma * self.xi[t]["M"] / math.sqrt(
            self.per_year
        )
        self.memory_state.append(state)
        share = p["mem.capex_share"] * p["mem.passthru"]
        self.c.append(1.0 + share * math.expm1(self.memory_log))

    def supply(self, t: int) -> None:
        """§7."""
        p = self.p
        if not self.is_centred and not self.switches["supply"]:
            self.K.append(self.reference.capacity[t])
            return
        v_0 = p["gpu.beta_tight"] * p["sup.x0"]
        n = self.per_month
        window = 12 * n
        gap = sum(self.v[s] if s >= 1 else v_0 for s in range(t - window, t)) / window
        easing = 1.3 if self.easing_left > 0 else 1.0
        speed = math.exp(p["sup.defer"] * min(0.0, self.x[t - 1]) - 0.1 * self.S_star) * easing
        if self.memory_state[t] == SHORTAGE:
            speed *= 0.9
        K = self.K[-1]
        # 1. committed
        month = self.month_of(t)
        if month <= 24:
            row = "first_12_months" if month <= 12 else "second_12_months"
            self.waiting += p[f"sup.g_committed.{row}"] / self.per_year * self.completion * easing
        share = min(1.0, speed)  # of what waits moves in a month
        if n > 1:
            share = 1.0 - (1.0 - share) ** (1.0 / n)
        moved = share * self.waiting
        K += moved
        self.waiting -= moved
        # 2. pipeline of four stages
        r = min(1.0, 4.0 * speed / (p["sup.lag"] * n))
        outflow = [r * content for content in self.pipeline]
        for stage in range(4):
            self.pipeline[stage] -= outflow[stage]
            if stage > 0:
                self.pipeline[stage] += outflow[stage - 1]
        K += outflow[3]
        if month > 24.0 - p["sup.lag"]:
            ordered_for = month + rounded(p["sup.lag"])
            planned = growth_path(self.inputs.expected.parameters, ordered_for) / self.per_year
            self.pipeline[0] += planned * math.exp(min(max(p["sup.resp"] * gap, -2.0), 1.0))
        # 3. cancellation
        self.negative_gap_steps = self.negative_gap_steps + 1 if gap < 0.0 else 0
        if self.negative_gap_steps == 6 * n:
            kept = 1.0 - p["sup.cancel"]
            self.waiting *= kept
            self.pipeline = [kept * content for content in self.pipeline]
        # 4. retirement
        for name, share in (("A100", p["sup.mix.A100"]), ("H100", p["sup.mix.H100_H200"])):
            K += self.retirement(t, name, share, K)
        self.K.append(K)

    def retirement(self, t: int, name: str, share: float, K: float) -> float:
        """Change of K when a group of the world stock no longer earns its cash costs."""
        generation = next((g for g in self.generations if g.name == name), None)
        if generation is None or self.retired[name]:
            return 0.0
        p = self.p
        power = p["pow.p0"] * math.exp(p["pow.trend"] * t / self.per_year)
        floor = power * p["gpu.pue"] * generation.kw / 1000.0
        floor += p["gpu.om"] * generation.capex_usd / 8760.0
        revenue = self.contract_price[name][t - 1] * self.market_utilisation[t - 1]
        self.below_floor[name] = self.below_floor[name] + 1 if revenue < floor else 0
        if self.below_floor[name] < 6 * self.per_month:
            return 0.0
        self.retired[name] = True
        return math.log(1.0 - min(0.99, share * math.exp(-K)))

    def tightness_and_prices(self, t: int) -> None:
        """§7 last line and §8."""
        p = self.p
        beta, x_0 = p["gpu.beta_tight"], p["sup.x0"]
        x = x_0 + self.L_addressable[t] - self.K[t] - self.captive[t]
        path = self.inputs.path
        if path is not None:
            x = x_0 + (self.reference.price_deviation[t] + path.log_price[t]) / beta
        self.x.append(x)
        if path is not None:
            self.G = 0.0
        elif x < GLUT_THRESHOLD:
            self.G += min(0.0, p["sup.glut_decay"] - p["gpu.delta"]) / self.per_year
        else:
            self.G *= self.half_life(9.0)
        c_before = self.c[max(0, t - self.per_month)] if path is None else 1.0
        rent = p["mem.rent_beta_short"] if c_before > 1.0 else p["mem.rent_beta_glut"]
        q = beta * (x - x_0) + self.G + rent * math.log(c_before)
        self.q.append(q)
        self.v.append(q + beta * x_0 - math.log(self.c[t]))
        steps = sum(size for month, size in self.releases if t / self.per_month >= month)
        self.steps.append(steps)
        self.market_utilisation.append(self.utilisation(p["gpu.util"], t))

        self.price_noise(t)
        for g in self.generations:
            level = (
                price_drift(p, g) * t / self.per_year
                - g.steps_share * steps
                + g.tightness_share * q
            )
            contract = level + self.X[g.name, "contract"]
            spot = level + self.X[g.name, "spot"] + g.tightness_share * self.Y[t]
            self.contract_price[g.name].append(g.contract_price * math.exp(contract))
            self.spot_price[g.name].append(g.spot_price * math.exp(spot))
            price = self.contract_price[g.name][t]
            expected = price if self.reference is None else self.reference.contract_price[g.name][t]
            self.dev[g.name].append(price / expected)

    def price_noise(self, t: int) -> None:
        """ξ_gk = √ρ·c_k + √(1−ρ)·own, or a random walk of the generation's own."""
        if not self.is_on("price_noise"):
            return
        p = self.p
        rho = p["gpu.rho_gen"]
        own_spot, _ = self.draws.normals("price.spot", t)
        common_contract = self.xi[t]["P"]
        common_spot = 0.7 * self.xi[t]["P"] + math.sqrt(1.0 - 0.49) * own_spot
        a_contract, s_contract = ou(p["gpu.ctr_kappa"], p["gpu.ctr_sigma"], self.per_year)
        a_spot, s_spot = ou(p["gpu.spot_kappa"], p["gpu.spot_sigma"], self.per_year)
        for g in self.generations:
            z_contract, z_spot = self.draws.normals(f"price.{g.name}", t)
            if g.brownian_sd > 0.0:
                step = g.brownian_sd / math.sqrt(self.per_year) * z_contract
                self.X[g.name, "contract"] += step
                self.X[g.name, "spot"] += step
                continue
            shock = math.sqrt(rho) * common_contract + math.sqrt(1.0 - rho) * z_contract
            key = (g.name, "contract")
            self.X[key] = a_contract * self.X[key] + s_contract * shock
            shock = math.sqrt(rho) * common_spot + math.sqrt(1.0 - rho) * z_spot
            key = (g.name, "spot")
            self.X[key] = a_spot * self.X[key] + s_spot * shock

    def utilisation(self, centre: float, t: int) -> float:
        """U = logistic(logit u + slope·(x − x0))."""
        slope = self.p["gpu.util_slope"]
        return logistic(logit(centre) + slope * (self.x[t] - self.p["sup.x0"]))

    def power_rates_spreads(self, t: int) -> None:
        """§9."""
        p = self.p
        a, s = ou(p["pow.kappa"], p["pow.sigma"], self.per_year)
        self.W.append(a * self.W[-1] + s * self.xi[t]["W"] if self.is_on("power") else 0.0)

        for name, rate in self.exchange.items():
            move = 1.0
            if name != "USD" and self.is_on("currencies"):
                z, _ = self.draws.normals(f"fx.{name}", t)
                s = p["fx.sigma"] / math.sqrt(self.per_year)
                move = math.exp(s * z - 0.5 * s * s)
            rate.append(rate[-1] * move)

        a, s = ou(p["ir.kappa"], p["ir.sigma"], self.per_year)
        s = s if self.is_on("rates") else 0.0
        shock = s * self.xi[t]["R"]
        forwards = self.inputs.sofr_forwards
        if forwards:
            self.rate_noise = a * self.rate_noise + shock
            # what month t adds to the variance of the summed noise of months 1..t, over 12
            added = (summed_variance(a, s, t) - summed_variance(a, s, t - 1)) / 144.0
            self.sofr.append(forwards[min(t, len(forwards)) - 1] + 6.0 * added + self.rate_noise)
        else:
            self.sofr.append(p["ir.theta"] + (self.sofr[-1] - p["ir.theta"]) * a + shock)

        a, s = ou(p["cs.kappa"], p["cs.sigma"], self.per_year)
        mean = math.log(p["cs.hy_mean"]) - p["cs.sigma"] ** 2 / (4.0 * p["cs.kappa"])
        log_hy = mean + a * (math.log(self.hy[-1]) - mean)
        if self.is_on("spreads"):
            log_hy -= s * self.xi[t]["Z"]
            log_hy += p["cs.ap_jump"] if self.pocket_arrived else 0.0
        if self.inputs.path is not None:
            log_hy = math.log(self.path_spread(t))
        self.hy.append(math.exp(log_hy))
        is_shut = False
        if not self.is_centred and self.hy[t] > 800.0:
            is_shut = self.draws.uniforms("market.shut", t)[0] < p["cs.refi_shut"]
        self.market_open.append(not is_shut)

        stress = 0.0
        if self.reference is not None:
            stress -= self.q[t] - self.reference.price_deviation[t]
            stress += 0.5 * math.log(self.hy[t] / self.reference.high_yield[t])
        self.stress.append(stress)

    def hazard_multiplier(self, beta: float, loading: float, t: int, c: float) -> float:
        """M of step t: exp(β·stress − γ·Δ − c)."""
        lost = loading * self.Delta[t]
        return math.exp(beta * self.stress[t] - lost - c)

    def path_spread(self, t: int) -> float:
        """Index of a stress case: linear to its peak by month 12, back by month 36."""
        usual, peak = self.reference.high_yield, self.inputs.path.high_yield_peak_bp
        if peak <= 0.0 or t >= 36:
            return usual[t]
        if t <= 12:
            return usual[0] + (peak - usual[0]) * t / 12.0
        return peak + (usual[min(36, self.horizon)] - peak) * (t - 12) / 24.0

    def end_month(self) -> None:
        """Sales of the month weigh on the resale market from the next month on."""
        for name in self.overhang:
            self.overhang[name] = self.overhang[name] * half_life(6.0) + self.f_sold[name]
            self.f_sold[name] = 0.0


def reference_path(inputs: ModelInputs, per_month: int = 1) -> ReferencePath:
    """Run the market in centred mode, as it was expected at t0."""
    expected = as_expected(inputs)
    market = Market(expected, None, expected.parameters, None, per_month=per_month)
    for t in range(1, inputs.horizon * per_month + 1):
        market.step(t)
    return ReferencePath(
        tightness=market.x,
        price_deviation=market.q,
        capacity=market.K,
        captive=market.captive,
        steps=market.steps,
        contract_price=market.contract_price,
        high_yield=market.hy,
    )


def as_expected(inputs: ModelInputs) -> ModelInputs:
    """The study with the market that was expected at t0."""
    expected = inputs.expected
    return dataclasses.replace(
        inputs,
        parameters=expected.parameters,
        switches=expected.switches,
        correlations=expected.correlations,
        sofr_forwards=expected.sofr_forwards,
        path=None,
        book=dataclasses.replace(
            inputs.book,
            generations=expected.generations,
            jurisdictions=expected.jurisdictions,
        ),
    )


def summed_variance(a: float, s: float, t: int) -> float:
    """Variance of X(1) + ... + X(t), X(i) = a X(i-1) + s xi: each shock acts in all later ones."""
    return s * s * sum(((1.0 - a**k) / (1.0 - a)) ** 2 for k in range(1, t + 1))
