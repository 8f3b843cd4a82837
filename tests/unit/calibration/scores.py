"""Do estimates scatter about the truth as their standard errors say?"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import chi2


def assert_scores_are_standard(scores: ArrayLike) -> None:
    """Check z-scores (seed, number): none large, centred, of unit size.

    Each number's mean lies within 4 standard errors of 0, and the sum of its squares within
    what chi-squared gives in all but one case of 10,000.
    """
    z = np.asarray(scores, float)
    assert np.all(np.isfinite(z))
    seeds = len(z)
    assert np.abs(z).max() < 4.0, z
    assert np.all(np.abs(z.mean(axis=0)) * np.sqrt(seeds) < 4.0), z.mean(axis=0)
    squares = (z**2).sum(axis=0)
    assert np.all(squares < chi2.ppf(1 - 1e-4, seeds)), squares
    assert np.all(squares > chi2.ppf(1e-4, seeds)), squares
