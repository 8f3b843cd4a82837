"""Write the default hazards of `simulator/config/hazards.csv`: from averages, or from coefficients.

The package ships coefficients and the curve they give, not the averages they were fitted to, which
rating agencies own. For a study of your own, `neobox calibrate hazards` and `ratings_table` do
the same without touching the package; this script makes the table of the package itself.

    python configs/calibration/fit_hazards.py averages.csv      # fit, write coefficients and curve
    python configs/calibration/fit_hazards.py                   # the curve from the coefficients

Table, equation and conditions: `simulator/calibration/hazards.py`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from simulator.calibration import hazards
from simulator.config.errors import NeoboxError

HERE = Path(__file__).parent
COEFFICIENTS = HERE / "hazard_coefficients.json"
CURVE = HERE.parents[1] / "simulator" / "config" / "hazards.csv"


def record(averages: Path) -> str:
    """Return the coefficients fitted to a table of averages, as JSON."""
    cells = hazards.read_averages(averages)
    coefficients = hazards.fit(cells).coefficients
    errors = hazards.relative_errors(cells, coefficients)
    content = {
        "terms": [f"s^{i} z^{j}" for i, j in hazards.TERMS],
        "coefficients": [round(float(one), 6) for one in coefficients],
        "relative_error_rms": {name: round(error, 3) for name, error in errors.items()},
    }
    return json.dumps(content, indent=2) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Fit if a table is given; write the curve either way."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("averages", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, default=CURVE)
    given = parser.parse_args(arguments)
    if given.averages is not None:
        try:
            COEFFICIENTS.write_text(record(given.averages), encoding="utf-8")
        except NeoboxError as error:
            raise SystemExit(str(error)) from error
    coefficients = json.loads(COEFFICIENTS.read_text(encoding="utf-8"))["coefficients"]
    curve = hazards.curve(np.array(coefficients))
    given.out.write_text(hazards.curve_text(curve), encoding="utf-8")


if __name__ == "__main__":
    main()
