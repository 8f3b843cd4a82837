"""Cure periods, unlimited cures, waivers and the reserve that covers costs, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.box.defaults import BY_DSCR
from simulator.config.terms import MarketPath
from simulator.config.values import UNLIMITED
from tests.unit.credit.books import Deal, Run

pytestmark = pytest.mark.nojit

THIN = Deal().change("box", default_dscr=1.05, first_test=3, test_interval=3)
"""Straight debt of 48 months at 8%; a test every quarter."""


def thin(debt: float, **box: object) -> Deal:
    return THIN.change("tranche", commitment=debt, balance0=debt).change("box", **box)


def month_of_default(run: Run) -> int:
    return int(run.defaults[0])


class TestCurePeriod:
    # USD 52 m cost 1.083 + 0.347 m in month 1: cover 1.01, over three months 1.05 from the tenth on

    DEBT = 52.0

    def test_two_failed_tests_are_a_default_without_a_cure(self) -> None:
        run = thin(self.DEBT, cures=4).change("sponsor", cash=0.0).run()
        assert month_of_default(run) == 6  # tests of months 3 and 6
        assert run.box("trigger")[5] == BY_DSCR

    @pytest.mark.parametrize("months", [1, 2])
    def test_it_is_asked_for_that_many_months_more(self, months: int) -> None:
        run = thin(self.DEBT, cures=4, cure_months=months).run()
        asked = run.line("cure_asked") > 0.0
        given = run.line("cure") > 0.0
        assert not given.any(), "the sponsor was meant not to pay"
        np.testing.assert_array_equal(np.flatnonzero(asked) + 1, range(6, 7 + months))
        assert month_of_default(run) == 6 + months

    def test_a_box_that_heals_within_the_period_does_not_default(self) -> None:
        plain = thin(self.DEBT, cures=4).run()
        patient = thin(self.DEBT, cures=4, cure_months=12).run()
        assert month_of_default(plain) == 6
        assert month_of_default(patient) == 0
        healed = int(np.flatnonzero(patient.box("dscr_fails")[5:] == 0.0)[0]) + 6
        window = slice(healed - 3, healed)
        cover = patient.line("cfads")[window].sum() / patient.line("debt_service")[window].sum()
        assert healed > 6
        assert cover >= 1.05
        assert np.all(patient.line("cure_asked")[healed - 1 :] == 0.0)

    def test_without_a_cure_left_there_is_nothing_to_wait_for(self) -> None:
        assert month_of_default(thin(self.DEBT, cures=0, cure_months=12).run()) == 6
        assert month_of_default(thin(self.DEBT, cures=UNLIMITED, cure_months=12).run()) == 0

    def test_it_never_raises_defaults_pair_by_pair(self) -> None:
        late = []
        for months in (0, 1, 3, 12):
            for debt in np.linspace(48.0, 56.0, 9):
                run = thin(float(debt), cures=4, cure_months=months).run()
                late.append((months, debt, month_of_default(run) or 999))
        by_months = np.array([month for _, _, month in late]).reshape(4, 9)
        assert np.all(np.diff(by_months, axis=0) >= 0)  # later or never
        assert np.any(np.diff(by_months, axis=0) > 0)


class TestWaivers:
    DEBT = 52.0
    TERMS = (("box.waiver_fee", 0.01), ("box.waiver_months", 5.0), ("box.waivers", 1.0))

    def waived(self, debt: float = DEBT, **box: object) -> Deal:
        deal = thin(debt, reserve_months=1.0, **box).change("contract", term_months=60)
        return replace(deal, on=("amendments",), parameters=self.TERMS)

    def test_lenders_waive_for_a_fee_and_tests_rest(self) -> None:
        run = self.waived(cures=0).run()
        debt = run.line("debt")
        np.testing.assert_array_equal(run.box("waivers_used")[:6], [0, 0, 0, 0, 0, 1])
        assert run.box("waived_until")[5] == 6 + 5
        assert run.box("fee_arrears")[5] == pytest.approx(0.01 * debt[5], rel=1e-12)
        assert run.line("senior_fees_paid")[6] == pytest.approx(0.01 * debt[5], rel=1e-12)
        assert run.box("fee_arrears")[6] == 0.0
        np.testing.assert_array_equal(run.box("dscr_fails")[5:11], 0.0)  # month 9 would fail
        assert run.defaults[0] == 0.0  # by month 12 the debt is small enough

    def test_not_without_the_switch_nor_for_ever(self) -> None:
        assert month_of_default(replace(self.waived(cures=0), on=()).run()) == 6
        tight = self.waived(cures=0, default_dscr=1.4).run()
        assert tight.box("waivers_used").max() == 1.0
        assert month_of_default(tight) == 15  # rests until 11, fails in 12 and 15

    def test_not_if_the_cash_to_come_is_worth_less_than_the_debt(self) -> None:
        gone = MarketPath((0.0,) + (-3.0,) * 36, 0.0, 1.0, 0.0, 1.0, ())
        short = self.waived(cures=0).change("contract", term_months=12)  # then a market of nothing
        assert month_of_default(replace(short, path=gone).run()) == 6
        assert month_of_default(replace(self.waived(cures=0), path=gone).run()) != 6

    def test_they_never_waive_a_missed_payment(self) -> None:
        run = self.waived(70.0, cures=0, default_dscr=0.0).run()
        assert run.box("trigger")[month_of_default(run) - 1] == 2.0
        assert run.box("waivers_used").max() == 0.0

    def test_a_waiver_makes_defaults_fewer(self) -> None:
        debts = np.linspace(48.0, 60.0, 9)
        plain = [replace(self.waived(float(d), cures=0), on=()).run().defaults[0] for d in debts]
        waived = [self.waived(float(d), cures=0).run().defaults[0] for d in debts]
        assert sum(month > 0 for month in waived) < sum(month > 0 for month in plain)
        assert all(b == 0.0 for a, b in zip(plain, waived, strict=True) if a == 0.0)


class TestReserve:
    COSTLY = (
        Deal()
        .change("box", reserve_months=4.0, triple_net=False, operations_share=0.06)
        .change("box", colo_usd_per_kw_month=100.0)
        .change("tranche", commitment=10.0, balance0=10.0)
    )

    def test_the_target_holds_costs_of_the_month(self) -> None:
        plain = self.COSTLY.run()
        wide = self.COSTLY.change("box", reserve_covers_costs=True).run()
        more = wide.box("reserve_target") - plain.box("reserve_target")
        np.testing.assert_allclose(more, 4.0 * plain.line("operating_costs"), rtol=1e-12)
        assert plain.line("operating_costs")[0] > 0.2

    def test_it_opens_with_planned_costs(self) -> None:
        plain = self.COSTLY.run().engine.outputs.equity_contributions[0, 0]
        wide = self.COSTLY.change("box", reserve_covers_costs=True).run()
        more = wide.engine.outputs.equity_contributions[0, 0] - plain
        # hedged power at plan, hall rent before its first month of escalation
        first = wide.line("operating_costs")[0]
        assert more == pytest.approx(4.0 * first, rel=0.01)

    def test_a_hedge_that_costs_is_covered_and_one_that_pays_is_not(self) -> None:
        def target(swap: float, covers: bool) -> np.ndarray:
            terms = {"fixed": False, "rate": 0.03, "hedge_share": 1.0, "swap_rate": swap}
            deal = Deal().change("tranche", commitment=10.0, balance0=10.0, **terms)
            run = deal.change("box", reserve_months=4.0, reserve_covers_costs=covers).run()
            return np.stack([run.box("reserve_target"), run.line("hedge_settlement")])

        dear, plain = target(0.06, True), target(0.06, False)
        assert np.all(plain[1] > 0.0)
        np.testing.assert_allclose(dear[0] - plain[0], 4.0 * plain[1], rtol=1e-12)
        np.testing.assert_array_equal(target(0.02, True)[0], target(0.02, False)[0])

    def test_equity_fills_it_in_the_month_of_the_first_acceptance(self) -> None:
        later = self.COSTLY.change(
            "asset", accepted=None, planned_delivery=2, cost_delivered_at_t0=False
        ).change("tranche", balance0=0.0, available_until=6, amortisation_start=8, maturity=60)
        plain, wide = later.run(), later.change("box", reserve_covers_costs=True).run()
        month = int(np.flatnonzero(wide.box("first_acceptance") < 1000.0)[0])
        more = wide.line("equity_other")[month] - plain.line("equity_other")[month]
        assert more == pytest.approx(4.0 * wide.line("operating_costs")[month + 1], rel=0.01)
        after = [run.line("debt_service_reserve_funded")[month + 1] for run in (plain, wide)]
        assert after[1] == pytest.approx(after[0], abs=0.02)  # costs are funded already
