"""From the engine to the challenger: features are switched off one after another.

python -m docs.model_document.bridge      # writes bridge.csv: about a CPU-minute

All rungs stand on the same random numbers, so the error of a step is that of differences path by
path. The last rung has nothing left that the challenger does not have.
"""

from __future__ import annotations

import dataclasses
import hashlib
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

import simulator
from docs.model_document.challenger import Facility, challenge, loss
from docs.model_document.tables import STUDY, write_rows
from simulator.analytics.estimators import mean, mean_difference
from simulator.config.study import Study
from simulator.config.terms import SWITCHES, ModelInputs
from simulator.engine.runner import BLOCK_LANES

BOX, FACILITY, CUSTOMER = "VALOR_COMPUTE_2", "XAI_VCI_2", "xAI"
BOOK_PATHS, PATHS, SEED = 10_000, 60_000, 1

MARKET: Final = (
    "policy demand efficiency silicon captive memory supply generations power rates spreads"
    " currencies delivery integration priors structural_link easing"
).split()
"""Switches of all that moves the market but the noise of prices."""

NOTHING, FOREVER = 1e-9, 1e6

Inputs = Callable[[ModelInputs], ModelInputs]


def alone(inputs: ModelInputs) -> ModelInputs:
    """Keep one box, its sponsor and its customer; the market keeps its generations."""
    book = inputs.book
    (box,) = (one for one in book.boxes if one.id == BOX)
    contracts = tuple(one for one in book.contracts if one.box == BOX)
    customers = {one.offtaker for one in contracts}
    changed = dataclasses.replace(
        book,
        boxes=(box,),
        contracts=contracts,
        assets=tuple(one for one in book.assets if one.box == BOX),
        tranches=tuple(one for one in book.tranches if one.box == BOX),
        sponsors=tuple(one for one in book.sponsors if one.id == box.sponsor),
        names=tuple(one for one in book.names if one.id in customers),
    )
    return dataclasses.replace(inputs, book=changed)


def off(*names: str) -> Inputs:
    """Switch drivers off, and expect them to be off."""
    assert set(names) <= set(SWITCHES)

    def changed(inputs: ModelInputs) -> ModelInputs:
        gone = dict.fromkeys(names, False)
        expected = dataclasses.replace(
            inputs.expected, switches={**inputs.expected.switches, **gone}
        )
        return dataclasses.replace(inputs, switches={**inputs.switches, **gone}, expected=expected)

    return changed


def without_correlation(inputs: ModelInputs) -> ModelInputs:
    """Make the systemic shocks independent: that of rents then says nothing of the customer."""
    size = len(inputs.correlations)
    identity = tuple(tuple(float(i == j) for j in range(size)) for i in range(size))
    expected = dataclasses.replace(inputs.expected, correlations=identity)
    return dataclasses.replace(inputs, correlations=identity, expected=expected)


def with_parameters(inputs: ModelInputs, values: Mapping[str, float]) -> ModelInputs:
    """Set parameters of what is simulated, beyond their domain where a feature is to vanish."""
    return dataclasses.replace(inputs, parameters={**inputs.parameters, **values})


def with_book(inputs: ModelInputs, part: str, **values: Any) -> ModelInputs:
    """Set fields of every row of a part of the book."""
    rows = tuple(dataclasses.replace(one, **values) for one in getattr(inputs.book, part))
    return dataclasses.replace(inputs, book=dataclasses.replace(inputs.book, **{part: rows}))


def without_covenants(inputs: ModelInputs) -> ModelInputs:
    """Take away tests, trapped cash and cures, and a sponsor that may help or fail."""
    free = with_book(inputs, "boxes", lockup_dscr=0.0, default_dscr=0.0, cures=0)
    return off("sponsor")(free)


def without_another_customer(inputs: ModelInputs) -> ModelInputs:
    """Let nobody assume the lease, rent what it leaves, or make running the box worth while."""
    worthless = with_book(inputs, "contracts", moneyness0=NOTHING)
    return with_parameters(worthless, {"cp.relet_lag": FOREVER})


def without_claims(inputs: ModelInputs) -> ModelInputs:
    """Leave no claim when a lease is rejected: its cash is discounted away."""
    return with_parameters(inputs, {"cp.claim_rate": FOREVER})


def without_costs(inputs: ModelInputs) -> ModelInputs:
    """Let an empty box cost nothing, so that its reserve pays the debt alone."""
    free = with_book(inputs, "boxes", operations_share=0.0)
    return with_book(free, "sites", power_factor=0.0)


def without_own_weight(inputs: ModelInputs) -> ModelInputs:
    """Make a sale small beside its market."""
    rows = tuple(
        dataclasses.replace(one, installed_base_m=FOREVER) for one in inputs.book.generations
    )
    return dataclasses.replace(
        inputs,
        book=dataclasses.replace(inputs.book, generations=rows),
        expected=dataclasses.replace(inputs.expected, generations=rows),
    )


class Rung(NamedTuple):
    """A feature that is taken away."""

    name: str
    change: Inputs


