"""The market of a path told as events: pockets of demand, breakthroughs, memory, policy, rates."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from simulator.drivers.demand import DEMAND
from simulator.drivers.efficiency import EFFICIENCY
from simulator.drivers.memory import MEMORY
from simulator.drivers.policy import POLICY, RESALE_MONTHLY_DECAY
from simulator.drivers.rates import RATE
from simulator.engine.market import MARKET
from simulator.engine.outputs import MARKET_SERIES
from simulator.engine.paths import TracedPath

__all__ = ["market_events"]

Told = tuple[int, str, str]  # month, kind, text

REGIMES = ("balanced", "shortage", "glut")


def market_events(path: TracedPath) -> Iterator[Told]:
    """Tell the events of the market of a path, driver by driver."""
    yield from demand_events(path)
    yield from efficiency_events(path)
    yield from memory_events(path)
    yield from policy_events(path)
    for month, event in enumerate(path.trace.systemic[:, MARKET.easing_event], start=1):
        if event:
            yield month, "market", "every constraint eases at once"
    shut = path.trace.rates[:, RATE.shut]
    for month in range(1, len(shut) + 1):
        if shut[month - 1] and not shut[max(0, month - 13) : month - 1].any():
            spread = np.exp(path.trace.rates[month - 1, RATE.log_spread])
            yield month, "market", f"refinancing market shuts at times (spread {spread:,.0f} bp)"


def demand_events(path: TracedPath) -> Iterator[Told]:
    """Tell air pockets of demand."""
    rows = path.trace.demand
    for month in range(1, len(rows) + 1):
        now = rows[month - 1]
        if now[DEMAND.arrived]:
            months = now[DEMAND.months_left] + 1.0
            yield (
                month,
                "market",
                f"air pocket: growth of demand falls to {now[DEMAND.trough]:.0%} of plan, "
                f"for {months:.0f} months",
            )
        elif month > 1 and rows[month - 2, DEMAND.months_left] > 0 == now[DEMAND.months_left]:
            x = path.trace.market[month - 1, MARKET_SERIES.index("tightness")]
            yield month, "market", f"air pocket ends (demand over capacity {np.expm1(x):+.0%})"


def efficiency_events(path: TracedPath) -> Iterator[Told]:
    """Tell breakthroughs."""
    before = 0.0
    for month, row in enumerate(path.trace.efficiency, start=1):
        step = row[EFFICIENCY.permanent] - before
        before = row[EFFICIENCY.permanent]
        if step != 0.0:
            saved = -np.expm1(step / (1.0 - row[EFFICIENCY.elasticity_long]))
            yield month, "market", f"efficiency breakthrough: {saved:.0%} less compute for the same"


def memory_events(path: TracedPath) -> Iterator[Told]:
    """Tell changes of the memory regime."""
    before = path.prepared.params.market.memory.start
    factor = path.trace.market[:, MARKET_SERIES.index("memory_cost_factor")]
    for month, row in enumerate(path.trace.memory, start=1):
        now = row[MEMORY.regime]
        if now != before:
            told = f"memory: {REGIMES[int(before)]} turns into {REGIMES[int(now)]}"
            yield month, "market", f"{told} (server cost x {factor[month - 1]:.2f})"
        before = now


def policy_events(path: TracedPath) -> Iterator[Told]:
    """Tell tariffs, controls, closed resale channels and moratoria."""
    rows = path.trace.policy
    tariffs, hits = np.ones(rows.shape[2]), np.zeros(rows.shape[2])
    for month, row in enumerate(rows, start=1):
        for place, name in enumerate(path.prepared.layout.jurisdictions):
            effects = []
            if row[POLICY.tariff, place] > tariffs[place]:
                rise = row[POLICY.tariff, place] / tariffs[place] - 1.0
                effects.append(f"tariff of {rise:.0%} on undelivered servers")
            if row[POLICY.control, place]:
                effects.append("export control")
            kept = hits[place] * RESALE_MONTHLY_DECAY
            if row[POLICY.resale_hit, place] > kept + 1e-12:
                effects.append(f"resale values -{row[POLICY.resale_hit, place] - kept:.0%}")
            if row[POLICY.site_slip, place]:
                effects.append(f"new sites {row[POLICY.site_slip, place]:.0f} months later")
            if effects:
                yield month, "policy", f"policy in {name}: {', '.join(effects)}"
        tariffs, hits = row[POLICY.tariff], row[POLICY.resale_hit]
