"""The memory cycle as a hidden Markov chain: exactly the law that the model simulates.

A spell of balance, shortage or glut passes k sub-stages (docs/model.md §6), and a glut falls
faster in its first eight months; so a hidden state is regime, sub-stage and, in a glut, months
since its start. Months in state s move the log price by normal(mu_s, sigma_s^2 / 12).

Filter: Hamilton (1989), with probabilities scaled month by month and densities taken relative to
the largest of the month, so that nothing underflows. Smoother: Kim (1994). Estimates:
expectation-maximisation (Baum et al. 1970), whose steps are closed forms here. The first month may
stand anywhere: each regime has a third, evenly over its states.

Many models are run side by side: arrays carry the model first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

REGIMES: Final = ("balanced", "shortage", "glut")
BALANCED, SHORTAGE, GLUT = range(3)
STEEP_MONTHS: Final = 8
DRIFTS: Final = 4
"""Drifts told apart: balanced, shortage, glut at first, glut later."""
LONGEST: Final = 1200.0
"""Longest mean length of a spell that is told apart from for ever, months."""
LEAST_SHARE: Final = 0.05
"""Smallest volatility, as share of that of all months: unchanged prices are no certainty."""


class Model(NamedTuple):
    """Parameters of several models.

    Parameters
    ----------
    lengths : array (model, 3)
        Mean length of a spell by regime, months.
    glut_share : array (model,)
        Probability that a balanced spell ends in glut.
    drifts : array (model, 4)
        Log per month: balanced, shortage, glut at first, glut later.
    volatilities : array (model, 3)
        By regime, log per square root of a year.
    """

    lengths: Array
    glut_share: Array
    drifts: Array
    volatilities: Array


@dataclass(frozen=True, slots=True)
class Chain:
    """The hidden states and where each may go.

    Parameters
    ----------
    stages
        Sub-stages of a spell.
    regime, drift : array (state,) of int
        Regime and drift of each state.
    stay, onward : arrays (state, state)
        1 where a state goes if its sub-stage lasts, or ends within the spell.
    to_glut, to_other : arrays (state, state)
        1 where a spell ends: balance in glut, and all other ends.
    start : array (state,)
        Probability of the first month.
    """

    stages: int
    regime: NDArray[np.int64]
    drift: NDArray[np.int64]
    stay: Array
    onward: Array
    to_glut: Array
    to_other: Array
    start: Array

    @classmethod
    def of(cls, stages: int) -> Chain:
        """Return the chain of spells with so many sub-stages."""
        states = [(BALANCED, stage, 0) for stage in range(stages)]
        states += [(SHORTAGE, stage, 0) for stage in range(stages)]
        months = range(STEEP_MONTHS + 1)  # the last: later than that
        states += [
            (GLUT, stage, month) for stage in range(stages) for month in months if month >= stage
        ]
        place = {state: i for i, state in enumerate(states)}
        moves = np.zeros((4, len(states), len(states)))
        for (regime, stage, month), i in place.items():
            later = min(month + 1, STEEP_MONTHS) if regime == GLUT else 0
            moves[0, i, place[regime, stage, later]] = 1
            if stage + 1 < stages:
                moves[1, i, place[regime, stage + 1, later]] = 1
            elif regime == BALANCED:
                moves[2, i, place[GLUT, 0, 0]] = 1
                moves[3, i, place[SHORTAGE, 0, 0]] = 1
            else:
                moves[3, i, place[BALANCED, 0, 0]] = 1
        regimes = np.array([regime for regime, _, _ in states])
        steep = np.array([month < STEEP_MONTHS for _, _, month in states])
        return cls(
            stages=stages,
            regime=regimes,
            drift=np.where(regimes == GLUT, np.where(steep, 2, 3), regimes),
            stay=moves[0],
            onward=moves[1],
            to_glut=moves[2],
            to_other=moves[3],
            start=1 / (3 * np.bincount(regimes)[regimes]),
        )

    def transitions(self, model: Model) -> Array:
        """Return the transition matrices (model, state, state)."""
        leave = (self.stages / model.lengths)[:, self.regime, None]
        share = model.glut_share[:, None, None]
        balanced = (self.regime == BALANCED)[:, None]
        other = np.where(balanced, 1 - share, 1.0) * self.to_other
        return (1 - leave) * self.stay + leave * (self.onward + share * self.to_glut + other)

    def densities(self, model: Model, moves: Array) -> tuple[Array, Array]:
        """Return densities (model, month, state) over the month's largest, and the logs of that."""
        sd = (model.volatilities / np.sqrt(12.0))[:, None, self.regime]
        deviation = (moves[:, None] - model.drifts[:, None, self.drift]) / sd
        logs = -0.5 * (deviation**2 + np.log(2.0 * np.pi)) - np.log(sd)
        top = logs.max(axis=2)
        return np.exp(logs - top[:, :, None]), top


class Filtered(NamedTuple):
    """Probabilities of states given the months so far (model, month, state), and their scale."""

    densities: Array
    transitions: Array
    forward: Array
    scale: Array  # (model, month)
    log_likelihood: Array  # (model,)


