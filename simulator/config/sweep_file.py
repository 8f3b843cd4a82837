"""A sweep file, and axes of the command line, to points: what each of them changes of the study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from simulator.config.errors import ConfigError, Problem, Problems
from simulator.config.loader import Document, read_document
from simulator.config.messages import note_errors
from simulator.config.overrides import parse_assignment
from simulator.config.sweep_axes import Axis, Value, axes_of, combined
from simulator.config.sweep_schema import DESIGNS, SWEEP_SCHEMA, SweepFile

__all__ = ["BASE", "SCENARIO", "Point", "Sweep", "assigned", "read_sweep"]

BASE: Final = "base"
"""Name of the point without changes, which all others are compared with."""

SCENARIO: Final = "scenario"
"""Dimension or coordinate of the scenarios of a sweep."""


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a sweep.

    Attributes
    ----------
    coordinates : mapping
        By axis, scenario among them: what tells it from the others.
    overrides : mapping
        Values by dotted key.
    scenarios : tuple of Path
        Overlays.
    places : mapping of str to str
        Where each override stands.
    seed : int
        Of its paths.
    """

    coordinates: Mapping[str, Any]
    overrides: Mapping[str, Any]
    scenarios: tuple[Path, ...]
    places: Mapping[str, str]
    seed: int

    def __str__(self) -> str:
        """Return what is changed, in words."""
        return ", ".join(f"{key}={value}" for key, value in self.coordinates.items()) or BASE


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep as read.

    Attributes
    ----------
    name : str
        Of the folder of its tables.
    study : Path
        The base study.
    method, random_numbers : str
        As the file says.
    axes : mapping of str to tuple
        Labels by dimension if points form a grid; empty if they stand in a row.
    points : tuple of Point
        In order; the last axis of a grid is the fastest.
    base : Point
        The study without changes but those that all points share.
    paths, seed : int
        Of each point; seeds differ if random numbers are independent.
    """

    name: str
    study: Path
    method: str
    random_numbers: str
    axes: Mapping[str, tuple[Any, ...]]
    points: tuple[Point, ...]
    base: Point
    paths: int
    seed: int


@dataclass(slots=True)
class _Draft:
    """What stands in a sweep file, or behind --set."""

    document: Document
    file: SweepFile
    folder: Path
    shared: dict[str, Value] = field(default_factory=dict)
    axes: list[Axis] = field(default_factory=list)


def read_sweep(
    path: str | Path,
    assignments: Sequence[str] = (),
    paths: int | None = None,
    seed: int | None = None,
) -> Sweep:
    """Read a sweep.

    Parameters
    ----------
    path
        The sweep file; or a study file, whose axes are all `assignments`.
    assignments
        ``key=value`` for all points, ``key=value,value`` as an axis; they win over the file.
    paths, seed
        Instead of those of the file.

    Returns
    -------
    Sweep
        Its points; their studies are not read yet.

    Raises
    ------
    ConfigError
        With all faults of the file.
    """
    out, path = Problems(), Path(path)
    document = read_document(path, out, "a sweep file")
    if not document.tree and out:
        raise ConfigError(out.found)
    if str(document.tree.get("schema", "")).startswith(("neobox.study/", "neobox.credit/")):
        tree = {"schema": SWEEP_SCHEMA, "name": path.stem, "base": path.name}
        document = Document(str(path), tree)
    try:
        file = SweepFile.model_validate(document.tree)
    except ValidationError as error:
        note_errors(error, SweepFile, document.place, out)
        raise ConfigError(out.found) from None
    if paths or seed is not None:
        seed = file.seed if seed is None else seed
        file = file.model_copy(update={"paths": paths or file.paths, "seed": seed})
    draft = _Draft(document, file, path.parent)
    draft.shared = {
        key: Value(value, document.place(("set", key))) for key, value in file.set.items()
    }
    draft.axes = axes_of(document, file.axes, file.method, out)
    for text in assignments:
        _assign(draft, text)
    _check(draft, out)
    scenarios = _scenarios(draft, out)
    if out:
        raise ConfigError(out.found)
    return _laid_out(draft, scenarios, file.name or path.stem)


def assigned(text: str) -> tuple[str, list[Any]]:
    """Return key and values of ``key=value,value``.

    Examples
    --------
    >>> assigned("dem.sigma=0.2,0.3"), assigned("tape=[a,b],[c]"), assigned("copula.kind=t")
    (('dem.sigma', [0.2, 0.3]), ('tape', [['a', 'b'], ['c']]), ('copula.kind', ['t']))
    """
    key, equals, value = text.partition("=")
    name, values = parse_assignment(f"{key}=[{value}]" if equals else text)
    return name, values if isinstance(values, list) else [values]


def _assign(draft: _Draft, text: str) -> None:
    """Take an axis, or a value that all points share, from the command line."""
    key, values = assigned(text)
    place = f"--set {key}"
    draft.axes = [axis for axis in draft.axes if axis.key != key]
    draft.shared.pop(key, None)
    if len(values) == 1:
        draft.shared[key] = Value(values[0], place)
    else:
        draft.axes.append(Axis(key, tuple(Value(one, place) for one in values), place))


def _check(draft: _Draft, out: Problems) -> None:
    """Check what belongs to the whole sweep."""
    file, document = draft.file, draft.document

    def fault(key: str, expected: str, got: object, mend: str) -> None:
        out.add(document.place((key,)), key, expected=expected, got=got, mend=mend)

    if not draft.axes and not file.scenarios and not out:
        fault("axes", "something that varies", "nothing", "adding axes, scenarios or --set a.b=1,2")
    if file.method == "list" and draft.axes:
        mend = "method: grid, which crosses scenarios and axes"
        fault("method", "list with scenarios alone", f"{len(draft.axes)} axes", mend)
    if file.method in DESIGNS and file.points is None:
        fault(
            "points", f"a number of points for method {file.method}", "nothing", "adding points: 64"
        )
    if file.method not in DESIGNS and file.points is not None:
        mend = "removing it, or method: sobol"
        fault("points", f"none, as method {file.method} says how many there are", file.points, mend)
    if file.method == "zip" and len({len(axis.values) for axis in draft.axes}) > 1:
        got = ", ".join(f"{axis.key}: {len(axis.values)}" for axis in draft.axes)
        fault("axes", "as many values on each axis", got, "adding some, or method: grid")
    for axis in draft.axes:
        if axis.key in draft.shared or axis.key == SCENARIO:
            place, mend = draft.shared.get(axis.key, axis).place, "removing one of the two"
            out.add(place, axis.key, expected="a key that no axis has", got="one", mend=mend)


def _scenarios(draft: _Draft, out: Problems) -> dict[str, Path | dict[str, Value]]:
    """Read the scenarios: files by path, blocks as values by key."""
    found: dict[str, Path | dict[str, Value]] = {}
    varied = {axis.key: axis for axis in draft.axes}
    for name, said in draft.file.scenarios.items():
        where = ("scenarios", name)
        place = draft.document.place(where)
        if isinstance(said, str):
            found[name] = draft.folder / said
        elif isinstance(said, dict) or said is None:
            block = said or {}
            for key in block:
                if key in varied:
                    at = draft.document.place((*where, key))
                    expected, mend = "a key that no axis has", "removing one of the two"
                    got = f"the axis at {varied[key].place}"
                    out.add(at, f"scenarios.{name}.{key}", expected=expected, got=got, mend=mend)
            found[name] = {
                key: Value(value, draft.document.place((*where, key)))
                for key, value in block.items()
            }
        else:
            expected, mend = "a file, or values by dotted key", "writing {dem.sigma: 0.3}"
            out.add(place, f"scenarios.{name}", expected=expected, got=said, mend=mend)
    return found


def _laid_out(draft: _Draft, scenarios: Mapping[str, Path | dict[str, Value]], name: str) -> Sweep:
    """Cross scenarios with the points of the axes."""
    file = draft.file
    rows = combined(draft.axes, file.method, file.points, file.design_seed)
    whole: list[tuple[str | None, tuple[Value, ...]]] = [
        (scenario, row) for scenario in (scenarios or (None,)) for row in rows
    ]
    points = []
    for number, (scenario, row) in enumerate(whole):
        said = dict(draft.shared)
        coordinates: dict[str, Any] = {}
        overlays: tuple[Path, ...] = ()
        if scenario is not None:
            coordinates[SCENARIO] = scenario
            chosen = scenarios[scenario]
            if isinstance(chosen, Path):
                overlays = (chosen,)
            else:
                said |= chosen
        for axis, value in zip(draft.axes, row, strict=True) if row else ():
            said[axis.key] = value
            coordinates[axis.key] = label(value.value)
        seed = file.seed if file.random_numbers == "common" else _seed(file.seed, number)
        points.append(_point(coordinates, said, overlays, seed))
    axes: dict[str, tuple[Any, ...]] = {}
    if scenarios and (file.method in ("grid", "list") or not draft.axes):
        axes[SCENARIO] = tuple(scenarios)
    if file.method == "grid":
        axes |= {axis.key: tuple(label(one.value) for one in axis.values) for axis in draft.axes}
    _refuse_twins(axes, draft)
    return Sweep(
        name=name,
        study=draft.folder / file.base,
        method=file.method,
        random_numbers=file.random_numbers,
        axes=axes,
        points=tuple(points),
        base=_point({}, draft.shared, (), file.seed),
        paths=file.paths,
        seed=file.seed,
    )


def _refuse_twins(axes: Mapping[str, tuple[Any, ...]], draft: _Draft) -> None:
    """Refuse a grid of which two points would have one label."""
    problems = []
    for axis in draft.axes:
        labels = axes.get(axis.key, ())
        for position, one in enumerate(labels):
            if one in labels[:position]:
                place, path = axis.values[position].place, f"axes.{axis.key}"
                again = f"{one!r} again"
                problems.append(Problem(place, path, "each value once", again, "removing it"))
    if problems:
        raise ConfigError(problems)


def _point(
    coordinates: Mapping[str, Any],
    said: Mapping[str, Value],
    scenarios: tuple[Path, ...],
    seed: int,
) -> Point:
    overrides = {key: one.value for key, one in said.items()}
    places = {key: one.place for key, one in said.items()}
    return Point(coordinates, overrides, scenarios, places, seed)


def label(value: Any) -> Any:
    """Return a value as a label of a dimension: itself, or text of a list or block."""
    if isinstance(value, (list, dict)) or value is None:
        return "+".join(map(str, value)) if isinstance(value, list) else str(value)
    return value


def _seed(seed: int, number: int) -> int:
    """Return the seed of a point whose random numbers are its own."""
    import hashlib

    digest = hashlib.blake2b(f"{seed} {number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
