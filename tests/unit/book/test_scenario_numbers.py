"""The tables of docs/scenarios.md against runs of their own."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest
import xarray as xr

from simulator.analytics.comparison import comparison_table
from simulator.analytics.frame import estimate_at
from simulator.scenarios import load_variants, run_variants

ROOT = Path(__file__).parents[3]
PATHS, SEED, ERRORS = 1_500, 2, 4.0
DRIVERS = ("demand-stress", "memory-low", "spreads-stress")  # some of many: each takes seconds
CELL = re.compile(r"(?P<value>[+-]?[\d,.]+) ± (?P<error>[\d,.]+)(?P<percent>%?)")


def load_script() -> ModuleType:
    path = ROOT / "configs" / "scenario_numbers.py"
    spec = importlib.util.spec_from_file_location("scenario_numbers", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SCRIPT = load_script()


def said(name: str) -> dict[str, list[str]]:
    """Return the cells of a table of the page, by scenario."""
    text = SCRIPT.PAGE.read_text(encoding="utf-8")
    part = text.partition(f"<!-- {name} -->")[2].partition("<!-- end -->")[0]
    rows = [line for line in part.splitlines() if line.startswith("| ")][1:]
    split = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return {first: rest for first, *rest in split}


@pytest.fixture(scope="module")
def found() -> xr.Dataset:
    """Run the packs, and some drivers, on few paths of another seed."""
    chosen = [one for one in SCRIPT.drivers() if one.name in DRIVERS]
    variants = [*SCRIPT.packs(), *chosen]
    studies = load_variants(SCRIPT.STUDY, variants)
    return comparison_table(run_variants(studies, paths=PATHS, seed=SEED, jobs=2))


@pytest.mark.parametrize("name", ["comparison", "drivers"])
def test_every_row_is_there(name: str) -> None:
    variants = SCRIPT.packs() if name == "comparison" else SCRIPT.drivers()
    assert list(said(name)) == [one.name for one in variants]


COLUMNS = ("expected_loss", "expected_loss_change")
"""Estimates of the first two columns: what few paths tell well."""


@pytest.mark.slow
def test_numbers_are_those_of_runs(found: xr.Dataset) -> None:
    rows = said("comparison") | {name: said("drivers")[name] for name in DRIVERS}
    checked = 0
    for name, cells in rows.items():
        for column, text in zip(COLUMNS, cells, strict=False):
            cell = CELL.fullmatch(text)
            if cell is None:
                continue
            value, error = (float(cell[part].replace(",", "")) for part in ("value", "error"))
            now = estimate_at(found, column, scenario=name)
            allowed = ERRORS * (error**2 + now.se**2) ** 0.5 + error  # and its rounding
            assert abs(now.value - value) < allowed, (name, column, text, now)
            checked += 1
    assert checked > 2 * len(rows) - 4
