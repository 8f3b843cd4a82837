"""What a block leaves behind: results per path, fan series per month.

Arrays are laid out entity first and path last, as the lanes are; `results` turns them into the
names and dimensions that the dataset knows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulator.box import flows
from simulator.box.accounts import ACCOUNT
from simulator.box.deliveries import DELIVERY_TERM
from simulator.box.terms import BOX, BOX_CODE, TRANCHE, TRANCHE_CODE
from simulator.credit.names import NAME
from simulator.drivers.collateral import HARDWARE
from simulator.drivers.demand import DEMAND
from simulator.drivers.efficiency import EFFICIENCY
from simulator.drivers.power import POWER
from simulator.drivers.prices import GENERATION, PRICE
from simulator.drivers.rates import RATE
from simulator.drivers.silicon import SILICON
from simulator.drivers.supply import SUPPLY
from simulator.numerics.elementary import exp, log
from simulator.numerics.jit import inlined, inner
from simulator.sponsor.terms import (
    SPONSOR,
    SPONSOR_TERM,
    equity_in_boxes,
    opening_debt,
)
from simulator.structure.terms import NOTE, POOL

MARKET_SERIES = (
    "tightness",
    "price_deviation",
    "utilisation",
    "demand_index",
    "capacity_index",
    "memory_cost_factor",
    "high_yield_spread",
    "sofr",
    "power_price",
    "outstanding_debt",
    "cumulative_lender_loss",
    "cumulative_distributions",
    "book_dscr",
    "boxes_in_default",
    "efficiency_offset",
    "custom_silicon_share",
    "captive_release",
    "credit_market_shut",
    "cumulative_recoveries",
)

WIPED_OUT_BELOW = 0.05  # of contributions


class Outputs(NamedTuple):
    """Results of a chunk of paths; the last axis is the path."""

    tranche_loss: NDArray[np.float64]  # (tranche, path), PV at its own coupon, USD m
    tranche_nominal_loss: NDArray[np.float64]
    tranche_exposure: NDArray[np.float64]
    tranche_recovered: NDArray[np.float64]
    tranche_drawn_pv: NDArray[np.float64]
    tranche_censored: NDArray[np.float64]  # 1 = performing with a balance at the horizon
    box_default_month: NDArray[np.float64]  # (box, path)
    box_cause: NDArray[np.float64]
    box_trigger: NDArray[np.float64]
    box_first_breach: NDArray[np.float64]
    box_waivers: NDArray[np.float64]  # number of them
    equity_pnl: NDArray[np.float64]
    equity_contributions: NDArray[np.float64]
    equity_moic: NDArray[np.float64]
    equity_irr: NDArray[np.float64]
    equity_irr_state: NDArray[np.float64]
    equity_wiped_out: NDArray[np.float64]
    equity_loss_share: NDArray[np.float64]
    box_terminal_value: NDArray[np.float64]
    sponsor_default_month: NDArray[np.float64]  # (sponsor, path)
    sponsor_retained: NDArray[np.float64]
    sponsor_raised: NDArray[np.float64]
    sponsor_pnl: NDArray[np.float64]
    sponsor_loss_share: NDArray[np.float64]
    name_default_month: NDArray[np.float64]  # (name, path)
    note_loss: NDArray[np.float64]  # (note, path), USD m
    note_interest: NDArray[np.float64]
    note_principal: NDArray[np.float64]
    structure_residual: NDArray[np.float64]  # (structure, path)
    insured_annuity: NDArray[np.float64]  # (insured tranche, path), PV, USD m times years
    floor_paid: NDArray[np.float64]  # (floor, path), PV
    market: NDArray[np.float32]  # (series, month, path)
    contract_price: NDArray[np.float32]  # (month, generation, path)
    spot_price: NDArray[np.float32]
    resale_factor: NDArray[np.float32]  # (month, generation, path)
    box_dscr: NDArray[np.float32]  # (month, box, path)
    box_ltv: NDArray[np.float32]
    sponsor_cash: NDArray[np.float32]  # (month, sponsor, path)
    sponsor_principal_due: NDArray[np.float32]
    sponsor_short: NDArray[np.float32]  # 1 = less cash than it keeps before supporting a box
    path_weight: NDArray[np.float64]  # (path,), likelihood ratio; written by the sampler, if any


def new_outputs(
    horizon: int,
    tranches: int,
    boxes: int,
    sponsors: int,
    names: int,
    generations: int,
    paths: int,
    notes: int = 0,
    structures: int = 0,
    insured: int = 0,
    floors: int = 0,
) -> Outputs:
    """Allocate results for a chunk of so many paths."""

    def by(count: int, arrays: int) -> list[NDArray[np.float64]]:
        return [np.zeros((count, paths)) for _ in range(arrays)]

    def series(count: int) -> NDArray[np.float32]:
        return np.zeros((horizon, count, paths), dtype=np.float32)

    market = np.zeros((len(MARKET_SERIES), horizon, paths), dtype=np.float32)
    scalars = by(tranches, 6) + by(boxes, 13) + by(sponsors, 5) + by(names, 1)
    scalars += by(notes, 3) + by(structures, 1) + by(insured, 1) + by(floors, 1)
    entities = (generations, generations, generations, boxes, boxes, *(sponsors,) * 3)
    by_month = [series(count) for count in entities]
    return Outputs._make([*scalars, market, *by_month, np.ones(paths)])


@inlined
def written(rows, outputs, offset):
    """Return how many lanes of a block are kept: those beyond the last path fill up a pack."""
    return min(rows.shape[-1], outputs.tranche_loss.shape[1] - offset)


@inner
def market_series(market, target):
    """Write this month's market series, see MARKET_SERIES; `target` (series, lane)."""
    efficiency, silicon, rates = market.efficiency.rows, market.silicon.rows, market.rates.rows
    lanes = target.shape[1]  # few rows a loop, so that each vectorises
    for lane in range(lanes):
        target[0, lane] = market.supply.rows[SUPPLY.tightness, lane]
        target[1, lane] = market.prices.rows[PRICE.deviation, lane]
        target[2, lane] = market.prices.rows[PRICE.utilisation, lane]
    for lane in range(lanes):
        target[3, lane] = exp(market.demand.rows[DEMAND.level, lane])
        target[4, lane] = exp(market.supply.rows[SUPPLY.capacity, lane])
    for lane in range(lanes):
        target[5, lane] = market.memory.cost_factor[0, lane]
        target[6, lane] = exp(rates[RATE.log_spread, lane])
        target[7, lane] = rates[RATE.sofr, lane]
    for lane in range(lanes):
        target[8, lane] = market.power.rows[POWER.market, lane]
        target[14, lane] = (
            efficiency[EFFICIENCY.permanent, lane] + efficiency[EFFICIENCY.transient, lane]
        )
        target[15, lane] = silicon[SILICON.share, lane]
    for lane in range(lanes):
        target[16, lane] = silicon[SILICON.captive, lane]
        target[17, lane] = rates[RATE.shut, lane]


