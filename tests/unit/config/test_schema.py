from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from simulator.config import schema, tape
from simulator.config.drivers import DRIVER_PREFIXES, Drivers
from simulator.config.json_schema import schema_text
from simulator.config.schema import StudyFile
from simulator.config.terms import SWITCHES, WATERFALL_LINES

ROOT = Path(__file__).resolve().parents[3]
BLOCKS: list[type[BaseModel]] = [
    Drivers,
    *tape.ROWS.values(),
    *(
        one
        for one in vars(schema).values()
        if isinstance(one, type) and issubclass(one, schema.Model) and one is not schema.Model
    ),
]


def test_blocks_are_found() -> None:
    assert {block.__name__ for block in BLOCKS} >= {"StudyFile", "Sponsor", "BoxRow", "Drivers"}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_every_key_is_described_and_has_a_unit(block: type[BaseModel]) -> None:
    assert block.__doc__
    for name, field in block.model_fields.items():
        assert field.description, name
        assert isinstance(field.json_schema_extra, dict), name
        assert isinstance(field.json_schema_extra["unit"], str), name


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.__name__)
def test_blocks_are_frozen_and_closed(block: type[BaseModel]) -> None:
    assert block.model_config["frozen"]
    assert block.model_config["extra"] == "forbid"


def test_numbers_of_the_tape_have_units() -> None:
    for row in tape.ROWS.values():
        for name, field in row.model_fields.items():
            if any(part in name for part in ("usd", "months", "years", "share", "_bp", "rate")):
                extra = field.json_schema_extra
                assert isinstance(extra, dict)
                assert extra["unit"], name


def test_switches_and_lines_are_those_of_the_terms() -> None:
    assert tuple(Drivers.model_fields) == SWITCHES
    assert StudyFile.model_fields["waterfall"].default == WATERFALL_LINES
    off = [name for name, on in Drivers().model_dump().items() if not on]
    assert off == ["easing", "amendments"]
    assert set(DRIVER_PREFIXES) <= set(SWITCHES)


def test_committed_json_schema_is_the_generated_one() -> None:
    committed = (ROOT / "configs" / "schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "run: neobox schema > configs/schema.json"


def properties(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield from node.get("properties", {}).items()
        for inner in node.values():
            yield from properties(inner)


def test_json_schema_explains_every_key() -> None:
    tree = json.loads(schema_text())
    found = dict(properties(tree))
    assert len(found) > 250
    assert all("description" in entry for entry in found.values())
    assert tree["properties"]["horizon_months"]["maximum"] == 120
    assert tree["additionalProperties"] is False
