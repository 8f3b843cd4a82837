from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulator.dataset import RunPlan, RunStore, open_run
from simulator.dataset.drawn import Drawn, row_of
from simulator.dataset.fans import GROUP_BYTES, Fan, exact_fans, row_groups
from simulator.dataset.histogram_fans import histogram_fans
from simulator.dataset.memory import MemoryStore, in_memory
from simulator.dataset.order_statistics import LEVELS
from simulator.dataset.plan import WEIGHT
from tests.unit.dataset.samples import Sample, plan_of


def fans_of(paths: int, chunk: int) -> tuple[dict[str, Fan], Sample]:
    plan = plan_of(paths, chunk)
    sample = Sample(plan)
    store = MemoryStore(plan)
    for part in reversed(list(plan.chunks())):
        store.write_chunk(part.index, *sample.chunk(part))
    return {variable.name: fan for variable, fan in exact_fans(plan, store, 2)}, sample


@pytest.mark.parametrize("paths", [1, 50, 1000])
def test_quantiles_are_those_of_numpy(paths: int) -> None:
    fans, sample = fans_of(paths, 128)
    for name, fan in fans.items():
        table = np.moveaxis(sample.values[name], 0, -1).reshape(-1, paths)
        for row, values in enumerate(table):
            valid = values[~np.isnan(values)]
            assert fan.counts[row] == len(valid)
            if len(valid):
                expected = np.quantile(valid, LEVELS, method="inverted_cdf")
                np.testing.assert_array_equal(fan.quantiles[:, row], expected)
                np.testing.assert_allclose(fan.means[row], valid.mean(dtype=float), rtol=1e-12)
            else:
                assert np.isnan(fan.quantiles[:, row]).all()
                assert np.isnan(fan.means[row])


def test_zeros_are_values_and_nan_are_not() -> None:
    fans, sample = fans_of(1000, 1000)
    assert (fans["cumulative_lender_loss"].counts == 1000).all()
    assert (fans["book_dscr"].counts < 1000).all()
    assert 0.0 in fans["cumulative_lender_loss"].quantiles
    assert np.isnan(sample.values["book_dscr"]).any()


def test_every_row_is_in_one_group() -> None:
    for rows, paths in [(1, 1), (72, 100_000), (792, 1_000_000), (5, 100_000_000), (0, 10)]:
        groups = list(row_groups(rows, paths))
        covered = [row for group in groups for row in range(group.start, group.stop)]
        assert covered == list(range(rows))
        for group in groups:
            several = group.stop - group.start > 1
            assert not several or (group.stop - group.start) * paths * 4 <= GROUP_BYTES


def test_the_method_is_named() -> None:
    fans, _ = fans_of(10, 10)
    assert fans["tightness"].attributes == {"method": "exact: order statistic of rank ceil(n p)"}


def fans_by_weight(plan: RunPlan, weights: np.ndarray | None, chunk: int = 300) -> dict[str, Fan]:
    """Fans of the same paths in a run whose paths carry weights; histograms beyond its limit."""
    plan = replace(plan, chunk=chunk)
    if weights is not None:
        plan = replace(plan, variables=(*plan.variables, WEIGHT), sampling={"method": "importance"})
    sample = Sample(plan)
    if weights is not None:
        sample.values[WEIGHT] = weights
    store = MemoryStore(plan)
    for part in plan.chunks():
        store.write_chunk(part.index, *sample.chunk(part))
    make = exact_fans if plan.paths <= plan.exact_limit else histogram_fans
    return {variable.name: fan for variable, fan in make(plan, store, 2)}


