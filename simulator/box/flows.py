"""The cash-flow lines of a box: one row each in the month's block of flows.

All are USD millions of the month.  A trace of a path (`cashflow`, `explain`) is a copy of these
rows month by month, and the accounts add them up.
"""

from __future__ import annotations

LINES = (
    "receipts",  # what customers, vendors and claims paid
    "operating_costs",  # due this month
    "power_cost",  # of which power
    "senior_fees",  # undrawn fees, due
    "hedge_settlement",  # due; negative = received
    "cfads",
    "debt_service",  # denominator of the DSCR
    "senior_interest_due",
    "senior_principal_due",  # scheduled instalments, without final principal
    "junior_service_due",
    "final_principal_due",  # left at maturity after the last instalment, all ranks
    "arrears_due",
    "shortfall",  # what reserves do not cover
    "capex",
    "debt_drawn",
    "prepayment_received",
    "prepayment_surplus",  # of it, beyond the capex of its delivery
    "overrun_of_customer",  # capex beyond its plan that the customer pays
    "equity_for_capex",  # at the start of the month
    "equity_other",  # reserves, fees, interest during construction
    "trapped_cash_used",
    "power_reserve_used",
    "debt_service_reserve_used",
    "trapped_cash_released",
    "reserves_released",
    "support",
    "cure",
    "operating_costs_paid",
    "senior_fees_paid",  # with hedge settlement
    "senior_interest_paid",
    "senior_principal_paid",  # instalments and arrears
    "debt_service_reserve_funded",
    "power_reserve_funded",
    "junior_interest_paid",
    "junior_principal_paid",
    "swept",
    "cash_trapped",
    "refunds_paid",
    "distributed",
    "recovered",  # paid to lenders in a workout
    "sale_proceeds",
    "disposals",  # of residual guarantees and of GPUs that make way; they prepay debt
    "debt",  # closing balance
    "trapped_cash",  # closing
    "debt_service_reserve",  # closing
    "power_reserve",  # closing
    "collected_cash",  # closing, kept for the next payment date
    "collateral",  # orderly value of the GPUs
    "dscr",  # window of three months; NaN without debt service
    "ltv",
    "cure_asked",
    "cash_left",  # what the lines of the waterfall have not paid out yet; 0 at its end
)

(
    RECEIPTS,
    OPERATING_COSTS,
    POWER_COST,
    SENIOR_FEES,
    HEDGE_SETTLEMENT,
    CFADS,
    DEBT_SERVICE,
    SENIOR_INTEREST_DUE,
    SENIOR_PRINCIPAL_DUE,
    JUNIOR_SERVICE_DUE,
    FINAL_PRINCIPAL_DUE,
    ARREARS_DUE,
    SHORTFALL,
    CAPEX,
    DEBT_DRAWN,
    PREPAYMENT_RECEIVED,
    PREPAYMENT_SURPLUS,
    OVERRUN_OF_CUSTOMER,
    EQUITY_FOR_CAPEX,
    EQUITY_OTHER,
    TRAPPED_CASH_USED,
    POWER_RESERVE_USED,
    DEBT_SERVICE_RESERVE_USED,
    TRAPPED_CASH_RELEASED,
    RESERVES_RELEASED,
    SUPPORT,
    CURE,
    OPERATING_COSTS_PAID,
    SENIOR_FEES_PAID,
    SENIOR_INTEREST_PAID,
    SENIOR_PRINCIPAL_PAID,
    DEBT_SERVICE_RESERVE_FUNDED,
    POWER_RESERVE_FUNDED,
    JUNIOR_INTEREST_PAID,
    JUNIOR_PRINCIPAL_PAID,
    SWEPT,
    CASH_TRAPPED,
    REFUNDS_PAID,
    DISTRIBUTED,
    RECOVERED,
    SALE_PROCEEDS,
    DISPOSALS,
    DEBT,
    TRAPPED_CASH,
    DEBT_SERVICE_RESERVE,
    POWER_RESERVE,
    COLLECTED_CASH,
    COLLATERAL,
    DSCR,
    LTV,
    CURE_ASKED,
    CASH_LEFT,
) = range(len(LINES))

TINY = 1e-9  # USD m: below it an amount counts as zero
