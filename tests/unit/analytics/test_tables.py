"""Tables of analytics on a book small enough to work out by hand, and on a made-up run."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from simulator.analytics import (
    RatingScale,
    absorption_table,
    analyse,
    causes_table,
    contribution_table,
    convergence_table,
    default_table,
    equity_table,
    exceedance_table,
    frame,
    headline,
    holders_table,
    risk_table,
    sponsor_table,
    tail_risk,
    worst_paths,
)
from simulator.analytics.coverage import blank_thin_coverage
from simulator.analytics.frame import MissingVariableError, estimate_at
from simulator.analytics.summary import measure
from tests.unit.reports.synthetic import synthetic_run, with_uncertainty

pytestmark = pytest.mark.nojit


def tiny() -> xr.Dataset:
    """Ten paths, two facilities of one box each; of the second the lender holds half."""
    zeros = np.zeros((10, 2))
    loss, lost, claim, month, cause = (zeros.copy() for _ in range(5))
    loss[8], loss[9, 0] = [20.0, 40.0], 30.0
    lost[8], lost[9, 0] = [30.0, 50.0], 45.0
    claim[8], claim[9, 0], claim[7, 1] = [60.0, 80.0], 60.0, 90.0  # path 7 recovers in full
    month[8], month[9, 0], month[7, 1] = [12, 13], 24, 5
    cause[8], cause[9, 0], cause[7, 1] = [1, 2], 1, 8
    lent = np.array([100.0, 200.0])
    pnl = np.where(claim > 0, -50.0, 10.0)
    moic = np.where(claim > 0, 0.0, 1.5)
    moic[0, 0] = np.nan
    state = np.where(claim > 0, 1, 0)
    state[1, 1] = 2
    both = ("path", "facility")
    boxes = ("path", "box")
    return xr.Dataset(
        {
            "lender_loss": (both, loss),
            "lender_principal_loss": (both, lost),
            "lender_loss_share": (both, loss / lent),
            "exposure_at_default": (both, claim),
            "facility_default_month": (both, month.astype(np.int16)),
            "facility_default_cause": (both, cause.astype(np.int8)),
            "facility_censored": (both, np.eye(10, 2, dtype=np.int8)),
            "facility_default_trigger": (both, np.where(cause > 0, 2, 0).astype(np.int8)),
            "tranche_loss": (("path", "tranche"), loss),
            "tranche_drawn_pv": (("path", "tranche"), np.broadcast_to(lent, (10, 2))),
            "book_lender_loss": ("path", loss @ [1.0, 0.5]),
            "equity_pnl": (boxes, pnl),
            "equity_contributions": (boxes, np.full((10, 2), 50.0)),
            "equity_moic": (boxes, moic),
            "equity_irr": (boxes, np.where(state == 0, 0.2, np.nan)),
            "equity_irr_state": (boxes, state.astype(np.int8)),
            "equity_wiped_out": (boxes, (claim > 0).astype(np.int8)),
            "box_first_breach_month": (boxes, np.maximum(0, month - 3).astype(np.int16)),
            "sponsor_equity_pnl": (("path", "sponsor"), np.arange(10.0)[:, None]),
            "sponsor_default_month": (("path", "sponsor"), np.eye(10, 1, -3, dtype=np.int16) * 30),
            "sponsor_retained_share": (("path", "sponsor"), 1.0 - np.eye(10, 1, -3) / 4),
            "counterparty_default_month": (
                ("path", "counterparty"),
                np.array([[0] * 7 + [12, 13, 24]], dtype=np.int16).T,
            ),
        },
        coords={
            "facility": ["one", "two"],
            "tranche": ["one.a", "two.a"],
            "tranche_facility": ("tranche", ["one", "two"]),
            "tranche_lender_share": ("tranche", [1.0, 0.5]),
            "box": ["b1", "b2"],
            "sponsor": ["s"],
            "counterparty": ["c"],
            "month": np.arange(1, 31),
        },
    )


def test_risk_by_facility() -> None:
    one = risk_table(tiny()).sel(facility="one")
    assert estimate_at(one, "expected_loss") == (5.0, pytest.approx(1.0 * np.sqrt(105 / 9)))
    assert float(one["expected_loss_share"]) == pytest.approx(0.05)
    assert float(one["loss_probability"]) == float(one["default_probability"]) == 0.2
    assert float(one["default_probability_se"]) == pytest.approx(np.sqrt(0.2 * 0.8 / 10))
    assert float(one["exposure"]) == 100.0
    assert float(one["exposure_at_default"]) == pytest.approx(60.0)
    assert float(one["loss_given_default"]) == pytest.approx(75.0 / 120.0)
    assert float(one["censored_probability"]) == 0.1
    assert float(one["held_share"]) == 1.0
    two = risk_table(tiny()).sel(facility="two")
    assert float(two["held_share"]) == 0.5
    assert float(two["default_probability"]) == 0.2
    assert float(two["loss_probability"]) == 0.1  # one default recovers in full
    assert float(two["loss_given_default"]) == pytest.approx(50.0 / 170.0)


def test_risk_of_the_book_is_at_the_lenders_share() -> None:
    table = risk_table(tiny(), levels=[0.8, 0.95])
    assert float(table["book_expected_loss"]) == pytest.approx((40.0 + 30.0) / 10)
    assert float(table["book_exposure"]) == 200.0
    assert float(table["book_expected_loss_share"]) == pytest.approx(7.0 / 200.0)
    assert float(table["book_default_probability"]) == pytest.approx(0.3)
    assert float(table["book_exposure_at_default"]) == pytest.approx((100 + 60 + 45) / 3)
    assert float(table["book_loss_given_default"]) == pytest.approx((55 + 45) / 205)
    assert float(table["book_value_at_risk"].sel(level=0.95)) == 40.0
    assert float(table["book_expected_shortfall"].sel(level=0.8)) == pytest.approx(35.0)
    assert float(table["book_expected_shortfall_share"].sel(level=0.8)) == pytest.approx(0.175)


def test_a_facility_the_lender_does_not_hold_is_not_in_the_book() -> None:
    run = tiny().assign_coords(tranche_lender_share=("tranche", [1.0, 0.0]))
    table = risk_table(run)
    assert float(table["book_exposure"]) == 100.0
    assert float(table["book_default_probability"]) == pytest.approx(0.2)


def test_unequal_shares_within_a_facility() -> None:
    run = tiny().assign_coords(tranche_facility=("tranche", ["one", "one"]))
    run = run.isel(facility=[0]).assign(
        lender_loss=run["tranche_loss"].sum("tranche").expand_dims(facility=["one"], axis=1)
    )
    parts = contribution_table(run, levels=[0.8])
    assert float(parts["shortfall_contribution"].sum()) == pytest.approx(35.0)
    table = risk_table(run)
    assert float(table["exposure"].item()) == 300.0
    assert float(table["book_exposure"]) == 200.0


def test_run_that_does_not_say_what_was_lent() -> None:
    run = tiny().drop_vars(["tranche_drawn_pv", "tranche_facility"])
    table = risk_table(run)
    assert math.isnan(float(table["book_expected_loss_share"]))
    assert str(table["book_implied_rating"].values) == "n/a"
    assert float(table["expected_loss_share"].sel(facility="one")) == pytest.approx(0.05)


def test_a_facility_that_was_never_lent_to_has_no_rating() -> None:
    run = tiny()
    for name in ("lender_loss", "lender_loss_share", "tranche_loss", "tranche_drawn_pv"):
        run[name] = run[name] * [1.0, 0.0]
    two = risk_table(run).sel(facility="two")
    assert str(two["implied_rating"].values) == str(two["implied_rating_range"].values) == "n/a"
    assert math.isnan(float(two["expected_loss_share"]))
    assert math.isnan(float(two["value_at_risk_share"].sel(level=0.99)))
    assert float(two["expected_loss"]) == 0.0
    assert str(risk_table(run)["book_implied_rating"].values) != "n/a"


def test_no_loss_at_all() -> None:
    run = tiny()
    for name in ("lender_loss", "lender_loss_share", "lender_principal_loss", "book_lender_loss"):
        run[name] = run[name] * 0.0
    run["facility_default_month"] = run["facility_default_month"] * 0
    table = risk_table(run, scale=RatingScale({"best": 0.01, "next": 0.1, "worst": 1.0}))
    assert float(table["book_expected_loss"]) == 0.0
    assert math.isnan(float(table["loss_given_default"].sel(facility="one")))
    assert str(table["book_implied_rating"].values) == "best"
    assert str(table["book_implied_rating_range"].values) == "best to next"  # up to 3/10


def test_missing_variable_is_named() -> None:
    with pytest.raises(MissingVariableError, match="no variable 'lender_loss'"):
        risk_table(tiny().drop_vars("lender_loss"))


def test_causes() -> None:
    table = causes_table(tiny())
    one = table.sel(facility="one")
    assert float(one["default_probability"].sel(cause="counterparty")) == 0.2
    assert float(one["default_probability"].sum()) == pytest.approx(0.2)
    assert float(one["expected_loss"].sel(cause="counterparty")) == 5.0
    assert float(table["book_expected_loss"].sel(cause="renegotiation")) == 2.0
    assert float(table["book_expected_loss"].sum()) == pytest.approx(7.0)
    assert float(one["trigger_probability"].sel(trigger="payment")) == 0.2


def test_defaults_by_year() -> None:
    table = default_table(tiny(), "counterparty")
    assert table["year"].values.tolist() == [1, 2, 3]
    assert table["default_probability"].values.tolist() == [[0.1, 0.3, 0.3]]


def test_breaches_by_year() -> None:
    table = default_table(tiny(), "box")
    assert table["breach_probability"].values.tolist() == [[0.1, 0.2, 0.2], [0.2, 0.2, 0.2]]


def test_worst_paths() -> None:
    table = worst_paths(tiny())
    assert table["path"].values.tolist() == [8, 9]
    assert table["book_lender_loss"].values.tolist() == [40.0, 30.0]
    assert table["defaults"].values.tolist() == [2, 1]
    assert table["first_default_month"].values.tolist() == [12, 24]
    assert table["cause"].values.tolist() == ["counterparty", "counterparty"]
    assert table["equity_lost"].values.tolist() == [100.0, 50.0]
    numbered = tiny().assign_coords(path=np.arange(10) + 500)
    assert worst_paths(numbered, count=1)["path"].values.tolist() == [508]
    assert worst_paths(tiny().isel(path=[0, 1])).sizes["rank"] == 0


def test_equity_never_averages_what_is_not_defined() -> None:
    table = equity_table(tiny())
    one, two = table.sel(box="b1"), table.sel(box="b2")
    assert float(one["wipe_out_probability"]) == 0.2
    assert float(one["mean_pnl"]) == pytest.approx(-2.0)
    assert float(one["moic_undefined_share"]) == 0.1
    assert float(one["moic"].sel(probability=0.5)) == 1.5
    assert float(one["moic"].sel(probability=0.05)) == 0.0
    assert float(two["irr_defined_share"]) == pytest.approx(0.7)
    assert float(two["irr_none_share"]) == 0.2
    assert float(two["irr_several_share"]) == 0.1
    assert float(two["irr"].sel(probability=0.05)) == 0.2
    run = tiny()
    run["equity_irr_state"] = run["equity_irr_state"] * 0 + 1
    assert np.isnan(equity_table(run)["irr"].values).all()


def test_sponsors() -> None:
    table = sponsor_table(tiny()).sel(sponsor="s")
    assert float(table["default_probability"]) == pytest.approx(0.1)
    assert float(table["dilution_probability"]) == pytest.approx(0.1)
    assert float(table["mean_dilution"]) == pytest.approx(0.025)
    assert float(table["mean_pnl"]) == 4.5


def test_holders_and_absorption() -> None:
    table = holders_table(tiny(), level=0.9)
    lenders, equity = table.sel(holder="lenders"), table.sel(holder="box equity")
    assert float(lenders["money_in"]) == 200.0  # at the lender's share
    assert float(lenders["expected_loss"]) == 7.0
    assert float(lenders["expected_loss_share"]) == pytest.approx(0.035)
    assert float(equity["money_in"]) == 100.0
    assert float(equity["loss_probability"]) == 0.3
    assert float(equity["expected_loss"]) == pytest.approx((100 + 50 + 50) / 10)  # no netting
    assert float(equity["expected_shortfall"]) == 100.0
    worst = absorption_table(tiny()).isel(bucket=4)["mean_loss"]  # holds the worst of ten
    assert worst.sel(holder="lenders").item() == pytest.approx(40.0)
    assert worst.sel(holder="box equity").item() == pytest.approx(100.0)


def test_coverage_is_blank_where_no_debt_is_left() -> None:
    run = synthetic_run(50)  # debt falls in a line to 0 at month 84
    shown = blank_thin_coverage(run)
    blank = np.isnan(shown["fan_book_dscr"].values).all(axis=0)
    assert blank.tolist() == [False] * 82 + [True] * 2
    assert not np.isnan(run["fan_book_dscr"].values).any()
    without = run.drop_vars("fan_outstanding_debt")
    assert blank_thin_coverage(without) is without


def test_weights_of_one_change_no_estimate() -> None:
    run = synthetic_run(500)
    weighted = run.assign(path_weight=("path", np.ones(500)))
    for table in (risk_table, causes_table, equity_table, sponsor_table, contribution_table):
        plain, same = table(run), table(weighted)
        for name, variable in plain.data_vars.items():
            if variable.dtype.kind == "f" and not str(name).endswith("_se"):
                np.testing.assert_allclose(same[name], variable, rtol=1e-12, err_msg=str(name))


def test_results_do_not_depend_on_chunks_or_layout() -> None:
    run = synthetic_run(700)
    plain = risk_table(run)
    for other in (run.chunk(path=97), run.transpose(..., "path").copy(deep=True)):
        assert risk_table(other).identical(plain)


def test_contributions_add_up() -> None:
    run = synthetic_run(3000)
    parts = contribution_table(run, levels=[0.95, 0.99])
    book = tail_risk(run["book_lender_loss"].values, [0.95, 0.99])
    total = parts["shortfall_contribution"].sum("facility").values
    np.testing.assert_allclose(total, book.es, rtol=1e-12)
    means = parts["expected_loss_contribution"].sum().item()
    assert means == pytest.approx(run["book_lender_loss"].values.mean(), rel=1e-12)


def test_exceedance_falls_and_stays_in_its_band() -> None:
    table = exceedance_table(synthetic_run(3000))
    for name in ("", "book_"):
        p = table[f"{name}exceedance"].values
        assert (np.diff(p) <= 0).all()
        assert (table[f"{name}exceedance_lower"].values <= p).all()
        assert (table[f"{name}exceedance_upper"].values >= p).all()
    book = synthetic_run(3000)["book_lender_loss"].values
    i = 40
    assert float(table["book_exceedance"][i]) == (book > float(table["book_loss"][i])).mean()


def test_convergence_ends_at_the_full_sample() -> None:
    run = synthetic_run(1000)
    table = convergence_table(run)
    assert table["paths"].values[-1] == 1000
    assert table.sizes["paths"] == 40
    losses = run["book_lender_loss"].values
    assert float(table["expected_loss"][-1]) == pytest.approx(losses.mean())
    assert float(table["expected_loss"][0]) == pytest.approx(losses[:25].mean())
    last = table.isel(paths=-1)
    assert (
        last["expected_shortfall"].values.tolist() == tail_risk(losses, [0.99, 0.999]).es.tolist()
    )
    assert last["value_at_risk"].values.tolist() == tail_risk(losses, [0.99, 0.999]).var.tolist()
    share = float(last["expected_loss_se"] / last["expected_loss"])
    assert float(table["expected_loss_paths"]) == pytest.approx(
        1000 * (share / 0.01) ** 2, rel=0.05
    )
    assert convergence_table(run.isel(path=[0, 1, 2]))["paths"].values.tolist() == [1, 2, 3]


def test_headline_is_plain() -> None:
    import json

    numbers = headline(analyse(synthetic_run(300)))
    assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers
    assert numbers["paths"] == 300
    assert set(numbers["book"]["value_at_risk"]) == {"0.95", "0.99", "0.995", "0.999"}


def test_a_headline_alone_is_that_of_the_whole_analysis() -> None:
    for run in (synthetic_run(300), with_uncertainty(synthetic_run(200))):
        assert headline(measure(run)) == headline(analyse(run))


def test_columns_of_a_large_run_are_read_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The numbers are the same, and nothing large stays behind."""
    synthetic_run(300).to_zarr(tmp_path / "run", consolidated=False, zarr_format=2)
    run = xr.open_zarr(tmp_path / "run", chunks=None, consolidated=False)
    kept = headline(measure(run.copy()))
    monkeypatch.setattr(frame, "WHOLE", 8 * 300)
    again = xr.open_zarr(tmp_path / "run", chunks=None, consolidated=False)
    assert headline(measure(again)) == kept
    assert not again.variables["lender_loss"]._in_memory
