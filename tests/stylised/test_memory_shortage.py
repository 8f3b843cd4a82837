"""Stylised fact 5: who gains and who loses by a memory shortage, and by a glut (docs/model.md §14).

One plain book runs on the same paths from a balanced memory market, from a shortage and from a
glut. Only the memory parameters differ, and differences are taken path by path.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

import simulator
from simulator.box.deliveries import DELIVERY
from simulator.box.flows import LINES
from simulator.engine.block import run_block
from simulator.engine.outputs import MARKET_SERIES, Outputs
from simulator.engine.prepare import prepare

PATHS, BLOCK, SEED, HORIZON = 2_000, 125, 7, 48
TERM_LEFT = 24  # months of SOLD's contract after t0
ENOUGH = 4.0  # paired standard errors

STUDY = f"""
schema: neobox.study/1
name: memory
start: 2026-11
horizon_months: {HORIZON}
tape: tape
drivers:
  counterparty_default: false
  compensator: false
  renegotiation: false
  sponsor: false
  policy: false # or an order that slips may meet a tariff
sites: {{hall: {{jurisdiction: US}}}}
counterparties: {{Strong: {{kind: hyperscaler, rating: Aaa}}}}
sponsors: {{Owner: {{cash_usd_m: 1000, market_value_usd_m: 5000}}}}
"""

# ORDERED and AGREED arrive in month 9, AGREED at a fixed price; POOL and SOLD are installed.
TABLES = {
    "boxes": """
box,sponsor,generation,colo_usd_per_kw_month,lockup_dscr,default_dscr,reserve_months
ORDERED,Owner,GB300,0,0,0,0
AGREED,Owner,GB300,0,0,0,0
POOL,Owner,H200,0,0,0,0
SOLD,Owner,H200,0,0,0,0
""",
    "debt": """
tranche,box,commitment_usd_m,drawn_usd_m,close,draw_end,maturity,fixed_rate,undrawn_fee,advance
ORDERED_LOAN,ORDERED,700,0,2026-11,2028-11,2032-11,8%,0,70%
AGREED_LOAN,AGREED,700,0,2026-11,2028-11,2032-11,8%,0,70%
POOL_LOAN,POOL,100,100,2025-11,,2028-11,8%,,
SOLD_LOAN,SOLD,500,500,2025-11,,2028-11,8%,,
""",
    "contracts": """
contract,box,offtaker,price_usd_per_gpu_hour,term_months
ORDERED_SALE,ORDERED,Strong,3.5,60
AGREED_SALE,AGREED,Strong,3.5,60
SOLD_SALE,SOLD,Strong,2.6,36
""",
    "assets": """
asset,box,contract,site,gpus,cost_usd_m,price_fixed,planned_delivery,accepted
ORDERED_GPUS,ORDERED,ORDERED_SALE,hall,13000,1000,false,2027-08,
AGREED_GPUS,AGREED,AGREED_SALE,hall,13000,1000,true,2027-08,
POOL_GPUS,POOL,,hall,18000,1000,,,2025-11
SOLD_GPUS,SOLD,SOLD_SALE,hall,18000,1000,,,2025-11
""",
}

MEMORY: dict[str, dict[str, float]] = {
    "balanced": {"mem.start": 0},
    "shortage": {"mem.start": 1},
    "glut": {"mem.start": 2},
    "balanced, no pass-through": {"mem.start": 0, "mem.passthru": 0},
    "shortage, no pass-through": {"mem.start": 1, "mem.passthru": 0},
    "deep shortage": {"mem.start": 1, "mem.mu.shortage": 0.06, "mem.dur_short": 27},
    "deep glut": {"mem.start": 2, "mem.mu.glut_first_8_months": -0.11, "mem.dur_glut": 24},
}
LINES_SEEN = ("capex", "receipts", "operating_costs", "debt", "distributed", "collateral")
EITHER_WAY = pytest.mark.parametrize(("memory", "sign"), [("shortage", 1.0), ("glut", -1.0)])

Array = NDArray[np.float64]


class World(NamedTuple):
    """What the paths of one memory market made of the book; boxes and assets by id."""

    boxes: list[str]
    assets: list[str]
    flow: Array  # (month, line of LINES_SEEN, box, path)
    delivered: Array  # (asset, path), the month after the horizon if never
    outputs: Outputs

    def line(self, name: str, box: str) -> Array:
        """Return a line of the waterfall, (month, path)."""
        return self.flow[:, LINES_SEEN.index(name), self.boxes.index(box)]

    def delivery(self, box: str) -> Array:
        """Return the month in which a box's GPUs arrived, (path,)."""
        return self.delivered[self.assets.index(f"{box}_GPUS")]

    def result(self, name: str, box: str) -> Array:
        """Return a result of a box, (path,)."""
        return getattr(self.outputs, name)[self.boxes.index(box)]


