"""What docs/book.md says of runs: its table against a run, its words against run and base case."""

from __future__ import annotations

import importlib.util
import math
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest
import xarray as xr

import simulator
from simulator.analytics.rating import fitted_scale
from simulator.box.flows import LINES
from simulator.engine.base_case import prepare_base_case
from simulator.engine.paths import TracedPath, trace_path
from simulator.sponsor.terms import SPONSOR

ROOT = Path(__file__).parents[3]
STUDY = ROOT / "configs" / "neocloud-2026.yaml"
PATHS, SEED, JOBS = 20_000, 2, 2
ERRORS = 4.0
OTHERS = 2  # facilities that default far more often than the rest: DDTL 5.0 and 5.5
CELL = re.compile(r"(?P<below>< )?(?P<value>-?[\d.]+)(?: ± (?P<error>[\d.]+))?%")


class Said(NamedTuple):
    """A row of the table, fractions; `below` where the value is only a bound."""

    default: tuple[float, float]
    below: bool
    loss: tuple[float, float] | None
    rating: str


def pair(cell: str) -> tuple[float, float] | None:
    """Return value and error of a cell, None where it holds neither."""
    found = CELL.fullmatch(cell)
    if found is None:
        assert cell in ("", "n/a"), cell
        return None
    return float(found["value"]) / 100, float(found["error"] or 0) / 100


def table() -> dict[str, Said]:
    """Return the table of the document by name."""
    text = (ROOT / "docs" / "book.md").read_text(encoding="utf-8")
    part = text.partition("## What a run says")[2].partition("\n## ")[0]
    rows = [line for line in part.splitlines() if line.startswith("| ")][1:]
    result = {}
    for row in rows:
        name, default, loss, rating = (cell.strip() for cell in row.strip("|").split("|"))
        chance = pair(default)
        assert chance is not None, row
        result[name] = Said(chance, default.startswith("<"), pair(loss), rating)
    return result


SAID = table()


def load_script() -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        "book_numbers", ROOT / "configs" / "book_numbers.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def run() -> xr.Dataset:
    return simulator.simulate(STUDY, paths=PATHS, seed=SEED, jobs=JOBS)


@pytest.fixture(scope="module")
def lines(run: xr.Dataset) -> dict[str, Any]:
    return {one.name: one for one in load_script().lines_of(run)}


@pytest.fixture(scope="module")
def base() -> TracedPath:
    return trace_path(prepare_base_case(simulator.load_study(STUDY).inputs), seed=0, path=0)


def box(base: TracedPath, name: str) -> dict[str, Any]:
    index = base.prepared.layout.boxes.index(name)
    return dict(zip(LINES, base.trace.flow[:, :, index].T, strict=True))


def far(said: tuple[float, float], found: tuple[float, float]) -> float:
    """Return how many combined standard errors lie between two estimates."""
    gap, error = abs(said[0] - found[0]), math.hypot(said[1], found[1])
    return gap / error if error else (0.0 if gap == 0.0 else math.inf)


def disagreements(lines: dict[str, Any]) -> Iterator[tuple[str, str, object, object]]:
    for name, said in SAID.items():
        one = lines[name]
        if said.below:
            if one.default.value > said.default[0] + ERRORS * one.default.se:
                yield name, "default", said.default, one.default
        elif far(said.default, one.default) > ERRORS:
            yield name, "default", said.default, one.default
        if said.loss and far(said.loss, one.loss) > ERRORS:
            yield name, "loss", said.loss, one.loss


@pytest.mark.slow
def test_the_table_agrees_with_a_run(lines: dict[str, Any]) -> None:
    assert set(SAID) == set(lines)
    assert list(disagreements(lines)) == []


def test_ratings_are_read_off_the_losses_beside_them() -> None:
    scale = fitted_scale()
    rated = {name: said for name, said in SAID.items() if said.rating not in ("", "n/a")}
    assert len(rated) > 10
    for name, said in rated.items():
        assert said.loss is not None, name
        value, error = said.loss
        near = {scale.grade(max(0.0, value + step * error)) for step in (-1, 0, 1)}
        assert said.rating in near, name


@pytest.mark.slow
def test_words_about_random_paths(run: xr.Dataset, lines: dict[str, Any]) -> None:
    default = {name: lines[name].default.value for name in map(str, run["facility"].values)}
    often = sorted(default, key=default.__getitem__)[-OTHERS:]
    assert set(often) == {"CRWV_DDTL5", "CRWV_DDTL5_5"}
    assert min(default[name] for name in often) > 1.25 * sorted(default.values())[-OTHERS - 1]
    assert lines["CRWV_DDTL5_5"].loss.value < 0.1 * default["CRWV_DDTL5_5"]
    apart = lines["CRWV_DDTL5 less CRWV_DDTL4"]
    assert apart.loss.value > 0.0
    assert apart.default.value > 0.1
    assert 0.04 < lines["CoreWeave (sponsor)"].default.value < 0.1  # below Ba3
    claims, lost = (
        run[name].sel(facility="CRWV_NOTES").sum().item()
        for name in ("exposure_at_default", "lender_principal_loss")
    )
    assert 0.5 < lost / claims < 0.75  # noteholders recover about a third


@pytest.mark.slow
def test_words_about_the_base_case(base: TracedPath) -> None:
    """t0 is November 2026, so that element 0 is December 2026."""
    assert not base.scalars["facility_default_month"].any()
    ddtl4, late = box(base, "CCAC_VIII"), box(base, "DDTL_V_V")
    assert 8_000 < ddtl4["debt"].max() < 8_500
    assert ddtl4["debt"][63:].max() < 1e-6  # March 2032
    cured = np.flatnonzero(late["cure"] > 0) + 1
    assert cured.size
    assert 38 <= cured[0] <= 49  # in 2030
    assert np.nanmin(late["dscr"][37:49]) < 1.35
    assert late["debt"][38] > 0.333 * 2_600  # when the last contract ends, February 2030
    assert late["debt"][56] > 1.0
    assert late["debt"][57:].max() < 1e-6  # September 2031
    holdco = base.prepared.layout.sponsors.index("CoreWeave")
    cash = base.trace.sponsor[:, SPONSOR.cash, holdco]
    assert cash.min() > 2_000
    assert cash[-1] > cash[0]
