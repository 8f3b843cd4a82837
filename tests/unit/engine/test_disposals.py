"""Residual guarantees and old GPUs that make way, by hand on one box with one delivery."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulator.box import flows
from simulator.box.terms import BOX, TRANCHE
from simulator.config.study import Study
from simulator.config.terms import Asset, Book, Contract, ModelInputs, Name, Recourse
from simulator.credit.leases import GONE, MERCHANT
from simulator.engine.paths import TracedPath
from tests.unit.engine.quiet import quiet, traced

pytestmark = pytest.mark.nojit

COST = 350.0  # of B-1
COUPON = 0.095  # of TERM-B
LAST = 4  # month in which its lease ends
GUARANTOR = Name("Parent", (0.0,), 0.0, False, True, False, "", "")


@pytest.fixture(scope="module")
def calm(study: Study) -> ModelInputs:
    """Return the template's study with nothing going on; no lease is renewed."""
    return quiet(study.inputs, "counterparty_default", cp_renew0=0.0)


def box_b(
    inputs: ModelInputs, asset: dict[str, Any], contract: dict[str, Any], **box: Any
) -> ModelInputs:
    """Return a study of BOX-B with B-1 alone, whose lease ends in month LAST."""
    book: Book = inputs.book
    usual: dict[str, Any] = {"accepted": -LAST, "cost": COST}
    assets: tuple[Asset, ...] = tuple(
        replace(a, **(usual | asset)) for a in book.assets if a.id == "B-1"
    )
    terms: dict[str, Any] = {"price": 3.0, "term_months": 2 * LAST, "currency": "USD"}
    contracts: tuple[Contract, ...] = tuple(
        replace(c, **(terms | contract)) for c in book.contracts if c.id == "LAB-1"
    )
    names = tuple(replace(n, hazard_per_year=(0.0,)) for n in book.names)
    return replace(
        inputs,
        book=replace(
            book,
            assets=assets,
            contracts=contracts,
            boxes=tuple(
                replace(b, recourse=Recourse.NONE, **box) for b in book.boxes if b.id == "BOX-B"
            ),
            tranches=tuple(d for d in book.tranches if d.box != "BOX-A"),
            names=(*names, GUARANTOR),
        ),
    )


def line(path: TracedPath, row: int) -> np.ndarray:
    """Return a line of the box by month."""
    return path.trace.flow[:, row, 0]


def statuses(path: TracedPath) -> list[float]:
    """Return the status of the delivery by month."""
    return path.trace.lease[:, 0, 0].tolist()


def failing(inputs: ModelInputs, name: str) -> ModelInputs:
    """Return a study in which a name defaults in the first month."""
    names = tuple(
        replace(n, hazard_per_year=(1e6,)) if n.id == name else n for n in inputs.book.names
    )
    return replace(inputs, book=replace(inputs.book, names=names))


def test_the_guarantor_pays_what_is_missing_a_month_after_the_lease(calm: ModelInputs) -> None:
    path = traced(box_b(calm, {}, {"residual_share": 0.9}))
    value, paid = line(path, flows.COLLATERAL), line(path, flows.DISPOSALS)
    assert value[LAST - 1] < 0.9 * COST
    expected = np.zeros(12)
    expected[LAST] = 0.9 * COST - value[LAST - 1]
    np.testing.assert_allclose(paid, expected, atol=1e-12)


def test_it_prepays_debt_and_is_no_cash_flow_of_the_month(calm: ModelInputs) -> None:
    promised, bare = (traced(box_b(calm, {}, {"residual_share": s})) for s in (0.9, 0.0))
    paid = line(promised, flows.DISPOSALS)[LAST]
    assert line(promised, flows.SWEPT)[LAST] == pytest.approx(paid)
    fell = line(bare, flows.DEBT)[LAST] - line(promised, flows.DEBT)[LAST]
    assert 0.9 * paid < fell <= paid + 1e-9
    for row in (flows.CFADS, flows.RECEIPTS, flows.SHORTFALL):
        assert line(promised, row)[LAST] == line(bare, row)[LAST]


