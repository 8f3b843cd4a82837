"""The error of ES 99.9% against CPU time, plain and by importance sampling."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from simulator.reports.canvas import Picture
from simulator.reports.style import LENDERS, LINES


def error_picture(found: dict[str, list[Any]], curve: dict[int, list[Any]], paths: int) -> Picture:
    """Return the figure.

    Parameters
    ----------
    found : dict of str to list of Run
        Runs of each method at `paths` paths.
    curve : dict of int to list of Run
        Runs by importance sampling at other numbers of paths.
    paths : int
        Of the runs of `found`.
    """
    last = -1  # the highest level
    value = float(np.mean([run.values[last] for run in found["importance"]]))
    deviation = float(np.sqrt(np.mean([run.plain[last] ** 2 for run in found["importance"]])))
    second = float(np.mean([run.seconds for run in found["plain"]])) / paths
    sizes = {paths: found["importance"], **curve}

    def draw(axes: Axes) -> Axes:
        seconds = np.geomspace(2.0, 1000.0, 50)
        plain = 100.0 * deviation / value * np.sqrt(second / seconds)
        axes.plot(seconds, plain, color=LINES[0], label="plain")
        across, up = [], []
        for runs in sizes.values():
            for run in runs:
                across.append(run.seconds)
                up.append(100.0 * run.errors[last] / run.values[last])
        axes.scatter(across, up, s=14, color=LENDERS, label="importance, pilot included", zorder=3)
        axes.axhline(1.0, color="#6b7280", linewidth=0.8, linestyle=":")
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.set_xlabel("CPU time, seconds")
        axes.set_ylabel("standard error, % of ES 99.9%")
        axes.set_title("Error of the book's ES 99.9% against CPU time")
        axes.legend()
        return axes

    return Picture(
        "rare-events",
        "Standard error of ES 99.9% of the lender's book against CPU time.",
        "Importance sampling lies well below the line of plain sampling.",
        [draw],
        width=6.4,
        height=3.6,
    )
