"""Mixtures of shifts: exact moments, several modes kept, and the honest way out."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import integrate, stats

from simulator.analytics.estimators import mean
from simulator.analytics.sample import Design
from simulator.drivers.steering import SteeringParams
from simulator.engine.sampling.cross_entropy import fit_mixture, fit_proposal, second_moment
from simulator.engine.sampling.pilot import explorer, find_direction, find_proposal
from simulator.engine.sampling.proposal import Proposal
from simulator.engine.sampling.sampler import Quasi, Stratified

pytestmark = pytest.mark.nojit

Vector = NDArray[np.float64]
STEERING = SteeringParams(np.zeros((0, 2), dtype=np.int64), 3)
NAMES = ("shock Z, months 1-12", "name A", "name B")
TWO = Proposal(np.array([0.25, 0.75]), np.array([[0.0, 0.0, 0.0], [-2.0, 0.0, 1.0]]))


def drawn(proposal: Proposal, count: int, seed: int = 1, first: int = 0) -> tuple[Vector, Vector]:
    return proposal.draw(seed, np.arange(first, first + count, dtype=np.int64))


def test_weights_are_ratios_of_densities() -> None:
    coordinates, weights = drawn(TWO, 500)
    plain = stats.multivariate_normal(np.zeros(3)).pdf(coordinates.T)
    shifted = stats.multivariate_normal(TWO.shifts[1]).pdf(coordinates.T)
    np.testing.assert_allclose(weights, plain / (0.25 * plain + 0.75 * shifted), rtol=1e-12)
    assert weights.max() <= 4.0


def test_a_rare_event_is_estimated_without_bias_and_with_its_exact_variance() -> None:
    proposal = Proposal(np.array([0.2, 0.8]), np.array([[0.0], [3.0]]))
    exact = stats.norm.sf(3.0)

    def density(x: float) -> float:
        below = 0.2 * stats.norm.pdf(x) + 0.8 * stats.norm.pdf(x - 3.0)
        return float(stats.norm.pdf(x) ** 2 / below)

    moment = integrate.quad(density, 3.0, 12.0)[0]
    count, scores = 4_000, []
    for seed in range(20):
        coordinates, weights = drawn(proposal, count, seed)
        found = mean(coordinates[0] > 3.0, weights)
        scores.append((found.value - exact) / found.se)
        assert found.se == pytest.approx(np.sqrt((moment - exact**2) / count), rel=0.1)
    low, high = stats.chi2.ppf((1e-4, 1.0 - 1e-4), 20) / 20.0
    assert low < np.mean(np.square(scores)) < high


def test_draws_depend_on_the_number_of_a_path_alone() -> None:
    whole, weights = drawn(TWO, 40)
    some, fewer = drawn(TWO, 7, first=21)
    np.testing.assert_array_equal(some, whole[:, 21:28])
    np.testing.assert_array_equal(fewer, weights[21:28])


def test_a_proposal_survives_json_bit_for_bit() -> None:
    again = Proposal.from_json(json.loads(json.dumps(TWO.to_json())))
    np.testing.assert_array_equal(drawn(again, 50)[1], drawn(TWO, 50)[1])


def two_ways(coordinates: Vector) -> Vector:
    """Lose by a default of A, or by a bad cycle and a default of B: two modes far apart."""
    one = np.maximum(-coordinates[1] - 2.4, 0.0)
    other = np.maximum(-coordinates[0] + coordinates[2] - 3.4, 0.0)
    return one + other


def test_both_modes_of_a_tail_are_kept() -> None:
    coordinates, weights = drawn(explorer(NAMES), 6_000)
    fitted = fit_mixture(coordinates, weights * two_ways(coordinates), 2)
    heads = sorted(tuple(np.round(shift, 1)) for shift in fitted.shifts)
    assert heads[0][0] < -1.5
    assert heads[0][2] > 1.2
    assert heads[1][1] < -2.2
    proposal = fit_proposal(coordinates, weights, two_ways(coordinates), 0.2)
    assert proposal.shares.size >= 3
    assert proposal.shares[0] == pytest.approx(0.2, abs=0.01)


def test_a_foretold_second_moment_is_the_one_that_comes_true() -> None:
    coordinates, weights = drawn(explorer(NAMES), 20_000)
    terms = two_ways(coordinates)
    proposal = fit_proposal(coordinates, weights, terms, 0.2)
    foretold = second_moment(proposal, coordinates, weights, terms)
    mine, ratios = drawn(proposal, 20_000, seed=2)
    squares = (ratios * two_ways(mine)) ** 2
    error = 4.0 * squares.std() / np.sqrt(squares.size)
    assert foretold == pytest.approx(squares.mean(), abs=error + 0.1 * squares.mean())


def beyond(level: float) -> float:
    """Return E(x - level)^+ of a standard normal x."""
    return float(stats.norm.pdf(level) - level * stats.norm.sf(level))


def simulate_with(loss: Any) -> Any:
    def simulate(proposal: Proposal, numbers: NDArray[np.int64]) -> tuple[Vector, Vector]:
        coordinates, _ = proposal.draw(1, numbers)
        return coordinates, loss(coordinates)

    return simulate


def test_a_pilot_finds_the_tail_and_says_what_it_saves() -> None:
    found = find_proposal(simulate_with(two_ways), NAMES, 0.999, 0.2)
    assert found.gain > 20.0
    assert "99.9%" in found.note
    coordinates, weights = drawn(found.proposal, 20_000, seed=3)
    terms = two_ways(coordinates)
    exact = stats.norm.expect(lambda x: np.maximum(x - 2.4, 0.0)) + np.sqrt(
        2.0
    ) * stats.norm.expect(lambda x: np.maximum(x - 3.4 / np.sqrt(2.0), 0.0))
    estimate = mean(terms, weights)
    assert abs(estimate.value - exact) < 4.0 * estimate.se
    assert estimate.se < 0.02 * exact


@pytest.mark.parametrize("loss", [lambda x: np.zeros(x.shape[1]), lambda x: np.ones(x.shape[1])])
def test_a_pilot_without_a_tail_leaves_plain_sampling(loss: Any) -> None:
    found = find_proposal(simulate_with(loss), NAMES, 0.999, 0.2, paths=600)
    assert found.proposal.shares.tolist() == [1.0]
    assert found.note.startswith("plain sampling")
    assert (drawn(found.proposal, 50)[1] == 1.0).all()


def test_a_pilot_that_foretells_no_gain_leaves_plain_sampling() -> None:
    noise = np.random.default_rng(4)

    def blind(coordinates: Vector) -> Vector:
        return noise.exponential(size=coordinates.shape[1])

    found = find_proposal(simulate_with(blind), NAMES, 0.9, 0.2)
    assert found.proposal.shares.tolist() == [1.0]
    assert "no gain" in found.note


def smooth(coordinates: Vector) -> Vector:
    """Mean 1 + e: quadratic in one coordinate, exponential in the sum of the others."""
    return coordinates[0] ** 2 + np.exp(coordinates[1] + coordinates[2])


@pytest.mark.parametrize("method", ["quasi", "stratified"])
def test_evenly_spread_paths_have_no_bias_less_error_and_say_so(method: str) -> None:
    scores, errors, count = [], [], 2_048
    line = np.array([0.0, 1.0, 1.0]) / np.sqrt(2.0)
    size = 64
    sampler = Quasi(STEERING, size) if method == "quasi" else Stratified(STEERING, line, size)
    numbers = np.arange(count, dtype=np.int64)
    for seed in range(20):
        coordinates, _ = sampler.draw(seed, numbers)
        found = mean(smooth(coordinates), Design(None, numbers // size))
        scores.append((found.value - 1.0 - np.e) / found.se)
        errors.append(found.se)
    low, high = stats.chi2.ppf((1e-4, 1.0 - 1e-4), 20) / 20.0
    assert low < np.mean(np.square(scores)) < 1.3 * high  # thirty-two groups: t, not normal
    plain = np.sqrt((2.0 + np.exp(4.0) - np.exp(2.0)) / count)
    assert np.mean(errors) < 0.75 * plain


def test_each_stratum_has_its_path() -> None:
    line = np.array([0.6, 0.0, 0.8])
    coordinates, _ = Stratified(STEERING, line, 16).draw(1, np.arange(32, dtype=np.int64))
    strata = np.floor(stats.norm.cdf(line @ coordinates) * 16).astype(int)
    assert sorted(strata[:16]) == sorted(strata[16:]) == list(range(16))


def test_a_direction_is_the_one_losses_lie_along() -> None:
    direction, note = find_direction(
        simulate_with(lambda x: np.exp(x[0] - x[1])), NAMES, 0.99, paths=8_000
    )
    np.testing.assert_allclose(direction, [np.sqrt(0.5), -np.sqrt(0.5), 0.0], atol=0.1)
    assert "2 coordinates" in note
