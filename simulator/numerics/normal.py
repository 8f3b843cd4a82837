"""The normal law: distribution function and quantile, branch-free, so that loops vectorise.

References
----------
M. J. Wichura (1988), "Algorithm AS 241: the percentage points of the normal distribution",
Applied Statistics 37, 477-484 (PPND16).
M. M. Shepherd, J. G. Laframboise (1981), "Chebyshev approximation of (1 + 2x) exp(x²) erfc x in
0 ≤ x < ∞", Mathematics of Computation 36, 249-253 (the change of variable used for the tail).
"""

from __future__ import annotations

import math

from simulator.numerics.bits import bits_to_float, float_to_bits
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import scalar

__all__ = ["normal_cdf", "normal_quantile"]

INFINITY = math.inf
NOT_A_NUMBER = math.nan
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
def _choose(is_central: bool, is_near: bool, central: float, near: float, far: float) -> float:
    """Return the coefficient of the region a lane is in."""
    return central if is_central else (near if is_near else far)


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
    AS 241, with q = p − 1/2: a ratio of two polynomials of degree 7, in 0.425² − q² for
    abs(q) <= 0.425, else in r − 1.6 or r − 5 with r = sqrt(−log min(p, 1 − p)). Each lane picks
    the coefficients of its region, so that one ratio is computed for all.
    """
    p = float(probability)
    is_inside = p > 0.0 and p < 1.0
    p = p if is_inside else 0.5
    q = p - 0.5
    r = math.sqrt(-log(p if q < 0.0 else 1.0 - p))
    c = abs(q) <= 0.425
    n = r <= 5.0
    x = 0.180625 - q * q if c else (r - 1.6 if n else r - 5.0)

    upper = _choose(
        c, n, 2509.0809287301226727, 7.7454501427834140764e-4, 2.01033439929228813265e-7
    )
    upper = upper * x + _choose(
        c, n, 33430.575583588128105, 2.27238449892691845833e-2, 2.71155556874348757815e-5
    )
    upper = upper * x + _choose(
        c, n, 67265.770927008700853, 2.41780725177450611770e-1, 1.24266094738807843860e-3
    )
    upper = upper * x + _choose(
        c, n, 45921.953931549871457, 1.27045825245236838258, 2.65321895265761230930e-2
    )
    upper = upper * x + _choose(
        c, n, 13731.693765509461125, 3.64784832476320460504, 2.96560571828504891230e-1
    )
    upper = upper * x + _choose(
        c, n, 1971.5909503065514427, 5.76949722146069140550, 1.78482653991729133580
    )
    upper = upper * x + _choose(
        c, n, 133.14166789178437745, 4.63033784615654529590, 5.46378491116411436990
    )
    upper = upper * x + _choose(
        c, n, 3.3871328727963666080, 1.42343711074968357734, 6.65790464350110377720
    )

    lower = _choose(
        c, n, 5226.4952788528545610, 1.05075007164441684324e-9, 2.04426310338993978564e-15
    )
    lower = lower * x + _choose(
        c, n, 28729.085735721942674, 5.47593808499534494600e-4, 1.42151175831644588870e-7
    )
    lower = lower * x + _choose(
        c, n, 39307.895800092710610, 1.51986665636164571966e-2, 1.84631831751005468180e-5
    )
    lower = lower * x + _choose(
        c, n, 21213.794301586595867, 1.48103976427480074590e-1, 7.86869131145613259100e-4
    )
    lower = lower * x + _choose(
        c, n, 5394.1960214247511077, 6.89767334985100004550e-1, 1.48753612908506148525e-2
    )
    lower = lower * x + _choose(
        c, n, 687.18700749205790830, 1.67638483018380384940, 1.36929880922735805310e-1
    )
    lower = lower * x + _choose(
        c, n, 42.313330701600911252, 2.05319162663775882187, 5.99832206555887937690e-1
    )
    lower = lower * x + 1.0

    magnitude = upper / lower
    result = q * magnitude if c else (-magnitude if q < 0.0 else magnitude)
    limit = -INFINITY if probability == 0.0 else (INFINITY if probability == 1.0 else NOT_A_NUMBER)
    return result if is_inside else limit