def test_what_debt_does_not_need_is_cash_of_the_month(calm: ModelInputs) -> None:
    inputs = box_b(calm, {}, {"residual_share": 0.9})
    small = tuple(replace(d, balance0=1.0) if d.box else d for d in inputs.book.tranches)
    path = traced(replace(inputs, book=replace(inputs.book, tranches=small)))
    paid, before = line(path, flows.DISPOSALS)[LAST], line(path, flows.DEBT)[LAST - 1]
    assert 0.0 < before < 1.0 < paid
    assert line(path, flows.DEBT)[LAST] == 0.0
    bare = replace(inputs.book.contracts[0], residual_share=0.0)
    other = traced(replace(inputs, book=replace(inputs.book, tranches=small, contracts=(bare,))))
    uses = (
        *(flows.OPERATING_COSTS_PAID, flows.SENIOR_INTEREST_PAID, flows.SENIOR_PRINCIPAL_PAID),
        *(flows.SWEPT, flows.DISTRIBUTED),
    )
    others = flows.DEBT_SERVICE_RESERVE_USED, flows.RESERVES_RELEASED, flows.SUPPORT
    spent, usual = (
        sum(line(one, row)[LAST] for row in uses) - sum(line(one, row)[LAST] for row in others)
        for one in (path, other)
    )
    assert spent - usual == pytest.approx(paid)
    assert line(path, flows.DISTRIBUTED)[LAST] > 0.9 * paid
    assert line(path, flows.SWEPT)[LAST] == pytest.approx(before * (1.0 + COUPON / 12.0), rel=0.05)


def test_a_cap_is_shared_by_the_assets_of_the_contract(calm: ModelInputs) -> None:
    inputs = box_b(calm, {}, {"residual_share": 0.9, "residual_cap": 60.0})
    (one,) = inputs.book.assets
    halves = tuple(
        replace(one, id=f"B-{i}", gpus=one.gpus / 4.0, cost=one.cost / 4.0) for i in range(1, 5)
    )
    path = traced(replace(inputs, book=replace(inputs.book, assets=halves)))
    missing = 0.9 * COST - line(path, flows.COLLATERAL)[LAST - 1]
    assert missing > 60.0
    assert line(path, flows.DISPOSALS)[LAST] == pytest.approx(60.0)


def test_no_guarantee_for_a_value_that_is_there_or_a_lease_renewed(study: Study) -> None:
    renewing = quiet(study.inputs, cp_renew0=1.0)
    assert renewing.parameters["cp.renew0"] == 1.0
    calm = quiet(study.inputs, cp_renew0=0.0)
    for inputs, share in ((renewing, 0.9), (calm, 0.05)):
        found = [
            line(
                traced(box_b(inputs, {"id": f"B-{i}"}, {"residual_share": share})), flows.DISPOSALS
            )
            for i in range(8)  # renewed with 95%, each by its own draw
        ]
        assert sum(paid.max() == 0.0 for paid in found) >= 6


@pytest.mark.parametrize(("guarantor", "fails"), [("", "Example Lab"), ("Parent", "Parent")])
def test_a_guarantor_in_default_pays_nothing(calm: ModelInputs, guarantor: str, fails: str) -> None:
    inputs = box_b(calm, {}, {"residual_share": 0.9, "residual_guarantor": guarantor})
    assert line(traced(failing(inputs, fails)), flows.DISPOSALS).max() == 0.0


@pytest.mark.parametrize(("guarantor", "is_called"), [("", False), ("Parent", True)])
def test_a_rejected_lease_calls_another_name_only(
    calm: ModelInputs, guarantor: str, is_called: bool
) -> None:
    """The customer defaults in month 1, rejects in month 4, a long time before the end."""
    contract = {"residual_share": 0.9, "residual_guarantor": guarantor, "moneyness0": 0.5}
    inputs = box_b(calm, {"accepted": 0}, contract)
    path = traced(failing(inputs, "Example Lab"))
    paid = line(path, flows.DISPOSALS)
    assert bool(paid[LAST] > 0.0) is is_called
    assert paid[:LAST].max() == 0.0
    assert paid[LAST + 1 :].max() == 0.0


def test_lenders_of_a_closed_box_are_paid_before_its_owners(calm: ModelInputs) -> None:
    """The lease ends in month 6, in which the GPUs are sold; the guarantee comes in month 7."""
    quick = {"wo.sale_lag": 1.0, "wo.run_months": 1.0}
    poor = replace(calm, parameters={**calm.parameters, **quick})
    contract = {"residual_share": 0.9, "price": 0.05}
    path = traced(box_b(poor, {"accepted": -2}, contract, reserve_months=0.0))
    assert path.trace.box[:7, BOX.status, 0].tolist() == [0.0, 1.0, 1.0, 1.0, 1.0, 2.0, 2.0]
    paid, debt = line(path, flows.DISPOSALS)[6], path.trace.debt[:, TRANCHE.balance, 0]
    assert 0.0 < paid < debt[5]
    assert line(path, flows.RECOVERED)[6] == pytest.approx(paid)
    assert debt[6] == pytest.approx(debt[5] * (1.0 + COUPON / 12.0) - paid)


