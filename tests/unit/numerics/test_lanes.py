"""A lane gets the same bits in a pack as on its own."""

from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from simulator.numerics.addressed import Addressed
from simulator.numerics.elementary import exp, exp_of, expm1, expm1_of, log, log_of
from simulator.numerics.jit import JIT_DISABLED, kernel
from simulator.numerics.lane_types import PACK
from simulator.numerics.lanes import (
    MOST_LANES,
    ROOM,
    any_of,
    end_of,
    entity_rows,
    first_of,
    floor_of,
    least,
    most,
    pack_at,
    select,
    spread,
    whole_packs,
    words_of,
)
from simulator.numerics.philox import uniform_lanes, uniform_pair

pytestmark = pytest.mark.nojit
LANES = 2 * PACK
SEED, STREAM, MONTH = 5, 99_999_999_999, 17


@kernel
def functions(x, paths, in_packs, one_by_one):
    lanes = x.shape[0]
    for first in range(0, lanes, PACK):
        pack = pack_at(first, lanes)
        in_packs[0, pack] = exp_of(x[pack])
        in_packs[1, pack] = expm1_of(x[pack])
        in_packs[2, pack] = log_of(x[pack])
        in_packs[3, pack] = uniform_lanes(SEED, words_of(paths[pack]), STREAM, MONTH, pack)
    for lane in range(lanes):
        one_by_one[0, lane] = exp(x[lane])
        one_by_one[1, lane] = expm1(x[lane])
        one_by_one[2, lane] = log(x[lane])
        one_by_one[3, lane], _ = uniform_pair(SEED, paths[lane], STREAM, MONTH)


def test_functions_of_a_pack_are_those_of_its_lanes() -> None:
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-320, 709.9, -745.5, 1e-9, -1e-9, 0.3, -0.3]
    drawn = np.random.default_rng(3).normal(size=2 * LANES - len(special)) * 10.0
    x = np.concatenate([special, drawn])
    paths = np.arange(x.size, dtype=np.int64) * 87_654_321_987
    in_packs, one_by_one = np.zeros((2, 4, x.size))
    with np.errstate(all="ignore"):
        functions(x, paths, in_packs, one_by_one)
    assert in_packs.tobytes() == one_by_one.tobytes()


class Rows(NamedTuple):
    rows: NDArray[np.float64]  # (row, entity, lane)
    single: NDArray[np.float32]  # (lane,)


@kernel
def arithmetic(state, entity):
    lanes = state.rows.shape[2]
    some = 0
    for first in range(0, lanes, PACK):
        pack = pack_at(first, lanes)
        x, y = state.rows[0, entity, pack], state.rows[1, entity, pack]
        z = 2.0 * x - y / 3.0 + spread(1.0, pack)
        z = select((z > y) & ~(x == 0.0) | (x != x), z, -1.0)
        state.rows[2, entity, pack] = most(floor_of(z), least(abs(x), -y))
        state.single[pack] = x
        if any_of(x > 1.5):
            some += end_of(pack) - first_of(pack)
    return some


def test_arithmetic_is_that_of_arrays() -> None:
    rows, single = entity_rows(3, 2, LANES), np.zeros(LANES, dtype=np.float32)
    rows[:2] = np.random.default_rng(8).normal(size=(2, 2, LANES))
    rows[0, 1, 0] = 0.0
    rows[0, 1, PACK:] = np.minimum(rows[0, 1, PACK:], 1.0)
    rows[0, 1, 3] = 2.0
    x, y = rows[0, 1].copy(), rows[1, 1].copy()
    some = arithmetic(Addressed(Rows(rows, single)).argument, 1)
    z = 2.0 * x - y / 3.0 + 1.0
    z = np.where((z > y) & (x != 0.0), z, -1.0)
    np.testing.assert_array_equal(rows[2, 1], np.maximum(np.floor(z), np.minimum(np.abs(x), -y)))
    np.testing.assert_array_equal(single, x.astype(np.float32))
    assert not rows[2, 0].any(), "another entity's row was written"
    assert some == (LANES if JIT_DISABLED else PACK)  # without the compiler all lanes are one pack


@pytest.mark.skipif(JIT_DISABLED, reason="without the compiler there are no packs to fill")
def test_packs_are_whole() -> None:
    assert [whole_packs(lanes) for lanes in (1, PACK, PACK + 1)] == [PACK, PACK, 2 * PACK]
    assert MOST_LANES % PACK == 0


@pytest.mark.skipif(JIT_DISABLED, reason="without the compiler rows lie as NumPy lays them")
def test_rows_of_an_entity_lie_side_by_side() -> None:
    rows = entity_rows(5, 3, LANES)
    assert rows.shape == (5, 3, LANES)
    assert rows.strides == (8 * ROOM, 8 * ROOM * 5, 8)
    with pytest.raises(ValueError, match="at most 128 lanes: got 129"):
        entity_rows(5, 2, 129)
