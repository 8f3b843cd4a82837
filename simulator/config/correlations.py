"""The correlation matrix of the nine systemic factors, and whether it is one."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np

from simulator.config.errors import Problems
from simulator.config.loader import Document
from simulator.config.parameters import package_lines
from simulator.config.schema import StudyFile
from simulator.config.tables import read_csv
from simulator.config.terms import CORRELATION_ORDER

Matrix: TypeAlias = tuple[tuple[float, ...], ...]
Entries: TypeAlias = dict[tuple[str, str], float]

LINKED: Mapping[tuple[str, str], float] = {
    ("D", "P"): 0.15,
    ("M", "P"): 0.10,
    ("E", "P"): 0.0,
    ("S", "P"): 0.0,
    ("C", "D"): 0.15,
    ("C", "P"): 0.15,
}
"""Entries while the structural link is on (model §1)."""

STRESSED = frozenset("DPCZ")
"""Factors whose correlations ``correlation_stress`` scales: demand, price, AI credit, credit."""


def package_entries() -> Entries:
    """Return the matrix of the package by pairs of factors."""
    rows = list(csv.reader(package_lines("correlations.csv")))
    return {
        (row[0], column): float(value)
        for row in rows[1:]
        for column, value in zip(rows[0][1:], row[1:], strict=True)
    }


def study_matrix(
    study: StudyFile,
    document: Document,
    base: Path,
    parameters: Mapping[str, float],
    out: Problems,
) -> Matrix:
    """Return the matrix of a study in the order of the factors.

    Parameters
    ----------
    study, document
        The study and where its keys stand.
    base
        Folder that the path of a CSV is relative to.
    parameters
        Parameters, for the entry that ``cp.rho_macro`` replaces.
    out
        Takes what is wrong with the matrix.
    """
    place = document.place(("correlations",))
    entries = package_entries()
    before = len(out)
    if isinstance(study.correlations, str):
        place = str(base / study.correlations)
        entries = _from_csv(base / study.correlations, out)
    elif study.correlations is not None:
        given = {
            (row, column): value
            for row, cells in study.correlations.items()
            for column, value in cells.items()
        }
        for (row, column), value in given.items():
            entries[row, column] = value
            if (column, row) not in given:
                entries[column, row] = value
    for pair in entries:
        if pair[0] != pair[1] and set(pair) <= STRESSED:
            entries[pair] *= study.correlation_stress
    if len(out) == before:
        _check(entries, place, study, parameters, out)
    return as_matrix(entries) if len(out) == before else as_matrix(package_entries())


def as_matrix(entries: Entries) -> Matrix:
    """Return entries as rows in the order of the factors."""
    return tuple(
        tuple(entries[row, column] for column in CORRELATION_ORDER) for row in CORRELATION_ORDER
    )


def _from_csv(path: Path, out: Problems) -> Entries:
    columns = ["factor", *CORRELATION_ORDER]
    table = read_csv(path, columns, columns, out)
    entries: Entries = {}
    for row in table.rows:
        name = str(row.cells.get("factor", ""))
        for column in CORRELATION_ORDER:
            try:
                entries[name, column] = float(row.cells[column])
            except (KeyError, ValueError):
                out.add(
                    row.place,
                    column,
                    expected="a correlation",
                    got=repr(row.cells.get(column)),
                    mend="writing a number between -1 and 1",
                )
    absent = sorted(set(CORRELATION_ORDER) - {name for name, _ in entries})
    if table.readable and absent:
        expected = f"rows {', '.join(CORRELATION_ORDER)}"
        got = f"none for {', '.join(absent)}"
        out.add(str(path), "factor", expected=expected, got=got, mend="adding them")
    return entries


def _check(
    entries: Entries,
    place: str,
    study: StudyFile,
    parameters: Mapping[str, float],
    out: Problems,
) -> None:
    for row in CORRELATION_ORDER:
        for column in CORRELATION_ORDER:
            value, mirror = entries[row, column], entries[column, row]
            if row == column and value != 1.0:
                got, mend = f"{value:g}", "writing 1"
                out.add(place, f"{row}.{column}", expected="1", got=got, mend=mend)
            elif row < column and value != mirror:
                out.add(
                    place,
                    f"correlations.{row}.{column}",
                    expected="a symmetric matrix",
                    got=f"{value:g} there and {mirror:g} for {column}.{row}",
                    mend="writing the same value twice, or only one of them",
                )
            elif not -1 <= value <= 1:
                mend = "writing a correlation"
                out.add(place, f"{row}.{column}", expected="-1 to 1", got=f"{value:g}", mend=mend)
    if any(problem.place == place for problem in out):
        return
    used = dict(entries)
    changes = dict(LINKED) if study.drivers.structural_link else {}
    for (row, column), value in {**changes, ("Z", "C"): parameters["cp.rho_macro"]}.items():
        used[row, column] = used[column, row] = value
    for name, tried in (
        ("as given", entries),
        ("with cp.rho_macro and the structural link in place", used),
    ):
        smallest = float(np.linalg.eigvalsh(np.array(as_matrix(tried)))[0])
        if not smallest > 1e-10:
            out.add(
                place,
                "correlations",
                expected=f"a positive definite matrix {name}",
                got=f"smallest eigenvalue {smallest:.4g}",
                mend="moving the largest entries towards 0",
            )
            return
