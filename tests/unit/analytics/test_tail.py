"""VaR, ES, their errors and intervals against definitions, closed forms and reference cases."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import binom, norm

from simulator.analytics.quantiles import interval_ranks, order_statistic_error, quantile
from simulator.analytics.sample import rank_of, tail_mass
from simulator.analytics.tail import (
    expected_shortfall,
    shortfall_difference,
    tail_risk,
    value_at_risk,
    value_at_risk_interval,
)

pytestmark = pytest.mark.nojit

Z = 1.959963984540054
Sample = NDArray[np.float64]


def naive(losses: list[float], level: float) -> tuple[float, float]:
    """VaR and ES straight from their definitions, in exact ranks."""
    n = len(losses)
    var = next(
        x for x in sorted(losses) if sum(y <= x for y in losses) >= round(n * level * 1e6) / 1e6
    )
    beyond = [x for x in losses if x > var]
    tail = 1.0 - level
    return var, (sum(beyond) / n + var * (tail - len(beyond) / n)) / tail


def test_definition_with_atoms_and_ties() -> None:
    losses = [0.0] * 90 + [1.0] * 6 + [5.0] * 2 + [9.0, 20.0]
    assert value_at_risk(losses, 0.90).value == 0.0  # P(L <= 0) = 0.9 is enough
    assert value_at_risk(losses, 0.91).value == 1.0
    assert value_at_risk(losses, 0.99).value == 9.0
    # worst 5%: 1 of the atom at 1, two fives, 9 and 20
    assert value_at_risk(losses, 0.95).value == 1.0
    assert expected_shortfall(losses, 0.95).value == pytest.approx((1 + 5 + 5 + 9 + 20) / 5)
    # half an observation of the atom at 5: (0.5·5 + 9 + 20)/2.5
    assert expected_shortfall(losses, 0.975).value == pytest.approx(31.5 / 2.5)
    assert expected_shortfall(losses, 0.999).value == pytest.approx(20.0)


@given(
    st.lists(st.integers(-5, 20).map(float), min_size=1, max_size=60),
    st.sampled_from([0.05, 0.1, 0.25, 0.5, 0.9, 0.95, 0.99]),
)
def test_definition_on_any_small_sample(losses: list[float], level: float) -> None:
    var, shortfall = naive(losses, level)
    assert value_at_risk(losses, level).value == var
    assert expected_shortfall(losses, level).value == pytest.approx(shortfall, abs=1e-9)
    weighted = tail_risk(losses, [level], np.ones(len(losses)))
    assert weighted.var[0] == var
    assert weighted.es[0] == pytest.approx(shortfall, abs=1e-9)
    assert quantile(losses, level).value == var
    assert quantile(losses, level, np.ones(len(losses))).value == var


@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=200), st.randoms())
def test_order_of_paths_changes_no_bit(losses: list[float], random: object) -> None:
    mixed = list(losses)
    random.shuffle(mixed)  # type: ignore[attr-defined]
    first, second = tail_risk(losses), tail_risk(mixed)
    for a, b in zip(first[:3], second[:3], strict=True):
        assert np.array_equal(a, b)


def test_losses_of_zero() -> None:
    result = tail_risk(np.zeros(1000))
    assert not any(column.any() for column in result)
    assert value_at_risk_interval(np.zeros(1000), 0.99) == (0.0, 0.0)


def test_levels_are_read_as_decimals() -> None:
    assert [rank_of(level, 1000) for level in (0.95, 0.99, 0.995, 0.999)] == [950, 990, 995, 999]
    assert rank_of(0.07, 100) == 7  # 0.07·100 > 7 in floating point
    assert tail_mass(0.999) == 0.001
    for bad in (0.0, 1.0, -0.5, 95.0):
        with pytest.raises(ValueError, match="between 0 and 1"):
            value_at_risk([1.0], bad)


HDMJ_P1 = {  # level: VaR, Maritz-Jarrett SE, ES, ES plug-in SE
    0.5: (0.7001157824, 0.07120269559, 1.698674403, 0.1207459138),
    0.9: (2.288621218, 0.2141619029, 3.306808997, 0.2943120915),
    0.95: (2.981768399, 0.3118547039, 3.980846344, 0.3991401738),
    0.99: (4.488611119, 0.5804760893, 5.293330076, 0.6605534396),
}


def test_hdmj_p1() -> None:
    """HDMJ-P1: errors of VaR (Maritz-Jarrett) and ES (plug-in) on a fixed sample."""
    sample = np.loadtxt(Path(__file__).with_name("hdmj_p1.csv"), skiprows=1)
    result = tail_risk(sample, list(HDMJ_P1))
    found = np.column_stack([result.var, result.var_se, result.es, result.es_se])
    assert found == pytest.approx(np.array(list(HDMJ_P1.values())), rel=2e-9)


@pytest.mark.parametrize(
    ("level", "n", "confidence", "ranks", "coverage"),
    [
        (0.95, 1000, 0.95, (936, 964), 0.9580952682),
        (0.99, 10_000, 0.95, (9880, 9920), 0.9557546828),
        (0.999, 100_000, 0.99, (99_873, 99_926), 0.9920634521),
        (0.9997, 50_000, 0.95, (49_977, 49_993), 0.9625616099),
    ],
)
def test_osci_p1(
    level: float, n: int, confidence: float, ranks: tuple[int, int], coverage: float
) -> None:
    """OSCI-P1: ranks of distribution-free intervals and their exact coverage."""
    assert interval_ranks(level, n, confidence) == ranks
    low, high = ranks
    exact = binom.cdf(high - 1, n, level) - binom.cdf(low - 1, n, level)
    assert exact == pytest.approx(coverage, rel=1e-9)


EXPQ = {  # case: n, level, mean and sd of the VaR estimator, mean and sd of the ES estimator
    "EXPQ-P1": (1000, 0.95, 2.986265522, 0.1371197763, 3.986265522, 0.196981809),
    "EXPQ-P2": (10_000, 0.99, 4.600228518, 0.09924803103, 5.600228518, 0.1408906372),
    "EXPQ-P4": (500, 0.9, 2.293618092, 0.1334291269, 3.293618092, 0.1944307895),
}


@pytest.mark.parametrize("case", EXPQ)
def test_expq(case: str) -> None:
    """Estimators and reported errors on exponential losses, where their laws are known exactly."""
    n, level, var_mean, var_sd, es_mean, es_sd = EXPQ[case]
    rng = np.random.default_rng(20_261_122)
    repeats = 600
    found = np.array(
        [np.ravel(tail_risk(rng.exponential(size=n), [level])) for _ in range(repeats)]
    )
    var, var_se, es, es_se = found.T
    assert abs(var.mean() - var_mean) < 4 * var_sd / math.sqrt(repeats)
    assert abs(es.mean() - es_mean) < 4 * es_sd / math.sqrt(repeats)
    assert math.sqrt((var_se**2).mean()) == pytest.approx(var_sd, rel=0.06)
    assert math.sqrt((es_se**2).mean()) == pytest.approx(es_sd, rel=0.06)


VASICEK = {  # case: PD, rho, LGD, then by level: VaR, ES, √n·SE(VaR), √n·SE(ES)
    "VAS-P1": (0.01, 0.10, 1.0, {
        0.95: (0.028461511535, 0.040033328162, 0.045877812346, 0.0755731401),
        0.99: (0.046796992363, 0.059968245708, 0.121724098878, 0.192187741810),
        0.999: (0.077497372687, 0.092631799643, 0.454108706364, 0.692637107302),
    }),
    "VAS-P2": (0.02, 0.20, 0.45, {
        0.95: (0.031624459009, 0.048123545229, 0.064033923116, 0.107648679810),
        0.99: (0.057874421220, 0.076707691542, 0.176374119231, 0.271026739497),
        0.999: (0.101840763220, 0.122226464279, 0.635527981043, 0.911727814547),
    }),
    "VAS-P3": (0.05, 0.12, 0.6, {
        0.95: (0.075536385561, 0.097740477339, 0.096862802830, 0.138295763433),
        0.99: (0.111338956909, 0.133388489193, 0.221210014335, 0.309060308928),
        0.999: (0.162106559312, 0.183457334117, 0.687913852518, 0.943944639356),
    }),
    "VAS-P5": (0.10, 0.35, 0.7, {
        0.95: (0.245711828552, 0.328328171683, 0.402476731000, 0.484248809014),
        0.99: (0.382738641344, 0.447043165689, 0.759753578874, 0.837748577211),
        0.999: (0.525789113439, 0.564618451663, 1.528558734045, 1.581900846594),
    }),
}  # fmt: skip


def large_pool(pd: float, rho: float, lgd: float, factor: Sample) -> Sample:
    """Loss fraction of Vasicek's large pool; losses grow with the factor."""
    return lgd * norm.cdf((norm.ppf(pd) + math.sqrt(rho) * factor) / math.sqrt(1 - rho))


