"""Thresholds that integrated hazards must reach: factors, a copula, an exponential law.

    w = systematic + sqrt(1 - loadings^2) eps,   times sqrt(nu / chi2) for a t copula
    E = -ln(1 - Phi(w)),  with Student's law in place of Phi for a t copula

A name defaults in the first month in which its integrated hazard is at least E, so that its
survival curve is its own whatever the factors are (Li 2000). A low w is bad.

Model: docs/model.md §10. Books (`credit.names`) and pools (`credit.pool`) draw by these functions.
"""

from __future__ import annotations

import numpy as np

from simulator.drivers.draws import beta_at_normal
from simulator.numerics.elementary import log
from simulator.numerics.jit import inner
from simulator.numerics.normal import normal_cdf
from simulator.numerics.philox import fill_normals
from simulator.numerics.student_t import student_t_cdf


@inner
def draw_mixing(seed, paths, stream, degrees_of_freedom, chi2_table, mixing, own, spare):
    """Draw sqrt(nu / chi2), which all names of a path share under a t copula; 1 if Gaussian.

    Parameters
    ----------
    degrees_of_freedom : float, 0 = Gaussian
    mixing : (lane,), written
    own, spare : (lane,), scratch
    """
    start = np.int64(0)
    mixing[:] = 1.0
    if degrees_of_freedom > 0.0:
        fill_normals(seed, paths, stream, start, own, spare)
        mixing_of(own, degrees_of_freedom, chi2_table, mixing)


@inner
def mixing_of(scores, degrees_of_freedom, chi2_table, mixing):
    """Write sqrt(nu / chi2) at normal scores (lane,) of chi2; 1 if Gaussian."""
    mixing[:] = 1.0
    if degrees_of_freedom > 0.0:
        for lane in range(mixing.shape[0]):
            chi2 = beta_at_normal(chi2_table, scores[lane])
            mixing[lane] = np.sqrt(degrees_of_freedom / chi2)


@inner
def mix_scores(systematic, rest, own, mixing, scores):
    """Write a name's scores w; all but the loading `rest` of its own normal is by (lane,)."""
    for lane in range(scores.shape[0]):
        w = systematic[lane] + rest * own[lane]
        scores[lane] = w * mixing[lane]


@inner
def threshold_of(score, degrees_of_freedom):
    """Return the threshold of one score."""
    if degrees_of_freedom > 0.0:
        return -log(student_t_cdf(-score, degrees_of_freedom))
    return -log(normal_cdf(-score))


@inner
def set_thresholds(scores, degrees_of_freedom):
    """Replace scores (lane,) by their thresholds."""
    if degrees_of_freedom > 0.0:
        for lane in range(scores.shape[0]):
            scores[lane] = -log(student_t_cdf(-scores[lane], degrees_of_freedom))
    else:
        for lane in range(scores.shape[0]):
            scores[lane] = -log(normal_cdf(-scores[lane]))
