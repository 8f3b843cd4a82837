"""How every figure looks: readable in colour, in grey and with colour-blind eyes.

Lines take petroff10 (Petroff 2021) and differ in dash as well.  Fans are four blues around an
orange median on white; in grey the blues stay four steps and the median stays a dark line with a
white edge.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

import matplotlib as mpl
from cycler import cycler

LINES: Final = (  # petroff10, the greys last
    *("#3f90da", "#ffa90e", "#bd1f01", "#832db6", "#a96b59"),
    *("#e76300", "#92dadd", "#b9ac70", "#717581", "#94a4a2"),
)
DASHES: Final = ("-", "--", "-.", ":", (0, (7, 2, 1, 2, 1, 2)), (0, (3, 2)))
BLUES: Final = ("#dbe9f6", "#bad6eb", "#89bedc", "#539ecd")  # outermost band first
MEDIAN: Final = "#d94801"
INK: Final = "#222222"
MUTED: Final = "#6b7280"
LENDERS: Final = "#bd1f01"
EQUITY: Final = "#89bedc"
HATCHES: Final = ("", "////", "//--", r"\\\\", "|||", "xxx", "+++", "---")

STYLE: Final[dict[str, Any]] = {
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.labelcolor": INK,
    "axes.edgecolor": "#9ca3af",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=list(LINES)),
    "grid.color": "#e5e7eb",
    "grid.linewidth": 0.6,
    "xtick.color": "#4b5563",
    "ytick.color": "#4b5563",
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "hatch.linewidth": 0.6,
    "hatch.color": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "neobox",
    "svg.image_inline": True,
    "path.simplify": False,
    "pdf.fonttype": 42,
    "date.converter": "concise",
}


@contextmanager
def styled() -> Iterator[None]:
    """Let Matplotlib draw in this style, untouched by the user's own settings."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(cast(Any, STYLE))
        yield


def line_style(i: int) -> dict[str, Any]:
    """Return colour and dash of the i-th line; neighbours differ in both."""
    return {"color": LINES[i % len(LINES)], "linestyle": DASHES[i % len(DASHES)]}
