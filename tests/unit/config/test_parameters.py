from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from simulator.config.drivers import DRIVER_PREFIXES
from simulator.config.errors import Problems
from simulator.config.parameters import NOT_READ, NOT_READ_SAID, parameter_table, resolve
from simulator.config.schema import ParameterBlock
from simulator.engine.pack import pack_model
from simulator.engine.pack_market import empty_reference, pack_market
from tests.unit.config.conftest import Draft


def block(**keys: object) -> ParameterBlock:
    return ParameterBlock.model_validate(keys)


def test_table_is_sound() -> None:
    table = parameter_table()
    assert list(table) == sorted(table)
    for one in table.values():
        assert one.minimum <= min(one.low, one.base, one.stress), one.id
        assert max(one.low, one.base, one.stress) <= one.maximum, one.id
        assert one.unit, one.id
        assert one.description, one.id


@pytest.mark.parametrize("column", ["low", "base", "stress"])
def test_sets(column: str) -> None:
    values = resolve(block(set=column))
    assert values == {name: one.value(column) for name, one in parameter_table().items()}


def test_driver_set_by_first_part_and_by_name() -> None:
    table = parameter_table()
    for key in ("dem", "demand"):
        values = resolve(block(driver_sets={key: "stress"}))
        assert values["dem.sigma"] == table["dem.sigma"].stress
        assert values["eff.lambda"] == table["eff.lambda"].base


@pytest.mark.parametrize("flip", [False, True])
def test_the_longest_part_wins_in_any_order(flip: bool) -> None:
    pairs = [("supply", "stress"), ("silicon", "low"), ("sup.asic_share.2031", "base")]
    values = resolve(block(driver_sets=dict(reversed(pairs) if flip else pairs)))
    table = parameter_table()
    assert values["sup.lag"] == table["sup.lag"].stress
    assert values["sup.asic_share.2026"] == table["sup.asic_share.2026"].low
    assert values["sup.asic_share.2031"] == table["sup.asic_share.2031"].base


def test_a_part_is_a_whole_part() -> None:
    """`cp.rho` is not the beginning of `cp.rho_macro`."""
    values = resolve(block(driver_sets={"cp.rho": "stress"}))
    table = parameter_table()
    assert values["cp.rho"] == table["cp.rho"].stress
    assert values["cp.rho_macro"] == table["cp.rho_macro"].base


def test_single_values_come_last() -> None:
    values = resolve(block(set="stress", values={"dem.sigma": 0.25, "ir.r0": "4%"}))
    assert (values["dem.sigma"], values["ir.r0"]) == (0.25, 0.04)


def test_every_prefix_of_a_driver_names_parameters() -> None:
    for parts in DRIVER_PREFIXES.values():
        for part in parts:
            assert any(f"{name}.".startswith(f"{part}.") for name in parameter_table()), part


def test_unknown_and_out_of_domain_are_noted_and_left() -> None:
    out = Problems()
    values = resolve(
        block(values={"dem.sgima": 0.2, "cp.rho": 1.5}, driver_sets={"demnd": "low"}), out=out
    )
    assert values == resolve(block())
    said = {problem.path.rsplit("values.")[-1]: problem for problem in out}
    assert "'dem.sigma' (did you mean that?)" in said["dem.sgima"].mend
    assert said["cp.rho"].expected == "0 to 0.95 (correlation)"
    assert "'demand'" in said["parameters.driver_sets.demnd"].mend


class Recorded(dict[str, float]):
    """Parameters that remember which of them were read, in `seen`."""

    def __init__(self, values: Mapping[str, float], seen: set[str]) -> None:
        super().__init__(values)
        self.seen = seen

    def __getitem__(self, key: str) -> float:
        self.seen.add(key)
        return super().__getitem__(key)

    def get(self, key: str, default: Any = None) -> Any:
        self.seen.add(key)
        return super().get(key, default)


def pack(draft: Draft, seen: set[str]) -> None:
    """Resolve a study and pack it for the engine; note the parameters that are read."""
    loaded = draft.load().inputs
    inputs = replace(
        loaded,
        parameters=Recorded(loaded.parameters, seen),
        expected=replace(loaded.expected, parameters=Recorded(loaded.expected.parameters, seen)),
    )
    reference = empty_reference(inputs.horizon)
    market = pack_market(inputs.world, inputs.expected, inputs.horizon, reference)
    pack_model(inputs, market, np.zeros((1, inputs.horizon + 1)))


def test_every_parameter_is_read_or_said_not_to_be(
    draft: Draft, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Studies that leave every rule something to do."""
    seen: set[str] = set()
    monkeypatch.setattr(
        "simulator.config.study.resolve",
        lambda *given, **named: Recorded(resolve(*given, **named), seen),
    )
    pack(draft, seen)
    draft.study["drivers"] = {"easing": True}
    draft.study["counterparties"]["Example Search"] |= {"kind": "corporate", "rating": "B2"}
    draft.study["sites"][next(iter(draft.study["sites"]))]["network_risk"] = True
    for table, column in (("debt", "advance"), ("assets", "cost_usd_m")):
        for row in draft.tape[table]:
            row.pop(column, None)
    pack(draft, seen)
    draft.study["generations"] = {"Hall": {"kind": "hall"}}
    draft.row("boxes", "BOX-A")["generation"] = "Hall"
    for row in draft.tape["assets"]:
        row.pop("gpus", None)
    draft.study["sites"]["south-hall"] |= {"power": "applied_for"}
    for scale in ("large", "small"):
        draft.study["sponsors"]["Example Cloud"]["scale"] = scale
        pack(draft, seen)
    assert set(parameter_table()) - seen == NOT_READ


@pytest.mark.parametrize("name", sorted(NOT_READ))
def test_what_is_not_read_is_refused(name: str) -> None:
    one, out = parameter_table()[name], Problems()
    assert not one.read
    assert one.description.startswith(NOT_READ_SAID)
    assert resolve(block(values={name: one.stress}), out=out) == resolve(block())
    (problem,) = out
    assert NOT_READ_SAID in problem.got
    assert problem.mend == "removing it"


@pytest.mark.parametrize("key", ["cp.pf_season", "loan.tail_balloon"])
def test_a_set_for_nothing_that_is_read_is_refused(key: str) -> None:
    out = Problems()
    resolve(block(driver_sets={key: "stress"}), out=out)
    (problem,) = out
    assert NOT_READ_SAID in problem.got
