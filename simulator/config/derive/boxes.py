"""Blank cells of a box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from simulator.config.derive.debt import Filler
from simulator.config.derive.ledger import Ledger
from simulator.config.derive.market import Market
from simulator.config.tape import AssetRow, BoxRow, ContractRow, DebtRow
from simulator.config.terms import DOLLAR, Name
from simulator.config.values import filled

FIRST_TEST_MONTHS = 12
"""Months from the last draw to the first covenant test where the tape gives none."""
TEST_INTERVAL = 3
"""Months between tests where the tape gives none: quarterly."""
RATIO_CURE_MONTHS = 3
"""Months above a ratio trigger before its excess must be prepaid where the tape gives none."""
OPENING_EQUITY = "depreciated cost + reserves - debt, at least 0; 0 before the first delivery"
"""Equity at t0 where the tape gives none; only the engine knows the reserves it rests on."""


def is_investment_grade(
    box: BoxRow,
    contracts: Sequence[ContractRow],
    assets: Sequence[AssetRow],
    names: Mapping[str, Name],
    ledger: Ledger,
) -> bool:
    """Return the spread class of a box: investment grade if every payer is."""
    graded = [
        names[row.offtaker].investment_grade
        or (row.backstop is not None and names[row.backstop].investment_grade)
        for row in contracts
    ]
    pooled = any(asset.contract is None for asset in assets)
    rule = "every customer or its backstop is" if all(graded) else "not every customer is"
    fill = Filler("boxes", box.box, box, ledger)
    grade: bool = fill(
        "investment_grade",
        bool(graded) and all(graded) and not pooled,
        "on-demand capacity" if pooled or not graded else rule,
    )
    return grade


def fill_box(
    box: BoxRow, investment_grade: bool, tranches: Sequence[DebtRow], market: Market, ledger: Ledger
) -> BoxRow:
    """Fill the terms of operation, reserves and covenants of a box.

    Parameters
    ----------
    box
        The box.
    investment_grade
        From `is_investment_grade`.
    tranches
        Its tranches, with their months.
    market
        Parameters.
    ledger
        Takes what was filled.
    """
    fill, terms = Filler("boxes", box.box, box, ledger), market.terms
    drawn = max(filled(row.draw_end) for row in tranches)
    commitments = sum(filled(row.commitment_usd_m) for row in tranches)
    recourse = fill("recourse", "none", "no recourse")
    caps = {
        "none": (0.0, "no guarantee"),
        "limited": (commitments, "all commitments"),
        "full": (0.0, "a full guarantee has no cap"),
    }
    lockup, default = _covers(box, market, ledger)
    if box.equity0_usd_m is None:
        ledger.note("boxes", box.box, "equity0_usd_m", "by rule at t0", OPENING_EQUITY)
    plain: dict[str, tuple[object, str]] = {
        "power_hedged": (terms["pow.hedged"], "pow.hedged"),
        "colo_usd_per_kw_month": (terms["pow.colo"], "pow.colo"),
        "triple_net": (False, "the box pays its costs"),
        "operations_share": (terms["gpu.om"], "gpu.om"),
        "cost_currency": (DOLLAR, "costs in dollars"),
        "useful_life_months": (0, "by economics alone"),
        "market_factor": (1.0, "market price"),
        "reserve_months": (round(terms["loan.dsra"]), "loan.dsra"),
        "reserve_covers": ("debt_service", "a debt-service reserve"),
        "power_reserve_months": (0, "no power reserve"),
        "sweep_share": (0.0, "no sweep"),
        "sweep_threshold_dscr": (0.0, "all of CFADS"),
        "realisation_minimum": (0.0, "no test"),
        "minimum_liquidity_usd_m": (0.0, "no test"),
        "first_test": (
            drawn.plus(FIRST_TEST_MONTHS),
            f"{FIRST_TEST_MONTHS} months after the last draw end",
        ),
        "test_interval_months": (TEST_INTERVAL, "quarterly"),
        "ltc_trigger": (0.0, "no test"),
        "ltv_trigger": (0.0, "no test"),
        "cures": (round(terms["box.cures"]), "box.cures"),
        "cure_months": (0, "a cure comes at once or not at all"),
        "ltv_step_down": (0.0, "triggers stay"),
        "ratio_cure_months": (RATIO_CURE_MONTHS, "three months to prepay"),
        "payment_interval_months": (1, "paid monthly"),
        "overrun": ("sponsor", "the sponsor completes"),
        "accordion_usd_m": (0.0, "no accordion"),
        "default_on_termination": (False, "no such event"),
        "trap_on_breach": (False, "no such trap"),
        "operating_licence": (False, "no licence"),
    }
    update = {name: fill(name, value, rule) for name, (value, rule) in plain.items()}
    return box.model_copy(
        update={
            **update,
            "recourse": recourse,
            "guarantee_cap_usd_m": fill("guarantee_cap_usd_m", *caps[recourse]),
            "investment_grade": investment_grade,
            "lockup_dscr": lockup,
            "default_dscr": default,
        }
    )


def _covers(box: BoxRow, market: Market, ledger: Ledger) -> tuple[float, float]:
    """Return lock-up and default cover; a blank one never contradicts the other."""
    fill = Filler("boxes", box.box, box, ledger)
    usual_lockup = market.terms["loan.lockup.lockup"]
    usual_default = market.terms["loan.lockup.default"]
    lockup = max(usual_lockup, box.default_dscr or 0.0)
    default = min(usual_default, box.lockup_dscr or usual_default)
    at_least = "loan.lockup.lockup, at least default_dscr"
    at_most = "loan.lockup.default, at most lockup_dscr"
    return fill("lockup_dscr", lockup, at_least), fill("default_dscr", default, at_most)
