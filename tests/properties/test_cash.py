"""Cash is conserved, the order of payment holds, claims move only as debt can.

Read off the trace of the engine alone, so that an error that the reference model shared would show.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.box.flows import LINES
from simulator.box.terms import CLOSED, PERFORMING, TRANCHE
from simulator.config.derive.convert import to_new_notes
from simulator.config.terms import NEW_NOTES, Amortisation, Box, ModelInputs, Tranche
from tests.properties.agreement import EnginePaths, Study, pack, run_engine
from tests.reference.studies import small_study

SEED = 5
pytestmark = pytest.mark.timeout(1800)  # the first test may compile the engine
SMALL = 1e-9

USES = (
    "operating_costs_paid",
    "senior_fees_paid",
    "senior_interest_paid",
    "senior_principal_paid",
    "debt_service_reserve_funded",
    "power_reserve_funded",
    "junior_interest_paid",
    "junior_principal_paid",
    "swept",
    "cash_trapped",
    "refunds_paid",
    "distributed",
    "recovered",
)
SOURCES = (
    "receipts",
    "prepayment_surplus",
    "trapped_cash_used",
    "power_reserve_used",
    "debt_service_reserve_used",
    "trapped_cash_released",
    "reserves_released",
    "support",
    "cure",
    "sale_proceeds",
    "disposals",
)
PAID_BY = {  # line of the waterfall: what it pays
    "operating_costs": "operating_costs_paid",
    "senior_fees": "senior_fees_paid",
    "senior_interest": "senior_interest_paid",
    "senior_principal": "senior_principal_paid",
    "debt_service_reserve": "debt_service_reserve_funded",
    "power_reserve": "power_reserve_funded",
    "junior_interest": "junior_interest_paid",
    "junior_principal": "junior_principal_paid",
    "sweep": "swept",
    "cash_trap": "cash_trapped",
    "refund_claims": "refunds_paid",
    "distribution": "distributed",
}


@dataclass
class BoxMonth:
    """One month of one box: its flows, and where it stood before and after."""

    month: int
    flow: dict[str, float]
    before: dict[str, float]  # flows of the month before; zeros in the first
    status_before: float
    status: float
    is_first: bool


@dataclass
class Told:
    """A study and the trace of one of its paths."""

    study: Study
    paths: EnginePaths

    def months_of(self, row: int) -> Iterator[BoxMonth]:
        flows, status = self.paths.trace.flow, self.paths.trace.box_status
        before = dict.fromkeys(LINES, 0.0)
        status_before = PERFORMING
        for t in range(1, self.study.inputs.horizon + 1):
            flow = {name: float(flows[t - 1, i, row]) for i, name in enumerate(LINES)}
            now = float(status[t - 1, 0, row])
            yield BoxMonth(t, flow, before, status_before, now, t == 1)
            before, status_before = flow, now

    def boxes(self) -> Iterator[tuple[int, Box]]:
        terms = {box.id: box for box in self.study.inputs.book.boxes}
        for row, name in enumerate(self.study.layout.boxes):
            yield row, terms[name]

    def is_drawn_to_size(self, box: Box) -> bool:
        kinds = {tranche.amortisation for _, tranche in self.tranches_of(box)}
        return Amortisation.SIZED in kinds

    def tranches_of(self, box: Box) -> list[tuple[int, Tranche]]:
        listed = enumerate(self.study.layout.tranches)
        return [(row, tranche) for row, tranche in listed if tranche.box == box.id]


def tell(number: int, path: int) -> Told:
    packed = pack(small_study(random.Random(number)))
    return Told(packed, run_engine(packed, SEED, [path]))


def with_disposals(inputs: ModelInputs, chance: random.Random) -> ModelInputs:
    """Return a study whose contracts carry residual guarantees, whose sponsors borrow and buy."""
    book = inputs.book
    names = ["", *(name.id for name in book.names)]
    issues = (to_new_notes(sponsor.id) for sponsor in book.sponsors)
    debt = sorted((*book.tranches, *issues), key=lambda tranche: tranche.id)
    return replace(
        inputs,
        book=replace(
            book,
            contracts=tuple(
                replace(
                    contract,
                    residual_share=chance.choice((0.5, 1.0)),
                    residual_guarantor=chance.choice(names),
                    residual_cap=chance.choice((None, 5.0)),
                )
                for contract in book.contracts
            ),
            sites=tuple(replace(site, power_limited=True) for site in book.sites),
            tranches=tuple(
                tranche
                if tranche.box
                else replace(tranche, rank=chance.choice((0, 1)), conversion_value=50.0)
                for tranche in debt
            ),
            sponsors=tuple(
                replace(
                    sponsor,
                    purchases=((3, 20.0),),
                    other_value=chance.choice((0.0, math.nan)),
                    support_factor=chance.choice((0.9, 1.25)),
                )
                for sponsor in book.sponsors
            ),
        ),
    )


def close(a: float, b: float) -> bool:
    return math.isclose(a, b, rel_tol=SMALL, abs_tol=SMALL)


# ------------------------------------------------------------------ laws


def sized_draw(told: Told, box: Box, m: BoxMonth) -> float:
    """Most that debt drawn to size may have paid out: nothing where no tranche is drawn so."""
    return m.flow["debt_drawn"] if told.is_drawn_to_size(box) else 0.0


def cash_is_conserved(told: Told) -> None:
    """Sources = uses, of every box in every month, whatever state it is in.

    What is kept between payment dates is a use of one month and a source of the next; debt drawn
    to size is paid out as it comes.
    """
    for row, box in told.boxes():
        for m in told.months_of(row):
            received = sum(m.flow[name] for name in SOURCES) + max(0.0, -m.flow["hedge_settlement"])
            spent = sum(m.flow[name] for name in USES)
            if m.status_before == PERFORMING:  # in a workout it stands, or reserves release it
                received += m.before["collected_cash"]
                spent += m.flow["collected_cash"]
            paid_out = min(max(0.0, spent - received), sized_draw(told, box, m))
            assert close(received + paid_out, spent), (box.id, m.month, received, spent)


def capex_is_paid_for(told: Told) -> None:
    """Capex = prepayment less surplus + debt + equity, which also pays the issue discount."""
    for row, box in told.boxes():
        discounts = [tranche.issue_discount for _, tranche in told.tranches_of(box)]
        for m in told.months_of(row):
            prepaid = m.flow["prepayment_received"] - m.flow["prepayment_surplus"]
            paid = m.flow["equity_for_capex"] + m.flow["debt_drawn"] + prepaid
            discount = paid + m.flow["overrun_of_customer"] - m.flow["capex"]
            assert discount >= -SMALL, (box.id, m.month)
            most = max(discounts, default=0.0) * m.flow["debt_drawn"] + sized_draw(told, box, m)
            assert discount <= most + SMALL


def accounts_hold_what_they_were_paid(told: Told) -> None:
    """Reserves and trapped cash change by what goes in and out; new money in them is equity's."""
    names = ("trapped_cash", "debt_service_reserve", "power_reserve", "collected_cash")
    for row, box in told.boxes():
        for m in told.months_of(row):
            now, before = (sum(flow[name] for name in names) for flow in (m.flow, m.before))
            assert min(m.flow[name] for name in names) >= 0.0
            if m.is_first:
                continue
            change = (
                m.flow["debt_service_reserve_funded"]
                + m.flow["power_reserve_funded"]
                + m.flow["cash_trapped"]
                - m.flow["trapped_cash_used"]
                - m.flow["power_reserve_used"]
                - m.flow["debt_service_reserve_used"]
                - m.flow["trapped_cash_released"]
                - m.flow["reserves_released"]
            )
            if m.status_before == PERFORMING:
                change += m.flow["collected_cash"] - m.before["collected_cash"]
            from_equity = now - before - change
            assert -SMALL <= from_equity <= m.flow["equity_other"] + SMALL, (box.id, m.month)


