"""Limits: what they mean on a sample whose measures are known by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import xarray as xr

from simulator.analytics.estimate import Estimate
from simulator.analytics.limits import LimitError, check_limits, read_limits
from simulator.analytics.measures import read_measure

pytestmark = pytest.mark.nojit

PATHS = 1000
IDS = {"facility": ["A", "B.2"], "sponsor": ["S"]}


def sample() -> xr.Dataset:
    """Return a run in which A loses 10 on 200 paths and B.2 loses 40 on 100 of those."""
    loss = np.zeros((PATHS, 2))
    loss[:200, 0], loss[:100, 1] = 10.0, 40.0
    months = np.where(loss > 0.0, 7, 0).astype(np.int16)
    months[200:260, 0] = 9  # defaults that cost nothing
    struck = np.zeros((PATHS, 1), dtype=np.int16)
    struck[:30] = 5
    return xr.Dataset(
        {
            "lender_loss": (("path", "facility"), loss),
            "book_lender_loss": ("path", loss.sum(axis=1)),
            "facility_default_month": (("path", "facility"), months),
            "sponsor_default_month": (("path", "sponsor"), struck),
        },
        coords={
            "facility": IDS["facility"],
            "sponsor": IDS["sponsor"],
            "facility_lent": ("facility", [100.0, 400.0]),
        },
    )


@pytest.mark.parametrize(
    ("measure", "value"),
    [
        ("el", 6.0),
        ("book.mean", 6.0),
        ("book.es95", 50.0),
        ("book.es80", 30.0),
        ("book.var85", 10.0),
        ("pd", 0.26),
        ("p(loss)", 0.2),
        ("facility.A.el", 2.0),
        ("facility.B.2.es95", 40.0),
        ("facility.A.pd", 0.26),
        ("facility.A.p(loss)", 0.2),
        ("sponsor.S.PD", 0.03),
    ],
)
def test_measures(measure: str, value: float) -> None:
    read = read_measure(measure)
    assert read is not None
    assert read.found(sample()).estimate.value == pytest.approx(value)


def test_shares_are_of_what_was_lent() -> None:
    checked = check_limits(
        sample(), ["book.el > 1%", "book.es95 > 9.9%", "facility.B.2.el < 100 bp"]
    )
    assert [one.estimate.value for one in checked] == pytest.approx([0.012, 0.1, 0.01])
    assert [one.breached for one in checked] == [True, True, False]
    se = math.sqrt(0.1 * 0.9 / (PATHS - 1)) * 0.1
    assert checked[2].estimate.se == pytest.approx(se)


def test_comparisons_and_errors() -> None:
    se = math.sqrt(0.2 * 0.8 / PATHS)
    near, far = 0.2 + 1.9 * se, 0.2 + 2.1 * se
    found = check_limits(
        sample(),
        [
            f"p(loss) > {100 * near}%",
            f"p(loss) > {100 * far}%",
            f"p(loss) < {100 * near}%",
            "p(loss) >= 20%",
            "p(loss) > 20%",
            "p(loss) <= 20%",
            "p(loss) < 20%",
        ],
    )
    assert [one.breached for one in found] == [False, False, True, True, False, True, False]
    assert [one.within_error for one in found] == [True, False, True, True, True, True, True]
    assert "met, within error" in str(found[0])
    assert str(found[1]).endswith("20.0 ± 1.3%, met")
    assert "BREACHED, within error" in str(found[2])


def test_what_was_never_seen_is_bounded_by_the_rule_of_three() -> None:
    run = sample()
    run["sponsor_default_month"][:] = 0
    low, high = check_limits(run, ["sponsor.S.pd > 20bp", "sponsor.S.pd > 40bp"])
    assert not low.breached
    assert low.within_error  # 3/1000 is above 20 bp
    assert not high.breached
    assert not high.within_error
    assert "< 0.3%, met" in str(high)
    assert low.rests_on == 0.0


def test_what_is_not_defined_counts_as_breached() -> None:
    run = sample().drop_vars("facility_lent")
    (found,) = check_limits(run, ["book.el > 1%"])
    assert found.breached
    assert "not defined" in str(found)
    assert found.as_object()["value"] is None


def test_a_tail_of_one_path_excludes_nothing() -> None:
    run = sample().isel(path=slice(99, 299))  # the one largest loss stands alone
    (found,) = check_limits(run, ["book.es99.9 > 1000"])
    assert not math.isfinite(found.estimate.se)
    assert found.within_error
    assert not found.breached


def test_as_object() -> None:
    (found,) = check_limits(sample(), ["EL>5.5"])
    told = found.as_object()
    assert found.estimate == Estimate(told["value"], told["se"])
    assert told["limit"] == "book.el > 5.5"
    assert (told["number"], told["unit"], told["breached"]) == (5.5, "million USD", True)


def test_all_faults_at_once() -> None:
    wrong = [
        "es > 5",
        "book.es99 = 5",
        "book.es20 > 5",
        "facility.C.el > 5",
        "facility.b.2.el > 5",
        "pd > 5",
        "sponsor.S.el > 5",
        "counterparty.X.pd > 5%",
        "",
        "book.el > 5 EUR",
    ]
    with pytest.raises(LimitError) as caught:
        read_limits(["book.el > 5", *wrong], IDS)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(wrong)
    for line, text in zip(lines, wrong, strict=True):
        assert line.startswith(f"--fail-on {text!r}: ")
        assert "mend by" in line
    assert "'B.2' (did you mean that?)" in lines[4]
    assert "names no counterparty" in lines[7]
    assert caught.value.exit_code == 2
