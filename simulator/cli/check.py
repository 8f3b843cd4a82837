"""`neobox check`: every fault of a study at once, or what the study amounts to."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from simulator.cli.options import changed_study, changes_to_a_study
from simulator.config.errors import ConfigError
from simulator.config.estimate import Estimate, estimate
from simulator.config.plain import plain_values
from simulator.config.pool_study import PoolStudy
from simulator.config.study import Study

EPILOG = """\b
Examples:
  neobox check study.yaml
  neobox check study.yaml --set debt.TERM-A.margin_bp=425 --paths 1000000 --jobs 2
  neobox check study.yaml --json > check.json

Nothing is written. Faults come all at once, one a line: file, line, field, what was expected, what
was found, and how to mend it; the exit code is then 2.
"""


@click.command(epilog=EPILOG)
@click.argument("study", type=click.Path(path_type=Path))
@changes_to_a_study
@click.option(
    "--paths",
    type=click.IntRange(1),
    default=100_000,
    show_default=True,
    help="Paths to estimate a run for.",
)
@click.option(
    "--jobs",
    type=click.IntRange(0),
    default=1,
    show_default=True,
    help="Workers to estimate a run for; 0: one per core.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def check(
    ctx: click.Context,
    study: Path,
    paths: int,
    jobs: int,
    as_json: bool,
) -> None:
    """Check STUDY and its tape; print all faults, or the book and what was derived."""
    try:
        loaded = changed_study(ctx, study)
    except ConfigError as error:
        if not as_json:
            raise
        problems = [asdict(problem) for problem in error.problems]
        click.echo(json.dumps({"ok": False, "problems": problems}, indent=2))
        ctx.exit(error.exit_code)
    if isinstance(loaded, PoolStudy):
        click.echo(pool_as_object(loaded) if as_json else pool_as_text(loaded))
        return
    cost = estimate(loaded.inputs, paths, jobs or os.cpu_count() or 1)
    click.echo(as_object(loaded, cost) if as_json else as_text(loaded, cost), nl=True)


def as_object(study: Study, cost: Estimate) -> str:
    """Return the findings as one JSON object."""
    found = {
        "ok": True,
        "name": study.name,
        "scenarios": list(study.scenarios),
        "digest": study.digest,
        "boxes": [asdict(summary) for summary in study.summaries],
        "tranches": [asdict(tranche) for tranche in study.inputs.book.tranches],
        "derived": [asdict(cell) for cell in study.derived],
        "estimate": asdict(cost),
    }
    return json.dumps(plain_values(found), indent=2)


def as_text(study: Study, cost: Estimate) -> str:
    """Return the findings as tables."""
    book = study.inputs.book
    head = (
        f"{study.title}: {len(book.boxes)} boxes, {len(book.contracts)} contracts,"
        f" {len(book.assets)} deliveries, {len(book.tranches)} tranches,"
        f" {len(book.sponsors)} sponsors, {study.inputs.horizon} months\ndigest {study.digest}"
    )
    return "\n\n".join([head, _boxes(study), _debt(study), _derived(study), str(cost)])


def _boxes(study: Study) -> str:
    """Return a table of the boxes of GPUs, and one of the halls, if there are any."""
    tables = [
        _boxes_in(study, unit, title, price)
        for unit, title, price in (("GPU", "Boxes", "USD/GPU-h"), ("kW", "Halls", "USD/kW-month"))
        if any(one.unit == unit for one in study.summaries)
    ]
    return "\n\n".join(tables)


def _boxes_in(study: Study, unit: str, title: str, price: str) -> str:
    rows = [
        (
            *(one.box, one.sponsor, one.generation, f"{one.gpus:,.0f}", f"{one.cost:,.0f}"),
            *(f"{one.price:.2f}", f"{one.running_cost:.2f}", f"{one.cash_margin:.0%}"),
            *(f"{one.debt_per_gpu:,.0f}", f"{one.loan_to_cost:.0%}", f"{one.contracted_share:.0%}"),
            f"{one.contracted_dscr:.2f}",
        )
        for one in study.summaries
        if one.unit == unit
    ]
    size = "GPUs" if unit == "GPU" else unit
    head = (
        *("box", "sponsor", "GPU" if unit == "GPU" else "hall", size, "cost USD m", price),
        *("running", "margin", f"debt/{unit}", "LTC", "contracted", "DSCR"),
    )
    return _table(f"{title} (commitments; DSCR on level debt service)", head, rows, left=3)


def _debt(study: Study) -> str:
    rows = [
        (
            *(one.facility, one.id, one.box or f"{one.sponsor} (HoldCo)"),
            *(f"{one.commitment:,.0f}", f"{one.balance0:,.0f}"),
            f"{one.rate:.2%}" if one.fixed else f"SOFR + {1e4 * one.rate:.0f} bp",
            *(one.amortisation.name.lower(), str(one.maturity), f"{one.lender_share:.0%}"),
        )
        for one in sorted(study.inputs.book.tranches, key=lambda one: (one.facility, one.id))
    ]
    head = (
        *("facility", "tranche", "box", "commitment", "at t0", "coupon", "schedule"),
        *("months left", "book share"),
    )
    return _table("Debt (USD m)", head, rows, left=3)


def _derived(study: Study) -> str:
    rows = [
        (
            f"{cell.table}.{cell.row}.{cell.field}",
            f"{cell.value:.6g}" if isinstance(cell.value, float) else cell.value,
            f"{'assumed: ' if cell.assumed else ''}{cell.rule}",
        )
        for cell in study.derived
    ]
    title = f"Derived or assumed ({len(rows)} cells)"
    return _table(title, ("cell", "value", "rule"), rows, left=3)


def pool_as_object(study: PoolStudy) -> str:
    """Return a credit-only study as one JSON object."""
    found = {"ok": True, "name": study.name, "digest": study.digest, "pool": asdict(study.inputs)}
    return json.dumps(plain_values(found), indent=2)


def pool_as_text(study: PoolStudy) -> str:
    """Return a credit-only study as tables."""
    pool = study.inputs
    copula = f"t copula, {pool.copula_nu:g} degrees" if pool.copula_nu else "Gaussian copula"
    head = (
        f"{study.title}: {len(pool.names)} names, USD {pool.exposure:,.0f} m, {copula},"
        f" {len(pool.names[0].loadings)} factors, {pool.horizon} months\ndigest {study.digest}"
    )
    rows = [
        (
            *(one.id, f"{one.exposure:,.2f}", f"{one.hazard_per_year[0]:.2%}"),
            "collateral" if one.collateral else f"{one.loss_mean:.0%}",
            " ".join(f"{loading:.3f}" for loading in one.loadings),
        )
        for one in pool.names
    ]
    columns = ("name", "USD m", "hazard, year 1", "LGD", "loadings")
    parts = [head, _table("Names", columns, rows, left=1)]
    if pool.tranches:
        slices = [
            (one.id, f"{one.attachment:.2%}", f"{one.detachment:.2%}") for one in pool.tranches
        ]
        parts.append(_table("Tranches", ("tranche", "from", "to"), slices, left=1))
    return "\n\n".join(parts)


def _table(title: str, head: tuple[str, ...], rows: Sequence[tuple[str, ...]], *, left: int) -> str:
    """Return a table; its first `left` columns are flush left, the others right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = [
        "  ".join(
            cell.ljust(width) if place < left else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]
    return "\n".join([title, *lines])