def order_of_payment_holds(told: Told) -> None:
    """Where a line is not paid in full, no later line is paid at all."""
    order = told.study.inputs.waterfall
    for row, box in told.boxes():
        costs_owed = fees_owed = 0.0
        for m in told.months_of(row):
            if m.status_before != PERFORMING:
                costs_owed = fees_owed = 0.0  # dropped at the default
                continue
            costs_owed += m.flow["operating_costs"]
            fees_owed += m.flow["senior_fees"] + max(0.0, m.flow["hedge_settlement"])
            due = {
                "operating_costs": costs_owed,
                "senior_fees": fees_owed,
                "senior_interest": m.flow["senior_interest_due"],
            }
            if told.is_drawn_to_size(box):
                continue  # what it draws is distributed whatever else is owed
            early = m.flow["cure"] + m.flow["disposals"]
            if early == 0.0 and "sweep" not in order[:4]:
                due["senior_principal"] = m.flow["senior_principal_due"]
            costs_owed -= m.flow["operating_costs_paid"]
            fees_owed -= m.flow["senior_fees_paid"]
            is_short = False
            for line in order:
                paid = m.flow[PAID_BY[line]]
                if line == "sweep":  # cures and disposals prepay debt before anything else
                    paid -= min(paid, m.flow["cure"] + m.flow["disposals"])
                if line == "distribution" and m.status == CLOSED:
                    break  # a sale at the horizon may leave a surplus
                assert not is_short or paid <= SMALL, (box.id, m.month, line)
                is_short = is_short or paid < due.get(line, 0.0) - SMALL


