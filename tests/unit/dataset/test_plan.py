import dataclasses
import json
from typing import Any

import pytest

from simulator.dataset import RunPlan
from tests.unit.dataset.samples import plan_of


@pytest.mark.parametrize(("paths", "chunk"), [(1, 1), (10, 3), (12, 4), (5, 100)])
def test_chunks_cover_every_path_once(paths: int, chunk: int) -> None:
    plan = plan_of(paths, chunk)
    chunks = list(plan.chunks())
    covered = [path for c in chunks for path in range(c.first, c.first + c.count)]
    assert covered == list(range(paths))
    assert [c.index for c in chunks] == list(range(plan.chunk_count))


def test_a_plan_survives_json() -> None:
    plan = plan_of(keep_paths=True, title="Größe")
    again = RunPlan.from_json(json.loads(json.dumps(plan.to_json())))
    assert again == plan
    assert again.key == plan.key


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 2}, "seed: 1 there, 2 asked"),
        ({"paths": 999}, "paths: 1000 there, 999 asked"),
        ({"digest": "ab"}, "digest: "),
        ({"versions": {"simulator": "0.1.0", "numpy": "2.5"}}, "versions.numpy: 2.4.6 there, 2.5"),
        ({"keep_paths": True}, "keep_paths: False there, True asked"),
        ({"variables": ("tightness",)}, "variables: "),
    ],
)
def test_what_makes_another_run_is_named(change: dict[str, Any], message: str) -> None:
    (difference,) = plan_of().differences(dataclasses.replace(plan_of(), **change))
    assert difference.startswith(message)


def test_chunks_and_title_do_not_make_another_run() -> None:
    assert plan_of(chunk=10, title="a").differences(plan_of(chunk=20, title="b")) == []
    assert plan_of(chunk=10).key != plan_of(chunk=20).key


def test_paths_kept_without_need_do_not_make_another_run() -> None:
    assert plan_of(keep_paths=True).differences(plan_of()) == []


@pytest.mark.parametrize("name", ["paths", "chunk", "horizon", "exact_limit"])
def test_sizes_are_at_least_one(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        dataclasses.replace(plan_of(), **{name: 0})


def test_unknown_variables_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown variables: lender_los"):
        plan_of(variables=("lender_los",))