def run_world(study_file: Path, memory: dict[str, float]) -> World:
    """Run the book from one memory market, the same draws for all."""
    inputs = simulator.load_study(study_file, memory).inputs
    prepared = prepare(inputs)
    state, outputs = prepared.state(BLOCK), prepared.outputs(PATHS)
    boxes, assets = ([one.id for one in table] for table in (inputs.book.boxes, inputs.book.assets))
    flow = np.empty((HORIZON, len(LINES_SEEN), len(boxes), PATHS))
    rows = [LINES.index(name) for name in LINES_SEEN]

    delivered = []
    for first in range(0, PATHS, BLOCK):
        columns = slice(first, first + BLOCK)

        def watch(now: Any, month: int, columns: slice = columns) -> None:
            if month:
                flow[month - 1, ..., columns] = now.flow[rows][..., :BLOCK]

        numbers = np.arange(first, first + BLOCK)
        run_block(prepared.packed, state, SEED, numbers, outputs, first, watch)
        months = state.fields.deliveries.rows[DELIVERY.delivered][..., :BLOCK]
        delivered.append(np.minimum(months, HORIZON + 1.0))
    return World(boxes, assets, flow, np.concatenate(delivered, axis=-1), outputs.fields)


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, World]:
    folder = tmp_path_factory.mktemp("memory")
    (folder / "tape").mkdir()
    for table, rows in TABLES.items():
        (folder / "tape" / f"{table}.csv").write_text(rows.lstrip(), encoding="utf-8")
    study_file = folder / "study.yaml"
    study_file.write_text(STUDY, encoding="utf-8")
    return {name: run_world(study_file, memory) for name, memory in MEMORY.items()}


def significance(differences: Array) -> float:
    """Return the mean of paired differences in units of its standard error."""
    error = differences.std(ddof=1) / np.sqrt(len(differences))
    return float(differences.mean() / error) if error > 0.0 else 0.0


def capex(world: World, box: str) -> Array:
    return world.line("capex", box).sum(axis=0)


def merchant_cash(world: World, first: int, last: int) -> Array:
    """Return what the pool earned after costs in months first..last."""
    earned = world.line("receipts", "POOL") - world.line("operating_costs", "POOL")
    return earned[first - 1 : last].sum(axis=0)


def arrived(box: str, *worlds: World) -> NDArray[np.bool_]:
    """Say which paths see the GPUs of a box arrive in all of these worlds."""
    return np.all([world.delivery(box) <= HORIZON for world in worlds], axis=0)


@pytest.mark.parametrize("memory", [name for name in MEMORY if name != "balanced"])
def test_the_worlds_differ_by_memory_alone(worlds: dict[str, World], memory: str) -> None:
    """SOFR and power never look at memory, so common draws make them equal bit for bit."""
    base, other = (worlds[name].outputs.market for name in ("balanced", memory))

    def same(series: str) -> bool:
        row = MARKET_SERIES.index(series)
        return np.array_equal(other[row], base[row])

    assert same("sofr")
    assert same("power_price")
    assert not same("memory_cost_factor")


@EITHER_WAY
def test_an_order_without_a_fixed_price_gets_dearer(
    worlds: dict[str, World], memory: str, sign: float
) -> None:
    base, other = worlds["balanced"], worlds[memory]
    both = arrived("ORDERED", base, other)
    assert both.mean() > 0.9
    moved = capex(other, "ORDERED") - capex(base, "ORDERED")
    assert sign * significance(moved[both]) > ENOUGH


@EITHER_WAY
def test_an_agreed_price_does_not_move(worlds: dict[str, World], memory: str, sign: float) -> None:
    base, other = worlds["balanced"], worlds[memory]
    both = arrived("AGREED", base, other)
    assert np.array_equal(capex(other, "AGREED")[both], capex(base, "AGREED")[both])


@EITHER_WAY
@pytest.mark.parametrize("box", ["ORDERED", "AGREED"])
def test_orders_arrive_later(worlds: dict[str, World], memory: str, sign: float, box: str) -> None:
    """A glut spares them the shortages that a balanced market may still turn into."""
    later = worlds[memory].delivery(box) - worlds["balanced"].delivery(box)
    assert sign * significance(later) > ENOUGH


@EITHER_WAY
def test_equity_of_an_undelivered_box_loses(
    worlds: dict[str, World], memory: str, sign: float
) -> None:
    """It pays the overrun and waits, and the gain of its tail does not make up for that."""
    base, other = worlds["balanced"], worlds[memory]
    gain = other.result("equity_pnl", "ORDERED") - base.result("equity_pnl", "ORDERED")
    assert -sign * significance(gain) > ENOUGH


