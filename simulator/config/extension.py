"""A study that extends another: the keys of the other, and its own laid over them.

Unlike a scenario it changes what the study is, what was expected at t0 included.
"""

from __future__ import annotations

from pathlib import Path

from simulator.config.errors import Problems
from simulator.config.loader import Document, read_document
from simulator.config.scenarios import lay

__all__ = ["read_extended"]

KEY = "extends"


def read_extended(path: Path, out: Problems) -> Document:
    """Read a study file, with the one that it extends beneath it.

    Parameters
    ----------
    path
        The study file.
    out
        Takes the problems of both files.

    Returns
    -------
    Document
        Every key stands where it was written, in one file or the other. Mappings are merged, key
        by key; all else replaces what stands there.
    """
    document = read_document(path, out)
    name = document.tree.get(KEY)
    if not name:
        return document
    at = document.place((KEY,))
    if not isinstance(name, str) or Path(name).name != name or name == path.name:
        expected = "the name of another study file of the same folder"
        out.add(at, KEY, expected=expected, got=repr(name), mend="writing for example base.yaml")
        return document
    base = read_document(path.parent / name, out, "the study that is extended")
    if not base.tree:
        return document
    if base.tree.get(KEY):
        expected, got = "a study that extends none", f"{name}, which extends {base.tree[KEY]}"
        out.add(at, KEY, expected=expected, got=got, mend=f"extending {base.tree[KEY]}")
        return document
    for key in document.tree:
        lay(base, key, document)
    base.places[()] = document.place(())
    return base
