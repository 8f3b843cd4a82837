"""The engine and the reference model side by side: run both, list where they differ.

Which addition to a plain study is behind a difference, of study 17 and path 3:

    python -m tests.properties.agreement 17 3
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.flows import LINES
from simulator.config.terms import ModelInputs
from simulator.credit.names import NAME, NAME_CODE
from simulator.engine.block import run_block
from simulator.engine.layout import Layout, layout_of
from simulator.engine.market import MARKET
from simulator.engine.market_alone import reference_path
from simulator.engine.outputs import MARKET_SERIES, new_outputs
from simulator.engine.pack import pack_model
from simulator.engine.pack_credit import name_classes
from simulator.engine.pack_market import pack_market
from simulator.engine.state import new_state
from simulator.engine.trace import LEASE_FIELDS, new_trace, record_month
from simulator.numerics.addressed import Addressed
from tests.reference import Outcome
from tests.reference import reference_path as oracle_reference_path
from tests.reference.additions import ADDITIONS, IN_ORDER
from tests.reference.path import simulate_path
from tests.reference.studies import small_study

SEED = 11
RELATIVE = 1e-9
ABSOLUTE = 1e-9

STATUSES = (
    "pending",
    "commissioning",
    "contracted",
    "unpaid",
    "backstopped",
    "reletting",
    "merchant",
    "cancelled",
    "gone",
)
CAUSES = (
    "",
    "counterparty",
    "renegotiation",
    "control",
    "delay",
    "expiry",
    "sponsor",
    "refinancing",
    "costs and rates",
)


class Difference(NamedTuple):
    """One number on which the two disagree; months sort first, then the order of the model."""

    month: int
    stage: int
    what: str
    engine: float
    oracle: float

    def __str__(self) -> str:
        return f"month {self.month}: {self.what}: engine {self.engine!r}, oracle {self.oracle!r}"


@dataclass
class Study:
    """A study packed once for both."""

    inputs: ModelInputs
    layout: Layout
    params: Any
    compensator: NDArray[np.float64]  # (class, month)

    def compensator_by_name(self) -> dict[str, list[float]]:
        _, members = name_classes(self.inputs)
        return {name: list(self.compensator[row, 1:]) for name, row in members.items()}


@dataclass
class EnginePaths:
    """What the engine hands back for a block of paths; the trace is that of the first."""

    outputs: Any
    trace: Any
    state: Any


def some_compensator(inputs: ModelInputs) -> NDArray[np.float64]:
    """Any drift will do here: both sides are given the same one."""
    classes, _ = name_classes(inputs)
    months = np.arange(inputs.horizon + 1)
    if not (inputs.switches["compensator"] and inputs.switches["counterparty_default"]):
        return np.zeros((max(1, len(classes)), months.size))
    slopes = np.array([0.002 * (1 + row) for row in range(max(1, len(classes)))])
    return slopes[:, None] * months


def pack(inputs: ModelInputs, compensator: NDArray[np.float64] | None = None) -> Study:
    """Pack a study for the engine."""
    c = some_compensator(inputs) if compensator is None else compensator
    reference = reference_path(inputs.expected, inputs.horizon)
    market = pack_market(inputs.world, inputs.expected, inputs.horizon, reference, path=inputs.path)
    return Study(inputs, layout_of(inputs), pack_model(inputs, market, c), c)


def run_engine(study: Study, seed: int, paths: Sequence[int], *, trace: bool = True) -> EnginePaths:
    """Run one block of paths."""
    inputs, layout = study.inputs, study.layout
    counts = (len(layout.tranches), len(layout.boxes))
    lanes = len(paths)
    state = new_state(study.params, lanes)
    outputs = new_outputs(
        inputs.horizon,
        *counts,
        len(layout.sponsors),
        len(layout.names),
        len(layout.generations),
        lanes,
        **counts_of_notes(inputs),
    )
    record = new_trace(
        inputs.horizon,
        *counts,
        len(layout.assets),
        len(layout.names),
        len(layout.sponsors),
    )
    watch = partial(record_month, record) if trace else None
    numbers = np.array(paths, dtype=np.int64)
    with np.errstate(all="ignore"):  # as compiled
        run_block(
            Addressed(study.params), Addressed(state), seed, numbers, Addressed(outputs), 0, watch
        )
    return EnginePaths(outputs, record, state)


def counts_of_notes(inputs: ModelInputs) -> dict[str, int]:
    """Rows of notes and structures."""
    structures = inputs.book.structures
    return {"notes": sum(len(one.notes) for one in structures), "structures": len(structures)}


def run_oracle(study: Study, seed: int, path: int) -> Outcome:
    return simulate_path(
        study.inputs,
        seed,
        path,
        compensator=study.compensator_by_name(),
        reference=oracle_reference_path(study.inputs),
    )


def disagreement(number: int, path: int, additions: Collection[str]) -> Difference | None:
    """Earliest difference on a path of a random study with some additions."""
    study = pack(small_study(random.Random(number), additions))
    found = differences(study, run_engine(study, SEED, [path]), run_oracle(study, SEED, path))
    return found[0] if found else None


def fewest_additions(number: int, path: int, additions: Collection[str] = ADDITIONS) -> set[str]:
    """Leave out one addition after the other as long as the two still disagree."""
    kept = set(additions)
    for name in IN_ORDER:
        if name in kept and disagreement(number, path, kept - {name}) is not None:
            kept.remove(name)
    return kept


def tell_what_disagrees(number: int, path: int) -> None:
    """Say the earliest difference, and with which additions alone it is there."""
    if disagreement(number, path, ADDITIONS) is None:
        sys.stdout.write(f"study {number}, path {path}: they agree\n")
        return
    kept = fewest_additions(number, path)
    names = ", ".join(name for name in IN_ORDER if name in kept) or "no addition at all"
    told = disagreement(number, path, kept)
    sys.stdout.write(f"study {number}, path {path}: {names}: {told}\n")


# ------------------------------------------------------------------ comparison


def agree(a: float, b: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE)


class Comparison:
    """Collects differences."""

    def __init__(self) -> None:
        self.found: list[Difference] = []

    def number(self, month: int, stage: int, what: str, engine: float, oracle: float) -> None:
        if not agree(float(engine), float(oracle)):
            self.found.append(Difference(month, stage, what, float(engine), float(oracle)))

    def series(self, stage: int, what: str, engine: Sequence[float], oracle: Any) -> None:
        for month, (a, b) in enumerate(zip(engine, oracle, strict=True), start=1):
            self.number(month, stage, what, a, b)


def differences(study: Study, engine: EnginePaths, oracle: Outcome) -> list[Difference]:
    """Every difference between the traced path of a block and the oracle's, earliest first."""
    result = Comparison()
    compare_market(result, study, engine, oracle)
    compare_names(result, study, engine, oracle)
    compare_leases(result, study, engine, oracle)
    compare_boxes(result, study, engine, oracle)
    compare_tranches(result, study, engine, oracle)
    compare_sponsors(result, study, engine, oracle)
    compare_book(result, study, engine, oracle)
    compare_structures(result, study, engine, oracle)
    return sorted(result.found, key=lambda d: (d.month, d.stage))


