"""A small credit-only study that compiles in seconds."""

from __future__ import annotations

from pathlib import Path

TWO_NAMES = """
schema: neobox.credit/1
name: {name}
start: 2026-11
horizon_months: 12
names:
  A: {{exposure_usd_m: {exposure}, hazard_per_year: 0.05, lgd: 0.4, loadings: [0.4]}}
  B: {{exposure_usd_m: 50, hazard_per_year: 0.08, lgd: 0.6, loadings: [0.4]}}
"""


def two_names(folder: Path, exposure: float = 100, name: str = "two-names") -> Path:
    """Write the study and return its file."""
    file = folder / f"{name}.yaml"
    file.write_text(TWO_NAMES.format(name=name, exposure=exposure))
    return file
