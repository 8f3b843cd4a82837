"""Packed terms and state of boxes and of their debt, shared by the stages of a box's month."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.numerics.lanes import entity_rows
from simulator.numerics.rows import row_names

PERFORMING, WORKOUT, CLOSED = 0.0, 1.0, 2.0
"""Status of a box."""

LEVEL, STRAIGHT, SCULPTED, DEPRECIATED, BULLET, CUSTOM, SIZED = range(7)
"""Amortisation, in the order of `config.terms.Amortisation`."""

NO_RECOURSE, LIMITED_RECOURSE, FULL_RECOURSE = range(3)

BY_SPONSOR, BY_CUSTOMER, BY_ACCORDION = range(3)
"""Who bears overruns, in the order of `config.terms.Overrun`."""

GRACE_MONTH_ENDS = 2.0  # in arrears, running: an event of default
WINDOW = 3  # months of the coverage and realisation ratios


@row_names
class BoxTermRows(NamedTuple):
    """Rows of `BoxParams.terms`."""

    guarantee_cap: int  # USD m
    useful_life: int  # months, 0 = none
    power_reserve_months: int
    sweep_share: int
    sweep_threshold: int
    lockup_dscr: int
    default_dscr: int
    realisation_minimum: int
    minimum_liquidity: int
    ltc_trigger: int
    ltv_trigger: int
    cures: int
    equity0: int  # NaN = by rule
    ratio_step_down: int  # of both ratio triggers, per year
    accordion: int  # USD m of debt for overruns


BOX_TERM = BoxTermRows(*range(15))


@row_names
class BoxCodeRows(NamedTuple):
    """Rows of `BoxParams.codes`."""

    sponsor: int
    recourse: int
    investment_grade: int
    first_asset: int
    end_asset: int
    first_tranche: int
    end_tranche: int
    last_rank: int
    triple_net: int
    reserve_months: int
    first_test: int
    test_interval: int
    default_on_termination: int
    trap_on_breach: int
    operating_licence: int
    reserve_covers_costs: int  # the reserve covers operating costs and hedges too
    cure_months: int  # in which an asked cure may still be given
    watches_ratings: int  # 1 if a contract traps cash on the rating of its customer
    payment_interval: int  # months between payments of debt
    payment_anchor: int  # a payment month, modulo the interval
    ratio_cure_months: int  # months above a ratio trigger before a cure is asked
    overrun: int  # who bears overruns


BOX_CODE = BoxCodeRows(*range(22))


@row_names
class BoxStreamRows(NamedTuple):
    """Rows of `BoxParams.streams`."""

    workout_streams: int
    recovery_streams: int


BOX_STREAM = BoxStreamRows(*range(2))


class BoxParams(NamedTuple):
    """Frozen terms, by box unless said otherwise."""

    terms: NDArray[np.float64]  # (row of BOX_TERM, ...)
    codes: NDArray[np.int64]  # (row of BOX_CODE, ...)
    streams: NDArray[np.uint64]  # (row of BOX_STREAM, ...)
    horizon: int
    sale_lag: int  # months
    run_months: int
    refinancing_months: NDArray[np.int64]  # (box,)
    refinancing_ltv: NDArray[np.float64]  # (box,)
    refinancing_dscr: float
    transfer_cost: float  # share of cost
    hurdle: float  # monthly discount factor of equity
    collateral_model: bool
    lender_consent: bool  # lenders refuse concessions ...
    consent_dscr: float  # ... that leave less cover than this
    amendments: bool  # lenders waive defaults ...
    waivers: float  # ... so often in the life of a box ...
    waiver_fee: float  # ... for this share of the debt ...
    waiver_months: float  # ... and let tests rest for so long
    grace: float  # month-ends in arrears running that are an event of default
    recovery_table: NDArray[np.float64]  # collateral model off
    recovery_years: float
    neo_beta: float
    ig_margin: float
    log_spread_start: float  # ln hy0
    learning: float
    waterfall: NDArray[np.int64]  # codes of the lines in order of payment


@row_names
class TrancheTermRows(NamedTuple):
    """Rows of `TrancheParams.terms`."""

    commitment: int
    balance0: int
    rate: int
    floor: int
    undrawn_fee: int
    hedge_share: int
    swap_rate: int
    issue_discount: int
    advance: int
    sculpt_dscr: int
    depreciation_months: int
    balloon: int
    lender_share: int  # held by the lender's book
    rate_cap: int  # of the index
    margin_step: int  # added to the margin or fixed rate from `margin_step_month` on


TRANCHE_TERM = TrancheTermRows(*range(15))


@row_names
class TrancheCodeRows(NamedTuple):
    """Rows of `TrancheParams.codes`."""

    box: int  # -1 = HoldCo debt
    sponsor: int
    rank: int
    available_until: int
    maturity: int
    fixed: int
    amortisation: int
    start: int  # month of the first instalment, as planned
    margin_step_month: int  # 0 = never
    shorten: int  # prepayments shorten the tail, the payment stays
    catch_up: int  # what is unpaid falls due next month
    moves: int  # a late first acceptance moves start and maturity
    capitalises: int  # interest during construction, else equity pays it
    borrowing_base: int  # draws up to advance x depreciated cost
    payment_interval: int  # months; 1 for HoldCo debt
    payment_anchor: int  # a payment month, modulo the interval


TRANCHE_CODE = TrancheCodeRows(*range(16))


class TrancheParams(NamedTuple):
    """Frozen terms, by tranche; those of HoldCos stand after those of boxes."""

    terms: NDArray[np.float64]  # (row of TRANCHE_TERM, ...)
    codes: NDArray[np.int64]  # (row of TRANCHE_CODE, ...)
    shares: NDArray[np.float64]  # (tranche, month): CUSTOM, of the balance at the fit


@row_names
class TrancheRows(NamedTuple):
    """Rows of `TrancheState.rows`."""

    balance: int  # the claim, USD m
    undrawn: int
    arrears: int  # overdue part of the balance
    maturity: int  # month; moves when refinanced, or with a late acceptance
    start: int  # month of the first instalment; may move with a late acceptance
    margin: int  # over SOFR, after a refinancing
    refinanced: int  # 1 = floating at `margin`, level, unhedged
    balloon: int  # USD m not amortised
    coupon: int  # per year, this month
    interest: int  # due this month
    construction: int  # interest that equity paid this month
    instalment: int  # due this month by regular amortisation
    final: int  # principal due this month because the tranche has matured
    fitted: int  # 1 once the balloon and the schedule are fixed
    opening: int  # balance at the fit
    payment: int  # held level payment or straight instalment, USD m; 0 = set anew each month
    accrued: int  # interest since the last payment date, not yet due
    accrued_rate: int  # sum of y/12 since then
    discount_paid: int  # D at the last payment date
    discount: int  # D(t) at the tranche's own coupon
    drawn_pv: int  # balance0 + sum D(t-1) draw
    received: int  # R of the month
    exposure: int  # EAD
    recovered: int  # after default


TRANCHE = TrancheRows(*range(24))


class TrancheState(NamedTuple):
    """State by tranche and lane."""

    rows: NDArray[np.float64]  # (row of TRANCHE, ...)
    schedule: NDArray[np.float64]  # (tranche, month, lane): share of base, or cap in USD m
    scratch: NDArray[np.float64]  # (lane,)


@row_names
class WindowsRows(NamedTuple):
    """First of the rows that each window takes in `BoxState.windows`, one a slot."""

    cfads_window: int
    service_window: int
    due_window: int
    received_window: int


WINDOWS = WindowsRows(*range(0, 4 * WINDOW, WINDOW))


@row_names
class BoxRows(NamedTuple):
    """Rows of `BoxState.rows`."""

    status: int
    reserve: int  # DSRA
    power_reserve: int
    trapped: int
    cost_arrears: int
    fee_arrears: int
    first_acceptance: int  # month, NEVER = not yet
    reserve_target: int
    trap_flag: int  # lock-up failed at the last test
    trap_on: int
    dscr_fails: int  # tests in a row
    over_months: int  # above the LTC/LTV trigger, in a row
    liquidity_fails: int
    cures_used: int
    arrears_months: int  # month-ends with arrears in a row
    late_months: int  # month-ends with debt past maturity
    first_breach: int  # month, 0 = none
    default_month: int
    trigger: int
    cause: int
    sale_month: int  # 0 = not set
    repaid: int  # 1 once all debt was paid
    capex_paid: int  # cost delivered, USD m
    utilisation_odds: int  # logit u of the pool
    utilisation: int  # U(t) of the pool
    uncured_months: int  # in a row in which a cure was asked and not given in full
    waivers_used: int
    waived_until: int  # month, tests rest until its end
    collected: int  # cash kept for the next payment date
    period_cfads: int  # since the last payment date
    period_service: int  # since the last payment date
    accordion_left: int  # USD m


BOX = BoxRows(*range(32))


class BoxState(NamedTuple):
    """State by box and lane."""

    windows: NDArray[np.float64]  # (row of WINDOWS + slot, ...)
    rows: NDArray[np.float64]  # (row of BOX, ...)


def new_tranches(tranches: int, rows: int, lanes: int) -> TrancheState:
    """Return state for a block; `rows` months of schedule."""
    count = max(1, tranches)
    return TrancheState(
        rows=entity_rows(len(TRANCHE), count, lanes),
        schedule=np.zeros((count, rows, lanes)),
        scratch=np.zeros(lanes),
    )


def new_boxes(boxes: int, lanes: int) -> BoxState:
    """Return state for a block."""
    count = max(1, boxes)
    return BoxState(
        windows=entity_rows(len(WINDOWS) * WINDOW, count, lanes),
        rows=entity_rows(len(BOX), count, lanes),
    )
