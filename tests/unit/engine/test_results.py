"""Sums by facility, owners of defaults, names and shapes of results."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.config.study import Study
from simulator.dataset.variables import CAUSES, TRIGGERS, VARIABLES
from simulator.engine.outputs import Outputs
from simulator.engine.prepare import Prepared
from simulator.engine.results import facilities_of, ids_of, labels_of, scalars_of, series_of

pytestmark = pytest.mark.nojit


@pytest.fixture
def outputs(prepared: Prepared) -> Outputs:
    """Return made-up results of three paths."""
    found = prepared.outputs(3).fields
    rng = np.random.default_rng(1)
    for array in found:
        array[...] = rng.integers(0, 4, array.shape)
    return found


def test_facilities_stand_as_their_tranches(prepared: Prepared) -> None:
    facilities = facilities_of(prepared.layout)
    assert [f.id for f in facilities] == [
        *("TERM-A", "TERM-B"),
        *("Example Cloud.new_notes", "NOTES-2031"),
    ]
    assert [f.box for f in facilities] == [0, 1, -1, -1]
    assert sorted(row for f in facilities for row in f.tranches) == [0, 1, 2, 3]


def test_every_variable_is_there(prepared: Prepared, outputs: Outputs) -> None:
    ids = ids_of(prepared.layout)
    scalars, series = scalars_of(prepared.layout, outputs), series_of(prepared.layout, outputs)
    always = {name for name, variable in VARIABLES.items() if variable.needs is None}
    always -= {"path_weight"}  # of runs that are not drawn plainly
    assert set(scalars) | set(series) == always
    for name, array in scalars.items():
        entity = VARIABLES[name].entity
        assert array.shape == ((3, len(ids[entity])) if entity else (3,)), name
    for name, array in series.items():
        entity = VARIABLES[name].entity
        assert array.shape == (24, *((len(ids[entity]),) if entity else ()), 3), name


def test_a_facility_is_the_sum_of_its_tranches(prepared: Prepared, outputs: Outputs) -> None:
    scalars = scalars_of(prepared.layout, outputs)
    for i, facility in enumerate(facilities_of(prepared.layout)):
        rows = list(facility.tranches)
        loss, lent = (
            array[rows].sum(axis=0) for array in (outputs.tranche_loss, outputs.tranche_drawn_pv)
        )
        np.testing.assert_array_equal(scalars["lender_loss"][:, i], loss)
        expected = np.where(lent > 0, loss / np.where(lent > 0, lent, 1.0), 0.0)
        np.testing.assert_array_equal(scalars["lender_loss_share"][:, i], expected)


def test_holdco_debt_defaults_with_its_sponsor(prepared: Prepared, outputs: Outputs) -> None:
    outputs.sponsor_default_month[0] = [0, 7, 0]
    scalars = scalars_of(prepared.layout, outputs)
    notes = ids_of(prepared.layout)["facility"].index("NOTES-2031")
    assert scalars["facility_default_month"][:, notes].tolist() == [0, 7, 0]
    cause, trigger = (
        scalars[f"facility_default_{what}"][:, notes].tolist() for what in ("cause", "trigger")
    )
    assert [CAUSES[code] for code in cause] == ["none", "sponsor", "none"]
    assert [TRIGGERS[code] for code in trigger] == ["none", "payment", "none"]


def test_a_facility_defaults_with_its_box(prepared: Prepared, outputs: Outputs) -> None:
    scalars = scalars_of(prepared.layout, outputs)
    np.testing.assert_array_equal(
        scalars["facility_default_month"][:, :2], outputs.box_default_month[:2].T
    )


def test_the_book_counts_the_lenders_shares(prepared: Prepared, outputs: Outputs) -> None:
    shares = np.array([tranche.lender_share for tranche in prepared.layout.tranches])
    assert 0.0 in shares
    np.testing.assert_allclose(
        scalars_of(prepared.layout, outputs)["book_lender_loss"], shares @ outputs.tranche_loss
    )


def test_labels_are_as_long_as_their_dimension(study: Study, prepared: Prepared) -> None:
    ids = ids_of(prepared.layout)
    labels = labels_of(study.inputs, prepared.layout)
    assert all(len(values) == len(ids[dim]) for dim, values in labels.values())
    assert labels["tranche_facility"][1] == (
        "TERM-A",
        "TERM-B",
        "Example Cloud.new_notes",
        "NOTES-2031",
    )
    assert labels["facility_box"][1] == ("BOX-A", "BOX-B", "", "")
