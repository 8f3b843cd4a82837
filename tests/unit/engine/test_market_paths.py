"""The market without deals: the same numbers as a run's, whatever the blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

import simulator
from simulator.api import simulate
from simulator.config.study import Study
from simulator.dataset.dims import HALL
from simulator.engine.market_alone import reference_path
from simulator.engine.market_paths import market_paths
from simulator.engine.market_variables import MARKET_VARIABLES

pytestmark = pytest.mark.nojit

PATHS, SEED = 10, 4


@pytest.fixture(scope="module")
def market(study: Study) -> xr.Dataset:
    return simulator.simulate_market(study, PATHS, SEED)


def test_no_number_depends_on_the_block(study: Study, market: xr.Dataset) -> None:
    cut = market_paths(study.inputs, paths=PATHS, seed=SEED, block=3)
    whole = market_paths(study.inputs, paths=PATHS, seed=SEED, block=PATHS)
    assert set(cut) == set(whole) == set(market.data_vars)
    for name, array in cut.items():
        assert array.tobytes() == whole[name].tobytes(), name
        given = market[name].transpose(
            *("generation", "jurisdiction", "path", "month"), missing_dims="ignore"
        )
        assert given.values.tobytes() == array.tobytes(), name


def test_shapes(study: Study) -> None:
    found = market_paths(study.inputs, paths=2, seed=SEED)
    book, months = study.inputs.book, study.inputs.horizon + 1
    assert found["tightness"].shape == (2, months)
    assert found["rental_price_spot"].shape == (len(book.generations), 2, months)
    assert found["tariff_factor"].shape == (len(book.jurisdictions), 2, months)


def test_it_is_the_market_of_a_run(study: Study, market: xr.Dataset) -> None:
    run = simulate(study, paths=PATHS, seed=SEED, keep_paths=True)
    shared = [name for name in market.data_vars if name in run and name != "resale_factor"]
    assert len(shared) > 12
    alone = market.isel(month=slice(1, None))
    for name in shared:
        dims = run[name].dims
        np.testing.assert_allclose(
            alone[name].transpose(*dims).values,
            run[name].values,
            rtol=2e-7,
            atol=1e-12,
            err_msg=name,
        )
    resale = alone.resale_factor.transpose(*run.resale_factor.dims).values
    np.testing.assert_array_less(run.resale_factor.values, resale * (1.0 + 1e-6))
    assert (run.resale_factor.values < 0.999 * resale).any(), "choose a seed with a sale"


def test_t0_is_what_the_study_says(study: Study, market: xr.Dataset) -> None:
    start = market.isel(month=0)
    p = study.inputs.parameters
    for generation in study.inputs.book.generations:
        at = start.sel(generation=generation.name)
        np.testing.assert_allclose(at.rental_price_contract, generation.contract_price, rtol=1e-6)
        np.testing.assert_allclose(at.rental_price_spot, generation.spot_price, rtol=1e-6)
    for name, value in {
        "demand_index": 1.0,
        "capacity_index": 1.0,
        "tightness": p["sup.x0"],
        "custom_silicon_share": p["sup.asic_share.2026"],
        "utilisation": p["gpu.util"],
        "memory_regime": p["mem.start"],
        "memory_cost_factor": 1.0,
        "power_price": p["pow.p0"],
        "sofr": p["ir.r0"],
        "high_yield_spread": p["cs.hy0"],
        "tariff_factor": 1.0,
        "resale_factor": 1.0,
        "pipeline": 0.0,
    }.items():
        np.testing.assert_allclose(start[name], value, rtol=1e-6, err_msg=name)
    assert str(start.date.values)[:7] == study.resolved["study"]["start"]


def test_equations_hold_on_every_path(study: Study) -> None:
    """Tightness and rents from their parts (model §5, §7, §8): a wrong row would not add up."""
    quiet = dict.fromkeys(("integration", "price_noise"), False)
    inputs = replace(study.inputs, switches={**study.inputs.switches, **quiet})
    found = market_paths(inputs, paths=PATHS, seed=SEED)
    p, month = inputs.parameters, np.arange(inputs.horizon + 1)
    share = found["custom_silicon_share"].astype(np.float64)
    addressable = (
        np.log(found["demand_index"])
        + found["efficiency_offset"]
        + np.log((1.0 - share) / (1.0 - p["sup.asic_share.2026"]))
    )
    tightness = (
        p["sup.x0"] + addressable - np.log(found["capacity_index"]) - found["captive_release"]
    )
    np.testing.assert_allclose(found["tightness"], tightness, atol=2e-5)
    names = [one.name for one in inputs.book.generations]
    h100 = names.index("H100")
    trend = p["gpu.delta"] * month / 12.0 - found["release_steps"] + found["price_deviation"]
    contract = inputs.book.generations[h100].contract_price * np.exp(trend)
    np.testing.assert_allclose(found["rental_price_contract"][h100], contract, rtol=1e-4)
    stress_free = found["reference_price_deviation"]
    np.testing.assert_allclose(
        stress_free,
        reference_path(inputs.expected, inputs.horizon).price_deviation.astype(np.float32),
    )


def test_every_variable_has_units_and_a_name(market: xr.Dataset) -> None:
    for name, variable in market.data_vars.items():
        assert variable.attrs["units"], name
        assert len(variable.attrs["long_name"]) > 3, name
    names = {one.variable.name for one in MARKET_VARIABLES if HALL not in one.variable.dims}
    assert names < set(market.data_vars), "the study holds no halls"


def test_a_site_is_late_as_often_as_said(study: Study) -> None:
    found = market_paths(study.inputs, paths=600, seed=SEED)["site_late"]
    p = study.inputs.parameters
    late = found[:, 0].mean()
    assert abs(late - p["del.p"]) < 4.0 * np.sqrt(p["del.p"] * (1.0 - p["del.p"]) / 600)
    assert (np.diff(found, axis=1) <= 0.0).all(), "a site that has power keeps it"


def test_overrides_need_a_file_and_paths_a_number(study: Study, study_file: object) -> None:
    with pytest.raises(ValueError, match="loaded study"):
        simulator.simulate_market(study, 2, overrides={"dem.sigma": 0.3})
    with pytest.raises(ValueError, match="paths"):
        simulator.simulate_market(study, 0)
    with pytest.raises(ValueError, match="seed"):
        simulator.simulate_market(study, 1, seed=-1)
    calm = simulator.simulate_market(
        str(study_file), 3, overrides={"horizon_months": 12, "drivers.rates": False}
    )
    assert (calm.sofr.std("path") == 0.0).all()
