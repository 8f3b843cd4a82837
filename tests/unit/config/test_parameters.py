from __future__ import annotations

import pytest

from simulator.config.drivers import DRIVER_PREFIXES
from simulator.config.errors import Problems
from simulator.config.parameters import parameter_table, resolve
from simulator.config.schema import ParameterBlock


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
