"""Implied ratings: an expected loss read off a scale of idealised five-year expected losses.

The scale shipped here is a smooth curve, not an agency's table.  It is the cubic in the notch n
(1 = Aaa … 21 = C) of ln(expected loss) through four anchors:

======  =====  =============  ==================================================
notch   grade  expected loss  why
======  =====  =============  ==================================================
1       Aaa    0.002%         as good as none
7       A3     0.4%           A3 for a senior GPU loan on investment-grade rent
12      Ba2    4.6%           Ba2 for one on unrated rent
21      C      100%           nothing is recovered
======  =====  =============  ==================================================

so that ln EL = −10.81978 + 1.182160·m − 0.05747650·m² + 0.001270898·m³ with m = n − 1.  The two
inner anchors are what agencies were reported to expect of GPU loans so graded; the outer two pin
the ends.  Users who hold an agency's own table pass it as a `RatingScale`.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from simulator.config.errors import NeoboxError

GRADES: Final = (
    *("Aaa", "Aa1", "Aa2", "Aa3", "A1", "A2", "A3", "Baa1", "Baa2", "Baa3", "Ba1", "Ba2", "Ba3"),
    *("B1", "B2", "B3", "Caa1", "Caa2", "Caa3", "Ca", "C"),
)
COEFFICIENTS: Final = (-10.81978, 1.182160, -0.05747650, 0.001270898)  # of m⁰, m, m², m³


@dataclass(frozen=True, slots=True)
class RatingScale:
    """Idealised expected loss of each grade, best first.

    Parameters
    ----------
    losses : mapping of str to float
        Grade to idealised expected loss (fraction of exposure, > 0), strictly rising.
    name : str
        How reports call the scale.
    """

    losses: Mapping[str, float]
    name: str = "user's scale"

    def __post_init__(self) -> None:
        """Refuse a scale that does not rise."""
        values = list(self.losses.values())
        if not values or values[0] <= 0.0:
            raise ValueError("rating scale: expected at least one grade, losses above 0")
        for (good, low), (bad, high) in zip(
            list(self.losses.items())[:-1], list(self.losses.items())[1:], strict=True
        ):
            if not low < high:
                raise ValueError(
                    f"rating scale: expected losses that rise from best to worst, "
                    f"got {good} {low:g}, {bad} {high:g}"
                )

    def grade(self, expected_loss: float) -> str:
        """Grade whose idealised loss is nearest in ratio (bounds at geometric means).

        Parameters
        ----------
        expected_loss : float
            Fraction of exposure; NaN gives ``n/a``.

        Returns
        -------
        str
        """
        if math.isnan(expected_loss):
            return "n/a"
        grades, values = list(self.losses), list(self.losses.values())
        for i in range(len(grades) - 1):
            if expected_loss <= math.sqrt(values[i] * values[i + 1]):
                return grades[i]
        return grades[-1]

    def grade_range(self, low: float, high: float) -> str:
        """Grades between two expected losses, e.g. ``Ba2`` or ``Ba1 to Ba3``."""
        best, worst = self.grade(max(0.0, low)), self.grade(high)
        return best if best == worst else f"{best} to {worst}"


def read_scale(path: str | Path) -> RatingScale:
    """Read a user's scale from a CSV file with the columns ``rating`` and ``expected_loss``.

    Parameters
    ----------
    path : path
        Best grade first; losses as fractions (``0.004``) or percentages (``0.4%``).

    Raises
    ------
    RatingScaleError
        If the file cannot be read as a scale; the message says where.
    """
    path = Path(path)
    losses: dict[str, float] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for line, row in enumerate(csv.DictReader(file), start=2):
                text = (row.get("expected_loss") or "").strip()
                grade = (row.get("rating") or "").strip()
                if not grade or not text:
                    raise ValueError(
                        f"line {line}: expected the columns rating and expected_loss, got {row}"
                    )
                losses[grade] = float(text.rstrip("%")) / (100.0 if text.endswith("%") else 1.0)
        return RatingScale(losses, path.name)
    except (OSError, ValueError) as error:
        raise RatingScaleError(f"{path}: {error}") from error


class RatingScaleError(NeoboxError):
    """A file that is no rating scale."""

    exit_code = 2


def fitted_scale() -> RatingScale:
    """Return the smooth scale of this module's docstring.

    Examples
    --------
    >>> scale = fitted_scale()
    >>> scale.grade(0.004), scale.grade(0.046), scale.grade(0.0)
    ('A3', 'Ba2', 'Aaa')
    """
    losses = {
        grade: math.exp(sum(c * m**power for power, c in enumerate(COEFFICIENTS)))
        for m, grade in enumerate(GRADES)
    }
    return RatingScale(losses, "fitted curve (A3 0.4%, Ba2 4.6%)")