def compare_market(result: Comparison, study: Study, engine: EnginePaths, oracle: Outcome) -> None:
    trace, market = engine.trace.market, oracle.market
    p = study.inputs.parameters
    planned = [
        p["pow.p0"] * math.exp(p["pow.trend"] * t / 12.0)
        for t in range(1, study.inputs.horizon + 1)
    ]
    expected = {
        "tightness": market.tightness,
        "price_deviation": market.price_deviation,
        "utilisation": market.utilisation,
        "demand_index": [math.exp(level) for level in market.demand],
        "capacity_index": [math.exp(level) for level in market.capacity],
        "memory_cost_factor": market.memory_cost_factor,
        "high_yield_spread": market.high_yield,
        "sofr": market.sofr,
        "power_price": [
            price * math.exp(w) for price, w in zip(planned, market.power, strict=True)
        ],
    }
    result.series(1, "stress", engine.trace.systemic[:, MARKET.stress], market.stress)
    for name, values in expected.items():
        result.series(1, name, trace[:, MARKET_SERIES.index(name)], values)
    for g, name in enumerate(study.layout.generations):
        for kind, series, values in (
            ("contract", engine.outputs.contract_price, market.contract_price[name]),
            ("spot", engine.outputs.spot_price, market.spot_price[name]),
        ):
            rounded = np.array(values, dtype=np.float32)
            for month in range(study.inputs.horizon):
                a, b = float(series[month, g, 0]), float(rounded[month])
                if not math.isclose(a, b, rel_tol=3e-7):
                    result.found.append(Difference(month + 1, 1, f"{kind} price {name}", a, b))


