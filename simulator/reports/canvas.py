"""From panels to files: lay Axes out, draw, write SVG, PNG or PDF with repeatable bytes."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from simulator.reports.style import styled

FORMATS: Final = ("svg", "png", "pdf")
TOP: Final = 0.34
RIGHT: Final = 0.16
LEGEND: Final = 0.3
"""Room above and right of each panel, and for a legend they share, in inches."""
_METADATA: Final[dict[str, dict[str, None]]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure of a report before it is drawn.

    Parameters
    ----------
    name : str
        File name without ending, and anchor in the document.
    caption : str
        What it shows and how to read it.
    alt : str
        The same for those who cannot see it, with the main numbers.
    panels : sequence of callable
        Each draws on one Axes and returns it.
    columns : int
        Panels beside each other.
    width, height : float
        Size of one panel in inches, margins included.
    left : float
        Room for the labels of the vertical axis, in inches.
    bottom : float
        Room for those of the horizontal axis.
    shared_legend : bool
        Whether the legend of the first panel stands below all of them.
    """

    name: str
    caption: str
    alt: str
    panels: Sequence[Callable[[Axes], Axes]]
    columns: int = 1
    width: float = 10.4
    height: float = 3.0
    left: float = 0.72
    bottom: float = 0.48
    shared_legend: bool = False

    def figure(self) -> Figure:
        """Draw all panels, each in its own cell of a grid, margins in inches."""
        columns = min(self.columns, len(self.panels))
        rows = -(-len(self.panels) // columns)
        strip = LEGEND if self.shared_legend else 0.0
        across, up = self.width * columns, self.height * rows + strip
        with styled():
            figure = Figure(figsize=(across, up))
            for i, draw in enumerate(self.panels):
                row, column = divmod(i, columns)
                left = self.width * column + self.left
                bottom = up - self.height * (row + 1) + self.bottom
                wide = self.width - self.left - RIGHT
                high = self.height - TOP - self.bottom
                cell = (left / across, bottom / up, wide / across, high / up)
                draw(figure.add_axes(cell))
            if self.shared_legend:
                handles, names = figure.axes[0].get_legend_handles_labels()
                figure.legend(handles, names, loc="lower center", ncols=max(1, len(names)))
        return figure

    def render(self, form: str = "svg", dpi: int = 144) -> bytes:
        """Draw and encode.

        Parameters
        ----------
        form : {"svg", "png", "pdf"}
            Format.
        dpi : int
            Resolution of PNG.

        Returns
        -------
        bytes
            The same for the same data and Matplotlib.
        """
        if form not in FORMATS:
            raise ValueError(f"format: expected one of {', '.join(FORMATS)}, got {form}")
        figure = self.figure()
        buffer = io.BytesIO()
        with styled():
            if form == "svg":  # savefig would draw everything twice
                figure.set_dpi(72)
                canvas = FigureCanvasSVG(figure)
                canvas.print_svg(buffer, metadata=_METADATA[form])  # type: ignore[no-untyped-call]
            else:
                figure.savefig(buffer, format=form, dpi=dpi, metadata=_METADATA[form])
        return buffer.getvalue()

    def data_uri(self) -> str:
        """Draw as SVG and encode for the ``src`` of an image."""
        return "data:image/svg+xml;base64," + base64.b64encode(self.render("svg")).decode("ascii")
