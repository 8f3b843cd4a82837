"""The memory cycle: spells, states, prices, and what they do to costs and rents (model.md §6)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import nbinom, norm

from tests.unit.drivers import market
from tests.unit.drivers.agreement import law_is, mean_is, share_is, variance_is

BALANCED, SHORTAGE, GLUT = range(3)
STATES = ("balanced", "shortage", "glut")
LENGTHS = {BALANCED: "mem.dur_bal", SHORTAGE: "mem.dur_short", GLUT: "mem.dur_glut"}
ROWS = (
    "memory.regime memory.stage memory.spell_months memory.log_price memory.shortage_starts "
    "memory.rent memory.cost_factor"
)
HORIZON = 72
FROM_EACH = pytest.mark.parametrize("start", [BALANCED, SHORTAGE, GLUT], ids=STATES)


def from_state(start: int, **settings: float):
    """Run the memory market from one of its states."""
    return market.run(ROWS, {"mem.start": start, **settings})


def first_spells(found, start: int) -> np.ndarray:
    """Return the length of each path's first spell, HORIZON + 1 if it outlives the horizon."""
    left = found["memory.regime"][:, 1:] != start
    return np.where(left.any(axis=1), left.argmax(axis=1) + 1, HORIZON + 1)


def spell_law(parameters, state: int, months: np.ndarray) -> np.ndarray:
    """Return P(spell = n): a sum of k geometric sub-stages of mean d/k each, at least k months."""
    stages = parameters["mem.shape"]
    p = stages / parameters[LENGTHS[state]]
    return nbinom.pmf(months - stages, stages, p)


def expanded_chain(parameters) -> np.ndarray:
    """Return the monthly matrix over (state, sub-stage), whose sojourns are the sub-stages' own."""
    stages = int(parameters["mem.shape"])
    matrix = np.zeros((3 * stages, 3 * stages))
    to_glut = parameters["mem.p_bal_to_glut"]
    after = {
        BALANCED: {GLUT: to_glut, SHORTAGE: 1.0 - to_glut},
        SHORTAGE: {BALANCED: 1.0},
        GLUT: {BALANCED: 1.0},
    }
    for state in range(3):
        p = stages / parameters[LENGTHS[state]]
        for stage in range(stages):
            here = state * stages + stage
            matrix[here, here] = 1.0 - p
            if stage + 1 < stages:
                matrix[here, here + 1] = p
            else:
                for target, share in after[state].items():
                    matrix[here, target * stages] = p * share
    return matrix


def occupancy(parameters, start: int, month: int) -> np.ndarray:
    """Return P(state) after so many months, by a power of the expanded chain."""
    stages = int(parameters["mem.shape"])
    law = np.linalg.matrix_power(expanded_chain(parameters), month)[start * stages]
    return law.reshape(3, stages).sum(axis=1)


@FROM_EACH
def test_length_of_a_spell(start: int) -> None:
    """Mean d, variance k(1 − p)/p² with p = k/d: far less dispersed than one geometric spell."""
    found = from_state(start)
    mean, stages = found.parameters[LENGTHS[start]], found.parameters["mem.shape"]
    p = stages / mean
    months = np.arange(1, HORIZON + 1)
    law = spell_law(found.parameters, start, months)
    beyond = 1.0 - law.sum()  # spells that outlive the horizon count as one month longer
    assert beyond < 2e-4
    spells = first_spells(found, start)
    exact = (law * months).sum() + beyond * (HORIZON + 1)
    second = (law * months**2).sum() + beyond * (HORIZON + 1) ** 2
    assert exact == pytest.approx(mean, rel=1e-3)
    assert second - exact**2 == pytest.approx(stages * (1.0 - p) / p**2, rel=1e-2)
    mean_is(spells, exact)
    variance_is(spells, second - exact**2)
    points = np.array([3, 6, 12, 18, 24, 36])
    law_is(spells, points, np.cumsum(law)[points - 1])


@pytest.mark.parametrize("shape", [1, 8])
def test_shape_sets_the_dispersion_of_a_spell(shape: int) -> None:
    """One sub-stage is geometric, eight are nearly regular: variance k(1 − p)/p², p = k/d."""
    mean = 9.0
    found = from_state(SHORTAGE, **{"mem.shape": shape, "mem.dur_short": mean})
    p = shape / mean
    mean_is(first_spells(found, SHORTAGE), mean)
    variance_is(first_spells(found, SHORTAGE), shape * (1.0 - p) / p**2)


