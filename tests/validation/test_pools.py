"""Credit-only studies against exact values: finite pools, two factors, regimes, one loan."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulator import simulate
from simulator.analytics import contribution_table, notes_table, probability, risk_table
from simulator.analytics.frame import estimate_at
from tests.validation.pool_cases import (
    CASES,
    book,
    deviation_score,
    homogeneous,
    scores,
    study_of,
    write,
)

HIGHEST = 4.0  # standard errors
HOMOGENEOUS = [name for name in CASES if name.startswith(("GPOOL", "TPOOL"))]
HETEROGENEOUS = [name for name in CASES if name.startswith("ASB")]


def check(found: dict[str, float]) -> None:
    assert {key: z for key, z in found.items() if not abs(z) < HIGHEST} == {}


@pytest.mark.parametrize("name", HOMOGENEOUS)
def test_finite_homogeneous_pools(name: str, tmp_path: Path) -> None:
    case, exact = CASES[name], CASES[name]["expected"]
    copula = {"kind": "t", "nu": case["nu"]} if case["nu"] else {"kind": "gaussian"}
    file = write(tmp_path, study_of(homogeneous(case), copula=copula))
    run = simulate(file, paths=60_000, seed=11)
    lgd, loss, risk, notes = case["lgd"], book(run), risk_table(run), notes_table(run)
    assert notes is not None
    found = {
        "mean": scores(*estimate_at(risk, "book_expected_loss"), lgd * exact["mean"]),
        "sd": deviation_score(loss, lgd * exact["sd"]),
    }
    for level, value in exact["shortfall"].items():
        estimate = estimate_at(risk, "book_expected_shortfall", level=float(level))
        found[f"ES {level}"] = scores(*estimate, lgd * value)
    for count, value in exact["at_least"].items():
        estimate = probability(loss > lgd * (float(count) - 0.5))
        found[f"P({count})"] = scores(*estimate, value)
    for edges, value in exact["tranches"].items():
        if value > 1e-4:
            estimate = estimate_at(notes, "expected_loss_share", note=edges)
            found[edges] = scores(*estimate, value)
    check(found)


@pytest.mark.parametrize("name", HETEROGENEOUS)
def test_heterogeneous_pools(name: str, tmp_path: Path) -> None:
    case, exact = CASES[name], CASES[name]["expected"]
    names = {
        f"N{k:03}": {
            "exposure_usd_m": one["units"],
            "pd": one["pd"],
            "lgd": 1,
            "loadings": one["loadings"],
        }
        for k, one in enumerate(case["names"])
    }
    run = simulate(write(tmp_path, study_of(names)), paths=100_000, seed=12)
    loss, risk, notes = book(run), risk_table(run), notes_table(run)
    assert notes is not None
    found = {
        "mean": scores(*estimate_at(risk, "book_expected_loss"), exact["mean"]),
        "sd": deviation_score(loss, exact["sd"]),
    }
    for level, value in exact["shortfall"].items():
        estimate = estimate_at(risk, "book_expected_shortfall", level=float(level))
        found[f"ES {level}"] = scores(*estimate, value)
    for units, value in exact["exceed"].items():
        found[f"P({units})"] = scores(*probability(loss > float(units) + 0.5), value)
    for edges, value in exact["tranches"].items():
        if value > 1e-4:
            found[edges] = scores(*estimate_at(notes, "expected_loss_share", note=edges), value)
    if "contributions" in exact:
        parts = contribution_table(run)
        unseen = 1.0 / (0.01 * loss.size)  # of a name's exposure: what no path of the tail shows
        for k, value in enumerate(exact["contributions"]):
            part, se = estimate_at(parts, "shortfall_contribution", facility=f"N{k:03}", level=0.99)
            found[f"part {k}"] = scores(part, max(se, unseen * case["names"][k]["units"]), value)
    check(found)


def test_random_losses_given_default(tmp_path: Path) -> None:
    case, exact = CASES["BLGD-P1"], CASES["BLGD-P1"]["expected"]
    a, b = case["a"], case["b"]
    mean, sd = a / (a + b), np.sqrt(a * b / (a + b + 1.0)) / (a + b)
    names = homogeneous(case, lgd=mean, lgd_sd=float(sd))
    run = simulate(write(tmp_path, study_of(names)), paths=100_000, seed=13)
    share = book(run) / case["names"]
    check(
        {
            "mean": scores(share.mean(), share.std() / np.sqrt(share.size), exact["mean"]),
            "sd": deviation_score(share, exact["sd"]),
        }
    )


def test_names_of_one_regime(tmp_path: Path) -> None:
    case, exact = CASES["REGP-P1"], CASES["REGP-P1"]["expected"]
    names = {f"N{k:02}": {"exposure_usd_m": 1.0, "lgd": 1.0} for k in range(case["n"])}
    regimes = {
        "generator": case["Q"],
        "start": case["pi0"],
        "hazard_per_year": case["haz"],
    }
    study = study_of(names, regimes=regimes, horizon_months=int(12 * case["T"]))
    loss = book(simulate(write(tmp_path, study), paths=200_000, seed=14))
    found = {"mean": scores(loss.mean(), loss.std() / np.sqrt(loss.size), exact["mean"])}
    for count, value in enumerate(exact["pmf"]):
        if value > 1e-4:
            estimate = probability(np.abs(loss - count) < 0.5)
            found[f"P({count})"] = scores(*estimate, value)
    check(found)


def test_one_loan_on_falling_collateral(tmp_path: Path) -> None:
    case, exact = CASES["W32"], CASES["W32"]["expected"]
    loan = {
        "exposure_usd_m": case["debt"] / 1e6,
        "loan_rate": case["rate"],
        "loan_months": case["months"],
        "hazard_per_year": case["hazard"],
        "collateral_usd_m": case["v0"] / 1e6,
        "collateral_monthly_factor": case["monthly_factor"],
        "sale_cost": case["cost"],
        "sale_lag_months": case["lag"],
    }
    study = study_of(
        {"loan": loan}, horizon_months=case["months"], discount_rate=case["discount"], tranches={}
    )
    run = simulate(write(tmp_path, study), paths=100_000, seed=15)
    months = run["facility_default_month"].values[:, 0]
    claim = run["exposure_at_default"].values[:, 0]
    nominal, present = (
        1e6 * run[name].values[:, 0] for name in ("lender_principal_loss", "lender_loss")
    )
    struck = months > 0
    table = np.array(case["months_table"])
    np.testing.assert_allclose(1e6 * claim[struck], table[months[struck] - 1, 0], rtol=1e-10)
    np.testing.assert_allclose(nominal[struck], table[months[struck] - 1, 1], rtol=0, atol=1e-5)

    def mean(values: np.ndarray, value: float) -> float:
        return scores(values.mean(), values.std() / np.sqrt(values.size), value)

    found = {
        "PD": mean(struck.astype(float), exact["PD_lifetime"]),
        "EL": mean(nominal, exact["EL_undiscounted"]),
        "EL, PV": mean(present, exact["EL_discounted"]),
    }
    for month in (1, 12, 24, 48):
        found[f"month {month}"] = mean((months == month).astype(float), table[month - 1, 2])
    check(found)


@pytest.mark.parametrize("name", ["VAS-P2", "VAS-P4"])
def test_large_pools_tend_to_the_limit_of_vasicek(name: str, tmp_path: Path) -> None:
    """The finite pool has the limit's mean, and its variance plus the exact term in 1/n."""
    case, exact, count = CASES[name], CASES[name]["expected"], 1000
    names = homogeneous({**case, "names": count})
    run = simulate(write(tmp_path, study_of(names)), paths=20_000, seed=16)
    share = book(run) / count
    lgd, pd = case["lgd"], case["pd"]
    second = pd**2 + (exact["sd"] / lgd) ** 2  # E p(Z)^2
    sd = np.sqrt(exact["sd"] ** 2 + lgd**2 * (pd - second) / count)
    shortfall = estimate_at(risk_table(run), "book_expected_shortfall_share", level=0.95)
    check(
        {
            "mean": scores(share.mean(), share.std() / np.sqrt(share.size), exact["mean"]),
            "sd": deviation_score(share, float(sd)),
            "ES": scores(*shortfall, exact["shortfall"]["0.95"]),
        }
    )