@inner
def record_series(params, state, outputs, offset, month):
    """Write this month's fan series of a block, but for those of `books.close_books`."""
    market, series = state.market, state.series
    lanes = written(series, outputs, offset)
    row = month - 1
    market_series(market, series)
    for i in range(series.shape[0]):
        for lane in range(lanes):
            outputs.market[i, row, offset + lane] = series[i, lane]
    generations = market.prices.generations
    for g in range(outputs.contract_price.shape[1]):
        for lane in range(lanes):
            contract = generations[GENERATION.contract, g, lane]
            outputs.contract_price[row, g, offset + lane] = contract
        for lane in range(lanes):
            outputs.spot_price[row, g, offset + lane] = generations[GENERATION.spot, g, lane]
        beta = params.collateral.terms[HARDWARE.resale_beta, g]
        for lane in range(lanes):
            moved = exp(beta * generations[GENERATION.log_development, g, lane])
            depressed = 1.0 - 0.5 * state.overhang[g, lane]
            outputs.resale_factor[row, g, offset + lane] = moved * depressed
    for s in range(outputs.sponsor_cash.shape[1]):
        for lane in range(lanes):
            cash = state.sponsors.rows[SPONSOR.cash, s, lane]
            outputs.sponsor_cash[row, s, offset + lane] = cash
            kept = (
                params.sponsors.minimum_months * state.sponsors.rows[SPONSOR.fixed_costs, s, lane]
            )
            outputs.sponsor_short[row, s, offset + lane] = 1.0 if cash < kept else 0.0
        for lane in range(lanes):
            due = state.sponsors.rows[SPONSOR.principal_due, s, lane]
            outputs.sponsor_principal_due[row, s, offset + lane] = due


