"""docs/model-document.md says what its numbers say, and its numbers are those of today."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from docs.model_document import bridge, checks, lineage_tables, pages, register, step
from docs.model_document.challenger import Facility, balances, challenge
from docs.model_document.finer import FinerMarket, HalvedDraws
from docs.model_document.tables import HERE, read_rows
from simulator import load_study
from simulator.analytics.comparison import comparison_table
from simulator.analytics.frame import estimate_at
from simulator.scenarios import BASE, Variant, load_variants, run_variants
from tests.reference.draws import Draws
from tests.reference.market import Market, reference_path

STALE = "run `python -m docs.model_document.{}`, then `python -m docs.model_document.pages`"

# ------------------------------------------------------------------ the pages


def test_every_table_is_what_its_numbers_say() -> None:
    text = pages.DOCUMENT.read_text(encoding="utf-8")
    assert {name for _, name, _ in pages.MARKED.findall(text)} == set(pages.TABLES)
    assert pages.renewed(text) == text, STALE.format("pages")


@pytest.mark.parametrize("name", pages.WHOLE_PAGES)
def test_whole_pages_are_what_their_numbers_say(name: str) -> None:
    assert (HERE / name).read_text(encoding="utf-8") == pages.WHOLE_PAGES[name](), name


def test_lineage_names_an_equation_for_nearly_every_parameter() -> None:
    read = [one for one in pages.parameter_table().values() if one.read]
    named = [one.id for one in read if lineage_tables.equations_of(one)]
    assert len(named) > 0.6 * len(read)
    assert lineage_tables.equations_of(pages.parameter_table()["dem.sigma"]) == "§3"
    assert lineage_tables.driver_of(pages.parameter_table()["sup.asic_share.2026"]) == "silicon"


# ------------------------------------------------------------------ register of judgement


def test_the_register_holds_every_judged_parameter_at_the_values_of_the_table() -> None:
    measured = [
        (row["id"], row["side"], float(row["value"]))
        for row in read_rows(register.FILE)
        if row["id"] != BASE
    ]
    wanted = [(move.id, move.side, move.value) for move in register.all_moves()]
    assert measured == [(name, side, pytest.approx(value)) for name, side, value in wanted], (
        STALE.format("register")
    )


def test_moves_without_a_range_stay_in_the_domain_and_move_what_is_rounded() -> None:
    table = pages.parameter_table()
    for one in register.judged():
        moves = register.moves_of(one)
        assert all(one.minimum <= move.value <= one.maximum for move in moves), one.id
        if not all(move.stated for move in moves) and one.unit == "months":
            assert all(abs(move.value - one.base) >= 1.0 for move in moves), one.id
    assert register.moves_of(table["dem.uncontracted_share"]) == []  # not read


def test_words_about_the_register() -> None:
    (base,) = (row for row in read_rows(register.FILE) if row["id"] == BASE)
    moved = {
        row["id"]: abs(float(row["expected_shortfall"]))
        for row in read_rows(register.FILE)
        if row["id"] != BASE and row["side"] == "stress"
    }
    first, second, *_ = sorted(moved, key=moved.__getitem__, reverse=True)
    assert first == "cp.pd_ai_lab"
    assert moved[first] > 0.5 * float(base["expected_shortfall"]) > moved[second]


SOME = (("gpu.beta_tight", "stress"), ("cp.pd_ai_lab", "stress"), ("cp.rho", "stress"))


@pytest.mark.slow
def test_the_register_agrees_with_runs_of_another_seed() -> None:
    moves = {(move.id, move.side): move.variant for move in register.all_moves()}
    studies = load_variants(register.STUDY, [Variant(BASE), *(moves[name] for name in SOME)])
    table = comparison_table(run_variants(studies, paths=2_000, seed=2))
    said = {(row["id"], row["side"]): row for row in read_rows(register.FILE)}
    for name in SOME:
        for measure in register.MEASURES:
            now = estimate_at(table, f"{measure}_change", scenario=moves[name].name)
            value, error = (float(said[name][f"{measure}{end}"]) for end in ("", "_se"))
            assert abs(now.value - value) < 4.0 * math.hypot(now.se, error), (name, measure)


# ------------------------------------------------------------------ time step

INPUTS = step.small_book()
REFERENCES = {n: reference_path(INPUTS, n) for n in step.STEPS}


def test_the_first_paths_of_every_step_are_those_of_today() -> None:
    stored = read_rows("step_check.csv")
    found = list(step.check_rows(INPUTS, REFERENCES))
    assert len(stored) == len(found)
    for before, now in zip(stored, found, strict=True):
        for name, value in now.items():
            assert float(value) == pytest.approx(float(before[name]), rel=1e-9, abs=1e-12), (
                STALE.format("step")
            )


def test_one_step_a_month_is_the_market_itself() -> None:
    draws = Draws(3, 5)
    plain = Market(INPUTS, draws, INPUTS.parameters, REFERENCES[1])
    finer = FinerMarket(INPUTS, draws, REFERENCES[1], 1)
    for t in range(1, INPUTS.horizon + 1):
        plain.step(t)
        finer.step(t)
        assert finer.hazard_multiplier(1.0, 0.5, t, 0.1) == plain.hazard_multiplier(
            1.0, 0.5, t, 0.1
        )
    assert finer.x == plain.x
    assert finer.contract_price == plain.contract_price


def test_halved_normals_add_up_to_the_months_and_are_standard() -> None:
    found = []
    for path in range(1_500):
        whole, halves = Draws(1, path), HalvedDraws(Draws(1, path))
        one, two = (halves.normals("market.DP", step)[0] for step in (1, 2))
        assert (one + two) / math.sqrt(2.0) == pytest.approx(whole.normals("market.DP", 1)[0])
        found.append((one, two))
    halves_of = np.array(found)
    root = math.sqrt(len(found))
    assert np.all(np.abs(halves_of.mean(axis=0)) < 4.0 / root)
    assert np.all(np.abs(halves_of.var(axis=0) - 1.0) < 4.0 * math.sqrt(2.0) / root)
    assert abs(np.mean(halves_of[:, 0] * halves_of[:, 1])) < 4.0 / root


def test_halved_clocks_ring_when_the_months_does_and_are_independent_uniforms() -> None:
    """u = 1 − e^(−E): the month's clock is twice the earlier of two independent ones."""
    found = []
    for path in range(1_500):
        whole, halves = Draws(1, path), HalvedDraws(Draws(1, path))
        month = -math.log1p(-whole.uniforms("policy.event", 7)[0])
        u = [halves.uniforms("policy.event", step)[0] for step in (13, 14)]
        assert 2.0 * min(-math.log1p(-one) for one in u) == pytest.approx(month)
        first = 13 + int(u[1] < u[0])
        assert halves.uniforms("policy.more", first) == whole.uniforms("policy.more", 7)
        assert halves.uniforms("policy.more", 27 - first) != whole.uniforms("policy.more", 7)
        found.append(u)
    centred = np.array(found) - 0.5
    root = math.sqrt(len(found))
    assert np.all(np.abs(centred.mean(axis=0)) < 4.0 * math.sqrt(1 / 12) / root)
    assert np.all(np.abs((centred**2).mean(axis=0) - 1 / 12) < 4.0 * math.sqrt(1 / 180) / root)
    assert abs(np.mean(centred[:, 0] * centred[:, 1])) < 4.0 / 12 / root


