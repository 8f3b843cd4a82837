"""Tables of notes and overlays on made-up paths whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr

from simulator.analytics import notes_table, overlays_table
from simulator.analytics.frame import estimate_at

PATHS = 1_000


@pytest.fixture
def run() -> xr.Dataset:
    """A hundred paths lose 50, ten of them 80; an insurance takes 20 above 40."""
    loss = np.zeros(PATHS)
    loss[:100], loss[:10] = 50.0, 80.0
    junior = np.minimum(loss, 60.0)
    payout = np.clip(loss - 40.0, 0.0, 20.0)
    return xr.Dataset(
        {
            "book_lender_loss": ("path", loss),
            "book_lender_loss_net": ("path", loss - payout),
            "note_loss": (("path", "note"), np.column_stack([loss - junior, junior])),
            "note_interest": (("path", "note"), np.tile([4.0, 9.0], (PATHS, 1))),
            "structure_residual": (("path", "structure"), np.full((PATHS, 1), 3.0)),
            "overlay_payout": (("path", "overlay"), payout[:, None]),
            "overlay_premium": (("path", "overlay"), np.ones((PATHS, 1))),
        },
        coords={
            "note": ["P.senior", "P.junior"],
            "note_size": ("note", [140.0, 60.0]),
            "structure": ["P"],
            "overlay": ["COVER"],
        },
    )


def test_notes_are_measured_in_shares_of_their_size(run: xr.Dataset) -> None:
    table = notes_table(run)
    assert table is not None
    senior, junior = (
        estimate_at(table, "expected_loss_share", note=name) for name in ("P.senior", "P.junior")
    )
    assert senior.value == pytest.approx(10 * 20.0 / PATHS / 140.0)
    assert junior.value == pytest.approx((90 * 50.0 + 10 * 60.0) / PATHS / 60.0)
    losses = run["note_loss"].sel(note="P.junior").values / 60.0
    assert junior.se == pytest.approx(losses.std(ddof=1) / np.sqrt(PATHS))
    worst = estimate_at(table, "expected_shortfall_share", note="P.senior", level=0.99)
    assert worst.value == pytest.approx(20.0 / 140.0)
    assert estimate_at(table, "mean_interest", note="P.junior") == (9.0, 0.0)
    assert estimate_at(table, "mean_residual", structure="P") == (3.0, 0.0)


def test_net_stands_beside_gross_with_a_paired_error(run: xr.Dataset) -> None:
    table = overlays_table(run)
    assert table is not None
    gross, net, moved = (
        estimate_at(table, "expected_loss", basis=basis) for basis in ("gross", "net", "difference")
    )
    assert gross.value == pytest.approx((90 * 50.0 + 10 * 80.0) / PATHS)
    paid = (90 * 10.0 + 10 * 20.0) / PATHS
    assert moved.value == pytest.approx(-paid)
    assert net.value == pytest.approx(gross.value - paid)
    assert moved.se < 0.3 * gross.se
    worst = estimate_at(table, "expected_shortfall", basis="difference")
    assert worst.value == pytest.approx(-20.0)
    assert estimate_at(table, "mean_payout", overlay="COVER").value == pytest.approx(paid)
    assert estimate_at(table, "payout_probability", overlay="COVER").value == pytest.approx(0.1)


def test_runs_without_them_have_no_tables(run: xr.Dataset) -> None:
    bare = run[["book_lender_loss"]]
    assert notes_table(bare) is None
    assert overlays_table(bare) is None
