"""One swept loan against one contract, nothing random: what it can carry is arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.config.drivers import Drivers
from tests.unit.config.conftest import Draft

PRICE, GPUS, TERM, COUPON, COST = 2.0, 10_000, 24, 0.12, 400.0


def rows(**box: Any) -> dict[str, list[dict[str, Any]]]:
    """Return the tape: debt swept from a triple-net contract of its own term, no tests."""
    return {
        "boxes": [
            {
                "box": "BOX",
                "sponsor": "Owner",
                "generation": "Own",
                "triple_net": True,
                "reserve_months": 0,
                "sweep_share": 1,
                "market_factor": 0,
                "lockup_dscr": 0,
                "default_dscr": 0,
                "cures": 0,
                **box,
            }
        ],
        "debt": [
            {
                "tranche": f"LOAN-{name}",
                "facility": "LOAN",
                "box": "BOX",
                "commitment_usd_m": amount,
                "close": "2026-11",
                "maturity": "2028-11",
                "fixed_rate": COUPON,
                "advance": 0.5,
                "amortisation": "bullet",
            }
            for name, amount in (("A", 120), ("B", 80))
        ],
        "contracts": [
            {
                "contract": "LEASE",
                "box": "BOX",
                "offtaker": "Payer",
                "price_usd_per_gpu_hour": PRICE,
                "term_months": TERM,
                "moneyness0": 0,
            }
        ],
        "assets": [
            {
                "asset": "A",
                "box": "BOX",
                "contract": "LEASE",
                "gpus": GPUS,
                "cost_usd_m": COST,
                "accepted": "2026-11",
            }
        ],
    }


@pytest.fixture
def calm(tmp_path: Path) -> Draft:
    """Return the study, every driver off; GPUs that are worth next to nothing without the lease."""
    draft = Draft(tmp_path / "calm")
    draft.tape = rows()
    draft.study |= {
        "horizon_months": 30,
        "drivers": dict.fromkeys(Drivers.model_fields, False) | {"collateral": True},
        "sites": {"BOX": {"jurisdiction": "US"}},
        "counterparties": {"Payer": {"kind": "corporate", "rating": "A2"}},
        "sponsors": {"Owner": {"cash_usd_m": 0, "market_value_usd_m": 0}},
        "generations": {
            "Own": {
                "contract_price_usd_per_gpu_hour": 0.05,
                "spot_price_usd_per_gpu_hour": 0.05,
                "kw": 1,
                "capex_usd": 100,
                "hardware_share": 1,
                "installed_base_m": 0.01,
                "base_grows": False,
            }
        },
    }
    return draft
