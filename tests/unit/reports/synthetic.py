"""A made-up run with the shape of a real one: one factor, six facilities, closed-form market."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from simulator.dataset.build import LabelledArray, build, label_fans
from simulator.dataset.fans import Fan
from simulator.dataset.order_statistics import LEVELS
from simulator.dataset.plan import RunPlan
from simulator.dataset.store import RunStore
from simulator.dataset.variables import VARIABLES

FACILITIES = ("Alder DDTL", "Birch DDTL", "Cedar term", "Dogwood IG", "Elm vendor", "Fir notes")
BOXES = ("Box Alder", "Box Birch", "Box Cedar", "Box Dogwood", "Box Elm", "Box Fir")
TRANCHES = ("Alder A", "Alder B", "Birch A", "Cedar A", "Dogwood A", "Elm A", "Fir A")
TRANCHE_FACILITY = (*FACILITIES[:1] * 2, *FACILITIES[1:])
TRANCHE_SHARE = (1.0, 1.0, 1.0, 0.5, 0.25, 1.0, 0.0)
SPONSORS = ("Northwind Compute", "Southgate Cloud")
COUNTERPARTIES = ("Hyperscaler One", "Lab Two", "Lab Three", "Startups pool")
GENERATIONS = ("H100", "B200", "GB300")
PD = np.array([0.05, 0.08, 0.12, 0.01, 0.20, 0.15])
LGD = np.array([0.30, 0.35, 0.45, 0.20, 0.50, 0.85])
LENT = np.array([1500.0, 800.0, 400.0, 2600.0, 150.0, 500.0])

Array = NDArray[Any]


def study(title: str = "Reference book") -> dict[str, Any]:
    """What a resolved study may look like: values, rules, sources and marks."""
    keys = ("table", "row", "field", "value", "rule", "assumed")
    cells = [
        ("boxes", "Box Alder", "operations_share", 0.03, "gpu.om of the parameters", False),
        ("boxes", "Box Cedar", "commission_months", 2, "no public number", True),
        ("debt", "Birch A", "reserve_months", 3, "as in its sister loan", True),
    ]
    parameters = {"dem.sigma": 0.35, "gpu.beta_tight": 0.9, "gpu.delta": -0.1}
    filing = "credit agreement, https://example.org/filing"
    return {
        "schema": "neobox.resolved/1",
        "study": {
            "name": title,
            "horizon_months": 84,
            "sites": {"plano": {"jurisdiction": "US", "source": "https://example.org/site"}},
            "sponsors": {"Northwind Compute": {"cash_usd_m": 400.0, "source": ""}},
        },
        "tape": {
            "debt": [
                {"tranche": "Alder A", "facility": "Alder DDTL", "source": filing},
                {"tranche": "Alder B", "facility": "Alder DDTL", "source": filing},
            ],
        },
        "inputs": {
            "parameters": parameters,
            "expected": {"parameters": {**parameters, "gpu.delta": -0.12}},
            "switches": {"policy": True, "easing": False},
        },
        "derived": [dict(zip(keys, cell, strict=True)) for cell in cells],
    }


def plan(paths: int, title: str, horizon: int = 84) -> RunPlan:
    """Plan of the made-up run."""
    return RunPlan(
        paths=paths,
        chunk=paths,
        seed=7,
        horizon=horizon,
        start="2026-10",
        digest="5f" * 32,
        ids={
            "facility": FACILITIES,
            "tranche": TRANCHES,
            "box": BOXES,
            "sponsor": SPONSORS,
            "counterparty": COUNTERPARTIES,
            "generation": GENERATIONS,
        },
        labels={
            "tranche_facility": ("tranche", TRANCHE_FACILITY),
            "tranche_lender_share": ("tranche", TRANCHE_SHARE),
            "box_sponsor": ("box", tuple(SPONSORS[i % 2] for i in range(6))),
        },
        versions={"simulator": "0.1.0", "numpy": "2", "numba": "0", "python": "3", "sources": "ab"},
        title=title,
    )


def scalars(paths: int, rng: np.random.Generator, horizon: int) -> dict[str, Array]:
    """Losses of a one-factor book, and what goes with them."""
    n = len(FACILITIES)
    factor = rng.standard_normal(paths)
    latent = 0.6 * factor[:, None] + 0.8 * rng.standard_normal((paths, n))
    defaulted = latent < ndtri(PD)
    month = np.where(defaulted, 1 + np.floor(ndtr(latent) / PD * (horizon - 1)), 0)
    ead = np.where(defaulted, LENT * rng.uniform(0.5, 0.95, (paths, n)), 0.0)
    severity = np.clip(LGD * (1 - 0.4 * factor[:, None]), 0.0, 1.0)
    severity = np.where(rng.random((paths, n)) < 0.2, 0.0, severity)
    lost = ead * severity
    loss = 0.8 * lost
    cause = np.where(defaulted, 1 + rng.choice(8, p=CAUSE_MIX, size=(paths, n)), 0)
    trigger = np.where(defaulted, rng.choice([2, 2, 2, 3, 4, 5, 6, 7], size=(paths, n)), 0)
    parts = np.array([0.7, 0.3, 1, 1, 1, 1, 1])
    tranche_loss = np.repeat(loss, [2, 1, 1, 1, 1, 1], axis=1) * parts
    paid = LENT * 0.25
    moic = np.where(defaulted, rng.uniform(0, 0.4, (paths, n)), 1.0) * np.exp(0.5 + 0.35 * latent)
    moic[:, 3] = np.where(rng.random(paths) < 0.02, np.nan, moic[:, 3])
    back = np.nan_to_num(moic)
    state = np.where(back < 0.05, 1, np.where(rng.random((paths, n)) < 0.01, 2, 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        irr = np.where(state == 0, back ** (1 / 4) - 1, np.nan)
    lent_pv = np.repeat(LENT, [2, 1, 1, 1, 1, 1]) * parts
    pnl = paid * (back * 0.62 - 1)
    failed = rng.random((paths, 2)) < ndtr(-2 - 0.7 * factor)[:, None]
    names = rng.random((paths, 4)) < ndtr(
        np.array([-3.2, -1.6, -1.8, -1.0]) - 0.6 * factor[:, None]
    )
    when = np.ceil(rng.random((paths, 4)) * horizon)
    kept = np.where(rng.random((paths, 2)) < 0.3, rng.uniform(0.6, 1, (paths, 2)), 1.0)
    return {
        "lender_loss": loss,
        "lender_principal_loss": lost,
        "lender_loss_share": loss / LENT,
        "exposure_at_default": ead,
        "recovered_after_default": ead - lost,
        "facility_default_month": month,
        "facility_default_cause": cause,
        "facility_default_trigger": trigger,
        "facility_censored": (rng.random((paths, n)) < 0.05) & ~defaulted,
        "tranche_loss": tranche_loss,
        "tranche_drawn_pv": np.broadcast_to(lent_pv, (paths, len(TRANCHES))),
        "book_lender_loss": tranche_loss @ np.array(TRANCHE_SHARE),
        "equity_pnl": pnl,
        "equity_contributions": np.broadcast_to(paid, (paths, n)),
        "equity_moic": moic,
        "equity_irr": irr,
        "equity_irr_state": state,
        "equity_wiped_out": back < 0.05,
        "equity_loss_share": -pnl / paid,
        "box_terminal_value": np.zeros((paths, n)),
        "box_first_breach_month": month,
        "box_waivers": np.zeros((paths, n)),
        "sponsor_equity_pnl": 300 * np.where(failed, -1.0, np.exp(0.4 * factor[:, None]) - 0.9),
        "sponsor_equity_loss_share": np.where(failed, 1.0, 0.9 - np.exp(0.4 * factor[:, None])),
        "sponsor_default_month": np.where(failed, 40, 0),
        "sponsor_retained_share": np.where(failed, 0.7, kept),
        "sponsor_raised": 100 * (1 - kept),
        "counterparty_default_month": np.where(names, when, 0),
    }


CAUSE_MIX = (0.35, 0.1, 0.02, 0.05, 0.2, 0.05, 0.15, 0.08)

CENTRES = {
    "tightness": (0.0, 0.15),
    "price_deviation": (0.0, 0.3),
    "utilisation": (0.75, 0.04),
    "demand_index": (2.0, 0.4),
    "capacity_index": (2.0, 0.4),
    "memory_cost_factor": (1.1, 0.1),
    "high_yield_spread": (340.0, 90.0),
    "sofr": (0.036, 0.008),
    "power_price": (62.0, 9.0),
    "efficiency_offset": (0.0, 0.1),
    "custom_silicon_share": (0.3, 0.03),
    "captive_release": (0.05, 0.02),
    "credit_market_shut": (0.1, 0.2),
    "resale_factor": (0.8, 0.2),
    "outstanding_debt": (3200.0, 150.0),
    "cumulative_lender_loss": (60.0, 60.0),
    "cumulative_recoveries": (120.0, 60.0),
    "cumulative_distributions": (900.0, 200.0),
    "book_dscr": (1.6, 0.25),
    "boxes_in_default": (1.0, 1.2),
    "box_dscr": (1.5, 0.3),
    "box_ltv": (0.7, 0.2),
    "sponsor_cash": (400.0, 120.0),
    "sponsor_principal_due": (10.0, 20.0),
    "sponsor_short_of_cash": (0.1, 0.2),
}


def fans(run: RunPlan) -> list[LabelledArray]:
    """Normal fans around smooth centres."""
    scores = ndtri(np.array(LEVELS))[:, None]
    t = np.arange(1, run.horizon + 1) / run.horizon
    made = []
    for variable in run.series:
        entities = max(1, int(np.prod(run.entities(variable), dtype=int)))
        if variable.name.startswith("rental_price"):
            start = np.array([2.3, 3.6, 5.2])[:entities]
            line = start * np.exp(-1.6 * t[:, None]) * (1.2 if "spot" in variable.name else 1)
            spread = 0.5 * np.sqrt(t)[:, None]
            block = line[None] * np.exp(scores[..., None] * spread)
        else:
            centre, width = CENTRES[variable.name]
            run_off = 1 - t if variable.name == "outstanding_debt" else np.ones_like(t)
            run_up = t if variable.name.startswith("cumulative") else np.ones_like(t)
            band = centre * run_off * run_up + scores * width * np.sqrt(t) * run_off
            floor = -1.0 if variable.name in ("tightness", "price_deviation") else 0.0
            block = np.repeat(np.maximum(band, floor)[..., None], entities, axis=2)
        block = block.reshape(len(LEVELS), -1)
        made.append(
            (
                variable,
                Fan(
                    block,
                    np.abs(block) * 0.01,
                    block.mean(0),
                    np.abs(block.mean(0)) * 0.01,
                    np.full(block.shape[1], run.paths),
                ),
            )
        )
    return list(label_fans(run, made))


def synthetic_run(
    paths: int = 4000, title: str = "Reference book", horizon: int = 84
) -> xr.Dataset:
    """A run as analytics and reports take it."""
    run = plan(paths, title, horizon)
    rng = np.random.default_rng(20261122)
    arrays = []
    for name, data in scalars(paths, rng, horizon).items():
        variable = VARIABLES[name]
        arrays.append(
            LabelledArray(
                name, variable.dims, np.asarray(data).astype(variable.dtype), variable.attributes
            )
        )
    return build(run, [*arrays, *fans(run)], study(title))


def series(run: RunPlan, rng: np.random.Generator) -> dict[str, Array]:
    """Paths of every series, as the engine hands them over: month, entity, path."""
    t = np.arange(1, run.horizon + 1) / run.horizon
    made = {}
    for variable in run.series:
        shape = (run.horizon, *run.entities(variable), run.paths)
        centre, width = CENTRES.get(variable.name, (2.0, 0.5))
        noise = (
            width * np.sqrt(t).reshape(-1, *(1,) * (len(shape) - 1)) * rng.standard_normal(shape)
        )
        made[variable.name] = (centre + noise).astype(np.float32)
    return made


def write_run(directory: Path, paths: int = 400, title: str = "Reference book") -> Path:
    """A complete run on disk."""
    run = plan(paths, title)
    rng = np.random.default_rng(20261122)
    values = {
        name: np.asarray(data).astype(VARIABLES[name].dtype)
        for name, data in scalars(paths, rng, run.horizon).items()
    }
    with RunStore.create(directory, run, resolved=study(title)) as store:
        store.write_chunk(0, values, series(run, rng))
        store.finalise(threads=1)
    return directory


def with_uncertainty(run: xr.Dataset, paths_per_draw: int = 8) -> xr.Dataset:
    """The run as if two parameters were uncertain, the first of which scales lenders' losses."""
    paths = run.sizes["path"]
    draw = np.arange(paths) // paths_per_draw
    drawn = np.random.default_rng(11).standard_normal((int(draw[-1]) + 1, 2))[draw]
    scale = xr.DataArray(np.exp(0.4 * drawn[:, 0]), dims="path")
    losses = ("lender_loss", "lender_loss_share", "tranche_loss", "book_lender_loss")
    return (
        run.assign(
            {name: (run[name] * scale).transpose(*run[name].dims) for name in losses}
            | {"parameter_value": (("path", "parameter"), drawn * [0.1, 0.05] + [0.35, -0.1])}
        )
        .assign_coords(parameter=["dem.sigma", "gpu.delta"])
        .assign_attrs(paths_per_draw=paths_per_draw)
    )