def filtered(chain: Chain, model: Model, moves: Array) -> Filtered:
    """Run the filter over monthly log changes (month,)."""
    densities, top = chain.densities(model, moves)
    transitions = chain.transitions(model)
    forward, scale = np.empty_like(densities), np.empty_like(top)
    ahead = np.broadcast_to(chain.start, forward[:, 0].shape)
    for t in range(len(moves)):
        joint = ahead * densities[:, t]
        scale[:, t] = joint.sum(axis=1)
        forward[:, t] = joint / scale[:, t, None]
        ahead = (forward[:, t, None, :] @ transitions)[:, 0]
    return Filtered(densities, transitions, forward, scale, (np.log(scale) + top).sum(axis=1))


def smoothed(run: Filtered) -> tuple[Array, Array]:
    """Return probabilities given all months (model, month, state) and expected transitions."""
    backward = np.ones_like(run.forward)
    for t in range(run.forward.shape[1] - 2, -1, -1):
        ahead = run.densities[:, t + 1] * backward[:, t + 1] / run.scale[:, t + 1, None]
        backward[:, t] = (run.transitions @ ahead[:, :, None])[:, :, 0]
    arrivals = run.densities * backward / run.scale[:, :, None]
    pairs = run.forward[:, :-1].transpose(0, 2, 1) @ arrivals[:, 1:]
    return run.forward * backward, run.transitions * pairs


def improved(chain: Chain, model: Model, moves: Array) -> tuple[Model, Array]:
    """Return the models after one step of expectation-maximisation, and where they stood."""
    run = filtered(chain, model, moves)
    states, transitions = smoothed(run)
    by_regime = np.eye(3)[chain.regime]
    by_drift = np.eye(DRIFTS)[chain.drift]
    months = transitions.sum(axis=2) @ by_regime
    ends = (transitions * (chain.onward + chain.to_glut + chain.to_other)).sum(axis=2) @ by_regime
    to_glut = (transitions * chain.to_glut).sum(axis=(1, 2))
    from_balance = (transitions * chain.to_other)[:, chain.regime == BALANCED].sum(axis=(1, 2))
    weights = states @ by_drift
    total = np.maximum(weights.sum(axis=1), 1e-300)
    drifts = np.einsum("mtd,t->md", weights, moves) / total
    squares = np.einsum("mtd,mtd->md", weights, (moves[:, None] - drifts[:, None]) ** 2)
    join = np.array([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1]], float)  # drift to regime
    variance = (squares @ join) / np.maximum(weights.sum(axis=1) @ join, 1e-300)
    floor = LEAST_SHARE * moves.std() * np.sqrt(12.0)
    better = Model(
        lengths=np.clip(chain.stages * months / np.maximum(ends, 1e-300), chain.stages, LONGEST),
        glut_share=np.clip(to_glut / np.maximum(to_glut + from_balance, 1e-300), 1e-6, 1 - 1e-6),
        drifts=drifts,
        volatilities=np.maximum(np.sqrt(12.0 * variance), floor),
    )
    return better, run.log_likelihood


def fit(chain: Chain, moves: Array, *, iterations: int, tolerance: float) -> Model | None:
    """Return the best model (one), None if no start ends with its regimes in order of drift."""
    model = starts(moves)
    before = np.full(len(model.glut_share), -np.inf)
    for _ in range(iterations):
        model, height = improved(chain, model, moves)
        if np.max(height - before) < tolerance:
            break
        before = height
    height = filtered(chain, model, moves).log_likelihood
    average = model.drifts[:, 2:].mean(axis=1)
    ordered = (model.drifts[:, SHORTAGE] > model.drifts[:, BALANCED]) & (
        model.drifts[:, BALANCED] > average
    )
    if not ordered.any():
        return None
    best = int(np.where(ordered, height, -np.inf).argmax())
    return Model(*(part[best : best + 1] for part in model))


def starts(moves: Array) -> Model:
    """Return models to start from: drifts at quantiles of the half-year averages."""
    half_years = np.convolve(moves, np.full(6, 1 / 6), mode="valid")
    levels = [(0.5, 0.9, 0.1, 0.3), (0.5, 0.75, 0.25, 0.3), (0.6, 0.95, 0.05, 0.2)]
    drifts = np.stack([np.quantile(half_years, one) for one in levels])
    sd = moves.std() * np.sqrt(12.0)
    return Model(
        lengths=np.tile([12.0, 15.0, 16.0], (len(levels), 1)),
        glut_share=np.full(len(levels), 0.5),
        drifts=drifts,
        volatilities=np.tile(0.7 * sd, (len(levels), 3)),
    )


def simulate(chain: Chain, model: Model, months: int, seed: int) -> tuple[Array, NDArray[np.int64]]:
    """Draw monthly log changes and their regimes from the first model."""
    random = np.random.default_rng(seed)
    ladder = np.cumsum(chain.transitions(model)[0], axis=1)
    state = int(random.choice(len(chain.start), p=chain.start))
    path = np.empty(months, np.int64)
    for t in range(months):
        path[t] = state
        state = min(int(np.searchsorted(ladder[state], random.random())), len(ladder) - 1)
    regime = chain.regime[path]
    sd = model.volatilities[0, regime] / np.sqrt(12.0)
    return model.drifts[0, chain.drift[path]] + sd * random.standard_normal(months), regime