def test_delay_alone_costs_equity(worlds: dict[str, World]) -> None:
    """AGREED does not pay more in a shortage, it only waits."""
    pnl = [worlds[name].result("equity_pnl", "AGREED") for name in ("balanced", "shortage")]
    assert significance(pnl[1] - pnl[0]) < -ENOUGH


@EITHER_WAY
@pytest.mark.parametrize(("first", "last"), [(1, 24), (25, HORIZON)])
def test_an_installed_pool_earns_more(
    worlds: dict[str, World], memory: str, sign: float, first: int, last: int
) -> None:
    base, other = worlds["balanced"], worlds[memory]
    gain = merchant_cash(other, first, last) - merchant_cash(base, first, last)
    assert sign * significance(gain) > ENOUGH


@EITHER_WAY
@pytest.mark.parametrize("box", ["POOL", "SOLD"])
def test_equity_of_an_installed_box_gains(
    worlds: dict[str, World], memory: str, sign: float, box: str
) -> None:
    base, other = worlds["balanced"], worlds[memory]
    gain = other.result("equity_pnl", box) - base.result("equity_pnl", box)
    assert sign * significance(gain) > ENOUGH


@EITHER_WAY
@pytest.mark.parametrize("box", ["POOL", "SOLD"])
@pytest.mark.parametrize("month", [6, 12, 24])
def test_installed_collateral_is_worth_more(
    worlds: dict[str, World], memory: str, sign: float, box: str, month: int
) -> None:
    base, other = (worlds[name].line("collateral", box)[month - 1] for name in ("balanced", memory))
    assert sign * significance(other - base) > ENOUGH


@EITHER_WAY
@pytest.mark.parametrize("box", ["POOL", "SOLD"])
@pytest.mark.parametrize("month", [6, 12])
def test_loan_to_value_of_an_installed_box_falls(
    worlds: dict[str, World], memory: str, sign: float, box: str, month: int
) -> None:
    """In logs, on the paths with debt and collateral in both worlds."""

    def log_ratio(world: World) -> Array:
        ratio = world.outputs.box_ltv[month - 1, world.boxes.index(box)].astype(float)
        return np.log(np.where(ratio > 0.0, ratio, np.nan))

    moved = log_ratio(worlds[memory]) - log_ratio(worlds["balanced"])
    known = np.isfinite(moved)
    assert known.mean() > 0.9
    assert -sign * significance(moved[known]) > ENOUGH


@pytest.mark.parametrize("memory", [name for name in MEMORY if name != "balanced"])
@pytest.mark.parametrize("line", ["receipts", "operating_costs", "debt", "distributed"])
def test_a_fixed_contract_does_not_move(worlds: dict[str, World], memory: str, line: str) -> None:
    """Bit for bit until its term ends: this customer cannot default or renegotiate."""
    base, other = (worlds[name].line(line, "SOLD") for name in ("balanced", memory))
    assert base[:TERM_LEFT].any()
    assert np.array_equal(other[:TERM_LEFT], base[:TERM_LEFT])


@EITHER_WAY
def test_the_tail_of_a_fixed_contract_earns_more(
    worlds: dict[str, World], memory: str, sign: float
) -> None:
    """Renewed at the market or let again once the term is over."""
    base, other = (worlds[name].line("receipts", "SOLD") for name in ("balanced", memory))
    assert sign * significance((other - base)[TERM_LEFT:].sum(axis=0)) > ENOUGH


def test_a_shortage_slows_supply_even_if_costs_do_not_pass_through(
    worlds: dict[str, World],
) -> None:
    """Then orders cost the same, and the pool gains by scarcity alone."""
    base, other = (worlds[f"{name}, no pass-through"] for name in ("balanced", "shortage"))
    both = arrived("ORDERED", base, other)
    assert np.array_equal(capex(other, "ORDERED")[both], capex(base, "ORDERED")[both])
    gain = merchant_cash(other, 1, HORIZON) - merchant_cash(base, 1, HORIZON)
    assert significance(gain) > ENOUGH


@EITHER_WAY
def test_a_deeper_cycle_does_more(worlds: dict[str, World], memory: str, sign: float) -> None:
    plain, deep = worlds[memory], worlds[f"deep {memory}"]
    both = arrived("ORDERED", plain, deep)
    dearer = capex(deep, "ORDERED") - capex(plain, "ORDERED")
    assert sign * significance(dearer[both]) > ENOUGH
    gain = merchant_cash(deep, 1, HORIZON) - merchant_cash(plain, 1, HORIZON)
    assert sign * significance(gain) > ENOUGH
    order = deep.result("equity_pnl", "ORDERED") - plain.result("equity_pnl", "ORDERED")
    assert -sign * significance(order) > ENOUGH
