"""`neobox results` at the command line, on two runs of a small credit-only study."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import simulator
from simulator.cli import main
from tests.cli.pools import two_names

Call = Callable[..., Result]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds last month's run and this month's."""
    folder = tmp_path_factory.mktemp("books")
    for month, exposure in (("october", 100), ("november", 120)):
        study = two_names(folder, exposure)
        command = ["run", str(study), "--paths", "1500", "--out", str(folder / "results" / month)]
        assert CliRunner().invoke(main, command).exit_code == 0
    return folder / "results"


@pytest.fixture
def inside(root: Path) -> Iterator[None]:
    """Stand beside the results."""
    here = Path.cwd()
    os.chdir(root.parent)
    yield
    os.chdir(here)


@pytest.mark.usefixtures("inside")
def test_list_and_show(call: Call, root: Path) -> None:
    lines = call("results", "list").stdout.splitlines()
    assert lines[0].split()[:4] == ["run", "study", "hash", "status"]
    assert {line.split()[0] for line in lines[1:]} == {"results/october", "results/november"}
    assert all("complete  1,500     1" in line for line in lines[1:])
    listed = json.loads(call("results", "list", root, "--json").stdout)
    digest = next(one["digest"] for one in listed if one["run"].endswith("october"))
    shown = call("results", "show", digest[:8])
    assert shown.exit_code == 0, shown.output
    assert digest in shown.stdout
    assert "two-names: 1,500 paths, seed 1" in shown.stdout
    found = json.loads(call("results", "show", "october", "--json").stdout)
    assert found["headline"]["digest"] == digest
    unknown = call("results", "show", "september")
    assert unknown.exit_code == 2
    assert "`neobox results list` lists them" in unknown.stderr
    assert call("results", "list", "nowhere").exit_code == 2


@pytest.mark.usefixtures("inside")
def test_compare(call: Call) -> None:
    result = call("results", "compare", "october", "november")
    assert result.exit_code == 0, result.output
    assert "study  names.A.exposure_usd_m  100.0 -> 120.0" in result.stdout
    assert "compared path by path" in result.stdout
    assert "book.p(loss)" not in result.stdout  # the same paths lose
    assert "book.p(loss)" in call("results", "compare", "october", "november", "--all").stdout
    found = json.loads(call("results", "compare", "october", "november", "--json").stdout)
    numbers = found["numbers"]
    change = numbers["facility.A.el"]
    assert change["change"] == pytest.approx(0.2 * change["before"])
    assert change["change_se"] == pytest.approx(0.2 * change["before_se"])
    assert numbers["facility.B.el"]["errors"] == 0.0
    table = simulator.results.compare("results/october", "results/november").numbers
    assert float(table["change"].sel(measure="facility.A.el")) == change["change"]
    same = call("results", "compare", "october", "october").stdout
    assert "inputs: the same" in same
    assert "none changed" in same


@pytest.mark.usefixtures("inside")
def test_export(call: Call, tmp_path: Path) -> None:
    result = call("results", "export", "october", "--format", "csv", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    names = ["summary", "fans", "scalars", "columns"]
    assert result.stdout.split() == [str(tmp_path / "out" / f"{name}.csv") for name in names]
    head, *rows = (tmp_path / "out" / "scalars.csv").read_text().splitlines()
    assert head.startswith("path,lender_loss.A,lender_loss.B,")
    assert len(rows) == 1500


@pytest.mark.usefixtures("inside")
def test_prune_only_says_what_it_would_do(call: Call, root: Path, tmp_path: Path) -> None:
    nothing = call("results", "prune")
    assert nothing.exit_code == 2
    assert "--keep-last, --older-than or --incomplete" in nothing.stderr
    dry = call("results", "prune", "--keep-last", 1)
    assert "would remove 1 runs" in dry.stdout
    assert sorted(one.name for one in root.iterdir()) == ["november", "october"]
    assert "nothing to remove" in call("results", "prune", "--incomplete", "--yes").stdout
    study = two_names(tmp_path)
    for name in ("a", "b"):
        assert call("run", study, "--paths", 200, "--out", tmp_path / "r" / name).exit_code == 0
    told = call("results", "prune", tmp_path / "r", "--keep-last", 1, "--yes", "--json")
    (removed,) = json.loads(told.stdout)
    assert removed["removed"]
    assert not Path(removed["run"]).exists()
    assert len(list((tmp_path / "r").iterdir())) == 1
