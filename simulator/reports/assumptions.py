"""What a run rests on, read from its provenance: values, sources, and what was assumed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import xarray as xr

from simulator.analytics.estimate import format_significant
from simulator.config.parameters import NOT_READ_SAID, Parameter
from simulator.config.parameters import parameter_table as package_parameters
from simulator.reports.tables.table import Table

MARK: Final = "assumed"
ROW_KEYS: Final = {"boxes": "box", "debt": "tranche", "contracts": "contract", "assets": "asset"}


def provenance(run: xr.Dataset) -> dict[str, Any]:
    """Return the record of plan and resolved study that the run carries; empty if it has none."""
    text = run.attrs.get("provenance", "")
    record = json.loads(text) if text else {}
    return record if isinstance(record, dict) else {}


def study_of(run: xr.Dataset) -> dict[str, Any]:
    """Return the study with all defaults filled in; empty if the run does not carry it."""
    study = provenance(run).get("study")
    return study if isinstance(study, dict) else {}


def assumption_tables(run: xr.Dataset) -> list[Table]:
    """Return what was assumed, what rules filled, sources of rows, parameters and switches.

    Empty tables are left out; the study may lack any of these parts.
    """
    study = study_of(run)
    inputs = study.get("inputs", {})
    inputs = inputs if isinstance(inputs, Mapping) else {}
    cells = _mappings(study.get("derived"))
    tables = [
        cell_table("Values taken on an assumption", [c for c in cells if c.get("assumed")], MARK),
        cell_table("Blanks filled by a rule", [c for c in cells if not c.get("assumed")], ""),
        source_table(study),
        parameter_table(inputs.get("parameters"), _part(inputs, "expected").get("parameters")),
        switch_table(inputs.get("switches")),
    ]
    return [table for table in tables if table.rows]


def cell_table(caption: str, cells: Iterable[Mapping[str, Any]], mark: str) -> Table:
    """List cells with the rule or reason behind them."""
    fields = ("table", "row", "field", "value", "rule")
    rows = [[*(_text(cell.get(field)) for field in fields), mark] for cell in cells]
    return Table(
        caption, ("table", "row", "field", "value", "rule or reason", "mark"), rows, words=6
    )


def source_table(study: Mapping[str, Any]) -> Table:
    """List where the rows of study and tape come from; rows with the same source share a line."""
    rows: dict[tuple[str, str], list[str]] = {}
    for table, row, entry in _entries(study):
        source = _text(entry.get("source"))
        if source:
            rows.setdefault((table, source), []).append(row)
    lines = [[table, ", ".join(names), source] for (table, source), names in rows.items()]
    return Table(
        "Sources of the rows of study and tape", ("table", "rows", "source"), lines, words=3
    )


def parameter_table(parameters: Any, reference: Any) -> Table:
    """List parameters with unit, what they rest on and their source.

    Units and sources are those of the package's own table; a value that is in none of its three
    columns is marked as the study's own, one that no code reads as not read.
    """
    known = package_parameters()
    frozen = reference if isinstance(reference, Mapping) else {}
    rows = []
    for name, value in _items(parameters):
        one = known.get(name)
        rows.append(
            [
                name,
                _text(value),
                _text(frozen[name]) if frozen.get(name, value) != value else "",
                one.unit if one else "",
                _basis(one, value),
                one.source if one else "",
            ]
        )
    return Table(
        "Parameters",
        ("parameter", "value", "reference, if another", "unit", "basis", "source"),
        rows,
        "The reference is what was expected at the start; it stays when a stress moves the value.",
        words=6,
    )


def _basis(one: Parameter | None, value: Any) -> str:
    """Say what a value rests on."""
    if one and not one.read:
        return NOT_READ_SAID
    if one is None or value not in (one.low, one.base, one.stress):
        return "study's own value"
    return one.basis


def switch_table(switches: Any) -> Table:
    """List which drivers were on."""
    rows = [[str(name).replace("_", " "), "on" if on else "off"] for name, on in _items(switches)]
    return Table("Switches", ("driver", "state"), rows, words=2)


def provenance_table(run: xr.Dataset) -> Table:
    """List what is needed to reproduce the run."""
    plan = provenance(run).get("plan", {})
    rows = [
        ["study", str(run.attrs.get("title", ""))],
        ["digest of the resolved study", str(run.attrs.get("digest", ""))],
        ["seed", str(run.attrs.get("seed", ""))],
        ["paths", f"{run.sizes['path']:,}"],
        ["start, months", f"{run.attrs.get('start', '')}, {run.sizes.get('month', 0)}"],
        ["made by", str(run.attrs.get("source", ""))],
    ]
    versions = plan.get("versions", {}) if isinstance(plan, Mapping) else {}
    rows += [[f"version of {name}", _text(version)] for name, version in _items(versions)]
    return Table("What reproduces this run bit for bit", ("", ""), rows, words=2)


def study_text(run: xr.Dataset) -> str:
    """Return the whole resolved study, indented."""
    study = study_of(run)
    return json.dumps(study, indent=1, sort_keys=True, ensure_ascii=False) if study else ""


def _entries(study: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Walk the rows of study and tape: name of the table, id of the row, the row."""
    for part in ("study", "tape"):
        tables = study.get(part, {})
        for table, rows in _items(tables):
            if isinstance(rows, Mapping):
                named = [(str(key), row) for key, row in rows.items()]
            else:
                named = [
                    (_text(row.get(ROW_KEYS.get(table, "id"))), row) for row in _mappings(rows)
                ]
            for key, row in named:
                if isinstance(row, Mapping):
                    yield table, key, row


def _part(mapping: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    """Return a mapping inside another one, empty if there is none."""
    part = mapping.get(key)
    return part if isinstance(part, Mapping) else {}


def _mappings(node: Any) -> list[Mapping[str, Any]]:
    """Return the mappings of a list, whatever else it is given."""
    return [one for one in node if isinstance(one, Mapping)] if isinstance(node, list) else []


def _items(node: Any) -> list[tuple[str, Any]]:
    """Return the items of a mapping in order of name, whatever else it is given."""
    return sorted(node.items()) if isinstance(node, Mapping) else []


def _text(value: Any) -> str:
    """Return a value as a cell shows it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return format_significant(value, 6)
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {_text(one)}" for key, one in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(_text, value))
    return str(value)