def test_a_box_in_workout_pays_its_lenders(calm: ModelInputs) -> None:
    path = traced(box_b(calm, {}, {"residual_share": 0.9, "price": 0.05}, reserve_months=0.0))
    assert path.trace.box[LAST - 1, BOX.status, 0] == 1.0
    paid = line(path, flows.DISPOSALS)[LAST]
    assert paid > 0.0
    assert line(path, flows.RECOVERED)[LAST] >= paid


def replaced(calm: ModelInputs, limited: bool, price: float) -> TracedPath:
    """Trace an on-demand delivery at a site with or without power to spare, at a spot price."""
    inputs = box_b(calm, {"contract": "", "accepted": -24}, {})
    book = inputs.book
    sites = tuple(replace(s, power_limited=limited) for s in book.sites)
    generations = tuple(
        replace(g, spot_price=price) if g.name == "H200" else g for g in book.generations
    )
    lent = tuple(replace(d, balance0=30.0) if d.box else d for d in book.tranches)
    return traced(
        replace(inputs, book=replace(book, sites=sites, generations=generations, tranches=lent))
    )


def test_old_gpus_make_way_after_six_months(calm: ModelInputs) -> None:
    path = replaced(calm, True, 3.0)
    assert statuses(path)[:6] == [MERCHANT] * 5 + [GONE]
    value, paid = line(path, flows.COLLATERAL), line(path, flows.DISPOSALS)
    cost = calm.parameters["gpu.remarket_cost"]
    assert paid[5] == pytest.approx(value[5] * (1.0 - cost))
    assert paid[5] > 0.0
    assert np.delete(paid, 5).max() == 0.0
    assert line(path, flows.OPERATING_COSTS)[5] > 0.0
    assert line(path, flows.RECEIPTS)[6] == 0.0
    assert line(path, flows.OPERATING_COSTS)[6] == 0.0


@pytest.mark.parametrize(("limited", "price"), [(False, 3.0), (True, 10.0)])
def test_they_stay_where_there_is_room_or_they_earn_more(
    calm: ModelInputs, limited: bool, price: float
) -> None:
    path = replaced(calm, limited, price)
    assert line(path, flows.DISPOSALS).max() == 0.0
    assert GONE not in statuses(path)


def test_the_hurdle_is_what_new_gpus_earn_per_kilowatt(calm: ModelInputs) -> None:
    """The spot price at which old and new earn the same per kW, found by hand, divides the two."""
    path = replaced(calm, False, 2.0)
    generations = {g.name: g for g in calm.book.generations}
    new = max(calm.book.generations, key=lambda g: g.contract_price / g.kw)
    old, p, r = generations["H200"], calm.parameters, calm.parameters["eq.hurdle"]
    layout = path.prepared.layout
    u = path.trace.box[0, BOX.utilisation, 0]
    (asset,), (box,) = layout.assets, [b for b in calm.book.boxes if b.id == "BOX-B"]
    site = next(s for s in calm.book.sites if s.id == asset.site)
    power = p["pow.p0"] * site.power_factor * np.exp(p["pow.trend"] / 12.0)
    room = power * p["gpu.pue"] / 1000.0 + box.colo_usd_per_kw_month / 730.0 * np.exp(0.04 / 12.0)
    own = box.operations_share * asset.cost * 1e6 / asset.gpus / 8760.0
    charge = new.hardware_share * new.capex_usd * r / (1.0 - (1.0 + r) ** -5) / 8760.0
    income = new.contract_price * u - p["gpu.om"] * new.capex_usd / 8760.0 - charge
    fair = (income / new.kw - room) * old.kw + room * old.kw + own
    low, high = (replaced(calm, True, fair / u * factor) for factor in (0.9, 1.1))
    assert statuses(low)[5] == GONE
    assert statuses(high)[5] == MERCHANT


@pytest.mark.parametrize(("factor", "is_given"), [(1.0, True), (1e9, False)])
def test_a_box_is_supported_if_it_is_worth_the_factor(
    calm: ModelInputs, factor: float, is_given: bool
) -> None:
    """The lease ends, costs go on; little debt is left, so keeping the box is worth its cost."""
    inputs = box_b(calm, {}, {})
    book = inputs.book
    small = tuple(replace(d, balance0=1.0) if d.box else d for d in book.tranches)
    sponsors = tuple(replace(one, support_factor=factor) for one in book.sponsors)
    path = traced(replace(inputs, book=replace(book, tranches=small, sponsors=sponsors)))
    assert line(path, flows.SHORTFALL)[LAST] > 0.0
    assert bool(line(path, flows.SUPPORT)[LAST] > 0.0) is is_given
