"""The rules that fill blanks, against numbers worked by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from simulator.config import Study
from simulator.config.parameters import parameter_table
from simulator.config.terms import Amortisation, Asset, Box, Contract, Name, Recourse, Tranche
from tests.unit.config.conftest import Draft


def base(name: str) -> float:
    return parameter_table()[name].base


def tranche(study: Study, name: str) -> Tranche:
    return next(one for one in study.inputs.book.tranches if one.id == name)


def box(study: Study, name: str) -> Box:
    return next(one for one in study.inputs.book.boxes if one.id == name)


def contract(study: Study, name: str) -> Contract:
    return next(one for one in study.inputs.book.contracts if one.id == name)


def name_of(study: Study, name: str) -> Name:
    return next(one for one in study.inputs.book.names if one.id == name)


def assets(study: Study, prefix: str) -> list[Asset]:
    return [one for one in study.inputs.book.assets if one.id.startswith(prefix)]


def rule(study: Study, cell: str) -> str:
    return study.sources[cell]


class TestBalances:
    """drawn at an as-of date, rolled to November 2026."""

    @pytest.mark.parametrize(
        ("cells", "balance"),
        [
            ({"drawn_usd_m": 700, "drawn_asof": "2026-11"}, 700),
            # open: 2 of 9 months of the way from 700 to 1500
            ({"drawn_usd_m": 700, "drawn_asof": "2026-09"}, 700 + 800 * 2 / 9),
            # open, blank: 8 of 15 months from 0 at close
            ({"drawn_usd_m": "", "drawn_asof": ""}, 1500 * 8 / 15),
            # closed: 60 of 62 months left after the as-of date
            ({"drawn_usd_m": 700, "drawn_asof": "2026-09", "draw_end": ""}, 700 * 61 / 63),
            # draws ended in between: full at October, then one month of 62
            ({"drawn_asof": "2026-09", "draw_end": "2026-10"}, 1500 * 61 / 62),
            # first instalment given: nothing before
            (
                {"drawn_asof": "2026-09", "draw_end": "2026-10", "amortisation_start": "2027-01"},
                1500,
            ),
            ({"draw_end": "", "amortisation": "bullet"}, 700),
            ({"kind": "revolver"}, 700),
            # not closed yet
            ({"close": "2027-01", "drawn_usd_m": "", "drawn_asof": ""}, 0),
            ({"close": "2027-01", "drawn_usd_m": "", "drawn_asof": "", "draw_end": ""}, 0),
        ],
    )
    def test_balance(self, draft: Draft, cells: dict[str, Any], balance: float) -> None:
        draft.row("debt", "TERM-A").update(cells)
        assert tranche(draft.load(), "TERM-A").balance0 == pytest.approx(balance, rel=1e-12)

    def test_commitment_from_the_balance(self, draft: Draft) -> None:
        draft.row("debt", "NOTES-2031").update(commitment_usd_m="", drawn_usd_m=480)
        notes = tranche(draft.load(), "NOTES-2031")
        assert (notes.commitment, notes.balance0) == (480, 480)


class TestDebt:
    def test_months_count_from_t0(self, draft: Draft) -> None:
        loan = tranche(draft.load(), "TERM-A")
        assert (loan.available_until, loan.maturity, loan.amortisation_start) == (7, 61, 8)
        assert (loan.rate, loan.fixed, loan.hedge_share) == (0.03, False, 0.95)
        assert loan.amortisation is Amortisation.SCULPTED

    def test_blanks_of_a_closed_loan(self, draft: Draft) -> None:
        loan = tranche(draft.load(), "TERM-B")
        assert loan.available_until == -17
        assert loan.amortisation_start == 1
        assert loan.amortisation is Amortisation.LEVEL
        assert (loan.undrawn_fee, loan.hedge_share, loan.swap_rate) == (0, 0, 0)
        assert (loan.sponsor, loan.facility) == ("Example Cloud", "TERM-B")
        assert loan.advance == pytest.approx(360 / 500)
        assert (loan.lender_share, loan.balloon, loan.depreciation_months) == (1, 0, 72)

    def test_holdco_debt(self, draft: Draft) -> None:
        notes = tranche(draft.load(), "NOTES-2031")
        assert (notes.box, notes.sponsor) == ("", "Example Cloud")
        assert notes.amortisation is Amortisation.BULLET
        assert notes.lender_share == 0

    def test_maturity_from_the_usual_tenor(self, draft: Draft) -> None:
        draft.row("debt", "TERM-B").update(maturity="")
        assert tranche(draft.load(), "TERM-B").maturity == -17 + round(12 * base("loan.tenor"))

    def test_swap_rate_is_expected_sofr(self, draft: Draft) -> None:
        r0, kappa, theta = base("ir.r0"), base("ir.kappa"), base("ir.theta")
        steps = [theta + (r0 - theta) * math.exp(-kappa * s / 1e4) for s in range(1, 50834)]
        assert tranche(draft.load(), "TERM-A").swap_rate == pytest.approx(
            sum(steps) / len(steps), abs=1e-7
        )

    @pytest.mark.parametrize(
        ("grade", "expected"),
        [("true", base("cs.ig_margin")), ("false", base("cs.neo_beta") * base("cs.hy0"))],
    )
    def test_margin_from_the_market(self, draft: Draft, grade: str, expected: float) -> None:
        draft.row("boxes", "BOX-A")["investment_grade"] = grade
        draft.row("debt", "TERM-A")["margin_bp"] = ""
        assert tranche(draft.load(), "TERM-A").rate == pytest.approx(expected / 1e4)

    def test_discount_only_of_a_loan_that_closes_later(self, draft: Draft) -> None:
        draft.row("debt", "TERM-A")["issue_price"] = "97%"
        assert tranche(draft.load(), "TERM-A").issue_discount == 0
        draft.row("debt", "TERM-A").update(close="2027-01", drawn_usd_m="", drawn_asof="")
        assert tranche(draft.load(), "TERM-A").issue_discount == pytest.approx(0.03)

    def test_a_loan_repaid_by_its_usual_tenor_needs_a_maturity(self, draft: Draft) -> None:
        draft.row("debt", "TERM-B").update(close="2020-01", maturity="")
        assert draft.problem().mend == "giving the maturity"


class TestDeliveries:
    def test_cost_from_commitments_over_advance(self, draft: Draft) -> None:
        draft.row("assets", "A-1")["gpus"] = ""
        study = draft.load()
        second = 9500 * base("gpu.capex.GB300") / 1e6
        (first,) = assets(study, "A-1")
        assert first.cost == pytest.approx(1500 / 0.85 - second)
        assert first.gpus == pytest.approx(first.cost * 1e6 / base("gpu.capex.GB300"))

    def test_nothing_is_left_for_a_blank(self, draft: Draft) -> None:
        draft.row("assets", "A-1")["gpus"] = ""
        draft.row("assets", "A-2")["cost_usd_m"] = 2000
        problem = draft.problem()
        assert (problem.path, problem.place.rsplit("/", 1)[1]) == ("cost_usd_m", "assets.csv:2")

    def test_debt_far_above_cost_is_refused(self, draft: Draft) -> None:
        draft.row("debt", "TERM-B")["commitment_usd_m"] = 4000
        assert draft.problem().got == "800%"

    def test_advance_without_cost_is_the_usual_one(self, draft: Draft) -> None:
        for name in ("B-1", "B-2"):
            draft.row("assets", name)["cost_usd_m"] = ""
        study = draft.load()
        assert tranche(study, "TERM-B").advance == base("loan.ltv0")
        assert [one.cost for one in assets(study, "B-")] == [360 / base("loan.ltv0") / 2] * 2

    def test_planned_and_accepted(self, draft: Draft) -> None:
        study = draft.load()
        (first,), (second,) = assets(study, "A-1"), assets(study, "A-2")
        assert (first.planned_delivery, first.accepted) == (-4, -2)
        assert (second.planned_delivery, second.accepted) == (4, None)
        assert (first.cost_delivered_at_t0, second.cost_delivered_at_t0) == (True, False)

    @pytest.mark.parametrize(("planned", "accepted"), [("2026-09", 0), ("2026-10", None)])
    def test_delivered_but_not_accepted(
        self, draft: Draft, planned: str, accepted: int | None
    ) -> None:
        draft.row("assets", "A-2")["planned_delivery"] = planned
        (asset,) = assets(draft.load(), "A-2")
        assert (asset.accepted, asset.cost_delivered_at_t0) == (accepted, True)

    @pytest.mark.parametrize(("close", "accepted"), [("2025-06", -8), ("2026-04", 0)])
    def test_a_closed_loan_has_all_its_assets(
        self, draft: Draft, close: str, accepted: int
    ) -> None:
        draft.row("assets", "B-1")["accepted"] = ""
        draft.row("debt", "TERM-B")["close"] = close
        (asset,) = assets(draft.load(), "B-1")
        assert (asset.accepted, asset.planned_delivery) == (accepted, accepted - 2)

    def test_a_drawing_loan_splits_its_asset(self, draft: Draft) -> None:
        draft.tape["assets"] = [
            {"asset": "A", "box": "BOX-A", "contract": "SEARCH-1", "cost_usd_m": 1800},
            *draft.tape["assets"][2:],
        ]
        draft.row("debt", "TERM-A").update(drawn_usd_m=600, drawn_asof="2026-11")
        study = draft.load()
        parts = assets(study, "A.")
        assert [one.id for one in parts] == ["A.1", "A.2", "A.3"]
        assert [one.cost for one in parts] == pytest.approx([720, 540, 540])
        assert sum(one.gpus for one in parts) == pytest.approx(1800e6 / base("gpu.capex.GB300"))
        assert [one.accepted for one in parts] == [0, None, None]
        assert [one.planned_delivery for one in parts] == [-2, 2, 5]
        assert {one.site for one in parts} == {"BOX-A"}
        (site,) = [one for one in study.inputs.book.sites if one.id == "BOX-A"]
        assert (site.jurisdiction, site.energised) == ("US", False)

    def test_a_loan_that_has_not_closed_has_no_assets_yet(self, draft: Draft) -> None:
        draft.tape["assets"] = [
            {"asset": "A", "box": "BOX-A", "contract": "SEARCH-1", "cost_usd_m": 1800},
            *draft.tape["assets"][2:],
        ]
        draft.row("debt", "TERM-A").update(close="2026-12", drawn_usd_m="", drawn_asof="")
        parts = assets(draft.load(), "A.")
        assert [one.planned_delivery for one in parts] == [3, 5]
        assert [one.cost for one in parts] == [900, 900]


class TestContracts:
    def test_price_from_the_value(self, draft: Draft) -> None:
        draft.row("contracts", "LAB-1").update(
            price_usd_per_gpu_hour="", contract_value_usd_m=1000, value_attribution="40%"
        )
        gpus = 350e6 / base("gpu.capex.H200")
        price = contract(draft.load(), "LAB-1").price
        assert price == pytest.approx(400e6 / (gpus * 8760 * 5), rel=1e-12)

    def test_solved_price_gives_the_cover(self, draft: Draft) -> None:
        """Revenue less cost over an annuity computed here from scratch."""
        study = draft.load()
        price = contract(study, "SEARCH-1").price
        gpus, years = 21500, 61 / 12
        i = (base("ir.theta") + 0.03) / 12  # r0 and theta differ by 5 bp
        i += (tranche(study, "TERM-A").swap_rate - base("ir.theta")) / 12
        service = 12 * 1500 * i / (1 - (1 + i) ** -54)  # July 2027 to December 2031
        hours = gpus * 8760
        growth = (math.exp(0.04 * years) - 1) / (0.04 * years)
        factor = (12000 * 1.0 + 9500 * 1.3) / gpus
        kw = base("gpu.kw.GB300")
        power = kw * base("gpu.pue") * base("pow.p0") * factor * growth / 1000
        colo = base("pow.colo") * kw * 12 / 8760 * growth
        maintenance = base("gpu.om") * base("gpu.capex.GB300") / 8760
        revenue = price * hours * 0.99 * (1 - base("pow.curtail")) / 1e6
        cash = revenue - (power + colo + maintenance) * hours / 1e6
        assert cash / service == pytest.approx(1.3, rel=1e-9)
        (summary,) = [one for one in study.summaries if one.box == "BOX-A"]
        assert summary.contracted_dscr == pytest.approx(1.3, rel=1e-12)
        assert summary.price == price

    def test_triple_net_costs_nothing(self, draft: Draft) -> None:
        draft.row("boxes", "BOX-A")["triple_net"] = "true"
        study = draft.load()
        (summary,) = [one for one in study.summaries if one.box == "BOX-A"]
        assert summary.running_cost == 0
        assert summary.cash_margin == 1
        assert summary.contracted_dscr == pytest.approx(1.3)

    def test_prepayment_raises_the_solved_price(self, draft: Draft) -> None:
        before = contract(draft.load(), "SEARCH-1").price
        draft.row("contracts", "SEARCH-1")["prepayment_share"] = "20%"
        assert contract(draft.load(), "SEARCH-1").price == pytest.approx(before / 0.8)

    def test_implied_price_out_of_range_is_refused(self, draft: Draft) -> None:
        draft.row("contracts", "LAB-1").update(
            price_usd_per_gpu_hour="", contract_value_usd_m=90000
        )
        problem = draft.problem()
        assert (problem.path, problem.got) == ("contract_value_usd_m", "322.9")

    def test_term_and_other_blanks(self, draft: Draft) -> None:
        draft.row("contracts", "SEARCH-1")["term_months"] = ""
        terms = contract(draft.load(), "SEARCH-1")
        assert terms.term_months == 69  # March 2026 to December 2031
        assert (terms.consent_multiplier, terms.prepayment_share, terms.moneyness0) == (1, 0, 1)
        assert (terms.backstop, terms.backstop_cap) == ("", 0)

    def test_backstop_cap_is_the_value(self, draft: Draft) -> None:
        draft.row("contracts", "LAB-1").update(backstop="Example Search", consent="at_will")
        terms = contract(draft.load(), "LAB-1")
        gpus = 350e6 / base("gpu.capex.H200")
        assert terms.backstop_cap == pytest.approx(2.6 * gpus * 8760 * 5 / 1e6)
        assert terms.consent_multiplier == 4


class TestBoxes:
    def test_blanks(self, draft: Draft) -> None:
        study = draft.load()
        first, second = box(study, "BOX-A"), box(study, "BOX-B")
        assert (first.recourse, second.recourse) == (Recourse.NONE, Recourse.FULL)
        assert (first.lockup_dscr, first.default_dscr) == (1.2, 1.15)
        assert (second.lockup_dscr, second.default_dscr) == (
            base("loan.lockup.lockup"),
            base("loan.lockup.default"),
        )
        assert (first.first_test, first.test_interval) == (19, 3)
        assert first.reserve_months == base("loan.dsra")
        assert first.colo_usd_per_kw_month == base("pow.colo")
        assert math.isnan(first.equity0)
        assert (first.sweep_share, first.ltc_trigger, first.cures) == (0, 0, 4)

    def test_opening_equity_is_told_where_the_engine_derives_it(self, draft: Draft) -> None:
        draft.row("boxes", "BOX-B")["equity0_usd_m"] = 250
        study = draft.load()
        (cell,) = (one for one in study.derived if one.field == "equity0_usd_m")
        assert (cell.row, cell.value, cell.assumed) == ("BOX-A", "by rule at t0", False)
        assert "depreciated cost + reserves - debt" in cell.rule
        assert math.isnan(box(study, "BOX-A").equity0)
        assert box(study, "BOX-B").equity0 == 250

    @pytest.mark.parametrize(
        ("cells", "covers"),
        [
            ({"default_dscr": 1.4}, (1.4, 1.4)),
            ({"default_dscr": "", "lockup_dscr": 1.02}, (1.02, 1.02)),
            ({"default_dscr": 0, "lockup_dscr": 0}, (0, 0)),
        ],
    )
    def test_a_blank_cover_never_contradicts_the_other(
        self, draft: Draft, cells: dict[str, Any], covers: tuple[float, float]
    ) -> None:
        draft.row("boxes", "BOX-A").update(cells)
        first = box(draft.load(), "BOX-A")
        assert (first.lockup_dscr, first.default_dscr) == covers

    def test_investment_grade_needs_every_payer(self, draft: Draft) -> None:
        study = draft.load()
        assert box(study, "BOX-A").investment_grade
        assert not box(study, "BOX-B").investment_grade
        draft.row("contracts", "LAB-1")["backstop"] = "Example Search"
        draft.row("assets", "B-2")["contract"] = "LAB-1"
        assert box(draft.load(), "BOX-B").investment_grade

    def test_limited_guarantee_without_a_cap(self, draft: Draft) -> None:
        draft.row("boxes", "BOX-A")["recourse"] = "limited"
        assert box(draft.load(), "BOX-A").guarantee_cap == 1500


class TestNames:
    def test_unrated_lab(self, draft: Draft) -> None:
        lab = name_of(draft.load(), "Example Lab")
        assert lab.hazard_per_year == (pytest.approx(-math.log(1 - base("cp.pd_ai_lab"))),)
        assert (lab.beta, lab.ai, lab.investment_grade) == (1.0, True, False)

    def test_rated_hyperscaler(self, draft: Draft) -> None:
        search = name_of(draft.load(), "Example Search")
        assert len(search.hazard_per_year) == 6
        assert (search.beta, search.ai, search.investment_grade) == (0.3, False, True)
        assert search.hyperscaler

    @pytest.mark.parametrize(
        ("cells", "beta", "grade"),
        [
            ({"kind": "trading_firm"}, 0.7, False),
            ({"kind": "neocloud", "rating": "Baa1"}, 1.0, True),
            ({"kind": "corporate", "rating": "BBB-"}, 0.3, True),
            ({"hazard_per_year": [0.0005, 0.3]}, 1.0, True),
            ({"hazard_per_year": ["5%"]}, 1.0, False),
            ({"beta": 0.2, "investment_grade": True}, 0.2, True),
        ],
    )
    def test_loading_and_grade(
        self, draft: Draft, cells: dict[str, Any], beta: float, grade: bool
    ) -> None:
        draft.study["counterparties"]["Example Lab"].update(cells)
        lab = name_of(draft.load(), "Example Lab")
        assert (lab.beta, lab.investment_grade) == (beta, grade)

    def test_a_sponsor_as_customer_has_no_hazard_of_its_own(self, draft: Draft) -> None:
        draft.row("contracts", "LAB-1")["offtaker"] = "Example Cloud"
        cloud = name_of(draft.load(), "Example Cloud")
        assert (cloud.sponsor, cloud.hazard_per_year, cloud.ai) == ("Example Cloud", (0.0,), True)

    def test_only_names_in_use_are_in_the_book(self, draft: Draft) -> None:
        draft.study["counterparties"]["Idle"] = {"kind": "corporate"}
        assert [name.id for name in draft.load().inputs.book.names] == [
            "Example Lab",
            "Example Search",
        ]


class TestMarket:
    def test_stress_does_not_rewrite_deals(self, draft: Draft) -> None:
        """Prices, costs and rates expected at t0 stay; the world and blank terms move."""
        calm, stressed = draft.load(), draft.load({"parameters.set": "stress"})
        assert contract(calm, "SEARCH-1") == contract(stressed, "SEARCH-1")
        assert tranche(calm, "TERM-A").swap_rate == tranche(stressed, "TERM-A").swap_rate
        assert assets(calm, "A-1") == assets(stressed, "A-1")
        assert box(stressed, "BOX-A").operations_share == parameter_table()["gpu.om"].stress
        assert box(stressed, "BOX-A").reserve_months == parameter_table()["loan.dsra"].stress

    def test_generations_follow_parameters_then_the_study(self, draft: Draft) -> None:
        draft.study["generations"] = {"GB300": {"spot_price_usd_per_gpu_hour": 4}}
        study = draft.load({"gpu.p0_contract.GB300": 5.5, "gpu.p0_spot.GB300": 7})
        (gb300,) = [one for one in study.inputs.book.generations if one.name == "GB300"]
        assert (gb300.contract_price, gb300.spot_price) == (5.5, 4)

    def test_an_accelerator_of_ones_own(self, draft: Draft) -> None:
        draft.study["generations"] = {
            "Own-1": {
                "contract_price_usd_per_gpu_hour": 1.1,
                "spot_price_usd_per_gpu_hour": 1.2,
                "kw": 0.9,
                "capex_usd": 30000,
                "hardware_share": "60%",
                "installed_base_m": 0.3,
            }
        }
        draft.row("boxes", "BOX-B")["generation"] = "Own-1"
        study = draft.load()
        (own,) = [one for one in study.inputs.book.generations if one.name == "Own-1"]
        assert (own.capex_usd, own.base_grows) == (30000, True)
        assert assets(study, "B-1")[0].gpus == pytest.approx(350e6 / 30000)


def test_assumptions_are_listed_with_value_and_reason(draft: Draft) -> None:
    study = draft.load()
    cells = {(cell.table, cell.row, cell.field): cell for cell in study.derived}
    term = cells["contracts", "SEARCH-1", "term_months"]
    assert (term.value, term.rule, term.assumed) == (60.0, "as the debt", True)
    cash = cells["sponsors", "Example Cloud", "cash_usd_m"]
    assert (cash.value, cash.assumed) == (900.0, True)


def test_an_assumed_blank_keeps_its_rule(draft: Draft) -> None:
    draft.row("boxes", "BOX-A")["assumed"] = "cures: not public"
    assert rule(draft.load(), "boxes.BOX-A.cures") == "assumed: box.cures; not public"
