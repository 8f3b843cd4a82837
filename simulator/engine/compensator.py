"""The compensator: what keeps each name's survival curve what it was said to be.

Stress moves hazards, and survivors of stress are a selected group; so the drift that compensates it
is solved month by month on a pilot of market paths, for each class of names, such that mean
survival matches the input curve.  Frozen with the study: solved anew in a scenario it would cancel
the scenario.

Model: docs/model.md §10.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from simulator.config.terms import ModelInputs
from simulator.engine.market import ReferencePath
from simulator.engine.market_alone import PILOT_SEED, run_pilot
from simulator.engine.pack_credit import NameClass, name_classes
from simulator.numerics.elementary import exp, expm1
from simulator.numerics.jit import inner, kernel
from simulator.numerics.normal import normal_cdf, normal_quantile
from simulator.numerics.philox import normal_pair
from simulator.numerics.quantiles import chi2_quantile_table, interpolate_table
from simulator.numerics.streams import stream_id_array
from simulator.numerics.student_t import student_t_cdf

PILOT_PATHS = 16_384


@inner
def student_t_score(p, nu):
    """Return the Student-t quantile at p by bisection on the cdf (1e-12)."""
    low, high = -1e6, 1e6
    for _ in range(200):
        middle = 0.5 * (low + high)
        if student_t_cdf(middle, nu) < p:
            low = middle
        else:
            high = middle
        if high - low < 1e-12 * max(1.0, abs(middle)):
            break
    return 0.5 * (low + high)


@inner
def default_share(pilot, integrated, increment, compensator, a, b, nu, values):
    """Return the mean over the pilot of the conditional default probability.

    Parameters
    ----------
    pilot : (3, path)
        Z*, C-orthogonal, and sqrt(chi2 / nu), which is 1 for the Gaussian copula.
    integrated, increment : (path,)
        Lambda of the month before, and what this month adds at compensator zero.
    values : (path,), scratch: probabilities apart from their sum, so that the loop vectorises
    """
    scale = exp(-compensator)
    own = 1.0 / np.sqrt(1.0 - a * a - b * b)
    for i in range(values.shape[0]):
        p = -expm1(-(integrated[i] + increment[i] * scale))
        values[i] = min(max(p, 1e-300), 1.0 - 1e-16)
    if nu > 0.0:
        for i in range(values.shape[0]):
            values[i] = student_t_score(values[i], nu) * pilot[2, i]
    else:
        for i in range(values.shape[0]):
            values[i] = normal_quantile(values[i])
    for i in range(values.shape[0]):
        values[i] = normal_cdf((values[i] - a * pilot[0, i] - b * pilot[1, i]) * own)
    total = 0.0
    for i in range(values.shape[0]):
        total += values[i]
    return total / values.shape[0]


@inner
def find_compensator(pilot, integrated, increment, guess, target, a, b, nu, values):
    """Return the c at which the default share is `target`: bracket, then Illinois steps."""
    width = 0.05
    low, high = guess - width, guess + width
    excess_low = default_share(pilot, integrated, increment, low, a, b, nu, values) - target
    while excess_low < 0.0 and low > -50.0:
        low -= 2.0 * width
        width *= 2.0
        excess_low = default_share(pilot, integrated, increment, low, a, b, nu, values) - target
    excess_high = default_share(pilot, integrated, increment, high, a, b, nu, values) - target
    while excess_high > 0.0 and high < 50.0:
        high += 2.0 * width
        width *= 2.0
        excess_high = default_share(pilot, integrated, increment, high, a, b, nu, values) - target
    c = 0.5 * (low + high)
    side = 0
    for _ in range(100):
        before = c
        if excess_low != excess_high:
            c = high - excess_high * (high - low) / (excess_high - excess_low)
        excess = default_share(pilot, integrated, increment, c, a, b, nu, values) - target
        if excess > 0.0:
            low, excess_low = c, excess
            excess_high = 0.5 * excess_high if side == 1 else excess_high
            side = 1
        else:
            high, excess_high = c, excess
            excess_low = 0.5 * excess_low if side == -1 else excess_low
            side = -1
        if abs(c - before) < 1e-11 or excess == 0.0:
            break
    return c


@kernel
def solve_class(hazard, beta, gamma, a, b, nu, stress, efficiency, pilot, result, scratch):
    """Solve c(t) month by month; the default share falls in c.

    Parameters
    ----------
    hazard : (month + 1,), per year, row t holds month t
    stress, efficiency : (month + 1, path)
    pilot : (3, path), Z*, C-orthogonal, mixing
    result : (month + 1,), written
    scratch : (3, path)
    """
    paths = pilot.shape[1]
    integrated, increment, values = scratch[0], scratch[1], scratch[2]
    integrated[:] = 0.0
    target_hazard = 0.0
    guess = 0.0
    for month in range(1, hazard.shape[0]):
        target_hazard += hazard[month] / 12.0
        target = 1.0 - exp(-target_hazard)
        for i in range(paths):
            increment[i] = (
                hazard[month] / 12.0 * exp(beta * stress[month, i] - gamma * efficiency[month, i])
            )
        c = find_compensator(pilot, integrated, increment, guess, target, a, b, nu, values)
        guess = c
        result[month] = c
        scale = exp(-c)
        for i in range(paths):
            integrated[i] += increment[i] * scale


def copula_mixing(nu: float) -> NDArray[np.float64]:
    """Return sqrt(chi2 / nu) of the pilot's paths; ones for the Gaussian copula."""
    mixing = np.ones(PILOT_PATHS)
    if nu > 0.0:
        table = chi2_quantile_table(nu)
        stream = stream_id_array(["copula"])[0]
        fill_mixing(np.uint64(PILOT_SEED), mixing, table, stream, nu)
    return mixing


