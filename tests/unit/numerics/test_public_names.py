import types

import pytest

from simulator import numerics

pytestmark = pytest.mark.nojit


def test_all_is_sorted_and_complete():
    public = [
        name
        for name, value in vars(numerics).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    ]
    assert numerics.__all__ == sorted(numerics.__all__)
    assert sorted(public) == sorted(numerics.__all__)


def test_everything_public_says_what_it_is():
    for name in numerics.__all__:
        value = getattr(numerics, name)
        if callable(value):
            assert value.__doc__, name
