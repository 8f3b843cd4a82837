"""Weighted runs: every analysis gives what a run drawn plainly would, and none ignores weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
import xarray as xr

from simulator.analytics import (
    Estimate,
    analyse,
    headline,
    mean,
    mean_difference,
    probability,
    shortfall_difference,
    worst_paths,
)
from simulator.analytics.comparison import comparison_table, outcome_of
from simulator.analytics.market import market_fans
from simulator.analytics.sample import Design, independent_draws
from simulator.analytics.sampling import sampling_facts
from simulator.analytics.slices import ranks_of
from simulator.analytics.tail import tail_count
from simulator.analytics.variance import variance_components
from simulator.reports import pictures, render_report
from tests.unit.reports.synthetic import synthetic_run, with_uncertainty

pytestmark = pytest.mark.nojit


def complete(paths: int, per_draw: int = 1) -> xr.Dataset:
    """A made-up run with notes, overlays and, if several paths share a draw, parameters."""
    run = synthetic_run(paths)
    loss = run["book_lender_loss"].values
    paid = np.minimum(0.5 * loss, 100.0)
    sizes = np.array([800.0, 200.0])
    notes = np.stack([np.maximum(loss - 200.0, 0.0), np.minimum(loss, 200.0)], axis=1)
    run = run.assign(
        note_loss=(("path", "note"), notes),
        note_interest=(("path", "note"), 0.1 * (sizes - notes)),
        note_principal=(("path", "note"), sizes - notes),
        structure_residual=(("path", "structure"), np.maximum(0.0, 50.0 - loss)[:, None]),
        overlay_payout=(("path", "overlay"), paid[:, None]),
        overlay_premium=(("path", "overlay"), np.full((paths, 1), 3.0)),
        book_lender_loss_net=("path", loss - paid),
    ).assign_coords(
        note=["senior", "junior"],
        note_size=("note", sizes),
        structure=["deal"],
        overlay=["cover"],
        path=np.arange(paths),
    )
    return with_uncertainty(run, per_draw) if per_draw > 1 else run


def half_and_nothing(run: xr.Dataset, per_draw: int = 1) -> tuple[xr.Dataset, xr.Dataset]:
    """The run with every other draw weighing nothing, and the other half of it alone."""
    kept = np.arange(run.sizes["path"]) // per_draw % 2 == 0
    weighted = run.assign(path_weight=("path", np.where(kept, 2.0, 0.0)))
    return weighted, run.isel(path=kept)


def numbers_of(run: xr.Dataset) -> Iterator[tuple[str, xr.Dataset]]:
    """Every table that an analysis of the run holds, and the comparison of scenarios."""
    analysis = analyse(run)
    yield from (
        (name, table)
        for name, table in analysis._asdict().items()
        if name != "run" and table is not None
    )
    twice = run.assign(book_lender_loss=1.5 * run["book_lender_loss"])
    yield "comparison", comparison_table({"base": outcome_of(run), "worse": outcome_of(twice)})


NOT_BY_WEIGHT = {
    "exceedance": "its grid lies at ranks of paths; bands are compared by hand",
    "convergence": "its blocks hold different paths; its end is compared by hand",
    "uncertainty": "weights must average 1 within each draw; compared by hand",
}


@pytest.mark.parametrize("per_draw", [1, 4])
def test_half_of_the_weight_is_half_of_the_run(per_draw: int) -> None:
    """An analysis that ignored weights, or took errors without them, would differ."""
    weighted, alone = half_and_nothing(complete(2400, per_draw), per_draw)
    tables = dict(numbers_of(alone))
    assert set(tables) >= {"risk", "notes", "overlays", "worst", "comparison"}
    assert ("uncertainty" in tables) == (per_draw > 1)
    compared = 0
    for name, table in numbers_of(weighted):
        if name in NOT_BY_WEIGHT:
            continue
        for key, values in table.data_vars.items():
            if values.dtype.kind != "f" or (name, key) == ("worst", "weight"):
                continue
            close = closeness(name, str(key))
            expected = tables[name][key].values
            scale = np.nanmax(np.abs(expected), initial=1e-9)
            gaps = np.abs(values.values - expected) / scale
            np.testing.assert_array_equal(np.isnan(gaps), np.isnan(expected), f"{name} {key}")
            assert np.nanmax(gaps, initial=0.0) < close, (name, key, np.nanmax(gaps))
            compared += expected.size
    assert compared > 900


def closeness(table: str, name: str) -> float:
    """Share of the largest number of a table by which others may differ.

    Errors of order statistics come from the normal law where there are weights, from the binomial
    law where there are none; and where weights vary, how many paths weigh anything is chance.
    """
    if name.endswith("tail_paths"):
        return 0.1
    if not name.endswith("_se"):
        return 1e-9
    if table in ("equity", "sponsors"):  # quantiles of laws with a gap
        return 0.25
    return 0.12 if "value_at_risk" in name else 0.06


def test_resampled_with_a_known_density_and_weighted_back() -> None:
    """Paths with large losses drawn up to eight times as often: every number agrees in errors."""
    parent = complete(3000)
    rank = ranks_of(parent["book_lender_loss"].values)
    density = 1.0 + 7.0 * rank**3
    density /= density.sum()
    picked = np.random.default_rng(21).choice(3000, 3000, p=density)
    drawn = parent.drop_vars("path").isel(path=picked)
    drawn = drawn.assign(path_weight=("path", 1.0 / (3000 * density[picked])))
    tables, scores = dict(numbers_of(parent)), []
    ignored = dict(numbers_of(drawn.drop_vars("path_weight")))
    wrong = 0
    for name, found in numbers_of(drawn):
        if name == "convergence":
            continue
        table, parts, others = (
            one.sel(level=[level for level in one["level"].values if level < 0.995])
            if "level" in one.coords and one["level"].ndim  # three paths make no error beyond
            else one
            for one in (found, tables[name], ignored[name])
        )
        for key in (str(key) for key in table if f"{key}_se" in table):
            exact, error = parts[key].values, table[f"{key}_se"].values
            known = np.isfinite(exact) & (error > 1e-6 * (1e-9 + np.abs(exact)))
            z = ((table[key].values - exact)[known]) / error[known]
            assert np.all(np.abs(z) < 6.0), (name, key, z)
            scores += z.tolist()
            off = (others[key].values - exact)[known] / error[known]
            wrong += np.count_nonzero(np.abs(off) > 6.0)
    assert len(scores) > 500
    assert 0.6 < np.sqrt(np.mean(np.square(scores))) < 1.3
    assert wrong > 100  # without the weights much of it would be far off


def test_curves_end_where_those_of_the_half_end() -> None:
    weighted, alone = half_and_nothing(complete(2400))
    one, other = analyse(weighted), analyse(alone)
    for name in ("expected_loss", "value_at_risk", "expected_shortfall"):
        ends = [table.convergence[name].isel(paths=-1).values for table in (one, other)]
        np.testing.assert_allclose(*ends, rtol=1e-9)
    assert one.convergence["paths"].values[-1] == 2400
    for prefix in ("", "book_"):
        for field in ("loss", "exceedance"):
            np.testing.assert_allclose(
                one.exceedance[prefix + field], other.exceedance[prefix + field], rtol=1e-9
            )
        np.testing.assert_allclose(
            one.exceedance[f"{prefix}exceedance_upper"],
            other.exceedance[f"{prefix}exceedance_upper"],
            rtol=0.02,
            atol=2e-3,
        )


def test_parameters_by_weight() -> None:
    """Every other path of each draw weighs nothing: what is found per draw stays as it is."""
    weighted, alone = half_and_nothing(complete(2400, 8))
    one, other = analyse(weighted).uncertainty, analyse(alone).uncertainty
    assert one is not None
    assert other is not None
    order = other["parameter"].values
    for name in ("slope", "rank_correlation"):
        np.testing.assert_allclose(
            one[name].sel(parameter=order), other[name], rtol=1e-9, err_msg=name
        )
    for name in ("total_variance", "between_variance", "between_share"):
        gap = np.abs(one[name] - other[name])
        assert (gap < 2.0 * np.hypot(one[f"{name}_se"], other[f"{name}_se"])).all(), name
    ignored = analyse(weighted.drop_vars("path_weight")).uncertainty
    assert ignored is not None
    assert not np.allclose(ignored["slope"].sel(parameter=order), other["slope"], rtol=1e-3)


def test_headline_and_report_tell_how_paths_were_drawn() -> None:
    weighted, alone = half_and_nothing(complete(800))
    assert sampling_facts(alone) is None
    facts = sampling_facts(weighted)
    assert facts is not None
    assert facts.effective_paths == pytest.approx(400.0)
    told = weighted.assign_attrs(
        sampling_method="importance", effective_sample_size=123.4, sampling_note="pilot of 2,000"
    )
    assert headline(analyse(told))["sampling"] == {
        "method": "importance",
        "effective_paths": 123.4,
        "effective_tail_paths": None,
        "note": "pilot of 2,000",
    }
    html = render_report(told.drop_vars([name for name in told if str(name).startswith("fan_")]))
    assert "importance sampling, 123 effective paths; pilot of 2,000" in html
    assert "123 of 800" in html
    assert "stands for a tenth of one drawn plainly" in html
    pictures(analyse(weighted))["exceedance"].figure()


def test_replicates_of_a_spread_run_are_no_draws_of_parameters() -> None:
    run = complete(800, 8).assign_attrs(sampling_method="quasi")
    assert analyse(run).uncertainty is None
    assert headline(analyse(run))["draws"] == 800
    assert analyse(complete(800, 8)).uncertainty is not None


def test_worst_paths_carry_their_weight_and_must_be_possible() -> None:
    weighted, _ = half_and_nothing(complete(400))
    table = worst_paths(weighted)
    assert (table["weight"] == 2.0).all()
    assert (table["path"].values % 2 == 0).all()


def test_what_was_never_seen_is_bounded_by_the_largest_weight() -> None:
    w = np.array([0.5, 0.5, 4.0, 0.5] * 50)
    assert independent_draws(w, 200) == 50.0
    assert independent_draws(Design(None, np.arange(200) // 8), 200) == 25
    assert independent_draws(Design(None, np.arange(200) // 8, spread=True), 200) == 200
    assert probability(np.zeros(200), w) == (0.0, 0.0)
    assert probability(np.ones(200), w) == (1.0, 0.0)


def reweighted(rng: np.random.Generator, n: int, shift: float) -> tuple[np.ndarray, np.ndarray]:
    """Normal scores, a third drawn plainly and the rest with a shifted mean; their weights."""
    z = rng.standard_normal(n) + np.where(rng.random(n) < 1.0 / 3.0, 0.0, shift)
    return z, 1.0 / (1.0 / 3.0 + 2.0 / 3.0 * np.exp(shift * z - shift**2 / 2.0))


Estimator = Callable[[np.ndarray, np.ndarray], Estimate]
CASES: dict[str, tuple[Estimator, float]] = {
    "constant": (lambda z, w: mean(np.full_like(z, 7.0), w), 7.0),
    "mean": (lambda z, w: mean(z + 1.0, w), 1.0),
    "rare": (lambda z, w: probability(z > 2.5, w), 0.0062096653),
    "likely": (lambda z, w: probability(z > -1.5, w), 0.9331927987),
    "difference": (lambda z, w: mean_difference(np.exp(z), z, w), 1.6487212707),
}


@pytest.mark.parametrize("name", CASES)
def test_means_by_weight_are_unbiased_with_honest_errors(name: str) -> None:
    estimator, exact = CASES[name]
    rng = np.random.default_rng(5)
    found = np.array([estimator(*reweighted(rng, 3000, 2.0)) for _ in range(300)])
    if name == "constant":
        np.testing.assert_allclose(found[:, 0], exact, rtol=1e-12)
        assert found[:, 1].max() < 1e-12
        return
    z = (found[:, 0] - exact) / found[:, 1]
    assert abs(z.mean()) < 4.0 / np.sqrt(300)
    assert 0.8 < (z * z).mean() < 1.25


def test_weighted_parts_add_up() -> None:
    rng = np.random.default_rng(6)
    z, w = reweighted(rng, 2000, 2.0)
    parts = [mean(np.where(cut, z, 0.0), w).value for cut in (z > 1, (z <= 1) & (z > 0), z <= 0)]
    assert sum(parts) == pytest.approx(mean(z, w).value, rel=1e-10)
    assert probability(z > 1, w).value + probability(z <= 1, w).value == pytest.approx(1.0)


def test_difference_of_runs_from_two_proposals() -> None:
    """Each side by its own weights; the same weights twice are those of one proposal."""
    rng = np.random.default_rng(7)
    found = []
    for _ in range(200):
        x, w = reweighted(rng, 2000, 2.0)
        y, v = reweighted(rng, 2000, 1.0)
        found.append(mean_difference(np.exp(x), y, w, v))
    z = (np.array(found)[:, 0] - 1.6487212707) / np.array(found)[:, 1]
    assert abs(z.mean()) < 4.0 / np.sqrt(200)
    assert 0.75 < (z * z).mean() < 1.3
    assert mean_difference(x, y, w, w).value == pytest.approx(mean_difference(x, y, w).value)
    same = [shortfall_difference(x, y, 0.95, w, other) for other in (w, None)]
    assert same[0] == same[1]


def test_a_weighted_run_against_a_plain_one() -> None:
    weighted, alone = half_and_nothing(complete(1200))
    outcomes = {"base": outcome_of(alone), "half": outcome_of(alone)}
    plain = comparison_table(outcomes)
    assert (plain["expected_loss_change_se"] == 0.0).all()
    base = outcome_of(weighted.drop_vars("path_weight"))
    table = comparison_table({"base": base, "weighted": outcome_of(weighted)}).sel(
        scenario="weighted"
    )
    change = mean(alone["book_lender_loss"]).value - mean(weighted["book_lender_loss"]).value
    assert float(table["expected_loss_change"]) == pytest.approx(change)
    assert float(table["expected_loss"]) == pytest.approx(mean(alone["book_lender_loss"]).value)
    value = mean(alone["equity_pnl"].sum("box") + alone["equity_contributions"].sum("box")).value
    before = mean(base.equity_value).value
    assert float(table["equity_value_change_share"]) == pytest.approx(value / before - 1.0)
    assert float(table["equity_value_change_share_se"]) > 0.0


def test_variance_within_and_between_by_weight() -> None:
    """1 between, 4 within, of paths whose noise was drawn with a shifted mean."""
    rng = np.random.default_rng(8)
    groups, found = np.arange(3000) // 6, np.empty((150, 4, 2))
    for i in range(150):
        z, w = reweighted(rng, 3000, 1.0)
        found[i] = variance_components(rng.exponential(size=500)[groups] + 2.0 * z, groups, w)
    for i, exact in enumerate((5.0, 4.0, 1.0, 0.2)):
        values, errors = found[:, i].T
        assert abs(values.mean() - exact) < 4.0 * values.std() / np.sqrt(150)
        assert errors.mean() == pytest.approx(values.std(), rel=0.25)


def test_a_tail_rests_on_what_its_weights_leave() -> None:
    losses = np.arange(1000.0)
    assert tail_count(losses, 0.99) == 10.0
    assert tail_count(np.where(losses > 996, losses, 0.0), 0.99) == 3.0  # the rest lose nothing
    assert tail_count(np.minimum(losses, 900.0), 0.99) == pytest.approx(10.0)  # part of an atom
    z, w = reweighted(np.random.default_rng(9), 3000, 3.0)
    assert tail_count(z, 0.999, w) > 50.0
    copies = Design(None, np.repeat(np.arange(1000), 3))
    assert tail_count(np.repeat(losses, 3), 0.99, copies) == pytest.approx(10.0, rel=0.02)
    assert tail_count(np.zeros(10), 0.9) == 0.0


def test_market_by_weight() -> None:
    """Market fans of a weighted market are those of the half that weighs something."""
    rng = np.random.default_rng(10)
    values = rng.gamma(2.0, 1.0, (600, 4)).astype(np.float32)
    shut = (rng.random((600, 4)) < 0.3).astype(np.int8)
    market = xr.Dataset(
        {
            "sofr": (("path", "month"), values, {"units": "1", "long_name": "rate"}),
            "shut": (
                ("path", "month"),
                shut,
                {"units": "1", "long_name": "shut", "flag_meanings": "no yes"},
            ),
        },
        coords={"month": np.arange(4)},
    )
    weighted, alone = half_and_nothing(market)
    one, other = market_fans(weighted), market_fans(alone)
    for name in ("fan_sofr", "fan_sofr_mean", "share_shut"):
        np.testing.assert_allclose(one[name], other[name], rtol=1e-6)
        gap = 0.3 if name == "fan_sofr" else 0.01
        np.testing.assert_allclose(one[f"{name}_se"], other[f"{name}_se"], rtol=gap)
