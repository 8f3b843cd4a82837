"""Single drivers, estimators and random numbers against laws that are known.

Cases of the package with few paths and many seeds: scores must be as large as chance makes them.
Then the same kinds of cases with parameters of their own, against closed forms worked out here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm
from scipy.stats import gamma, norm, poisson, qmc

from simulator.selfcheck import Draws, kind_of
from simulator.selfcheck.folder import SHIPPED, Verdict, cases_of, check_folder, verdict
from simulator.selfcheck.generator import binary_ranks
from simulator.selfcheck.told import sum_of
from tests.unit.drivers.vasicek import bond

SEEDS = range(1, 21)
FILES = ("drivers", "statistics", "random_numbers")
CASES = {one["id"]: one for name in FILES for one in cases_of(SHIPPED / f"{name}.json")}
PATHS = {"VRID-P1": 20_000}  # the variance of a variance takes more of them
RANDOM = [name for name in CASES if name[:3] not in ("HAZ", "HDM", "OSC", "PHX", "SOB", "NIN")]


def run(case: dict[str, Any], seed: int, paths: int) -> Verdict:
    """Run a case, its seed its own as in a folder of cases."""
    return verdict(case, Draws(seed, paths, folder=SHIPPED).of(case["id"]))


@pytest.mark.parametrize("name", RANDOM)
def test_scores_of_twenty_seeds(name: str) -> None:
    """|z| < 4 each; the mean of z squared over seeds in its band, on both sides."""
    found = [run(CASES[name], seed, PATHS.get(name, 4_000)) for seed in SEEDS]
    assert all(one.passed for one in found), [one.where for one in found if not one.passed]
    together = sum_of(found)
    assert together.cases == len(SEEDS)
    assert together.low < together.mean_square < together.high


def test_exact_cases() -> None:
    """Numbers without errors to their tolerance, words letter by letter, tables row by row."""
    for name in CASES.keys() - RANDOM:
        found = run(CASES[name], 1, 1)
        assert found.passed, (name, found.where)
        assert not found.missing
        assert len(found.found) + found.months > 2
    assert run(CASES["PHX-P2"], 1, 1).months == 24  # three sets of eight blocks
    assert run(CASES["SOB-P1"], 1, 1).months == 16 * 11
    assert run(CASES["NINV-P1"], 1, 1).months == 32


def changed(name: str, *path: str | int, to: Any) -> dict[str, Any]:
    """Return a case that expects something else."""
    case = json.loads(json.dumps(CASES[name]))
    place = case["expected"]
    for part in path[:-1]:
        place = place[part]
    place[path[-1]] = to
    return dict(case)


def test_what_is_wrong_is_told(tmp_path: Path) -> None:
    """A word of a block, a rank, a price ten standard errors off, a digit of a table."""
    block = ("seed 42", "first_32_words", 3)
    words = CASES["PHX-P2"]["expected"]["seed 42"]["first_32_words"][3]
    found = run(changed("PHX-P2", *block, to="1" + words[1:]), 1, 1)
    assert (found.passed, found.where) == (False, "seed 42/first_32_words/3")
    rank = ("n=1000,alpha=0.95,conf=0.95", "upper_rank")
    assert not run(changed("OSCI-P1", *rank, to=963), 1, 1).passed
    assert not run(changed("VASR-P2", "bond", to=0.65), 1, 4_000).passed
    table = (SHIPPED / "normal_quantiles.csv").read_text(encoding="utf-8")
    digit = table.replace("-37.04709629936119923654704", "-37.04709629936219923654704")
    assert digit != table
    (tmp_path / "normal_quantiles.csv").write_text(digit, encoding="utf-8")
    (tmp_path / "mine.json").write_text(json.dumps({"cases": [CASES["NINV-P1"]]}), encoding="utf-8")
    (only,) = check_folder(tmp_path)
    assert not only.passed


def closed_forms() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    """Return parameters of kinds of cases with what they must give."""
    rates = {"kappa": 1.4, "theta": 0.03, "sigma": 0.02, "r0": 0.06, "T": 3.3}
    price = bond(0.06, 0.03, 1.4, 0.02, 3.3)
    left = np.exp(-1.4 * 3.3)
    logs = {"kappa": 3.0, "alpha": 4.0, "sigma": 0.9, "x0": 3.5, "T": 0.7}
    variance = 0.81 / 6.0 * -np.expm1(-6.0 * 0.7)
    mean = 4.0 - 0.5 * np.exp(-2.1)
    jumps = {"lam": 1.5, "jump_mean": 0.2}
    jumped = 1.5 * 0.2 / 3.0 * -np.expm1(-2.1)
    merton = {"S0": 50.0, "mu": 0.1, "sigma": 0.3, "lam": 2.0, "T": 0.5}
    merton |= {"jump_mean": 0.1, "jump_sd": 0.3}
    counts, sizes = poisson.pmf(range(60), 6.0), np.arange(60)
    beyond = counts @ np.where(sizes > 0, gamma.sf(20.0, np.maximum(sizes, 1e-9), scale=2.0), 0.0)
    chain = np.array([[-1.5, 1.5], [0.4, -0.4]])
    hazards = np.array([0.3, 0.05])
    alive = (np.array([0.0, 1.0]) @ expm((chain - np.diag(hazards)) * 2.2)).sum()
    growth = (np.array([0.0, 1.0]) @ expm((chain + np.diag([0.2, -0.3])) * 2.2)).sum()
    regimes = {"Q": chain.tolist(), "pi0": [0, 1], "T": 2.2, "haz": hazards.tolist()}
    moved = {"mu": [0.2, -0.3], "sig": [0.5, 0.2]}
    spells = {"erlang_k": 2, "mean1_months": 9.0, "weibull_shape": 1.5, "mean2_months": 15.0}
    return {
        "short_rate": (
            rates,
            {
                "bond": price,
                "mean_r": 0.03 + 0.03 * left,
                "var_r": 4e-4 / 2.8 * (1.0 - left**2),
            },
        ),
        "log_price": (
            logs,
            {"mean_x": mean, "var_x": variance, "mean_price": np.exp(mean + variance / 2.0)},
        ),
        "log_price_with_jumps": (logs | jumps, {"mean_x": mean + jumped}),
        "compound_sum": (
            {"lam": 6.0, "severity_mean": 2.0},
            {"mean": 12.0, "var": 48.0, "P_gt": {"20": beyond}},
        ),
        "jump_diffusion": (
            merton,
            {"mean_S": 50.0 * np.exp(0.05), "log_var": 0.09 * 0.5 + 2.0 * 0.5 * (0.01 + 0.09)},
        ),
        "common_regime": (
            regimes | moved,
            {
                "stationary": [0.4 / 1.9, 1.5 / 1.9],
                "expected_sojourn": [1.0 / 1.5, 2.5],
                "state_probs_T": expm(chain * 2.2)[1].tolist(),
                "survival": alive,
                "mean_S": growth,
            },
        ),
        "semi_markov": (
            spells | {"T_months": 40.0},
            {
                "mean_sojourn": [9.0, 15.0],
                "stationary_fraction_state1": 9.0 / 24.0,
                "P_state1_lasts_gt_16": gamma.sf(16.0, 2, scale=4.5),
                "long_run_cycles_per_year": 0.5,
            },
        ),
        "common_numbers": (
            {"PD1": 0.05, "PD2": 0.07, "rho": 0.1},
            {"var_independent": large_pool_variance(0.05, 0.1) + large_pool_variance(0.07, 0.1)},
        ),
    }


def large_pool_variance(pd: float, rho: float) -> float:
    """Return the variance of the loss of a large pool by quadrature over the factor."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    loss = norm.cdf((norm.ppf(pd) + np.sqrt(rho) * nodes) / np.sqrt(1.0 - rho))
    weights /= weights.sum()
    return float(weights @ loss**2 - (weights @ loss) ** 2)


