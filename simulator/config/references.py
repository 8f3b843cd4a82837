"""Ids that must exist, and who belongs to whom: sponsor > box > facility > tranche.

A reference is checked against every id that was written, even in a row that is not sound, so that
one fault gives one message.
"""

from __future__ import annotations

from collections.abc import Iterator

from simulator.config.case import Case
from simulator.config.errors import did_you_mean
from simulator.config.tape import KEYS, AssetRow, BoxRow, ContractRow, DebtRow, Entry

REFERENCES = {
    "boxes": ("sponsor", "generation"),
    "debt": ("box", "sponsor"),
    "contracts": ("box", "offtaker", "backstop", "residual_guarantor"),
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
    "residual_guarantor": "counterparties",
    "site": "sites",
}
"""Where what a column names is described."""


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
        "residual_guarantor": either,
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
    for table, other in (("boxes", "debt"), ("boxes", "assets"), ("contracts", "assets")):
        column = KEYS[table]
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
                case.fault(entry.place, column, f"{other} for {column} {name}", "none", mend)
