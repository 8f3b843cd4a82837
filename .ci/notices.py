"""Write the table of dependencies and licences in THIRD_PARTY_NOTICES.md.

Read from what is installed; a package of the lock that is not installed here (another Python,
another system) keeps the line it already has.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTICES = ROOT / "THIRD_PARTY_NOTICES.md"
START, END = "<!-- dependencies: make notices -->", "<!-- end of dependencies -->"
SHORT = {
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD 3-Clause": "BSD-3-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache-2.0 license": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "MIT License": "MIT",
    "MIT-License": "MIT",
    "Python Software Foundation License": "PSF-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}


def locked() -> list[str]:
    """Return the names in requirements.lock."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return sorted({match[1] for line in lines if (match := re.match(r"([a-z0-9][\w.-]*)==", line))})


def licence(name: str) -> str | None:
    """Return the licence a package declares, or None if it is not installed."""
    try:
        fields = metadata(name)
    except PackageNotFoundError:
        return None
    if expression := fields.get("License-Expression"):
        return expression
    classifiers = [
        text.rsplit(" :: ", 1)[1]
        for text in fields.get_all("Classifier", [])
        if text.startswith("License ::") and not text.endswith("OSI Approved")
    ]
    text = (fields.get("License") or "").strip()
    if 0 < len(text) < 40:
        return SHORT.get(text, text)
    return ", ".join(SHORT.get(name, name) for name in classifiers) or "see its own files"


def rows(known: dict[str, str]) -> list[str]:
    """Return one table row per locked package."""
    found = {name: licence(name) or known.get(name, "not installed here") for name in locked()}
    return [f"| {name} | {terms} |" for name, terms in found.items()]


def main() -> None:
    """Rewrite the table."""
    text = NOTICES.read_text(encoding="utf-8")
    before, rest = text.split(START)
    table, after = rest.split(END)
    known = dict(re.findall(r"^\| ([\w.-]+) \| (.+) \|$", table, flags=re.MULTILINE))
    lines = ["| package | licence |", "|---|---|", *rows(known)]
    NOTICES.write_text("\n".join([before + START, *lines, END + after]), encoding="utf-8")


if __name__ == "__main__":
    main()
