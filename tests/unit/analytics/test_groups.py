"""Errors where paths share draws of parameters: over groups, not over paths."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import norm

from simulator.analytics import (
    Estimate,
    absorption_table,
    causes_table,
    contribution_table,
    convergence_table,
    default_table,
    equity_table,
    exceedance_table,
    expected_shortfall,
    holders_table,
    mean,
    mean_difference,
    probability,
    quantile,
    ratio,
    risk_table,
    shortfall_difference,
    sponsor_table,
    tail_risk,
    value_at_risk,
    value_at_risk_interval,
)
from simulator.analytics.estimators import design_effect, standard_error
from simulator.analytics.frame import draws_of, path_weights
from simulator.analytics.sample import Design, as_weights, independent_draws, part_of
from tests.unit.reports.synthetic import synthetic_run

pytestmark = pytest.mark.nojit

Z = 1.959963984540054


def repeated(run: xr.Dataset, times: int) -> xr.Dataset:
    """Each path several times over, said to share a draw: nothing is learnt from the copies."""
    places = np.repeat(np.arange(run.sizes["path"]), times)
    copies = run.drop_vars("path", errors="ignore").isel(path=places)
    return copies.assign_attrs(paths_per_draw=times)


def test_error_over_groups_by_hand() -> None:
    """Sums of deviations from 3.2 are −3.4, 2.6 and 0.8; √(3/2·(11.56 + 6.76 + 0.64))/5."""
    terms, groups = np.array([1.0, 2.0, 3.0, 6.0, 4.0]), np.array([4, 4, 7, 7, 9])
    expected = math.sqrt(1.5 * (3.4**2 + 2.6**2 + 0.8**2)) / 5
    assert standard_error(terms, groups) == pytest.approx(expected, rel=1e-14)
    mixed = [3, 0, 4, 2, 1]
    assert standard_error(terms[mixed], groups[mixed]) == pytest.approx(expected, rel=1e-14)


def test_groups_of_one_path_are_independent_paths() -> None:
    x = np.random.default_rng(3).exponential(size=200)
    alone = Design(None, np.arange(200))
    assert mean(x, alone).se == pytest.approx(mean(x).se, rel=1e-12)
    assert design_effect(x, alone.groups) == pytest.approx(1.0, rel=1e-12)
    assert quantile(x, 0.3, alone).se == pytest.approx(quantile(x, 0.3).se, rel=1e-9)


def test_one_group_has_no_error() -> None:
    x, one = np.arange(100.0), Design(None, np.zeros(100, np.int64))
    weighted = Design(np.full(100, 1.0), one.groups)
    for design in (one, weighted):
        found = tail_risk(x, [0.9], design)
        errors = (mean(x, design).se, quantile(x, 0.5, design).se, found.var_se[0], found.es_se[0])
        assert all(map(math.isnan, errors))
        assert value_at_risk_interval(x, 0.9, weights=design) == (-math.inf, math.inf)
        assert (mean(x, design).value, found.var[0]) == (49.5, 89.0)


def test_values_do_not_depend_on_groups() -> None:
    rng = np.random.default_rng(4)
    x, groups, w = rng.exponential(size=(400)), np.arange(400) // 7, rng.gamma(4.0, 0.25, 400)
    for plain, design in ((None, Design(None, groups)), (w, Design(w, groups))):
        first, second = tail_risk(x, weights=plain), tail_risk(x, weights=design)
        assert np.array_equal(first.var, second.var)
        assert np.array_equal(first.es, second.es)
        for estimate in (
            mean,
            lambda v, d: quantile(v, 0.25, d),
            lambda v, d: probability(v > 1, d),
        ):
            assert estimate(x, plain).value == estimate(x, design).value


@pytest.mark.parametrize("weighted", [False, True])
def test_copies_tell_nothing_new(weighted: bool) -> None:
    """Every estimator has the same error on copies as on the paths themselves."""
    rng = np.random.default_rng(8)
    n, times = 1500, 6
    x, y = rng.exponential(size=n), rng.uniform(1.0, 3.0, n)
    w = rng.gamma(4.0, 0.25, n) if weighted else None
    groups = np.repeat(np.arange(n), times)
    many = Design(None if w is None else np.repeat(w, times), groups)
    a, b = np.repeat(x, times), np.repeat(y, times)
    pairs: dict[str, tuple[Estimate, Estimate]] = {
        "mean": (mean(x, w), mean(a, many)),
        "probability": (probability(x > 1, w), probability(a > 1, many)),
        "ratio": (ratio(x, y, w), ratio(a, b, many)),
        "difference": (mean_difference(x, y, w), mean_difference(a, b, many)),
        "ES": (expected_shortfall(x, 0.95, w), expected_shortfall(a, 0.95, many)),
        "ES difference": (
            shortfall_difference(x * y, x, 0.95, w),
            shortfall_difference(a * b, a, 0.95, many),
        ),
        "VaR": (value_at_risk(x, 0.95, w), value_at_risk(a, 0.95, many)),
        "median": (quantile(x, 0.5, w), quantile(a, 0.5, many)),
    }
    for name, (once, copied) in pairs.items():
        close = 0.1 if name in ("VaR", "median") else 2e-3
        assert copied.value == pytest.approx(once.value, rel=1e-9), name
        assert copied.se == pytest.approx(once.se, rel=close), name
        largest = 1.0 if w is None else float(w.max())
        assert independent_draws(many, a.size) == pytest.approx(n / largest)
    once, copied = (
        value_at_risk_interval(x, 0.95, weights=w),
        value_at_risk_interval(a, 0.95, weights=many),
    )
    assert copied[1] - copied[0] == pytest.approx(once[1] - once[0], rel=0.15)


def tail_parts(run: xr.Dataset) -> xr.Dataset:
    """Contributions at a level that leaves enough different paths near VaR."""
    return contribution_table(run, levels=[0.9])


def test_copies_tell_nothing_new_in_any_table() -> None:
    run = synthetic_run(1000)
    copies = repeated(run, 4)
    assert draws_of(copies) == 1000
    tables = (risk_table, causes_table, holders_table, tail_parts, absorption_table)
    tables += (equity_table, sponsor_table, lambda data: default_table(data, "counterparty"))
    for table in tables:
        once, copied = table(run), table(copies)
        for name in (str(name) for name in once if str(name).endswith("_se")):
            spread = name.startswith(("value_at", "book_value_at", "moic", "irr", "pnl"))
            far = spread or name.startswith(("mean_loss", "shortfall_contribution"))
            compared = np.isfinite(once[name].values)
            np.testing.assert_array_equal(np.isfinite(copied[name].values), compared)
            first, second = once[name].values[compared], copied[name].values[compared]
            scale = max(1e-12, float(np.max(first, initial=0.0)))
            worst = float(np.max(np.abs(second - first), initial=0.0)) / scale
            assert worst < (0.25 if far else 0.02), (name, worst)
    once, copied = (convergence_table(one).isel(paths=-1, level=0) for one in (run, copies))
    for name in ("expected_loss_se", "expected_shortfall_se"):
        assert float(copied[name]) == pytest.approx(float(once[name]), rel=0.01)
    once, copied = exceedance_table(run), exceedance_table(copies)
    assert float(copied["book_exceedance_upper"][0]) == pytest.approx(
        float(once["book_exceedance_upper"][0]), rel=1e-3
    )


def test_nothing_changes_by_a_bit_without_groups() -> None:
    run = synthetic_run(400)
    certain = run.assign_attrs(paths_per_draw=1)
    silent = run.copy()
    silent.attrs.pop("paths_per_draw", None)
    assert path_weights(certain) is path_weights(silent) is None
    for table in (risk_table, equity_table, contribution_table, holders_table, exceedance_table):
        assert table(certain).identical(table(silent))
    x, w = run["book_lender_loss"].values, np.random.default_rng(1).gamma(4.0, 0.25, 400)
    for one, other in zip(tail_risk(x, weights=w), tail_risk(x, weights=Design(w)), strict=True):
        assert one.tobytes() == other.tobytes()
    for one, other in zip(tail_risk(x), tail_risk(x, weights=Design()), strict=True):
        assert one.tobytes() == other.tobytes()


def test_groups_follow_the_numbers_of_the_paths() -> None:
    run = synthetic_run(10).assign_attrs(paths_per_draw=4).assign_coords(path=np.arange(10))
    design = path_weights(run)
    assert design is not None
    assert design.groups is not None
    assert design.groups.tolist() == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2]
    some = path_weights(run.isel(path=[3, 4, 9]))
    assert some is not None
    assert some.groups is not None
    assert some.groups.tolist() == [0, 1, 2]
    kept = part_of(design, np.arange(10) % 3 == 0)
    assert isinstance(kept, Design)
    assert kept.groups is not None
    assert kept.groups.tolist() == [0, 0, 1, 2]
    weighted = path_weights(run.assign(path_weight=("path", np.arange(10.0))))
    assert weighted is not None
    assert as_weights(weighted, 10).tolist() == list(range(10))  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="one per path"):
        mean(np.zeros(9), design)


def test_an_event_that_was_never_seen_is_bounded_by_draws() -> None:
    run = repeated(synthetic_run(100), 5)
    for name in ("lender_loss", "lender_loss_share", "book_lender_loss", "tranche_loss"):
        run[name] = run[name] * 0.0
    table = exceedance_table(run)
    assert float(table["book_exceedance_upper"][0]) == 0.03  # 3/100 draws, not 3/500 paths


def hierarchical(
    rng: np.random.Generator, groups: NDArray[np.int64], between: float
) -> NDArray[np.float64]:
    """Normal losses: sd `between` of what a group shares, 1 of what it does not."""
    return rng.normal(0.0, between, groups[-1] + 1)[groups] + rng.standard_normal(groups.size)


def test_coverage() -> None:
    """On 1,000 hierarchical samples 95% intervals cover with groups and do not without."""
    groups, between, level, repeats = np.arange(600 * 8 - 3) // 8, 0.7, 0.9, 1000
    design, sd = Design(None, groups), math.hypot(between, 1.0)
    var = sd * norm.ppf(level)
    shortfall = sd * norm.pdf(norm.ppf(level)) / (1.0 - level)
    rng = np.random.default_rng(2026)
    covered, ignored = np.zeros(4), np.zeros(3)
    for _ in range(repeats):
        x = hierarchical(rng, groups, between)
        for counts, weights in ((covered[:3], design), (ignored, None)):
            average, tail = mean(x, weights), tail_risk(x, [level], weights)
            counts += [
                abs(average.value) < Z * average.se,
                abs(tail.es[0] - shortfall) < Z * tail.es_se[0],
                abs(tail.var[0] - var) < Z * tail.var_se[0],
            ]
        low, high = value_at_risk_interval(x, level, weights=design)
        covered[3] += low <= var < high
    assert (covered >= 930).all()
    assert (covered <= 970).all()
    assert (ignored < 900).all()
