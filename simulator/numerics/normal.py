"""The normal law: distribution function and quantile, branch-free, so that loops vectorise.

References
----------
M. J. Wichura (1988), "Algorithm AS 241: the percentage points of the normal distribution",
Applied Statistics 37, 477-484 (PPND16).
M. B. Giles (2012), "Approximating the erfinv function", GPU Computing Gems Jade Edition, 109-116.
M. M. Shepherd, J. G. Laframboise (1981), "Chebyshev approximation of (1 + 2x) exp(x²) erfc x in
0 ≤ x < ∞", Mathematics of Computation 36, 249-253 (the change of variable used for the tail).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.bits import bits_to_float, float_to_bits
from simulator.numerics.elementary import exp, log, log_of_normal
from simulator.numerics.jit import kernel, scalar

__all__ = ["normal_cdf", "normal_quantile", "to_normals"]

INFINITY = math.inf
NOT_A_NUMBER = math.nan
NEAR = 2.0**-11  # the central polynomial holds from here, 0.1% of uniform draws lie outside
ONE_LESS_NEAR = 1.0 - NEAR
TWICE_ROOT_TWO = 2.8284271247461903
FARTHEST = 39.0  # the tail is zero in float64 beyond
UPPER_26_BITS = -(1 << 27)  # mask that keeps a mantissa's upper 26 bits


@scalar
def _scaled_tail(y: float) -> float:
    """Return Φ(−y) exp(y²/2) for 0 <= y <= 39, within 3e-16 relative.

    (y + 5) times it is a polynomial in t = (y − 5) / (y + 5), fitted at Chebyshev nodes.
    """
    inverse = 1.0 / (y + 5.0)
    t = (y - 5.0) * inverse
    p = -1.5877468827473365e-10
    p = p * t + 1.753048401408232e-09
    p = p * t + 7.66307180076004e-09
    p = p * t + -9.31356099432606e-09
    p = p * t + -6.594221662477223e-08
    p = p * t + 4.2274993740065346e-08
    p = p * t + 4.331410356862585e-07
    p = p * t + -3.366153681012471e-07
    p = p * t + -2.76926709599743e-06
    p = p * t + 3.9809021578680414e-06
    p = p * t + 1.6681213742042063e-05
    p = p * t + -4.97628142705858e-05
    p = p * t + -5.937572800991586e-05
    p = p * t + 0.0005448990647731298
    p = p * t + -0.0007978693984660701
    p = p * t + -0.0029933767705085422
    p = p * t + 0.020795066799883178
    p = p * t + -0.06911863870631016
    p = p * t + 0.1650203661703847
    p = p * t + -0.31353315667130455
    p = p * t + 0.4953056159699764
    p = p * t + -0.6653825028900567
    p = p * t + 0.769193049750063
    return p * inverse


@scalar
def normal_cdf(x: float) -> float:
    """Return Φ(x), the standard normal distribution function.

    Parameters
    ----------
    x : float
        Any float64.

    Returns
    -------
    float
        In [0, 1], within 1e-15 relative in both tails (as far as float64 has normal numbers,
        x > -37.5); nan for nan.

    Notes
    -----
    y = abs(x) is cut to its upper 26 bits h, whose square is exact:
    exp(-y²/2) = exp(-h²/2) exp(-(y - h)(y + h)/2), the second factor by its short series.
    """
    x = float(x)
    y = abs(x)
    y = y if y < FARTHEST else FARTHEST
    h = bits_to_float(float_to_bits(y) & UPPER_26_BITS)
    d = 0.5 * (y - h) * (y + h)
    density = exp(-0.5 * h * h) * (1.0 - d * (1.0 - d * (0.5 - d * (1.0 / 6.0))))
    tail = density * _scaled_tail(y)
    result = tail if x < 0.0 else 1.0 - tail
    return result if x == x else x


@scalar
def central_quantile(p: float) -> float:
    """Return Φ⁻¹(p) for NEAR <= p <= 1 - NEAR, within 2e-15 relative; elsewhere no number of use.

    (p − 1/2) times a polynomial in −log(4p(1 − p)), Giles (2012): no division and no second
    branch, and four terms at a time, so that no step waits long for the one before it.
    """
    w = -log_of_normal(4.0 * p * (1.0 - p)) - 3.125
    w2 = w * w
    w4 = w2 * w2
    x = 1.2858480715256400167e-18 + -1.685059138182016589e-19 * w + -3.6444120640178196996e-21 * w2
    x = x * w4 + (
        (6.6376381343583238325e-15 + 2.0972767875968561637e-17 * w)
        + (-1.333171662854620906e-16 + 1.115787767802518096e-17 * w) * w2
    )
    x = x * w4 + (
        (-1.2975133253453532498e-11 + 2.6335093153082322977e-12 * w)
        + (-8.1519341976054721522e-14 + -4.0545662729752068639e-14 * w) * w2
    )
    x = x * w4 + (
        (-2.9070369957882005086e-08 + -4.1126339803469836976e-09 * w)
        + (1.051212273321532285e-09 + -5.4154120542946279317e-11 * w) * w2
    )
    x = x * w4 + (
        (0.0001867342080340571352 + -1.3882523362786468719e-05 * w)
        + (-1.3654692000834678645e-06 + 4.2347877827932403518e-07 * w) * w2
    )
    x = x * w4 + (
        (1.6536545626831027356 + 0.24015818242558961693 * w)
        + (-0.0060336708714301490533 + -0.00074070253416626697512 * w) * w2
    )
    return (p - 0.5) * (x * TWICE_ROOT_TWO)


@scalar
def _choose(is_near: bool, near: float, far: float) -> float:
    """Return the coefficient of the region a lane is in."""
    return near if is_near else far


@scalar
def far_quantile(p: float) -> float:
    """Return Φ⁻¹(p) for 0 < p < NEAR or 1 - NEAR < p < 1, within 2e-15 relative.

    AS 241: with r = sqrt(−log min(p, 1 − p)), a ratio of two polynomials of degree 7 in r − 1.6,
    or in r − 5 where r > 5. Each lane picks the coefficients of its region.
    """
    r = math.sqrt(-log(p if p < 0.5 else 1.0 - p))
    n = r <= 5.0
    x = r - 1.6 if n else r - 5.0
    upper = _choose(n, 7.7454501427834140764e-4, 2.01033439929228813265e-7)
    upper = upper * x + _choose(n, 2.27238449892691845833e-2, 2.71155556874348757815e-5)
    upper = upper * x + _choose(n, 2.41780725177450611770e-1, 1.24266094738807843860e-3)
    upper = upper * x + _choose(n, 1.27045825245236838258, 2.65321895265761230930e-2)
    upper = upper * x + _choose(n, 3.64784832476320460504, 2.96560571828504891230e-1)
    upper = upper * x + _choose(n, 5.76949722146069140550, 1.78482653991729133580)
    upper = upper * x + _choose(n, 4.63033784615654529590, 5.46378491116411436990)
    upper = upper * x + _choose(n, 1.42343711074968357734, 6.65790464350110377720)

    lower = _choose(n, 1.05075007164441684324e-9, 2.04426310338993978564e-15)
    lower = lower * x + _choose(n, 5.47593808499534494600e-4, 1.42151175831644588870e-7)
    lower = lower * x + _choose(n, 1.51986665636165571966e-2, 1.84631831751005468180e-5)
    lower = lower * x + _choose(n, 1.48103976427480074590e-1, 7.86869131145613259100e-4)
    lower = lower * x + _choose(n, 6.89767334985100004550e-1, 1.48753612908506148525e-2)
    lower = lower * x + _choose(n, 1.67638483018380384940, 1.36929880922735805310e-1)
    lower = lower * x + _choose(n, 2.05319162663775882187, 5.99832206555887937690e-1)
    lower = lower * x + 1.0

    magnitude = upper / lower
    return -magnitude if p < 0.5 else magnitude


@scalar
def normal_quantile(probability: float) -> float:
    """Return Φ⁻¹(p), the standard normal quantile.

    Parameters
    ----------
    probability : float
        In [0, 1].

    Returns
    -------
    float
        Within 2e-15 relative; infinite at 0 and 1; nan outside and for nan.

    Notes
    -----
    Both regions are computed and one is taken, so that loops vectorise. Where far ones are rare,
    as for uniform draws, `to_normals` is faster and gives the same bits.
    """
    p = float(probability)
    is_inside = p > 0.0 and p < 1.0
    p = p if is_inside else 0.5
    is_central = p >= NEAR and p <= ONE_LESS_NEAR
    result = central_quantile(p) if is_central else far_quantile(p)
    limit = -INFINITY if probability == 0.0 else (INFINITY if probability == 1.0 else NOT_A_NUMBER)
    return result if is_inside else limit


@kernel
def to_normals(values: NDArray[np.float64]) -> None:
    """Replace uniform draws by their normal quantiles, the same bits as `normal_quantile`.

    Parameters
    ----------
    values : ndarray (lane,)
        In the open interval (0, 1). The few in a tail are done first and are known by their size:
        a normal that far out is above 3, a uniform draw below 1.
    """
    far = 0
    for lane in range(values.shape[0]):
        far += 1 if values[lane] < NEAR or values[lane] > ONE_LESS_NEAR else 0
    if far > 0:
        for lane in range(values.shape[0]):
            if values[lane] < NEAR or values[lane] > ONE_LESS_NEAR:
                values[lane] = far_quantile(values[lane])
    for lane in range(values.shape[0]):
        value = values[lane]
        values[lane] = central_quantile(value) if abs(value) < 1.0 else value
