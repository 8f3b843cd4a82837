"""The figure of a calibration, and its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from matplotlib.axes import Axes

from simulator.calibration import Calibration
from simulator.reports.canvas import TOP, Picture
from simulator.reports.figures import calibration as figures
from simulator.reports.files import write_file

__all__ = ["picture_of", "save_calibration"]

FIGURE: Final = "fit.png"
BOTTOM: Final = 0.8
"""Room below a panel for its axis and legend, in inches."""
PANELS: Final[dict[str, Sequence[Callable[[Any, Axes], Axes]]]] = {
    "prices": (figures.prices, figures.reversion),
    "memory": (figures.cycle, figures.probabilities),
    "rates": (figures.rates, figures.surprises),
    "hazards": (figures.hazards, figures.notches),
}


def picture_of(calibration: Calibration) -> Picture:
    """Return the figure of a calibration: data and fit, and how firmly the data hold it."""
    return Picture(
        name=f"calibration_{calibration.kind}",
        caption=f"{calibration.kind}: {calibration.data}.",
        alt=" ".join(calibration.verdicts) or calibration.data,
        panels=[partial(draw, calibration) for draw in PANELS[calibration.kind]],
        columns=1,
        width=7.6,
        height=figures.TALL + TOP + BOTTOM,
        bottom=BOTTOM,
    )


def save_calibration(calibration: Calibration, directory: Path) -> list[Path]:
    """Write parameter set, tables and figure to a folder.

    Parameters
    ----------
    calibration : Calibration
        What to write; everything is made before the first file is written.
    directory : Path
        Folder, made if it is not there.

    Returns
    -------
    list of Path
        The files, each written in one step.
    """
    content = {name: text.encode() for name, text in calibration.files().items()}
    content[FIGURE] = picture_of(calibration).render("png")
    return [write_file(directory / name, data) for name, data in content.items()]
