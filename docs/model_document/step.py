"""Measure what the month costs in accuracy: the plain model with one, two and four steps a month.

python -m docs.model_document.step        # writes step*.csv: about ten CPU-minutes

Market and hazards are stepped more finely (`finer.py`), contracts stay monthly. All step sizes
share their random numbers, so the error of a difference is that of differences path by path.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from docs.model_document.finer import FinerMarket, FinerPilot
from docs.model_document.tables import STUDY, write_rows
from simulator import load_study
from simulator.config.terms import Book, ModelInputs, Name
from simulator.numerics import normal_cdf
from tests.reference.compensator import PILOT_SEED
from tests.reference.credit import integration, loadings, yearly_hazard
from tests.reference.draws import Draws
from tests.reference.market import GLUT_THRESHOLD, Market, ReferencePath, reference_path
from tests.reference.path import simulate_path
from tests.reference.state import NameState

Vector = NDArray[np.float64]

SEED: Final = 1
STEPS: Final = (1, 2, 4)  # a month
MARKET_PATHS, BOOK_PATHS, PILOT_PATHS, CHECK_PATHS = 2_400, 2_000, 1_024, 3
MONTHS: Final = (36, 60)
BOXES: Final = ("CCAC_VIII", "DDTL_V", "VALOR_COMPUTE_2")
"""The small book: DDTL 4.0, DDTL 5.0 and the second xAI vehicle, whose lenders lose most."""
FEW: Final = 30  # fewer paths that default with both steps say nothing of when they do
NAME: Final = "OpenAI"
GENERATION: Final = "GB300"


def small_book() -> ModelInputs:
    """Return the inputs of the default study with three of its boxes and no HoldCo debt."""
    inputs = load_study(STUDY).inputs
    book = inputs.book

    def kept(rows: Sequence[object], field: str) -> tuple:
        return tuple(row for row in rows if getattr(row, field) in BOXES)

    boxes = kept(book.boxes, "id")
    contracts = kept(book.contracts, "box")
    sponsors = {box.sponsor for box in boxes}
    customers = {one.offtaker for one in contracts} | {one.backstop for one in contracts}
    changed: Book = dataclasses.replace(
        book,
        boxes=boxes,
        contracts=contracts,
        assets=kept(book.assets, "box"),
        tranches=kept(book.tranches, "box"),
        sponsors=tuple(one for one in book.sponsors if one.id in sponsors),
        names=tuple(one for one in book.names if one.id in customers),
    )
    return dataclasses.replace(inputs, book=changed)


class Quantity(NamedTuple):
    """What is measured of a market in a month; exact where its step is exact in law."""

    name: str
    exact: bool
    of: Callable[[Market, int], float]


def log_price(market: Market, t: int) -> float:
    """Log contract price of the generation of the small book."""
    return math.log(market.contract_price[GENERATION][t])


def residual(market: Market, t: int) -> float:
    """X of that generation: its log price less trend, releases and tightness."""
    p = market.p
    level = p["gpu.delta"] * t / 12.0 - market.steps[t] + market.q[t]
    return log_price(market, t) - math.log(market.contract_price[GENERATION][0]) - level


QUANTITIES: Final = (
    Quantity("power, log", True, lambda m, t: m.W[t]),
    Quantity("SOFR, %", True, lambda m, t: 100.0 * m.sofr[t]),
    Quantity("price residual X, log", True, residual),
    Quantity("high-yield spread, log", False, lambda m, t: math.log(m.hy[t])),
    Quantity("demand L, log", False, lambda m, t: m.L[t]),
    Quantity("efficiency Δ, log", False, lambda m, t: m.Delta[t]),
    Quantity("hardware cost factor, log", False, lambda m, t: math.log(m.c[t])),
    Quantity("capacity K, log", False, lambda m, t: m.K[t]),
    Quantity("tightness x", False, lambda m, t: m.x[t]),
    Quantity("glut, x < −0.14, %", False, lambda m, t: 100.0 * (m.x[t] < GLUT_THRESHOLD)),
    Quantity("price deviation q, log", False, lambda m, t: m.q[t]),
    Quantity("contract price GB300, log", False, log_price),
    Quantity("utilisation, %", False, lambda m, t: 100.0 * m.market_utilisation[t]),
    Quantity("sector stress", False, lambda m, t: m.stress[t]),
)


class Hazard(NamedTuple):
    """A name's hazard on one market path."""

    multiplier: float  # mean of exp(β·stress − γ·Δ) over the horizon, uncompensated
    probability: float  # of default by the horizon, given the path, compensated


