"""Cases of single processes, by the drivers of the market that are such processes.

SOFR is Vasicek's rate. The spread index is a log Ornstein-Uhlenbeck price with a jump of one size
when an air pocket comes; the power price is one without jumps that starts at its mean. Delays of
sites that policy imposes add up to a compound Poisson sum with exponential terms. Sentiment gains
a normal jump with each breakthrough, and the rent of a hall has a Brownian noise: together they
are Merton's jump diffusion.

At most one event comes in a step of a driver. Sizes and chances are set so that a step has the
mean and variance of the case, which leaves an error of second order in the chance of an event.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.analytics import Estimate, quantile
from simulator.drivers.efficiency import EFFICIENCY, SENTIMENT_MONTHLY_DECAY
from simulator.drivers.policy import POLICY, SITE_PROBABILITY
from simulator.drivers.power import POWER
from simulator.drivers.prices import GENERATION
from simulator.drivers.rates import RATE, pack_rates
from simulator.engine.market import MarketState
from simulator.numerics.processes import ou_coefficients
from simulator.selfcheck.drivers import MACHINE, Clock, run_driver
from simulator.selfcheck.estimating import (
    covariance_of,
    mean_of,
    moment_of,
    share_of,
    shortfall_of,
    value_of,
    variance_of,
)
from simulator.selfcheck.kinds import Draws, Kind, sampled
from simulator.selfcheck.months import Result

__all__ = ["CASES"]

Values = NDArray[np.float64]

FEWEST_STEPS = 60
MOST_REVERTED = 0.1  # of a deviation in a step, for integrals
MOST_EVENTS = 0.05  # expected in a step
FAR = 12_000  # steps after which nothing is left of the start


def clock_of(case: Mapping[str, Any]) -> Clock:
    """Return steps so short that sums over them are integrals, far within sampling errors."""
    years = float(case["T"])
    needed = max(case["kappa"] / MOST_REVERTED, case.get("lam", 0.0) / MOST_EVENTS)
    return Clock(years, max(FEWEST_STEPS, int(np.ceil(needed * years))))


def trapezoids(by_step: Values, clock: Clock) -> Values:
    """Integrate over the years of a case, from (step, lane) to (lane,)."""
    inside = by_step.sum(axis=0) - 0.5 * (by_step[0] + by_step[-1])
    return np.asarray(clock.step * inside)


def short_rate(case: Mapping[str, Any], draws: Draws) -> Result:
    """Simulate SOFR: its law at T, its integral, the bond.

    Parameters
    ----------
    case : mapping
        ``kappa``, ``theta``, ``sigma``, ``r0`` per year, ``T`` years.
    draws : Draws
        Seed and paths.
    """
    clock = clock_of(case)
    rate, integral = run_driver(
        {
            "ir.r0": case["r0"],
            "ir.theta": case["theta"],
            "ir.kappa": clock.rate(case["kappa"]),
            "ir.sigma": clock.volatility(case["sigma"]),
        },
        ("rates",),
        clock.steps,
        draws.fewer(2),
        lambda market: market.rates.rows[RATE.sofr],
        lambda by_step: np.array([by_step[-1], trapezoids(by_step, clock)]),
    )
    bond = mean_of(np.exp(-integral))
    return Result(
        {},
        {
            "bond": bond,
            "zero_yield": Estimate(
                -np.log(bond.value) / clock.years, bond.se / bond.value / clock.years
            ),
            "mean_r": mean_of(rate),
            "var_r": variance_of(rate),
            "mean_int": mean_of(integral),
            "var_int": variance_of(integral),
            "cov_r_int": covariance_of(rate, integral),
            "P_r_negative": share_of(rate < 0.0),
        },
    )


def log_price(case: Mapping[str, Any], draws: Draws) -> Result:
    """Simulate a log Ornstein-Uhlenbeck price: power, or the spread index off its mean.

    Parameters
    ----------
    case : mapping
        ``kappa``, ``sigma`` per year, ``alpha`` (mean of the log), ``x0`` (its start), ``T`` years.
    draws : Draws
        Seed, paths, and the quantiles asked for.
    """
    clock = clock_of(case)
    kappa, sigma = clock.rate(case["kappa"]), clock.volatility(case["sigma"])

    def kept(by_step: Values) -> Values:
        prices = np.exp(by_step)
        return np.array([by_step[-1], trapezoids(prices, clock) / clock.years])

    few = draws.fewer(2)
    if case["x0"] == case["alpha"]:
        power = {"pow.p0": np.exp(case["x0"]), "pow.kappa": kappa, "pow.sigma": sigma}
        log, average = run_driver(
            power | {"pow.trend": 0.0},
            ("power",),
            clock.steps,
            few,
            lambda market: np.log(market.power.rows[POWER.market]),
            kept,
        )
    else:
        index = spread_index(case, kappa, sigma)
        log, average = run_driver(index, ("spreads",), clock.steps, few, log_spread, kept)
    decay, sd = ou_coefficients(case["kappa"], case["sigma"])
    monthly = spread_index(case, case["kappa"], case["sigma"])
    packed = pack_rates(monthly | QUIET, FAR, rates=False, spreads=True)
    stationary_mean, stationary_var = packed.mean_log_spread[-1], sd**2 / (1.0 - decay**2)
    price = np.exp(log)
    quantiles = {
        path: quantile(price, float(found[1]) / 100.0)
        for path in draws.asked
        if (found := re.fullmatch(r"price_quantile_([\d.]+)", path))
    }
    return Result(
        {},
        {
            "mean_x": mean_of(log),
            "var_x": variance_of(log),
            "stationary_mean": stationary_mean,
            "stationary_var": stationary_var,
            "half_life": np.log(0.5) / np.log(decay) / 12.0,
            "mean_price": mean_of(price),
            "var_price": variance_of(price),
            "stationary_mean_price": np.exp(stationary_mean + stationary_var / 2.0),
            "mean_time_average_price": mean_of(average),
            "sd_time_average_price": moment_of(average, 2),
            "monthly_ar1_coefficient": decay,
            "monthly_innovation_sd": sd,
            "autocorr_3m": decay**3,
            **quantiles,
        },
    )


QUIET = {"ir.r0": 0.0, "ir.theta": 0.0, "ir.kappa": 1.0, "ir.sigma": 0.0, "cs.refi_shut": 0.0}
QUIET |= {"cs.ap_jump": 0.0}


def spread_index(case: Mapping[str, Any], kappa: float, sigma: float) -> dict[str, float]:
    """Return the parameters of the spread index whose log starts at x0 and reverts to alpha."""
    level = case["alpha"] + sigma**2 / (4.0 * kappa)
    own = {"cs.hy0": np.exp(case["x0"]), "cs.hy_mean": np.exp(level)}
    return own | {"cs.kappa": kappa, "cs.sigma": sigma}


def log_spread(market: MarketState) -> Values:
    """Return ln HY (lane,)."""
    return np.asarray(market.rates.rows[RATE.log_spread])


def log_price_with_jumps(case: Mapping[str, Any], draws: Draws) -> Result:
    """Simulate the spread index with air pockets, whose jumps are all of one size.

    Only what depends on the mean size of jumps can be compared: the mean of the log.

    Parameters
    ----------
    case : mapping
        As `log_price`; ``lam`` jumps per year, ``jump_mean`` of the log.
    draws : Draws
        Seed and paths.
    """
    clock = clock_of(case)
    kappa, sigma = clock.rate(case["kappa"]), clock.volatility(case["sigma"])
    reverted = case["kappa"] * clock.step
    left = -np.expm1(-reverted) / reverted  # of a jump at the end of its step, on average
    parameters = spread_index(case, kappa, sigma) | {
        "dem.ap_lambda": clock.hazard(case["lam"]),
        "dem.ap_beta": 0.0,
        "cs.ap_jump": left * case["jump_mean"],
    }
    log = run_driver(
        parameters,
        ("spreads", "demand"),
        clock.steps,
        draws.fewer(4),
        log_spread,
        lambda by_step: by_step[-1],
    )
    return Result({}, {"mean_x": mean_of(log)})


def compound_sum(case: Mapping[str, Any], draws: Draws) -> Result:
    """Add up the delays that policy imposes on sites.

    Parameters
    ----------
    case : mapping
        ``lam`` delays expected, ``severity_mean`` of each.
    draws : Draws
        Seed, paths, thresholds (``P_gt/5.0``) and levels (``risk/0.99``) asked for.
    """
    steps = max(FEWEST_STEPS, int(np.ceil(case["lam"] / MOST_EVENTS)))
    chance = case["lam"] / (steps + case["lam"] / 2.0)
    total = run_driver(
        {
            "reg.lambda": -12.0 * np.log1p(-chance / SITE_PROBABILITY),
            "reg.site_hit": case["severity_mean"] / (1.0 - chance / 2.0),
        },
        ("policy",),
        steps,
        draws.fewer(2),
        lambda market: market.policy.rows[POLICY.site_slip].sum(axis=0),
        lambda by_step: by_step.sum(axis=0),
    )
    return Result(
        {},
        {
            "mean": mean_of(total),
            "var": variance_of(total),
            "skew": moment_of(total, 3),
            "excess_kurt": less(moment_of(total, 4), 3.0),
            "P_gt": {x: share_of(total > float(x)) for x in draws.under("P_gt")},
            "risk": {
                a: {"VaR": value_of(total, float(a)), "ES": shortfall_of(total, float(a))}
                for a in draws.under("risk")
            },
        },
    )


def jump_diffusion(case: Mapping[str, Any], draws: Draws) -> Result:
    """Add the Brownian noise of a hall's rent and the jumps of sentiment.

    Parameters
    ----------
    case : mapping
        ``S0``, ``mu`` and ``sigma`` per year, ``lam`` jumps per year of the log, normal with
        ``jump_mean`` and ``jump_sd``, ``T`` years.
    draws : Draws
        Seed, paths, prices (``P_S_below/60``) and levels (``quantile_S/0.01``) asked for.
    """
    years, jumps = float(case["T"]), float(case["lam"] * case["T"])
    clock = Clock(years, max(FEWEST_STEPS, int(np.ceil(jumps / MOST_EVENTS))))
    chance = jumps / (clock.steps + jumps / 2.0)
    mean, square = case["jump_mean"], case["jump_mean"] ** 2 + case["jump_sd"] ** 2
    size = mean / (1.0 - chance / 2.0)
    spread = square * jumps / clock.steps / chance - size**2 * (1.0 - chance)

    def read(market: MarketState) -> Values:
        noise = market.prices.generations[GENERATION.contract_noise, 0]
        return np.array([noise, market.efficiency.rows[EFFICIENCY.sentiment]])

    def kept(by_step: Values) -> Values:
        noise, sentiment = by_step[:, 0], by_step[:, 1]
        jumped = sentiment[1:] - SENTIMENT_MONTHLY_DECAY * sentiment[:-1]
        return np.asarray(noise[-1] + jumped.sum(axis=0))

    moved = run_driver(
        {
            "eff.lambda": -12.0 * np.log1p(-chance),
            "eff.sentiment": size,
            "eff.sentiment_sd": np.sqrt(spread),
        },
        ("efficiency", "price_noise"),
        clock.steps,
        draws.fewer(2),
        read,
        kept,
        replace(MACHINE, brownian_sd=clock.volatility(case["sigma"])),
    )
    # E S(T) = S0 e^(mu T): what the noise and the jumps add on average is taken off
    growth = np.exp(mean + case["jump_sd"] ** 2 / 2.0) - 1.0
    drift = (case["mu"] - case["sigma"] ** 2 / 2.0 - case["lam"] * growth) * years
    log = np.log(case["S0"]) + drift + moved
    price = np.exp(log)
    put = "expected_shortfall_payoff_undiscounted_put"
    return Result(
        {},
        {
            "log_mean": mean_of(log),
            "log_var": variance_of(log),
            "log_skew": moment_of(log, 3),
            "log_excess_kurt": less(moment_of(log, 4), 3.0),
            "mean_S": mean_of(price),
            "var_S": variance_of(price),
            "P_S_below": {x: share_of(price < float(x)) for x in draws.under("P_S_below")},
            put: {x: mean_of(np.maximum(float(x) - price, 0.0)) for x in draws.under(put)},
            "quantile_S": {a: quantile_of(price, float(a)) for a in draws.under("quantile_S")},
        },
    )


def quantile_of(values: Values, level: float) -> Estimate:
    """Estimate a quantile of either tail: the lower one is the upper one of what is negated."""
    if level >= 0.5:
        return value_of(values, level)
    found = value_of(-values, 1.0 - level)
    return Estimate(-found.value, found.se)


def less(estimate: Estimate, amount: float) -> Estimate:
    """Return an estimate less a known amount."""
    return Estimate(estimate.value - amount, estimate.se)


CASES: dict[str, Kind] = {
    "short_rate": sampled(short_rate, "kappa", "theta", "sigma", "r0", "T"),
    "log_price": sampled(log_price, "kappa", "alpha", "sigma", "x0", "T"),
    "log_price_with_jumps": sampled(
        log_price_with_jumps, "kappa", "alpha", "sigma", "x0", "T", "lam", "jump_mean"
    ),
    "compound_sum": sampled(compound_sum, "lam", "severity_mean"),
    "jump_diffusion": sampled(
        jump_diffusion, "S0", "mu", "sigma", "lam", "jump_mean", "jump_sd", "T"
    ),
}
