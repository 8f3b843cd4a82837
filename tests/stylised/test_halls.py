"""What sets halls apart from GPUs, and sites that have power from sites that hope for it.

Paired runs of the invented study of `configs/halls.yaml`: the same paths and draws, one thing
changed.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray

import simulator
from simulator.box.deliveries import DELIVERY
from simulator.box.flows import LINES
from simulator.box.sites import SITE
from simulator.config.parameters import parameter_table
from simulator.credit.leases import NEVER
from simulator.engine.base_case import prepare_base_case
from simulator.engine.block import run_block
from simulator.engine.paths import TracedPath, trace_path
from simulator.engine.prepare import prepare

STUDY = Path(__file__).resolve().parents[2] / "configs" / "halls.yaml"
PATHS, BLOCK, SEED = 1_000, 125, 5
HALL, GPU = "Turnkey", "H100"
CALM = {
    f"drivers.{name}": False
    for name in ("demand", "efficiency", "silicon", "captive", "memory", "supply", "generations")
}
"""A market in which nothing but the noise of prices moves."""

Array = NDArray[np.float64]


def base(name: str) -> float:
    return parameter_table()[name].base


@lru_cache(maxsize=8)
def _market(changes: tuple[tuple[str, Any], ...], paths: int) -> xr.Dataset:
    return simulator.simulate_market(STUDY, paths, SEED, dict(changes))


def market(changes: dict[str, Any] | None = None, paths: int = PATHS) -> xr.Dataset:
    return _market(tuple(sorted((changes or {}).items())), paths)


def logs(found: xr.Dataset, name: str, **entity: str) -> Array:
    return np.log(found[name].sel(entity).values.astype(np.float64))


def deviation(found: xr.Dataset) -> Array:
    """Return q, (path, month)."""
    return found.price_deviation.values.astype(np.float64)


def test_new_generations_take_nothing_from_rents_of_halls() -> None:
    """Supply follows its plan, so that retired GPUs do not tighten the market."""
    quiet, busy = (
        market({"parameters.values.gpu.gen_step": step, "drivers.supply": False})
        for step in (0.0, 0.2)
    )
    assert np.array_equal(quiet.hall_rent, busy.hall_rent)
    fall = logs(busy, "rental_price_contract", generation=GPU) - logs(
        quiet, "rental_price_contract", generation=GPU
    )
    assert np.mean(fall[:, 72]) < -0.5


def test_rents_of_halls_follow_tightness_by_their_share() -> None:
    """More air pockets on the same paths: the hall loses its share of what a GPU loses."""
    calm, rough = (market({"parameters.values.dem.ap_lambda": rate}) for rate in (0.0, 1.0))
    gpu = deviation(rough) - deviation(calm)
    rent = logs(rough, "hall_rent", hall=HALL) - logs(calm, "hall_rent", hall=HALL)
    assert np.mean(gpu[:, 36]) < -0.2
    assert rent == pytest.approx(base("hall.beta") * gpu, abs=2e-5)


def test_the_noise_of_a_rent_does_not_revert() -> None:
    """Its variance grows with time, and its mean log is its trend."""
    found = market(CALM, paths=4_000)
    path = logs(found, "hall_rent", hall=HALL) - np.log(base("pow.colo"))
    trend = base("hall.growth") * np.arange(73) / 12
    noise = path - trend - base("hall.beta") * deviation(found)
    for month in (12, 36, 72):
        sd = base("hall.sd") * np.sqrt(month / 12)
        assert np.std(noise[:, month]) == pytest.approx(sd, rel=4 / np.sqrt(2 * 4_000))
        assert abs(np.mean(noise[:, month])) < 4 * sd / np.sqrt(4_000)
    steps = np.diff(noise, axis=1)
    assert abs(np.corrcoef(steps[:, :36].ravel(), steps[:, 1:37].ravel())[0, 1]) < 0.02
    other = logs(found, "hall_rent", hall="Powered shell")
    assert abs(np.corrcoef(other[:, 72], path[:, 72])[0, 1]) < 0.08, "each kind has its own noise"


def test_value_of_a_hall_follows_its_rent_one_to_one() -> None:
    found = market()
    rent = logs(found, "hall_rent", hall=HALL)
    value = logs(found, "hall_value_factor", hall=HALL)
    expected = (
        base("hall.growth") * np.arange(73) / 12
        + base("hall.beta") * found.reference_price_deviation.values
    )
    assert value == pytest.approx(rent - np.log(base("pow.colo")) - expected, abs=2e-5)


@pytest.fixture(scope="module")
def base_case() -> TracedPath:
    return trace_path(prepare_base_case(simulator.load_study(STUDY).inputs), 0, 0)


def line(path: TracedPath, name: str, box: str) -> Array:
    return path.trace.flow[:, LINES.index(name), path.prepared.layout.boxes.index(box)]


def test_collateral_of_a_hall_wears_out_over_its_life(base_case: TracedPath) -> None:
    """40 MW accepted in March 2026, eight months before t0: 480 m less a thirtieth a year."""
    ages = (8 + np.arange(1, 61)) / 12
    straight = 480 * np.where(
        ages <= 6, 1 - ages / 30, (1 - 6 / 30) * (1 - 1 / 30) ** np.maximum(0, ages - 6)
    )
    assert line(base_case, "collateral", "TURNKEY")[:60] == pytest.approx(straight, rel=1e-9)
    assert line(base_case, "collateral", "HOME")[35] < 0.1 * 216, "an accelerator ages faster"


def test_the_tenant_of_a_hall_pays_its_power(base_case: TracedPath) -> None:
    """Of TURNKEY a tenth is not let: it costs operations, not power."""
    assert line(base_case, "power_cost", "TURNKEY") == pytest.approx(0.0)
    operations = base("hall.om") * 48 / 12
    assert line(base_case, "operating_costs", "TURNKEY") == pytest.approx(operations)


@pytest.mark.parametrize("operations", ["1%", "7%"])
def test_income_of_a_hall_counts_its_profitable_months_alone(operations: str) -> None:
    """A shell that bears its costs: worth the months of twenty years in which rent exceeds them."""
    changes = {
        "boxes.TURNKEY.operations_share": operations,
        "parameters.values.gpu.util_slope": 0,
        "generations.Turnkey.rent_usd_per_kw_month": 60,
        "contracts.LAB-TURNKEY.rent_usd_per_kw_month": 60,
    }
    study = simulator.load_study(STUDY, changes)
    path = trace_path(prepare_base_case(study.inputs), 0, 0)
    q = market().reference_price_deviation.values.astype(float)[1]
    rent = 60 * np.exp(base("hall.growth") / 12 + base("hall.beta") * q)
    share = float(operations.rstrip("%")) / 100
    months = np.arange(1, 241)
    income = rent * base("hall.occupancy") * np.exp(base("hall.growth") * months / 12)
    margin = np.maximum(0.0, income - share * 12_000 / 12)
    worth = np.sum(margin * (1 + base("hall.yield")) ** (-months / 12)) * 40_000 / 1e6
    assert 0.0 < worth < 450
    if share > 0.05:
        assert margin[0] == 0.0, "the rent must rise before anything is earned"
    assert line(path, "collateral", "TURNKEY")[0] == pytest.approx(worth, rel=1e-6)


def test_an_own_accelerator_is_priced_by_its_block() -> None:
    """Its price in the base case: own trend, all of the market, all of the releases."""
    found = market()
    q = deviation(found)
    steps = found.release_steps.values.astype(float)
    own = logs(found, "rental_price_contract", generation="Home-grown")
    gpu = logs(found, "rental_price_contract", generation=GPU)
    years = np.arange(73) / 12
    x = own - np.log(1.5) + 0.2 * years + steps - q
    y = gpu - np.log(base("gpu.p0_contract.H100")) - base("gpu.delta") * years + steps - q
    rho = np.corrcoef(x[:, 36], y[:, 36])[0, 1]
    assert rho == pytest.approx(base("gpu.rho_gen"), abs=0.06), "what is left is noise like a GPU's"
    assert abs(np.mean(x[:, 36])) < 4 * np.std(x[:, 36]) / np.sqrt(PATHS)


class Sites:
    """Sites and deliveries of the study with SHELL-2's power at some stage."""

    def __init__(self, changes: dict[str, Any]) -> None:
        quiet = {"drivers.compensator": False, "drivers.policy": False, "horizon_months": 48}
        inputs = simulator.load_study(STUDY, quiet | changes).inputs
        prepared = prepare(inputs)
        state, outputs = prepared.state(BLOCK), prepared.outputs(BLOCK)
        self.layout = prepared.layout
        sites, deliveries = [], []
        for first in range(0, PATHS, BLOCK):
            numbers = np.arange(first, first + BLOCK)
            run_block(prepared.packed, state, SEED, numbers, outputs, 0, lambda *_: None)
            sites.append(state.fields.sites.rows[..., :BLOCK].copy())
            deliveries.append(state.fields.deliveries.rows[..., :BLOCK].copy())
        self.deliveries = np.concatenate(deliveries, axis=-1)
        self.rows = np.concatenate(sites, axis=-1)[:, self.layout.sites.index("far-field")]

    def delivered(self, asset: str) -> Array:
        return self._of(DELIVERY.delivered, asset)

    def due(self, asset: str) -> Array:
        return self._of(DELIVERY.due, asset)

    def _of(self, row: int, asset: str) -> Array:
        column = [one.id for one in self.layout.assets].index(asset)
        return np.array(self.deliveries[row, column])


