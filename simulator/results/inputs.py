"""What differs between the inputs of two runs, from what their folders say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from simulator.config.tape import KEYS
from simulator.dataset.files import read_json
from simulator.dataset.folder import RESOLVED
from simulator.dataset.plan import RunPlan, flatten
from simulator.dataset.reading import read_status

__all__ = ["Change", "input_changes"]

RUN_KEYS: Final = ("seed", "paths", "horizon", "start", "sampling", "paths_per_draw")
"""Of a plan: how a study was run."""

LISTS: Final = ("id", "name")
"""What items of a list of inputs are known by."""


@dataclass(frozen=True, slots=True)
class Change:
    """One input that is not the same.

    Attributes
    ----------
    kind : str
        ``run`` (seed, paths, sampling), ``versions``, ``scenario``, ``study`` (keys),
        ``parameters``, ``tape`` (cells as given), ``derived`` (cells that a rule filled) or
        ``inputs`` (resolved ones, if nothing above accounts for the change).
    path : str
        Dotted, as ``--set`` takes it where that can be.
    before, after : object
        Plain values; None if it is not there.
    """

    kind: str
    path: str
    before: Any
    after: Any

    def as_object(self) -> dict[str, Any]:
        """Return the change as plain values for JSON."""
        return asdict(self)


def input_changes(before: str | Path, after: str | Path) -> list[Change]:
    """List what differs between the inputs of two runs.

    Parameters
    ----------
    before, after : path
        Folders of runs; they need not be complete.

    Returns
    -------
    list of Change
        In the order of the kinds.
    """
    plans = [read_status(one).plan for one in (before, after)]
    resolved = [_resolved(Path(one)) for one in (before, after)]
    found = [*_run(*plans), *_scenarios(*resolved), *_study(*resolved)]
    found += [*_parameters(*resolved), *_tape(*resolved)]
    if plans[0].digest != plans[1].digest and not any(
        one.kind not in ("run", "versions") for one in found
    ):
        found += _differences("inputs", *(_by_name(one.get("inputs", {})) for one in resolved))
    return found


def _resolved(directory: Path) -> Mapping[str, Any]:
    """Read the resolved study of a run; empty if the folder holds none."""
    path = directory / RESOLVED
    return read_json(path) if path.is_file() else {}


def _differences(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Compare nested mappings value by value."""
    one, other = flatten(before), flatten(after)
    return [
        Change(kind, path, one.get(path), other.get(path))
        for path in {**one, **other}
        if one.get(path) != other.get(path)
    ]


def _run(before: RunPlan, after: RunPlan) -> Iterator[Change]:
    """Compare how studies were run, and by which versions."""
    one, other = before.to_json(), after.to_json()
    yield from _differences("run", *({key: plan[key] for key in RUN_KEYS} for plan in (one, other)))
    yield from _differences("versions", one["versions"], other["versions"])


def _scenarios(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Compare scenarios by name: there or not, and whether their text is the same."""
    texts = [
        {one["name"]: one["text"] for one in some.get("scenarios", ())} for some in (before, after)
    ]
    for name in {**texts[0], **texts[1]}:
        values = [some.get(name) for some in texts]
        if values[0] != values[1]:
            told = "another text" if None not in values else "laid over the study"
            was, now = (None if value is None else told for value in values)
            yield Change("scenario", name, "a text" if was == "another text" else was, now)


def _study(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Compare the keys of studies, parameters and sampling left out: those are told elsewhere."""
    apart = {"parameters", "reference", "sampling"}
    keys = [
        {key: value for key, value in one.get("study", {}).items() if key not in apart}
        for one in (before, after)
    ]
    return _differences("study", *keys)


def _parameters(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Compare parameters as they count, whichever key of the study set them."""
    for prefix, path in (("", ("parameters",)), ("reference.", ("expected", "parameters"))):
        some = []
        for one in (before, after):
            inner = one.get("inputs", {})
            for key in path:
                inner = inner.get(key, {})
            some.append({prefix + key: value for key, value in inner.items()})
        yield from _differences("parameters", *some)


def _tape(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Compare tapes cell by cell; of a row that is new or gone only that is told."""
    derived = {
        (cell["table"], cell["row"], cell["field"])
        for one in (before, after)
        for cell in one.get("derived", ())
    }
    for table, key in KEYS.items():
        old, new = (
            {row[key]: row for row in one.get("tape", {}).get(table, ())} for one in (before, after)
        )
        for row in {**old, **new}:
            if row not in old or row not in new:
                gone = row not in new
                yield Change("tape", f"{table}.{row}", "a row" if gone else None, gone_or(gone))
                continue
            for field in {**old[row], **new[row]}:
                was, now = old[row].get(field), new[row].get(field)
                if was != now:
                    kind = "derived" if (table, row, field) in derived else "tape"
                    yield Change(kind, f"{table}.{row}.{field}", was, now)


def gone_or(gone: bool) -> str | None:
    """Say what stands in the later tape where a row is gone or new."""
    return None if gone else "a row"


def _by_name(value: Any) -> Any:
    """Return nested inputs with lists of named items as mappings: items keep their names."""
    if isinstance(value, Mapping):
        return {key: _by_name(inner) for key, inner in value.items()}
    if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value):
        for key in LISTS:
            if all(key in one for one in value):
                return {str(one[key]): _by_name(one) for one in value}
    return value
