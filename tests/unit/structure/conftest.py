"""A small study with notes over its loans, an insurance and floors; run uncompiled or compiled."""

from __future__ import annotations

from typing import Any

import pytest
import xarray as xr

from simulator.api import simulate
from simulator.config.study import Study, load_book
from simulator.config.template import write_template
from simulator.engine.prepare import Prepared, prepare

PATHS = 12

CHANGES: dict[str, Any] = {
    "horizon_months": 30,
    "drivers.compensator": False,
    "contracts.LAB-1.price_usd_per_gpu_hour": 1.5,  # too little to serve the debt: it defaults
    "debt.TERM-B.lender_share": 0.5,
    "structures": {
        "LOANS": {
            "members": {"TERM-A": 0.5, "TERM-B": 1.0},
            "notes": {
                "senior": {"size": 0.7, "coupon": 0.05},
                "middle": {"size": 0.15, "coupon": 0.08},
                "junior": {"size": 0.1, "coupon": 0.12},
            },
            "fee": 0.002,
            "sequential": False,
            "trigger_loss": 0.02,
        },
        "MIXED": {
            "members": {"NOTES-2031": 0.2, "TERM-B": 0.5},
            "notes": {"only": {"size": 1.0, "coupon": 0.06}},
        },
    },
    "overlays": {
        "BOOK": {"attachment_usd_m": 20, "limit_usd_m": 200, "share": 0.8, "premium": 0.01},
        "FLOOR": {
            "box": "BOX-B",
            "limit_usd_m": 400,
            "share": 0.9,
            "premium": 0.005,
            "floor_share": 0.6,
            "floor_months": 60,
        },
        "LOAN": {"facility": "TERM-B", "limit_usd_m": 50, "premium": 0.02},
    },
}


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    return load_book(write_template(tmp_path_factory.mktemp("study"))[0], CHANGES)


@pytest.fixture(scope="session")
def prepared(study: Study) -> Prepared:
    return prepare(study.inputs)


@pytest.fixture(scope="session")
def run(study: Study) -> xr.Dataset:
    return simulate(study, paths=PATHS, block=5)