RUNGS: Final = (
    Rung("the facility alone: no other box sells, no hyperscaler takes work in house", alone),
    Rung("customers do not renegotiate", off("renegotiation")),
    Rung("no tests, trapped cash, cures or sponsor", without_covenants),
    Rung("the market on its expected path but for noise of prices", off(*MARKET, "compensator")),
    Rung("shocks of rents independent of the customer's credit", without_correlation),
    Rung("no other customer: nobody assumes the lease or rents", without_another_customer),
    Rung("no claim on the customer", without_claims),
    Rung("an empty box costs nothing", without_costs),
    Rung("the sale does not press on its own price", without_own_weight),
)
CHALLENGER: Final = "the challenger"


class Found(NamedTuple):
    """Default (0, 1), loss as share of what is lent, month of the customer's default, by path."""

    default: NDArray[np.float64]
    loss: NDArray[np.float64]
    month: NDArray[np.int64]  # 0 = never


COLUMNS: Final = ("default", "loss")


def run(study: Study, inputs: ModelInputs, paths: int) -> Found:
    """Simulate a study whose inputs were changed."""
    digest = hashlib.sha256(repr(inputs).encode()).hexdigest()
    changed = dataclasses.replace(study, inputs=inputs, digest=digest)
    found = simulator.simulate(changed, paths=paths, seed=SEED, block=BLOCK_LANES)
    one = found.sel(facility=FACILITY)
    return Found(
        (one["facility_default_month"].values > 0).astype(np.float64),
        one["lender_loss_share"].values.astype(np.float64),
        found["counterparty_default_month"].sel(counterparty=CUSTOMER).values.astype(np.int64),
    )


def facility_of(inputs: ModelInputs) -> Facility:
    """Return the challenger's terms of the box of `alone`, read off the study."""
    p, book = inputs.parameters, inputs.book
    (loan,), (name,), (box,) = book.tranches, book.names, book.boxes
    generation = next(one for one in book.generations if one.name == box.generation)
    new = generation.capex_usd * generation.hardware_share / 1e6
    return Facility(
        balance=loan.balance0,
        coupon=loan.rate,
        maturity=loan.maturity,
        reserve_months=round(box.reserve_months),
        hazard=name.hazard_per_year[0],
        decision_months=3,
        sale_months=round(p["wo.sale_lag"]),
        hardware=[(one.gpus * new, float(-one.accepted)) for one in book.assets],
        resale_curve=[p[f"gpu.resale_curve.y{year}"] for year in range(1, 7)],
        resale_beta=p["gpu.resale_beta"],
        kappa=p["gpu.ctr_kappa"],
        sigma=p["gpu.ctr_sigma"],
        haircut=p["gpu.fire_haircut"],
        haircut_sd=0.1,
        sale_cost=p["gpu.remarket_cost"],
    )


def row(name: str, found: Found, before: Found | None) -> dict[str, object]:
    """Return one rung: default probability and loss in percent, and what the step changed."""
    cells: dict[str, object] = {"rung": name, "paths": found.loss.size, "seed": SEED}
    for column in COLUMNS:
        now = getattr(found, column)
        estimate = mean(100.0 * now)
        cells |= {column: f"{estimate.value:.5g}", f"{column}_se": f"{estimate.se:.3g}"}
        change = mean_difference(100.0 * now, 100.0 * getattr(before, column)) if before else None
        cells[f"{column}_change"] = f"{change.value:.4g}" if change else ""
        cells[f"{column}_change_se"] = f"{change.se:.3g}" if change else ""
    return cells


def rows() -> Iterator[dict[str, object]]:
    """Yield the whole book, every rung, and the challenger."""
    study = simulator.load_study(STUDY)
    inputs = study.inputs
    before = run(study, inputs, BOOK_PATHS)
    yield row("the engine, in the default book", before, None)
    for one in RUNGS:
        inputs = one.change(inputs)
        found = run(study, inputs, PATHS)
        size = before.loss.size  # of the first step: the paths that both have
        step = row(one.name, Found(*(part[:size] for part in found)), before)
        yield {**row(one.name, found, found), **{k: v for k, v in step.items() if "change" in k}}
        before = found
    facility = facility_of(alone(study.inputs))
    closing = row(CHALLENGER, told_by(facility, before.month), before)
    exact = answer(facility)
    yield {**closing, **exact, **dict.fromkeys(("default_se", "loss_se"), "")}


def told_by(facility: Facility, months: NDArray[np.int64]) -> Found:
    """Return what the challenger says of each path, given the month of the customer's default."""
    last = months - 1 + facility.reserve_months
    default = (months > 0) & (last < facility.maturity)
    by_month = [loss(facility, u) / facility.balance for u in range(facility.maturity)]
    lost = np.zeros(months.size)
    lost[default] = np.array(by_month)[last[default]]
    return Found(default.astype(np.float64), lost, months)


def answer(facility: Facility) -> dict[str, object]:
    """Return what the challenger says in closed form, in percent."""
    said = challenge(facility)
    return {
        "default": f"{100.0 * said.default_probability:.5g}",
        "loss": f"{100.0 * said.expected_loss_share:.5g}",
    }


def main() -> None:
    """Write the file."""
    found = []
    for one in rows():
        found.append(one)
        sys.stderr.write(" ".join(map(str, one.values())) + "\n")
    write_rows("bridge.csv", found)


if __name__ == "__main__":
    main()
