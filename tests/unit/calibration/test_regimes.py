"""The hidden chain: its law, filter, smoother and search, against plain enumeration."""

from __future__ import annotations

from itertools import pairwise, product

import numpy as np
import pytest
from scipy.stats import norm

from simulator.calibration.curvature import covariance
from simulator.calibration.memory import models_of, vector_of
from simulator.calibration.regimes import (
    GLUT,
    STEEP_MONTHS,
    Chain,
    Model,
    filtered,
    fit,
    improved,
    simulate,
    smoothed,
    starts,
)
from tests.unit.calibration.scores import assert_scores_are_standard

pytestmark = pytest.mark.nojit

TRUE = Model(
    lengths=np.array([[12.0, 15.0, 16.0]]),
    glut_share=np.array([0.6]),
    drifts=np.array([[-0.02, 0.04, -0.09, -0.03]]),
    volatilities=np.array([[0.12, 0.3, 0.2]]),
)


def runs(regime: np.ndarray) -> list[tuple[int, int]]:
    """Regime and length of each spell but the first and the last."""
    ends = np.flatnonzero(np.diff(regime)) + 1
    edges = [0, *ends.tolist(), len(regime)]
    spells = [(int(regime[a]), b - a) for a, b in pairwise(edges)]
    return spells[1:-1]


def test_spells_have_the_lengths_and_successors_of_the_model() -> None:
    """docs/model.md §6: k sub-stages, mean and standard deviation of a negative binomial."""
    _, regime = simulate(Chain.of(3), TRUE, 60_000, seed=1)
    spells = runs(regime)
    for state, mean in enumerate(TRUE.lengths[0]):
        lengths = np.array([months for one, months in spells if one == state])
        leave = 3 / mean
        sd = np.sqrt(3 * (1 - leave)) / leave
        assert lengths.mean() == pytest.approx(mean, abs=4 * sd / np.sqrt(len(lengths)))
        assert lengths.std() == pytest.approx(sd, rel=0.1)
    after = [two[0] for one, two in pairwise(spells) if one[0] == 0]
    share = np.mean(np.array(after) == GLUT)
    assert share == pytest.approx(0.6, abs=4 * np.sqrt(0.24 / len(after)))
    assert all(two[0] == 0 for one, two in pairwise(spells) if one[0])


def test_a_glut_falls_fast_for_eight_months() -> None:
    still = TRUE._replace(volatilities=np.full((1, 3), 1e-9))
    moves, regime = simulate(Chain.of(3), still, 5000, seed=3)
    month, seen = 0, set()
    for move, state in zip(moves, regime, strict=True):
        month = month + 1 if state == GLUT else 0
        if state == GLUT and seen:  # the first spell may have begun before the series
            assert move == pytest.approx(-0.09 if month <= STEEP_MONTHS else -0.03, abs=1e-6)
        if state != GLUT:
            seen.add(state)
    assert seen == {0, 1}


def test_rows_are_probabilities() -> None:
    for stages in (1, 3, 5):
        chain = Chain.of(stages)
        matrix = chain.transitions(TRUE)[0]
        np.testing.assert_allclose(matrix.sum(axis=1), 1.0, atol=1e-12)
        assert matrix.min() >= 0
        assert chain.start.sum() == pytest.approx(1.0)


def test_filter_and_smoother_are_sums_over_all_paths() -> None:
    chain, moves = Chain.of(1), np.array([0.02, -0.1, -0.08, 0.05])
    matrix = chain.transitions(TRUE)[0]
    sd = TRUE.volatilities[0, chain.regime] / np.sqrt(12)
    density = norm.pdf(moves[:, None], TRUE.drifts[0, chain.drift], sd)
    total, states = 0.0, np.zeros((4, len(chain.start)))
    for path in product(range(len(chain.start)), repeat=4):
        steps = [matrix[a, b] for a, b in pairwise(path)]
        weight = chain.start[path[0]] * np.prod(steps)
        weight *= np.prod([density[t, one] for t, one in enumerate(path)])
        total += weight
        for t, one in enumerate(path):
            states[t, one] += weight
    run = filtered(chain, TRUE, moves)
    assert run.log_likelihood[0] == pytest.approx(np.log(total), abs=1e-10)
    found, transitions = smoothed(run)
    np.testing.assert_allclose(found[0], states / total, atol=1e-12)
    np.testing.assert_allclose(transitions[0].sum(axis=1), found[0, :-1].sum(axis=0), atol=1e-12)


def test_extreme_moves_do_not_underflow() -> None:
    run = filtered(Chain.of(3), TRUE, np.array([0.0, 50.0, -50.0, 0.0]))
    assert np.isfinite(run.log_likelihood[0])
    np.testing.assert_allclose(smoothed(run)[0].sum(axis=2), 1.0)


def test_each_step_of_the_search_climbs() -> None:
    chain = Chain.of(3)
    moves, _ = simulate(chain, TRUE, 200, seed=2)
    model, heights = starts(moves), []
    for _ in range(40):
        model, height = improved(chain, model, moves)
        heights.append(height)
    assert np.diff(heights, axis=0).min() > -1e-8


def test_estimates_scatter_as_their_errors_say() -> None:
    chain, scores = Chain.of(3), []
    for seed in range(8):
        moves, _ = simulate(chain, TRUE, 700, seed=10 + seed)
        model = fit(chain, moves, iterations=500, tolerance=1e-5)
        assert model is not None
        steps = np.where(np.isin(np.arange(11), range(4, 8)), 0.01 * moves.std(), 0.01)
        at = vector_of(model)
        variance = np.diag(
            covariance(
                lambda points, moves=moves: (
                    filtered(chain, models_of(points), moves).log_likelihood
                ),
                at,
                steps,
            )
        )
        scores.append((at - vector_of(TRUE)) / np.sqrt(variance))
    assert_scores_are_standard(scores)


def test_the_vector_of_a_model_is_the_model() -> None:
    for part, again in zip(TRUE, models_of(vector_of(TRUE)[None]), strict=True):
        np.testing.assert_allclose(again, part)
