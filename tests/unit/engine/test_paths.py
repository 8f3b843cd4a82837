"""Single paths: the base case, paths of a run created anew, and what is told of them."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.api import simulate
from simulator.box.flows import LINES
from simulator.box.terms import BOX
from simulator.config.study import Study, load_study
from simulator.config.terms import SWITCHES
from simulator.credit.names import NAME
from simulator.engine.base_case import prepare_base_case
from simulator.engine.paths import TracedPath, trace_path
from simulator.engine.prepare import Prepared
from simulator.engine.results import facilities_of
from simulator.engine.timeline import events_of

pytestmark = pytest.mark.nojit

SEED = 3
PATHS = 12


@pytest.fixture(scope="module")
def paths(prepared: Prepared) -> list[TracedPath]:
    return [trace_path(prepared, SEED, number) for number in range(PATHS)]


@pytest.fixture(scope="module")
def base(study: Study) -> TracedPath:
    return trace_path(prepare_base_case(study.inputs), 0, 0)


def test_a_path_is_that_of_the_run(study: Study, paths: list[TracedPath]) -> None:
    run = simulate(study, paths=PATHS, seed=SEED, block=5, keep_paths=True)
    for number, path in enumerate(paths):
        for name, array in path.scalars.items():
            assert run[name].values[number].tobytes() == array[0].tobytes(), (number, name)
        np.testing.assert_array_equal(
            run["box_dscr"].values[number],
            path.trace.flow[:, LINES.index("dscr")].astype(np.float32),
        )
        np.testing.assert_array_equal(
            run["tightness"].values[number], path.trace.market[:, 0].astype(np.float32)
        )


def test_the_base_case_depends_on_no_draw(study: Study, base: TracedPath) -> None:
    other = trace_path(prepare_base_case(study.inputs), 77, 123_456)
    for name in ("flow", "tranche", "lease", "market", "box", "holdco"):
        np.testing.assert_array_equal(getattr(other.trace, name), getattr(base.trace, name), name)
    for name, array in base.scalars.items():
        assert array.tobytes() == other.scalars[name].tobytes(), name


def test_nothing_happens_in_the_base_case(base: TracedPath) -> None:
    assert not base.trace.name[:, NAME.default_month].any()
    assert not base.trace.name[:, NAME.integrated].any()
    for facility in facilities_of(base.prepared.layout):
        kinds = {event.kind for event in events_of(base, facility.id)}
        assert not kinds & {"market", "policy", "customer"}


def test_the_base_case_is_the_market_s_reference_path(base: TracedPath) -> None:
    reference = base.prepared.params.market.reference
    np.testing.assert_allclose(base.trace.market[:, 0], reference.tightness[1:], atol=1e-12)
    np.testing.assert_allclose(base.trace.market[:, 1], reference.price_deviation[1:], atol=1e-12)


def test_switches_do_not_move_the_base_case_s_market(study: Study, base: TracedPath) -> None:
    from dataclasses import replace

    calm = ("policy", "efficiency", "price_noise", "priors", "easing", "integration", "delivery")
    assert set(calm) <= set(SWITCHES)
    inputs = replace(study.inputs, switches={**study.inputs.switches, **dict.fromkeys(calm, False)})
    other = trace_path(prepare_base_case(inputs), 0, 0)
    np.testing.assert_array_equal(other.trace.flow, base.trace.flow)


def test_events_are_in_order_and_tell_every_default(paths: list[TracedPath]) -> None:
    defaults = 0
    for path in paths:
        for i, facility in enumerate(facilities_of(path.prepared.layout)):
            events = events_of(path, facility.id)
            assert [event.month for event in events] == sorted(event.month for event in events)
            assert all(1 <= event.month <= path.prepared.horizon for event in events)
            month = int(path.scalars["facility_default_month"][0, i])
            told = [event.month for event in events if "DEFAULTS" in event.text]
            if month:
                defaults += 1
                assert month in told
            elif facility.box >= 0:
                assert not [e for e in events if e.kind == "default" and "DEFAULTS" in e.text]
    assert defaults > 0, "choose a seed with a default"


def test_events_of_deliveries_count_the_gpus(paths: list[TracedPath]) -> None:
    for path in paths:
        delivered = [e for e in events_of(path, "TERM-A") if "are delivered" in e.text]
        pending = [e for e in events_of(path, "TERM-A") if "are cancelled" in e.text]
        assert len(delivered) + len(pending) <= 1


def test_first_breach_is_told(paths: list[TracedPath]) -> None:
    for path in paths:
        for i, box in enumerate(path.prepared.layout.boxes):
            month = int(path.trace.box[-1, BOX.first_breach, i])
            if month:
                facility = next(f for f in facilities_of(path.prepared.layout) if f.box == i)
                told = {e.month for e in events_of(path, facility.id)}
                assert month in told, (box, month)


def test_a_study_without_stress_can_be_traced(study_file: object) -> None:
    switches = {f"drivers.{name}": False for name in ("counterparty_default", "policy", "memory")}
    small = load_study(str(study_file), {"horizon_months": 12, **switches})
    path = trace_path(prepare_base_case(small.inputs), 0, 0)
    assert path.trace.flow.shape[0] == 12
