"""Put faults into the kernels, one at a time, and see which the tests notice.

    python -m tests.mutation                     200 faults, what is known already is not done again
    python -m tests.mutation --count 30          the first 30 of the same draw
    python -m tests.mutation --shard 1/2         every other one; the rest with --shard 2/2 --no-map
    python -m tests.mutation --only ID --only ID these, known or not
    python -m tests.mutation --survivors         those again that no test caught
    python -m tests.mutation --no-map            judge by the tests whose lines are known already
    python -m tests.mutation --within 20         by the quickest tests only, so many seconds in all
    python -m tests.mutation --report            write docs/mutation.md from what is known
    python -m tests.mutation --list              print the draw

Everything happens in a copy of the tree under build/mutants; results are appended there as they
come, so that an interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from itertools import accumulate
from pathlib import Path
from typing import Any

from tests.mutation.report import write_report
from tests.mutation.sites import SEED, Site, drawn, sites_of

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "mutants"
RESULTS = WORK / "results.jsonl"
AGREEMENT = ("test_they_agree_on_known_studies", "test_they_agree_in_corners")
"""What catches most per second comes first."""


def copied(name: str) -> Path:
    """Copy what git knows of, and what it would, as it stands now."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    tree = WORK / name
    shutil.rmtree(tree, ignore_errors=True)
    for file in filter(None, listing.decode().split("\0")):
        if (ROOT / file).is_file():
            (tree / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / file, tree / file)
    return tree


def worker(tree: Path, mode: str, given: Iterable[dict[str, Any]] = ()) -> Iterator[str]:
    """Start a worker in a copy of the tree and yield its lines."""
    clean = {name: value for name, value in os.environ.items() if name != "NUMBA_CACHE_DIR"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.mutation.worker", mode, str(WORK)],
        cwd=tree,
        env={**clean, "NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(tree)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("".join(json.dumps(one) + "\n" for one in given))
    process.stdin.close()
    yield from process.stdout
    if process.wait() and mode != "fresh":  # there the tree may not even load
        raise SystemExit(f"the worker failed ({mode}); see above")


def tests_of(site: Site, known: list[dict[str, Any]], within: float) -> dict[str, float]:
    """Return the tests that reach a site and their seconds, quickest first.

    A fault at the level of a module acts on whatever reads its names: any test may notice.
    """
    lines = range(site.first, site.last + 1)

    def reaches(one: dict[str, Any]) -> bool:
        return not site.function or any(line in lines for line in one["lines"].get(site.file, ()))

    sound = [one for one in known if one["why"] == "" and reaches(one)]

    def rank(one: dict[str, Any]) -> tuple[bool, float]:
        return not any(name in one["test"] for name in AGREEMENT), one["seconds"]

    ordered = sorted(sound, key=rank)
    spent = accumulate(one["seconds"] for one in ordered)
    chosen = [one for one, so_far in zip(ordered, spent, strict=True) if so_far <= within]
    return {one["test"]: one["seconds"] for one in chosen}


def judge(tree: Path, sites: list[Site], known: list[dict[str, Any]], within: float) -> None:
    """Judge faults and append what was found."""
    by_id = {site.id: site for site in sites}
    given = [{"site": asdict(site), "tests": tests_of(site, known, within)} for site in sites]
    unreached = [one for one in given if not one["tests"]]
    for one in unreached:
        record(by_id[one["site"]["id"]], {"tests": 0, "caught": "", "why": "no test reaches it"})
    inside = [one for one in given if one["tests"] and one["site"]["function"]]
    runs = [("judge", inside)] if inside else []
    runs += [("fresh", [one]) for one in given if one["tests"] and not one["site"]["function"]]
    for mode, some in runs:
        for line in worker(tree, mode, some):
            if line.startswith("{"):
                found = json.loads(line)
                record(by_id[found.pop("id")], found)
        if mode == "fresh" and some[0]["site"]["id"] not in read_results():
            found = {"tests": 0, "caught": "loading", "why": "the package does not load"}
            record(by_id[some[0]["site"]["id"]], found)


def record(site: Site, found: dict[str, Any]) -> None:
    """Append what became of a fault."""
    with RESULTS.open("a", encoding="utf-8") as out:
        out.write(json.dumps({**asdict(site), **found}) + "\n")
    told = f"caught by {found['caught']}: {found['why']}" if found["caught"] else "SURVIVED"
    where = f"{site.file}:{site.line} {site.kind}: {site.before} -> {site.after}"
    sys.stdout.write(f"{site.id} {where}\n    {told} ({found['tests']} tests)\n")
    sys.stdout.flush()


def read_results() -> dict[str, dict[str, Any]]:
    """Return the last that is known of each fault."""
    lines = RESULTS.read_text(encoding="utf-8").splitlines() if RESULTS.exists() else []
    return {one["id"]: one for one in map(json.loads, lines)}


def main() -> None:
    """Do what the options ask for."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--shard", default="1/1")
    parser.add_argument("--only", action="append", default=[])
    parser.add_argument("--within", type=float, default=math.inf)
    for flag in ("--survivors", "--report", "--list", "--no-map"):
        parser.add_argument(flag, action="store_true")
    asked = parser.parse_args()
    every = sites_of(ROOT)
    chosen = drawn(every, asked.count, asked.seed)
    if asked.list:
        for one in chosen:
            sys.stdout.write(f"{one.id} {one.file}:{one.line} {one.before} -> {one.after}\n")
        return
    found = read_results()
    if asked.report:
        write_report(ROOT, [found[one.id] for one in chosen if one.id in found])
        return
    if asked.only:
        chosen = [one for one in every if one.id in asked.only]
    elif asked.survivors:
        chosen = [one for one in chosen if one.id in found and not found[one.id]["caught"]]
    else:
        chosen = [one for one in chosen if one.id not in found]
    part, parts = map(int, asked.shard.split("/"))
    WORK.mkdir(parents=True, exist_ok=True)
    tree = copied(f"tree-{os.getpid()}")  # of this process: others may be at work beside it
    try:
        if not asked.no_map:
            for line in worker(tree, "map"):
                sys.stdout.write(line)
                sys.stdout.flush()
        known = [json.loads(line) for line in (WORK / "map.jsonl").read_text().splitlines()]
        judge(tree, chosen[part - 1 :: parts], known, asked.within)
    finally:
        shutil.rmtree(tree, ignore_errors=True)


if __name__ == "__main__":
    main()