FORMS = closed_forms()


@pytest.mark.parametrize("kind", FORMS)
def test_other_parameters(kind: str) -> None:
    """Kinds are told by their parameters; steps that are no months, starts off the mean."""
    params, expected = FORMS[kind]
    case = {"id": f"any {kind}", "params": params, "expected": expected}
    case["tol"] = {"abs": 1e-12, "rel": 1e-10}
    found = run(case, 3, paths=20_000)
    assert found.kind == kind
    assert not found.missing
    assert found.passed, (found.where, found.scores)


def test_kinds_that_are_not_run_say_why() -> None:
    """A pool on an affine intensity, a migration matrix, a premium leg."""
    jumps = {"kappa": 0.6, "theta": 0.02, "sigma": 0.1, "x0": 0.01, "T": 5.0, "n": 20}
    found = run({"id": "1", "params": jumps | {"jump_rate": 0.4, "jump_mean": 0.05}}, 1, 1)
    assert (found.kind, "Cox pool" in found.reason) == ("", True)
    spread = {"h=0.02,R=0.4,r=0.04,T=5": 0.012}
    assert "premium" in run({"id": "2", "params": {}, "expected": spread}, 1, 1).reason
    assert kind_of({"lam": 2.0, "severity_mean": 1.0}) == "compound_sum"


def test_scrambled_points_keep_one_in_each_interval() -> None:
    """Of 2^m points each coordinate visits every interval of length 2^-m once (Niederreiter)."""
    for seed in range(3):
        points = qmc.Sobol(12, seed=np.random.default_rng(seed)).random(256)
        cells = np.sort((256.0 * points).astype(int), axis=0)
        np.testing.assert_array_equal(cells, np.tile(np.arange(256)[:, None], (1, 12)))
        pairs = (16.0 * points[:, 0]).astype(int) * 16 + (16.0 * points[:, 1]).astype(int)
        assert np.unique(pairs).size == 256


def test_ranks_of_matrices_of_bits() -> None:
    """The identity has rank 32, a doubled row takes one away, zeros have none."""
    identity = np.uint64(1) << np.arange(32, dtype=np.uint64)
    doubled = np.where(np.arange(32) == 5, identity[4], identity)
    sums = np.where(np.arange(32) == 5, identity[4] ^ identity[7], identity)
    found = binary_ranks(np.array([identity, doubled, sums, np.zeros(32, np.uint64)]))
    assert found.tolist() == [32, 31, 31, 0]
