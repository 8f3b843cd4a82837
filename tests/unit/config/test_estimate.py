"""What a run will cost: bytes against the table of outputs, the rest against measurements."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulator.config import Study, estimate, load_study
from simulator.dataset.variables import SCALARS, SERIES

ROOT = Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.nojit


@pytest.fixture(scope="module")
def book() -> Study:
    """Return the reference study."""
    return load_study(ROOT / "configs" / "neocloud-2026.yaml")


def test_bytes_of_a_path_are_those_of_the_outputs() -> None:
    entities = ("facility", "tranche", "box", "sponsor", "counterparty")
    bytes_of = dict.fromkeys((None, *entities, "note", "structure", "overlay"), 0)
    for variable in SCALARS:
        weight = variable.name == "path_weight"  # of runs not drawn plainly
        optional = weight or variable.needs is not None
        if variable.entity == "parameter" or (optional and variable.entity is None):
            continue  # only of studies with priors, or once with overlays
        bytes_of[variable.entity] += np.dtype(variable.dtype).itemsize
    assert bytes_of == {
        None: estimate.PATH_BYTES,
        "facility": estimate.FACILITY_BYTES,
        "tranche": estimate.TRANCHE_BYTES,
        "box": estimate.BOX_BYTES,
        "sponsor": estimate.SPONSOR_BYTES,
        "counterparty": estimate.NAME_BYTES,
        "note": estimate.NOTE_BYTES,
        "structure": estimate.STRUCTURE_BYTES,
        "overlay": estimate.OVERLAY_BYTES,
    }


def test_series_are_those_of_the_outputs() -> None:
    found = dict.fromkeys((None, "generation", "hall", "box", "sponsor"), 0)
    for variable in SERIES:
        found[variable.entity] += 1
        assert np.dtype(variable.dtype).itemsize == estimate.SERIES_BYTES
    assert found == {
        None: estimate.MARKET_SERIES,
        "generation": estimate.GENERATION_SERIES,
        "hall": estimate.HALL_SERIES,
        "box": estimate.BOX_SERIES,
        "sponsor": estimate.SPONSOR_SERIES,
    }


def test_the_reference_run_is_about_what_was_measured(book: Study) -> None:
    """On two cores: 100,000 paths took 43 to 48 s; their results about 1,070 bytes a path."""
    cost = estimate.estimate(book.inputs, 100_000, 2)
    assert 40 < cost.seconds < 55
    assert 90 < cost.results_mb < 130
    assert 1_900 < cost.disk_mb < 2_600


def test_results_are_less_than_what_a_run_takes(book: Study) -> None:
    large = estimate.estimate(book.inputs, 2_000_000)
    assert large.results_mb < large.disk_mb
    assert f"up to {large.disk_mb:,.0f} MB while it runs" in str(large)
    assert f"about {large.results_mb:,.0f} MB after it" in str(large)
