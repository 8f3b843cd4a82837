"""Notes over a pool of loans, paid in order from what the loans pay (§13)."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.config.terms import Note, Structure
from tests.reference.state import TINY, TrancheState


@dataclass
class NoteState:
    terms: Note
    balance: float
    unpaid: float = 0.0  # interest of earlier months, on which none is earned
    written_down: float = 0.0
    interest_paid: list[float] = field(default_factory=list)
    principal_paid: list[float] = field(default_factory=list)
    balances: list[float] = field(default_factory=list)

    def loss(self) -> float:
        return self.written_down + self.unpaid


@dataclass
class StructureOutcome:
    notes: list[NoteState]  # most senior first
    residual: list[float]
    is_sequential: list[bool]


@dataclass
class Collections:
    """What the members of a pool pay, draw and lose in a month, at their shares."""

    interest: float = 0.0
    principal: float = 0.0
    recoveries: float = 0.0
    draws: float = 0.0
    defaults: float = 0.0
    opening_pool: float = 0.0
    closing_pool: float = 0.0


def run_structure(
    structure: Structure, tranches: dict[str, TrancheState], horizon: int
) -> StructureOutcome:
    members = [(tranches[name], share) for name, share in structure.members]
    opening = sum(share * member.opening for member, share in members)
    commitments = sum(share * member.terms.commitment for member, share in members)
    notes = [NoteState(note, note.size * opening) for note in structure.notes]
    outcome = StructureOutcome(notes, [], [])
    defaulted = 0.0
    is_sequential = structure.sequential
    for t in range(1, horizon + 1):
        month = collect(members, t)
        defaulted += month.defaults
        limit = structure.trigger_loss
        if limit > 0.0 and defaulted > limit * commitments:
            is_sequential = True
        residual = pay_month(structure, notes, month, is_sequential=is_sequential)
        outcome.residual.append(residual)
        outcome.is_sequential.append(is_sequential)
    return outcome


def collect(members: list[tuple[TrancheState, float]], t: int) -> Collections:
    """A member's cash up to the month of its default is interest and principal, then recovery."""
    month = Collections()
    for member, share in members:
        claim = member.balances[t - 1]
        before = member.balances[t - 2] if t > 1 else member.opening
        receipts = member.receipts_by_month[t - 1]
        is_late = 0 < member.default_month < t
        if is_late:
            month.recoveries += share * receipts
            continue
        month.opening_pool += share * before
        interest = min(receipts, member.interest_by_month[t - 1])
        month.interest += share * interest
        month.principal += share * (receipts - interest)
        draw = member.discounted_draws[t - 1]
        month.draws += share * (draw if draw > TINY else 0.0)
        if member.default_month == t:
            month.defaults += share * claim
        else:
            month.closing_pool += share * claim
    return month


def pay_month(
    structure: Structure, notes: list[NoteState], month: Collections, *, is_sequential: bool
) -> float:
    """Interest, principal and write-downs of a month; return the residual."""
    for note in notes:
        note.balance += note.terms.size * month.draws
    left = month.interest - min(month.interest, structure.fee / 12.0 * month.opening_pool)
    for note in notes:
        due = note.terms.coupon / 12.0 * note.balance + note.unpaid
        paid = min(left, due)
        note.unpaid = due - paid
        note.interest_paid.append(paid)
        left -= paid
    cover = min(left, month.defaults)
    residual = left - cover
    residual += pay_principal(
        notes, month.principal + month.recoveries + cover, is_sequential=is_sequential
    )
    write_down(notes, month.closing_pool)
    for note in notes:
        note.balances.append(note.balance)
    return residual


def pay_principal(notes: list[NoteState], cash: float, *, is_sequential: bool) -> float:
    total = sum(note.balance for note in notes)
    left = cash
    for note in notes:
        offered = left
        if not is_sequential:
            offered = cash * note.balance / total if total > TINY else 0.0
        paid = min(offered, note.balance)
        note.balance -= paid
        note.principal_paid.append(paid)
        left -= paid
    return left


def write_down(notes: list[NoteState], pool: float) -> None:
    """What the pool no longer covers, from the most junior note up."""
    excess = sum(note.balance for note in notes) - pool
    for note in reversed(notes):
        cut = min(note.balance, max(0.0, excess))
        note.balance -= cut
        note.written_down += cut
        excess -= cut