def test_what_is_exact_in_law_does_not_move_with_the_step() -> None:
    rows = [row for row in read_rows("step_market.csv") if row["exact"] == "true"]
    assert len(rows) == 2 * sum(one.exact for one in step.QUANTITIES)
    for row in rows:
        for name in ("mean_1_2", "mean_2_4", "sd_1_2", "sd_2_4"):
            assert abs(float(row[name])) < 4.0 * float(row[f"{name}_se"]), (row["quantity"], name)


def test_words_about_the_step() -> None:
    rows = [row for row in read_rows("step_book.csv") if "month" not in row["quantity"]]
    assert len(rows) == 2 * len(step.BOXES) + 1
    assert all(abs(float(row["mean_1_2"])) < 2.5 * float(row["mean_1_2_se"]) for row in rows)
    total = rows[-1]
    assert float(total["mean_1_2_se"]) < 0.05 * float(total["mean"])
    (late,) = (
        row for row in read_rows("step_book.csv") if row["quantity"].startswith("CRWV_DDTL5: month")
    )
    assert 0.0 < float(late["mean_1_2"]) < 1.0


# ------------------------------------------------------------------ challenger

LOAN = Facility(
    balance=100.0,
    coupon=0.12,
    maturity=24,
    reserve_months=2,
    hazard=0.5,
    decision_months=1,
    sale_months=3,
    hardware=[(120.0, 6.0)],
    resale_curve=[0.8, 0.6, 0.45, 0.3],
    resale_beta=0.8,
    kappa=0.7,
    sigma=0.5,
    haircut=0.3,
    haircut_sd=0.15,
    sale_cost=0.1,
)