@inner
def write_tranches(debt_terms, tranches, boxes, sponsors, outputs, offset):
    """Write losses, exposures and recoveries by tranche."""
    for d in range(outputs.tranche_loss.shape[0]):
        b = debt_terms.codes[TRANCHE_CODE.box, d]
        s = debt_terms.codes[TRANCHE_CODE.sponsor, d]
        for lane in range(written(boxes.rows, outputs, offset)):
            column = offset + lane
            failed = sponsors.rows[SPONSOR.default_month, s, lane]
            if b >= 0:
                failed = boxes.rows[BOX.default_month, b, lane]
            balance = tranches.rows[TRANCHE.balance, d, lane]
            lost = failed > 0.0
            outputs.tranche_loss[d, column] = (
                tranches.rows[TRANCHE.discount, d, lane] * balance
                if lost and balance > flows.TINY
                else 0.0
            )
            nominal = (
                tranches.rows[TRANCHE.exposure, d, lane] - tranches.rows[TRANCHE.recovered, d, lane]
            )
            outputs.tranche_nominal_loss[d, column] = (
                nominal if lost and nominal > flows.TINY else 0.0
            )
            outputs.tranche_exposure[d, column] = tranches.rows[TRANCHE.exposure, d, lane]
            outputs.tranche_recovered[d, column] = tranches.rows[TRANCHE.recovered, d, lane]
            outputs.tranche_drawn_pv[d, column] = tranches.rows[TRANCHE.drawn_pv, d, lane]
            censored = not lost and balance > flows.TINY
            outputs.tranche_censored[d, column] = 1.0 if censored else 0.0


@inner
def write_boxes(box_terms, delivery_terms, boxes, accounts, outputs, offset):
    """Write defaults and equity results by box."""
    hurdle = box_terms.hurdle
    late = exp(box_terms.horizon * log(hurdle))
    for b in range(box_terms.codes.shape[1]):
        cost = 0.0
        for a in range(
            box_terms.codes[BOX_CODE.first_asset, b], box_terms.codes[BOX_CODE.end_asset, b]
        ):
            cost += delivery_terms.terms[DELIVERY_TERM.cost, a]
        for lane in range(written(boxes.rows, outputs, offset)):
            column = offset + lane
            outputs.box_default_month[b, column] = boxes.rows[BOX.default_month, b, lane]
            outputs.box_cause[b, column] = boxes.rows[BOX.cause, b, lane]
            outputs.box_trigger[b, column] = boxes.rows[BOX.trigger, b, lane]
            outputs.box_first_breach[b, column] = boxes.rows[BOX.first_breach, b, lane]
            outputs.box_waivers[b, column] = boxes.rows[BOX.waivers_used, b, lane]
            terminal = accounts.rows[ACCOUNT.terminal, b, lane]
            invested_pv = (
                accounts.rows[ACCOUNT.opening, b, lane]
                + accounts.rows[ACCOUNT.contributed_pv, b, lane]
            )
            invested = (
                accounts.rows[ACCOUNT.opening, b, lane]
                + accounts.rows[ACCOUNT.contributed, b, lane]
            )
            pnl = accounts.rows[ACCOUNT.distributed_pv, b, lane] + late * terminal - invested_pv
            returned = accounts.rows[ACCOUNT.distributed, b, lane] + terminal
            outputs.equity_pnl[b, column] = pnl
            outputs.equity_contributions[b, column] = invested_pv
            defined = invested > flows.TINY
            outputs.equity_moic[b, column] = returned / invested if defined else np.nan
            wiped = defined and returned < WIPED_OUT_BELOW * invested
            outputs.equity_wiped_out[b, column] = 1.0 if wiped else 0.0
            enough = invested_pv >= 0.01 * cost and invested_pv > 0.0
            outputs.equity_loss_share[b, column] = -pnl / invested_pv if enough else np.nan
            outputs.equity_irr[b, column] = accounts.rows[ACCOUNT.irr, b, lane]
            outputs.equity_irr_state[b, column] = accounts.rows[ACCOUNT.irr_state, b, lane]
            outputs.box_terminal_value[b, column] = terminal