@pytest.mark.parametrize("case", VASICEK)
def test_vasicek(case: str) -> None:
    """Simulated large pools: |z| < 4, and reported errors near the exact ones."""
    pd, rho, lgd, levels = VASICEK[case]
    n = 400_000
    losses = large_pool(pd, rho, lgd, np.random.default_rng(404).standard_normal(n))
    result = tail_risk(losses, list(levels))
    for i, (var, es, var_sd, es_sd) in enumerate(levels.values()):
        assert abs(result.var[i] - var) < 4 * result.var_se[i]
        assert abs(result.es[i] - es) < 4 * result.es_se[i]
        assert result.var_se[i] * math.sqrt(n) == pytest.approx(var_sd, rel=0.25)
        assert result.es_se[i] * math.sqrt(n) == pytest.approx(es_sd, rel=0.12)


def test_coverage_of_intervals() -> None:
    """On 1,000 large pools (VAS-P2), 93% to 97% of 95% intervals of either kind cover."""
    level, n, repeats = 0.99, 20_000, 1000
    var, es = VASICEK["VAS-P2"][3][level][:2]
    rng = np.random.default_rng(77)
    covered = np.zeros(3)
    for _ in range(repeats):
        losses = np.sort(large_pool(0.02, 0.2, 0.45, rng.standard_normal(n)))
        low, high = value_at_risk_interval(losses, level)
        found = tail_risk(losses, [level])
        covered += [
            low <= var < high,
            abs(found.var[0] - var) < Z * found.var_se[0],
            abs(found.es[0] - es) < Z * found.es_se[0],
        ]
    assert (covered >= 930).all()
    assert (covered <= 970).all()


