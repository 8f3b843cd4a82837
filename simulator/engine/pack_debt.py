"""Debt and those who owe it, packed: tranches and sponsors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box.terms import (
    TRANCHE_CODE,
    TRANCHE_TERM,
    TrancheParams,
)
from simulator.config.terms import (
    NEW_NOTES,
    ModelInputs,
    Tranche,
)
from simulator.engine.columns import (
    bools,
    code_rows,
    float_rows,
    floats,
    indices,
    ints,
    ranges,
    whole_months,
)
from simulator.engine.layout import Layout
from simulator.sponsor.terms import SPONSOR_TERM, SponsorParams


class PaymentDates(NamedTuple):
    """When a box pays its debt."""

    interval: int  # months
    anchor: int  # a payment month, modulo the interval


MONTHLY = PaymentDates(1, 0)


def payment_dates(inputs: ModelInputs) -> dict[str, PaymentDates]:
    """Return the payment dates of each box: counted back from its latest maturity at t0."""
    latest = {d.box: 0 for d in inputs.book.tranches}
    for d in inputs.book.tranches:
        latest[d.box] = max(latest[d.box], d.maturity)
    return {
        b.id: PaymentDates(b.payment_interval, latest.get(b.id, 0) % b.payment_interval)
        for b in inputs.book.boxes
    }


def custom_shares(tranches: Sequence[Tranche]) -> NDArray[np.float64]:
    """Return the shares of custom schedules by tranche and month, 0 for other debt."""
    last = max((month for d in tranches for month, _ in d.schedule), default=0)
    shares = np.zeros((max(1, len(tranches)), last + 1))
    for row, d in enumerate(tranches):
        for month, share in d.schedule:
            shares[row, month] += share
    return shares


def pack_tranches(inputs: ModelInputs, layout: Layout) -> TrancheParams:
    """Pack the debt."""
    tranches = layout.tranches
    known = payment_dates(inputs)
    dates = [known[d.box] if d.box else MONTHLY for d in tranches]

    def column(field: str) -> NDArray[np.float64]:
        return floats([float(getattr(d, field)) for d in tranches])

    def whole(field: str) -> NDArray[np.int64]:
        return ints([int(getattr(d, field)) for d in tranches])

    return TrancheParams(
        terms=float_rows(
            TRANCHE_TERM,
            commitment=column("commitment"),
            balance0=column("balance0"),
            rate=column("rate"),
            floor=column("floor"),
            undrawn_fee=column("undrawn_fee"),
            hedge_share=column("hedge_share"),
            swap_rate=column("swap_rate"),
            issue_discount=column("issue_discount"),
            advance=column("advance"),
            sculpt_dscr=column("sculpt_dscr"),
            depreciation_months=column("depreciation_months"),
            balloon=column("balloon"),
            lender_share=column("lender_share"),
            rate_cap=floats([np.inf if d.rate_cap is None else d.rate_cap for d in tranches]),
            margin_step=column("margin_step"),
        ),
        codes=code_rows(
            TRANCHE_CODE,
            box=indices(layout.boxes, [d.box for d in tranches]),
            sponsor=indices(layout.sponsors, [d.sponsor for d in tranches]),
            rank=whole("rank"),
            available_until=whole("available_until"),
            maturity=whole("maturity"),
            fixed=bools([d.fixed for d in tranches]),
            amortisation=whole("amortisation"),
            start=whole("amortisation_start"),
            margin_step_month=whole("margin_step_month"),
            shorten=whole("shorten"),
            catch_up=whole("catch_up"),
            moves=ints([int(d.moves_with_acceptance and d.box != "") for d in tranches]),
            capitalises=whole("capitalises"),
            borrowing_base=whole("borrowing_base"),
            payment_interval=ints([one.interval for one in dates]),
            payment_anchor=ints([one.anchor for one in dates]),
        ),
        shares=custom_shares(tranches),
    )


def pack_sponsors(inputs: ModelInputs, layout: Layout) -> SponsorParams:
    """Pack the HoldCos."""
    p = inputs.parameters
    sponsors = sorted(inputs.book.sponsors, key=lambda s: s.id)
    tranches = layout.tranches
    notes = {d.id: row for row, d in enumerate(tranches) if not d.box}
    first, end = ranges(["" if d.box else d.sponsor for d in tranches], layout.sponsors)
    purchases = np.zeros((len(sponsors), inputs.horizon + 1))
    for row, sponsor in enumerate(sponsors):
        for month, amount in sponsor.purchases:
            if 0 < month <= inputs.horizon:
                purchases[row, month] += amount
    return SponsorParams(
        terms=float_rows(
            SPONSOR_TERM,
            cash0=floats([s.cash for s in sponsors]),
            market_value=floats([s.market_value for s in sponsors]),
            other_cash=floats([s.other_cash_per_year / 12.0 for s in sponsors]),
            lease=floats([s.lease_per_year / 12.0 for s in sponsors]),
            support_factor=floats([s.support_factor for s in sponsors]),
            other_value=floats([s.other_value for s in sponsors]),
        ),
        purchases=purchases,
        first_tranche=first,
        end_tranche=end,
        new_notes=ints([notes.get(f"{s.id}{NEW_NOTES}", -1) for s in sponsors]),
        conversion_value=floats(
            [np.inf if d.conversion_value is None else d.conversion_value for d in tranches]
        ),
        last_rank=max((d.rank for d in tranches if not d.box), default=0),
        overhead=p["hold.overhead"],
        minimum_months=p["hold.min_cash"],
        borrow_share=p["hold.borrow_share"],
        equity_beta=p["hold.eq_beta"],
        estate_share=p["hold.estate_share"],
        estate_lag=whole_months(p["hold.estate_lag"]),
        spread_beta=p["cs.hold_beta"],
        learning=p["cs.learn"],
        horizon=inputs.horizon,
        enabled=inputs.switches["sponsor"],
    )