def compare_names(result: Comparison, study: Study, engine: EnginePaths, oracle: Outcome) -> None:
    names = engine.state.names.rows
    for row, name in enumerate(study.layout.names):
        threshold = names[NAME.threshold, row, 0]
        result.number(0, 2, f"threshold of {name}", threshold, oracle.name_threshold[name])
        if study.params.names.codes[NAME_CODE.drifts, row]:
            notches = engine.trace.name[:, NAME.rating, row]
            result.series(2, f"notch of {name}", notches, oracle.name_notch[name])
        month = oracle.name_integrated_month[name]
        integrated = names[NAME.integrated, row, 0]
        result.number(month, 2, f"integration of {name}", integrated, float(month > 0))
        month = engine.outputs.name_default_month[row, 0]
        expected = oracle.name_default_month[name]
        first = int(min([m for m in (month, expected) if m > 0], default=0))
        result.number(first, 2, f"default of {name}", month, expected)


def compare_leases(result: Comparison, study: Study, engine: EnginePaths, oracle: Outcome) -> None:
    trace = engine.trace.lease
    for row, asset in enumerate(study.layout.assets):
        outcome = oracle.assets[asset.id]
        codes = [STATUSES.index(status) for status in outcome.statuses]

        def field(name: str, row: int = row) -> NDArray[np.float64]:
            return trace[:, LEASE_FIELDS.index(name), row]

        result.series(3, f"{asset.id} status", field("status"), codes)
        result.series(3, f"{asset.id} received", field("received"), outcome.cash)
        result.series(3, f"{asset.id} due", field("due"), outcome.invoice_due)
        result.series(3, f"{asset.id} price", field("price"), outcome.price)


BOX_LINES: tuple[tuple[str, Callable[[Mapping[str, float]], float]], ...] = (
    ("capex", lambda m: m["capex"]),
    ("debt_drawn", lambda m: m["draws"] + m["sized_draw"]),
    ("prepayment_received", lambda m: m["prepayment"]),
    ("equity_for_capex", lambda m: m["capex_equity"] + m["issue_discount"]),
    ("receipts", lambda m: m["receipts"]),
    ("power_cost", lambda m: m["power_cost"]),
    ("operating_costs", lambda m: m["operating_costs"]),
    ("senior_fees", lambda m: m["undrawn_fee"]),
    ("hedge_settlement", lambda m: m["hedge"]),
    ("cfads", lambda m: m["cfads"]),
    ("senior_interest_due", lambda m: m["senior_interest_due"]),
    ("senior_principal_due", lambda m: m["senior_principal_due"]),
    ("junior_service_due", lambda m: m["junior_service_due"]),
    ("arrears_due", lambda m: m["arrears_due"]),
    ("debt_service", lambda m: m["debt_service"]),
    ("collateral", lambda m: m["collateral"]),
    ("shortfall", lambda m: m["shortfall"]),
    ("cure_asked", lambda m: m["cure_asked"]),
    ("dscr", lambda m: m["dscr"]),
    ("support", lambda m: m["support"]),
    ("cure", lambda m: m["cure"]),
    ("equity_other", lambda m: m["construction_equity"] + m["reserve_equity"]),
    ("trapped_cash_released", lambda m: m["trap_released"]),
    ("reserves_released", lambda m: m["reserves_released"]),
    ("trapped_cash_used", lambda m: m["trap_drawn"]),
    ("power_reserve_used", lambda m: m["power_reserve_drawn"]),
    ("debt_service_reserve_used", lambda m: m["reserve_drawn"]),
    ("operating_costs_paid", lambda m: m["paid_operating_costs"]),
    ("senior_fees_paid", lambda m: m["paid_senior_fees"]),
    ("senior_interest_paid", lambda m: m["paid_senior_interest"]),
    ("senior_principal_paid", lambda m: m["paid_senior_principal"]),
    ("debt_service_reserve_funded", lambda m: m["paid_debt_service_reserve"]),
    ("power_reserve_funded", lambda m: m["paid_power_reserve"]),
    ("junior_interest_paid", lambda m: m["paid_junior_interest"]),
    ("junior_principal_paid", lambda m: m["paid_junior_principal"]),
    ("swept", lambda m: m["paid_sweep"]),
    ("cash_trapped", lambda m: m["paid_cash_trap"]),
    ("sale_proceeds", lambda m: m["sale_proceeds"]),
    ("disposals", lambda m: m["disposals"]),
    ("overrun_of_customer", lambda m: m["overrun_paid"]),
    ("collected_cash", lambda m: m["collected"]),
    ("recovered", lambda m: m["workout_paid"]),
    ("distributed", lambda m: m["distribution"]),
    ("trapped_cash", lambda m: m["trap"]),
    ("debt_service_reserve", lambda m: m["reserve"]),
    ("power_reserve", lambda m: m["power_reserve"]),
    ("debt", lambda m: m["debt"]),
)


