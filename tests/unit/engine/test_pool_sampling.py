"""Importance sampling of pools: against exact laws, against itself, and where it must give up."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from simulator.analytics import risk_table
from simulator.analytics.frame import estimate_at
from simulator.api import simulate
from simulator.config.pool_sampling import SamplingError
from simulator.config.pool_study import PoolStudy
from simulator.config.study import load_study
from simulator.engine.pool import PreparedPool, prepare_pool
from simulator.engine.pool_laws import draw_paths
from simulator.engine.pool_modes import TailBound, find_modes
from simulator.engine.pool_pilot import run_pilot, seed_of
from simulator.engine.pool_proposal import Proposal, costs_of, plain_proposal, tilted
from tests.unit.engine.small import as_bytes, differing
from tests.unit.engine.test_pool import names_of, study_file

QUICK = {"method": "importance", "level": 0.99, "pilot_paths": 8_000}
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(101)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def study_of(folder: Path, names: dict[str, Any], **keys: Any) -> PoolStudy:
    """Return a study of a year, without regimes unless given."""
    plain = {"regimes": None, "horizon_months": 12, "discount_rate": 0, **keys}
    study = load_study(study_file(folder, names, **plain))
    assert isinstance(study, PoolStudy)
    return study


def unlike_names(count: int) -> dict[str, Any]:
    """Names of whole exposures, all lost at a default, on two factors."""
    return {
        f"N{k:02}": {
            "exposure_usd_m": 1 + 2 * k % 7,
            "pd": 0.004 + 0.003 * (k % 5),
            "lgd": 1,
            "loadings": [0.5, 0.4 * (-1) ** k],
        }
        for k in range(count)
    }


def two_sectors(count: int) -> dict[str, Any]:
    """Names of two sectors that have nothing in common."""
    return {
        f"N{k:02}": {
            "exposure_usd_m": 1,
            "pd": 0.008,
            "lgd": 1,
            "loadings": [0.7, 0] if k < count // 2 else [0, 0.7],
        }
        for k in range(count)
    }


def law_of(study: PoolStudy) -> NDArray[np.float64]:
    """Return P(L = 0, 1, ...) by recursion over names, given factors and mixing (Andersen et al.).

    Two factors; a t copula's mixing by quantiles of chi2 at the same nodes.
    """
    names, nu = study.inputs.names, study.inputs.copula_nu
    first, second, normal = np.meshgrid(NODES, NODES, NODES if nu else [0.0], indexing="ij")
    weight = np.einsum("i,j,k->ijk", WEIGHTS, WEIGHTS, WEIGHTS if nu else [1.0])
    kept = weight > 1e-13
    first, second, weight, normal = first[kept], second[kept], weight[kept], normal[kept]
    scale = np.sqrt(stats.chi2.ppf(stats.norm.cdf(normal), nu) / nu) if nu else 1.0
    total = int(study.inputs.exposure)
    law = np.zeros((total + 1, weight.size))
    law[0] = 1.0
    for one in names:
        p = -np.expm1(-sum(one.hazard_per_year[:1]))
        limit = stats.t.ppf(p, nu) if nu else stats.norm.ppf(p)
        b, c = one.loadings
        chance = stats.norm.cdf(
            (limit * scale - b * first - c * second) / np.sqrt(1.0 - b * b - c * c)
        )
        moved = np.zeros_like(law)
        units = int(one.exposure)
        moved[units:] = law[: total + 1 - units]
        law = law * (1.0 - chance) + moved * chance
    return law @ weight


def score(terms: NDArray[np.float64], exact: float) -> float:
    return float((terms.mean() - exact) / (terms.std() / np.sqrt(terms.size)))


@pytest.mark.parametrize("copula", [{"kind": "gaussian"}, {"kind": "t", "nu": 5}])
def test_the_whole_law_is_unbiased(copula: dict[str, Any], tmp_path: Path) -> None:
    study = study_of(tmp_path, unlike_names(12 if copula["kind"] == "t" else 20), copula=copula)
    above = np.cumsum(law_of(study)[::-1])[::-1]
    prepared = prepare_pool(study.inputs)
    pilot = run_pilot(prepared, 1, 0.999, 0.2)
    assert pilot.used, pilot.note
    assert above[round(pilot.proposal.target)] == pytest.approx(0.001, rel=0.5)
    drawn = draw_paths(prepared, pilot.proposal, 2, 60_000)
    found = {
        x: score(drawn.weight * (drawn.loss > x - 0.5), above[x])
        for x in range(1, above.size)
        if above[x] > 1e-6
    }
    assert {x: z for x, z in found.items() if not abs(z) < 4.0} == {}
    assert abs(score(drawn.weight, 1.0)) < 4.0
    assert drawn.weight.max() <= 1.0 / pilot.proposal.shares[0]
    tail = drawn.weight * (drawn.loss > pilot.proposal.target - 0.5)
    chance = above[round(pilot.proposal.target)]
    assert tail.var() < 0.02 * chance * (1.0 - chance)  # fifty times fewer paths


def test_times_and_losses_keep_their_laws(tmp_path: Path) -> None:
    """Regimes, random and collateral losses: what is not twisted is drawn as in a plain run."""
    study = load_study(study_file(tmp_path, names_of(6), copula={"kind": "t", "nu": 6}))
    assert isinstance(study, PoolStudy)
    prepared = prepare_pool(study.inputs)
    shifts = np.array([[0.0, 0.0, 0.0], [-1.5, -0.5, -1.0], [-0.5, 1.0, -0.5]])
    law = Proposal(np.array([0.2, 0.5, 0.3]), shifts, 15.0)
    bent, straight = (outputs_of(pool, 40_000) for pool in (tilted(prepared, law), prepared))
    weight = bent.weight
    pairs = {
        "loss": (bent.loss, straight.loss),
        "by month 10": (by_month(bent, 10), by_month(straight, 10)),
        "by month 25": (by_month(bent, 25), by_month(straight, 25)),
        "square": (bent.book_loss[None] ** 2, straight.book_loss[None] ** 2),
        "outstanding": (bent.outstanding[-1:], straight.outstanding[-1:]),
    }
    for name, (ours, plain) in pairs.items():
        terms = weight * ours
        gap = terms.mean(axis=1) - plain.mean(axis=1)
        error = np.sqrt((terms.var(axis=1) + plain.var(axis=1)) / weight.size)
        assert (np.abs(gap) < 4.0 * error).all(), (name, gap / error)


def outputs_of(pool: PreparedPool, paths: int) -> Any:
    """Return the outputs of so many paths of one seed."""
    outputs, lanes = pool.outputs(paths), 128
    for first in range(0, paths, lanes):
        numbers = np.arange(first, min(first + lanes, paths), dtype=np.int64)
        pool.run_block(pool.state(numbers.size), 5, numbers, outputs, first)
    return outputs.fields


def by_month(outputs: Any, month: int) -> NDArray[np.float64]:
    """Return which names (name, path) are in default by a month."""
    struck = (outputs.default_month > 0.0) & (outputs.default_month <= month)
    return struck.astype(float)


def test_second_moment_of_shift_and_twist(tmp_path: Path) -> None:
    """Equal names: the variance of the estimator is a sum over factor and count, done exactly."""
    count, chance, rho, loss = 40, 0.03, 0.25, 12
    names = {
        f"N{k:02}": {"exposure_usd_m": 1, "pd": chance, "lgd": 1, "loadings": [rho**0.5, 0]}
        for k in range(count)
    }
    prepared = prepare_pool(study_of(tmp_path, names).inputs)
    start = np.array([[-2.0, 0.0, 0.0]])
    shift = find_modes(prepared, float(loss), start, np.zeros(1)).places[0]
    law = Proposal(np.array([0.0, 1.0]), np.vstack([np.zeros(3), shift]), float(loss))
    drawn = draw_paths(prepared, law, 3, 60_000)
    terms = (drawn.weight * (drawn.loss > loss + 0.5)) ** 2
    z = np.linspace(-9.0, 7.0, 4001)
    p = stats.norm.cdf((stats.norm.ppf(chance) - rho**0.5 * z) / np.sqrt(1.0 - rho))
    twist = np.where(count * p < loss, np.log(loss / (count - loss) * (1.0 - p) / p), 0.0)
    counts = np.arange(loss + 1, count + 1)[:, None]
    ratio = np.exp(-twist * counts + count * np.log1p(p * np.expm1(twist)))
    ratio = ratio * np.exp(-shift[0] * z + 0.5 * shift[0] ** 2)
    exact = float(
        np.trapezoid((stats.binom.pmf(counts, count, p) * ratio).sum(axis=0) * stats.norm.pdf(z), z)
    )
    assert abs(score(terms, exact)) < 4.0
    assert terms.std() / np.sqrt(terms.size) < 0.03 * exact


def test_the_slope_of_the_bound(tmp_path: Path) -> None:
    names = unlike_names(10) | {"many": {**unlike_names(1)["N00"], "granular": True, "lgd": 0.4}}
    copula = {"kind": "t", "nu": 5}
    bound = TailBound(prepare_pool(study_of(tmp_path, names, copula=copula).inputs), 15.0)
    limits, place = bound.limits(0.0), np.array([-1.0, 0.4, -0.7])
    _, slope = bound.at(place, limits)
    for k in range(3):
        step = np.eye(3)[k] * 1e-5
        rise = bound.at(place + step, limits)[0] - bound.at(place - step, limits)[0]
        assert slope[k] == pytest.approx(rise / 2e-5, rel=1e-4)


def test_both_modes_of_two_sectors_are_kept(tmp_path: Path) -> None:
    study = study_of(tmp_path, two_sectors(60))
    above = np.cumsum(law_of(study)[::-1])[::-1]
    loss = int(np.argmax(above < 0.001))
    prepared = prepare_pool(study.inputs)
    covered = 0
    for seed in range(4):
        pilot = run_pilot(prepared, seed, 0.999, 0.1)
        worse = pilot.proposal.shifts[1:, :2] < -2.5
        assert worse[:, 0].any()
        assert worse[:, 1].any()
        for run in range(50):
            drawn = draw_paths(prepared, pilot.proposal, 50 * seed + run, 1_000)
            terms = drawn.weight * (drawn.loss > loss - 0.5)
            covered += abs(score(terms, above[loss])) < 1.96
    assert covered > 0.90 * 200


def test_a_lost_mode_is_no_secret(tmp_path: Path) -> None:
    """With one of two modes, the plain share keeps estimates and errors right, if dear."""
    study = study_of(tmp_path, two_sectors(60))
    above = np.cumsum(law_of(study)[::-1])[::-1]
    prepared = prepare_pool(study.inputs)
    law = Proposal(np.array([0.2, 0.8]), np.array([[0.0, 0.0, 0.0], [-3.3, 0.0, 0.0]]), 12.0)
    drawn = draw_paths(prepared, law, 9, 60_000)
    terms = drawn.weight * (drawn.loss > 9.5)
    assert abs(score(terms, above[10])) < 4.0
    assert terms.std() / np.sqrt(terms.size) > 0.02 * above[10]


def test_runs_do_not_depend_on_how_they_are_computed(tmp_path: Path) -> None:
    file = study_file(tmp_path, unlike_names(8), regimes=None, sampling=QUICK)
    whole = simulate(file, paths=700, seed=4)
    for keys in ({"block": 33}, {"chunk": 200, "jobs": 2}, {"chunk": 128, "executor": "serial"}):
        assert differing(as_bytes(whole), as_bytes(simulate(file, paths=700, seed=4, **keys))) == []
    stored = simulate(file, paths=700, seed=4, out=tmp_path / "run")
    assert differing(as_bytes(whole), as_bytes(stored)) == []
    assert stored.attrs == whole.attrs
    assert stored.attrs["sampling_method"] == "importance"
    again = simulate(file, paths=300, seed=4)
    np.testing.assert_array_equal(again["path_weight"], whole["path_weight"][:300])


def test_a_resumed_run_reads_what_its_pilot_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = study_file(tmp_path, unlike_names(8), regimes=None, sampling=QUICK)
    whole = simulate(file, paths=600, seed=4)

    def stop(progress: Any) -> None:
        raise KeyboardInterrupt

    keys: dict[str, Any] = {"paths": 600, "seed": 4, "chunk": 128, "out": tmp_path / "run"}
    with pytest.raises(KeyboardInterrupt):
        simulate(file, report=stop, executor="serial", **keys)
    kept = json.loads((tmp_path / "run" / "sampling.json").read_text())
    assert kept["method"] == "importance"
    monkeypatch.setattr("simulator.engine.pool_pilot.run_pilot", None)
    resumed = simulate(file, resume=True, **keys)
    assert differing(as_bytes(whole), as_bytes(resumed)) == []


def test_the_risk_table_of_a_weighted_run(tmp_path: Path) -> None:
    file = study_file(tmp_path, unlike_names(20), regimes=None, horizon_months=12, discount_rate=0)
    study = load_study(file)
    assert isinstance(study, PoolStudy)
    law = law_of(study)
    losses, above = np.arange(law.size), np.cumsum(law[::-1])[::-1]
    var = int(losses[above >= 0.001][-1])
    exact = var + float(np.maximum(losses - var, 0.0) @ law) / 0.001
    run = simulate(study, paths=20_000, seed=6, sampling="importance")
    value, se = estimate_at(risk_table(run), "book_expected_shortfall", level=0.999)
    assert abs(value - exact) < 4.0 * se
    assert se < 0.01 * exact
    assert run.attrs["effective_tail_paths"] > 1_000


def test_proposals_that_would_not_serve_are_given_up(tmp_path: Path) -> None:
    """One name: its default is all there is to a tail, and no law makes it tell more."""
    one = {"N": {"exposure_usd_m": 10, "pd": 0.2, "lgd": 1, "loadings": [0.3, 0.0]}}
    file = study_file(tmp_path, one, regimes=None, sampling={"method": "importance", "level": 0.9})
    given_up, plain = simulate(file, paths=400), simulate(file, paths=400, sampling="plain")
    assert given_up.attrs["sampling_method"] == "plain"
    assert "given up" in given_up.attrs["sampling_note"]
    assert (given_up["path_weight"] == 1.0).all()
    assert "path_weight" not in plain
    np.testing.assert_array_equal(given_up["lender_loss"], plain["lender_loss"])


def test_paths_of_the_plain_law_are_those_of_a_plain_run(tmp_path: Path) -> None:
    study = load_study(study_file(tmp_path, names_of(6), copula={"kind": "t", "nu": 4}))
    prepared = prepare_pool(study.inputs)
    ours = outputs_of(tilted(prepared, plain_proposal(prepared)), 500)
    plain = outputs_of(prepared, 500)
    assert (ours.weight == 1.0).all()
    for name in ("default_month", "loss", "book_loss", "outstanding"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(plain, name))


def test_names_that_are_many_count(tmp_path: Path) -> None:
    """A granular pool has no defaults to twist, but its factors can be shifted."""
    many = {
        "N": {
            "exposure_usd_m": 100,
            "pd": 0.02,
            "lgd": 1,
            "granular": True,
            "loadings": [0.4, 0.2],
        }
    }
    prepared = prepare_pool(study_of(tmp_path, many).inputs)
    assert costs_of(prepared).total == pytest.approx(100.0)
    pilot = run_pilot(prepared, 1, 0.999, 0.2)
    assert pilot.used, pilot.note
    drawn = draw_paths(prepared, pilot.proposal, 2, 20_000)
    rho = 0.2
    score_at = stats.norm.ppf(0.02) - np.sqrt(rho) * stats.norm.ppf(0.001)
    loss = 100.0 * stats.norm.cdf(score_at / np.sqrt(1.0 - rho))
    assert abs(score(drawn.weight * (drawn.loss > loss), 0.001)) < 4.0


def test_what_pools_have_no_use_for_is_refused(tmp_path: Path) -> None:
    study = study_of(tmp_path, unlike_names(3))
    with pytest.raises(SamplingError, match="got 'quasi'"):
        simulate(study, paths=10, sampling="quasi")
    odd = replace(study, sampling=study.sampling.model_copy(update={"measure": "note_loss"}))
    with pytest.raises(SamplingError, match="note_loss"):
        simulate(odd, paths=10, sampling="importance")


def test_pilots_have_paths_of_their_own() -> None:
    seeds = {seed_of(seed, stage) for seed in range(20) for stage in range(10)}
    assert len(seeds) == 200
    assert all(0 <= seed < 1 << 63 for seed in seeds)


@pytest.mark.nojit
def test_a_few_tilted_paths_have_the_law_of_the_pool(tmp_path: Path) -> None:
    """Small enough for plain Python: sums of weights over what few names can lose."""
    study = study_of(tmp_path, unlike_names(4))
    shifts = np.array([[0.0, 0.0, 0.0], [-1.5, 0.5, 0.0], [-0.5, -1.0, 0.0]])
    pool = tilted(prepare_pool(study.inputs), Proposal(np.array([0.3, 0.4, 0.3]), shifts, 4.0))
    drawn = outputs_of(pool, 1_500)
    law = law_of(study)
    assert abs(score(drawn.weight, 1.0)) < 4.0
    assert drawn.weight.max() <= 1.0 / 0.3 + 1e-12
    mean = float(law @ np.arange(law.size))
    assert abs(score(drawn.weight * drawn.book_loss, mean)) < 4.0
    above = drawn.weight * (drawn.book_loss > 3.5)
    assert abs(score(above, float(law[4:].sum()))) < 4.0
    assert (drawn.book_loss > 3.5).mean() > 10.0 * law[4:].sum()
