"""Blank cells of customer contracts: term and price."""

from __future__ import annotations

from collections.abc import Sequence

from simulator.config.derive.costs import Economics
from simulator.config.derive.debt import Filler
from simulator.config.derive.ledger import Ledger
from simulator.config.derive.market import HOURS_PER_YEAR
from simulator.config.tape import AssetRow, ContractRow, DebtRow
from simulator.config.terms import DOLLAR
from simulator.config.values import filled

CREDIT_MONTHS = 36
"""Last months of the term over which a prepayment is credited where the tape gives none."""
LOWEST_PRICE, HIGHEST_PRICE = 0.05, 50.0
"""Range in which a price per GPU-hour makes sense."""


def fill_contract(
    row: ContractRow,
    tranches: Sequence[DebtRow],
    assets: Sequence[AssetRow],
    economics: Economics,
    ledger: Ledger,
) -> ContractRow:
    """Fill a contract of a box whose debt and assets are known.

    Parameters
    ----------
    row
        The contract.
    tranches, assets
        Of its box.
    economics
        Running costs and debt service of the box.
    ledger
        Takes what was filled.

    Notes
    -----
    The price comes from the attributed value, V·share/(GPUs · 8760 · years).  Failing that it is
    the one at which contracted cash covers level debt service by the sizing DSCR:
    price·availability·(1 − prepaid share) = running cost + DSCR·debt service per GPU-hour.
    """
    fill = Filler("contracts", row.contract, row, ledger)
    mine = [asset for asset in assets if asset.contract == row.contract]
    gpus = sum(filled(asset.gpus) for asset in mine)
    tenor = max(_tenor(tranche) for tranche in tranches)
    term = fill("term_months", tenor, "tenor of the longest debt of the box")
    prepaid = fill("prepayment_share", 0.0, "no prepayment")
    share = fill("value_attribution", 1.0, "the whole value") if row.contract_value_usd_m else None
    price = row.price_usd_per_gpu_hour
    if price is None and (row.escalator or row.billing):
        got = "a blank beside an escalator" if row.escalator else "a blank beside billing"
        mend = "giving the price at acceptance; no rule solves one that changes over the term"
        expected = "a price"
        ledger.stop("contracts", row.contract, "price_usd_per_gpu_hour", expected, got, mend)
    if price is None:
        if row.contract_value_usd_m is not None:
            value = row.contract_value_usd_m * (share or 1.0)
            price = value * 1e6 / (gpus * HOURS_PER_YEAR * term / 12)
            rule = "contract value over GPU-hours of the term"
        else:
            price = economics.price(prepaid)
            rule = f"contracted cover {economics.target:.2f}x of level debt service"
        if not LOWEST_PRICE <= price <= HIGHEST_PRICE:
            column = (
                "contract_value_usd_m" if row.contract_value_usd_m else "price_usd_per_gpu_hour"
            )
            expected = f"an implied price of {LOWEST_PRICE:g} to {HIGHEST_PRICE:g} USD/GPU-hour"
            mend = "correcting the value, the GPUs or the cost of its assets"
            ledger.stop("contracts", row.contract, column, expected, f"{price:.4g}", mend)
        ledger.note("contracts", row.contract, "price_usd_per_gpu_hour", price, rule)
    cap = row.backstop_cap_usd_m
    if row.backstop is not None and cap is None:
        cap = price * gpus * HOURS_PER_YEAR * term / 12 / 1e6
        rule = "value of the contract"
        ledger.note("contracts", row.contract, "backstop_cap_usd_m", cap, rule)
    residual = fill("residual_share", 0.0, "no residual guarantee")
    guarantor = row.residual_guarantor
    if residual:
        guarantor = fill("residual_guarantor", row.offtaker, "the offtaker")
    return row.model_copy(
        update={
            "term_months": term,
            "residual_share": residual,
            "residual_guarantor": guarantor,
            "prepayment_share": prepaid,
            "value_attribution": share,
            "price_usd_per_gpu_hour": price,
            "backstop_cap_usd_m": cap,
            "credit_months": fill(
                "credit_months", CREDIT_MONTHS, "credited at the end of the term"
            ),
            "escalator": fill("escalator", 0.0, "a flat price"),
            "consent": fill("consent", "with_lenders", "lenders must agree"),
            "currency": fill("currency", DOLLAR, "paid in dollars"),
            "moneyness0": fill("moneyness0", 1.0, "at market on its own scale"),
        }
    )


def _tenor(row: DebtRow) -> int:
    return filled(row.maturity) - filled(row.close)
