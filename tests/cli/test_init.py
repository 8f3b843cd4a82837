from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from simulator.config import load_study
from simulator.config.schema import StudyFile
from simulator.config.tape import ROWS
from simulator.config.template import columns_text, csv_text, study_text, workbook_bytes

Call = Callable[..., Result]


def test_template_passes_check_as_it_is(call: Call, tmp_path: Path) -> None:
    result = call("init", tmp_path / "new")
    assert result.exit_code == 0
    written = [Path(line) for line in result.stdout.splitlines()]
    assert all(path.is_file() for path in written)
    assert {path.name for path in written} >= {"study.yaml", "schema.json", "README.md"}
    assert call("check", tmp_path / "new" / "study.yaml").exit_code == 0


def test_workbook_and_folder_are_the_same_tape(template: Path) -> None:
    pytest.importorskip("xlsxwriter")
    assert load_study(template).digest == load_study(template, {"tape": "tape.xlsx"}).digest
    assert workbook_bytes() == workbook_bytes()


def test_template_is_its_own_default(template: Path) -> None:
    """Every key is written with its default: left out, they change nothing."""
    bare = template.with_name("bare.yaml")
    kept, keep = [], True
    wanted = ("schema", "name", "start", "tape", "sites", "counterparties", "sponsors")
    for line in template.read_text(encoding="utf-8").splitlines():
        if line and line[0] not in " #":
            keep = line.partition(":")[0] in wanted
        if keep and not line.lstrip().startswith("#"):
            kept.append(line)
    bare.write_text("\n".join(kept) + "\n", encoding="utf-8")
    assert "waterfall" not in bare.read_text(encoding="utf-8")
    assert load_study(bare).digest == load_study(template).digest


def test_every_key_and_column_is_explained() -> None:
    text = " ".join(study_text().replace("#", " ").split())
    for name, field in StudyFile.model_fields.items():
        assert " ".join(str(field.description).split()) in text, name
    columns = columns_text()
    for table, row in ROWS.items():
        header = csv_text(table).splitlines()[0].split(",")
        assert header == list(row.model_fields)
        for name, field in row.model_fields.items():
            assert f"| {name}" in columns
            assert str(field.description) in columns


def test_lines_are_not_too_long() -> None:
    assert max(map(len, study_text().splitlines())) <= 100


def test_nothing_is_overwritten(call: Call, tmp_path: Path) -> None:
    folder = tmp_path / "new"
    (folder / "tape").mkdir(parents=True)
    (folder / "tape" / "debt.csv").write_text("mine", encoding="utf-8")
    result = call("init", folder)
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert not (folder / "study.yaml").exists()
    assert (folder / "tape" / "debt.csv").read_text(encoding="utf-8") == "mine"

    assert call("init", folder, "--force").exit_code == 0
    assert (folder / "tape" / "debt.csv").read_text(encoding="utf-8") != "mine"
