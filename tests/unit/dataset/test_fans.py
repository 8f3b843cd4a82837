import numpy as np
import pytest

from simulator.dataset.fans import GROUP_BYTES, Fan, exact_fans, row_groups
from simulator.dataset.memory import MemoryStore
from simulator.dataset.order_statistics import LEVELS
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
