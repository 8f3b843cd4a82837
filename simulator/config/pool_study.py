"""A credit-only study: its file and table of names to `PoolStudy`, or every fault at once."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from simulator.config import pool_schema
from simulator.config.errors import ConfigError, Problems, did_you_mean
from simulator.config.loader import Document
from simulator.config.messages import note_errors
from simulator.config.overrides import set_keys
from simulator.config.plain import canonical_json, plain_values
from simulator.config.pool_schema import PoolFile
from simulator.config.pool_terms import Collateral, PoolInputs, PoolName, PoolTranche, Regimes
from simulator.config.ratings import NOTCHES, Curves, curve, notch, package_curves, user_curves
from simulator.config.schema import Sampling
from simulator.config.tables import read_csv

MOST_FACTORS: Final = 30
COLUMNS: Final = ("name", *(key for key in pool_schema.PoolName.model_fields if key != "loadings"))
LOADINGS: Final = tuple(f"loading_{number}" for number in range(1, MOST_FACTORS + 1))
CURVES: Final = ("pd", "hazard_per_year", "rating")


@dataclass(frozen=True, slots=True)
class PoolStudy:
    """A resolved credit-only study.

    Parameters
    ----------
    name, description
        As the file says.
    path
        The study file.
    inputs
        Everything a path depends on besides seed and path number.
    resolved
        The study with all defaults filled, as plain values for JSON.
    digest
        SHA-256 of the model inputs: equal digests simulate the same.
    sampling
        How paths are drawn; the model does not depend on it, so that it is no part of the digest.
    """

    name: str
    description: str
    path: Path
    inputs: PoolInputs
    resolved: dict[str, Any]
    digest: str
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def title(self) -> str:
        """Name of the study."""
        return self.name

    def __repr__(self) -> str:
        """Return name, size and digest."""
        return (
            f"<PoolStudy {self.name!r}: {len(self.inputs.names)} names,"
            f" {self.inputs.horizon} months, digest {self.digest[:12]}>"
        )


def resolve_pool(
    path: Path,
    document: Document,
    overrides: Mapping[str, Any],
    out: Problems,
    places: Mapping[str, str] | None = None,
) -> PoolStudy:
    """Check and resolve a credit-only study.

    Parameters
    ----------
    path
        The study file.
    document
        It, as read; names of its table are put beside those it holds.
    overrides
        Values by dotted key.
    out
        Takes the problems.
    places
        Where overrides stand that come from a file, by key.

    Raises
    ------
    ConfigError
        If anything is wrong, with all problems found.
    """
    table = {key: value for key, value in overrides.items() if key == "names_table"}
    set_keys(document, table, PoolFile, places)  # first: it says which names there are
    add_names(document, path.parent, out)
    set_keys(document, overrides, PoolFile, places)
    try:
        study = PoolFile.model_validate(document.tree)
    except ValidationError as error:
        note_errors(error, PoolFile, document.place, out)
        raise ConfigError(out.found) from None
    curves = package_curves()
    if study.ratings_table:
        curves = user_curves(path.parent / study.ratings_table, out) or curves
    check_pool(study, document, out)
    for name in study.names:
        check_name(name, study, document, out)
    if out:
        raise ConfigError(out.found)
    names, horizon = sorted(study.names.items()), study.horizon_months
    factors = max(len(keys) for _, one in names for keys in (one.loadings, one.lgd_loadings))
    inputs = PoolInputs(
        horizon=horizon,
        discount_rate=study.discount_rate,
        copula_nu=float(study.copula.nu) if study.copula.kind == "t" else 0.0,
        names=tuple(resolve_name(name, one, horizon, factors, curves) for name, one in names),
        regimes=Regimes(**study.regimes.model_dump()) if study.regimes else None,
        tranches=tuple(
            PoolTranche(name, one.attachment, one.detachment)
            for name, one in sorted(study.tranches.items(), key=lambda item: item[1].attachment)
        ),
    )
    plain = plain_values(asdict(inputs))
    digest = hashlib.sha256(canonical_json(plain).encode()).hexdigest()
    resolved = {
        "schema": "neobox.resolved/1",
        "digest": digest,
        "study": study.model_dump(mode="json", by_alias=True),
        "inputs": plain,
    }
    return PoolStudy(study.name, study.description, path, inputs, resolved, digest, study.sampling)


def add_names(document: Document, base: Path, out: Problems) -> None:
    """Put the rows of the table of names beside the names of the file, with their places."""
    file, names = document.tree.get("names_table"), document.tree.setdefault("names", {})
    if not isinstance(file, str) or not file or not isinstance(names, dict):
        return
    table = read_csv(base / file, (*COLUMNS, *LOADINGS), ("name", "exposure_usd_m"), out)
    used = [column for column in LOADINGS if any(column in row.cells for row in table.rows)]
    for row in table.rows:
        cells = dict(row.cells)
        name = str(cells.pop("name", ""))
        if not name or name in names:
            got = f"{name!r} again" if name else "nothing"
            out.add(row.place, "name", expected="each name once", got=got, mend="renaming it")
            continue
        loadings = [cells.pop(column, 0.0) for column in used]
        names[name] = {**cells, "loadings": loadings}
        document.places[("names", name)] = row.place


def check_pool(study: PoolFile, document: Document, out: Problems) -> None:
    """Check what belongs to the whole pool: names, regimes, tranches."""
    place = document.place
    if not study.names and not out:
        mend = "adding names, or a names_table"
        at = place(("names",))
        out.add(at, "names", expected="at least one name", got="none", mend=mend)
    wanted = max(
        (max(len(one.loadings), len(one.lgd_loadings)) for one in study.names.values()), default=0
    )
    for name, one in study.names.items():
        for key in ("loadings", "lgd_loadings"):
            if len(loadings := getattr(one, key)) not in (0, wanted):
                out.add(
                    place(("names", name, key)),
                    f"names.{name}.{key}",
                    expected=f"{wanted} loadings, as other names have",
                    got=str(len(loadings)),
                    mend="writing 0 for a factor that does not move the name",
                )
    for name, tranche in study.tranches.items():
        if tranche.attachment >= tranche.detachment:
            out.add(
                place(("tranches", name, "detachment")),
                f"tranches.{name}.detachment",
                expected=f"more than the attachment {tranche.attachment:g}",
                got=f"{tranche.detachment:g}",
                mend="swapping the two, if that is what was meant",
            )
    if study.regimes:
        check_regimes(study.regimes, document, out)


def check_regimes(regimes: pool_schema.Regimes, document: Document, out: Problems) -> None:
    """Check sizes and sums of the chain."""

    def fault(key: str, expected: str, got: str, mend: str) -> None:
        at = document.place(("regimes", key))
        out.add(at, f"regimes.{key}", expected=expected, got=got, mend=mend)

    count = len(regimes.generator)
    square = all(len(row) == count for row in regimes.generator)
    if count == 0 or not square:
        fault("generator", "a square matrix", "another shape", "writing a rate for each pair")
        return
    for number, row in enumerate(regimes.generator, start=1):
        if abs(sum(row)) > 1e-9 or any(row[k] < 0 for k in range(count) if k != number - 1):
            expected = "rates that are not negative off the diagonal, and rows that sum to 0"
            fault("generator", expected, f"row {number}: {list(row)}", "mending the diagonal")
    for key, values in (("start", regimes.start), ("hazard_per_year", regimes.hazard_per_year)):
        if len(values) != count:
            fault(key, f"{count} numbers, one a regime", str(len(values)), "writing one for each")
    if abs(sum(regimes.start) - 1.0) > 1e-9:
        fault("start", "probabilities that sum to 1", f"{sum(regimes.start):g}", "scaling them")


def check_name(name: str, study: PoolFile, document: Document, out: Problems) -> None:
    """Check one name against itself."""
    one = study.names[name]

    def fault(key: str, expected: str, got: object, mend: str) -> None:
        at = document.place(("names", name, key))
        out.add(at, f"names.{name}.{key}", expected=expected, got=got, mend=mend)

    given = [key for key in CURVES if getattr(one, key) is not None]
    if len(given) > 1 or (not given and study.regimes is None):
        got = " and ".join(given) or "nothing"
        fault(given[-1] if given else "pd", f"one of {', '.join(CURVES)}", got, "keeping one")
    if one.rating is not None and notch(one.rating) is None:
        mend = did_you_mean(one.rating, NOTCHES, "writing a notch such as Baa2 or BBB")
        fault("rating", "a Moody's or S&P notch", repr(one.rating), mend)
    if one.pd is not None:
        rising = all(a <= b for a, b in zip((0.0, *one.pd), one.pd, strict=False))
        if not rising or one.pd[-1] >= 1.0:
            fault("pd", "cumulative probabilities that rise and stay below 1", one.pd, "mending it")
    if (one.lgd is None) == (one.collateral_usd_m is None):
        got = "neither" if one.lgd is None else "both"
        fault("lgd", "lgd or collateral_usd_m", got, "keeping one")
    if one.lgd is not None and one.lgd_sd > 0.0:
        limit = math.sqrt(one.lgd * (1.0 - one.lgd))
        if one.lgd_sd >= limit:
            fault("lgd_sd", f"less than {limit:.4g}", f"{one.lgd_sd:g}", "lowering it")
    if one.lgd_loadings and not (one.lgd is not None and 0.0 < one.lgd < 1.0 and not one.lgd_sd):
        expected = "none, or an lgd between 0 and 1 without lgd_sd"
        fault("lgd_loadings", expected, list(one.lgd_loadings), "leaving one of them out")
    if one.granular and study.regimes is not None:
        fault("granular", "false in a study with regimes", "true", "writing out the borrowers")
    if (one.loan_rate is None) != (one.loan_months is None):
        key = "loan_rate" if one.loan_rate is None else "loan_months"
        fault(key, "both of a loan or neither", "one", f"adding {key}")
    for key in ("loadings", "lgd_loadings"):
        total = sum(b * b for b in getattr(one, key))
        if total > 1.0 + 1e-12:
            fault(key, "squares that sum to at most 1", f"{total:g}", "lowering them")


def resolve_name(
    name: str, one: pool_schema.PoolName, horizon: int, factors: int, curves: Curves
) -> PoolName:
    """Return a name in the model's units."""
    collateral = None
    if one.collateral_usd_m is not None:
        collateral = Collateral(
            one.collateral_usd_m,
            one.collateral_monthly_factor,
            one.sale_cost,
            one.sale_lag_months,
        )
    return PoolName(
        id=name,
        exposure=one.exposure_usd_m,
        loan_rate=one.loan_rate or 0.0,
        loan_months=one.loan_months or 0,
        hazard_per_year=hazards_of(one, horizon, curves),
        loss_mean=one.lgd if one.lgd is not None else 0.0,
        loss_sd=one.lgd_sd if one.lgd is not None else 0.0,
        collateral=collateral,
        loadings=one.loadings or (0.0,) * factors,
        loss_loadings=one.lgd_loadings,
        granular=one.granular,
    )


def hazards_of(one: pool_schema.PoolName, horizon: int, curves: Curves) -> tuple[float, ...]:
    """Return hazards by year: of a curve, a rating or probabilities; 0 if only regimes strike."""
    if one.hazard_per_year is not None:
        return one.hazard_per_year
    if one.rating is not None:
        number = notch(one.rating)
        assert number is not None
        return curve(curves, number)
    if one.pd is None:
        return (0.0,)
    if len(one.pd) == 1:
        return (-math.log1p(-one.pd[0]) * 12.0 / horizon,)
    survived = [0.0, *(-math.log1p(-pd) for pd in one.pd)]
    return tuple(b - a for a, b in pairwise(survived))
