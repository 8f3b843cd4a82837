"""Small sweeps of a credit-only study, and the bytes they leave."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

POOL = """\
schema: neobox.credit/1
name: small-pool
start: 2026-11
horizon_months: 24
names:
  A: {exposure_usd_m: 50, pd: 6%, lgd: 60%, loadings: 0.4}
  B: {exposure_usd_m: 30, pd: 10%, lgd: 40%, loadings: 0.5}
  C: {exposure_usd_m: 20, pd: 3%, lgd: 80%, loadings: 0.3}
"""

SWEEP = """\
schema: neobox.sweep/1
base: pool.yaml
axes:
  names.A.pd: [3%, 6%]
  names.B.exposure_usd_m: {from: 10, to: 50, num: 3}
paths: 300
seed: 4
"""


def write_sweep(folder: Path, text: str = SWEEP, pool: str = POOL) -> Path:
    """Write a study and a sweep of it, and return the sweep."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pool.yaml").write_text(pool, encoding="utf-8")
    file = folder / "small.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def bytes_of(results: Path) -> dict[str, Any]:
    """Return all files of a folder of results, by name; of a run, all but when it was computed."""
    found: dict[str, Any] = {}
    for path in sorted(results.rglob("*")):
        if path.is_file():
            name = path.relative_to(results).as_posix()
            found[name] = path.read_bytes()
            if path.name == "run.json":
                record = json.loads(found[name])
                found[name] = {key: record[key] for key in ("status", "plan", "sha256", "files")}
    return found
