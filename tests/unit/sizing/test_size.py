"""`size` on a loan whose capacity is arithmetic: the lease's cash at the coupon, and no more."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr

import simulator
from simulator.config.study import Study, load_study
from simulator.config.terms import Amortisation
from simulator.sizing import solve
from simulator.sizing.levers import SizingError, lever_of
from simulator.sizing.search import crossing
from simulator.sizing.target import Target, parse_target
from tests.unit.config.conftest import Draft
from tests.unit.sizing.conftest import COST, COUPON, GPUS, PRICE, TERM

pytestmark = pytest.mark.nojit

RENT = 0.99 * (1.0 - 0.005) * PRICE * GPUS * 730 / 1e6  # uptime, curtailment; USD m a month
CARRIED = RENT * (1.0 - (1.0 + COUPON / 12) ** -TERM) / (COUPON / 12) / COST
SCRAP = 0.003  # of cost: what the sale of worthless GPUs may bring


@pytest.fixture
def study(calm: Draft) -> Study:
    return load_study(calm.write())


def ask(study: Study, target: str, **more: Any) -> solve.Sizing:
    return solve.size(study, facility="LOAN", target=target, paths=2, **more)


def test_the_advance_is_what_the_lease_carries(study: Study) -> None:
    found = ask(study, "P(loss) <= 1%")
    assert found.status == "solved"
    assert CARRIED - 0.001 <= found.value <= CARRIED + SCRAP
    assert found.at.measure.value == 0.0
    worse = next(one for one in found.points if one.value > found.value)
    assert worse.value == pytest.approx(found.value + 0.001)
    assert worse.measure.value > 0.01
    assert found.monotone
    assert found.runs == len({one.value for one in found.points})


def test_the_loss_beyond_it_is_the_uncovered_share(study: Study) -> None:
    """EL = 1 - carried/advance, so that 10% of the loan is lost at carried/0.9."""
    found = ask(study, "EL <= 10%", bounds=(0.7, 1.0))
    assert found.value == pytest.approx(CARRIED / 0.9, abs=0.001 + SCRAP)
    assert found.at.measure.value == pytest.approx(1.0 - CARRIED / found.value, abs=SCRAP)
    assert found.interval.low <= found.value <= found.interval.high
    assert found.interval.high - found.interval.low < 4 * SCRAP


def test_commitment_and_balance_scale_with_the_advance(study: Study) -> None:
    changed = lever_of(study.inputs, "LOAN", "advance").apply(0.8)
    assert sum(one.balance0 for one in changed.book.tranches) == pytest.approx(0.8 * COST)
    assert changed.book.contracts == study.inputs.book.contracts
    assert changed.book.assets == study.inputs.book.assets
    for one, before in zip(changed.book.tranches, study.inputs.book.tranches, strict=True):
        assert one == replace(
            before,
            advance=1.6 * before.advance,
            commitment=1.6 * before.commitment,
            balance0=1.6 * before.balance0,
        )


def test_infeasible_and_slack_are_told_with_the_measure(study: Study) -> None:
    nothing = ask(study, "P(loss) <= 1%", bounds=(0.8, 0.9))
    assert (nothing.status, nothing.value) == ("infeasible", None)
    assert nothing.at.measure.value == 1.0
    assert "infeasible: the target holds at no advance tried (80.0% to 90.0%" in str(nothing)
    everything = ask(study, "EL <= 1%", bounds=(0.3, 0.7))
    assert (everything.status, everything.value) == ("slack", 0.7)
    assert "slack: the target holds at every advance tried (30.0% to 70.0%" in str(everything)
    for found in (nothing, everything):
        assert "nan" not in str(found).casefold()
        assert all(math.isfinite(part) for part in found.at.measure)


def test_cover_and_reserve_move_the_terms_they_say(study: Study) -> None:
    box, book = study.inputs.book.boxes[0], study.inputs.book
    lock = lever_of(study.inputs, "LOAN", "dscr")
    assert lock.apply(1.3).book.boxes[0] == replace(box, lockup_dscr=1.3)
    assert "locked up" in lock.words
    sculpted = replace(
        study.inputs,
        book=replace(
            book,
            tranches=tuple(
                replace(one, amortisation=Amortisation.DEPRECIATED) for one in book.tranches
            ),
        ),
    )
    cover = lever_of(sculpted, "LOAN", "dscr").apply(1.3).book
    assert {one.sculpt_dscr for one in cover.tranches} == {1.3}
    assert cover.boxes == book.boxes
    reserve = lever_of(study.inputs, "LOAN", "reserve").apply(7.0).book
    assert reserve.boxes[0] == replace(box, reserve_months=7.0)
    assert reserve.tranches == book.tranches


def faked(share: Any) -> Any:
    """Return a stand-in for `simulate`: losses of 400 paths as a function of the advance."""

    def simulate(study: Study, **options: Any) -> xr.Dataset:
        advance = study.inputs.book.tranches[0].advance
        path = (np.arange(400) + 0.5) / 400
        losses = np.asarray(path < share(advance), dtype=float)[:, None]
        return xr.Dataset(
            {"lender_loss_share": (("path", "facility"), losses)}, {"facility": ["LOAN"]}
        )

    return simulate


def test_the_interval_solves_at_the_limits_of_the_measure(
    study: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    """P(loss) = advance - 0.5: Wilson's limits of the target are those of the advance."""
    monkeypatch.setattr(solve, "simulate", faked(lambda advance: advance - 0.5))
    found = ask(study, "P(loss) <= 20%")
    assert found.value == pytest.approx(0.7, abs=0.0026)
    low, high = found.interval.low, found.interval.high
    target = Target("P(loss)", 0.2)
    for end, limit in ((low, "high"), (high, "low")):
        losses = np.asarray((np.arange(400) + 0.5) / 400 < end - 0.5, dtype=float)
        assert getattr(target.measured(losses, None), limit) == pytest.approx(0.2, abs=0.004)
    assert 0.65 < low < 0.67
    assert 0.73 < high < 0.75


