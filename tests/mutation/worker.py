"""One pytest session that collects the tests and then, in forked children, runs them on mutants.

    python -m tests.mutation.worker map   FOLDER
    python -m tests.mutation.worker judge FOLDER  < mutants
    python -m tests.mutation.worker fresh FOLDER MUTANT

``map`` notes which lines of the kernels each test runs, and how long it takes; ``judge`` runs the
tests that reach a mutant, cheapest first, until one fails. ``fresh`` does it for a fault that acts
when its module is loaded: with a process of its own. Started by `tests.mutation`, in a copy of the
tree, without the compiler.
"""

from __future__ import annotations

import gc
import json
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import coverage
import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.children import allow, in_child
from tests.mutation.faults import put_in, put_in_on_import
from tests.mutation.sites import ROOMS, Site

ROOT = Path(__file__).resolve().parents[2]
TESTS = ("tests/properties", "tests/validation", "tests/unit", "tests/stylised")
ELSEWHERE = (
    "analytics",
    "book",
    "calibration",
    "config",
    "dataset",
    "numerics",
    "reports",
    "verification",
)
"""Units that no kernel of the rooms is needed for."""
ALSO = ("tests/properties/test_oracle.py::test_they_agree_on_any_study",)
"""Tests that take too long for the suite without the compiler, and are worth it here."""
SECONDS = 40.0
"""Processor time that a test may take without the compiler and without a fault."""
PATIENCE = 5.0
"""What a test may take with a fault, over what it takes without; half a minute more besides."""

Send = Callable[[Any], None]


def run_test(item: pytest.Item, following: pytest.Item | None = None) -> str:
    """Run a test; return why it failed, or nothing."""
    reports = runtestprotocol(item, nextitem=following, log=False)
    if any(report.skipped for report in reports):
        return "skipped"
    failed = [report for report in reports if report.failed]
    if not failed:
        return ""
    crash = getattr(failed[0].longrepr, "reprcrash", None)
    return " ".join(crash.message.split())[:200] if crash else "failed"


class Quick:
    """Keeps what can run without the compiler, and seeks no smaller example of a failure."""

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keep tests that are marked as small enough."""
        items[:] = [one for one in items if one.get_closest_marker("nojit") or one.nodeid in ALSO]

    def pytest_sessionstart(self) -> None:
        """Set it before any test is imported, and after the tests' own settings."""
        from hypothesis import Phase, settings

        first = (Phase.explicit, Phase.generate)
        settings.register_profile("mutants", settings.default, phases=first, database=None)
        settings.load_profile("mutants")


class Mapper:
    """Instead of the tests' own run: each in a child, with its lines noted.

    Parameters
    ----------
    file : Path
        Lines of JSON, one a test; those that are there already are left.
    """

    def __init__(self, file: Path) -> None:
        self.file = file

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run all tests that are not in the file."""
        known = {one["test"] for one in map(json.loads, read_lines(self.file))}
        new = [item for item in session.items if item.nodeid not in known]
        gc.freeze()
        with self.file.open("a", encoding="utf-8") as out:
            for number, item in enumerate(new):
                found: dict[str, Any] = {}
                for message in in_child(partial(measure, item)):
                    found = message if isinstance(message, dict) else found
                    ended = message
                found.setdefault("why", str(ended))
                out.write(json.dumps({"test": item.nodeid, **found}) + "\n")
                out.flush()
                tell(f"{number + 1}/{len(new)} {item.nodeid} {found.get('seconds', found['why'])}")
        return True


def measure(item: pytest.Item, send: Send) -> None:
    """Run one test with its lines counted."""
    allow(SECONDS * 2.0)  # counting lines takes time of its own
    counter = coverage.Coverage(
        data_file=None,
        config_file=False,
        include=[str(ROOT / "simulator" / room / "*") for room in ROOMS],
    )
    start = time.process_time()
    counter.start()
    why = run_test(item)
    counter.stop()
    seconds = time.process_time() - start
    with warnings.catch_warnings(action="ignore"):  # a test may reach no kernel at all
        data = counter.get_data()
    lines = {
        Path(name).relative_to(ROOT).as_posix(): sorted(data.lines(name) or ())
        for name in data.measured_files()
    }
    send({"seconds": round(seconds, 3), "why": why, "lines": lines})


class Judge:
    """Instead of the tests' own run: those that reach a mutant, in a child with the fault in.

    Parameters
    ----------
    mutants : iterable of (Site, dict)
        Faults, each with the tests to run (by id, seconds), in order.
    report : callable
        Takes a verdict.
    loaded : bool
        Whether the fault is in already.
    """

    def __init__(
        self,
        mutants: Iterable[tuple[Site, dict[str, float]]],
        report: Callable[[dict[str, Any]], None],
        *,
        loaded: bool = False,
    ) -> None:
        self.mutants = mutants
        self.report = report
        self.loaded = loaded

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judge all mutants."""
        by_id = {item.nodeid: item for item in session.items}
        gc.freeze()
        for site, tests in self.mutants:
            items = [by_id[name] for name in tests if name in by_id]

            work = partial(judge, None if self.loaded else site, items, tests)
            self.report({"id": site.id, **verdict(in_child(work))})
        return True


def judge(
    site: Site | None, items: list[pytest.Item], seconds: Mapping[str, float], send: Send
) -> None:
    """Put a fault in, and run tests until one fails."""
    if site is not None:
        put_in(site, ROOT)
    for item in items:
        allow(30.0 + PATIENCE * seconds[item.nodeid])
        send(item.nodeid)
        if why := run_test(item):
            send({"caught": item.nodeid, "why": why})
            return


def verdict(messages: Iterable[Any]) -> dict[str, Any]:
    """Return what became of a mutant from what its child sent."""
    ran, last, found = 0, "", {}
    for message in messages:
        if isinstance(message, dict):
            found = message
        elif isinstance(message, str) and "::" in message:
            ran, last = ran + 1, message
        elif message is not None and not found:  # how the child ended
            found = {"caught": last, "why": message}
    if "error" in found:
        raise RuntimeError(found["error"])
    return {"tests": ran, "caught": found.get("caught", ""), "why": found.get("why", "")}


def read_lines(file: Path) -> list[str]:
    """Return the lines of a file, none if it is not there."""
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def tell(text: str) -> None:
    """Say what is done, past what pytest captures."""
    sys.__stdout__.write(text + "\n")
    sys.__stdout__.flush()


def session(plugin: object, *arguments: str) -> int:
    """Start pytest with a loop of our own."""
    left_out = [f"--ignore=tests/unit/{name}" for name in ELSEWHERE]
    options = ["-q", "-s", "-p", "no:cacheprovider", "-m", "not slow", "--tb=native"]
    given = [*options, *left_out, *(arguments or TESTS)]
    return int(pytest.main(given, plugins=[Quick(), plugin]))


def main(mode: str, folder: Path, *rest: str) -> int:
    """Do one of the three."""
    if mode == "map":
        return session(Mapper(folder / "map.jsonl"))

    def report(found: dict[str, Any]) -> None:
        tell(json.dumps(found))

    given = [json.loads(line) for line in sys.stdin]
    mutants = [(Site(**one["site"]), one["tests"]) for one in given]
    if mode == "fresh":
        put_in_on_import(mutants[0][0], ROOT)
    files = sorted({name.split("::")[0] for _, tests in mutants for name in tests})
    return session(Judge(mutants, report, loaded=mode == "fresh"), *files)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
