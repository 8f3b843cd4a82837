"""Structures and overlays of a book against the months of its paths, told again in plain Python."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simulator.box import flows
from simulator.box.terms import BOX, CLOSED, TRANCHE
from simulator.config.study import Study
from simulator.config.terms import Structure
from simulator.credit.leases import CANCELLED, PENDING
from simulator.engine.paths import TracedPath, trace_path
from simulator.engine.prepare import Prepared
from simulator.sponsor.holdco import SPONSOR
from tests.unit.structure.conftest import PATHS

pytestmark = pytest.mark.nojit


@pytest.fixture(scope="module")
def paths(prepared: Prepared) -> list[TracedPath]:
    return [trace_path(prepared, 1, number) for number in range(PATHS)]


def default_month(path: TracedPath, row: int) -> float:
    layout, trace = path.prepared.layout, path.trace
    tranche = layout.tranches[row]
    if tranche.box:
        return float(trace.box[-1, BOX.default_month, layout.boxes.index(tranche.box)])
    return float(trace.holdco[-1, SPONSOR.default_month, layout.sponsors.index(tranche.sponsor)])


def told_again(path: TracedPath, structure: Structure) -> dict[str, np.ndarray | float]:
    """Run a structure on the traced months of its members."""
    layout, debt = path.prepared.layout, path.trace.debt
    rows = {tranche.id: row for row, tranche in enumerate(layout.tranches)}
    members = [(rows[name], share) for name, share in structure.members]
    original = sum(share * layout.tranches[row].commitment for row, share in members)
    pool = sum(share * layout.tranches[row].balance0 for row, share in members)
    sizes = np.array([note.size for note in structure.notes])
    coupons = np.array([note.coupon for note in structure.notes])
    balance = sizes * pool
    unpaid, written, interest_paid, principal_paid = np.zeros((4, len(sizes)))
    residual = defaults = fees = collected = 0.0
    in_order = structure.sequential
    for month in range(1, len(debt) + 1):
        interest = principal = recovered = defaulted = drawn = closing = 0.0
        for row, share in members:
            now = debt[month - 1, :, row]
            failed = default_month(path, row)
            received = share * now[TRANCHE.received]
            if failed and failed < month:
                recovered += received
                continue
            tranche = layout.tranches[row]
            before = debt[month - 2, :, row] if month > 1 else None
            pv = tranche.balance0 if before is None else before[TRANCHE.drawn_pv]
            discount = 1.0 if before is None else before[TRANCHE.discount]
            draw = (now[TRANCHE.drawn_pv] - pv) / discount
            drawn += share * draw if draw > flows.TINY else 0.0
            part = min(received, share * now[TRANCHE.interest])
            interest += part
            principal += received - part
            if failed == month:
                defaulted += share * now[TRANCHE.balance]
            else:
                closing += share * now[TRANCHE.balance]
        collected += interest + principal + recovered
        balance = balance + sizes * drawn
        defaults += defaulted
        fee = min(interest, structure.fee / 12.0 * pool)
        fees += fee
        cash = interest - fee
        for n, coupon in enumerate(coupons):
            due = balance[n] * coupon / 12.0 + unpaid[n]
            paid = min(cash, due)
            unpaid[n], cash = due - paid, cash - paid
            interest_paid[n] += paid
        cover = min(cash, defaulted)
        residual += cash - cover
        cash = principal + recovered + cover
        if structure.trigger_loss and defaults > structure.trigger_loss * original:
            in_order = True
        share = min(1.0, cash / balance.sum()) if balance.sum() > 0.0 else 0.0
        for n in range(len(sizes)):
            paid = min(cash, balance[n] if in_order else share * balance[n])
            balance[n] -= paid
            principal_paid[n] += paid
            cash -= paid
        residual += cash
        excess = balance.sum() - closing
        for n in reversed(range(len(sizes))):
            lost = min(max(0.0, excess), balance[n])
            balance[n] -= lost
            written[n] += lost
            excess -= lost
        pool = closing
    assert fees + interest_paid.sum() + principal_paid.sum() + residual == pytest.approx(collected)
    return {
        "note_loss": written + unpaid,
        "note_interest": interest_paid,
        "note_principal": principal_paid,
        "structure_residual": residual,
    }


def test_notes_get_what_their_loans_pay(
    study: Study, run: xr.Dataset, paths: list[TracedPath]
) -> None:
    assert (run["facility_default_month"].sel(facility="TERM-B") > 0).any()
    for structure in study.inputs.book.structures:
        notes = [f"{structure.id}.{note.id}" for note in structure.notes]
        for number, path in enumerate(paths):
            told = told_again(path, structure)
            for name in ("note_loss", "note_interest", "note_principal"):
                found = run[name].sel(note=notes).isel(path=number)
                np.testing.assert_allclose(found, told[name], rtol=1e-9, atol=1e-9, err_msg=name)
            residual = run["structure_residual"].sel(structure=structure.id).isel(path=number)
            assert float(residual) == pytest.approx(told["structure_residual"], abs=1e-8)
    assert (run["note_loss"].sel(note="LOANS.junior") > 0.0).any()


def test_insurance_pays_a_layer_of_the_loss(study: Study, run: xr.Dataset) -> None:
    loss, payout = run["book_lender_loss"], run["overlay_payout"]
    layer = 0.8 * np.clip(loss - 20.0, 0.0, 200.0)
    np.testing.assert_allclose(payout.sel(overlay="BOOK"), layer, rtol=1e-12)
    held = run["tranche_loss"].sel(tranche="TERM-B")
    shares = {tranche.id: tranche.lender_share for tranche in study.inputs.book.tranches}
    expected = np.clip(shares["TERM-B"] * held, 0.0, 50.0)
    np.testing.assert_allclose(payout.sel(overlay="LOAN"), expected, rtol=1e-12)
    net = np.maximum(0.0, loss - payout.sum("overlay"))
    np.testing.assert_allclose(run["book_lender_loss_net"], net, rtol=1e-9, atol=1e-9)


def test_premiums_run_on_claims_until_default(run: xr.Dataset, paths: list[TracedPath]) -> None:
    for number, path in enumerate(paths):
        total = 0.0
        for row, tranche in enumerate(path.prepared.layout.tranches):
            failed = default_month(path, row) or 1e9
            debt = path.trace.debt[:, :, row]
            alive = np.arange(1, len(debt) + 1) < failed
            claims = debt[:, TRANCHE.discount] * debt[:, TRANCHE.balance]
            total += tranche.lender_share * float(claims[alive].sum()) / 12.0
        found = float(run["overlay_premium"].sel(overlay="BOOK").isel(path=number))
        assert found == pytest.approx(0.01 * total, rel=1e-9)


def test_floors_pay_what_a_sale_leaves(run: xr.Dataset, paths: list[TracedPath]) -> None:
    paid_out = []
    for number, path in enumerate(paths):
        layout, trace = path.prepared.layout, path.trace
        b = layout.boxes.index("BOX-B")
        closed = np.flatnonzero(trace.box[:, BOX.status, b] == CLOSED)
        found = float(run["overlay_payout"].sel(overlay="FLOOR").isel(path=number))
        if not closed.size:
            assert found == 0.0
            continue
        month = int(closed[0]) + 1
        promised = 0.0
        for a, asset in enumerate(layout.assets):
            # what was delivered: the month before the sale it was neither pending nor cancelled
            status = trace.lease[month - 2, 0, a]
            if asset.box != "BOX-B" or status in (PENDING, CANCELLED):
                continue
            assert asset.accepted is not None
            promised += 0.6 * asset.cost * max(0.0, 1.0 - (month - asset.accepted) / 60.0)
        missing = max(0.0, promised - trace.flow[month - 1, flows.SALE_PROCEEDS, b])
        row = [tranche.id for tranche in layout.tranches].index("TERM-B")
        claim = trace.debt[month - 1, TRANCHE.balance, row]
        paid = min(400.0, 0.9 * missing, claim)
        expected = 0.5 * trace.debt[month - 1, TRANCHE.discount, row] * paid
        lost = 0.5 * float(run["tranche_loss"].sel(tranche="TERM-B").isel(path=number))
        assert found == pytest.approx(min(expected, lost), rel=1e-9, abs=1e-9)
        paid_out.append(found)
    assert sum(paid_out) > 0.0
