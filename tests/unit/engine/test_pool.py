"""Pools: paths that depend on nothing but seed and number, and counts against a recursion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from simulator.api import simulate
from simulator.config.pool_study import PoolStudy
from simulator.config.study import load_study
from tests.reference.pool import simulate_pool
from tests.unit.engine.small import as_bytes, differing

pytestmark = pytest.mark.nojit


def names_of(count: int) -> dict[str, Any]:
    """Names with curves, losses and loadings of every kind."""
    names: dict[str, Any] = {}
    for k in range(count):
        names[f"N{k}"] = {
            "exposure_usd_m": 5.0 + k,
            "hazard_per_year": [0.05 + 0.02 * k, 0.2],
            "lgd": 0.5,
            "lgd_sd": 0.2 * (k % 2),
            "loadings": [0.5, 0.3 * (-1) ** k],
        }
    loan = {"loan_rate": 0.09, "loan_months": 18, "collateral_usd_m": 6.0, "lgd": None}
    names["N0"] |= loan | {"lgd_sd": 0.0, "collateral_monthly_factor": 0.95, "sale_lag_months": 2}
    return names


def study_file(folder: Path, names: dict[str, Any], **keys: Any) -> Path:
    study = {
        "schema": "neobox.credit/1",
        "name": "pool",
        "start": "2026-11",
        "horizon_months": 30,
        "discount_rate": 0.05,
        "names": names,
        "tranches": {"equity": {"attachment": 0, "detachment": 0.1}},
        "regimes": {
            "generator": [[-0.5, 0.5], [2.0, -2.0]],
            "start": [0.6, 0.4],
            "hazard_per_year": [0.01, 0.3],
        },
        **keys,
    }
    path = folder / "study.yaml"
    path.write_text(json.dumps(study), encoding="utf-8")
    return path


@pytest.mark.parametrize("copula", [{"kind": "gaussian"}, {"kind": "t", "nu": 4}])
def test_results_do_not_depend_on_how_they_are_computed(
    copula: dict[str, Any], tmp_path: Path
) -> None:
    file = study_file(tmp_path, names_of(6), copula=copula)
    whole = as_bytes(simulate(file, paths=90, block=90))
    assert differing(whole, as_bytes(simulate(file, paths=90, block=7, chunk=21, jobs=3))) == []
    out = tmp_path / "run"
    assert differing(whole, as_bytes(simulate(file, paths=90, block=32, out=out))) == []


def test_another_name_shifts_no_draw(tmp_path: Path) -> None:
    few = simulate(study_file(tmp_path, names_of(4)), paths=60)
    many = simulate(study_file(tmp_path, names_of(6)), paths=60)
    for name in ("lender_loss", "facility_default_month", "lender_principal_loss"):
        kept = many[name].sel(facility=few["facility"])
        np.testing.assert_array_equal(few[name], kept)


def test_a_repaid_loan_does_not_default(tmp_path: Path) -> None:
    run = simulate(study_file(tmp_path, names_of(2)), paths=400)
    months = run["facility_default_month"].sel(facility="N0").values
    assert (months > 0).any()
    assert months.max() <= 18
    assert (run["facility_censored"].sel(facility="N0") == 0).all()


def test_sums_and_series_tell_the_same(tmp_path: Path) -> None:
    run = simulate(study_file(tmp_path, names_of(5)), paths=300, keep_paths=True)
    loss = run["lender_loss"].sum("facility")
    np.testing.assert_allclose(run["book_lender_loss"], loss, rtol=1e-12)
    size = float(run["note_size"][0])
    np.testing.assert_allclose(run["note_loss"][:, 0], np.clip(loss, 0.0, size), rtol=1e-12)
    last = run["fan_cumulative_lender_loss_mean"].values[-1]
    assert last == pytest.approx(float(loss.mean()), rel=1e-5)
    alive = run["facility_default_month"].values == 0
    owed = np.where(run["facility_lent"].values == 5.0, 0.0, run["facility_lent"].values)
    left = (alive * owed).sum(axis=1).mean()
    assert run["fan_outstanding_debt_mean"].values[-1] == pytest.approx(left, rel=1e-5)


@pytest.mark.parametrize("nu", [0.0, 4.0])
def test_paths_are_those_of_the_reference_model(nu: float, tmp_path: Path) -> None:
    """Every name, every month, on paths with and without defaults, bit for bit but rounding."""
    copula = {"kind": "t", "nu": nu} if nu else {"kind": "gaussian"}
    study = load_study(study_file(tmp_path, names_of(6), copula=copula))
    assert isinstance(study, PoolStudy)
    run = simulate(study, paths=40, seed=3, keep_paths=True)
    assert (run["facility_default_month"] > 0).any("path").all()
    for path in range(40):
        one, row = simulate_pool(study.inputs, 3, path), run.isel(path=path)
        for name, expected in (
            ("facility_default_month", one.default_month),
            ("exposure_at_default", one.claim),
            ("lender_principal_loss", one.nominal_loss),
            ("lender_loss", one.loss),
            ("note_loss", one.notes),
        ):
            got = row[name].values
            np.testing.assert_allclose(got, list(expected.values()), rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(row["book_lender_loss"], sum(one.loss.values()), rtol=1e-9)
        np.testing.assert_allclose(row["outstanding_debt"], one.outstanding, rtol=1e-6, atol=1e-5)
        losses = row["cumulative_lender_loss"]
        np.testing.assert_allclose(losses, one.loss_so_far, rtol=1e-6, atol=1e-6)


def counts(pd: np.ndarray, loadings: np.ndarray, nu: float = 0.0) -> np.ndarray:
    """Law of the number of defaults of a one-factor pool: recursion over names given the factor.

    Andersen, Sidenius and Basu (2003); the mixing variable of a t copula by quantiles of its law.
    """
    z = np.linspace(-8.0, 8.0, 801)
    weight = stats.norm.pdf(z)
    weight /= weight.sum()
    mixing = np.ones(1)
    if nu:
        mixing = np.sqrt(stats.chi2.ppf((np.arange(400) + 0.5) / 400, nu) / nu)
    law = np.zeros(pd.size + 1)
    edge = stats.t.ppf(pd, nu) if nu else stats.norm.ppf(pd)
    for w in mixing:
        given = np.zeros((z.size, pd.size + 1))
        given[:, 0] = 1.0
        for q, b in zip(edge, loadings, strict=True):
            p = stats.norm.cdf((q * w - b * z) / np.sqrt(1.0 - b * b))[:, None]
            moved = np.concatenate([np.zeros((z.size, 1)), given[:, :-1]], axis=1)
            given = (1.0 - p) * given + p * moved
        law += weight @ given / mixing.size
    return law


@pytest.mark.parametrize("nu", [0.0, 4.0])
def test_defaults_by_each_date_follow_the_exact_law(nu: float, tmp_path: Path) -> None:
    """One run, three dates: hazards by year, loadings of their own, the law of the count."""
    paths = 4_000
    loadings = np.array([0.2, 0.5, 0.7, 0.4, 0.6, 0.3])
    first = np.array([0.05, 0.1, 0.02, 0.2, 0.15, 0.08])
    names = {
        f"N{k}": {
            "exposure_usd_m": 1.0,
            "lgd": 1.0,
            "hazard_per_year": [first[k], 0.3, 0.1],
            "loadings": float(loadings[k]),
        }
        for k in range(6)
    }
    copula = {"kind": "t", "nu": nu} if nu else {"kind": "gaussian"}
    file = study_file(tmp_path, names, regimes=None, copula=copula)
    months = simulate(file, paths=paths)["facility_default_month"].values
    for month, integrated in ((6, first / 2), (12, first), (30, first + 0.3 + 0.05)):
        law = counts(-np.expm1(-integrated), loadings, nu)
        seen = np.bincount(((months > 0) & (months <= month)).sum(axis=1), minlength=7) / paths
        error = np.sqrt(law * (1.0 - law) / paths)
        likely = law * paths > 5.0
        assert np.all(np.abs(seen - law)[likely] < 4.0 * error[likely]), month


def test_a_granular_loan_loses_what_is_expected_month_by_month(tmp_path: Path) -> None:
    """Without loadings nothing is left to chance: survival, claims and sales worked out by hand."""
    one = {"exposure_usd_m": 10.0, "hazard_per_year": [0.1, 0.3], "granular": True}
    loan = {"loan_rate": 0.12, "loan_months": 24, "collateral_usd_m": 9.0, "sale_cost": 0.1}
    moving = {"lgd": 0.4, "lgd_loadings": [0.0]}
    names = {"loan": {**one, **loan}, "fixed": {**one, **moving, "hazard_per_year": [0.1]}}
    file = study_file(
        tmp_path, names, regimes=None, horizon_months=24, discount_rate=0.06, tranches={}
    )
    run = simulate(file, paths=5, keep_paths=True)
    months = np.arange(1, 25)
    survival = np.exp(-np.cumsum(np.where(months <= 12, 0.1, 0.3)) / 12.0)
    struck = -np.diff(survival, prepend=1.0)
    v = 1.0 / 1.01
    balance = 10.0 * (1.0 - v ** (24.0 - np.arange(25))) / (1.0 - v**24)
    claim = balance[:-1] * 1.01
    discount = 1.005**-months
    expected = struck @ (discount * (claim - np.minimum(claim, 9.0 * 0.9)))
    np.testing.assert_allclose(run["lender_loss"].sel(facility="loan"), expected, rtol=1e-12)
    fixed = 10.0 * 0.4 * (-np.diff(np.exp(-0.1 * np.arange(25) / 12.0))) @ discount
    np.testing.assert_allclose(run["lender_loss"].sel(facility="fixed"), fixed, rtol=1e-12)
    left = survival * balance[1:] + 10.0 * np.exp(-0.1 * months / 12.0)
    np.testing.assert_allclose(run["fan_outstanding_debt_mean"], left, rtol=1e-6)


def test_one_of_many_tells_when_and_how_much(tmp_path: Path) -> None:
    """Month, claim and nominal loss are those of the name as one; the loss is steadier."""
    one = {"exposure_usd_m": 10.0, "pd": 0.3, "lgd": 0.4, "lgd_sd": 0.2, "loadings": [0.4]}
    runs = [
        simulate(
            study_file(tmp_path, {"A": {**one, "granular": granular}}, regimes=None), paths=400
        )
        for granular in (True, False)
    ]
    for name in ("facility_default_month", "exposure_at_default", "lender_principal_loss"):
        np.testing.assert_array_equal(runs[0][name], runs[1][name])
    many, single = (run["book_lender_loss"].values for run in runs)
    assert many.std() < 0.6 * single.std()
    assert abs((many - single).mean()) < 4.0 * (many - single).std() / 20.0


@pytest.mark.parametrize("copula", [{"kind": "gaussian"}, {"kind": "t", "nu": 4}])
def test_granular_names_do_not_depend_on_how_they_are_computed(
    copula: dict[str, Any], tmp_path: Path
) -> None:
    names = names_of(3)
    names["N1"] |= {"granular": True}
    names["N2"] |= {"lgd_loadings": [0.3, 0.1], "lgd_sd": 0.0}
    file = study_file(tmp_path, names, copula=copula, regimes=None)
    run = simulate(file, paths=90, block=90)
    kept, whole = run["lender_loss"].sel(facility="N0").values, as_bytes(run)
    assert differing(whole, as_bytes(simulate(file, paths=90, block=7, chunk=21, jobs=3))) == []
    plain = study_file(tmp_path, names_of(3), copula=copula, regimes=None)
    same = simulate(plain, paths=90)["lender_loss"].sel(facility="N0").values
    np.testing.assert_array_equal(same, kept)
