from __future__ import annotations

import numpy as np
import pytest

from simulator.config.correlations import as_matrix, package_entries
from simulator.config.terms import CORRELATION_ORDER
from tests.unit.config.conftest import Draft

Z, C, D, P = (CORRELATION_ORDER.index(name) for name in "ZCDP")


def test_the_package_matrix_is_one() -> None:
    matrix = np.array(as_matrix(package_entries()))
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 1).all()
    assert np.linalg.eigvalsh(matrix)[0] > 0
    assert (matrix[D, P], matrix[Z, C]) == (0.55, 0.55)


def test_a_pair_changes_both_entries(draft: Draft) -> None:
    draft.study["correlations"] = {"D": {"P": 0.3}}
    matrix = draft.load().inputs.correlations
    assert matrix[D][P] == matrix[P][D] == 0.3
    assert matrix[Z][C] == 0.55


def test_a_csv_in_any_order(draft: Draft) -> None:
    entries = package_entries()
    entries["D", "P"] = entries["P", "D"] = 0.4
    order = CORRELATION_ORDER[::-1]
    lines = ["factor," + ",".join(order)]
    lines += [f"{row}," + ",".join(str(entries[row, one]) for one in order) for row in order]
    draft.study["correlations"] = "matrix.csv"
    draft.write()
    (draft.folder / "matrix.csv").write_text("\n".join(lines), encoding="utf-8")
    assert draft.load().inputs.correlations == as_matrix(entries)

    (draft.folder / "matrix.csv").write_text("\n".join(lines[:-1]), encoding="utf-8")
    assert draft.problem().got == "none for Z"


def test_the_matrix_in_use_is_checked_too(draft: Draft) -> None:
    """A matrix may be positive definite as given, and not with cp.rho_macro in place."""
    zeros: dict[str, dict[str, float]] = {
        row: dict.fromkeys(CORRELATION_ORDER[:at], 0.0) for at, row in enumerate(CORRELATION_ORDER)
    }
    zeros["C"]["Z"] = zeros["D"]["Z"] = zeros["D"]["C"] = 0.9
    draft.study["correlations"] = zeros
    draft.study["drivers"] = {"structural_link": False}
    draft.study["parameters"] = {"values": {"cp.rho_macro": 0.1}}
    assert "with cp.rho_macro and the structural link in place" in draft.problem().expected


@pytest.mark.parametrize(("kind", "nu", "expected"), [("gaussian", 5, 0.0), ("t", 4, 4.0)])
def test_copula(draft: Draft, kind: str, nu: float, expected: float) -> None:
    draft.study["copula"] = {"kind": kind, "nu": nu}
    assert draft.load().inputs.copula_nu == expected
