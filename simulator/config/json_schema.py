"""The JSON Schema of study files, for editors."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel

from simulator.config.drivers import DRIVER_PREFIXES
from simulator.config.parameters import parameter_table
from simulator.config.pool_schema import PoolFile
from simulator.config.schema import StudyFile


def schema_text() -> str:
    """Return the JSON Schema as text; parameter ids are listed so that editors complete them."""
    schema = schema_of(StudyFile, "neobox study")
    block = schema["$defs"]["ParameterBlock"]["properties"]
    schema["$defs"]["Number"] = block["values"].pop("additionalProperties")
    block["values"] |= {
        "additionalProperties": False,
        "properties": {
            name: {"$ref": "#/$defs/Number", "description": f"{one.description} [{one.unit}]"}
            for name, one in parameter_table().items()
        },
    }
    families = {name.split(".")[0] for name in parameter_table()}
    names = sorted(families | set(DRIVER_PREFIXES))
    block["driver_sets"]["propertyNames"] = {"anyOf": [{"enum": names}, {"type": "string"}]}
    return as_text(schema)


def pool_schema_text() -> str:
    """Return the JSON Schema of credit-only studies as text."""
    return as_text(schema_of(PoolFile, "neobox credit-only study"))


def schema_of(model: type[BaseModel], title: str) -> dict[str, Any]:
    """Return the JSON Schema of a file."""
    schema = model.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = title
    return schema


def as_text(schema: dict[str, Any]) -> str:
    """Return a schema as a file holds it."""
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
