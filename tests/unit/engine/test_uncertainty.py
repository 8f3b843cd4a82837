"""Uncertain parameters: one draw for a few paths, whatever the blocks; expectations stay."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from simulator.api import simulate
from simulator.config.study import Study, load_study
from simulator.drivers.prices import PRICE_TERM
from simulator.engine.paths import trace_path
from simulator.engine.prepare import prepare
from simulator.engine.uncertainty import ContradictionError, draw_parameters, with_parameters
from tests.unit.engine.small import OVERRIDES, as_bytes, differing

PRIORS = {
    "uncertainty.paths_per_draw": 4,
    "uncertainty.priors": {
        "dem.sigma": {"law": "lognormal", "median": 0.2, "sd_log": 0.5},
        "gpu.delta": {"law": "uniform", "min": -0.4, "max": -0.1},
    },
}
PATHS = 18  # the last draw serves two


@pytest.fixture(scope="module")
def uncertain(study_file: Path) -> Study:
    return load_study(study_file, OVERRIDES | PRIORS)


@pytest.fixture(scope="module")
def bits(uncertain: Study) -> dict[str, bytes]:
    return as_bytes(simulate(uncertain, paths=PATHS))


@pytest.mark.parametrize(
    "way", [{"block": 3}, {"chunk": 5, "jobs": 2}, {"chunk": 1, "executor": "serial"}]
)
def test_any_way_to_the_same_bits(uncertain: Study, bits: dict[str, bytes], way: dict) -> None:
    assert differing(as_bytes(simulate(uncertain, paths=PATHS, **way)), bits) == []


def test_processes(uncertain: Study, bits: dict[str, bytes]) -> None:
    found = simulate(uncertain, paths=PATHS, chunk=7, executor="processes", jobs=2)
    assert differing(as_bytes(found), bits) == []


def test_a_draw_is_the_study_with_these_parameters(uncertain: Study) -> None:
    """Paths 4 to 7 are those of a study in which draw 1 is known."""
    run = simulate(uncertain, paths=PATHS)
    values = run["parameter_value"].values
    assert run.attrs["paths_per_draw"] == 4
    assert len(np.unique(values[:, 0])) == 5
    for draw in range(5):
        assert len(np.unique(values[4 * draw : 4 * draw + 4, 0])) == 1
    names = [str(name) for name in run["parameter"].values]
    known = with_parameters(uncertain.inputs, dict(zip(names, values[5].tolist(), strict=True)))
    path = trace_path(prepare(known), seed=1, path=5)
    np.testing.assert_array_equal(path.scalars["tranche_loss"][0], run["tranche_loss"].values[5])
    np.testing.assert_array_equal(path.scalars["equity_pnl"][0], run["equity_pnl"].values[5])
    again = trace_path(prepare(uncertain.inputs), seed=1, path=5)
    np.testing.assert_array_equal(again.scalars["equity_pnl"][0], run["equity_pnl"].values[5])


def test_draws_follow_their_laws(uncertain: Study) -> None:
    values = draw_parameters(uncertain.inputs, seed=7, paths=4 * 4000)
    assert uncertain.inputs.uncertainty is not None
    ids = [prior.id for prior in uncertain.inputs.uncertainty.priors]
    sigma, delta = values[:, ids.index("dem.sigma")], values[:, ids.index("gpu.delta")]
    hazard = values[:, ids.index("reg.lambda")]
    assert stats.kstest(sigma, stats.lognorm(0.5, scale=0.2).cdf).pvalue > 1e-4
    assert stats.kstest(delta, stats.uniform(-0.4, 0.3).cdf).pvalue > 1e-4
    assert stats.kstest(hazard, stats.gamma(3.0, scale=0.4 / 3.0).cdf).pvalue > 1e-4
    assert abs(np.corrcoef(sigma, delta)[0, 1]) < 4.0 / 4000**0.5
    both = values[:, ids.index("cp.reneg_h0_ig")] / values[:, ids.index("cp.reneg_h0_nig")]
    np.testing.assert_allclose(both, both[0], rtol=1e-9)  # one multiplier for both


def test_what_was_expected_does_not_follow_the_draw(uncertain: Study) -> None:
    prepared = prepare(uncertain.inputs)
    drawn = prepared.drawn(draw_parameters(uncertain.inputs, 1, 8)[1])
    reference = zip(drawn.expectations.reference, prepared.expectations.reference, strict=True)
    assert all(np.array_equal(one, other) for one, other in reference)
    now, then = (one.params.market.prices.terms for one in (drawn, prepared))
    assert np.all(now[PRICE_TERM.age_drift] != then[PRICE_TERM.age_drift])
    assert np.all(now[PRICE_TERM.drift_surprise] != 0.0)


def test_draws_that_contradict_each_other_stop_before_any_path(study_file: Path) -> None:
    priors = {"eff.size.q95": {"law": "uniform", "min": 0.3, "max": 0.7}}
    study = load_study(study_file, OVERRIDES | {"uncertainty.priors": priors})
    with pytest.raises(ContradictionError, match="narrow the priors"):
        simulate(study, paths=640)