def test_errors_where_losses_have_atoms() -> None:
    """DVAR-P1: the empirical 99% VaR of 125 equal loans takes a handful of values."""
    rng = np.random.default_rng(3)
    n, repeats = 10_000, 300
    found = np.empty((repeats, 2))
    for i in range(repeats):
        p = large_pool(0.02, 0.2, 1.0, rng.standard_normal(n))
        found[i] = value_at_risk(rng.binomial(125, p), 0.99)
    assert abs(found[:, 0].mean() - 17.1950756) < 4 * 0.5860639 / math.sqrt(repeats)
    assert math.sqrt((found[:, 1] ** 2).mean()) == pytest.approx(0.5860639, rel=0.12)


ISQ = {  # case: PD, rho, mu, level, VaR, √n·SE right tail, ES, √n·SE
    "ISQ-P1": (0.02, 0.2, 2.3, 0.99, 0.1286098249, 0.0646176851, 0.1704615368, 0.04978485245),
    "ISQ-P2": (0.02, 0.2, 3.1, 0.999, 0.2263128072, 0.08334957601, 0.2716143651, 0.05844373993),
    "ISQ-P3": (0.05, 0.1, 1.0, 0.999, 0.240794075, 0.2339325094, 0.2711618899, 0.258275338),
}


@pytest.mark.parametrize("case", ISQ)
def test_importance_sampling(case: str) -> None:
    """Weighted VaR and ES use the right tail: their errors are those of Glynn (1996)."""
    pd, rho, shift, level, var, var_sd, es, es_sd = ISQ[case]
    rng = np.random.default_rng(8)
    n, repeats = 10_000, 200
    found = np.empty((repeats, 4))
    for i in range(repeats):
        z = rng.normal(shift, 1.0, n)
        w = np.exp(-shift * z + shift**2 / 2)
        found[i] = np.ravel(tail_risk(large_pool(pd, rho, 1.0, z), [level], w))
    root = math.sqrt(repeats)
    assert abs(found[:, 0].mean() - var) < 4 * found[:, 0].std() / root
    assert abs(found[:, 2].mean() - es) < 4 * found[:, 2].std() / root
    assert found[:, 1].mean() * math.sqrt(n) == pytest.approx(var_sd, rel=0.05)
    assert found[:, 3].mean() * math.sqrt(n) == pytest.approx(es_sd, rel=0.05)
    z = rng.normal(shift, 1.0, n)
    losses, w = large_pool(pd, rho, 1.0, z), np.exp(-shift * z + shift**2 / 2)
    low, high = value_at_risk_interval(losses, level, weights=w)
    assert low < value_at_risk(losses, level, w).value < high
    assert high - low == pytest.approx(2 * Z * var_sd / math.sqrt(n), rel=0.3)


