"""Print the tables "What a run says" of docs/book.md and docs/ai-infrastructure.md.

python configs/book_numbers.py results/base      # paste what it prints over the table
python configs/book_numbers.py --study configs/ai-infrastructure-2026.yaml --paths 10000 --jobs 2
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from typing import NamedTuple

import xarray as xr

import simulator
from simulator.analytics import risk_table, sponsor_table
from simulator.analytics.estimate import Estimate, format_estimate, format_probability
from simulator.analytics.estimators import mean
from simulator.analytics.frame import estimate_at, labels, path_weights, vector

PAIR = ("CRWV_DDTL5", "CRWV_DDTL4")
"""Facilities whose difference is told, path by path: the first less the second."""


class Line(NamedTuple):
    """What a run says of a facility, a difference or a sponsor; None where it says nothing."""

    name: str
    default: Estimate  # probability over the horizon
    loss: Estimate | None = None  # expected, as share of what is lent
    rating: str = ""


def lines_of(run: xr.Dataset) -> Iterator[Line]:
    """Yield the facilities, the difference of `PAIR`, and the sponsors of a run.

    Parameters
    ----------
    run : Dataset
        A complete run of the book.

    Yields
    ------
    Line
    """
    risk, sponsors = risk_table(run), sponsor_table(run)
    for name in labels(risk, "facility"):
        yield Line(
            name,
            estimate_at(risk, "default_probability", facility=name),
            estimate_at(risk, "expected_loss_share", facility=name),
            str(risk["implied_rating"].sel(facility=name).values),
        )
    if set(PAIR) <= set(labels(risk, "facility")):
        yield _difference(run)
    for name in labels(sponsors, "sponsor"):
        yield Line(f"{name} (sponsor)", estimate_at(sponsors, "default_probability", sponsor=name))


def _difference(run: xr.Dataset) -> Line:
    """Return the difference of `PAIR` with its paired errors."""
    first, second = (labels(run, "facility").index(name) for name in PAIR)
    weights = path_weights(run)

    def less(name: str, *, events: bool) -> Estimate:
        one, other = (vector(run, name, facility=place) for place in (first, second))
        return mean((one > 0) * 1.0 - (other > 0) if events else one - other, weights)

    return Line(
        f"{PAIR[0]} less {PAIR[1]}",
        less("facility_default_month", events=True),
        less("lender_loss_share", events=False),
    )


def table(run: xr.Dataset) -> str:
    """Return the table as Markdown, with what was run above it.

    Parameters
    ----------
    run : Dataset
        A complete run of the book.

    Returns
    -------
    str
    """
    paths = run.sizes["path"]
    rows = [
        f"{paths:,} paths, seed {run.attrs['seed']}; ± one standard error.",
        "",
        "| facility or sponsor | probability of default | expected loss | implied rating |",
        "|---|---:|---:|---|",
    ]
    for one in lines_of(run):
        chance = (
            format_estimate(*one.default, percent=True)
            if " less " in one.name
            else format_probability(*one.default, paths)
        )
        loss = format_estimate(*one.loss, percent=True) if one.loss else ""
        rows.append(f"| {one.name} | {chance} | {loss} | {one.rating} |")
    return "\n".join(rows)


def asked() -> xr.Dataset:
    """Return the run that the command line names, simulated if it names a study."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", nargs="?", help="folder of a finished run")
    parser.add_argument("--study", help="study to simulate instead")
    parser.add_argument("--paths", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    if (given.run is None) == (given.study is None):
        parser.error("name the folder of a run, or a study with --study")
    if given.run:
        return simulator.open_run(given.run)
    return simulator.simulate(given.study, paths=given.paths, seed=given.seed, jobs=given.jobs)


if __name__ == "__main__":
    sys.stdout.write(table(asked()) + "\n")
