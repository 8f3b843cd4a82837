"""What provenance says, as tables."""

from __future__ import annotations

import pytest

from simulator.config.parameters import parameter_table
from simulator.reports.assumptions import (
    assumption_tables,
    cell_table,
    provenance_table,
    source_table,
    study_text,
)
from simulator.reports.assumptions import (
    parameter_table as table_of,
)
from tests.unit.reports.synthetic import synthetic_run

pytestmark = pytest.mark.nojit


def test_tables_of_a_run() -> None:
    run = synthetic_run(50)
    assumed, filled, sources, parameters, switches = assumption_tables(run)
    assert [row[-1] for row in assumed.rows] == ["assumed", "assumed"]
    assert filled.rows == [
        ["boxes", "Box Alder", "operations_share", "0.03", "gpu.om of the parameters", ""]
    ]
    assert sources.rows == [
        ["sites", "plano", "https://example.org/site"],
        ["debt", "Alder A, Alder B", "credit agreement, https://example.org/filing"],
    ]
    assert [row[:3] for row in parameters.rows][-1] == ["gpu.delta", "-0.1", "-0.12"]
    assert switches.rows == [["easing", "off"], ["policy", "on"]]
    assert '"operations_share"' in study_text(run)
    assert ["seed", "7"] in provenance_table(run).rows


def test_a_value_of_the_package_has_its_source() -> None:
    known = parameter_table()["dem.sigma"]
    (row,) = table_of({"dem.sigma": known.base}, {}).rows
    assert row[3:] == [known.unit, known.basis, known.source]
    (row,) = table_of({"dem.sigma": 0.123}, {}).rows
    assert row[4] == "study's own value"
    (row,) = table_of({"loan.tail_balloon": 0.05}, {}).rows
    assert row[4] == "not read by this version"
    (row,) = table_of({"not.there": 1}, None).rows
    assert row[3:] == ["", "study's own value", ""]


def test_parts_may_be_missing_or_odd() -> None:
    run = synthetic_run(50)
    run.attrs["provenance"] = '{"plan": null, "study": {"derived": 3, "inputs": [], "tape": null}}'
    assert assumption_tables(run) == []
    run.attrs["provenance"] = "[]"
    assert assumption_tables(run) == []
    assert study_text(run) == ""
    assert cell_table("x", [{"table": "t", "value": [1, 2.5, None]}], "").rows == [
        ["t", "", "", "1, 2.5, ", "", ""]
    ]
    assert source_table({}).rows == []
