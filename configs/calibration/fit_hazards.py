"""Fit the default hazards of `simulator/config/hazards.csv` to a table of published averages.

The table is not shipped: rating agencies own theirs.  Give your own, cumulative default rates in
percent by letter and year since the cohort's start:

    rating,y1,y2,y3,y4,y5,y6
    AAA,...

    python configs/calibration/fit_hazards.py averages.csv      # fit, write coefficients and curve
    python configs/calibration/fit_hazards.py                   # the curve from the coefficients

A letter stands at its middle notch (A at A2 = 6).  With s = (notch - 12)/6 and z = ln year,

    ln h(s, z) = sum of coefficients c_ij s^i z^j,   i <= 5 for j = 0 and 1, i <= 3 for j = 2,

fitted by weighted least squares on the log of h = -ln(1 - p), p the default rate of the year given
survival, under the condition that h rises by at least 3% a notch in every year.  Below Caa2, where
agencies publish one bucket only, h grows by 28% a notch (judgement).  The floor is one basis point.
"""

from __future__ import annotations

import argparse
import csv
import json
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
COEFFICIENTS = HERE / "hazard_coefficients.json"
CURVE = HERE.parents[1] / "simulator" / "config" / "hazards.csv"

# fmt: off
RATINGS = [
    "Aaa", "Aa1", "Aa2", "Aa3", "A1", "A2", "A3", "Baa1", "Baa2",
    "Baa3", "Ba1", "Ba2", "Ba3", "B1", "B2", "B3", "Caa1", "Caa2",
    "Caa3", "Ca", "C",
]
ALIASES = [
    "AAA", "AA+", "AA", "AA-", "A+", "A", "A-", "BBB+", "BBB",
    "BBB-", "BB+", "BB", "BB-", "B+", "B", "B-", "CCC+", "CCC",
    "CCC-", "CC", "C",
]
# fmt: on
LETTERS = {"AAA": 1, "AA": 3, "A": 6, "BBB": 9, "BB": 12, "B": 15, "CCC/C": 18}
YEARS = 6
LAST_FITTED = 18
SLOPE_BELOW = 0.25  # log per notch under Caa2
FLOOR = 1e-4
TERMS = [(i, j) for j in range(3) for i in range(6 if j < 2 else 4)]


def design(notch: np.ndarray, year: np.ndarray) -> np.ndarray:
    """Rows of the regression: s^i z^j."""
    s, z = (notch - 12) / 6, np.log(year)
    return np.stack([s**i * z**j for i, j in TERMS], axis=-1)


def grid(last: int) -> np.ndarray:
    """Design of all notches up to `last` and all years, in that order."""
    notch, year = np.meshgrid(np.arange(1, last + 1), np.arange(1, YEARS + 1), indexing="ij")
    return design(notch.ravel().astype(float), year.ravel().astype(float))


def conditional(cumulative: list[float]) -> list[float]:
    """Hazards of each year from cumulative default rates in percent."""
    survived = 1 - np.array([0.0, *cumulative]) / 100
    return [float(h) for h in -np.log(survived[1:] / survived[:-1])]


def read_averages(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Notch, year and hazard of every cell of a table of cumulative default rates."""
    cells = []
    with path.open(newline="") as file:
        for row in csv.DictReader(line for line in file if not line.startswith("#")):
            rates = [float(row[f"y{k}"]) for k in range(1, YEARS + 1)]
            for k, h in enumerate(conditional(rates), 1):
                cells.append((LETTERS[row["rating"]], k, max(FLOOR, h)))
    notch, year, hazard = np.array(cells, float).T
    return notch, year, hazard


def fit(notch: np.ndarray, year: np.ndarray, hazard: np.ndarray) -> np.ndarray:
    """Least squares on logs; scarce defaults (AAA, AA, the floor) weigh less."""
    from scipy.optimize import minimize

    x, target = design(notch, year), np.log(hazard)
    weight = np.where(notch <= 3, 0.4, 1.0) * np.where(hazard <= FLOOR, 0.3, 1.0)
    weight *= np.where(notch >= 15, 1.5, 1.0)
    start = np.linalg.lstsq(x * weight[:, None], target * weight, rcond=None)[0]
    steps = np.diff(grid(LAST_FITTED + 1).reshape(-1, YEARS, len(TERMS)), axis=0)
    steps = steps.reshape(-1, len(TERMS))
    rises = {"type": "ineq", "fun": lambda c: steps @ c - 0.03, "jac": lambda c: steps}
    result = minimize(
        lambda c: float(np.sum((weight * (x @ c - target)) ** 2)),
        start,
        jac=lambda c: 2 * x.T @ (weight**2 * (x @ c - target)),
        constraints=[rises],
        method="SLSQP",
        options={"maxiter": 1000},
    )
    if not result.success:
        raise SystemExit(f"fit failed: {result.message}")
    return np.asarray(result.x)


def curve(coefficients: np.ndarray) -> np.ndarray:
    """Hazard per year by notch (rows, all of RATINGS) and year (columns)."""
    log_hazard = (grid(LAST_FITTED) @ coefficients).reshape(-1, YEARS)
    below = log_hazard[-1] + SLOPE_BELOW * np.arange(1, len(RATINGS) - LAST_FITTED + 1)[:, None]
    return np.maximum(FLOOR, np.exp(np.vstack([log_hazard, below])))


def write_curve(hazards: np.ndarray, path: Path) -> None:
    """Write the curve, rounded to six decimals."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["rating", "alias", "notch", *(f"y{k}" for k in range(1, YEARS + 1))])
        for i, row in enumerate(hazards):
            writer.writerow([RATINGS[i], ALIASES[i], i + 1, *(f"{h:.6f}" for h in row)])


def main() -> None:
    """Fit if a table is given; write the curve either way."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("averages", type=Path, nargs="?")
    parser.add_argument("--out", type=Path, default=CURVE)
    arguments = parser.parse_args()
    if arguments.averages is not None:
        notch, year, hazard = read_averages(arguments.averages)
        coefficients = fit(notch, year, hazard)
        error = np.exp(design(notch, year) @ coefficients) / hazard - 1
        record = {
            "terms": [f"s^{i} z^{j}" for i, j in TERMS],
            "coefficients": [round(float(c), 6) for c in coefficients],
            "relative_error_rms": {
                letter: round(float(np.sqrt(np.mean(error[notch == n] ** 2))), 3)
                for letter, n in LETTERS.items()
            },
        }
        COEFFICIENTS.write_text(json.dumps(record, indent=2) + "\n")
    coefficients = np.array(json.loads(COEFFICIENTS.read_text())["coefficients"])
    write_curve(curve(coefficients), arguments.out)


if __name__ == "__main__":
    main()
