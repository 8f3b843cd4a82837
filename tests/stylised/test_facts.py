"""Behaviour that the model must show (docs/model.md §14), on the real book and on one plain box.

Statistical claims compare results on the same paths, with paired standard errors.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import simulator
from simulator.analytics.estimators import mean_difference
from simulator.config.terms import Amortisation, ModelInputs
from simulator.engine.base_case import prepare_base_case
from simulator.engine.paths import trace_path

ROOT = Path(__file__).resolve().parents[2]
PATHS = 4_000


@pytest.fixture(scope="module")
def study():
    return simulator.load_study(ROOT / "configs" / "neocloud-2026.yaml")


@pytest.fixture(scope="module")
def results(study):
    return simulator.simulate(study, paths=PATHS, seed=11, jobs=2)


def swept_box(inputs: ModelInputs) -> ModelInputs:
    """Return a book of one box at the economics that the market quotes, all cash swept.

    Yearly revenue half of cost, 80% margin, 85% loan to cost, 10% interest, five years, accepted
    at t0; running costs are a share of cost, so power and hall rent are set to nothing.
    """
    book = inputs.book
    box = next(b for b in book.boxes if b.id == "CCAC_VIII")
    asset = next(a for a in book.assets if a.box == box.id)
    contract = next(c for c in book.contracts if c.id == asset.contract)
    tranche = next(d for d in book.tranches if d.box == box.id and d.fixed)
    site = next(s for s in book.sites if s.id == asset.site)
    cost, gpus = 1_000.0, 10_000.0
    hours = 8760.0 * 0.99 * (1.0 - inputs.parameters["pow.curtail"])
    price = 0.5 * cost * 1e6 / (gpus * hours)
    return replace(
        inputs,
        horizon=60,
        book=replace(
            book,
            sites=(replace(site, power_factor=1e-9),),
            boxes=(
                replace(
                    box,
                    colo_usd_per_kw_month=0.0,
                    operations_share=0.2 * 0.5,
                    reserve_months=0.0,
                    power_reserve_months=0.0,
                    sweep_share=1.0,
                    sweep_threshold=0.0,
                    lockup_dscr=0.0,
                    default_dscr=0.0,
                    realisation_minimum=0.0,
                    ltc_trigger=0.0,
                ),
            ),
            contracts=(replace(contract, price=price, term_months=60, prepayment_share=0.0),),
            assets=(
                replace(
                    asset,
                    gpus=gpus,
                    cost=cost,
                    planned_delivery=-2,
                    accepted=0,
                    cost_delivered_at_t0=True,
                ),
            ),
            tranches=(
                replace(
                    tranche,
                    commitment=850.0,
                    balance0=850.0,
                    available_until=0,
                    maturity=60,
                    rate=0.10,
                    amortisation=Amortisation.LEVEL,
                    amortisation_start=1,
                    balloon=0.0,
                ),
            ),
            sponsors=tuple(s for s in book.sponsors if s.id == box.sponsor),
        ),
    )


@pytest.mark.slow
def test_a_swept_box_repays_in_about_two_and_a_half_years(study):
    """Fact 1: 850 at 10% out of 400 a year is repaid after 28.8 months.

    n = -ln(1 - 850 i / c) / ln(1 + i) with i = 0.10/12 and c = 400/12 a month is 28.8.
    """
    traced = trace_path(prepare_base_case(swept_box(study.inputs)), seed=1, path=0)
    debt = np.array(traced.trace.flow[:, simulator_line("debt"), 0])
    rate, cash = 0.10 / 12.0, 0.8 * 500.0 / 12.0
    exact = -np.log1p(-850.0 * rate / cash) / np.log1p(rate)
    assert exact == pytest.approx(28.8, abs=0.1)
    assert int(np.argmax(debt < 1e-6)) + 1 == int(np.ceil(exact))


def simulator_line(name: str) -> int:
    from simulator.box.flows import LINES

    return LINES.index(name)


@pytest.mark.slow
def test_the_investment_grade_box_defaults_less_than_boxes_with_short_contracts(results):
    """Fact 3, on default: DDTL 4.0 is safer than 5.5, whose contracts end before its debt."""
    defaulted = results["facility_default_month"] > 0
    gap = (
        defaulted.sel(facility="CRWV_DDTL5_5").astype(float)
        - defaulted.sel(facility="CRWV_DDTL4").astype(float)
    ).values
    assert gap.mean() > 4.0 * gap.std(ddof=1) / np.sqrt(PATHS)


@pytest.mark.slow
def test_the_expected_loss_of_ddtl_4_is_below_that_of_ddtl_5(study):
    """Fact 3, on expected loss as a share of what is lent, with the ratings it implies."""
    results = simulator.simulate(study, paths=100_000, seed=1, jobs=2)
    share = results["lender_loss_share"]
    lower, upper = (share.sel(facility=name).values for name in ("CRWV_DDTL4", "CRWV_DDTL5"))
    gap = mean_difference(upper, lower)
    assert gap.value > 4.0 * gap.se


@pytest.mark.slow
def test_unsecured_holdco_debt_loses_more_than_the_boxes(results):
    """Fact 3: HoldCo unsecured is riskier than the boxes, per dollar lent."""
    share = results["lender_loss_share"]
    for facility in ("CRWV_DDTL3", "CRWV_DDTL5"):
        gap = (share.sel(facility="CRWV_NOTES") - share.sel(facility=facility)).values
        assert gap.mean() > 2.0 * gap.std(ddof=1) / np.sqrt(PATHS)


@pytest.mark.slow
def test_losses_across_boxes_come_together(results):
    """Fact 7: ES of the book is far above ES with the paths shuffled box by box."""
    losses = results["lender_loss"].values
    rng = np.random.default_rng(5)
    shuffled = np.column_stack([rng.permutation(column) for column in losses.T])
    worst = PATHS // 100

    def shortfall(x: np.ndarray) -> float:
        return float(np.sort(x.sum(axis=1))[-worst:].mean())

    assert shortfall(losses) > 1.5 * shortfall(shuffled)


@pytest.mark.slow
def test_prices_without_shocks_stay_near_the_reference(study):
    """Fact 9: with shocks off |q| stays under 0.2."""
    from simulator.engine.market_alone import reference_path

    assert (
        np.abs(reference_path(study.inputs.expected, study.inputs.horizon).price_deviation).max()
        < 0.2
    )
