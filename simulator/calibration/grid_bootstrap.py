"""Intervals for mean reversion in short samples: the grid bootstrap (Hansen 1999, Andrews 1993).

The maximum-likelihood kappa of a short series is far too high, and skewed: an estimate plus and
minus two standard errors, or a bootstrap at the estimate alone, repeats that bias. So every kappa
is asked whether an estimate as extreme as the one found would be rare under it. Kappas under
which the estimate lies within the middle 95% of simulated estimates form the interval; the one
under which it is the median is the median-unbiased kappa. With a stationary first value the law of
the estimate depends on kappa alone, so coverage is exact up to the number of simulations.

sigma takes a parametric bootstrap under the median-unbiased kappa, b one under the low end of the
interval of kappa: the less reversion, the less a mean or trend is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simulator.calibration.ornstein_uhlenbeck import (
    Fit,
    Moments,
    Times,
    fit_many,
    profile,
    simulate,
)

Array = NDArray[np.float64]

TAIL = 0.025
HALVINGS = 10
"""Steps of each search along kappa: 1/1000 of its range in logs."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """95% intervals of a fit.

    Parameters
    ----------
    kappa, sigma : (low, high)
        Per year, per square root of a year; 0 and infinity where there is no end.
    coefficients : array (column, 2)
        Of b.
    unbiased
        Median-unbiased kappa.
    expected
        Mean estimate under it: how far maximum likelihood overstates.
    """

    kappa: tuple[float, float]
    sigma: tuple[float, float]
    coefficients: Array
    unbiased: float
    expected: float


class GridBootstrap:
    """Simulated estimates under any kappa, from one set of normals."""

    def __init__(self, times: Times, values: Array, fitted: Fit, samples: int, seed: int) -> None:
        self.times, self.values, self.fitted = times, values, fitted
        shape = (len(values), samples)
        self.normals = np.random.default_rng(seed).standard_normal(shape)
        self.moments = Moments.of(times, values[:, None])
        self._ranks: dict[float, float] = {}

    def estimates(self, kappa: float) -> Fit:
        """Return estimates from series simulated under a kappa, sigma 1 and b 0."""
        first = None
        if not self.times.stationary:  # the first value stands where it stood
            _, sigma, coefficients = profile(self.moments, kappa)
            mean = float(self.times.design[0] @ coefficients[:, 0])
            first = (float(self.values[0]) - mean) / float(sigma[0])
        paths = simulate(self.times, kappa, self.normals, first)
        return fit_many(self.times, paths)

    def rank(self, kappa: float) -> float:
        """Return the share of simulated estimates below the one found."""
        if kappa not in self._ranks:  # the three searches begin alike
            below = self.estimates(kappa).kappa < float(self.fitted.kappa)
            self._ranks[kappa] = float(np.mean(below))
        return self._ranks[kappa]

    def kappa_where(self, rank: float) -> float:
        """Return the kappa under which the estimate found has a rank; 0 or infinity if none."""
        nodes = self.times.nodes
        low, high = float(np.log(nodes[0])), float(np.log(nodes[-1]))
        if self.rank(math.exp(low)) <= rank:
            return 0.0
        if self.rank(math.exp(high)) >= rank:
            return math.inf
        for _ in range(HALVINGS):
            middle = 0.5 * (low + high)
            if self.rank(math.exp(middle)) > rank:
                low = middle
            else:
                high = middle
        return math.exp(0.5 * (low + high))

    def intervals(self) -> Intervals:
        """Return all intervals."""
        kappa = (self.kappa_where(1 - TAIL), self.kappa_where(TAIL))
        unbiased = self.kappa_where(0.5)
        nodes = self.times.nodes
        central, loose = (
            self.estimates(float(np.clip(one, nodes[0], nodes[-1]))) for one in (unbiased, kappa[0])
        )
        sigma = float(self.fitted.sigma)
        ratios = np.quantile(central.sigma, [1 - TAIL, TAIL])
        errors = np.quantile(loose.coefficients / loose.sigma, [1 - TAIL, TAIL], axis=1)
        return Intervals(
            kappa=kappa,
            sigma=(float(sigma / ratios[0]), float(sigma / ratios[1])),
            coefficients=self.fitted.coefficients[:, None] - sigma * errors.T,
            unbiased=unbiased,
            expected=float(np.mean(central.kappa)),
        )
