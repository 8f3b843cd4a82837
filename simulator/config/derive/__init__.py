"""Study and tape to model inputs: every blank filled by a stated rule, every rule listed.

The order is that of a deal: months and amounts of the debt, customers, price and schedule of the
debt, deliveries, contracts, the box.  Terms of deals follow the parameters of the study; what was
expected at t0 (prices, costs, rates) follows its reference parameters, so that a stressed world
does not rewrite deals signed before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from simulator.config.derive.assets import advance_of, fill_assets
from simulator.config.derive.boxes import fill_box, is_investment_grade
from simulator.config.derive.contracts import fill_contract
from simulator.config.derive.convert import (
    to_asset,
    to_box,
    to_contract,
    to_new_notes,
    to_sites,
    to_sponsors,
    to_tranche,
)
from simulator.config.derive.costs import economics_of
from simulator.config.derive.debt import fill_amounts, fill_terms
from simulator.config.derive.ledger import Ledger, Unfillable
from simulator.config.derive.market import Market
from simulator.config.derive.summary import BoxSummary, summarise
from simulator.config.tape import AssetRow, BoxRow, ContractRow, DebtRow, Row
from simulator.config.terms import Book, Box, Generation
from simulator.config.values import filled

__all__ = ["BoxSummary", "Completed", "Deal", "complete", "complete_holdco", "to_book", "traded"]


@dataclass(frozen=True, slots=True)
class Deal:
    """The rows of one box."""

    box: BoxRow
    tranches: tuple[DebtRow, ...]
    contracts: tuple[ContractRow, ...]
    assets: tuple[AssetRow, ...]

    def rows(self) -> Iterable[tuple[str, str, Row]]:
        """Yield table, id and row of every row."""
        yield "boxes", self.box.box, self.box
        yield from (("debt", row.tranche, row) for row in self.tranches)
        yield from (("contracts", row.contract, row) for row in self.contracts)
        yield from (("assets", row.asset, row) for row in self.assets)


@dataclass(slots=True)
class Completed:
    """Complete rows of all deals, and of HoldCo debt."""

    deals: list[Deal] = field(default_factory=list)
    holdco: list[DebtRow] = field(default_factory=list)
    summaries: list[BoxSummary] = field(default_factory=list)

    def table(self, name: str) -> list[Row]:
        """Return the rows of a table, by id."""
        rows = [
            (key, row) for deal in self.deals for table, key, row in deal.rows() if table == name
        ]
        if name == "debt":
            rows += [(row.tranche, row) for row in self.holdco]
        return [row for _, row in sorted(rows, key=lambda item: item[0])]


def complete(deal: Deal, market: Market, ledger: Ledger) -> tuple[Deal, BoxSummary] | None:
    """Fill every blank of a deal; None if no rule can (the problem is noted).

    Parameters
    ----------
    deal
        The rows as the tape gives them.
    market
        Start, parameters, generations, names.
    ledger
        Takes what was filled, and what could not be.
    """
    try:
        full = _complete(deal, market, ledger)
    except Unfillable:
        return None
    for table, key, row in deal.rows():
        ledger.assume(table, key, row)
    return full, summarise(full.box, full.tranches, full.contracts, full.assets, market)


def _complete(deal: Deal, market: Market, ledger: Ledger) -> Deal:
    box = deal.box
    dated = [fill_amounts(row, box.sponsor, market, ledger) for row in deal.tranches]
    grade = is_investment_grade(box, deal.contracts, deal.assets, market.names, ledger)
    capex = market.planned[box.generation].capex_usd
    advance = advance_of(box.box, dated, deal.assets, market, capex, ledger)
    tranches = [fill_terms(row, grade, advance, market, ledger) for row in dated]
    assets = fill_assets(box, tranches, deal.assets, market, ledger)
    economics = economics_of(box, tranches, assets, market)
    contracts = [fill_contract(row, tranches, assets, economics, ledger) for row in deal.contracts]
    full_box = fill_box(box, grade, tranches, market, ledger)
    return Deal(full_box, tuple(tranches), tuple(contracts), tuple(assets))


def complete_holdco(row: DebtRow, market: Market, ledger: Ledger) -> DebtRow | None:
    """Fill the blanks of HoldCo debt; None if no rule can."""
    assert row.sponsor
    try:
        dated = fill_amounts(row, row.sponsor, market, ledger)
    except Unfillable:
        return None
    full = fill_terms(dated, False, (1.0, "HoldCo debt finances no asset"), market, ledger)
    ledger.assume("debt", row.tranche, row)
    return full


def to_book(completed: Completed, market: Market, ledger: Ledger) -> Book:
    """Return the book of complete deals, everything in the order of ids."""
    assets = tuple(
        sorted((to_asset(row, market) for deal in completed.deals for row in deal.assets), key=_id)
    )
    contracts = tuple(
        sorted(
            (to_contract(row, market) for deal in completed.deals for row in deal.contracts),
            key=_id,
        )
    )
    boxes = tuple(sorted((to_box(deal.box, market) for deal in completed.deals), key=_id))
    debt = [row for deal in completed.deals for row in deal.tranches] + completed.holdco
    issuers = sorted({filled(row.sponsor) for row in completed.holdco})
    tranches = tuple(
        sorted(
            [*(to_tranche(row, market) for row in debt), *(to_new_notes(one) for one in issuers)],
            key=_id,
        )
    )
    payers = {
        name
        for row in contracts
        for name in (row.offtaker, row.backstop, row.residual_guarantor)
        if name
    }
    sponsors = {box.sponsor for box in boxes} | {row.sponsor for row in tranches}
    return Book(
        generations=traded(market.generations, boxes),
        jurisdictions=tuple(sorted(market.study.jurisdictions.items())),
        names=tuple(market.names[name] for name in sorted(payers)),
        sites=tuple(to_sites(market.study, assets, market, ledger)),
        contracts=contracts,
        assets=assets,
        boxes=boxes,
        tranches=tranches,
        sponsors=tuple(to_sponsors(market, sponsors, ledger)),
    )


RETIRING = ("A100", "H100")
"""Generations whose cash margin says when old world capacity leaves (model §7)."""


def traded(generations: Mapping[str, Generation], boxes: Iterable[Box]) -> tuple[Generation, ...]:
    """Return the generations that a path needs: those of the boxes and those that retire."""
    needed = {box.generation for box in boxes} | set(RETIRING)
    return tuple(one for name, one in sorted(generations.items()) if name in needed)


def _id(term: object) -> str:
    return str(getattr(term, "id"))  # noqa: B009
