"""95% intervals cover 93 to 97% of 1,000 samples of a law that is known exactly.

Losses are exponential with mean 1: VaR at a is −ln(1 − a), ES one more.  They are drawn plainly; by
importance sampling, from a mixture of the law and a wider one; in groups that share a factor; and
both.  `test_groups` and `test_tail` cover more laws.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.analytics import (
    Estimate,
    expected_shortfall,
    mean,
    probability,
    quantile,
    ratio,
    value_at_risk,
)
from simulator.analytics.sample import Design
from simulator.analytics.slices import slice_mean
from simulator.dataset.drawn import Drawn, row_of

pytestmark = pytest.mark.nojit

REPEATS = 1000
PATHS = 2000
IN_GROUPS = 6000  # a tail of few groups is skewed
Z = 1.959963984540054
LEVEL = 0.9
WIDE = 4.0
GROUP = 5

Vector = NDArray[np.float64]
TAIL = math.log(10.0)
MEASURES: dict[str, tuple[Callable[[Vector, Design], Estimate], float]] = {
    "mean": (mean, 1.0),
    "probability": (lambda x, d: probability(x > 2.0, d), math.exp(-2.0)),
    "likely": (lambda x, d: probability(x > 0.1, d), math.exp(-0.1)),
    "ratio": (lambda x, d: ratio(np.where(x > 2.0, x, 0.0), x > 2.0, d), 3.0),
    "VaR": (lambda x, d: value_at_risk(x, LEVEL, d), TAIL),
    "ES": (lambda x, d: expected_shortfall(x, LEVEL, d), TAIL + 1.0),
    "median": (lambda x, d: quantile(x, 0.5, d), math.log(2.0)),
    "slice": (lambda x, d: slice_mean(x, x, 0.5, 0.9, d), 1.2379),
    "worst": (lambda x, d: slice_mean(x, x, 0.8, 1.0, d), math.log(5.0) + 1.0),
}


def plain(rng: np.random.Generator) -> tuple[Vector, Design]:
    return rng.exponential(size=PATHS), Design()


def weighted(rng: np.random.Generator) -> tuple[Vector, Design]:
    """A fifth of the paths from the law itself, the others four times as wide."""
    x = rng.exponential(size=PATHS) * np.where(rng.random(PATHS) < 0.2, 1.0, WIDE)
    return x, Design(1.0 / (0.2 + 0.8 * np.exp(x - x / WIDE) / WIDE))


def grouped(rng: np.random.Generator) -> tuple[Vector, Design]:
    """The sum of two squares is exponential: one of them is drawn once for each group."""
    groups = np.arange(IN_GROUPS) // GROUP
    shared = rng.standard_normal(groups[-1] + 1)[groups]
    return (shared**2 + rng.standard_normal(IN_GROUPS) ** 2) / 2.0, Design(None, groups)


def both(rng: np.random.Generator) -> tuple[Vector, Design]:
    """As grouped, what is not shared drawn from a mixture with twice the deviation."""
    groups = np.arange(IN_GROUPS) // GROUP
    shared = rng.standard_normal(groups[-1] + 1)[groups]
    own = rng.standard_normal(IN_GROUPS) * np.where(rng.random(IN_GROUPS) < 0.3, 1.0, 2.0)
    weights = 1.0 / (0.3 + 0.7 * np.exp(own**2 / 2.0 - own**2 / 8.0) / 2.0)
    return (shared**2 + own**2) / 2.0, Design(weights, groups)


@pytest.mark.parametrize("law", [plain, weighted, grouped, both])
def test_intervals_cover(law: Callable[[np.random.Generator], tuple[Vector, Design]]) -> None:
    rng = np.random.default_rng(20_261_125)
    exact_slice = (1.0 + math.log(2.0)) * 0.5 - (1.0 + math.log(10.0)) * 0.1
    exact = {name: value for name, (_, value) in MEASURES.items()}
    exact["slice"] = exact_slice / 0.4
    hits = dict.fromkeys([*MEASURES, "month median", "month mean"], 0)
    for _ in range(REPEATS):
        x, design = law(rng)
        for name, (measure, _) in MEASURES.items():
            value, se = measure(x, design)
            hits[name] += abs(value - exact[name]) < Z * se
        share = GROUP if design.groups is not None else 1
        month = row_of(x.astype(np.float32), Drawn(design.weights, share))
        hits["month median"] += abs(month.quantiles[4] - math.log(2.0)) < Z * month.errors[4]
        hits["month mean"] += abs(month.mean - 1.0) < Z * month.mean_error
    outside = {name: count for name, count in hits.items() if not 930 <= count <= 970}
    assert not outside
