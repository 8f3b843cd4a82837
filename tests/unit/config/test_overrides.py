from __future__ import annotations

import pytest

from simulator.config import ConfigError
from simulator.config.overrides import parse_assignment
from tests.unit.config.conftest import Draft


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("dem.sigma=0.3", ("dem.sigma", 0.3)),
        ("a = b=c", ("a", "b=c")),
        ("waterfall=[a, b]", ("waterfall", ["a", "b"])),
        ("x={y: 1e-2}", ("x", {"y": 0.01})),
        ("x='1'", ("x", "1")),
        ("x=85%", ("x", "85%")),
        ("x=", ("x", None)),
    ],
)
def test_assignments(text: str, pair: tuple[str, object]) -> None:
    assert parse_assignment(text) == pair


@pytest.mark.parametrize("text", ["dem.sigma", "=3"])
def test_no_assignment(text: str) -> None:
    with pytest.raises(ConfigError, match="key=value"):
        parse_assignment(text)


def test_study_keys(draft: Draft) -> None:
    study = draft.load(
        {
            "horizon_months": 24,
            "drivers.easing": True,
            "counterparties.Example Search.rating": "Caa1",
            "copula.kind": "t",
            "dem.sigma": 0.3,
            "parameters.values.dem.ap_mult.min": -0.3,
            "reference.values.dem.sigma": 0.21,
            "jurisdictions": {"US": 0.5, "Europe": 0.5},
        }
    )
    inputs = study.inputs
    assert (inputs.horizon, inputs.switches["easing"], inputs.copula_nu) == (24, True, 5.0)
    assert inputs.parameters["dem.sigma"] == 0.3
    assert inputs.parameters["dem.ap_mult.min"] == -0.3
    assert inputs.expected.parameters["dem.sigma"] == 0.21
    assert inputs.book.jurisdictions == (("Europe", 0.5), ("US", 0.5))
    search = next(name for name in inputs.book.names if name.id == "Example Search")
    assert not search.investment_grade


def test_ids_with_dots(draft: Draft) -> None:
    draft.study["counterparties"]["A.I. Lab"] = draft.study["counterparties"].pop("Example Lab")
    draft.row("contracts", "LAB-1")["offtaker"] = "A.I. Lab"
    study = draft.load({"counterparties.A.I. Lab.beta": 0.4})
    assert {name.id: name.beta for name in study.inputs.book.names}["A.I. Lab"] == 0.4


def test_cells_of_the_tape(draft: Draft) -> None:
    study = draft.load({"debt.TERM-A.margin_bp": 425, "boxes.*.reserve_months": 6})
    rates = {tranche.id: tranche.rate for tranche in study.inputs.book.tranches}
    assert rates["TERM-A"] == pytest.approx(0.0425)
    assert [box.reserve_months for box in study.inputs.book.boxes] == [6, 6]


def test_a_cell_can_be_blanked(draft: Draft) -> None:
    study = draft.load({"debt.TERM-A.sculpt_dscr": None})
    assert study.sources["debt.TERM-A.sculpt_dscr"] == "rule: loan.dscr0.ig"


def test_an_override_leaves_the_rest_alone(draft: Draft) -> None:
    first, second = draft.load(), draft.load({"dem.sigma": 0.3})
    assert first.digest != second.digest
    assert first.inputs.book.tranches == second.inputs.book.tranches


@pytest.mark.parametrize(
    ("key", "value", "path", "part"),
    [
        ("horizon", 60, "horizon", "horizon_months"),
        ("dem.sgma", 0.1, "dem.sgma", "'dem.sigma' (did you mean that?)"),
        ("gpu.detla", -0.3, "gpu.detla", "'gpu.delta' (did you mean that?)"),
        ("dem.qqqqqqqq", 1, "dem.qqqqqqqq", "begins with dem."),
        (
            "loan.tail_balloon",
            0.1,
            "parameters.values.loan.tail_balloon",
            "not read by this version",
        ),
        ("debt.TERM-C.margin_bp", 1, "TERM-C", "did you mean"),
        ("debt.TERM-A.margn_bp", 1, "margn_bp", "margin_bp"),
        ("debt.TERM-A.advance", 85, "advance", "85%"),
        (
            "counterparties.Example Search.rating",
            "Q1",
            "counterparties.Example Search.rating",
            "Q1",
        ),
        ("parameters.values.cp.rho", 2, "parameters.values.cp.rho", "0 to 0.95"),
    ],
)
def test_faults_stand_at_the_override(
    draft: Draft, key: str, value: object, path: str, part: str
) -> None:
    problem = draft.problem({key: value})
    assert problem.place == f"--set {key}"
    assert problem.path == path
    assert part in str(problem)
