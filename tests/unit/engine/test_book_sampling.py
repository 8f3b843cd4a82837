"""Books drawn otherwise than plainly: the same law, the same bits, errors that hold."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.analytics.estimators import mean, probability
from simulator.analytics.frame import path_weights, vector
from simulator.analytics.tail import expected_shortfall
from simulator.api import simulate
from simulator.config.book_sampling import SamplingError
from simulator.config.study import Study, load_study
from simulator.drivers.steering import SHOCKS, SteeringParams
from simulator.engine.prepare import Prepared
from simulator.engine.priors import PRIORS
from simulator.engine.sampling.books import MeasureError
from simulator.engine.sampling.coordinates import coordinate_names, steering_of
from simulator.numerics.philox import fill_normal_pairs, fill_normals
from simulator.numerics.streams import stream_id_array
from tests.unit.engine.small import OVERRIDES, as_bytes, differing, results

LEVEL = 0.9
"""Of the shortfall: the small study loses often."""

FAST = {"sampling.level": LEVEL, "sampling.pilot_paths": 24, "sampling.replicates": 2}
METHODS = ("importance", "quasi", "stratified")
STRATA = {"sampling.strata": 4}

WAYS: dict[str, dict[str, Any]] = {
    "two threads": {"jobs": 2, "chunk": 3, "block": 3},
    "chunks of one path": {"chunk": 1},
    "blocks of one path": {"block": 1},
    "blocks that do not divide": {"block": 4},
}


@dataclass(frozen=True)
class Own:
    """Chooses for each path the very coordinates that it would draw itself."""

    steering: SteeringParams
    names: tuple[str, ...]
    weighted: bool = False

    def draw(
        self, seed: int, paths: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return sums of the path's own shocks and its other normals."""
        numbers, start = paths.astype(np.uint64), np.int64(0)
        spare, last = np.zeros(paths.size), int(self.steering.periods[-1, 1])
        pairs = stream_id_array(["market.ZC", "market.DP", "market.MS", "market.EW", "market.R"])
        shocks = np.zeros((last + 1, SHOCKS + 1, paths.size))
        for month in range(1, last + 1):
            for pair in range(5):
                row = shocks[month]
                fill_normal_pairs(
                    seed, numbers, pairs[pair], month, row[2 * pair], row[2 * pair + 1]
                )
        rows = [
            shocks[first : end + 1, k].sum(axis=0) / np.sqrt(end - first + 1.0)
            for first, end in self.steering.periods.tolist()
            for k in range(SHOCKS)
        ]
        streams = ["supply.completion", *(f"prior.{one}" for one in PRIORS)]
        for stream in stream_id_array([*streams, *(f"name.{one}" for one in self.names)]):
            own = np.zeros(paths.size)
            fill_normals(seed, numbers, stream, start, own, spare)
            rows.append(own)
        return np.array(rows), np.ones(paths.size)


@pytest.mark.nojit
def test_its_own_coordinates_leave_a_path_what_it_was(prepared: Prepared) -> None:
    names = tuple(prepared.layout.names)
    own = Own(steering_of(prepared.horizon, len(names)), names)
    found = {}
    for which, book in {"plain": prepared, "steered": replace(prepared, sampler=own)}.items():
        outputs, numbers = book.outputs(6), np.arange(6, dtype=np.int64)
        book.run_block(book.state(6), 3, numbers, outputs, 0)
        found[which] = outputs.fields
    for name in ("tranche_loss", "equity_pnl", "name_default_month", "market"):
        plain, steered = getattr(found["plain"], name), getattr(found["steered"], name)
        np.testing.assert_allclose(steered, plain, rtol=1e-6 if name == "market" else 1e-8)


def test_every_coordinate_moves_what_it_is_called(prepared: Prepared) -> None:
    names = coordinate_names(steering_of(prepared.horizon, 2), ("A", "B"))
    assert names[0] == "shock Z, months 1-12"
    assert names[-2:] == ("name A", "name B")
    assert len(set(names)) == len(names)
    steering = steering_of(prepared.horizon, len(prepared.layout.names))
    assert len(coordinate_names(steering, prepared.layout.names)) == steering.rows


