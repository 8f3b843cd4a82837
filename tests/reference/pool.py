"""One path of a credit-only study in plain Python, written from docs/model.md §17."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulator.config.pool_terms import PoolInputs, PoolName, Regimes
from simulator.numerics import normal_cdf, student_t_cdf
from tests.reference.draws import Draws, beta_draw, chi2_draw


@dataclass
class PoolPath:
    """By name: month of default (0 = none), claim, loss and its PV; by month: what is left."""

    default_month: dict[str, int]
    claim: dict[str, float]
    nominal_loss: dict[str, float]
    loss: dict[str, float]
    outstanding: list[float]  # months 1..H
    loss_so_far: list[float]
    notes: dict[str, float]


def balance(name: PoolName, t: int) -> float:
    """What a name owes at the end of month t, instalment paid."""
    n, i = name.loan_months, name.loan_rate / 12.0
    if n == 0:
        return name.exposure
    left = max(0, n - t)
    if i == 0.0:
        return name.exposure * left / n
    return name.exposure * (1.0 - (1.0 + i) ** -left) / (1.0 - (1.0 + i) ** -n)


def common_hazard(regimes: Regimes | None, draws: Draws, horizon: int) -> list[float]:
    """R at the ends of months 0..H: the chain is drawn stay by stay and laid over the months."""
    if regimes is None:
        return [0.0] * (horizon + 1)
    u, _ = draws.uniforms("regime", 0)
    here = first_above(list(regimes.start), u)
    stays, at, number = [], 0.0, 0
    while at <= horizon:
        number += 1
        u1, u2 = draws.uniforms("regime", number)
        rate = -regimes.generator[here][here] / 12.0
        end = at - math.log(u1) / rate if rate > 0.0 else math.inf
        stays.append((at, end, regimes.hazard_per_year[here] / 12.0))
        jumps = [q if k != here else 0.0 for k, q in enumerate(regimes.generator[here])]
        if rate > 0.0:
            here = first_above([q / 12.0 / rate for q in jumps], u2)
        at = end

    def integral(t: int) -> float:
        return sum(h * max(0.0, min(end, t) - begin) for begin, end, h in stays)

    return [integral(t) for t in range(horizon + 1)]


def first_above(probabilities: list[float], u: float) -> int:
    """First place whose cumulative probability exceeds u."""
    total = 0.0
    for place, probability in enumerate(probabilities[:-1]):
        total += probability
        if u < total:
            return place
    return len(probabilities) - 1


def threshold(pool: PoolInputs, name: PoolName, draws: Draws) -> float:
    """E of a name."""
    factors = [draws.normals(f"factor.{k}", 0)[0] for k in range(1, len(name.loadings) + 1)]
    own = draws.normals(f"name.{name.id}", 0)[0]
    rest = math.sqrt(max(0.0, 1.0 - sum(b * b for b in name.loadings)))
    w = sum(b * f for b, f in zip(name.loadings, factors, strict=True)) + rest * own
    nu = pool.copula_nu
    if nu > 0.0:
        w *= math.sqrt(nu / chi2_draw(nu, draws.normals("copula", 0)[0]))
        return -math.log(student_t_cdf(-w, nu))
    return -math.log(normal_cdf(-w))


def loss_of(pool: PoolInputs, name: PoolName, draws: Draws, t: int) -> tuple[float, float, float]:
    """Claim, loss and its PV at a default in month t."""
    claim = balance(name, t - 1) * (1.0 + name.loan_rate / 12.0)
    v = 1.0 / (1.0 + pool.discount_rate / 12.0)
    if name.collateral is not None:
        held = name.collateral
        sold = t + held.sale_lag
        value = held.value * held.monthly_factor**sold * (1.0 - held.sale_cost)
        received = min(claim, value)
        return claim, claim - received, v**t * claim - v**sold * received
    share = name.loss_mean
    if name.loss_sd > 0.0:
        share = beta_draw(name.loss_mean, name.loss_sd, draws.normals(f"name.{name.id}.loss", t)[0])
    return claim, share * claim, v**t * share * claim


def simulate_pool(pool: PoolInputs, seed: int, path: int) -> PoolPath:
    """Run one path."""
    draws, months = Draws(seed, path), range(1, pool.horizon + 1)
    common = common_hazard(pool.regimes, draws, pool.horizon)
    found = PoolPath({}, {}, {}, {}, [], [], {})
    for name in pool.names:
        e, integrated = threshold(pool, name, draws), 0.0
        found.default_month[name.id] = 0
        found.claim[name.id] = found.nominal_loss[name.id] = found.loss[name.id] = 0.0
        for t in months:
            year = min((t - 1) // 12, len(name.hazard_per_year) - 1)
            integrated += name.hazard_per_year[year] / 12.0
            if integrated + common[t] >= e:
                claim, nominal, loss = loss_of(pool, name, draws, t)
                if claim > 0.0:
                    found.default_month[name.id] = t
                    found.claim[name.id] = claim
                    found.nominal_loss[name.id], found.loss[name.id] = nominal, loss
                break
    for t in months:
        failed = {name for name, month in found.default_month.items() if 0 < month <= t}
        owed = [balance(name, t) for name in pool.names if name.id not in failed]
        found.outstanding.append(sum(owed))
        found.loss_so_far.append(sum(found.loss[name] for name in failed))
    total, size = sum(found.loss.values()), sum(name.exposure for name in pool.names)
    for note in pool.tranches:
        low, high = note.attachment * size, note.detachment * size
        found.notes[note.id] = min(max(total - low, 0.0), high - low)
    return found