def compare_boxes(result: Comparison, study: Study, engine: EnginePaths, oracle: Outcome) -> None:
    outputs = engine.outputs
    last = study.inputs.horizon + 1
    for row, box in enumerate(study.layout.boxes):
        outcome = oracle.boxes[box]
        for stage, (line, value) in enumerate(BOX_LINES, start=100):
            if line not in LINES:  # of an addition that the engine does not have yet
                continue
            values = [value(month) for month in outcome.months]
            result.series(
                stage, f"{box} {line}", engine.trace.flow[:, LINES.index(line), row], values
            )
        trap = [float(month["trap_on"]) for month in outcome.months]
        result.series(98, f"{box} trap on", engine.trace.box_status[:, 1, row], trap)
        month = outputs.box_default_month[row, 0]
        first = int(min([m for m in (month, outcome.default_month) if m > 0], default=0))
        result.number(first, 300, f"{box} default", month, outcome.default_month)
        result.number(first, 301, f"{box} trigger", outputs.box_trigger[row, 0], outcome.trigger)
        cause = CAUSES.index(outcome.cause)
        result.number(first, 302, f"{box} cause", outputs.box_cause[row, 0], cause)
        result.number(
            last,
            400,
            f"{box} terminal value",
            outputs.box_terminal_value[row, 0],
            outcome.terminal_value,
        )
        result.number(last, 401, f"{box} pnl", outputs.equity_pnl[row, 0], outcome.pnl)
        result.number(
            last,
            401,
            f"{box} contributions",
            outputs.equity_contributions[row, 0],
            outcome.contributions,
        )
        result.number(last, 401, f"{box} MOIC", outputs.equity_moic[row, 0], outcome.moic)
        state, rate = internal_rate(outcome.flows)
        result.number(last, 402, f"{box} IRR state", outputs.equity_irr_state[row, 0], state)
        result.number(last, 402, f"{box} IRR", outputs.equity_irr[row, 0], rate)


def compare_tranches(
    result: Comparison, study: Study, engine: EnginePaths, oracle: Outcome
) -> None:
    outputs, trace = engine.outputs, engine.trace.tranche
    last = study.inputs.horizon + 1
    for row, tranche in enumerate(study.layout.tranches):
        outcome = oracle.tranches[tranche.id]
        stage = 200 if tranche.box else 310
        result.series(5, f"{tranche.id} coupon", trace[:, 3, row], outcome.coupons)
        result.series(stage, f"{tranche.id} received", trace[:, 2, row], outcome.receipts)
        result.series(stage, f"{tranche.id} balance", trace[:, 0, row], outcome.balances)
        for name, a, b in (
            ("loss", outputs.tranche_loss, outcome.loss_pv),
            ("nominal loss", outputs.tranche_nominal_loss, outcome.loss_nominal),
            ("exposure", outputs.tranche_exposure, outcome.exposure_at_default),
            ("drawn PV", outputs.tranche_drawn_pv, outcome.drawn_pv),
        ):
            result.number(last, 410, f"{tranche.id} {name}", a[row, 0], b)


def compare_sponsors(
    result: Comparison, study: Study, engine: EnginePaths, oracle: Outcome
) -> None:
    outputs, trace = engine.outputs, engine.trace.sponsor
    last = study.inputs.horizon + 1
    for row, sponsor in enumerate(study.layout.sponsors):
        outcome = oracle.sponsors[sponsor]
        result.series(320, f"{sponsor} cash", trace[:, 0, row], outcome.cash)
        raised = np.cumsum(outcome.raised)
        result.series(319, f"{sponsor} raised", trace[:, 2, row], raised)
        month = outputs.sponsor_default_month[row, 0]
        first = int(min([m for m in (month, outcome.default_month) if m > 0], default=0))
        result.number(first, 318, f"{sponsor} default", month, outcome.default_month)
        result.number(
            last, 420, f"{sponsor} retained", outputs.sponsor_retained[row, 0], outcome.retained
        )
        result.number(last, 421, f"{sponsor} pnl", outputs.sponsor_pnl[row, 0], outcome.pnl)


