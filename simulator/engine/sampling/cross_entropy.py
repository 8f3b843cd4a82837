"""Finding a mixture of shifts near the best law for a tail: cross-entropy by EM.

Drawing paths in proportion to density times contribution to the expected shortfall would leave no
variance.  Of all mixtures of shifted normals the nearest to that law, in relative entropy, is the
one under which the contributions' own paths are likeliest: a mixture fitted to the paths of a
pilot, each counted by its contribution (Rubinstein and Kroese 2004; Kurtz and Song 2013).

    maximise  sum_i c_i ln sum_k p_k N(x_i; m_k, I),      c_i = w_i (L_i - VaR)^+

A pilot is small and coordinates are many: a shift within its own noise is set to zero, and the
number of parts is the one whose variance, foretold by the half of the pilot that it was not fitted
to, is smallest.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.engine.sampling.proposal import Proposal, log_ratios

__all__ = ["Fitted", "effective_number", "fit_mixture", "fit_proposal", "second_moment"]

Vector = NDArray[np.float64]

MOST_PARTS: Final = 4
ROUNDS: Final = 60
STARTS: Final = 3
SIGNIFICANT: Final = 2.5
"""Standard errors that a shift must differ from zero by."""

DECIMALS: Final = 3
"""Of shares and shifts: what is fitted is then the same whatever the machine's last digits."""


class Fitted(NamedTuple):
    """A mixture of shifts."""

    shares: Vector  # (part,)
    shifts: Vector  # (part, coordinate)
    entropy: float  # mean log ratio of the mixture to the model, by contribution


def effective_number(contributions: Vector) -> float:
    """Return how many paths of equal contribution would tell as much: (sum c)^2 / sum c^2."""
    squares = float(np.sum(contributions * contributions))
    return float(np.sum(contributions)) ** 2 / squares if squares > 0.0 else 0.0


def fit_mixture(coordinates: Vector, contributions: Vector, parts: int) -> Fitted:
    """Fit a mixture of so many shifts, the best of a few starts.

    Parameters
    ----------
    coordinates : (coordinate, path) float64
        Of a pilot.
    contributions : (path,) float64
        Of each path to the tail, weights included; not all zero.
    parts : int
        Shifts.

    Returns
    -------
    Fitted
        The same for the same pilot: starts are drawn from a key of their own.
    """
    kept = contributions > 0.0
    points = np.ascontiguousarray(coordinates[:, kept])
    masses = contributions[kept] / np.sum(contributions[kept])
    random = np.random.default_rng(parts)
    starts = [spread_out(points, masses, parts, random) for _ in range(STARTS if parts > 1 else 1)]
    return max((climb(points, masses, start) for start in starts), key=lambda one: one.entropy)


def spread_out(points: Vector, masses: Vector, parts: int, random: np.random.Generator) -> Vector:
    """Choose points far from each other as first shifts (part, coordinate) (k-means++)."""
    chosen = [int(random.choice(masses.size, p=masses))]
    for _ in range(parts - 1):
        gaps = np.stack([np.sum((points.T - points[:, one]) ** 2, axis=1) for one in chosen])
        chances = masses * gaps.min(axis=0)
        chosen.append(int(random.choice(masses.size, p=chances / chances.sum())))
    return np.asarray(points[:, chosen].T * 0.7)


def climb(points: Vector, masses: Vector, shifts: Vector) -> Fitted:
    """Improve shares and shifts round by round (EM)."""
    shares = np.full(shifts.shape[0], 1.0 / shifts.shape[0])
    for _ in range(ROUNDS):
        ratios = log_ratios(shifts, points) + np.log(shares)[:, np.newaxis]
        odds = np.exp(ratios - ratios.max(axis=0))
        loads = masses * odds / odds.sum(axis=0)
        shares = loads.sum(axis=1) + 1e-12
        means = np.einsum("kn,dn->kd", loads, points) / shares[:, np.newaxis]
        noise = np.sqrt(np.sum(loads * loads, axis=1)) / shares
        shifts = np.where(np.abs(means) > SIGNIFICANT * noise[:, np.newaxis], means, 0.0)
    ratios = log_ratios(shifts, points) + np.log(shares)[:, np.newaxis]
    top = ratios.max(axis=0)
    entropy = float(np.sum(masses * (top + np.log(np.sum(np.exp(ratios - top), axis=0)))))
    return Fitted(shares / shares.sum(), shifts, entropy)


def proposal_of(fitted: Fitted, defensive_share: float) -> Proposal:
    """Put the model itself, with its share, before the shifts."""
    shares = np.round((1.0 - defensive_share) * fitted.shares, DECIMALS)
    kept = shares > 0.0
    shares = np.concatenate([[1.0 - shares[kept].sum()], shares[kept]])
    shifts = np.vstack([np.zeros(fitted.shifts.shape[1]), np.round(fitted.shifts[kept], DECIMALS)])
    return Proposal(shares, shifts)


def second_moment(proposal: Proposal, coordinates: Vector, weights: Vector, terms: Vector) -> float:
    """Foretell the second moment of weighted terms under a proposal, from paths drawn otherwise.

    Parameters
    ----------
    coordinates : (coordinate, path), weights : (path,)
        Of the paths, and their likelihood ratios under the law they were drawn from.
    terms : (path,)
        What is averaged, without weights.

    Returns
    -------
    float
        Estimate of E(w' term^2), w' the ratios of `proposal`.
    """
    return float(np.mean(weights * proposal.weights(coordinates) * terms * terms))


def fit_proposal(
    coordinates: Vector, weights: Vector, terms: Vector, defensive_share: float
) -> Proposal:
    """Fit the mixture whose number of parts does best on paths that it was not fitted to.

    Parameters
    ----------
    coordinates : (coordinate, path), weights : (path,), terms : (path,)
        Of a pilot: as `second_moment` takes them; terms are not negative.
    defensive_share : float
        Share of the model itself.
    """
    half = np.arange(terms.size) % 2 == 0
    contributions = weights * terms

    def foretold(parts: int) -> float:
        found = 0.0
        for mine in (half, ~half):
            fitted = fit_mixture(coordinates[:, mine], contributions[mine], parts)
            proposal, other = proposal_of(fitted, defensive_share), ~mine
            found += second_moment(proposal, coordinates[:, other], weights[other], terms[other])
        return found

    best = min(range(1, MOST_PARTS + 1), key=foretold)
    return proposal_of(fit_mixture(coordinates, contributions, best), defensive_share)