@pytest.fixture(scope="module")
def fast(study_file: Path) -> Study:
    """Return the small study with a pilot of few paths."""
    return load_study(study_file, OVERRIDES | FAST | STRATA)


@pytest.mark.nojit
@pytest.mark.parametrize("method", METHODS)
def test_any_way_to_the_same_bits(fast: Study, method: str) -> None:
    whole = results(fast, sampling=method)
    for options in WAYS.values():
        assert differing(results(fast, sampling=method, **options), whole) == []


@pytest.mark.nojit
def test_a_resumed_run_draws_as_it_began(fast: Study, tmp_path: Path) -> None:
    whole = results(fast, sampling="importance", out=tmp_path / "whole")
    again = simulate(
        fast, paths=10, block=10, sampling="importance", out=tmp_path / "whole", resume=True
    )
    assert differing(as_bytes(again), whole) == []
    kept = (tmp_path / "whole" / "sampling.json").read_bytes()
    results(fast, sampling="importance", out=tmp_path / "other", chunk=3)
    assert (tmp_path / "other" / "sampling.json").read_bytes() == kept


@pytest.mark.nojit
def test_a_plain_run_holds_no_weight(baseline: dict[str, bytes], fast: Study) -> None:
    assert "path_weight" not in baseline
    assert "path_weight" in results(fast, sampling="importance")
    assert "path_weight" not in results(fast, sampling="quasi")


def sampled(study_file: Path, method: str, paths: int, seed: int = 5) -> Any:
    """Run the small study at enough paths for its errors to be honest."""
    changed = {"sampling.level": 0.995, "sampling.pilot_paths": 9216, "sampling.strata": 32}
    return simulate(load_study(study_file, OVERRIDES | changed), paths=paths, seed=seed,
                    sampling=method)  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_estimates_are_those_of_plain_sampling(study_file: Path, method: str) -> None:
    plain, drawn = sampled(study_file, "plain", 8192), sampled(study_file, method, 8192, seed=6)
    one, other = path_weights(plain), path_weights(drawn)
    for name, place in (("book_lender_loss", {}), ("equity_pnl", {"box": 0})):
        a = mean(vector(plain, name, **place), one)
        b = mean(vector(drawn, name, **place), other)
        assert abs(a.value - b.value) < 4.0 * np.hypot(a.se, b.se), name
    for row in range(plain.sizes["counterparty"]):
        gone = [vector(run, "counterparty_default_month", counterparty=row) > 0
                for run in (plain, drawn)]  # fmt: skip
        a, b = probability(gone[0], one), probability(gone[1], other)
        assert abs(a.value - b.value) <= 4.0 * np.hypot(a.se, b.se), row


def test_importance_sampling_sees_the_tail_more_often(study_file: Path) -> None:
    drawn = sampled(study_file, "importance", 8192)
    assert drawn.attrs["sampling_method"] == "importance"
    assert "shift" in drawn.attrs["sampling_note"]
    weights = drawn["path_weight"].values
    assert weights.max() <= 1.0 / 0.2 + 1e-9
    assert abs(weights.mean() - 1.0) < 4.0 * weights.std() / np.sqrt(weights.size)
    errors = [
        expected_shortfall(run["book_lender_loss"].values, 0.995, path_weights(run)).se
        for run in (drawn, sampled(study_file, "plain", 8192))
    ]
    assert errors[0] < 0.9 * errors[1]


@pytest.mark.nojit
def test_what_cannot_be_sampled_is_refused_before_any_path(study_file: Path, study: Study) -> None:
    wrong = load_study(study_file, OVERRIDES | {"sampling.measure": "book_lender_los"})
    with pytest.raises(MeasureError, match=r"sampling\.measure.*'book_lender_los'.*mend by"):
        simulate(wrong, paths=4, sampling="importance")
    with pytest.raises(SamplingError, match=r"sampling\.replicates.*at least 32 paths, got 10"):
        simulate(study, paths=10, sampling="quasi")
    priors = {"law": "uniform", "min": 0.1, "max": 0.3}
    uncertain = load_study(
        study_file, OVERRIDES | {"uncertainty": {"priors": {"dem.sigma": priors}}}
    )
    with pytest.raises(SamplingError, match="uncertain parameters"):
        simulate(uncertain, paths=1000, sampling="stratified")
