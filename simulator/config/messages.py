"""Validation errors of pydantic, said as problems: where, what was expected, how to mend it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from simulator.config.errors import Problems, did_you_mean, shown
from simulator.config.loader import Location, dotted

_KINDS = {
    "model_type": ("a block of keys", "indenting its keys below it"),
    "dict_type": ("a block of keys", "indenting its keys below it"),
    "list_type": ("a list", "writing [a, b]"),
    "tuple_type": ("a list", "writing [a, b]"),
    "string_type": ("text", "writing text, in quotes if need be"),
}


def note_errors(
    error: ValidationError,
    model: type[BaseModel],
    place: Callable[[Location], str],
    out: Problems,
) -> list[Location]:
    """Note every validation error as a problem.

    Parameters
    ----------
    error
        What pydantic found.
    model
        The model that was validated, for its keys and descriptions.
    place
        Gives the place of a location.
    out
        Takes the problems.

    Returns
    -------
    list of Location
        Where the errors are.
    """
    locations = []
    for item in error.errors(include_url=False):
        where = tuple(part for part in item["loc"] if part not in ("[file]", "[matrix]", "[key]"))
        locations.append(where)
        expected, got, mend = _said(item, where, model)
        out.add(place(where), dotted(where) or "file", expected=expected, got=got, mend=mend)
    return locations


def _said(item: Mapping[str, Any], where: Location, model: type[BaseModel]) -> tuple[str, str, str]:
    kind, got, context = item["type"], shown(item.get("input")), item.get("ctx", {})
    name = str(where[-1]) if where else ""
    if kind == "neobox":
        return context["expected"], got, context["mend"]
    if kind == "missing":
        about = _description(model, where)
        return f"a value ({about})" if about else "a value", "nothing", f"adding {name!r}"
    if kind == "extra_forbidden":
        known = _keys(model, where[:-1])
        return "a known key", repr(name), did_you_mean(name, known, "removing it")
    if kind == "literal_error":
        words = [word.strip(" '") for word in context["expected"].replace(" or ", ",").split(",")]
        choice = " or ".join(words)
        return choice, got, did_you_mean(str(item["input"]), words, f"writing {words[0]!r}")
    if kind == "string_pattern_mismatch":
        return "a name of letters, digits and . _ -", got, "renaming it"
    if kind in _KINDS:
        expected, mend = _KINDS[kind]
        return expected, got, mend
    return item["msg"], got, "correcting it"


def _keys(model: type[BaseModel], where: Location) -> Iterable[str]:
    inner = model_at(model, where)
    if inner is None:
        return ()
    return [field.alias or name for name, field in inner.model_fields.items()]


def _description(model: type[BaseModel], where: Location) -> str:
    inner = model_at(model, where[:-1])
    if inner is None or not where:
        return ""
    for name, field in inner.model_fields.items():
        if where[-1] in (name, field.alias):
            return field.description or ""
    return ""


def model_at(model: type[BaseModel], where: Location) -> type[BaseModel] | None:
    """Return the model whose keys stand at a location, None where keys are free."""
    current: Any = model
    for part in where:
        if isinstance(current, type) and issubclass(current, BaseModel):
            names = {field.alias or name: field for name, field in current.model_fields.items()}
            current = _core(names[part].annotation) if part in names else None
        elif get_origin(current) is dict:
            current = _core(get_args(current)[1])
        else:
            return None
    return current if isinstance(current, type) and issubclass(current, BaseModel) else None


def _core(annotation: Any) -> Any:
    """Return an annotation without `None` and metadata."""
    if get_origin(annotation) in (Union, UnionType):
        rest = [part for part in get_args(annotation) if part is not type(None)]
        return _core(rest[0])
    if hasattr(annotation, "__metadata__"):
        return _core(get_args(annotation)[0])
    return annotation