def test_interval_is_open_where_the_sample_ends() -> None:
    losses = np.arange(100.0)
    assert value_at_risk_interval(losses, 0.99)[1] == math.inf
    assert value_at_risk_interval(losses, 0.01)[0] == -math.inf
    assert value_at_risk_interval(losses, 0.999, weights=np.ones(100))[1] == math.inf


def test_paired_difference_of_shortfalls() -> None:
    z = np.random.default_rng(1).standard_normal(50_000)
    base, bumped = large_pool(0.02, 0.2, 0.45, z), large_pool(0.022, 0.2, 0.45, z)
    value, se = shortfall_difference(bumped, base, 0.99)
    levels = expected_shortfall(bumped, 0.99), expected_shortfall(base, 0.99)
    assert value == pytest.approx(levels[0].value - levels[1].value, rel=1e-12)
    assert 0 < se < 0.1 * math.hypot(levels[0].se, levels[1].se)
    with pytest.raises(ValueError, match="2 paths against 1"):
        shortfall_difference([1.0, 2.0], [1.0], 0.5)


def test_order_statistic_error_of_uniform_spacings() -> None:
    """On i/(n+1) the law of the k-th order statistic is Beta(k, n−k+1), whose sd is known."""
    n, k = 4000, 3800
    ordered = np.arange(1, n + 1) / (n + 1)
    exact = math.sqrt(k * (n - k + 1) / ((n + 1) ** 2 * (n + 2)))
    assert order_statistic_error(ordered, k) == pytest.approx(exact, rel=1e-3)


def test_weighted_quantile_of_the_body() -> None:
    rng = np.random.default_rng(12)
    z = rng.normal(1.0, 1.0, 100_000)
    w = np.exp(-z + 0.5)
    for level in (0.05, 0.5, 0.95):
        value, se = quantile(z, level, w)
        assert abs(value - norm.ppf(level)) < 4 * se
        assert se < 0.05


def test_coverage_with_weights() -> None:
    """ISQ-P1: on 1,000 samples with a shifted mean, 93% to 97% of 95% intervals cover."""
    pd, rho, shift, level, var, _, shortfall, _ = ISQ["ISQ-P1"]
    rng = np.random.default_rng(91)
    covered, repeats = np.zeros(3), 1000
    for _ in range(repeats):
        z = rng.normal(shift, 1.0, 4_000)
        losses, w = large_pool(pd, rho, 1.0, z), np.exp(-shift * z + shift**2 / 2)
        low, high = value_at_risk_interval(losses, level, weights=w)
        found = tail_risk(losses, [level], w)
        covered += [
            low <= var < high,
            abs(found.var[0] - var) < Z * found.var_se[0],
            abs(found.es[0] - shortfall) < Z * found.es_se[0],
        ]
    assert (covered >= 930).all()
    assert (covered <= 970).all()


def test_coverage_of_order_statistics_is_the_exact_one() -> None:
    """OSCI-P1: 1,000 losses at 95%: [X_936, X_964) covers with probability 0.95810."""
    exact, repeats = 0.9580952682, 1_000
    draws = np.sort(np.random.default_rng(5).random((repeats, 1000)), axis=1)
    covered = 0
    for losses in draws:
        low, high = value_at_risk_interval(losses, 0.95)
        covered += low <= 0.95 < high
    assert abs(covered / repeats - exact) < 4 * math.sqrt(exact * (1 - exact) / repeats)