def hazard_of(
    market: Market, name: Name, inputs: ModelInputs, compensator: Sequence[float]
) -> Hazard:
    """Return what a path does to a name; its own factor is integrated out."""
    a, b = loadings(name, inputs.parameters)
    total = growth = 0.0
    for t in range(1, inputs.horizon + 1):
        moved = market.hazard_multiplier(name.beta, name.efficiency_loading, t, 0.0)
        total += moved
        h = yearly_hazard(name, t, inputs.parameters) / 12.0
        growth += h * moved * math.exp(-compensator[t - 1])
    score = normal_quantile(-math.expm1(-growth)) - a * market.Z_star - b * market.C_perp
    chance = normal_cdf(score / math.sqrt(1.0 - a * a - b * b))
    return Hazard(total / inputs.horizon, 100.0 * chance)


def normal_quantile(p: float) -> float:
    """Return Φ⁻¹(p)."""
    from scipy import special

    return float(special.ndtri(p))


def new_market(
    inputs: ModelInputs, path: int, steps: int, references: Mapping[int, ReferencePath]
) -> Market:
    """Return the market of a path at month 0."""
    draws = Draws(SEED, path)
    if steps == 1:
        return Market(inputs, draws, inputs.parameters, references[1])
    return FinerMarket(inputs, draws, references[steps], steps)


def run_market(
    inputs: ModelInputs, path: int, steps: int, references: Mapping[int, ReferencePath]
) -> Market:
    """Return the market of a path at the horizon, integrations of names included."""
    market = new_market(inputs, path, steps, references)
    names = {name.id: NameState(name, math.inf) for name in inputs.book.names}
    for t in range(1, inputs.horizon + 1):
        market.step(t)
        integration(market, Draws(SEED, path), names, t)
    return market


def told(text: str) -> None:
    """Say how far the work is."""
    sys.stderr.write(text + "\n")


def difference(name: str, values: Mapping[int, Vector], **labels: object) -> dict[str, object]:
    """Return a row: mean and sd at a month's step, and what finer steps change, ± errors.

    The error of a difference of sds is that of Σ((y − ȳ)² − (z − z̄)²), path by path.
    """
    coarse = values[1]
    row: dict[str, object] = {"quantity": name, **labels, "paths": coarse.size}
    row |= {"mean": f"{coarse.mean():.5g}", "sd": f"{coarse.std():.5g}"}
    for before, after in pairwise(STEPS):
        if after not in values:
            continue
        one, two = values[before], values[after]
        root = math.sqrt(one.size)
        apart = two - one
        square = (two - two.mean()) ** 2 - (one - one.mean()) ** 2
        scale = 2.0 * one.std() or 1.0
        row |= {
            f"mean_{before}_{after}": f"{apart.mean():.4g}",
            f"mean_{before}_{after}_se": f"{apart.std() / root:.3g}",
            f"sd_{before}_{after}": f"{square.mean() / scale:.4g}",
            f"sd_{before}_{after}_se": f"{square.std() / scale / root:.3g}",
        }
    return row


