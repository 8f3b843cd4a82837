"""Policy events, their places, effects and sizes (docs/model.md §2)."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import expon, norm

from tests.unit.drivers import market
from tests.unit.drivers.agreement import (
    count_moments,
    law_is,
    mean_is,
    share_is,
    variance_is,
    within,
)

ROWS = "policy.tariff policy.resale_hit policy.control policy.site_slip"
PROBABILITY = {"tariff": 0.4, "control": 0.4, "resale": 0.6, "site": 0.2}
MONTHLY_DECAY = 2.0 ** (-1.0 / 12.0)
FREQUENT = {"drivers.priors": False, "reg.lambda": 1.0}


@pytest.fixture(scope="module")
def found():
    return market.run(ROWS, FREQUENT)


def effects(found) -> dict[str, np.ndarray]:
    """Return whether each effect fell on each jurisdiction, (path, month 1..H, jurisdiction)."""
    hit = found["policy.resale_hit"]
    return {
        "tariff": found["policy.tariff"][:, 1:] > found["policy.tariff"][:, :-1],
        "control": found["policy.control"][:, 1:] > 0.0,
        "resale": hit[:, 1:] > hit[:, :-1] * MONTHLY_DECAY * (1.0 + 1e-12),
        "site": found["policy.site_slip"][:, 1:] > 0.0,
    }


def resale_share(parameters) -> float:
    """Return how often the size max(0, N(reg.resale_hit, 0.03²)) of a resale effect is not 0."""
    return float(norm.cdf(parameters["reg.resale_hit"] / 0.03))


@pytest.mark.parametrize("effect", PROBABILITY)
def test_number_of_effects(found, effect: str) -> None:
    """A Poisson stream of events, thinned by the effect's probability: variance near the mean."""
    share = PROBABILITY[effect]
    share *= resale_share(found.parameters) if effect == "resale" else 1.0
    counts = effects(found)[effect].any(axis=2).sum(axis=1)
    mean, variance = count_moments(72, 1.0, share=share)
    assert variance == pytest.approx(mean, rel=0.06)
    mean_is(counts, mean)
    variance_is(counts, variance)


def test_number_of_effects_under_an_uncertain_hazard() -> None:
    """A gamma multiplier of the hazard adds μ²/k to the variance."""
    uncertain = market.run(ROWS + " policy.probability", {"reg.lambda": 1.0})
    shape = uncertain.parameters["prior.k"]
    prior = market.multiplier(uncertain["policy.probability"], uncertain, "reg.lambda")
    mean_is(prior, 1.0)
    variance_is(prior, 1.0 / shape)
    counts = effects(uncertain)["control"].any(axis=2).sum(axis=1)
    mean, variance = count_moments(72, 1.0, shape, share=PROBABILITY["control"])
    mean_is(counts, mean)
    variance_is(counts, variance)
    assert variance > 1.3 * mean


def test_effects_of_an_event_are_independent(found) -> None:
    """Given one effect, another falls with its own probability, in the same jurisdiction."""
    fell = effects(found)
    for given in ("tariff", "control", "site"):
        for other in ("tariff", "control", "site"):
            if given != other:
                share_is(fell[other][fell[given]], PROBABILITY[other], f"{other} given {given}")
        both = fell["resale"][fell[given]]
        share_is(both, PROBABILITY["resale"] * resale_share(found.parameters), f"resale, {given}")


def test_places_follow_the_weights(found) -> None:
    """One jurisdiction per event, by the study's weights."""
    fell = effects(found)
    for effect in ("tariff", "control", "site"):
        assert fell[effect].sum(axis=2).max() == 1
        total = fell[effect].sum()
        for place, (_, weight) in enumerate(found.inputs.book.jurisdictions):
            error = np.sqrt(weight * (1.0 - weight) / total)
            within(fell[effect][:, :, place].sum() / total, weight, error, effect)


def test_tariffs_multiply(found) -> None:
    """tariff ← tariff·(1 + reg.capex_hit) per event: whole powers of 1.1."""
    times = np.cumsum(effects(found)["tariff"], axis=1)
    expected = (1.0 + found.parameters["reg.capex_hit"]) ** times
    np.testing.assert_allclose(found["policy.tariff"][:, 1:], expected, rtol=1e-12)
    assert times.max() >= 4


def test_resale_hits_halve_in_a_year(found) -> None:
    """Between events hit(t) = hit(t−1)·2^(−1/12); an event adds max(0, N(mean, 0.03²))."""
    hit, fell = found["policy.resale_hit"], effects(found)["resale"]
    decayed = hit[:, :-1] * MONTHLY_DECAY
    np.testing.assert_allclose(hit[:, 1:][~fell], decayed[~fell], rtol=1e-12)
    added = (hit[:, 1:] - decayed)[fell]
    mean, sd = found.parameters["reg.resale_hit"], 0.03
    above = norm.cdf(mean / sd)
    cut = norm.pdf(mean / sd) / above  # inverse Mills ratio: the sizes seen are those above 0
    mean_is(added, mean + sd * cut)
    variance_is(added, sd**2 * (1.0 - cut * (cut + mean / sd)))


def test_moratoria_are_exponential(found) -> None:
    """New sites slip by an exponential number of months of mean reg.site_hit."""
    slip = found["policy.site_slip"][found["policy.site_slip"] > 0.0]
    mean = found.parameters["reg.site_hit"]
    mean_is(slip, mean)
    variance_is(slip, mean**2)
    points = np.array([1.0, 3.0, 6.0, 12.0, 24.0])
    law_is(slip, points, expon.cdf(points / mean))


def test_nothing_happens_where_policy_is_switched_off() -> None:
    found = market.run(ROWS, FREQUENT | {"drivers.policy": False}, paths=256)
    assert (found["policy.tariff"] == 1.0).all()
    for name in ("resale_hit", "control", "site_slip"):
        assert not found[f"policy.{name}"].any()
