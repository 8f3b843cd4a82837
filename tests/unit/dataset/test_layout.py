import numpy as np
import pytest

from simulator.dataset import ChunkError
from simulator.dataset.layout import fields_of, fit
from tests.unit.dataset.samples import Sample, plan_of

PLAN = plan_of(paths=7, chunk=7)
SCALARS, SERIES = Sample(PLAN).whole()


def test_fields_lie_one_after_another() -> None:
    for kind in ("scalar", "series"):
        end = 0
        for field in fields_of(PLAN, kind, 7).values():
            assert field.offset == end
            end += field.bytes
        assert end > 0


def test_arrays_come_back_in_the_order_of_the_file() -> None:
    layout = fields_of(PLAN, "scalar", 7)
    arrays = fit(layout, dict(reversed(SCALARS.items())))
    for field, array in zip(layout.values(), arrays, strict=True):
        np.testing.assert_array_equal(array, SCALARS[field.variable.name])
        assert array.dtype == field.dtype
        assert array.flags.c_contiguous


def test_all_misfits_are_named_at_once() -> None:
    series = {name: values for name, values in SERIES.items() if name != "tightness"}
    series["surprise"] = series["book_dscr"]
    series["box_dscr"] = series["box_dscr"][:, :, :3]
    with pytest.raises(ChunkError) as raised:
        fit(fields_of(PLAN, "series", 7), series)
    message = str(raised.value)
    assert "tightness is missing" in message
    assert "surprise is not in the plan" in message
    assert "box_dscr has shape (5, 2, 3), expected (5, 2, 7)" in message


def test_integers_that_do_not_fit_are_refused() -> None:
    months = SCALARS["facility_default_month"].astype(np.int64) + 40_000
    with pytest.raises(ChunkError, match="facility_default_month does not fit int16"):
        fit(fields_of(PLAN, "scalar", 7), {**SCALARS, "facility_default_month": months})


def test_fractions_are_no_months() -> None:
    months = SCALARS["facility_default_month"] + 0.5
    with pytest.raises(ChunkError, match="facility_default_month is float64, expected int16"):
        fit(fields_of(PLAN, "scalar", 7), {**SCALARS, "facility_default_month": months})


def test_truth_values_become_codes() -> None:
    layout = fields_of(PLAN, "scalar", 7)
    flags = SCALARS["equity_irr_state"] > 0
    arrays = dict(zip(layout, fit(layout, {**SCALARS, "equity_irr_state": flags}), strict=True))
    assert arrays["equity_irr_state"].dtype == np.int8
    np.testing.assert_array_equal(arrays["equity_irr_state"], flags.astype(int))
