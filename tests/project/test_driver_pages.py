"""docs/drivers: the pages say what the script that writes them says now, and nothing is missing."""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import simulator
from simulator.config.drivers import Drivers
from simulator.config.parameters import parameter_table

OF_DEALS = {"counterparty_default", "compensator", "renegotiation", "sponsor"}
OF_DEALS |= {"lender_consent", "amendments"}
"""Switches of names, leases and sponsors: they move nothing of the market."""

MARKET_ROOTS = ("dem", "eff", "sup", "mem", "gpu", "pow", "del", "ir", "cs", "refi", "reg")
MARKET_ROOTS += ("ease", "prior", "col", "wo", "fx", "hall")


@pytest.fixture(scope="module")
def script(root: Path) -> Iterator[ModuleType]:
    """The script, imported as Python does that runs it."""
    sys.path.insert(0, str(root / "docs"))
    try:
        import make_pages

        yield make_pages
    finally:
        sys.path.remove(str(root / "docs"))


@pytest.fixture(scope="module")
def pages(root: Path) -> dict[str, str]:
    folder = root / "docs" / "drivers"
    return {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.md")}


@pytest.fixture(scope="module")
def numbers(script: ModuleType) -> Any:
    return script.Numbers()


def test_pages_are_what_the_script_writes(
    script: ModuleType, pages: dict[str, str], numbers: Any
) -> None:
    assert len(pages) > 14
    for name, text in pages.items():
        assert script.filled(text, numbers) == text, f"{name}: run `make pages`"


def test_the_script_runs_end_to_end(
    script: ModuleType, pages: dict[str, str], tmp_path: Path
) -> None:
    few = script.Numbers(paths=150)
    script.make(tmp_path, few)
    assert {file.name for file in tmp_path.glob("*.md")} == set(pages)
    for name, text in pages.items():
        made = (tmp_path / name).read_text(encoding="utf-8")
        assert script.MARKED.sub("", made) == script.MARKED.sub("", text), "prose stays as it is"
        assert not re.search(r"\bnan\b", made), name
    drawn = {file.stem: file.read_bytes() for file in (tmp_path / "figures").glob("*.png")}
    assert drawn
    assert all(content.startswith(b"\x89PNG") for content in drawn.values())
    assert script.small_png(few.pictures["power"]) == drawn["power"], "the same bytes again"


def test_every_figure_is_there_and_shown(root: Path, pages: dict[str, str]) -> None:
    folder = root / "docs" / "drivers" / "figures"
    shown = {name for text in pages.values() for name in re.findall(r"\(figures/(.+?)\)", text)}
    assert shown == {file.name for file in folder.iterdir()}
    assert sum(file.stat().st_size for file in folder.iterdir()) < 1_500_000


def test_links_lead_somewhere(root: Path, pages: dict[str, str]) -> None:
    folder = root / "docs" / "drivers"
    for name, text in pages.items():
        for target in re.findall(r"\]\(([^)#]+?)\)", text):
            assert target.startswith("https://") or (folder / target).exists(), (name, target)
    listed = set(re.findall(r"\((\w+\.md)\)", pages["index.md"]))
    assert listed == set(pages) - {"index.md"}


def test_every_switch_of_the_market_has_a_page(pages: dict[str, str]) -> None:
    named = {
        switch
        for text in pages.values()
        for line in re.findall(r"^Switch(?:es)? .+$", text, flags=re.MULTILINE)
        for switch in re.findall(r"`(\w+)`", line)
    }
    assert set(Drivers.model_fields) - OF_DEALS - named == set()
    assert not OF_DEALS & named


def test_every_parameter_of_the_market_is_on_one_page(pages: dict[str, str]) -> None:
    rows = Counter(
        id_
        for text in pages.values()
        for id_ in re.findall(r"^\| `([\w.]+)` \|", text, flags=re.MULTILINE)
    )
    of_market = {
        one.id
        for one in parameter_table().values()
        if one.read and one.id.split(".")[0] in MARKET_ROOTS
    }
    assert of_market - set(rows) == set()
    assert max(rows.values()) == 1


def test_ids_and_files_in_the_prose_exist(root: Path, pages: dict[str, str]) -> None:
    table = parameter_table()
    for name, text in pages.items():
        for id_ in re.findall(r"`((?:dem|eff|sup|mem|gpu|pow|del|ir|cs|reg)\.[\w.]+?)\.?`", text):
            assert any(f"{one}.".startswith(f"{id_}.") for one in table), (name, id_)
        for file in re.findall(r"`((?:simulator|configs|docs)/[\w./-]+)`", text):
            assert (root / file).exists(), (name, file)


@pytest.fixture(scope="module")
def seen(root: Path) -> dict[str, Any]:
    """Simulate the back-test and read what came, without the script."""
    study = root / "configs" / "validation" / "backtest-2024.yaml"
    market = simulator.simulate_market(study, 10_000, 1).sel(generation="H100")
    found: dict[str, Any] = {}
    for kind, name in (("contract", "contract_prices"), ("spot", "list_prices")):
        lines = (study.with_suffix("") / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
        ends = [np.datetime64(row["month"], "M") for row in rows]
        months = [int((end - np.datetime64("2024-01", "M")).astype(int)) for end in ends]
        paths = market[f"rental_price_{kind}"].values.astype(np.float64)
        found[kind] = (np.array(months), np.array([float(row["price"]) for row in rows]), paths)
    return found


def band(values: np.ndarray) -> np.ndarray:
    return np.quantile(values, (0.05, 0.5, 0.95), axis=0, method="inverted_cdf")


def test_the_share_inside_the_band_is_the_one_told(
    pages: dict[str, str], seen: dict[str, Any]
) -> None:
    told = [
        (int(a), int(b))
        for a, b in re.findall(r"(\d+) of (\d+) [a-z -]+\(\d+%\)", pages["backtest.md"])
    ]
    months, prices, paths = seen["contract"]
    low, _, high = band(paths[:, months])
    counted = [(int(((low <= prices) & (prices <= high)).sum()), len(prices))]
    months, prices, paths = seen["spot"]
    assert paths[0, 0] == pytest.approx(prices[0], rel=1e-6), (
        "the list price is the spot price at t0"
    )
    low, _, high = band(paths[:, months[1:]])
    counted.append((int(((low <= prices[1:]) & (prices[1:] <= high)).sum()), len(prices) - 1))
    low, _, high = band(np.diff(np.log(paths[:, months]), axis=1))
    changes = np.diff(np.log(prices))
    counted.append((int(((low <= changes) & (changes <= high)).sum()), len(changes)))
    assert told == counted


def test_the_words_of_the_back_test_are_true(seen: dict[str, Any]) -> None:
    """What docs/drivers/backtest.md says under "How to read it"."""
    months, prices, paths = seen["spot"]
    below = (paths[:, months] < prices).mean(axis=0)
    glut = below[1 : list(months).index(21) + 1]
    assert 0.30 < glut.min() < 0.36
    assert 0.55 < glut.max() < 0.63
    assert below[-1] == pytest.approx(0.91, abs=0.01)
    volatility = np.std(np.diff(np.log(prices)), ddof=1)
    lively = np.std(np.diff(np.log(paths[:, : months[-1] + 1]), axis=1), axis=1, ddof=1)
    assert np.median(lively) / volatility == pytest.approx(3.0, abs=0.3)

    months, prices, paths = seen["contract"]
    lively = np.std(np.diff(np.log(paths[:, :33]), axis=1), axis=1, ddof=1)
    assert np.median(lively) / volatility == pytest.approx(2.0, abs=0.2)
    assert (paths[:, months[-1]] < prices[-1]).mean() == pytest.approx(0.94, abs=0.01)
    low, _, high = band(paths[:, 21])
    assert high / low == pytest.approx(9.0, abs=0.5)
    last = band(paths[:, months[-1]])[2]
    assert last * 2.85 / 3.10 < prices[-1] < last


def test_the_words_about_the_h100_are_true(numbers: Any) -> None:
    """What docs/drivers/prices.md says under "Would a market participant accept this fan?"."""
    fan = numbers.fans["fan_rental_price_contract"].sel(generation="H100")
    at = {
        (month, level): float(fan.sel(month=month, quantile=level))
        for month in (0, 12, 24)
        for level in (0.05, 0.5, 0.95)
    }
    assert 1.0 - at[12, 0.5] / at[0, 0.5] == pytest.approx(1 / 6, abs=0.02)
    assert 1.0 - at[24, 0.5] / at[12, 0.5] == pytest.approx(1 / 3, abs=0.03)
    assert at[12, 0.05] < 0.4 * at[0, 0.5]
    assert at[24, 0.95] > at[0, 0.5]
    tightness = numbers.fans["fan_tightness"].sel(quantile=0.5)
    assert float(tightness.sel(month=24)) == pytest.approx(-0.07, abs=0.01)
