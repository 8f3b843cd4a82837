"""What single cells cannot show: ids that must exist, amounts and months that must agree.

A reference is checked against every id that was written, even in a row that is not sound, so that
one fault gives one message.  Months are checked up to the first fault of a row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from simulator.config.errors import Problems, did_you_mean
from simulator.config.loader import Document
from simulator.config.ratings import NOTCHES, notch
from simulator.config.schema import StudyFile
from simulator.config.tape import (
    KEYS,
    ROWS,
    AssetRow,
    BoxRow,
    ContractRow,
    DebtRow,
    Entry,
    Row,
    Tape,
)
from simulator.config.values import YearMonth


REFERENCES = {
    "boxes": ("sponsor", "generation"),
    "debt": ("box", "sponsor"),
    "contracts": ("box", "offtaker", "backstop"),
    "assets": ("box", "contract", "site"),
}
"""Columns that name something else, by table."""
HOMES = {
    "box": "boxes",
    "contract": "contracts",
    "sponsor": "sponsors",
    "generation": "generations",
    "offtaker": "counterparties",
    "backstop": "counterparties",
    "site": "sites",
}
"""Where what a column names is described."""


@dataclass(frozen=True, slots=True)
class Case:
    """A study and its tape as far as they were read.

    Parameters
    ----------
    study, unsound
        The study, and its top-level keys that could not be read.
    document
        Where its keys stand.
    tape
        The tables.
    generations
        Known GPU generations.
    out
        Takes the problems.
    """

    study: StudyFile
    unsound: frozenset[str]
    document: Document
    tape: Tape
    generations: frozenset[str]
    out: Problems

    @staticmethod
    def names(document: Document, section: str) -> set[str] | None:
        """Return the names written below a key of the study; None if there is no such block."""
        tree = document.tree.get(section)
        return {str(name) for name in tree} if isinstance(tree, dict) else None

    def written(self, section: str) -> set[str] | None:
        """Return the names below a key of the study, sound or not; None if unknown."""
        if section in self.unsound:
            return None
        found = self.names(self.document, section)
        return set(getattr(self.study, section)) if found is None else found

    def fault(self, place: str, path: str, expected: str, got: object, mend: str) -> None:
        """Note a problem."""
        self.out.add(place, path, expected=expected, got=str(got), mend=mend)


def cross_check(case: Case) -> None:
    """Check a study against itself and its tape."""
    check_study(case)
    for table in ROWS:
        check_duplicates(case, table)
        check_assumptions(case, table)
    check_references(case)
    check_nesting(case)
    check_completeness(case)
    for place, row in case.tape.sound("debt", DebtRow):
        check_debt(case, place, row)
    for place, asset in case.tape.sound("assets", AssetRow):
        check_asset(case, place, asset)


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


def check_duplicates(case: Case, table: str) -> None:
    """Refuse an id that stands twice in a table."""
    key, first = KEYS[table], dict[str, str]()
    for entry in case.tape.entries[table]:
        name = str(entry.cells.get(key, ""))
        if name and name in first:
            where = first[name].replace(":", " line ").rsplit("/", 1)[-1]
            case.fault(entry.place, key, "an id once", f"{name!r} again ({where})", "renaming it")
        first.setdefault(name, entry.place)


def check_assumptions(case: Case, table: str) -> None:
    """Refuse assumptions about fields that do not exist."""
    fields = set(ROWS[table].model_fields) - {"assumed", "source"}
    for place, row in case.tape.sound(table, Row):
        for name, reason in parse_assumed(getattr(row, "assumed", "")):
            if name not in fields:
                mend = did_you_mean(name, fields, "naming a column")
                case.fault(place, "assumed", "field: reason; field: reason", repr(name), mend)
            elif not reason:
                got = f"no reason for {name}"
                case.fault(place, "assumed", "field: reason", got, "giving the reason")


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


def _must_know(case: Case, place: str, path: str, name: str, known: Iterable[str] | None) -> None:
    if known is not None and name not in (found := set(known)):
        what = path.rsplit(".", 1)[-1]
        mend = did_you_mean(name, found, f"adding {name!r}, or writing a known {what}")
        case.fault(place, path, f"a known {what}", repr(name), mend)


def _entries(case: Case, table: str) -> Iterator[Entry]:
    """Yield the rows that are sound themselves (a fault elsewhere in a row is told once)."""
    return (entry for entry in case.tape.entries[table] if entry.row is not None)


def check_references(case: Case) -> None:
    """Check that every name used is one that exists; one that does not is told once."""
    sponsors, names = case.written("sponsors"), case.written("counterparties")
    boxes, contracts = case.tape.ids("boxes"), case.tape.ids("contracts")
    sites = case.written("sites")  # a site may be named as its box and described by rules
    either = None if sponsors is None or names is None else sponsors | names
    known: dict[str, set[str] | None] = {
        "box": boxes,
        "contract": contracts,
        "sponsor": sponsors,
        "generation": set(case.generations),
        "offtaker": either,
        "backstop": either,
        "site": None if sites is None else sites | (boxes or set()),
    }
    users: dict[tuple[str, str], list[str]] = {}
    for table, columns in REFERENCES.items():
        for entry in _entries(case, table):
            for column in columns:
                value, ids = getattr(entry.row, column), known[column]
                if value is not None and ids is not None and value not in ids:
                    users.setdefault((column, value), []).append(entry.place)
    for (column, value), places in users.items():
        more = f" (and in {len(places) - 1} other rows)" if len(places) > 1 else ""
        mend = did_you_mean(value, known[column] or (), f"adding it to {HOMES[column]}")
        case.fault(places[0], column, f"a known {column}", f"{value!r}{more}", mend)
        case.out.spoilt.update(places)


def check_nesting(case: Case) -> None:
    """Check sponsor > box > facility > tranche, and that contracts and assets share a box."""
    sponsor_of = {row.box: row.sponsor for _, row in case.tape.sound("boxes", BoxRow)}
    box_of = {row.contract: row.box for _, row in case.tape.sound("contracts", ContractRow)}
    owner: dict[str, tuple[str, str | None]] = {}
    for place, row in case.tape.sound("debt", DebtRow):
        if row.box is None and row.sponsor is None:
            mend = "naming the sponsor of HoldCo debt, or the box"
            case.fault(place, "sponsor", "a box or a sponsor", "neither", mend)
        elif row.box and row.sponsor and sponsor_of.get(row.box, row.sponsor) != row.sponsor:
            expected = f"the sponsor of {row.box}, {sponsor_of[row.box]}"
            case.fault(place, "sponsor", expected, repr(row.sponsor), "leaving it blank")
        else:
            mine = (row.box or row.sponsor or "", row.box)
            facility = row.facility or row.tranche
            first = owner.setdefault(facility, mine)
            if first != mine:
                expected = f"all tranches of {facility} at {first[0]}"
                case.fault(place, "facility", expected, mine[0], "naming another facility")
    for place, asset in case.tape.sound("assets", AssetRow):
        box = box_of.get(asset.contract or "", asset.box)
        if box != asset.box and {box, asset.box} <= (case.tape.ids("boxes") or set()):
            expected = f"a contract of box {asset.box}"
            got = f"{asset.contract!r} of box {box}"
            case.fault(place, "contract", expected, got, "moving one of the two")


def check_completeness(case: Case) -> None:
    """Check that every box has debt and assets, and every contract assets."""
    needs: list[tuple[str, str, str, Callable[[str], str]]] = [
        ("boxes", "debt", "box", lambda name: f"debt for box {name}"),
        ("boxes", "assets", "box", lambda name: f"assets for box {name}"),
        ("contracts", "assets", "contract", lambda name: f"assets for contract {name}"),
    ]
    for table, other, column, expected in needs:
        if other in case.tape.unreadable or other in case.tape.incomplete:
            continue
        used = {str(entry.cells.get(column, "")) for entry in case.tape.entries[other]}
        ids = case.tape.ids(table)
        if any(name and ids is not None and name not in ids for name in used):
            continue  # the reference that misses is told where it stands
        for entry in _entries(case, table):
            name = str(getattr(entry.row, KEYS[table]))
            if name not in used:
                mend = f"adding rows to {other}, or removing it"
                case.fault(entry.place, KEYS[table], expected(name), "none", mend)


def check_debt(case: Case, place: str, row: DebtRow) -> None:
    """Check amounts, price and months of a tranche."""
    if row.commitment_usd_m is None and row.drawn_usd_m is None:
        mend = "giving commitment_usd_m or drawn_usd_m"
        case.fault(place, "commitment_usd_m", "an amount", "a blank", mend)
    elif (row.drawn_usd_m or 0) > (row.commitment_usd_m or float("inf")) * (1 + 1e-9):
        expected = f"at most the commitment of {row.commitment_usd_m:g}"
        case.fault(place, "drawn_usd_m", expected, f"{row.drawn_usd_m:g}", "correcting one of them")
    if row.margin_bp is not None and row.fixed_rate is not None:
        got = f"both ({row.margin_bp:g} bp and {row.fixed_rate:g})"
        case.fault(place, "margin_bp", "a margin or a fixed rate", got, "leaving one blank")
    start = None if "start" in case.unsound else case.study.start
    _first_fault(case, place, _debt_months(row, start))


_Rule = tuple[str, YearMonth | None, str, YearMonth | None, str]


def _debt_months(row: DebtRow, start: YearMonth | None) -> list[_Rule]:
    """Return (column, month, 'after' or 'not after', other month, its name)."""
    return [
        ("maturity", row.maturity, "after", row.close, "close"),
        ("maturity", row.maturity, "after", start, "t0 (drop what is repaid)"),
        ("draw_end", row.draw_end, "not before", row.close, "close"),
        ("draw_end", row.draw_end, "not after", row.maturity, "maturity"),
        ("drawn_asof", row.drawn_asof, "not after", start, "t0"),
        ("amortisation_start", row.amortisation_start, "not after", row.maturity, "maturity"),
        ("amortisation_start", row.amortisation_start, "after", row.close, "close"),
    ]


def check_asset(case: Case, place: str, row: AssetRow) -> None:
    """Check the months of a delivery."""
    start = None if "start" in case.unsound else case.study.start
    rules: list[_Rule] = [
        ("accepted", row.accepted, "not after", start, "t0 (else give planned_delivery only)"),
        ("planned_delivery", row.planned_delivery, "not after", row.accepted, "accepted"),
    ]
    _first_fault(case, place, rules)


def _first_fault(case: Case, place: str, rules: list[_Rule]) -> None:
    for column, month, relation, other, name in rules:
        if month is None or other is None:
            continue
        sound = {
            "after": month > other,
            "not after": month <= other,
            "not before": month >= other,
        }[relation]
        if not sound:
            mend = "correcting one of the two months"
            case.fault(place, column, f"a month {relation} {name}, {other}", str(month), mend)
            return
