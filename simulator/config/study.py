"""The front door: a study file and its tape to `Study`, or one `ConfigError` with every fault."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from simulator.config.case import Case
from simulator.config.correlations import study_matrix
from simulator.config.crosscheck import cross_check
from simulator.config.derive import (
    BoxSummary,
    Completed,
    Deal,
    complete,
    complete_holdco,
    to_book,
    traded,
)
from simulator.config.derive.halls import note_halls
from simulator.config.derive.ledger import Ledger
from simulator.config.derive.market import Market, generations, package_names
from simulator.config.derive.names import resolve_names
from simulator.config.derive.path import market_path, monthly_forwards, switches_of
from simulator.config.derive.structures import check_structures, overlays_of, structures_of
from simulator.config.errors import ConfigError, Problem, Problems
from simulator.config.extension import read_extended
from simulator.config.loader import Document
from simulator.config.overrides import apply_overrides
from simulator.config.parameters import note_contradictions, resolve
from simulator.config.plain import canonical_json, plain_values
from simulator.config.pool_schema import POOL_SCHEMA
from simulator.config.pool_study import PoolStudy, resolve_pool
from simulator.config.priors import uncertainty
from simulator.config.ratings import package_curves, user_curves
from simulator.config.scenarios import Scenario, lay_over, read_scenario
from simulator.config.schema import Sampling, StudyFile
from simulator.config.study_reader import as_written, read_study
from simulator.config.tape import (
    KEYS,
    TABLES,
    AssetRow,
    BoxRow,
    ContractRow,
    DebtRow,
    Entry,
    Tape,
)
from simulator.config.tape_reader import read_tape
from simulator.config.terms import (
    DerivedCell,
    ModelInputs,
    World,
    currencies,
    hyperscalers,
    stressed,
)


@dataclass(frozen=True, slots=True)
class Study:
    """A resolved study: what the engine needs, and where all of it comes from.

    Parameters
    ----------
    name, description
        As the file says.
    path
        The study file.
    inputs
        Everything a path depends on besides seed and path number.
    derived
        Every value that a rule filled or an assumption stands behind.
    resolved
        The study with all defaults and blanks filled, as plain values for JSON.
    digest
        SHA-256 of the model inputs: equal digests simulate the same.
    sources
        Where each value comes from, by ``table.row.field``.
    summaries
        The boxes at a glance.
    scenarios
        Names of the overlays, in their order.
    sampling
        How paths are drawn; the model does not depend on it, so that it is no part of the digest.
    """

    name: str
    description: str
    path: Path
    inputs: ModelInputs
    derived: tuple[DerivedCell, ...]
    resolved: dict[str, Any]
    digest: str
    sources: Mapping[str, str]
    summaries: tuple[BoxSummary, ...]
    scenarios: tuple[str, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)

    @property
    def title(self) -> str:
        """Name of the study and of what was laid over it."""
        return " + ".join((self.name, *self.scenarios))

    def __repr__(self) -> str:
        """Return name, size and digest."""
        book = self.inputs.book
        facilities = len({tranche.facility for tranche in book.tranches})
        return (
            f"<Study {self.name!r}: {len(book.boxes)} boxes, {facilities} facilities,"
            f" {self.inputs.horizon} months, digest {self.digest[:12]}>"
        )


def load_study(
    path: str | Path | Mapping[str, Any],
    overrides: Mapping[str, Any] | None = None,
    scenarios: Sequence[str | Path] = (),
    places: Mapping[str, str] | None = None,
) -> Study | PoolStudy:
    """Read, check and resolve a study: of a book of deals, or of credit only.

    Parameters
    ----------
    path
        The study file (YAML), or its keys as a mapping; files that it names then stand in the
        current folder.
    overrides
        Values by dotted key, see `simulator.config.overrides`.
    scenarios
        Overlays (YAML), later ones win, see `simulator.config.scenarios`. Neither they nor the
        overrides change what was expected at t0; only keys that begin with ``reference`` do.
    places
        Where overrides stand that come from a file, by key; the others were given with ``--set``.

    Returns
    -------
    Study or PoolStudy
        The resolved study, by the ``schema`` that its file names.

    Raises
    ------
    ConfigError
        If anything is wrong, with all problems found.
    """
    out = Problems()
    if isinstance(path, str | Path):
        file = Path(path)
        document = read_extended(file, out)
    else:
        file, document = Path("study"), Document("study", copy.deepcopy(dict(path)))
    if not document.tree and out:
        raise ConfigError(out.found)
    if document.tree.get("schema") != POOL_SCHEMA:
        return _resolve_book(file, document, overrides, scenarios, places or {}, out)
    if scenarios:
        place, mend = document.place(("schema",)), "changing keys with --set"
        out.add(place, "schema", expected="no scenario", got="one", mend=mend)
    return resolve_pool(file, document, overrides or {}, out, places)


def load_book(
    path: str | Path,
    overrides: Mapping[str, Any] | None = None,
    scenarios: Sequence[str | Path] = (),
) -> Study:
    """Do the same where only a book of deals makes sense; a credit-only study is refused."""
    study = load_study(path, overrides, scenarios)
    if isinstance(study, PoolStudy):
        expected, got = "a study of a book of deals", f"a credit-only study ({POOL_SCHEMA})"
        mend = "using check, run and report for it"
        raise ConfigError([Problem(str(path), "schema", expected, got, mend)])
    return study


def _resolve_book(
    path: Path,
    document: Document,
    overrides: Mapping[str, Any] | None,
    scenarios: Sequence[str | Path],
    places: Mapping[str, str],
    out: Problems,
) -> Study:
    written = copy.deepcopy(document.tree)
    overlays = [read_scenario(Path(one), out) for one in scenarios]
    wanted: dict[str, Any] = {}
    said: dict[str, str] = {}
    for overlay in overlays:
        lay_over(document, overlay)
        wanted |= overlay.overrides
        said |= overlay.places
    for key in overrides or {}:
        said[key] = places.get(key, f"--set {key}")
    changes = apply_overrides(document, wanted | dict(overrides or {}), out, said)
    study, unsound = read_study(document, out)
    before = as_written(written, study)
    base = path.parent
    terms = resolve(study.parameters, document, ("parameters",), out)
    expected = resolve(study.reference, document, ("reference",), out)
    note_contradictions(terms, document, ("parameters",), out)
    note_contradictions(expected, document, ("reference",), out)
    matrix = study_matrix(study, document, base, terms, out)
    usual = study_matrix(before, document, base, expected, Problems())
    curves = package_curves()
    if study.ratings_table and "ratings_table" not in unsound:
        curves = user_curves(base / study.ratings_table, out) or curves
    tape = Tape({table: [] for table in TABLES}, set(TABLES), set(TABLES))
    if "tape" not in unsound:
        named = (study.tape,) if isinstance(study.tape, str) else study.tape
        tape = read_tape([base / one for one in named], document.place(("tape",)), changes, out)
    now = generations(study, terms, document, out)
    known = package_names() | (Case.names(document, "generations") or set())
    cross_check(Case(study, unsound, document, tape, frozenset(known), out))

    ledger = Ledger(out, _places(tape))
    names = resolve_names(study, terms, curves, ledger)
    planned = generations(before, expected, document, out)
    forwards = monthly_forwards(before)
    market = Market(study.start, terms, expected, now, planned, names, study, forwards)
    note_halls(study, terms, ledger)
    completed = _complete_all(tape, market, ledger, unsound)
    if out:
        raise ConfigError(out.found)
    book = replace(
        to_book(completed, market, ledger),
        structures=structures_of(study),
        overlays=overlays_of(study),
    )
    check_structures(study, book, document, out)
    switches = switches_of(study)
    priors = uncertainty(study.uncertainty, terms, switches["priors"], document, out)
    inputs = ModelInputs(
        horizon=study.horizon_months,
        parameters=dict(terms),
        switches=switches | {"priors": switches["priors"] and priors is None},
        correlations=matrix,
        sofr_forwards=monthly_forwards(study),
        copula_nu=float(study.copula.nu) if study.copula.kind == "t" else 0.0,
        path=market_path(study, book, document, out),
        uncertainty=priors,
        waterfall=tuple(study.waterfall),
        book=book,
        expected=World(
            parameters=dict(expected),
            switches=switches_of(before),
            correlations=usual,
            sofr_forwards=forwards,
            generations=traded(planned, book.boxes),
            jurisdictions=tuple(sorted(before.jurisdictions.items())),
            hyperscalers=hyperscalers(book.names),
            currencies=currencies(book),
            stressed=stressed(book.names),
        ),
    )
    if out:
        raise ConfigError(out.found)
    return _resolved(path, study, inputs, tape, completed, ledger, overlays)


def with_inputs(study: Study, inputs: ModelInputs) -> Study:
    """Return a study with other model inputs and a digest of its own; its tape stays as read."""
    plain, digest = _digested(inputs)
    resolved = {**study.resolved, "digest": digest, "inputs": plain}
    return replace(study, inputs=inputs, resolved=resolved, digest=digest)


def _digested(inputs: ModelInputs) -> tuple[Any, str]:
    """Return model inputs as plain values, and their digest."""
    plain = plain_values(asdict(inputs))
    return plain, hashlib.sha256(canonical_json(plain).encode()).hexdigest()


def _places(tape: Tape) -> dict[tuple[str, str], str]:
    return {
        (table, str(entry.cells.get(KEYS[table], ""))): entry.place
        for table in TABLES
        for entry in tape.entries[table]
    }


def _complete_all(tape: Tape, market: Market, ledger: Ledger, unsound: frozenset[str]) -> Completed:
    """Complete every deal that nothing is wrong with so far."""
    completed = Completed()
    if tape.unreadable or tape.incomplete or "start" in unsound:
        return completed
    at_fault = set(ledger.out.spoilt)
    for deal in _deals(tape, at_fault, market):
        done = complete(deal, market, ledger)
        if done:
            completed.deals.append(done[0])
            completed.summaries.append(done[1])
    for place, row in tape.sound("debt", DebtRow):
        if row.box is None and place not in at_fault:
            full = complete_holdco(row, market, ledger)
            if full:
                completed.holdco.append(full)
    return completed


def _deals(tape: Tape, at_fault: set[str], market: Market) -> list[Deal]:
    """Return the boxes whose rows are all sound, in the order of ids."""

    def rows_of(table: str, box: str) -> list[Entry]:
        return [one for one in tape.entries[table] if str(one.cells.get("box", "")).strip() == box]

    deals = []
    for _, box in sorted(tape.sound("boxes", BoxRow), key=lambda item: item[1].box):
        entries = {table: rows_of(table, box.box) for table in TABLES}
        rows = {table: [one.row for one in entries[table]] for table in TABLES}
        sound = all(
            one.row is not None and one.place not in at_fault
            for table in TABLES
            for one in entries[table]
        )
        deal = Deal(
            box,
            tuple(row for row in rows["debt"] if isinstance(row, DebtRow)),
            tuple(row for row in rows["contracts"] if isinstance(row, ContractRow)),
            tuple(row for row in rows["assets"] if isinstance(row, AssetRow)),
        )
        payers = {row.offtaker for row in deal.contracts}
        payers |= {row.backstop for row in deal.contracts if row.backstop}
        ready = box.generation in market.planned and payers <= market.names.keys()
        served = {row.contract for row in deal.contracts} <= {row.contract for row in deal.assets}
        if sound and ready and served and deal.tranches and deal.assets:
            deals.append(deal)
    return deals


def _resolved(
    path: Path,
    study: StudyFile,
    inputs: ModelInputs,
    tape: Tape,
    completed: Completed,
    ledger: Ledger,
    overlays: Sequence[Scenario],
) -> Study:
    derived = tuple(ledger.cells[key] for key in sorted(ledger.cells))
    plain, digest = _digested(inputs)
    resolved = {
        "schema": "neobox.resolved/1",
        "digest": digest,
        "scenarios": [
            {"name": one.name, "description": one.description, "text": one.text} for one in overlays
        ],
        "study": study.model_dump(mode="json", by_alias=True),
        "tape": {
            table: [row.model_dump(mode="json") for row in completed.table(table)]
            for table in TABLES
        },
        "inputs": plain,
        "derived": [plain_cell(cell) for cell in derived],
    }
    return Study(
        name=study.name,
        description=study.description,
        path=path,
        inputs=inputs,
        derived=derived,
        resolved=resolved,
        digest=digest,
        scenarios=tuple(one.name for one in overlays),
        sources=_sources(tape, ledger),
        summaries=tuple(completed.summaries),
        sampling=study.sampling,
    )


def plain_cell(cell: DerivedCell) -> dict[str, Any]:
    """Return a cell as plain values; `asdict` would take most of the time of a study."""
    return {one.name: plain_values(getattr(cell, one.name)) for one in fields(cell)}


def _sources(tape: Tape, ledger: Ledger) -> dict[str, str]:
    """Return where each value comes from: place and source of its row, or the rule."""
    sources = {}
    for table in TABLES:
        for entry in tape.entries[table]:
            name = str(entry.cells[KEYS[table]])
            told = str(entry.cells.get("source", ""))
            for column in entry.cells:
                if column not in ("source", "assumed"):
                    where = f"{entry.place}; {told}" if told else entry.place
                    sources[f"{table}.{name}.{column}"] = where
    for (table, name, column), cell in sorted(ledger.cells.items()):
        kind = "assumed" if cell.assumed else "rule"
        sources[f"{table}.{name}.{column}"] = f"{kind}: {cell.rule}"
    return sources
