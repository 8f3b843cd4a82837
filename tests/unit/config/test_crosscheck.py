"""Faults that no single cell shows; each gives one message, with no echo elsewhere."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.config.parameters import resolve
from simulator.config.schema import ParameterBlock
from tests.unit.config.conftest import Draft

CELLS: dict[str, tuple[str, str, dict[str, Any], str, str]] = {
    # name: table, row, changed cells, path, part of the message
    "unknown sponsor": ("boxes", "BOX-A", {"sponsor": "Exmple Cloud"}, "sponsor", "Example Cloud"),
    "unknown generation": ("boxes", "BOX-A", {"generation": "GB30"}, "generation", "GB300"),
    "unknown box of debt": ("debt", "TERM-A", {"box": "BOX-C"}, "box", "did you mean"),
    "unknown box of a contract": ("contracts", "LAB-1", {"box": "BOX-C"}, "box", "did you mean"),
    "unknown box of an asset": ("assets", "B-2", {"box": "BOX-C"}, "box", "did you mean"),
    "unknown contract": ("assets", "A-1", {"contract": "SEARCH"}, "contract", "SEARCH-1"),
    "unknown site": ("assets", "A-1", {"site": "north"}, "site", "a known site"),
    "unknown backstop": ("contracts", "LAB-1", {"backstop": "X"}, "backstop", "a known backstop"),
    "unknown assumption": ("boxes", "BOX-A", {"assumed": "swep: x"}, "assumed", "'swep'"),
    "assumption without reason": ("boxes", "BOX-A", {"assumed": "cures"}, "assumed", "no reason"),
    "drawn above commitment": (
        *("debt", "TERM-A", {"drawn_usd_m": 1501}, "drawn_usd_m"),
        "at most the commitment of 1500",
    ),
    "no amount": (
        *("debt", "NOTES-2031", {"commitment_usd_m": ""}, "commitment_usd_m"),
        "got a blank",
    ),
    "margin and fixed rate": (
        "debt",
        "TERM-A",
        {"fixed_rate": "9%"},
        "margin_bp",
        "300 bp and 0.09",
    ),
    "repaid before t0": (
        *("debt", "TERM-A", {"maturity": "2026-11", "draw_end": ""}, "maturity"),
        "after t0",
    ),
    "draws after maturity": (
        *("debt", "TERM-A", {"draw_end": "2032-01"}, "draw_end"),
        "not after maturity, 2031-12",
    ),
    "draws before close": (
        "debt",
        "TERM-A",
        {"draw_end": "2026-02"},
        "draw_end",
        "not before close",
    ),
    "balance from the future": (
        *("debt", "TERM-A", {"drawn_asof": "2026-12"}, "drawn_asof"),
        "not after t0, 2026-11",
    ),
    "instalments after maturity": (
        *("debt", "TERM-A", {"amortisation_start": "2032-01"}, "amortisation_start"),
        "not after maturity",
    ),
    "accepted after t0": (
        *("assets", "A-1", {"accepted": "2026-12"}, "accepted"),
        "else give planned_delivery only",
    ),
    "planned after accepted": (
        *("assets", "A-1", {"planned_delivery": "2026-10"}, "planned_delivery"),
        "not after accepted, 2026-09",
    ),
    "another sponsor than the box": (
        *("debt", "TERM-A", {"sponsor": "Other Cloud"}, "sponsor"),
        "the sponsor of BOX-A, Example Cloud",
    ),
    "debt of nobody": ("debt", "NOTES-2031", {"sponsor": ""}, "sponsor", "a box or a sponsor"),
    "a facility in two boxes": (
        *("debt", "TERM-B", {"facility": "F"}, "facility"),
        "all tranches of F at BOX-A",
    ),
    "a convert of a box": (
        *("debt", "TERM-A", {"conversion_value_usd_m": 5000}, "conversion_value_usd_m"),
        "only HoldCo debt converts",
    ),
    "a residual guarantor of nothing": (
        *("contracts", "LAB-1", {"residual_guarantor": "Example Search"}, "residual_guarantor"),
        "a residual_share above 0",
    ),
    "a residual guarantor that nobody knows": (
        "contracts",
        "LAB-1",
        {"residual_share": "30%", "residual_guarantor": "Example Serach"},
        "residual_guarantor",
        "writing 'Example Search' (did you mean that?)",
    ),
    "contract of another box": (
        *("assets", "B-2", {"contract": "SEARCH-1"}, "contract"),
        "'SEARCH-1' of box BOX-A",
    ),
}


@pytest.mark.parametrize("name", CELLS)
def test_one_message(draft: Draft, name: str) -> None:
    table, row, cells, path, part = CELLS[name]
    if "Other Cloud" in cells.values():
        draft.study["sponsors"]["Other Cloud"] = {"cash_usd_m": 1, "market_value_usd_m": 1}
    if "facility" in cells:
        draft.row("debt", "TERM-A")["facility"] = "F"
    draft.row(table, row).update(cells)
    problem = draft.problem()
    assert problem.path == path
    assert part in str(problem)
    assert f"{table}.csv:" in problem.place


STUDY: dict[str, tuple[dict[str, Any], str, str]] = {
    "purchases before t0": (
        {
            "sponsors": {
                "Example Cloud": {
                    "cash_usd_m": 900,
                    "market_value_usd_m": 4000,
                    "purchases_usd_m": {"2026-11": 5, "2027-01": 5},
                }
            }
        },
        "sponsors.Example Cloud.purchases_usd_m",
        "months after t0, 2026-11, got 2026-11",
    ),
    "weights": ({"jurisdictions": {"US": 0.6, "Europe": 0.3}}, "jurisdictions", "got 0.9"),
    "matrix not symmetric": (
        {"correlations": {"D": {"P": 0.3}, "P": {"D": 0.2}}},
        "correlations.D.P",
        "0.3 there and 0.2 for P.D",
    ),
    "matrix with a diagonal": ({"correlations": {"D": {"D": 0.9}}}, "D.D", "expected 1"),
    "waterfall without a line": ({"waterfall": ["distribution"]}, "waterfall", "sweep missing"),
    "copula": ({"copula": {"kind": "t", "nu": 1}}, "copula.nu", "between 2.1 and 1000"),
    "horizon": ({"horizon_months": 121}, "horizon_months", "between 12 and 120"),
    "version": ({"schema": "neobox.study/2"}, "schema", "neobox.study/1"),
    "switch": ({"drivers": {"memmory": False}}, "drivers.memmory", "'memory'"),
    "switch in words": ({"drivers": {"memory": "no"}}, "drivers.memory", "true or false"),
    "no tape": ({"tape": "tap"}, "tape", "a folder or .xlsx"),
    "no start": ({"start": "2026-13"}, "start", "YYYY-MM"),
    "set": ({"parameters": {"set": "stres"}}, "parameters.set", "'stress'"),
    "id": ({"reference": {"values": {"dem.sgma": 1}}}, "reference.values.dem.sgma", "dem.sigma"),
    "domain": ({"parameters": {"values": {"cp.rho": 2}}}, "parameters.values.cp.rho", "0 to 0.95"),
    "ratings": ({"ratings_table": "none.csv"}, "table", "no such file"),
    "a list for a block": ({"sites": [1]}, "sites", "a block of keys"),
    "a new generation without a price": (
        {"generations": {"Own-1": {"kw": 1, "contract_price_usd_per_gpu_hour": 2}}},
        "generations.Own-1.spot_price_usd_per_gpu_hour",
        "adding it",
    ),
}


@pytest.mark.parametrize("name", STUDY)
def test_one_message_of_the_study(draft: Draft, name: str) -> None:
    keys, path, part = STUDY[name]
    draft.study.update(keys)
    if "sites" in keys:
        for row in draft.tape["assets"]:
            row["site"] = ""
    problem = draft.problem()
    assert problem.path == path
    assert part in str(problem)


NAMES: dict[str, tuple[dict[str, Any], str, str]] = {
    "rating": ({"rating": "Q1"}, "rating", "got 'Q1'"),
    "rating nearly": ({"rating": "Baa12"}, "rating", "did you mean"),
    "kind": ({"kind": "hyperscalar"}, "kind", "'hyperscaler'"),
    "assumption": ({"assumed": "raitng: x"}, "assumed", "'rating'"),
    "export": ({"export_exposed": "Mars"}, "export_exposed", "a known export_exposed"),
    "hazard in percent": ({"hazard_per_year": [23.5]}, "hazard_per_year.0", "writing 0.02 or 2%"),
}


@pytest.mark.parametrize("name", NAMES)
def test_one_message_of_a_counterparty(draft: Draft, name: str) -> None:
    """The contract of the name gives no echo, though the name itself cannot be used."""
    cells, path, part = NAMES[name]
    draft.study["counterparties"]["Example Search"].update(cells)
    problem = draft.problem()
    assert problem.path == f"counterparties.Example Search.{path}"
    assert part in str(problem)


def test_waterfall_must_end_with_the_distribution(draft: Draft) -> None:
    lines = list(draft.load().inputs.waterfall)
    draft.study["waterfall"] = [lines[-1], *lines[:-1]]
    assert "distribution last" in draft.problem().expected


@pytest.mark.parametrize("table", ["debt", "assets"])
def test_a_box_needs_debt_and_assets(draft: Draft, table: str) -> None:
    draft.tape[table] = [row for row in draft.tape[table] if row.get("box") != "BOX-B"]
    if table == "assets":
        draft.tape["contracts"] = draft.tape["contracts"][:1]
    problem = draft.problem()
    assert problem.expected == f"{table} for box BOX-B"
    assert "boxes.csv:3" in problem.place


def test_a_contract_needs_assets(draft: Draft) -> None:
    draft.row("assets", "B-1")["contract"] = ""
    assert draft.problem().expected == "assets for contract LAB-1"


def test_a_bad_row_gives_no_echo_where_its_id_is_used(draft: Draft) -> None:
    draft.row("boxes", "BOX-A")["cures"] = "many"
    assert draft.problem().path == "cures"


def test_a_row_without_an_id_gives_no_echo(draft: Draft) -> None:
    draft.row("boxes", "BOX-A")["box"] = ""
    problem = draft.problem()
    assert (problem.path, problem.got) == ("box", "nothing")


def test_a_missing_id_is_told_once_however_often_it_is_used(draft: Draft) -> None:
    draft.row("boxes", "BOX-A")["box"] = "BOX-AA"
    problem = draft.problem()
    assert (problem.path, problem.got) == ("box", "'BOX-A' (and in 3 other rows)")
    assert problem.mend == "writing 'BOX-AA' (did you mean that?)"


def test_two_faults_of_a_row_are_two_messages(draft: Draft) -> None:
    draft.row("debt", "TERM-A").update(advance="85", hedge_share="95")
    assert [problem.path for problem in draft.problems()] == ["hedge_share", "advance"]


def test_faults_of_rules_are_told_together_with_the_others(draft: Draft) -> None:
    draft.row("contracts", "LAB-1").update(price_usd_per_gpu_hour="", contract_value_usd_m=99000)
    draft.study["counterparties"]["Example Search"]["rating"] = "Q1"
    assert [problem.path for problem in draft.problems()] == [
        "counterparties.Example Search.rating",
        "contract_value_usd_m",
    ]


def test_a_running_cost_beyond_any_price_is_refused(draft: Draft) -> None:
    draft.row("assets", "B-1")["gpus"] = 12
    problem = draft.problem()
    assert (problem.path, problem.place.rsplit("/", 1)[1]) == ("cost_usd_m", "assets.csv:4")
    assert problem.expected == "a running cost of at most 50 USD/GPU-hour"
    cost = resolve(ParameterBlock())["gpu.om"] * 350e6 / 12 / 8760
    assert problem.got.startswith(f"{cost:.4g} (")


@pytest.mark.parametrize("update", [{"triple_net": "true"}, {"operations_share": 0}])
def test_a_box_without_operations_of_its_own_has_no_such_cost(
    draft: Draft, update: dict[str, object]
) -> None:
    draft.row("assets", "B-1")["gpus"] = 12
    draft.row("boxes", "BOX-B").update(update)
    assert draft.load().inputs.book.boxes