def test_a_response_that_turns_is_noticed(study: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solve, "simulate", faked(lambda advance: 0.5 - 2 * abs(advance - 0.6)))
    found = ask(study, "P(loss) <= 30%")
    assert found.value == pytest.approx(0.5, abs=0.0026)  # the first crossing, not the last
    assert not found.monotone
    assert "not monotone: P(loss) falls from advance" in str(found)
    assert "holds again at riskier terms, up to 100.0%" in str(found)
    rising = ask(study, "P(loss) <= 49%", bounds=(0.3, 0.6))
    assert rising.monotone


@pytest.mark.parametrize("root", [0.4, 3.0, 17.2, 99.5])
def test_a_crossing_takes_few_questions(root: float) -> None:
    asked: list[int] = []

    def excess(number: int) -> float:
        asked.append(number)
        return (number - root) ** 3

    found = crossing(excess, [0, 50, 100])
    assert found == (math.floor(root), math.floor(root) + 1)
    assert len(set(asked)) < 20


def test_a_target_is_read_or_refused() -> None:
    assert parse_target("EL <= 25bp") == Target("EL", 0.0025)
    assert parse_target("expected loss<0.01") == Target("EL", 0.01)
    for wrong in ("P(default) <= 1%", "EL >= 1%", "P(loss) <= 0%", "EL <= 150%", "EL <= 1.2.3%"):
        with pytest.raises(SizingError, match="mend by writing"):
            parse_target(wrong)


def test_questions_that_cannot_be_put(study: Study, calm: Draft) -> None:
    with pytest.raises(SizingError, match=r"no facility 'LAON'.*LOAN"):
        simulator.size(study, facility="LAON", target="EL <= 1%")
    with pytest.raises(SizingError, match="--between"):
        ask(study, "EL <= 1%", bounds=(0.8, 0.7))
    calm.tape["debt"].append(
        {"tranche": "NOTES", "sponsor": "Owner", "commitment_usd_m": 1, "maturity": "2030-11"}
    )
    with pytest.raises(SizingError, match="debt of a HoldCo"):
        solve.size(calm.write(), facility="NOTES", target="EL <= 1%")
