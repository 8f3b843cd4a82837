import numpy as np
import pytest

from simulator.dataset import VARIABLES, Variable
from simulator.dataset.dims import DIMENSION_NAMES, ENTITIES
from simulator.dataset.variables import SCALARS, SERIES

every_variable = pytest.mark.parametrize("variable", VARIABLES.values(), ids=lambda v: v.name)


@every_variable
def test_every_variable_says_its_unit_and_meaning(variable: Variable) -> None:
    assert variable.attributes["units"]
    assert variable.attributes["long_name"]
    assert variable.long_name[0].isupper()


@every_variable
def test_dimensions_are_known_and_start_with_the_path(variable: Variable) -> None:
    assert variable.dims[0] == "path"
    assert set(variable.dims) <= set(DIMENSION_NAMES)
    assert len(set(variable.dims) & set(ENTITIES)) <= 1


@every_variable
def test_codes_count_from_zero_within_their_type(variable: Variable) -> None:
    values = variable.attributes.get("flag_values", [])
    meanings = variable.attributes.get("flag_meanings", "").split()
    assert len(values) == len(meanings)
    assert values == list(range(len(values)))
    assert not variable.flags or variable.dtype == "int8"


@every_variable
def test_months_use_zero_for_never(variable: Variable) -> None:
    if variable.units == "month":
        assert variable.dtype == "int16"
        assert variable.missing.startswith("0")
        assert not variable.may_be_nan


def test_only_floats_may_be_nan() -> None:
    for variable in VARIABLES.values():
        assert not variable.may_be_nan or np.dtype(variable.dtype).kind == "f"


def test_scalars_have_no_month_and_series_are_single_precision() -> None:
    assert all(variable.kind == "scalar" for variable in SCALARS)
    assert all(variable.kind == "series" and variable.dtype == "float32" for variable in SERIES)
    assert len(VARIABLES) == len(SCALARS) + len(SERIES)


def test_causes_and_triggers_are_those_of_the_model() -> None:
    cause = VARIABLES["facility_default_cause"].attributes["flag_meanings"].split()
    assert cause[7] == "refinancing"
    trigger = VARIABLES["facility_default_trigger"].attributes["flag_meanings"].split()
    assert trigger[5] == "dscr"
