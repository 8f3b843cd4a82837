"""Putting a fault into a running interpreter: nothing on disk is ever changed."""

from __future__ import annotations

import importlib
import types
from functools import cached_property
from importlib.machinery import SourceFileLoader
from pathlib import Path
from typing import Any

from tests.mutation.sites import Site, mutated


def put_in(site: Site, root: Path) -> None:
    """Give a function that is loaded the code of its faulty self; every caller sees it.

    Only without the compiler, where functions are what Python runs.
    """
    path = root / site.file
    tree = mutated(path.read_text(encoding="utf-8"), site)
    code = code_of(compile(tree, str(path), "exec"), site.function)
    function = loaded(site)
    assert function.__code__.co_freevars == code.co_freevars
    function.__code__ = code


def loaded(site: Site) -> types.FunctionType:
    """Return the function of a site as its module holds it."""
    module = importlib.import_module(site.file.removesuffix(".py").replace("/", "."))
    found: Any = module
    for name in site.function.split("."):
        found = vars(found)[name]
    if isinstance(found, property):
        found = found.fget
    elif isinstance(found, cached_property):
        found = found.func
    found = getattr(found, "__func__", found)
    found = getattr(found, "__wrapped__", found)
    assert isinstance(found, types.FunctionType), found
    return found


def code_of(module: types.CodeType, function: str) -> types.CodeType:
    """Return the code of a function, ``Class.method`` of a method, within that of a module."""
    code = module
    for name in function.split("."):
        inner = [one for one in code.co_consts if isinstance(one, types.CodeType)]
        code = next(one for one in reversed(inner) if one.co_name == name)
    return code


def put_in_on_import(site: Site, root: Path) -> None:
    """Have the module of a site loaded with its fault; it must not be loaded yet."""
    path = root / site.file
    plain = SourceFileLoader.get_code

    def get_code(self: SourceFileLoader, fullname: str) -> types.CodeType | None:
        if Path(self.path).resolve() != path.resolve():
            return plain(self, fullname)
        tree = mutated(path.read_text(encoding="utf-8"), site)
        return compile(tree, str(path), "exec")

    SourceFileLoader.get_code = get_code  # type: ignore[method-assign]
