"""Studies damaged at random: always a study or a list of problems, never anything else.

A damaged study that still loads must be sound, and must resolve to itself.
"""

from __future__ import annotations

import copy
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any

import pytest

from simulator.config import ConfigError, Study
from simulator.config.tape import ROWS
from simulator.config.terms import Book
from tests.unit.config.conftest import Draft

JUNK: list[Any] = [
    *(None, "", 0, -1, 3, 12, 100, 900, 1000, 1e9, 1e-9, True, math.nan, math.inf, "1e400"),
    *("85", "85%", "0.5", "1.2", "24", "true", "nan", "x", "é", "\t", "a/b", "=1", "none", "full"),
    *("limited", "bullet", "straight", "depreciated", "notes", "revolver", "2026-11", "2026-12"),
    *("2020-01", "2026-13", "2027-05", "2030-01", "2040-01", "Example Search", "Example Cloud"),
    *("BOX-A", "TERM-A", "H100", "north-hall", [], {}, [1], {"a": 1}),
]
KEYS: dict[str, Any] = {
    "parameters": {"set": "base", "driver_sets": {"demand": "low"}, "values": {"dem.sigma": 0.2}},
    "generations": {"GB300": {"kw": 1.7}},
    "correlations": {"D": {"P": 0.5}},
    "copula": {"kind": "t", "nu": 5},
    "drivers": {"memory": True},
    "jurisdictions": {"US": 0.6, "Europe": 0.25, "Asia": 0.15},
    "horizon_months": 60,
}


def places(tree: Any, where: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value below a mapping."""
    if isinstance(tree, dict):
        for key, inner in tree.items():
            yield (*where, key)
            yield from places(inner, (*where, key))


def damage_study(draft: Draft, chance: random.Random) -> None:
    *above, last = chance.choice(list(places(draft.study)))
    tree: Any = draft.study
    for part in above:
        tree = tree[part]
    if chance.random() < 0.3:
        del tree[last]
    else:
        tree[last] = copy.deepcopy(chance.choice(JUNK))


def damage_tape(draft: Draft, chance: random.Random) -> None:
    table = chance.choice(list(draft.tape))
    rows = draft.tape[table]
    if not rows:
        return
    row, column = chance.choice(rows), chance.choice(list(ROWS[table].model_fields))
    kind = chance.random()
    if kind < 0.05:
        rows.remove(row)
    elif kind < 0.1:
        rows.append(dict(row))
    elif kind < 0.5:
        row.pop(column, None)
    else:
        row[column] = chance.choice(JUNK)


@pytest.mark.parametrize("batch", range(20))
def test_damage(make_draft: Callable[[str], Draft], batch: int) -> None:
    for seed in range(20 * batch, 20 * batch + 20):
        chance, draft = random.Random(seed), make_draft("damaged")
        draft.study.update(copy.deepcopy(KEYS))
        for _ in range(chance.randint(1, 3)):
            (damage_study if chance.random() < 0.4 else damage_tape)(draft, chance)
        result = outcome(draft)
        if isinstance(result, ConfigError):
            lines = str(result).splitlines()
            assert len(lines) == len(result.problems) > 0, seed
            assert all(": expected " in line and ", mend by " in line for line in lines), seed
        else:
            check_terms(result, seed)
            check_again(result, make_draft("again"), seed)


def outcome(draft: Draft) -> Study | ConfigError:
    try:
        return draft.load()
    except ConfigError as error:
        return error


def check_terms(study: Study, seed: int) -> None:
    book = study.inputs.book
    for field in fields(Book):
        for one in getattr(book, field.name):
            for name in getattr(type(one), "__slots__", ()):
                value = getattr(one, name)
                if isinstance(value, float) and name not in ("equity0", "other_value"):
                    assert math.isfinite(value), (seed, one, name)
    for loan in book.tranches:
        assert 0 <= loan.balance0 <= loan.commitment * (1 + 1e-9), (seed, loan)
        assert loan.maturity > 0, (seed, loan)
        assert max(loan.available_until, loan.amortisation_start) <= loan.maturity, (seed, loan)
    for asset in book.assets:
        assert min(asset.gpus, asset.cost) > 0, (seed, asset)
        if asset.accepted is not None:
            assert asset.planned_delivery <= asset.accepted <= 0, (seed, asset)
    assert all(0.05 <= contract.price <= 50 for contract in book.contracts), seed


def check_again(study: Study, draft: Draft, seed: int) -> None:
    """The resolved study, written out, gives the same inputs."""
    draft.study = {**study.resolved["study"], "tape": "tape"}
    draft.tape = {
        table: [{name: as_cell(value) for name, value in row.items()} for row in rows]
        for table, rows in study.resolved["tape"].items()
    }
    assert draft.load().digest == study.digest, seed


def as_cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value