@FROM_EACH
def test_share_of_paths_in_each_state(start: int) -> None:
    """Occupancy at month n = row of the n-th power of the chain over (state, sub-stage)."""
    found = from_state(start)
    for month in (3, 12, 24, 36, 72):
        exact = occupancy(found.parameters, start, month)
        for state, name in enumerate(STATES):
            if exact[state] > 0.0:
                share_is(
                    found["memory.regime"][:, month] == state, exact[state], f"{name} at {month}"
                )


def test_long_run_shares_are_those_of_renewal_theory() -> None:
    """π_i ∝ visits_i·d_i: a cycle is one balanced spell, then a glut (p) or a shortage (1 − p)."""
    parameters = from_state(SHORTAGE).parameters
    to_glut = parameters["mem.p_bal_to_glut"]
    time = np.array([1.0, 1.0 - to_glut, to_glut]) * [parameters[LENGTHS[s]] for s in range(3)]
    limit = occupancy(parameters, SHORTAGE, 100_000)
    np.testing.assert_allclose(limit, time / time.sum(), rtol=1e-9)
    found = market.run("memory.regime", {"mem.start": SHORTAGE}, paths=2_048, horizon=240)
    for state, name in enumerate(STATES):
        share_is(found["memory.regime"][:, 240] == state, limit[state], name)


def test_what_follows_a_balanced_spell() -> None:
    """A glut with probability mem.p_bal_to_glut, else a shortage; balance follows both."""
    found = from_state(SHORTAGE)
    before, now = found["memory.regime"][:, :-1], found["memory.regime"][:, 1:]
    changes = before != now
    ends = changes & (before == BALANCED)
    share_is(now[ends] == GLUT, found.parameters["mem.p_bal_to_glut"])
    assert (now[changes & (before != BALANCED)] == BALANCED).all()


@FROM_EACH
def test_price_of_memory_by_state(start: int) -> None:
    """ΔMem ~ N(μ(state), σ(state)²/12); in a glut the steep drift holds for its first 8 months."""
    found = from_state(start)
    regime, p = found["memory.regime"], found.parameters
    step = np.diff(found["memory.log_price"], axis=1)
    age = np.ones(market.PATHS)  # months of the spell, counting its first
    ages = np.empty_like(step)
    for month in range(1, HORIZON + 1):
        fresh = (regime[:, month] != regime[:, month - 1]) | (month == 1)
        age = np.where(fresh, 1.0, age + 1.0)
        ages[:, month - 1] = age
    now = regime[:, 1:]
    groups = {
        "balanced": (now == BALANCED, p["mem.mu.balanced"], p["mem.sigma.balanced"]),
        "shortage": (now == SHORTAGE, p["mem.mu.shortage"], p["mem.sigma.shortage"]),
        "early glut": (
            (now == GLUT) & (ages <= 8),
            p["mem.mu.glut_first_8_months"],
            p["mem.sigma.glut"],
        ),
        "late glut": ((now == GLUT) & (ages > 8), p["mem.mu.glut_after"], p["mem.sigma.glut"]),
    }
    for name, (chosen, drift, sigma) in groups.items():
        normal = (step[chosen] - drift) / (sigma / np.sqrt(12.0))
        assert normal.size > 20_000
        mean_is(normal, 0.0, name)
        variance_is(normal, 1.0, name)
        law_is(normal, norm.ppf([0.01, 0.5, 0.99]), [0.01, 0.5, 0.99], name)


def test_cost_of_servers_and_rents() -> None:
    """c = 1 + share·passthru (e^Mem − 1); F(t) = b ln c(t−1), b by whether c(t−1) is above 1."""
    found = from_state(SHORTAGE)
    p, cost = found.parameters, found["memory.cost_factor"]
    expected = 1.0 + p["mem.capex_share"] * p["mem.passthru"] * np.expm1(found["memory.log_price"])
    np.testing.assert_allclose(cost, expected, rtol=1e-12)
    before = cost[:, :-1]
    slope = np.where(before > 1.0, p["mem.rent_beta_short"], p["mem.rent_beta_glut"])
    np.testing.assert_allclose(
        found["memory.rent"][:, 1:], slope * np.log(before), rtol=0.0, atol=1e-12
    )
    assert 0.2 < (before > 1.0).mean() < 0.9  # both slopes were used


@FROM_EACH
def test_shortages_are_told_when_they_start(start: int) -> None:
    """1 in the first month of a shortage, and at t0 if the study starts in one."""
    found = from_state(start)
    regime = found["memory.regime"]
    starts = np.zeros_like(regime)
    starts[:, 1:] = (regime[:, 1:] == SHORTAGE) & (regime[:, :-1] != SHORTAGE)
    starts[:, 0] = float(start == SHORTAGE)
    np.testing.assert_array_equal(found["memory.shortage_starts"], starts)
    assert starts[:, 1:].sum() > 1_000
