"""Kinds of cases without random numbers: loans, boxes, notes over a pool."""

from __future__ import annotations

from simulator.selfcheck import loans, notes, returns, waterfalls
from simulator.selfcheck.kinds import Kind, exact

__all__ = ["CASES"]

CASES: dict[str, Kind] = {
    "level_loan": exact(loans.level_loan, "P", "nominal_rate", "months"),
    "floating_loan": exact(loans.floating_loan, "margin", "cap", "step", "index"),
    "delayed_draw": exact(loans.delayed_draw, "commitment", "draws", "availability"),
    "construction": exact(loans.construction, "draws", "scheduled_instalments", "delay"),
    "sculpted_loan": exact(loans.sculpted_loan, "dscr", "periods_per_year", "cfads"),
    "full_sweep": exact(waterfalls.full_sweep, "capex", "opex_fraction_of_base_revenue"),
    "reserve": exact(waterfalls.reserve, "dsra_months", "shock_multipliers"),
    "share_sweep": exact(waterfalls.share_sweep, "threshold", "share", "cfads"),
    "lock_up": exact(waterfalls.lock_up, "lock", "price_multipliers"),
    "covenant": exact(waterfalls.covenant, "cap", "cap_step_down_per_year", "v0"),
    "lost_customer": exact(waterfalls.lost_customer, "lessee_shares", "default_month"),
    "level_loan_in_cents": exact(loans.level_loan_in_cents, "P", "nominal_rate", "months"),
    "notes_of_a_pool": exact(notes.notes_of_a_pool, "sizes", "coupons", "pool_rate"),
    "rates_of_return": exact(returns.rates_of_return, "a"),
}
