"""Figures and documents from a run; the only package that draws."""

from simulator.reports.canvas import FORMATS, Picture
from simulator.reports.catalogue import pictures
from simulator.reports.document import render, render_report
from simulator.reports.files import save_figures, save_report

__all__ = [
    "FORMATS",
    "Picture",
    "pictures",
    "render",
    "render_report",
    "save_figures",
    "save_report",
]
