"""Risk within and between uncertain parameters, on samples whose parts are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm, spearmanr

from simulator.analytics import analyse, headline, uncertainty_table
from simulator.analytics.frame import estimate_at
from simulator.analytics.uncertainty import expected_loss_spread, rank_correlation, slope
from simulator.analytics.variance import variance_components
from tests.unit.reports.synthetic import synthetic_run, with_uncertainty

pytestmark = pytest.mark.nojit


def test_components_by_hand() -> None:
    """Groups (1, 3), (5, 9), (6): means 2, 7, 6; SSW 2 + 8; SSB 2·2.8² + 2·2.2² + 1.2²."""
    parts = variance_components(np.array([1.0, 3.0, 5.0, 9.0, 6.0]), np.array([0, 0, 1, 1, 3]))
    within = 10.0 / 2.0
    size = (5.0 - 9.0 / 5.0) / 2.0
    between = ((2 * 2.8**2 + 2 * 2.2**2 + 1.2**2) / 2.0 - within) / size
    assert parts.within.value == pytest.approx(within, rel=1e-12)
    assert parts.between.value == pytest.approx(between, rel=1e-12)
    assert parts.total.value == pytest.approx(within + between, rel=1e-12)
    assert parts.share_between.value == pytest.approx(between / (within + between), rel=1e-12)


def test_jackknife_leaves_out_one_group_at_a_time() -> None:
    rng = np.random.default_rng(5)
    groups = np.sort(rng.integers(0, 12, 90))
    values = rng.exponential(size=12)[groups] + rng.exponential(size=90)
    found = variance_components(values, groups)
    others = np.array(
        [
            [one.value for one in variance_components(values[groups != k], groups[groups != k])]
            for k in range(12)
        ]
    )
    errors = np.sqrt(11.0 / 12.0 * ((others - others.mean(axis=0)) ** 2).sum(axis=0))
    assert [one.se for one in found] == pytest.approx(errors.tolist(), rel=1e-9)


def test_components_recover_known_variances() -> None:
    """Variance 4 within, 1 between: unbiased, errors as large as the estimates scatter."""
    groups, repeats = np.arange(200 * 10 - 4) // 10, 400
    rng = np.random.default_rng(6)
    found = np.empty((repeats, 4, 2))
    for i in range(repeats):
        shared = rng.exponential(size=200)  # variance 1, skewed
        found[i] = variance_components(shared[groups] + 2.0 * rng.standard_normal(1996), groups)
    values, errors = found[..., 0], found[..., 1]
    spread = values.std(axis=0)
    for i, exact in enumerate((5.0, 4.0, 1.0)):
        assert abs(values[:, i].mean() - exact) < 4.0 * spread[i] / math.sqrt(repeats)
    assert values[:, 3].mean() == pytest.approx(0.2, abs=0.01)
    np.testing.assert_allclose(np.sqrt((errors**2).mean(axis=0)), spread, rtol=0.15)
    covered = np.abs(values[:, 3] - 0.2) < 1.96 * errors[:, 3]
    assert 0.89 < covered.mean() < 0.98  # the law of the share is skewed


def test_components_may_be_negative_and_may_not_exist() -> None:
    alternating = np.tile([-1.0, 1.0], 50)
    assert variance_components(alternating, np.arange(100) // 2).between.value < 0.0
    for groups in (np.zeros(100, np.int64), np.arange(100)):
        assert math.isnan(variance_components(alternating, groups).share_between.value)


def test_spread_of_expected_losses_is_that_of_the_parameters() -> None:
    """Means of four paths have sd √(1 + 9/4); what they estimate has sd 1."""
    groups = np.arange(5000 * 4) // 4
    rng = np.random.default_rng(7)
    expected = 10.0 + rng.standard_normal(5000)
    loss = expected[groups] + 3.0 * rng.standard_normal(20_000)
    spread = expected_loss_spread(loss, groups, variance_components(loss, groups))
    for one, level in zip(spread, (0.05, 0.5, 0.95), strict=True):
        assert abs(one.value - 10.0 - norm.ppf(level)) < 0.15
        assert 0.0 < one.se < 0.1
    same = np.tile([9.0, 11.0], 40)
    none = expected_loss_spread(
        same, np.arange(80) // 2, variance_components(same, np.arange(80) // 2)
    )
    assert [one.value for one in none] == [10.0] * 3


def test_slope_and_rank_correlation() -> None:
    groups, repeats = np.arange(300 * 5 - 2) // 5, 300
    rng = np.random.default_rng(9)
    found = np.empty((repeats, 2, 2))
    for i in range(repeats):
        drawn = rng.standard_normal(300)
        loss = 50.0 - 2.0 * drawn[groups] + 5.0 * rng.standard_normal(groups.size)
        value = (0.3 + 0.1 * drawn)[groups]  # −2 a standard deviation, in whatever unit
        found[i] = slope(loss, value, groups), rank_correlation(loss, value, groups)
        found[i, 0, 0] /= np.std(drawn[groups])  # of this sample, not of the law
    values, errors = found[..., 0], found[..., 1]
    spread = values.std(axis=0)
    assert abs(values[:, 0].mean() + 2.0) < 4.0 * spread[0] / math.sqrt(repeats)
    np.testing.assert_allclose(errors.mean(axis=0), spread, rtol=0.15)
    drawn = rng.standard_normal(300)
    loss = np.exp(drawn)[groups]
    assert rank_correlation(loss, drawn[groups], groups).value == pytest.approx(1.0, rel=1e-12)
    noisy = loss + rng.standard_normal(groups.size)
    means = np.bincount(groups, noisy) / np.bincount(groups)
    exact = spearmanr(means, drawn).statistic
    assert rank_correlation(noisy, drawn[groups], groups).value == pytest.approx(exact, rel=1e-9)
    for nothing in (slope, rank_correlation):
        assert all(map(math.isnan, nothing(loss, np.full(groups.size, 0.3), groups)))


def made_up() -> xr.Dataset:
    """Losses that follow `right` upwards, `weak` a little downwards and `wrong` not at all."""
    rng = np.random.default_rng(10)
    groups = np.arange(400 * 8) // 8
    drawn = rng.standard_normal((400, 3))
    loss = 100.0 + (drawn @ [0.0, -1.0, 4.0])[groups] + 8.0 * rng.standard_normal(groups.size)
    return xr.Dataset(
        {
            "book_lender_loss": ("path", loss),
            "equity_pnl": (("path", "box"), np.column_stack([-2.0 * loss, 0.5 * loss])),
            "parameter_value": (("path", "parameter"), (drawn * [1.0, 1e-3, 50.0])[groups]),
        },
        coords={"parameter": ["wrong", "weak", "right"], "box": ["b1", "b2"]},
        attrs={"paths_per_draw": 8},
    )


def test_table_finds_the_right_parameter() -> None:
    table = uncertainty_table(made_up())
    assert table is not None
    assert table["parameter"].values.tolist() == ["right", "weak", "wrong"]
    for name, exact in (("right", 4.0), ("weak", -1.0), ("wrong", 0.0)):
        effect = estimate_at(table, "slope", parameter=name)
        assert abs(effect.value - exact) < 4.0 * effect.se
    assert estimate_at(table, "rank_correlation", parameter="right").value > 0.6
    for quantity, scale in (("lender loss", 1.0), ("equity profit", 1.5)):
        for name, exact in (("within", 64.0), ("between", 17.0), ("total", 81.0)):
            part = estimate_at(table, f"{name}_variance", quantity=quantity)
            assert abs(part.value - scale**2 * exact) < 4.0 * part.se
        share = estimate_at(table, "between_share", quantity=quantity)
        assert abs(share.value - 17.0 / 81.0) < 4.0 * share.se
        assert share.se < 0.03
    assert (table.attrs["draws"], table.attrs["paths_per_draw"]) == (400, 8)


def test_table_only_where_parameters_are_uncertain() -> None:
    run = made_up()
    assert uncertainty_table(run.assign_attrs(paths_per_draw=1)) is None
    nameless = uncertainty_table(run.drop_dims("parameter"))
    assert nameless is not None
    assert nameless.sizes["parameter"] == 0


def test_headline_has_it_only_where_parameters_are_uncertain() -> None:
    import json

    assert "uncertainty" not in headline(analyse(synthetic_run(200)))
    numbers = headline(analyse(with_uncertainty(synthetic_run(200))))
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    found = numbers["uncertainty"]
    assert (found["draws"], found["paths_per_draw"]) == (25, 8)
    assert set(found["expected_loss"]) == {"0.05", "0.5", "0.95"}
    assert set(found["parameters"]) == {"dem.sigma", "gpu.delta"}
    parts = found["variance"]["lender loss"]
    assert parts["total_variance"]["value"] == pytest.approx(
        parts["within_variance"]["value"] + parts["between_variance"]["value"]
    )
