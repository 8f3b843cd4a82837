"""Lenders' consent to a cheaper contract: granted while cover bears it, refused otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.credit.books import ASSET, Deal, Run

pytestmark = pytest.mark.nojit

EAGER = (("cp.reneg_h0_ig", 3.0), ("gpu.delta", -0.4))
"""A customer that asks every few months, in a market that falls."""


def deal(debt: float, **parameters: float) -> Deal:
    """A straight-line loan of four years at 8% under an invoice of about USD 1.44 m a month."""
    plain = Deal(on=("renegotiation", "lender_consent"), parameters=EAGER)
    changed = (*plain.parameters, *((name.replace("__", "."), x) for name, x in parameters.items()))
    return replace(plain.change("tranche", commitment=debt, balance0=debt), parameters=changed)


def cuts(run: Run, asset: int = 0) -> np.ndarray:
    """What each month took off the price, USD per GPU-hour."""
    return -np.diff(np.concatenate([[2.0], run.lease("price", asset)]))


def cover_left(run: Run, month: int, cut: float) -> float:
    """Cover over the three months before, had the price been lower by `cut` already."""
    window = slice(max(0, month - 4), month - 1)
    cash, service = run.line("cfads")[window], run.line("debt_service")[window]
    return float((cash.sum() - len(cash) * cut * run.invoice) / service.sum())


def test_a_concession_that_cover_bears_is_granted_and_one_that_it_cannot_bear_is_refused() -> None:
    free = replace(deal(40.0), on=("renegotiation",)).run()
    asked = deal(40.0).run()
    first = int(np.flatnonzero(cuts(free))[0]) + 1
    wanted = float(cuts(free)[first - 1])
    cover = cover_left(asked, first, wanted)
    assert wanted > 0.1
    for level, granted in ((cover - 1e-6, True), (cover + 1e-6, False)):
        run = deal(40.0, cp__consent_dscr=level).run()
        assert (cuts(run)[first - 1] > 0.0) == granted
        assert cuts(run)[first - 1] == pytest.approx(wanted if granted else 0.0)


def test_a_refused_customer_rests_for_a_year() -> None:
    refused = deal(40.0, cp__consent_dscr=9.0).run()
    np.testing.assert_array_equal(refused.lease("price"), 2.0)
    # lenders who never agree: the first month after a year in which it may ask again
    free = replace(deal(40.0), on=("renegotiation",)).run()
    asked = np.flatnonzero(cuts(free)) + 1
    assert np.all(np.diff(asked) >= 12)


def test_lenders_say_no_before_there_is_cover_to_measure_and_nobody_asks_without_debt() -> None:
    early = deal(40.0, cp__reneg_h0_ig=3000.0)  # asks in the first month
    assert cuts(early.run())[0] == 0.0
    assert cuts(replace(early, on=("renegotiation",)).run())[0] > 0.0
    nothing_lent = early.change("tranche", commitment=0.0, balance0=0.0)
    assert cuts(nothing_lent.run())[0] > 0.0


@pytest.mark.parametrize("multiplier", [2.0, 4.0])
def test_contracts_that_need_no_consent_do_not_ask(multiplier: float) -> None:
    hard = deal(40.0, cp__consent_dscr=9.0).change("contract", consent_multiplier=multiplier)
    assert np.any(cuts(hard.run()) > 0.0)


def test_what_is_granted_to_one_delivery_is_not_there_for_the_next() -> None:
    twins = replace(
        deal(80.0, cp__reneg_h0_ig=3000.0).change("asset", id="a"),
        more_assets=(replace(ASSET, id="b"),),
    )
    free = replace(twins, on=("renegotiation",)).run()
    month = 13  # the first asking, in month 1, is refused: there is no window yet
    wanted = float(cuts(free)[0])
    assert wanted > 0.0
    open_minded = replace(twins, parameters=(*twins.parameters, ("cp.consent_dscr", 0.0))).run()
    cut = float(cuts(open_minded)[month - 1])
    assert cut > 0.0
    assert float(cuts(open_minded, 1)[month - 1]) == pytest.approx(cut)
    one, both = cover_left(open_minded, month, cut), cover_left(open_minded, month, 2 * cut)
    level = 0.5 * (one + both)  # bears one of the two
    torn = replace(twins, parameters=(*twins.parameters, ("cp.consent_dscr", level))).run()
    assert (cuts(torn)[month - 1], cuts(torn, 1)[month - 1]) == (pytest.approx(cut), 0.0)


def test_a_profile_scales_the_concession_back_to_the_plain_price() -> None:
    flat = replace(deal(5.0), on=("renegotiation",))
    half = flat.change("contract", billing=((1, 0.5),), price=4.0)  # the same invoice every month
    here, there = flat.run(), half.run()
    at = int(np.flatnonzero(cuts(here))[0])
    # k is that of a dearer contract: the market is twice as dear to it, so it asks for nothing
    assert there.lease("price")[at] == 4.0
    like = half.change("contract", moneyness0=0.5).run()
    assert like.lease("price")[at] == pytest.approx(2.0 * here.lease("price")[at], rel=1e-12)
    np.testing.assert_allclose(like.lease("due")[: at + 12], here.lease("due")[: at + 12])
