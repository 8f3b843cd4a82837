import hashlib

import numpy as np
import pytest

from simulator.numerics import stream_id, stream_id_array, stream_ids, streams

pytestmark = pytest.mark.nojit


def test_number_is_the_hash_of_the_name():
    digest = hashlib.blake2b(b"power/houston", digest_size=8).digest()
    assert stream_id("power/houston") == int(np.frombuffer(digest, "<u8")[0])


def test_numbers_never_change():
    """Changing these would change every draw of every study."""
    assert stream_id("demand") == 16778719027321419849
    assert stream_id("Ünïcode") == 2928034821719740069


def test_numbers_do_not_depend_on_the_other_names():
    assert stream_ids(["a", "b", "c"])["c"] == stream_ids(["c"])["c"]
    assert list(stream_ids(["b", "a"])) == ["b", "a"]


def test_array_is_in_the_order_given():
    numbers = stream_id_array(["b", "a"])
    assert numbers.dtype == np.uint64
    assert numbers.tolist() == [stream_id("b"), stream_id("a")]
    assert stream_id_array([]).shape == (0,)


def test_a_name_given_twice_is_refused():
    with pytest.raises(ValueError, match="stream 'power' is named twice"):
        stream_ids(["power", "rates", "power"])


def test_two_names_with_one_number_are_refused(monkeypatch):
    monkeypatch.setattr(streams, "stream_id", len)
    with pytest.raises(ValueError, match=r"streams 'power' and 'rates' have the same number"):
        stream_ids(["power", "demand", "rates"])


def test_an_empty_name_is_refused():
    with pytest.raises(ValueError, match="needs a name"):
        stream_id("")