def test_power_applied_for_comes_later_and_is_lost_more_often() -> None:
    """Path by path: no site is earlier or saved, and the probabilities are those stated."""
    hoped, sure = (Sites({"sites.far-field.power": p}) for p in ("applied_for", "contracted"))
    assert np.all(hoped.rows[SITE.delay] >= sure.rows[SITE.delay])
    assert np.all(hoped.rows[SITE.killed] >= sure.rows[SITE.killed])
    late = [float(np.mean(one.rows[SITE.delay] > 0.0)) for one in (sure, hoped)]
    small = base("hold.scale_p.small")
    expected = [base("del.p") * small, min(1.0, base("del.p") * small * base("del.applied_p"))]
    assert late == pytest.approx(expected, abs=4 * 0.5 / np.sqrt(PATHS))
    both = sure.rows[SITE.delay] > 0.0
    longer = hoped.rows[SITE.delay][both] / sure.rows[SITE.delay][both]
    assert longer == pytest.approx(base("del.applied_size"))
    killed = np.mean(hoped.rows[SITE.killed][hoped.rows[SITE.delay] > 0.0])
    wanted = base("del.kill") * base("del.applied_kill") * small
    assert killed == pytest.approx(wanted, abs=4 * np.sqrt(wanted / (PATHS * late[1])))
    came = (hoped.delivered("SHELL-2") < NEVER) & (sure.delivered("SHELL-2") < NEVER)
    gap = hoped.delivered("SHELL-2")[came] - sure.delivered("SHELL-2")[came]
    assert np.min(gap) >= 0.0
    assert np.mean(gap) > 1.0
    assert np.array_equal(hoped.delivered("SHELL-1"), sure.delivered("SHELL-1"))


def test_a_memory_shortage_delays_servers_not_halls() -> None:
    """HOME-1 is moved to after t0: its due month slips, that of SHELL-1 does not."""
    later = {"assets.HOME-1.accepted": None, "assets.HOME-1.planned_delivery": "2027-06"}
    short, calm = (Sites({**later, "parameters.values.mem.start": start}) for start in (1, 0))
    assert np.mean(short.due("HOME-1") > calm.due("HOME-1")) > 0.5
    assert np.array_equal(short.due("SHELL-1"), calm.due("SHELL-1"))
