"""The compensator c_j(t) of §10, on a pilot of any size.

mean over pilot of Φ([Q(1−e^(−Λ(t))) − a·Z* − b·C⊥]/√(1−a²−b²)) = 1 − exp(−Σ_{s≤t} h(s)/12)
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import special

from simulator.config.terms import ModelInputs, Name
from tests.reference.credit import integration, loadings, yearly_hazard
from tests.reference.draws import Draws, chi2_draw
from tests.reference.market import Market, as_expected, reference_path
from tests.reference.state import NameState

PILOT_SEED = 20261130
PILOT_PATHS = 16_384

Vector = NDArray[np.float64]


def solve_compensator(inputs: ModelInputs, paths: int = PILOT_PATHS) -> dict[str, list[float]]:
    """c_j(1..H) by id of name."""
    pilot = Pilot(inputs, paths)
    names = inputs.book.names
    return {name.id: pilot.solve(name) for name in names if not name.sponsor}


class Pilot:
    """Market paths on their own seed, at reference parameters, easing off.

    `stress` and `Delta` hold a value per step, month 0 first.
    """

    def __init__(self, inputs: ModelInputs, paths: int) -> None:
        self.inputs = inputs
        self.per_month = 1  # steps
        reference = reference_path(inputs)
        usual = as_expected(inputs)
        switches = {**usual.switches, "easing": False}
        horizon = inputs.horizon
        self.stress = np.empty((horizon + 1, paths))
        self.Delta = np.empty((horizon + 1, paths))  # demand lost to efficiency
        self.Z_star = np.empty(paths)
        self.C_perp = np.empty(paths)
        self.tail = np.ones(paths)  # √(χ²/ν)
        for path in range(paths):
            draws = Draws(PILOT_SEED, path)
            market = Market(usual, draws, usual.parameters, reference, switches)
            names = {name.id: NameState(name, math.inf) for name in inputs.book.names}
            for t in range(1, horizon + 1):
                market.step(t)
                integration(market, draws, names, t)
            self.stress[:, path] = market.stress
            self.Delta[:, path] = market.Delta
            self.Z_star[path] = market.Z_star
            self.C_perp[path] = market.C_perp
            nu = inputs.copula_nu
            if nu > 0.0:
                chi2 = chi2_draw(nu, draws.normals("copula", 0)[0])
                self.tail[path] = math.sqrt(chi2 / nu)

    def solve(self, name: Name) -> list[float]:
        horizon = self.inputs.horizon
        off = self.inputs.path is not None or not self.inputs.switches["compensator"]
        if (name.beta == 0.0 and name.efficiency_loading == 0.0) or off:
            return [0.0] * horizon
        Lambda = np.zeros(self.Z_star.size)
        expected = 0.0
        c = []
        for t in range(1, horizon + 1):
            h = yearly_hazard(name, t, self.inputs.expected.parameters)
            expected += h / 12.0
            target = -math.expm1(-expected)
            if expected == 0.0:  # no default expected so far: nothing to match
                c.append(0.0)
                continue
            steps = slice((t - 1) * self.per_month + 1, t * self.per_month + 1)
            moved = name.beta * self.stress[steps] - name.efficiency_loading * self.Delta[steps]
            growth = h / 12.0 * np.exp(moved).mean(axis=0)
            solution = bisect(
                lambda x, L=Lambda, g=growth, goal=target: (
                    self.default_probability(name, L + g * math.exp(-x)) - goal
                )
            )
            c.append(solution)
            Lambda = Lambda + growth * math.exp(-solution)
        return c

    def default_probability(self, name: Name, Lambda: Vector) -> float:
        """Mean over the pilot of the probability to have defaulted, given the market."""
        a, b = loadings(name, self.inputs.parameters)
        probability = -np.expm1(-Lambda)
        nu = self.inputs.copula_nu
        quantile = special.stdtrit(nu, probability) if nu > 0.0 else special.ndtri(probability)
        w = quantile * self.tail - a * self.Z_star - b * self.C_perp
        return float(np.mean(special.ndtr(w / math.sqrt(1.0 - a * a - b * b))))


def bisect(function: Callable[[float], float]) -> float:
    """Root of a falling function."""
    low, high = -10.0, 10.0
    for _ in range(200):
        middle = 0.5 * (low + high)
        if function(middle) > 0.0:
            low = middle
        else:
            high = middle
        if high - low < 1e-14:
            break
    return 0.5 * (low + high)
