"""From files to inputs: what must not matter does not, what must stay together does."""

from __future__ import annotations

import json
import math
import pickle
import random
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from simulator.config import Study, load_study
from simulator.config.plain import canonical_json, plain_values
from simulator.config.tape import ROWS
from simulator.config.terms import CORRELATION_ORDER, SWITCHES, Book
from tests.unit.config.conftest import Draft

ROOT = Path(__file__).resolve().parents[3]
STUDIES = sorted(
    path
    for path in (ROOT / "configs").rglob("*.yaml")
    if "neobox.study/1" in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.stem)
def test_committed_studies_load(path: Path) -> None:
    study = load_study(path)
    assert study.name
    assert study.inputs.book.boxes


def test_inputs_are_complete(draft: Draft) -> None:
    inputs = draft.load().inputs
    assert tuple(inputs.switches) == SWITCHES
    assert len(inputs.correlations) == len(CORRELATION_ORDER)
    assert list(inputs.parameters) == list(inputs.expected.parameters) == sorted(inputs.parameters)
    for field in fields(Book):
        terms = getattr(inputs.book, field.name)
        keys = [getattr(one, "id", getattr(one, "name", None)) or one[0] for one in terms]
        assert keys == sorted(keys), field.name


def test_the_order_of_the_tape_does_not_matter(draft: Draft) -> None:
    digest = draft.load().digest
    for rows in draft.tape.values():
        random.Random(1).shuffle(rows)
    for key in ("sites", "counterparties", "jurisdictions"):
        if key in draft.study:
            draft.study[key] = dict(reversed(draft.study[key].items()))
    draft.study["jurisdictions"] = {"Asia": 0.15, "Europe": 0.25, "US": 0.6}
    assert draft.load().digest == digest


def test_the_folder_does_not_matter(make_draft: Callable[[str], Draft]) -> None:
    assert make_draft("a").load().digest == make_draft("b").load().digest


def test_anything_that_counts_changes_the_digest(draft: Draft) -> None:
    digests = [
        draft.load(overrides).digest
        for overrides in (
            {},
            {"horizon_months": 71},
            {"dem.sigma": 0.2000001},
            {"reference.values.dem.sigma": 0.2000001},
            {"drivers.memory": False},
            {"debt.TERM-A.margin_bp": 301},
            {"boxes.BOX-A.cures": 5},
            {"correlations": {"D": {"P": 0.54}}},
        )
    ]
    assert len(set(digests)) == len(digests)


def test_words_do_not_change_the_digest(draft: Draft) -> None:
    digest = draft.load().digest
    draft.row("debt", "TERM-A")["source"] = "somewhere else"
    draft.study["description"] = "another"
    assert draft.load().digest == digest


def test_the_resolved_tape_resolves_to_itself(draft: Draft) -> None:
    """Written back with every blank filled, the tape gives the same inputs."""
    draft.tape["assets"] = [
        {"asset": "A", "box": "BOX-A", "contract": "SEARCH-1", "site": "north-hall"},
        *draft.tape["assets"][2:],
    ]
    study = draft.load()
    resolved = study.resolved["tape"]
    draft.tape = {
        table: [{name: cell(value) for name, value in row.items()} for row in rows]
        for table, rows in resolved.items()
    }
    again = draft.load()
    assert again.digest == study.digest
    blank = {
        (table, name)
        for table, rows in again.resolved["tape"].items()
        for row in rows
        for name, value in row.items()
        if value is None
    }
    assert {name for _, name in blank} <= {
        *("box", "contract", "backstop", "backstop_cap_usd_m", "equity0_usd_m", "accepted"),
        *("contract_value_usd_m", "value_attribution", "billing"),
        *("residual_guarantor", "residual_cap_usd_m", "conversion_value_usd_m"),
        *("margin_bp", "fixed_rate", "floor", "hedge_share", "swap_rate"),
        *("rate_cap", "margin_step_month", "schedule", "commission_months", "billing"),
    }


def cell(value: object) -> object:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else value


def test_the_resolved_study_is_json_and_loads_as_a_study(draft: Draft) -> None:
    study = draft.load()
    assert json.loads(json.dumps(study.resolved, allow_nan=False)) == study.resolved
    assert study.resolved["digest"] == study.digest
    draft.study = study.resolved["study"]
    assert draft.load().digest == study.digest


def test_every_value_has_a_source(draft: Draft) -> None:
    study = draft.load()
    untold = [
        f"{table}.{row[key]}.{name}"
        for table, key in (("boxes", "box"), ("debt", "tranche"), ("contracts", "contract"))
        for row in study.resolved["tape"][table]
        for name, value in row.items()
        if value not in (None, "")
        and name not in ("source", "assumed", "drawn_asof")
        and f"{table}.{row[key]}.{name}" not in study.sources
    ]
    assert untold == []
    assert study.sources["debt.TERM-A.margin_bp"].endswith("debt.csv:2; an invented example")


def test_blank_deal_terms_that_follow_a_parameter_say_so(draft: Draft) -> None:
    rules = {
        f"{one.table}.{one.field}": one.rule for one in draft.load().derived if not one.assumed
    }
    assert rules["boxes.reserve_months"] == "loan.dsra"
    assert set(rules) >= {
        f"boxes.{name}" for name in ("cures", "lockup_dscr", "colo_usd_per_kw_month")
    }


def test_inputs_travel_between_processes(draft: Draft) -> None:
    inputs = draft.load().inputs
    again = pickle.loads(pickle.dumps(inputs))
    assert canonical_json(plain_values(plain(again))) == canonical_json(plain_values(plain(inputs)))


def plain(inputs: Any) -> Any:
    from dataclasses import asdict

    return asdict(inputs)


def test_no_field_of_the_book_is_nan_but_what_paths_value(draft: Draft) -> None:
    study: Study = draft.load()
    for field in fields(Book):
        for one in getattr(study.inputs.book, field.name):
            for name in getattr(type(one), "__slots__", ()):
                value = getattr(one, name)
                if isinstance(value, float) and not math.isfinite(value):
                    assert name in ("equity0", "other_value")


def test_every_column_is_described_where_it_can_be_blank() -> None:
    for row in ROWS.values():
        for name, field in row.model_fields.items():
            if not field.is_required() and name not in ("source", "assumed"):
                told = "blank" in str(field.description)
                assert told or name in ("fixed_rate", "contract_value_usd_m"), name


def test_repr_is_short(draft: Draft) -> None:
    study = draft.load()
    text = f"<Study 'my-study': 2 boxes, 4 facilities, 72 months, digest {study.digest[:12]}>"
    assert repr(study) == text
