"""Numbers that cases ask of the losses of a pool, by the words they ask for them with.

mean, sd, skew, kurtosis; EL          after any prefix ending in a slash
VaR/0.99, ES/0.99 (or VaR_0.99)       value at risk, expected shortfall
stats_units/0.99/VaR, .../ES          the same of a law with atoms,
.../P_gt_VaR, .../P_ge_VaR            and the mass beyond and at the quantile
P_gt/x, P_ge/x, cdf_at_loss/x         probabilities
tranche_EL_fraction/0.03-0.07         what a tranche is expected to lose of itself
sqrtn_SE_VaR/0.99, sqrtn_SE_ES/0.99   our own standard errors, times the root of the paths,
density_at_VaR/0.99                   and the density that the first of them says there is
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from simulator.analytics import Estimate
from simulator.analytics.tail import TailRisk, tail_risk, value_at_risk_interval
from simulator.selfcheck.estimating import mean_of, moment_of, share_of, tails_of
from simulator.selfcheck.kinds import HIGHEST

__all__ = ["Losses", "figures_of"]

Vector = NDArray[np.float64]
UNKNOWN: Final = Estimate(math.nan, math.nan)

LEVEL = r"(?P<level>0?\.[0-9]+)"
AMOUNT = r"(?P<amount>[0-9.]+)"
BATCHES: Final = 40
"""Parts of the paths whose reported errors are averaged; their spread is the error of that."""

LEAST_BEYOND: Final = 50
"""Losses beyond VaR in each part."""

WITHIN: Final = 0.975 * HIGHEST
"""Standard errors to the ends of an interval of that confidence, so that these are within it."""


@dataclass(frozen=True)
class Losses:
    """Losses by path in the unit that a case asks for.

    Attributes
    ----------
    values : ndarray (path,)
        Losses, or numbers of defaults.
    tranches : mapping of str to ndarray (path,)
        Share of each tranche that is lost.
    asked : tuple of str
        What is asked for.
    step : float
        Between the atoms of the law; 0: it has none.
    """

    values: Vector
    asked: Sequence[str]
    tranches: Mapping[str, Vector] = field(default_factory=dict)
    step: float = 0.0

    @cached_property
    def levels(self) -> list[float]:
        """Levels of all quantiles asked for."""
        found = (match for path in self.asked if (match := matched(path)[1]))
        return sorted({float(m["level"]) for m in found if "level" in m.re.groupindex})

    @cached_property
    def tails(self) -> Mapping[float, tuple[Estimate, Estimate]]:
        """Value at risk and expected shortfall by level."""
        return tails_of(self.values, self.levels)

    def reach(self, level: float) -> tuple[float, float]:
        """Return where a quantile may lie, at the confidence of `HIGHEST` errors of a normal law.

        Atoms make quantiles jump: a standard error says little of how far, an interval of order
        statistics all.
        """
        return value_at_risk_interval(self.values, level, float(2.0 * ndtr(HIGHEST) - 1.0))

    @cached_property
    def batches(self) -> list[TailRisk]:
        """The same with reported errors, by parts of the paths."""
        return [tail_risk(part, self.levels) for part in np.array_split(self.values, BATCHES)]


Rule = Callable[[Losses, re.Match[str]], Estimate]


def figures_of(losses: Losses) -> dict[str, Estimate]:
    """Estimate what is asked of losses; what no rule knows is left out."""
    found: dict[str, Estimate] = {}
    for path in losses.asked:
        rule, match = matched(path)
        if match:
            found[path] = rule(losses, match)
    return found


def matched(path: str) -> tuple[Rule, re.Match[str] | None]:
    """Return the first rule that fits what is asked, and how it does."""
    for pattern, rule in RULES:
        if match := pattern.search(path):
            return rule, match
    return average, None


def value_at_risk(losses: Losses, match: re.Match[str]) -> Estimate:
    """VaR at a level; of a law with atoms with an error that reaches as far as it may be off.

    It is exact if no atom but one is within reach.
    """
    level = float(match["level"])
    var = losses.tails[level][0]
    if losses.step == 0.0 or math.isnan(var.se):
        return var
    low, high = losses.reach(level)
    reach = max(high - var.value, var.value - low)
    return Estimate(var.value, max(var.se, reach / WITHIN) if reach > 0.0 else 0.0)


def shortfall(losses: Losses, match: re.Match[str]) -> Estimate:
    """ES at a level."""
    return losses.tails[float(match["level"])][1]


def mass_at_quantile(losses: Losses, match: re.Match[str]) -> Estimate:
    """Probability of a loss beyond VaR, or of one as large.

    Where VaR may be another atom, the mass between is part of the error.
    """
    level = float(match["level"])
    var, se = losses.tails[level][0]
    if math.isnan(se):
        return UNKNOWN
    compare = np.greater if match["side"] == "gt" else np.greater_equal
    found = share_of(compare(losses.values, var))
    ends = [float(compare(losses.values, end).mean()) for end in losses.reach(level)]
    between = max(abs(end - found.value) for end in ends)
    return Estimate(found.value, math.hypot(found.se, between / WITHIN))


def exceedance(losses: Losses, match: re.Match[str]) -> Estimate:
    """Probability of a loss above an amount, or of one as large; half a step is allowed for."""
    amount, allowed = float(match["amount"]), 1e-6 * losses.step
    if match["side"] == "gt":
        return share_of(losses.values > amount + allowed)
    return share_of(losses.values >= amount - allowed)


def distribution(losses: Losses, match: re.Match[str]) -> Estimate:
    """Probability of a loss of an amount or less."""
    return share_of(losses.values <= float(match["amount"]) + 1e-6 * losses.step)


def tranche(losses: Losses, match: re.Match[str]) -> Estimate:
    """Mean share of a tranche that is lost."""
    return mean_of(losses.tranches[match["name"]])


def scaled_error(losses: Losses, match: re.Match[str]) -> Estimate:
    """Scale the reported error of VaR or ES by the root of the number of paths.

    Of VaR the mean over parts of the paths, which is the steadier figure. That of ES is smooth in
    the paths and biased by a term in 1/n: parts and whole together are without (Quenouille 1956).
    """
    level = float(match["level"])
    place, size = losses.levels.index(level), losses.values.size // BATCHES
    if size * (1.0 - level) < LEAST_BEYOND:
        return UNKNOWN
    errors = [one.var_se if match["measure"] == "VaR" else one.es_se for one in losses.batches]
    scaled = np.array([error[place] for error in errors]) * math.sqrt(size)
    value, se = float(scaled.mean()), float(scaled.std(ddof=1)) / math.sqrt(BATCHES)
    if match["measure"] == "VaR":
        return Estimate(value, se)
    whole = losses.tails[level][1].se * math.sqrt(losses.values.size)
    return Estimate((BATCHES * whole - value) / (BATCHES - 1), se * BATCHES / (BATCHES - 1))


def density(losses: Losses, match: re.Match[str]) -> Estimate:
    """Density at VaR that makes √(a(1 − a))/density the reported error of VaR times √n."""
    level = float(match["level"])
    scaled, se = scaled_error(losses, match)
    value = math.sqrt(level * (1.0 - level)) / scaled
    return Estimate(value, value * se / scaled)


def moment(order: int) -> Callable[[Losses, re.Match[str]], Estimate]:
    """Return the rule of sd, skewness or kurtosis."""
    return lambda losses, _: moment_of(losses.values, order)


def average(losses: Losses, _: re.Match[str]) -> Estimate:
    """Mean loss."""
    return mean_of(losses.values)


RULES: Final[list[tuple[re.Pattern[str], Rule]]] = [
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"(^|/)(mean|EL)$", average),
        (r"(^|/)sd$", moment(2)),
        (r"(^|/)skew$", moment(3)),
        (r"(^|/)kurtosis$", moment(4)),
        (rf"^VaR[/_]{LEVEL}$", value_at_risk),
        (rf"^ES[/_]{LEVEL}$", shortfall),
        (rf"^stats_\w+/{LEVEL}/VaR$", value_at_risk),
        (rf"^stats_\w+/{LEVEL}/ES$", shortfall),
        (rf"^stats_\w+/{LEVEL}/P_(?P<side>gt|ge)_VaR$", mass_at_quantile),
        (rf"(^|/)P_(?P<side>gt|ge)[/_]{AMOUNT}$", exceedance),
        (rf"^tail_mode_split/{AMOUNT}/P_(?P<side>ge)$", exceedance),
        (rf"^cdf_at_loss/{AMOUNT}$", distribution),
        (r"^tranche_EL_fraction/(?P<name>.+)$", tranche),
        (rf"^sqrtn_SE_(?P<measure>VaR|ES)/{LEVEL}$", scaled_error),
        (rf"^density_at_(?P<measure>VaR)/{LEVEL}$", density),
    )
]
"""What is asked for, and the rule that estimates it; the first that fits."""
