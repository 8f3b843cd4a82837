"""What single cells cannot show: a study checked against itself and its tape."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic import BaseModel

from simulator.config.amounts import (
    check_asset,
    check_box,
    check_contract,
    check_debt,
    check_purchases,
    check_residual,
)
from simulator.config.case import Case
from simulator.config.errors import did_you_mean
from simulator.config.loader import dotted
from simulator.config.parameters import resolve
from simulator.config.ratings import NOTCHES, notch
from simulator.config.references import check_completeness, check_nesting, check_references
from simulator.config.tape import KEYS, ROWS, AssetRow, BoxRow, ContractRow, DebtRow, Row

HIGHEST_RUNNING_COST = 50.0
"""USD per GPU-hour above which a running cost makes no sense, as no price does."""
HOURS_PER_YEAR = 8760


def cross_check(case: Case) -> None:
    """Check a study against itself and its tape."""
    check_study(case)
    for table in ROWS:
        check_duplicates(case, table)
    check_assumptions(case)
    check_references(case)
    check_nesting(case)
    check_completeness(case)
    for place, row in case.tape.sound("debt", DebtRow):
        check_debt(case, place, row)
    for place, box in case.tape.sound("boxes", BoxRow):
        check_box(case, place, box)
    for place, contract in case.tape.sound("contracts", ContractRow):
        check_contract(case, place, contract)
        check_rating_floor(case, place, contract)
        check_residual(case, place, contract)
    for place, asset in case.tape.sound("assets", AssetRow):
        check_asset(case, place, asset)
    check_purchases(case)
    check_running_costs(case)


def check_study(case: Case) -> None:
    """Check weights, jurisdictions, ratings and the order of payments."""
    study, place = case.study, case.document.place
    total = sum(study.jurisdictions.values())
    if "jurisdictions" not in case.unsound and abs(total - 1) > 1e-6:
        at = place(("jurisdictions",))
        case.fault(at, "jurisdictions", "weights that sum to 1", f"{total:g}", "scaling them")
    places = case.written("jurisdictions")
    for name, site in study.sites.items():
        at = place(("sites", name, "jurisdiction"))
        _must_know(case, at, f"sites.{name}.jurisdiction", site.jurisdiction, places)
    for name, one in study.counterparties.items():
        if one.export_exposed:
            at = place(("counterparties", name, "export_exposed"))
            path = f"counterparties.{name}.export_exposed"
            _must_know(case, at, path, one.export_exposed, places)
        if notch(one.rating) is None and one.rating.casefold() != "unrated":
            at = place(("counterparties", name, "rating"))
            mend = did_you_mean(one.rating, NOTCHES, "writing a notch such as Baa2 or BBB")
            expected = "a Moody's or S&P notch, investment-grade, non-investment-grade or unrated"
            case.fault(at, f"counterparties.{name}.rating", expected, repr(one.rating), mend)
    lines = study.waterfall
    if "waterfall" not in case.unsound:
        _check_waterfall(case, lines)


def check_rating_floor(case: Case, place: str, row: ContractRow) -> None:
    """Refuse a floor that is no rating, and one for a customer that has none to drift from."""
    if not row.rating_floor:
        return
    if notch(row.rating_floor) is None:
        mend = did_you_mean(row.rating_floor, NOTCHES, "writing a notch such as Baa3 or BBB-")
        got = repr(row.rating_floor)
        case.fault(place, "rating_floor", "a Moody's or S&P notch", got, mend)
    known = case.study.counterparties.get(row.offtaker)
    expected = "a customer with a rating"
    if row.offtaker in case.study.sponsors:
        got = f"{row.offtaker!r}, whose own cash is simulated"
        case.fault(place, "rating_floor", expected, got, "using minimum_liquidity_usd_m of the box")
    elif (
        known and notch(known.rating) is None and (known.hazard_per_year or known.kind == "ai_lab")
    ):
        mend = f"giving counterparties.{row.offtaker}.rating"
        case.fault(place, "rating_floor", expected, f"{row.offtaker!r}, unrated", mend)


def _check_waterfall(case: Case, lines: tuple[str, ...]) -> None:
    at = case.document.place(("waterfall",))
    default = type(case.study).model_fields["waterfall"].default
    missing = [line for line in default if line not in lines]
    twice = sorted({line for line in lines if lines.count(line) > 1})
    if missing or twice:
        got = "; ".join(
            [f"{line} missing" for line in missing] + [f"{line} twice" for line in twice]
        )
        case.fault(at, "waterfall", "every line once", got, "listing all lines")
    elif lines[-1] != "distribution":
        case.fault(at, "waterfall", "distribution last", lines[-1], "moving it to the end")


def _must_know(case: Case, place: str, path: str, name: str, known: Iterable[str] | None) -> None:
    if known is not None and name not in (found := set(known)):
        what = path.rsplit(".", 1)[-1]
        mend = did_you_mean(name, found, f"adding {name!r}, or writing a known {what}")
        case.fault(place, path, f"a known {what}", repr(name), mend)


def check_running_costs(case: Case) -> None:
    """Refuse a cost per GPU of which O&M alone is beyond any price of a GPU-hour.

    Where cost or GPUs are blank, they follow from each other by the cost of a GPU.
    """
    usual = resolve(case.study.reference)["gpu.om"]
    boxes = {box.box: box for _, box in case.tape.sound("boxes", BoxRow)}
    for place, row in case.tape.sound("assets", AssetRow):
        box = boxes.get(row.box)
        if box is None or box.triple_net or not row.gpus or not row.cost_usd_m:
            continue
        share = usual if box.operations_share is None else box.operations_share
        cost = share * row.cost_usd_m * 1e6 / (row.gpus * HOURS_PER_YEAR)
        if cost > HIGHEST_RUNNING_COST:
            expected = f"a running cost of at most {HIGHEST_RUNNING_COST:g} USD/GPU-hour"
            got = f"{cost:.4g} ({share:g} a year of USD {row.cost_usd_m / row.gpus:.4g} m a GPU)"
            case.fault(place, "cost_usd_m", expected, got, "correcting gpus or cost_usd_m")


def check_duplicates(case: Case, table: str) -> None:
    """Refuse an id that stands twice in a table."""
    key, first = KEYS[table], dict[str, str]()
    for entry in case.tape.entries[table]:
        name = str(entry.cells.get(key, ""))
        if name and name in first:
            where = first[name].replace(":", " line ").rsplit("/", 1)[-1]
            case.fault(entry.place, key, "an id once", f"{name!r} again ({where})", "renaming it")
        first.setdefault(name, entry.place)


def check_assumptions(case: Case) -> None:
    """Refuse assumptions about fields that do not exist."""
    for table in ROWS:
        for place, row in case.tape.sound(table, Row):
            _check_assumed(case, place, "assumed", row)
    for section in ("sites", "counterparties", "sponsors"):
        blocks: dict[str, BaseModel] = getattr(case.study, section)
        for name, block in blocks.items():
            at = (section, name, "assumed")
            _check_assumed(case, case.document.place(at), dotted(at), block)


def _check_assumed(case: Case, place: str, path: str, block: BaseModel) -> None:
    fields = set(type(block).model_fields) - {"assumed", "source"}
    for name, reason in parse_assumed(getattr(block, "assumed", "")):
        if name not in fields:
            mend = did_you_mean(name, fields, "naming a column or key")
            case.fault(place, path, "field: reason; field: reason", repr(name), mend)
        elif not reason:
            got = f"no reason for {name}"
            case.fault(place, path, "field: reason", got, "giving the reason")


def parse_assumed(text: str) -> list[tuple[str, str]]:
    """Split ``field: reason; field: reason``.

    Examples
    --------
    >>> parse_assumed("close: as the press says; margin_bp: peers")
    [('close', 'as the press says'), ('margin_bp', 'peers')]
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    pairs = [part.partition(":") for part in parts]
    return [(name.strip(), reason.strip()) for name, _, reason in pairs]
