"""Whatever the chunks, their order and the interruptions: the same run has the same bytes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.dataset import RunStore
from tests.unit.dataset.samples import Sample, bytes_below, plan_of, run

VARIABLES = ("lender_loss", "facility_default_month", "tightness", "box_dscr")
PATHS = 150


@pytest.fixture(scope="module", params=[PATHS, 60], ids=["exact", "histogram"])
def reference(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, dict[str, bytes]]:
    limit: int = request.param
    plan = plan_of(PATHS, PATHS, variables=VARIABLES, exact_limit=limit)
    return limit, dict(bytes_below(run(tmp_path_factory.mktemp("reference") / "run", plan)))


@settings(max_examples=12)
@given(data=st.data(), chunk=st.integers(1, PATHS + 10), stops=st.integers(0, 3))
def test_chunks_order_and_interruptions_do_not_matter(
    reference: tuple[int, dict[str, bytes]], data: st.DataObject, chunk: int, stops: int
) -> None:
    limit, expected = reference
    plan = plan_of(PATHS, chunk, variables=VARIABLES, exact_limit=limit)
    order = data.draw(st.permutations(list(plan.chunks())))
    sample = Sample(plan)
    step = -(-len(order) // (stops + 1))
    fold = data.draw(st.integers(1, PATHS))
    with (
        tempfile.TemporaryDirectory() as folder,
        patch("simulator.dataset.accumulate.FOLD_PATHS", fold),
    ):
        directory = Path(folder, "run")
        for first in range(0, len(order), step):
            with RunStore.create(directory, plan, existing="resume") as store:
                sample.write(store, order[first : first + step])
        with RunStore.create(directory, plan, existing="resume") as store:
            assert store.missing_chunks() == []
            store.finalise(threads=1)
        assert bytes_below(directory) == expected