def simulated(loan: Facility, paths: int) -> Mapping[str, np.ndarray]:
    """Return the challenger's facility, simulated month by month, from its words."""
    random = np.random.default_rng(7)
    y = loan.coupon / 12.0
    payment = loan.balance * y / (1.0 - (1.0 + y) ** -loan.maturity)
    end = loan.maturity + 12
    fails = np.floor(random.exponential(12.0 / loan.hazard, paths)) + 1.0
    paid_until = fails - 1 + loan.reserve_months
    log_rent = np.zeros(paths)
    balance = np.full(paths, loan.balance)
    lost = np.zeros(paths)
    n = loan.haircut * (1.0 - loan.haircut) / loan.haircut_sd**2 - 1.0
    haircut = random.beta(loan.haircut * n, (1.0 - loan.haircut) * n, paths)
    sale = paid_until + 2 + loan.decision_months + loan.sale_months
    defaults = paid_until < loan.maturity
    a = math.exp(-loan.kappa / 12.0)
    s = loan.sigma * math.sqrt((1.0 - a * a) / (2.0 * loan.kappa))
    for t in range(1, end + 1):
        log_rent = a * log_rent + s * random.standard_normal(paths)
        balance = balance * (1.0 + y) - np.where(
            t <= np.minimum(paid_until, loan.maturity), payment, 0.0
        )
        age = (t + loan.hardware[0][1]) / 12.0
        curve = np.interp(age, range(len(loan.resale_curve) + 1), [1.0, *loan.resale_curve])
        worth = loan.hardware[0][0] * curve * np.exp(loan.resale_beta * log_rent)
        worth *= (1.0 - haircut) * (1.0 - loan.sale_cost)
        sold = defaults & (sale == t)
        lost[sold] = (np.maximum(0.0, balance - worth) * (1.0 + y) ** -t)[sold]
    return {"default": defaults * 1.0, "loss": lost / loan.balance}


def test_the_challenger_is_the_mean_of_what_it_describes() -> None:
    paths = 60_000
    said, found = challenge(LOAN), simulated(LOAN, paths)
    for value, sample in (
        (said.default_probability, found["default"]),
        (said.expected_loss_share, found["loss"]),
    ):
        assert abs(sample.mean() - value) < 4.0 * sample.std() / math.sqrt(paths)
    assert said.expected_loss_share > 0.01
    assert balances(LOAN)[-1] == pytest.approx(0.0, abs=1e-9)


def test_the_challenger_moves_as_it_must() -> None:
    base = challenge(LOAN)
    for change, sign in (
        ({"hazard": 0.6}, 1),
        ({"haircut": 0.4}, 1),
        ({"sigma": 0.7}, 1),
        ({"reserve_months": 4}, -1),
        ({"sale_months": 6}, 1),
        ({"sale_cost": 0.0}, -1),
    ):
        moved = challenge(dataclasses.replace(LOAN, **change)).expected_loss_share
        assert sign * (moved - base.expected_loss_share) > 0.0, change


def test_the_bridge_ends_at_the_challenger() -> None:
    rows = read_rows("bridge.csv")
    assert [row["rung"] for row in rows[1:]] == [
        *(one.name for one in bridge.RUNGS),
        bridge.CHALLENGER,
    ], STALE.format("bridge")
    last, answer = rows[-2:]
    said = bridge.answer(bridge.facility_of(bridge.alone(load_study(bridge.STUDY).inputs)))
    assert {name: answer[name] for name in said} == said, STALE.format("bridge")
    for name in bridge.COLUMNS:
        apart = float(last[name]) - float(answer[name])
        assert abs(apart) < 3.0 * float(last[f"{name}_se"]), name
    assert float(answer["default_change"]) == 0.0  # given the customer, the same paths default
    assert abs(float(answer["loss_change"])) < 3.0 * float(answer["loss_change_se"])


def test_the_stripped_engine_is_the_challenger() -> None:
    study = load_study(bridge.STUDY)
    inputs = study.inputs
    for one in bridge.RUNGS:
        inputs = one.change(inputs)
    found = bridge.run(study, inputs, 4_000)
    said = bridge.told_by(bridge.facility_of(bridge.alone(study.inputs)), found.month)
    assert np.array_equal(found.default, said.default)  # the same paths, month by month
    assert found.default.sum() > 200
    apart = found.loss - said.loss
    assert abs(apart.mean()) < 4.0 * apart.std() / math.sqrt(apart.size)


# ------------------------------------------------------------------ tests and their results


def test_nearly_every_case_of_the_package_is_in_the_table_and_met() -> None:
    """Each is in docs/validation.md, which is held there; the table here is a summary by kind."""
    stored = {row["case"]: row for row in read_rows("checks.csv")}
    known = {
        case["id"]
        for file in checks.SHIPPED.glob("*.json")
        for case in json.loads(file.read_text(encoding="utf-8"))["cases"]
    }
    assert set(stored) <= known, STALE.format("checks")
    assert len(stored) > 0.9 * len(known), STALE.format("checks")
    assert all(row["kind"] for row in stored.values())
    assert max(float(row["worst"]) for row in stored.values()) <= 1.0


def test_the_suite_has_not_shrunk_since_it_was_counted() -> None:
    counted = {row["folder"]: row for row in read_rows("suite.csv")}
    assert set(counted) == {folder.name for folder in checks.folders()}, STALE.format("checks")
    for folder in checks.folders():
        assert counted[folder.name]["holds"], folder
        assert checks.tests_in(folder) >= int(counted[folder.name]["tests"]), folder


def test_links_of_the_document_lead_somewhere() -> None:
    import re

    for page in (pages.DOCUMENT, *(HERE / name for name in pages.WHOLE_PAGES)):
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            assert target.startswith("http") or (Path(page).parent / target).exists(), target
