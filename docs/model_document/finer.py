"""The plain model of tests/reference with its market and hazards stepped more finely than a month.

Contracts are monthly: bills, instalments, tests and sales stay as they are, and see the market at
the ends of months. What is stepped finely is stages 1-9 of docs/model.md and the cumulative hazard
of names. Two step sizes share their random numbers, so that their difference is not drowned:

- a normal shock of a month is split by a Brownian bridge: halves (u ± w)/√2 of the month's u;
- an event is the first of two exponential clocks: the halves' clocks are E/2 and E/2 + E', in
  random order, for the month's clock E, so that some half fires (about) when the month does, and
  has the month's marks;
- what is drawn once per path, releases of generations, and whether lenders' market is shut at the
  end of a month are the same draws.
"""

from __future__ import annotations

import math
from typing import Final

from simulator.config.terms import ModelInputs
from tests.reference.compensator import Pilot, as_expected
from tests.reference.credit import integration
from tests.reference.draws import Draws, Pair
from tests.reference.market import Market, ReferencePath
from tests.reference.state import NameState

__all__ = ["FinerMarket", "FinerPilot", "HalvedDraws", "finer_draws"]

WALKS: Final = ("market.", "silicon.share", "price.", "fx.")
"""Streams whose normals are increments of a process in time."""

EVENT_OF: Final = {
    "easing": "easing",
    "policy.event": "policy.event",
    "policy.effects": "policy.event",
    "policy.more": "policy.event",
    "policy.size": "policy.event",
    "demand.pocket": "demand.pocket",
    "demand.shape": "demand.pocket",
    "efficiency.event": "efficiency.event",
    "efficiency.sentiment": "efficiency.event",
    "memory.regime": "memory.regime",
}
"""Streams of events and of their marks, with the stream whose first uniform fires."""

BY_INDEX: Final = "generation.release"  # numbered by release, not by month
BY_MONTH: Final = "market.shut"


