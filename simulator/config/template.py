"""A study and a tape to start from: invented deals, every key and column explained.

The explanations are the descriptions of the schema, so they cannot fall behind it.
"""

from __future__ import annotations

import csv
import datetime
import io
import json
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from simulator.config.errors import ConfigError, Problem
from simulator.config.json_schema import schema_text
from simulator.config.schema import StudyFile
from simulator.config.tape import ROWS
from simulator.config.template_rows import STUDY, TAPE
from simulator.config.values import YearMonth

_WIDTH = 96
_SHORT = 5


def write_template(directory: Path, *, force: bool = False) -> list[Path]:
    """Write the template and return the files written.

    Parameters
    ----------
    directory
        Folder, made if need be.
    force
        Whether to overwrite files that are there.

    Raises
    ------
    ConfigError
        If a file is there and `force` is false; then nothing is written.
    """
    files: dict[Path, str | bytes] = {
        directory / "study.yaml": study_text(),
        directory / "schema.json": schema_text(),
        directory / "tape" / "README.md": columns_text(),
    }
    files |= {directory / "tape" / f"{table}.csv": csv_text(table) for table in ROWS}
    if find_spec("xlsxwriter"):
        files[directory / "tape.xlsx"] = workbook_bytes()
    present = [path for path in files if path.exists()]
    if present and not force:
        mend = "choosing another folder, or adding --force"
        raise ConfigError(
            [Problem(str(path), "file", "no file here", "one", mend) for path in present]
        )
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return list(files)


def study_text() -> str:
    """Return the study of the template, one comment above each key."""
    study = StudyFile.model_validate(STUDY)
    head = [
        "# yaml-language-server: $schema=schema.json",
        "# A study of neobox. Every key is here; one that is left out or blank takes its default.",
        "# Check it with: neobox check study.yaml",
    ]
    return "\n".join([*head, *_block(study, "")]) + "\n"


def _block(model: BaseModel, indent: str) -> Iterator[str]:
    for name, field in type(model).model_fields.items():
        key, value = field.alias or name, getattr(model, name)
        yield ""
        yield from _comment(field, indent)
        if isinstance(value, BaseModel):
            yield f"{indent}{key}:"
            yield from _dense(model=value, indent=f"{indent}  ")
        elif isinstance(value, Mapping) and _holds_models(value):
            yield f"{indent}{key}:"
            for inner, one in value.items():
                yield f"{indent}  {_scalar(inner)}:"
                yield from _dense(one, f"{indent}    ")
        elif isinstance(value, tuple) and len(value) > _SHORT:
            yield f"{indent}{key}:"
            yield from (f"{indent}  - {_scalar(one)}" for one in value)
        else:
            yield f"{indent}{key}: {_scalar(value)}".rstrip()


def _holds_models(value: Mapping[str, Any]) -> bool:
    return any(isinstance(one, BaseModel) for one in value.values())


def _dense(model: BaseModel, indent: str) -> Iterator[str]:
    """Yield the keys of an inner block, its comments without blank lines between."""
    return (line for line in _block(model, indent) if line)


def _comment(field: FieldInfo, indent: str) -> Iterator[str]:
    unit = _unit(field)
    words = f"{field.description}{f' [{unit}]' if unit else ''}".split()
    line = f"{indent}#"
    for word in words:
        if len(line) + 1 + len(word) > _WIDTH:
            yield line
            line = f"{indent}#"
        line += f" {word}"
    yield line


def _unit(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra["unit"]) if isinstance(extra, dict) else ""


def _scalar(value: Any) -> str:
    """Return a value as YAML in one line."""
    if value is None:
        return ""
    if isinstance(value, YearMonth):
        return str(value)
    if isinstance(value, Mapping):
        return (
            "{" + ", ".join(f"{_scalar(key)}: {_scalar(one)}" for key, one in value.items()) + "}"
        )
    if isinstance(value, (tuple, list)):
        return "[" + ", ".join(map(_scalar, value)) + "]"
    if isinstance(value, str) and value.replace("_", "").replace("-", "").isalnum():
        return value
    return json.dumps(value)


def csv_text(table: str) -> str:
    """Return a table of the template as CSV."""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(ROWS[table].model_fields), lineterminator="\n")
    writer.writeheader()
    writer.writerows(TAPE[table])
    return out.getvalue()


def columns_text() -> str:
    """Return the explanation of every column as Markdown."""
    lines = [
        "# The deal tape",
        "",
        "Four tables; blanks are filled by the rules named here, and `neobox check` lists them.",
        "Months are YYYY-MM, money is USD millions, shares are 85% or 0.85, flags true or false.",
    ]
    for table, row in ROWS.items():
        lines += ["", f"## {table}", "", "| column | unit | meaning |", "|---|---|---|"]
        lines += [
            f"| {name}{' (required)' if field.is_required() else ''} | {_unit(field)} |"
            f" {field.description} |"
            for name, field in row.model_fields.items()
        ]
    return "\n".join(lines) + "\n"


def workbook_bytes() -> bytes:
    """Return the tape as a workbook: one sheet per table, the meaning of a column as its note."""
    import xlsxwriter

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"created": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)})
    bold = book.add_format({"bold": True})
    for table, row in ROWS.items():
        sheet = book.add_worksheet(table)
        sheet.freeze_panes(1, 1)
        for column, (name, field) in enumerate(row.model_fields.items()):
            unit = _unit(field)
            sheet.write(0, column, name, bold)
            note = f"{field.description}{f' [{unit}]' if unit else ''}"
            sheet.write_comment(0, column, note)
            sheet.set_column(column, column, max(10, len(name)))
            for line, cells in enumerate(TAPE[table], start=1):
                if name in cells:
                    sheet.write(line, column, cells[name])
    book.close()
    return out.getvalue()
