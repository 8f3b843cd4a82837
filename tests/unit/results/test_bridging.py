"""The parts of a change: they add up, and each is what it says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from simulator.config.study import load_book
from simulator.config.template import write_template
from simulator.results.bridging import bridge_table, with_model_of
from tests.unit.results.test_comparison import made

pytestmark = pytest.mark.nojit


def test_parts_add_up_with_errors_path_by_path() -> None:
    runs = {"last": made(), "time": made(), "data": made(shift=4.0), "parameters": made(shift=9.0)}
    table = bridge_table(runs, made(seed=2, stream=2))
    assert table.attrs["columns"] == [
        *("reported", "noise", "last", "time", "data", "parameters", "this")
    ]
    parts = sum(table[name].values for name in ("time", "data", "parameters"))
    assert np.allclose(parts, table["this"].values - table["last"].values)
    assert np.allclose(table["reported"] + table["noise"], table["last"])
    hit = float((made()["book_lender_loss"] > 0.0).mean())
    row = table.sel(measure="book.el")
    assert [float(row[name]) for name in ("time", "data", "parameters")] == pytest.approx(
        [0.0, 4.0 * hit, 5.0 * hit]
    )
    assert float(row["time_se"]) == 0.0
    assert float(row["data_se"]) < 0.2 * float(row["last_se"])
    independent = np.hypot(float(row["reported_se"]), float(row["last_se"]))
    assert float(row["noise_se"]) == pytest.approx(independent)
    assert table.attrs["columns"] != bridge_table(runs).attrs["columns"]


def test_data_of_this_month_with_the_model_of_last(tmp_path: Path) -> None:
    last, this = (write_template(tmp_path / name)[0] for name in ("last", "this"))
    tree = yaml.safe_load(this.read_text())
    tree["sponsors"]["Example Cloud"]["cash_usd_m"] = 700
    tree["parameters"]["values"] = {"gpu.delta": -0.3}
    tree["drivers"]["memory"] = False
    this.write_text(yaml.safe_dump(tree))
    file = tmp_path / "steps" / "data.yaml"
    file.parent.mkdir()
    file.write_text(with_model_of(last, this, file.parent))
    found, before, after = load_book(file).inputs, load_book(last).inputs, load_book(this).inputs
    assert found.parameters == before.parameters != after.parameters
    assert found.switches == before.switches != after.switches
    assert found.expected == before.expected
    assert found.book.sponsors == after.book.sponsors != before.book.sponsors
