"""Writing reports and figures, each file in one step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import xarray as xr

from simulator.analytics.summary import Analysis
from simulator.config.errors import NeoboxError
from simulator.dataset.files import replacing, write_pieces
from simulator.reports.catalogue import pictures
from simulator.reports.catalogue.market import market_pictures
from simulator.reports.document import render
from simulator.reports.tables.market import market_csv


class ReportWriteError(NeoboxError):
    """A report or figure could not be written."""


def save_report(analysis: Analysis, path: Path) -> Path:
    """Write the report.

    Parameters
    ----------
    analysis : Analysis
        What to report.
    path : Path
        File; an older report there is replaced once the new one is whole.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ReportWriteError
        If the system refuses.
    """
    return write_file(path, render(analysis).encode())


def save_figures(
    analysis: Analysis, directory: Path, formats: Sequence[str] = ("png",)
) -> list[Path]:
    """Write every figure of the report to a folder.

    Parameters
    ----------
    analysis : Analysis
        What to draw.
    directory : Path
        Folder, made if it is not there.
    formats : sequence of {"svg", "png", "pdf"}
        One file for each.

    Returns
    -------
    list of Path
        The files, in the order of the report.
    """
    return [
        write_file(directory / f"{name}.{form}", picture.render(form))
        for name, picture in pictures(analysis).items()
        for form in formats
    ]


def save_market(market: xr.Dataset, fans: xr.Dataset, directory: Path) -> list[Path]:
    """Write the fans of a market as a table, and a figure for each driver.

    Parameters
    ----------
    market : Dataset
        From `simulator.simulate_market`.
    fans : Dataset
        From `simulator.analytics.market.market_fans`.
    directory : Path
        Folder, made if it is not there.

    Returns
    -------
    list of Path
        ``market.csv`` and the figures, as PNG.

    Raises
    ------
    ReportWriteError
        If the system refuses.
    """
    return [
        write_file(directory / "market.csv", market_csv(fans).encode()),
        *(
            write_file(directory / f"{name}.png", picture.render("png"))
            for name, picture in market_pictures(market, fans).items()
        ),
    ]


def write_file(path: Path, content: bytes) -> Path:
    """Write a file and its folder; say what went wrong in a line."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as file:
            write_pieces(file, [memoryview(content)])
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReportWriteError(
            f"{path}: could not write: {reason}; choose another place with --out or --figures"
        ) from error
    return path