@kernel
def fill_mixing(seed, mixing, table, stream, nu):
    """Write sqrt(chi2 / nu) of the pilot's paths."""
    for path in range(mixing.shape[0]):
        z, _ = normal_pair(seed, path, stream, 0)
        mixing[path] = np.sqrt(interpolate_table(table, z) / nu)


def monthly_hazard(group: NameClass, multiplier: float, horizon: int) -> NDArray[np.float64]:
    """Return the hazard of months 0..H of a class, per year."""
    curve = group.hazard
    years = [curve[min((t - 1) // 12, len(curve) - 1)] for t in range(1, horizon + 1)]
    return np.array([0.0, *years]) * multiplier


def solve_compensator(inputs: ModelInputs, reference: ReferencePath) -> NDArray[np.float64]:
    """Return c(t) by class and month, shape (class, H + 1).

    Zero where a class does not move with the market, or if the compensator is switched off.
    """
    classes, _ = name_classes(inputs)
    result = np.zeros((max(1, len(classes)), inputs.horizon + 1))
    wanted = [k for k, one in enumerate(classes) if one.beta != 0.0 or one.efficiency_loading]
    on = inputs.switches["compensator"] and inputs.switches["counterparty_default"]
    if inputs.path or not (on and wanted):
        return result
    found = run_pilot(inputs.expected, inputs.horizon, reference, PILOT_PATHS)
    pilot = np.array([found.macro, found.ai_orthogonal, copula_mixing(inputs.copula_nu)])
    multiplier = inputs.expected.parameters["cp.pd_curve"]
    for k in wanted:
        group = classes[k]
        hazard = monthly_hazard(group, multiplier, inputs.horizon)
        solve_class(
            hazard,
            group.beta,
            group.efficiency_loading,
            group.macro_loading,
            group.ai_loading,
            inputs.copula_nu,
            found.stress,
            found.efficiency,
            pilot,
            result[k],
            np.zeros((3, PILOT_PATHS)),
        )
    return result