def market_rows(
    inputs: ModelInputs,
    references: Mapping[int, ReferencePath],
    compensators: Mapping[int, Mapping[str, Sequence[float]]],
) -> Iterator[dict[str, object]]:
    """Yield a row for every quantity and month, and two of a name's hazard."""
    name = next(one for one in inputs.book.names if one.id == NAME)
    seen = {n: np.empty((MARKET_PATHS, len(QUANTITIES), len(MONTHS))) for n in STEPS}
    hazards = {n: np.empty((MARKET_PATHS, 2)) for n in STEPS}
    for path in range(MARKET_PATHS):
        for n in STEPS:
            market = run_market(inputs, path, n, references)
            seen[n][path] = [[one.of(market, t) for t in MONTHS] for one in QUANTITIES]
            hazards[n][path] = hazard_of(market, name, inputs, compensators[n][NAME])
        if path % 400 == 0:
            told(f"market {path}")
    for j, month in enumerate(MONTHS):
        for i, one in enumerate(QUANTITIES):
            values = {n: seen[n][:, i, j] for n in STEPS}
            yield difference(one.name, values, month=month, exact=str(one.exact).lower())
    for i, said in enumerate(("hazard multiplier, c = 0", "default probability, %")):
        values = {n: hazards[n][:, i] for n in STEPS}
        yield difference(f"{NAME}: {said}", values, month=inputs.horizon, exact="false")


def book_rows(
    inputs: ModelInputs,
    references: Mapping[int, ReferencePath],
    compensators: Mapping[int, Mapping[str, Sequence[float]]],
) -> Iterator[dict[str, object]]:
    """Yield default and loss of each facility of the small book, and the loss of all."""
    facilities = sorted({one.facility for one in inputs.book.tranches})
    steps = STEPS[:2]
    lost = np.empty((len(steps), BOOK_PATHS, len(facilities)))
    months = np.zeros((len(steps), BOOK_PATHS, len(facilities)))
    for path in range(BOOK_PATHS):
        for i, n in enumerate(steps):
            market = new_market(inputs, path, n, references)
            found = simulate_path(inputs, SEED, path, compensators[n], references[1], market)
            for j, name in enumerate(facilities):
                one = found.facilities[name]
                lost[i, path, j] = one.book_loss
                months[i, path, j] = one.default_month
        if path % 200 == 0:
            told(f"book {path}")
    defaulted = (months > 0) * 100.0
    for j, name in enumerate(facilities):
        both = (months[:, :, j] > 0).all(axis=0)
        yield difference(f"{name}: default, %", dict(zip(steps, defaulted[:, :, j], strict=True)))
        if both.sum() > FEW:
            when = dict(zip(steps, months[:, both, j], strict=True))
            yield difference(f"{name}: month of default, if in both", when)
        yield difference(f"{name}: loss, USD m", dict(zip(steps, lost[:, :, j], strict=True)))
    yield difference("the small book: loss, USD m", dict(zip(steps, lost.sum(axis=2), strict=True)))


def check_rows(
    inputs: ModelInputs, references: Mapping[int, ReferencePath]
) -> Iterator[dict[str, object]]:
    """Yield what the first paths say, which a test computes again."""
    for path in range(CHECK_PATHS):
        for n in STEPS:
            market = run_market(inputs, path, n, references)
            cells: dict[str, object] = {"path": path, "per_month": n}
            yield cells | {one.name: repr(float(one.of(market, 36))) for one in QUANTITIES}


def main() -> None:
    """Write all three files."""
    inputs = small_book()
    references = {n: reference_path(inputs, n) for n in STEPS}
    write_rows("step_check.csv", check_rows(inputs, references))
    compensators = {}
    for n in STEPS:
        told(f"pilot with {n} steps a month")
        pilot = FinerPilot(inputs, PILOT_PATHS, n, references[n], PILOT_SEED)
        compensators[n] = {one.id: pilot.solve(one) for one in inputs.book.names if not one.sponsor}
    write_rows("step_market.csv", market_rows(inputs, references, compensators))
    write_rows("step_book.csv", book_rows(inputs, references, compensators))


if __name__ == "__main__":
    main()
