"""Named tuples by address: they read in a kernel as they do in Python."""

from __future__ import annotations

import pickle
from typing import NamedTuple

import numpy as np
import pytest

from simulator.numerics.addressed import Addressed
from simulator.numerics.jit import inner, kernel
from simulator.numerics.rows import row_names

pytestmark = pytest.mark.nojit


@row_names
class TermRows(NamedTuple):
    low: int
    high: int


TERM = TermRows(0, 1)


class Inside(NamedTuple):
    terms: np.ndarray  # (row of TERM, place)
    cube: np.ndarray  # (2, 3, 4), integers
    single: np.ndarray  # float32
    months: int
    share: float
    enabled: bool


class Outside(NamedTuple):
    rate: float
    inside: Inside
    out: np.ndarray
    key: np.uint64


def example() -> Outside:
    terms = np.arange(6.0).reshape(2, 3)
    cube = np.arange(24).reshape(2, 3, 4)
    single = np.arange(4, dtype=np.float32) + 0.5
    inside = Inside(terms, cube, single, -7, 0.25, enabled=True)
    return Outside(1.5, inside, np.zeros(8), np.uint64(2**64 - 3))


@inner
def low_of(inside, place):
    return inside.terms[TERM.low, place]


@kernel
def read_all(whole):
    inside = whole.inside
    whole.out[0] = whole.rate
    whole.out[1] = low_of(inside, 2)
    whole.out[2] = inside.terms[TERM.high, 1]
    whole.out[3] = inside.cube[1, 2, 3]
    whole.out[4] = inside.single[3]
    whole.out[5] = inside.months
    whole.out[6] = inside.share
    whole.out[7] = 1.0 if inside.enabled else 0.0
    inside.terms[TERM.high, 2] = 99.0
    return whole.key


def test_a_kernel_reads_every_kind_of_field_and_writes_arrays() -> None:
    whole = example()
    key = read_all(Addressed(whole).argument)
    assert key == 2**64 - 3
    assert whole.out.tolist() == [1.5, 2.0, 4.0, 23.0, 3.5, -7.0, 0.25, 1.0]
    assert whole.inside.terms[1, 2] == 99.0


def test_false_and_other_shapes_need_no_other_kernel() -> None:
    whole = example()
    other = whole._replace(
        inside=whole.inside._replace(
            enabled=False, terms=np.arange(10.0).reshape(2, 5), months=2**40
        ),
        out=np.zeros(8),
    )
    read_all(Addressed(other).argument)
    assert other.out.tolist() == [1.5, 2.0, 6.0, 23.0, 3.5, 2.0**40, 0.25, 0.0]


def test_windows_on_one_array_share_its_memory() -> None:
    class Window(NamedTuple):
        rows: np.ndarray
        row: np.ndarray

    @kernel
    def write(window):
        window.row[1] = 5.0

    rows = np.zeros((3, 2))
    write(Addressed(Window(rows, rows[2])).argument)
    assert rows[2, 1] == 5.0


def test_strided_arrays_and_objects_are_refused() -> None:
    class Field(NamedTuple):
        value: object

    with pytest.raises(TypeError, match="C-contiguous"):
        Addressed(Field(np.zeros((4, 4))[:, 1]))
    with pytest.raises(TypeError, match="str cannot be taken by address"):
        Addressed(Field("text"))


def test_pickled_it_gets_an_address_of_its_own() -> None:
    whole = Addressed(example().inside)
    copy = pickle.loads(pickle.dumps(whole))
    assert copy.address != whole.address
    assert np.array_equal(copy.fields.cube, whole.fields.cube)
