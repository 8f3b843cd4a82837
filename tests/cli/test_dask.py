"""The example of docs/parallel.md: a scheduler and a worker, processes of their own."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from click.testing import Result

from simulator.dataset.files import tree_size
from simulator.dataset.scratch import ChunkWriter
from simulator.engine.cluster import disconnect

Call = Callable[..., Result]

STUDY = Path(__file__).resolve().parents[2] / "configs" / "credit-pool.yaml"
PATHS = ("--paths", "600", "--chunk", "100")


@contextmanager
def started(*arguments: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program of Dask's in a folder, until the block ends."""
    with (folder / f"{arguments[0]}.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{arguments[0]}", *arguments[1:]],
            cwd=folder,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.terminate()
            process.wait(10)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A scheduler with one worker that stands in another folder; its address."""
    folder = tmp_path_factory.mktemp("cluster")
    file = folder / "scheduler.json"
    with ExitStack() as stack:
        options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        stack.enter_context(
            started("scheduler", *options, "--scheduler-file", str(file), folder=folder)
        )
        options = ["--host", "127.0.0.1", "--nthreads", "2", "--no-dashboard"]
        stack.enter_context(
            started("worker", *options, "--scheduler-file", str(file), folder=folder)
        )
        until = time.monotonic() + 30.0
        while not file.exists():
            assert time.monotonic() < until, (folder / "scheduler.log").read_text()
            time.sleep(0.05)
        yield json.loads(file.read_text())["address"].replace("tcp://", "dask://")
        disconnect()


@pytest.fixture(scope="module")
def by_threads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    from click.testing import CliRunner

    from simulator.cli import main

    out = tmp_path_factory.mktemp("threads") / "run"
    result = CliRunner().invoke(main, ["run", str(STUDY), *PATHS, "--jobs", "2", "--out", str(out)])
    assert result.exit_code == 0, result.output
    return results_of(out)


def results_of(run: Path) -> dict[str, object]:
    """Return what a run left, byte by byte."""
    files = [file for name in ("scalars.zarr", "fans.zarr") for file in (run / name).rglob("*")]
    found: dict[str, object] = {
        str(file.relative_to(run)): file.read_bytes() for file in files if file.is_file()
    }
    return found | {"size": tree_size(run / "fans.zarr")}


@pytest.mark.parametrize("shared", [True, False])
def test_the_same_bytes_from_a_cluster(
    call: Call,
    address: str,
    by_threads: dict[str, object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    shared: bool,
) -> None:
    """Whether its workers write the chunks themselves or, on another disk, send them back."""
    written: list[object] = []
    write = ChunkWriter.write

    def count(self: ChunkWriter, *arguments: object) -> object:
        written.append(arguments[0])
        return write(self, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ChunkWriter, "write", count)
    if not shared:
        marked = ChunkWriter.marked

        def elsewhere(self: ChunkWriter) -> ChunkWriter:
            found = marked(self)
            (self.directory / ".mark").write_text("another folder of the same name")
            return found

        monkeypatch.setattr(ChunkWriter, "marked", elsewhere)
    monkeypatch.chdir(tmp_path)
    result = call("run", STUDY, *PATHS, "--executor", address, "--out", "run", "--log", "a/b.log")
    assert result.exit_code == 0, result.output
    assert results_of(tmp_path / "run") == by_threads
    assert len(written) == (0 if shared else 6)  # by this process
    log = (tmp_path / "a" / "b.log").read_text().splitlines()
    assert "100%  600 of 600 paths" in " ".join(log)
    assert log[-1].endswith("done in 0 s: run") or " done in " in log[-1]


def test_no_scheduler_no_folder(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEOBOX_DASK_PATIENCE", "1")
    out, log = tmp_path / "run", tmp_path / "run.log"
    result = call("run", STUDY, "--executor", "dask://127.0.0.1:9", "--out", out, "--log", log)
    assert result.exit_code == 5
    assert result.stderr.count("\n") == 1
    assert "tcp://127.0.0.1:9" in result.stderr
    assert not out.exists()
    assert "failed: no Dask scheduler answers" in log.read_text().splitlines()[-1]


@pytest.mark.parametrize("name", ["cloud", "dask://host", "dask:host:1"])
def test_names_of_executors(call: Call, tmp_path: Path, name: str) -> None:
    result = call("run", STUDY, "--executor", name, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert "dask://host:" in result.stderr


@pytest.mark.parametrize(("size", "told"), [("much", "such as 2GB"), ("100MB", "too little")])
def test_memory_that_cannot_be(call: Call, tmp_path: Path, size: str, told: str) -> None:
    result = call("run", STUDY, "--memory", size, "--out", tmp_path / "run")
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (tmp_path / "run").exists()
