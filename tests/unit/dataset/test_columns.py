"""Scalars of very many paths: one file a block of paths, of which a column is read alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import zarr

from simulator.dataset.zarr_group import CHUNK_ROWS, StoredArray, write_group

pytestmark = pytest.mark.nojit


@pytest.mark.parametrize(("paths", "width"), [(CHUNK_ROWS, 3), (CHUNK_ROWS + 5, 1)])
def test_columns(tmp_path: Path, paths: int, width: int) -> None:
    values = np.arange(3.0 * paths).reshape(paths, 3)
    array = StoredArray(
        "loss", ("path", "facility"), values.shape, values.dtype, {}, lambda a, b: values[a:b]
    )
    write_group(tmp_path / "group", [array], [], {})
    found = zarr.open_group(tmp_path / "group")["loss"]
    assert found.chunks == (CHUNK_ROWS, width)
    np.testing.assert_array_equal(found[:, 1], values[:, 1])
    np.testing.assert_array_equal(found[:], values)
    blocks = [one for one in (tmp_path / "group" / "loss").rglob("*") if one.is_file()]
    assert len(blocks) - 1 == -(-paths // CHUNK_ROWS)  # and zarr.json