@inner
def write_sponsors(
    sponsor_terms,
    box_terms,
    debt_terms,
    sponsors,
    tranches,
    names,
    accounts,
    stress,
    outputs,
    offset,
):
    """Write defaults, dilution and equity results by sponsor, and defaults by name.

    Business outside the tape earns the hurdle rate, less the cash it hands over and what stress
    takes: its present value stands still where nothing unexpected happens.

    Parameters
    ----------
    stress : (lane,), of the sector at the horizon
    """
    opening_values, terminal_values = (
        accounts.rows[ACCOUNT.opening],
        accounts.rows[ACCOUNT.terminal],
    )
    v, horizon = box_terms.hurdle, box_terms.horizon
    late = exp(horizon * log(v))
    months = v * (1.0 - late) / (1.0 - v) if v < 1.0 else float(horizon)  # value of 1 a month
    for s in range(sponsor_terms.terms.shape[1]):
        handed_over = months * max(0.0, sponsor_terms.terms[SPONSOR_TERM.other_cash, s])
        cash0, debt0 = (
            sponsor_terms.terms[SPONSOR_TERM.cash0, s],
            opening_debt(sponsor_terms, debt_terms, s),
        )
        for lane in range(written(sponsors.rows, outputs, offset)):
            column = offset + lane
            business = sponsors.rows[SPONSOR.other_value, s, lane]
            opening = cash0 + business - debt0
            opening = max(0.0, opening + equity_in_boxes(box_terms, opening_values, s, lane))
            closing = 0.0
            if sponsors.rows[SPONSOR.default_month, s, lane] == 0.0:
                closing = sponsors.rows[SPONSOR.cash, s, lane]
                closing += equity_in_boxes(box_terms, terminal_values, s, lane)
                for d in range(sponsor_terms.first_tranche[s], sponsor_terms.end_tranche[s]):
                    closing -= tranches.rows[TRANCHE.balance, d, lane]
                closing *= late
                fall = exp(-sponsor_terms.equity_beta * stress[lane])
                closing += max(0.0, business - handed_over) * fall
            kept = sponsors.rows[SPONSOR.retained, s, lane]
            pnl = kept * max(0.0, closing) - opening
            outputs.sponsor_pnl[s, column] = pnl
            defined = opening > flows.TINY
            outputs.sponsor_loss_share[s, column] = -pnl / opening if defined else np.nan
            outputs.sponsor_default_month[s, column] = sponsors.rows[SPONSOR.default_month, s, lane]
            outputs.sponsor_retained[s, column] = kept
            outputs.sponsor_raised[s, column] = sponsors.rows[SPONSOR.raised, s, lane]
    for j in range(outputs.name_default_month.shape[0]):
        for lane in range(written(sponsors.rows, outputs, offset)):
            outputs.name_default_month[j, offset + lane] = names.rows[NAME.default_month, j, lane]


@inner
def write_notes(structures, overlays, outputs, offset):
    """Write what notes lose and get, and what overlays insure and pay."""
    notes, pools = structures.notes, structures.pools
    for n in range(outputs.note_loss.shape[0]):
        for lane in range(written(notes, outputs, offset)):
            column = offset + lane
            outputs.note_loss[n, column] = (
                notes[NOTE.written_down, n, lane] + notes[NOTE.unpaid, n, lane]
            )
            outputs.note_interest[n, column] = notes[NOTE.interest_paid, n, lane]
            outputs.note_principal[n, column] = notes[NOTE.principal_paid, n, lane]
    for s in range(outputs.structure_residual.shape[0]):
        for lane in range(written(pools, outputs, offset)):
            outputs.structure_residual[s, offset + lane] = pools[POOL.residual, s, lane]
    for i in range(outputs.insured_annuity.shape[0]):
        for lane in range(written(overlays.annuity, outputs, offset)):
            outputs.insured_annuity[i, offset + lane] = overlays.annuity[i, lane]
    for f in range(outputs.floor_paid.shape[0]):
        for lane in range(written(overlays.floor_paid, outputs, offset)):
            outputs.floor_paid[f, offset + lane] = overlays.floor_paid[f, lane]
