"""The JSON Schema of study files, for editors."""

from __future__ import annotations

import json

from simulator.config.drivers import DRIVER_PREFIXES
from simulator.config.parameters import parameter_table
from simulator.config.schema import StudyFile


def schema_text() -> str:
    """Return the JSON Schema as text; parameter ids are listed so that editors complete them."""
    schema = StudyFile.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["title"] = "neobox study"
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
    return json.dumps(schema, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