class HalvedDraws:
    """Draws for steps half as long as those of other draws, consistent with them.

    Parameters
    ----------
    coarse : Draws or HalvedDraws
        Of the longer steps.
    """

    def __init__(self, coarse: Draws | HalvedDraws) -> None:
        self.coarse = coarse
        self.level: int = coarse.level + 1 if isinstance(coarse, HalvedDraws) else 1
        self.plain: Draws = coarse.plain if isinstance(coarse, HalvedDraws) else coarse

    def fresh(self, name: str) -> str:
        """Return the name of the stream of what halving adds."""
        return f"{name}/half/{self.level}"

    def normals(self, name: str, step: int) -> Pair:
        """Return two standard normals."""
        if step == 0 or name == BY_INDEX:
            return self.coarse.normals(name, step)
        before = (step + 1) // 2
        whole = self.coarse.normals(name, before)
        if name.startswith(WALKS):
            apart = self.plain.normals(self.fresh(name), before)
            sign = 1.0 if step % 2 else -1.0
            return tuple((u + sign * w) / math.sqrt(2.0) for u, w in zip(whole, apart, strict=True))
        if self.has_the_event(name, step):
            return whole
        return self.plain.normals(self.fresh(name), before)

    def uniforms(self, name: str, step: int) -> Pair:
        """Return two uniforms in (0, 1)."""
        if step == 0 or name == BY_INDEX:
            return self.coarse.uniforms(name, step)
        before = (step + 1) // 2
        u, mark = self.coarse.uniforms(name, before)
        if name == BY_MONTH:
            return u, mark
        is_first = self.has_the_event(name, step)
        other, other_mark = self.plain.uniforms(self.fresh(name), before)
        if name != EVENT_OF[name]:  # marks of an event
            return (u, mark) if is_first else (other, other_mark)
        clock = -0.5 * math.log1p(-u)
        if is_first:
            return -math.expm1(-clock), mark
        return -math.expm1(-clock + math.log1p(-other)), other_mark

    def has_the_event(self, name: str, step: int) -> bool:
        """Tell whether this half has the earlier clock of the two, and so the event, if any."""
        coin, _ = self.plain.uniforms(f"{self.fresh(EVENT_OF[name])}/which", (step + 1) // 2)
        return (coin < 0.5) == bool(step % 2)


def finer_draws(draws: Draws, per_month: int) -> Draws | HalvedDraws:
    """Return draws for a power of two of steps a month."""
    finer: Draws | HalvedDraws = draws
    while per_month > 1:
        finer, per_month = HalvedDraws(finer), per_month // 2
    return finer


class FinerMarket(Market):
    """A market with several steps a month, told to deals at the ends of months.

    Parameters
    ----------
    inputs : ModelInputs
        Without a stress case and without a SOFR curve, whose equations are monthly.
    draws : Draws
        Of the months.
    reference : ReferencePath
        Of the same steps (`reference_path(inputs, per_month)`).
    per_month : int
        Steps, a power of two.
    """

    def __init__(
        self, inputs: ModelInputs, draws: Draws, reference: ReferencePath, per_month: int
    ) -> None:
        assert inputs.path is None
        assert not inputs.sofr_forwards
        super().__init__(inputs, draws, inputs.parameters, reference)
        self.fine = Market(
            inputs,
            finer_draws(draws, per_month),
            inputs.parameters,
            reference,
            per_month=per_month,
        )

    def step(self, t: int) -> None:
        """Take the steps of month t."""
        fine, n = self.fine, self.fine.per_month
        fine.integrations = self.integrations
        self.shortage_starts, self.policy_event = False, None
        for s in range((t - 1) * n + 1, t * n + 1):
            fine.step(s)
            self.shortage_starts |= fine.shortage_starts
            self.policy_event = fine.policy_event or self.policy_event
        self.tariff, self.resale_hit = fine.tariff, fine.resale_hit
        for name in SERIES:
            getattr(self, name).append(getattr(fine, name)[t * n])
        for name in SERIES_BY_KEY:
            for key, values in getattr(self, name).items():
                values.append(getattr(fine, name)[key][t * n])

    def hazard_multiplier(self, beta: float, loading: float, t: int, c: float) -> float:
        """Return the mean of M over the steps of month t."""
        n = self.fine.per_month
        steps = range((t - 1) * n + 1, t * n + 1)
        return sum(self.fine.hazard_multiplier(beta, loading, s, c) for s in steps) / n


SERIES: Final = (
    "L Delta Y L_addressable captive memory_state c K v x q steps market_utilisation"
    " W sofr hy market_open stress"
).split()
SERIES_BY_KEY: Final = ("contract_price", "spot_price", "dev", "exchange")


class FinerPilot(Pilot):
    """The pilot of the compensator with several steps a month; c stays one number a month.

    Parameters
    ----------
    inputs : ModelInputs
        The study.
    paths, per_month : int
        Number of paths and of steps a month.
    reference : ReferencePath
        Of the same steps.
    seed : int
        Of the paths.
    """

    def __init__(
        self,
        inputs: ModelInputs,
        paths: int,
        per_month: int,
        reference: ReferencePath,
        seed: int,
    ) -> None:
        import numpy as np

        self.inputs, self.per_month = inputs, per_month
        usual = as_expected(inputs)
        switches = {**usual.switches, "easing": False}
        steps = inputs.horizon * per_month
        self.stress, self.Delta = np.empty((2, steps + 1, paths))
        self.Z_star, self.C_perp = np.empty((2, paths))
        self.tail = np.ones(paths)
        for path in range(paths):
            draws = Draws(seed, path)
            market = Market(
                usual,
                finer_draws(draws, per_month),
                usual.parameters,
                reference,
                switches,
                per_month,
            )
            names = {name.id: NameState(name, math.inf) for name in inputs.book.names}
            for t in range(1, steps + 1):
                market.step(t)
                if t % per_month == 0:
                    integration(market, draws, names, t // per_month)
            self.stress[:, path] = market.stress
            self.Delta[:, path] = market.Delta
            self.Z_star[path], self.C_perp[path] = market.Z_star, market.C_perp