def support_meets_needs_only(told: Told) -> None:
    """A sponsor's support never exceeds the shortfall it was given for."""
    for row, _ in told.boxes():
        for m in told.months_of(row):
            assert m.flow["support"] <= m.flow["shortfall"] + SMALL
            assert m.flow["cure"] <= m.flow["cure_asked"] + SMALL


def claims_move_as_debt_can(told: Told) -> None:
    """claim(t) = (claim(t−1) + draw)(1 + y/12) − R; only capitalised fees come on top.

    A claim is balance and what has accrued since the last payment date, simple until the next.
    """
    trace = told.paths.trace
    balances, coupons, received = trace.tranche[:, 0], trace.tranche[:, 3], trace.tranche[:, 2]
    claims = balances + trace.debt[:, TRANCHE.accrued]
    assert balances.min(initial=0.0) >= 0.0
    assert received.min(initial=0.0) >= 0.0
    boxes = {box.id: row for row, box in told.boxes()}
    for row, tranche in enumerate(told.study.layout.tranches):
        claim = balance = tranche.balance0
        for t in range(1, told.study.inputs.horizon + 1):
            y = coupons[t - 1, row]
            drawn = drawn_late = fees = 0.0
            if tranche.box:
                line = LINES.index("debt_drawn")
                drawn = trace.flow[t - 1, line, boxes[tranche.box]]
            if t == 1 and tranche.amortisation is Amortisation.SIZED:
                drawn = tranche.commitment  # to size, at t0
            if t <= tranche.available_until:
                fees = tranche.undrawn_fee * tranche.commitment / 12.0
                drawn_late = 0.0 if tranche.box else tranche.commitment  # at the end of the month
            if tranche.id.endswith(NEW_NOTES):
                drawn_late = math.inf
            least = claim + balance * y / 12.0 - received[t - 1, row]
            most = (claim + drawn) * (1.0 + y / 12.0) + fees + drawn_late - received[t - 1, row]
            claim, balance = claims[t - 1, row], balances[t - 1, row]
            scale = SMALL * max(1.0, tranche.commitment)
            assert least - scale <= claim <= most + scale, (tranche.id, t)
            if not tranche.box and not tranche.id.endswith(NEW_NOTES):
                limit = tranche.commitment * (1.0 + y / 12.0)  # drawn in full as the HoldCo fails
                assert claim <= limit + scale or claim <= least + scale


def recoveries_stay_within_claims(told: Told) -> None:
    """What lenders recover never exceeds what they claim, nor do losses exceed exposures."""
    outputs = told.paths.outputs
    exposure, recovered = outputs.tranche_exposure, outputs.tranche_recovered
    assert np.all(outputs.tranche_nominal_loss <= exposure + SMALL)
    assert np.all(outputs.tranche_loss >= 0.0)
    assert np.all(recovered[exposure <= 0.0] <= SMALL)
    for row, box in told.boxes():
        rows = [d for d, _ in told.tranches_of(box)]
        for m in told.months_of(row):
            if m.flow["recovered"] > 0.0 and not m.is_first:
                claims = sum(
                    told.paths.trace.tranche[m.month - 2, 0, d]
                    * (1.0 + told.paths.trace.tranche[m.month - 1, 3, d] / 12.0)
                    for d in rows
                )
                claims += m.flow["debt_drawn"] * 1.1
                assert m.flow["recovered"] <= claims + SMALL * max(1.0, claims), (box.id, m.month)


LAWS = (
    cash_is_conserved,
    capex_is_paid_for,
    accounts_hold_what_they_were_paid,
    order_of_payment_holds,
    support_meets_needs_only,
    claims_move_as_debt_can,
    recoveries_stay_within_claims,
)


@pytest.mark.nojit
@pytest.mark.parametrize("number", range(100, 124))
def test_laws_hold_on_known_studies(number: int) -> None:
    told = tell(number, path=number)
    for law in LAWS:
        law(told)


@pytest.mark.nojit
def test_laws_hold_with_disposals() -> None:
    """Leases that end, by expiry or rejection, and old GPUs that make way, on 24 studies."""
    disposed = 0.0
    for number in range(200, 224):
        inputs = with_disposals(small_study(random.Random(number)), random.Random(number))
        packed = pack(inputs)
        told = Told(packed, run_engine(packed, SEED, [number]))
        for law in LAWS:
            law(told)
        disposed += float(told.paths.trace.flow[:, LINES.index("disposals")].sum())
    assert disposed > 0.0


@settings(max_examples=100)
@given(number=st.integers(0, 10**9), path=st.integers(0, 10**6))
def test_laws_hold_on_any_study(number: int, path: int) -> None:
    told = tell(number, path)
    for law in LAWS:
        law(told)
