"""Halls, own accelerators, certainty of power, scale of sponsors: what studies and tapes become."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.config import Study
from simulator.config.parameters import parameter_table
from simulator.config.terms import Asset, Contract, Generation, Site
from tests.unit.config.conftest import Draft

MW, RENT, COST = 40, 150, 420


def base(name: str) -> float:
    return parameter_table()[name].base


@pytest.fixture
def hall(draft: Draft) -> Draft:
    """BOX-B holds a hall: B-1 of 40 MW is let, B-2 of 5 MW is not."""
    draft.study["generations"] = {"Hall": {"kind": "hall"}}
    draft.row("boxes", "BOX-B")["generation"] = "Hall"
    lease = draft.row("contracts", "LAB-1")
    del lease["price_usd_per_gpu_hour"]
    lease["rent_usd_per_kw_month"] = RENT
    draft.row("assets", "B-1").update(mw=MW, cost_usd_m=COST)
    draft.row("assets", "B-2").update(mw=5, cost_usd_m="")
    return draft


def generation(study: Study, name: str) -> Generation:
    return next(one for one in study.inputs.book.generations if one.name == name)


def asset(study: Study, name: str) -> Asset:
    return next(one for one in study.inputs.book.assets if one.id == name)


def lease(study: Study) -> Contract:
    return next(one for one in study.inputs.book.contracts if one.id == "LAB-1")


def site(study: Study, name: str) -> Site:
    return next(one for one in study.inputs.book.sites if one.id == name)


def test_a_hall_takes_its_blanks_from_the_parameters(hall: Draft) -> None:
    one = generation(hall.load(), "Hall")
    assert one.is_hall
    assert one.contract_price == one.spot_price == base("pow.colo") / 730
    assert (one.kw, one.hardware_share, one.steps_share) == (1.0, 1.0, 0.0)
    assert (one.price_drift, one.tightness_share) == (base("hall.growth"), base("hall.beta"))
    assert (one.brownian_sd, one.occupancy) == (base("hall.sd"), base("hall.occupancy"))
    assert (one.income_months, one.income_rate) == (240, base("hall.yield"))
    assert one.resale_curve == pytest.approx([29 / 30, 28 / 30, 27 / 30, 26 / 30, 25 / 30, 24 / 30])
    assert one.resale_after == pytest.approx(29 / 30)
    assert not one.memory_exposed
    assert not one.base_grows


def test_what_a_hall_says_wins(hall: Draft) -> None:
    said = {"rent_usd_per_kw_month": 45, "capex_usd": 3500, "price_drift": 0.01, "occupancy": "70%"}
    hall.study["generations"]["Hall"] |= said
    one = generation(hall.load(), "Hall")
    assert one.contract_price == 45 / 730
    assert (one.capex_usd, one.price_drift, one.occupancy) == (3500, 0.01, 0.7)


def test_megawatts_and_rents_become_the_units_of_the_engine(hall: Draft) -> None:
    study = hall.load()
    assert asset(study, "B-1").gpus == 1000 * MW
    assert asset(study, "B-2").cost == pytest.approx(5000 * base("hall.capex") / 1e6)
    assert lease(study).price == RENT / 730


def test_blanks_of_a_hall_box(hall: Draft) -> None:
    box = next(one for one in hall.load().inputs.book.boxes if one.id == "BOX-B")
    assert box.triple_net
    assert box.colo_usd_per_kw_month == 0.0
    assert box.operations_share == base("hall.om")


def test_a_blank_rent_is_solved_from_debt_service(hall: Draft) -> None:
    """360 m level over 60 months at 9.5%, covered 1.6 times by the rent of 45 MW."""
    del hall.row("contracts", "LAB-1")["rent_usd_per_kw_month"]
    study = hall.load()
    monthly = 0.095 / 12
    commitment, months = 360.0, 60  # from close to maturity
    service = commitment * monthly / (1 - (1 + monthly) ** -months)
    uptime = 0.99 * (1 - base("pow.curtail"))
    solved = base("loan.dscr0.non_ig") * service * 1e6 / (45_000 * uptime)
    assert lease(study).price * 730 == pytest.approx(solved)
    (summary,) = [one for one in study.summaries if one.box == "BOX-B"]
    assert summary.unit == "kW"
    assert summary.price == pytest.approx(solved)
    cell = next(one for one in study.derived if one.field == "rent_usd_per_kw_month")
    assert cell.value == pytest.approx(solved)
    assert not any(
        one.field == "price_usd_per_gpu_hour" and one.row == "LAB-1" for one in study.derived
    )


def test_the_resolved_tape_of_a_hall_resolves_to_itself(hall: Draft) -> None:
    study = hall.load()
    rows = study.resolved["tape"]
    (row,) = [one for one in rows["assets"] if one["asset"] == "B-2"]
    assert (row["mw"], row["gpus"]) == (5, None)
    hall.tape = {
        table: [
            {
                name: str(value).lower() if isinstance(value, bool) else value
                for name, value in row.items()
                if value is not None
            }
            for row in rows[table]
        ]
        for table in rows
    }
    assert hall.load().digest == study.digest


@pytest.mark.parametrize(
    ("table", "row", "cells", "path"),
    [
        ("assets", "B-1", {"mw": "", "gpus": 5000}, "gpus"),
        ("assets", "A-1", {"gpus": "", "mw": 10}, "mw"),
        ("assets", "B-1", {"mw": 40_000}, "cost_usd_m"),
        (
            "contracts",
            "LAB-1",
            {"rent_usd_per_kw_month": "", "price_usd_per_gpu_hour": 2},
            "price_usd_per_gpu_hour",
        ),
        ("contracts", "SEARCH-1", {"rent_usd_per_kw_month": 150}, "rent_usd_per_kw_month"),
    ],
)
def test_the_wrong_unit_is_refused(
    hall: Draft, table: str, row: str, cells: dict[str, Any], path: str
) -> None:
    hall.row(table, row).update(cells)
    problem = hall.problem()
    assert problem.path == path
    assert f"{table}.csv" in problem.place


@pytest.mark.parametrize(
    ("block", "key"),
    [
        ({"kind": "hall", "contract_price_usd_per_gpu_hour": 2}, "contract_price_usd_per_gpu_hour"),
        ({"kind": "hall", "kw": 1.2}, "kw"),
        ({"kind": "hall", "resale_curve": [0.9, 0.8]}, "resale_curve"),
        ({"kind": "hall", "occupancy": 92}, "occupancy"),
    ],
)
def test_a_hall_with_the_keys_of_a_gpu_is_refused(
    hall: Draft, block: dict[str, Any], key: str
) -> None:
    hall.study["generations"]["Hall"] = block
    assert hall.problems()[0].path == f"generations.Hall.{key}"


def test_a_gpu_with_a_rent_is_refused(draft: Draft) -> None:
    draft.study["generations"] = {"H200": {"rent_usd_per_kw_month": 150}}
    problem = draft.problem()
    assert problem.path == "generations.H200.rent_usd_per_kw_month"
    assert "kind: hall" in problem.mend


def test_a_hall_may_not_take_the_name_of_a_gpu(draft: Draft) -> None:
    draft.study["generations"] = {"VR": {"kind": "hall"}}
    assert draft.problem().path == "generations.VR.kind"


def test_an_own_accelerator_takes_what_its_block_says(draft: Draft) -> None:
    said = {
        "contract_price_usd_per_gpu_hour": 1.5,
        "spot_price_usd_per_gpu_hour": 1.6,
        "kw": 1.2,
        "capex_usd": 24000,
        "hardware_share": 0.8,
        "installed_base_m": 1,
        "price_drift": -0.2,
        "resale_curve": [0.6, 0.4, 0.26, 0.16, 0.09, 0.05],
        "steps_share": 0.5,
    }
    draft.study["generations"] = {"Own": said}
    draft.row("boxes", "BOX-B")["generation"] = "Own"
    draft.row("contracts", "LAB-1")["price_usd_per_gpu_hour"] = 1.5
    one = generation(draft.load(), "Own")
    assert (one.contract_price, one.price_drift, one.steps_share) == (1.5, -0.2, 0.5)
    assert one.resale_curve == (0.6, 0.4, 0.26, 0.16, 0.09, 0.05)
    assert (one.is_hall, one.memory_exposed, one.resale_beta) == (False, True, None)


@pytest.mark.parametrize(
    ("scale", "power", "late", "longer", "killed"),
    [
        ("medium", "contracted", 1.0, 1.0, 1.0),
        ("medium", "applied_for", 1.5, 2.0, 3.0),
        ("small", "applied_for", 1.25 * 1.5, 2.0, 1.25 * 3.0),
        ("large", "contracted", 0.8, 1.0, 0.8),
    ],
)
def test_power_and_scale_set_the_factors_of_a_site(
    draft: Draft, scale: str, power: str, late: float, longer: float, killed: float
) -> None:
    draft.study["sponsors"]["Example Cloud"]["scale"] = scale
    place = draft.study["sites"]["south-hall"]
    del place["energised"]
    place |= {"power": power, "delay_factor": 1.1}
    one = site(draft.load(), "south-hall")
    assert not one.energised
    assert one.delay_factor == pytest.approx(1.1 * late)
    assert (one.delay_size_factor, one.kill_factor) == (longer, pytest.approx(killed))


def test_energised_says_the_same_as_power(draft: Draft) -> None:
    plain = draft.load()
    place = draft.study["sites"]["south-hall"]
    del place["energised"]
    place["power"] = "contracted"
    assert draft.load().digest == plain.digest
    place["energised"] = True
    assert draft.problem().path == "sites.south-hall.power"


def test_a_site_takes_the_sponsor_of_its_first_box(draft: Draft) -> None:
    draft.study["sponsors"]["Small Cloud"] = {
        "scale": "small",
        "cash_usd_m": 10,
        "market_value_usd_m": 100,
    }
    draft.row("boxes", "BOX-B")["sponsor"] = "Small Cloud"
    draft.row("assets", "B-1")["site"] = "south-hall"
    study = draft.load()
    assert site(study, "south-hall").delay_factor == 1.0, "BOX-A comes first, its sponsor is medium"
    draft.row("assets", "A-2")["site"] = "north-hall"
    assert site(draft.load(), "south-hall").delay_factor == 1.25


@pytest.mark.parametrize(("scale", "factor"), [("large", 0.9), ("medium", 1.0), ("small", 1.25)])
def test_scale_sets_how_readily_a_box_is_supported(draft: Draft, scale: str, factor: float) -> None:
    draft.study["sponsors"]["Example Cloud"]["scale"] = scale
    (sponsor,) = draft.load().inputs.book.sponsors
    assert sponsor.support_factor == factor
