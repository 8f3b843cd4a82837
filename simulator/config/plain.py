"""Plain values and the one JSON text of them, for digests and files."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any


def plain_values(value: Any) -> Any:
    """Return a value as JSON knows it: no tuples, no enumerations, None for NaN."""
    if isinstance(value, Mapping):
        return {str(key): plain_values(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_values(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    return value


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: sorted keys, no spaces, shortest floats."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
