"""Blank cells of deliveries: how many GPUs, what they cost, when they come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.config.derive.debt import Filler
from simulator.config.derive.ledger import Ledger
from simulator.config.derive.market import Market
from simulator.config.tape import AssetRow, BoxRow, DebtRow
from simulator.config.units import Unit, unit_of
from simulator.config.values import YearMonth, filled

ACCEPTANCE_MONTHS = 9
"""Months from close to acceptance of a delivered asset where the tape gives none."""
_WHOLE = 0.995
_MOST_ADVANCE = 1.5


@dataclass(frozen=True, slots=True)
class Draws:
    """What the tranches of a box say about its deliveries.

    Parameters
    ----------
    close, end
        First closing and last month of draws.
    share
        Balance over commitment at t0, of the tranches with draws to come; 1 if there are none.
    """

    close: YearMonth
    end: YearMonth
    share: float


def draws_of(tranches: Sequence[DebtRow], start: YearMonth) -> Draws:
    """Return the draws of a box from tranches whose amounts are known."""
    waiting = [row for row in tranches if filled(row.draw_end) > start]
    drawn = sum(filled(row.drawn_usd_m) for row in waiting)
    committed = sum(filled(row.commitment_usd_m) for row in waiting)
    return Draws(
        close=min(filled(row.close) for row in tranches),
        end=max(filled(row.draw_end) for row in tranches),
        share=drawn / committed if waiting else 1.0,
    )


def advance_of(
    box: str,
    tranches: Sequence[DebtRow],
    assets: Sequence[AssetRow],
    market: Market,
    capex_usd: float,
    ledger: Ledger,
) -> tuple[float, str]:
    """Return debt over cost of a box, and the rule that gave it.

    Notes
    -----
    The tape's own advance rates (weighted by commitment), else commitments over cost if the cost
    of every asset is known, else ``loan.ltv0``.
    """
    given = [row for row in tranches if row.advance is not None]
    if given:
        weight = sum(filled(row.commitment_usd_m) for row in given)
        total = sum(filled(row.advance) * filled(row.commitment_usd_m) for row in given)
        return total / weight, "advance of the other tranches of the box"
    costs = [_cost(row, capex_usd) for row in assets]
    if all(costs):
        debt = sum(filled(row.commitment_usd_m) for row in tranches)
        advance = debt / sum(cost for cost in costs if cost)
        if advance > _MOST_ADVANCE:
            expected = f"cost of which the debt is at most {_MOST_ADVANCE:.0%}"
            mend = "correcting gpus, cost_usd_m or the commitments"
            ledger.stop("boxes", box, "cost_usd_m", expected, f"{advance:.0%}", mend)
        return advance, "commitments over cost of the assets"
    return market.terms["loan.ltv0"], "loan.ltv0"


def _cost(row: AssetRow, capex_usd: float) -> float | None:
    if row.cost_usd_m is not None:
        return row.cost_usd_m
    return None if row.gpus is None else row.gpus * capex_usd / 1e6


def fill_assets(
    box: BoxRow,
    tranches: Sequence[DebtRow],
    assets: Sequence[AssetRow],
    market: Market,
    ledger: Ledger,
) -> list[AssetRow]:
    """Fill the deliveries of a box; one without dates is split if draws go on.

    Parameters
    ----------
    box
        The box.
    tranches
        Its tranches, with their terms.
    assets
        Its assets.
    market
        Start, parameters and generations.
    ledger
        Takes what was filled.
    """
    sized = _sizes(box, tranches, assets, market, ledger)
    draws = draws_of(tranches, market.start)
    unit = unit_of(market.planned[box.generation])
    return [part for row in sized for part in _dates(row, draws, unit, market, ledger)]


def _sizes(
    box: BoxRow,
    tranches: Sequence[DebtRow],
    assets: Sequence[AssetRow],
    market: Market,
    ledger: Ledger,
) -> list[AssetRow]:
    generation = market.planned[box.generation]
    capex, unit = generation.capex_usd, unit_of(generation)
    debt = sum(filled(row.commitment_usd_m) for row in tranches)
    weighted = sum(filled(row.advance) * filled(row.commitment_usd_m) for row in tranches)
    costs = [_cost(row, capex) for row in assets]
    known = sum(cost for cost in costs if cost)
    unknown = costs.count(None)
    rest = debt * debt / weighted - known if weighted else -1.0
    if unknown and rest <= 0:
        name = next(row.asset for row, cost in zip(assets, costs, strict=True) if cost is None)
        got = f"nothing (the other assets cost {known:g} of {known + max(rest, -known):g})"
        ledger.stop("assets", name, "cost_usd_m", "a cost", got, "giving gpus or cost_usd_m")
    sized = []
    for row, cost in zip(assets, costs, strict=True):
        fill = Filler("assets", row.asset, row, ledger)
        if cost is None:
            rule = "commitments over advance" + (", less other assets" if known else "")
            part = rest / unknown
            sized.append((row, fill("cost_usd_m", part, rule)))
        else:
            sized.append((row, fill("cost_usd_m", cost, f"{unit.many} x {unit.when_new}")))
    for row, cost in sized:
        if row.gpus is None:
            rule = f"cost over {unit.when_new}"
            told = cost * 1e6 / capex / unit.size
            ledger.note("assets", row.asset, unit.size_column, told, rule)
    return [
        row.model_copy(
            update={
                "cost_usd_m": cost,
                "gpus": cost * 1e6 / capex if row.gpus is None else row.gpus,
                "price_fixed": Filler("assets", row.asset, row, ledger)(
                    "price_fixed", False, "cost not fixed"
                ),
                "licence": Filler("assets", row.asset, row, ledger)(
                    "licence", False, "no export licence is waited for"
                ),
                "site": Filler("assets", row.asset, row, ledger)(
                    "site", box.box, "a site of its own, named as the box"
                ),
            }
        )
        for row, cost in sized
    ]


def _dates(
    row: AssetRow, draws: Draws, unit: Unit, market: Market, ledger: Ledger
) -> list[AssetRow]:
    """Return a delivery with its months, or its parts."""
    start, commission, source = market.start, row.commission_months, "commission_months"
    if commission is None:
        commission, source = round(market.terms["box.commission"]), "box.commission"
    fill = Filler("assets", row.asset, row, ledger)
    if row.accepted is not None:
        rule = f"accepted less {source}"
        planned = fill("planned_delivery", row.accepted.plus(-commission), rule)
        return [row.model_copy(update={"planned_delivery": planned})]
    if row.planned_delivery is not None:
        accepted = row.planned_delivery.plus(commission)
        if accepted > start:
            return [row]
        rule = f"planned_delivery plus {source}"
        return [row.model_copy(update={"accepted": fill("accepted", accepted, rule)})]
    if draws.close < start and draws.share >= _WHOLE:
        return [_delivered(row, draws, commission, market, ledger)]
    return _parts(row, draws, commission, unit, market, ledger)


def _delivered(
    row: AssetRow, draws: Draws, commission: int, market: Market, ledger: Ledger
) -> AssetRow:
    fill = Filler("assets", row.asset, row, ledger)
    accepted = min(draws.close.plus(ACCEPTANCE_MONTHS), market.start)
    rule = f"delivered: close + {ACCEPTANCE_MONTHS} months, at most t0"
    planned = fill("planned_delivery", accepted.plus(-commission), "accepted less box.commission")
    update = {"accepted": fill("accepted", accepted, rule), "planned_delivery": planned}
    return row.model_copy(update=update)


def _parts(
    row: AssetRow, draws: Draws, commission: int, unit: Unit, market: Market, ledger: Ledger
) -> list[AssetRow]:
    """Split a delivery: the share drawn is there, the rest comes in two, in thirds to draw end."""
    begin = max(draws.close, market.start)
    window = max(1, draws.end - begin)
    share = draws.share if draws.close < market.start else 0.0
    share = share if share > 1 - _WHOLE else 0.0
    months = [begin.plus(max(1, round(window * third / 3))) for third in (1, 2)]
    pieces: list[tuple[float, YearMonth | None]] = [(share, None)] if share else []
    pieces += [((1 - share) / 2, month) for month in months]
    parts = []
    for number, (piece, planned) in enumerate(pieces, start=1):
        name = f"{row.asset}.{number}"
        size = {"gpus": filled(row.gpus) * piece, "cost_usd_m": filled(row.cost_usd_m) * piece}
        size |= {"mw": row.mw * piece} if row.mw else {}
        part = row.model_copy(update={**size, "asset": name, "planned_delivery": planned})
        ledger.note("assets", name, "cost_usd_m", size["cost_usd_m"], f"{piece:.1%} of {row.asset}")
        told = size["gpus"] / unit.size
        ledger.note("assets", name, unit.size_column, told, f"{piece:.1%} of {row.asset}")
        if planned is None:
            part = _delivered(part, draws, commission, market, ledger)
        else:
            rule = f"undrawn: in thirds from {begin} to draw_end {draws.end}"
            ledger.note("assets", name, "planned_delivery", planned, rule)
        parts.append(part)
    return parts
