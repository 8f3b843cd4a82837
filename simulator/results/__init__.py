"""House-keeping of results: what runs there are, what differs between two, which may go, export.

>>> import simulator
>>> simulator.results.catalogue("results").to_dataframe()  # doctest: +SKIP
>>> simulator.results.compare("results/october", "results/november").numbers  # doctest: +SKIP

Heavy packages are imported by the functions that need them: a list of runs must come at once.
"""

from simulator.results.bridging import bridge
from simulator.results.comparison import Comparison, compare
from simulator.results.entries import Entry, catalogue, find_runs, locate
from simulator.results.exporting import FORMATS, export
from simulator.results.inputs import Change, input_changes
from simulator.results.pruning import prunable, prune

__all__ = [
    "FORMATS",
    "Change",
    "Comparison",
    "Entry",
    "bridge",
    "catalogue",
    "compare",
    "export",
    "find_runs",
    "input_changes",
    "locate",
    "prunable",
    "prune",
]
