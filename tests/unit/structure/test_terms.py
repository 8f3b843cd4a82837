"""Structures and overlays in a study file: what is wrong is told where it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.config.errors import ConfigError
from simulator.config.study import Study, load_book
from simulator.config.template import write_template
from tests.unit.structure.conftest import CHANGES

WRONG: dict[str, tuple[str, Any, str]] = {
    "member": ("structures.LOANS.members", {"TERM-C": 1.0}, "expected a tranche of the tape"),
    "sizes": ("structures.MIXED.notes.only.size", 0.9, ""),
    "too much": (
        "structures.MIXED.notes.more",
        {"size": 0.1, "coupon": 0.05},
        "expected sizes that sum to at most 1",
    ),
    "facility": ("overlays.LOAN.facility", "TERM-X", "expected a facility of the tape"),
    "box": ("overlays.FLOOR.box", "BOX-Z", "expected a box of the tape"),
    "both": ("overlays.FLOOR.facility", "TERM-B", "expected a floor or an insurance"),
    "months": ("overlays.FLOOR.floor_months", 0, "expected a number of months above 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_faults_are_told(case: str, tmp_path: Path) -> None:
    key, value, said = WRONG[case]
    file = write_template(tmp_path)[0]
    if not said:  # less than the whole pool is no fault: the rest is the residual holder's
        assert load_book(file, {**CHANGES, key: value}).inputs.book.structures
        return
    with pytest.raises(ConfigError, match=said) as caught:
        load_book(file, {**CHANGES, key: value})
    assert len(caught.value.problems) == 1


def test_notes_keep_their_order(study: Study) -> None:
    loans, mixed = study.inputs.book.structures
    assert [note.id for note in loans.notes] == ["senior", "middle", "junior"]
    assert mixed.sequential
    assert loans.members == (("TERM-A", 0.5), ("TERM-B", 1.0))
