"""Studies that extend another one, and tapes of several parts."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest
import yaml

from simulator.config import ConfigError, Problem, load_study
from tests.unit.config.conftest import Draft

pytestmark = pytest.mark.nojit


def extend(draft: Draft, **keys: Any) -> Path:
    """Write a study beside the draft that extends it."""
    draft.write()
    path = draft.folder / "larger.yaml"
    tree = {"schema": "neobox.study/1", "name": "larger", "extends": "study.yaml", **keys}
    path.write_text(yaml.safe_dump(tree, sort_keys=False), encoding="utf-8")
    return path


def problem(path: Path) -> Problem:
    with pytest.raises(ConfigError) as caught:
        load_study(path)
    (found,) = caught.value.problems
    return found


def more_deals(draft: Draft, rename: str = "C") -> None:
    """Write a second tape: BOX-B of the template again, under other names."""
    folder = draft.folder / "more"
    folder.mkdir()
    for table, key in (("boxes", "BOX-B"), ("debt", "TERM-B")):
        row = draft.row(table, key)
        write(folder / f"{table}.csv", [{k: renamed(v, rename) for k, v in row.items()}])
    for table in ("contracts", "assets"):
        rows = [row for row in draft.tape[table] if row["box"] == "BOX-B"]
        cells = [{k: renamed(v, rename) for k, v in row.items()} for row in rows]
        write(folder / f"{table}.csv", cells)


def renamed(value: Any, name: str) -> Any:
    names = {"BOX-B": f"BOX-{name}", "TERM-B": f"TERM-{name}", "LAB-1": f"LAB-{name}"}
    ids = names | {"B-1": f"{name}-1", "B-2": f"{name}-2"}
    return ids.get(value, value) if isinstance(value, str) else value


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def test_an_extension_that_says_nothing_is_the_same_study(draft: Draft) -> None:
    assert load_study(extend(draft)).digest == draft.load().digest


def test_blocks_are_merged_and_values_replaced(draft: Draft) -> None:
    sponsors = {"Example Cloud": {"cash_usd_m": 901}}
    study = load_study(extend(draft, horizon_months=36, sponsors=sponsors))
    (sponsor,) = study.inputs.book.sponsors
    assert (sponsor.cash, sponsor.market_value) == (901, 4000)
    assert study.inputs.horizon == 36
    assert study.name == "larger"


def test_what_was_expected_is_that_of_the_extension(draft: Draft) -> None:
    """Unlike a scenario it says what the study is."""
    plain = {"generations": {"H200": {"contract_price_usd_per_gpu_hour": 4.5}}}
    study = load_study(extend(draft, **plain))
    expected = {one.name: one.contract_price for one in study.inputs.expected.generations}
    assert expected["H200"] == 4.5


def test_weights_of_jurisdictions_are_replaced_as_a_whole(draft: Draft) -> None:
    study = load_study(extend(draft, jurisdictions={"US": 0.5, "Europe": 0.5}))
    assert study.inputs.book.jurisdictions == (("Europe", 0.5), ("US", 0.5))


def test_tapes_add_up(draft: Draft) -> None:
    draft.write()
    more_deals(draft)
    study = load_study(extend(draft, tape=["tape", "more"]))
    assert [box.id for box in study.inputs.book.boxes] == ["BOX-A", "BOX-B", "BOX-C"]
    alone = {box.id: box for box in draft.load().inputs.book.boxes}
    assert {box.id: box for box in study.inputs.book.boxes if box.id in alone} == alone
    assert "more/debt.csv:2" in study.sources["debt.TERM-C.commitment_usd_m"]


def test_a_deal_that_stands_in_two_tapes_is_told(draft: Draft) -> None:
    draft.write()
    more_deals(draft, "B")
    with pytest.raises(ConfigError) as caught:
        load_study(extend(draft, tape=["tape", "more"]))
    told = [str(one) for one in caught.value.problems]
    assert any("more/boxes.csv:2" in one and "'BOX-B' again" in one for one in told)


def test_a_fault_stands_in_the_file_that_wrote_it(draft: Draft) -> None:
    draft.study["horizon_months"] = 7
    assert "study.yaml:" in problem(extend(draft)).place
    draft.study["horizon_months"] = 36
    found = problem(extend(draft, horizon_months=8))
    assert "larger.yaml:" in found.place
    assert found.path == "horizon_months"


@pytest.mark.parametrize("name", ["../study.yaml", "larger.yaml", 7])
def test_only_another_study_of_the_folder_is_extended(draft: Draft, name: object) -> None:
    path = extend(draft)
    tree = yaml.safe_load(path.read_text()) | {"extends": name, "start": "2026-11", "tape": "tape"}
    path.write_text(yaml.safe_dump(tree), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_study(path)
    assert any(
        one.path == "extends" and "another study file of the same folder" in one.expected
        for one in caught.value.problems
    )


def test_a_missing_base_and_a_chain_are_told(draft: Draft) -> None:
    path = extend(draft)
    path.write_text(path.read_text().replace("study.yaml", "studdy.yaml"), encoding="utf-8")
    with pytest.raises(ConfigError, match="the study that is extended"):
        load_study(path)
    draft.study["extends"] = "other.yaml"
    with pytest.raises(ConfigError, match="a study that extends none"):
        load_study(extend(draft))


@pytest.mark.parametrize("tape", [[], {"a": "b"}, ["tape", 3]])
def test_a_list_of_tapes_holds_names(draft: Draft, tape: object) -> None:
    found = problem(extend(draft, tape=tape))
    assert found.path == "tape"
    assert "a list of them" in found.expected


def test_each_tape_must_be_there(draft: Draft) -> None:
    found = problem(extend(draft, tape=["tape", "nowhere"]))
    assert "nowhere" in found.got