@pytest.mark.parametrize("exact", [True, False])
def test_half_of_the_weight_is_half_of_the_paths(exact: bool) -> None:
    """Of 2,000 paths every other one weighs 2, the rest nothing: the fan of the 1,000 alone."""
    limit = 5000 if exact else 999
    weights = np.where(np.arange(2000) % 2 == 0, 2.0, 0.0)
    plan = plan_of(2000, exact_limit=limit)
    found = fans_by_weight(plan, weights)
    sample = Sample(plan)
    for name, fan in found.items():
        table = np.moveaxis(sample.values[name], 0, -1).reshape(-1, 2000)[:, ::2]
        for row, values in enumerate(table):
            alone = row_of(values, Drawn())
            wide = 0.02 * np.ptp(values[~np.isnan(values)]) if not exact else 0.0
            known = ~np.isnan(fan.quantiles[:, row])
            assert known.sum() >= (9 if exact else 5)
            gaps = np.abs(fan.quantiles[:, row] - alone.quantiles)[known]
            assert (gaps <= wide + 1e-9).all(), (name, row)
            assert fan.means[row] == pytest.approx(alone.mean, rel=1e-6)
            close = 0.02 if exact else 0.12  # of a histogram it is the pilot's
            assert fan.mean_errors[row] == pytest.approx(alone.mean_error, rel=close)
            errors = fan.errors[:, row] / np.where(alone.errors > 0.0, alone.errors, np.nan)
            assert np.nanmedian(errors) == pytest.approx(1.0, abs=0.25)


def test_weights_of_one_are_no_weights() -> None:
    plan = plan_of(1500)
    one, plain = fans_by_weight(plan, np.ones(1500)), fans_by_weight(plan, None)
    for name, fan in plain.items():
        np.testing.assert_array_equal(one[name].quantiles, fan.quantiles)
        np.testing.assert_allclose(one[name].means, fan.means, rtol=1e-12)
        np.testing.assert_allclose(one[name].mean_errors, fan.mean_errors, rtol=1e-9)
        np.testing.assert_array_equal(one[name].counts, fan.counts)


def test_weighted_fans_do_not_depend_on_chunks() -> None:
    weights = np.random.default_rng(2).gamma(2.0, 0.5, 2000)
    for limit in (5000, 999):
        plan = plan_of(2000, exact_limit=limit)
        first, second = (fans_by_weight(plan, weights, chunk) for chunk in (2000, 333))
        for name, fan in first.items():
            for field in ("quantiles", "errors", "means", "mean_errors", "counts"):
                np.testing.assert_array_equal(getattr(fan, field), getattr(second[name], field))


def test_errors_are_taken_over_draws_of_parameters() -> None:
    """Ten copies of each path tell nothing new: errors are those of the paths themselves."""
    rng = np.random.default_rng(4)
    values = rng.gamma(2.0, 1.0, 800).astype(np.float32)
    copies = np.repeat(values, 10)
    once, many = row_of(values, Drawn()), row_of(copies, Drawn(None, 10))
    np.testing.assert_allclose(many.quantiles, once.quantiles)
    assert many.mean_error == pytest.approx(once.mean_error, rel=1e-3)
    known = ~np.isnan(once.errors)
    np.testing.assert_allclose(many.errors[known], once.errors[known], rtol=0.35)
    assert np.median(many.errors[known] / once.errors[known]) == pytest.approx(1.0, abs=0.1)
    ignored = row_of(copies, Drawn())
    assert ignored.mean_error < 0.4 * once.mean_error
    with_gaps = copies.copy()
    with_gaps[::7] = np.nan
    assert row_of(with_gaps, Drawn(None, 10)).paths == np.count_nonzero(~np.isnan(with_gaps))


def test_a_weighted_run_on_disk_is_the_one_in_memory(tmp_path: Path) -> None:
    """Chunks that were folded into histograms and removed count by their weights."""
    plan = plan_of(
        1200,
        100,
        exact_limit=400,
        variables=(*plan_of().variables, WEIGHT),
        sampling={"method": "importance"},
    )
    sample = Sample(plan)
    sample.values[WEIGHT] = np.random.default_rng(3).gamma(2.0, 0.5, 1200)
    with RunStore.create(tmp_path / "run", plan) as store:
        sample.write(store)
        store.finalise(threads=2)
    memory = in_memory(plan, *sample.whole())
    stored = open_run(tmp_path / "run").load()
    assert stored.equals(memory)
    assert stored["path_weight"].values.tolist() == sample.values[WEIGHT].tolist()
    assert "path_weight" not in in_memory(plan_of(), *Sample(plan_of()).whole())