def compare_book(result: Comparison, study: Study, engine: EnginePaths, oracle: Outcome) -> None:
    """Series of the lender's book, added up from what the oracle says of tranches and boxes."""
    horizon = study.inputs.horizon
    lag = math.floor(study.inputs.parameters["hold.estate_lag"] + 0.5)
    outstanding, lost, recovered = np.zeros((3, horizon))
    for tranche in study.layout.tranches:
        outcome = oracle.tranches[tranche.id]
        if tranche.box:
            over = oracle.boxes[tranche.box].closed_month or horizon + 1
        else:
            failed = oracle.sponsors[tranche.sponsor].default_month
            over = min(failed + lag, horizon) if failed > 0 else horizon + 1
        owner = oracle.boxes[tranche.box] if tranche.box else oracle.sponsors[tranche.sponsor]
        for month in range(horizon):
            if 0 < owner.default_month <= month:
                recovered[month:] += tranche.lender_share * outcome.receipts[month]
            owed = outcome.balances[month] + outcome.accrued[month]
            claim = tranche.lender_share * owed
            if month + 1 < over:
                outstanding[month] += claim
            elif owed > ABSOLUTE:
                lost[month] += outcome.discounts[month] * claim
    debtors = [*oracle.boxes.values(), *oracle.sponsors.values()]
    if not any(debtor.default_month == horizon for debtor in debtors):
        # what defaults at the horizon is settled there: its receipts are of both kinds
        series = engine.trace.market[:, MARKET_SERIES.index("cumulative_recoveries")]
        result.series(500, "cumulative_recoveries", series, recovered)
    boxes = oracle.boxes.values()
    failed = [sum(0 < box.default_month <= t for box in boxes) for t in range(1, horizon + 1)]
    paid = np.cumsum([sum(box.months[t]["distribution"] for box in boxes) for t in range(horizon)])
    for name, values in (
        ("outstanding_debt", outstanding),
        ("cumulative_lender_loss", lost),
        ("boxes_in_default", failed),
        ("cumulative_distributions", paid),
    ):
        series = engine.trace.market[:, MARKET_SERIES.index(name)]
        result.series(500, name, series, values)
    total = sum(
        tranche.lender_share * oracle.tranches[tranche.id].loss_pv
        for tranche in study.layout.tranches
    )
    series = engine.trace.market[:, MARKET_SERIES.index("cumulative_lender_loss")]
    result.number(horizon, 501, "loss of the book at the horizon", series[-1], total)


def compare_structures(
    result: Comparison, study: Study, engine: EnginePaths, oracle: Outcome
) -> None:
    """Loss and payments of every note over the life of a path, and what is left for the owner."""
    outputs = engine.outputs
    last, row = study.inputs.horizon + 1, 0
    for number, structure in enumerate(study.inputs.book.structures):
        outcome = oracle.structures[structure.id]
        for note in outcome.notes:
            for what, a, b in (
                ("loss", outputs.note_loss, note.loss()),
                ("interest", outputs.note_interest, sum(note.interest_paid)),
                ("principal", outputs.note_principal, sum(note.principal_paid)),
            ):
                result.number(last, 510, f"{note.terms.id} {what}", a[row, 0], b)
            row += 1
        residual = outputs.structure_residual[number, 0]
        result.number(last, 511, f"{structure.id} residual", residual, sum(outcome.residual))


FACTORS = [math.exp(-math.log(2.0) * (1.0 - k / 96.0)) for k in range(193)]
"""Monthly discount factors between which roots are told apart (docs/model.md §13)."""


def internal_rate(flows: Sequence[float]) -> tuple[int, float]:
    """Return (state, annual IRR): 1 without a root, 2 with several."""
    flows = [flow if abs(flow) > ABSOLUTE else 0.0 for flow in flows]

    def value(factor: float) -> float:
        total = 0.0
        for flow in reversed(flows):
            total = total * factor + flow
        return total

    signs = [value(factor) > 0.0 for factor in FACTORS]
    changes = [k for k, (a, b) in enumerate(pairwise(signs)) if a != b]
    if len(changes) != 1:
        return (2 if changes else 1), math.nan
    low, high = FACTORS[changes[0]], FACTORS[changes[0] + 1]
    rising = signs[changes[0] + 1]
    for _ in range(200):
        middle = 0.5 * (low + high)
        if (value(middle) > 0.0) == rising:
            high = middle
        else:
            low = middle
    return 0, (0.5 * (low + high)) ** -12.0 - 1.0


if __name__ == "__main__":
    tell_what_disagrees(int(sys.argv[1]), int(sys.argv[2]))
