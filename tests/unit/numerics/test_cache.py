"""The kernel cache: never stale, always writable, never unbounded."""

import os
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulator.numerics import JIT_DISABLED, cache, fingerprint, source_hash

PACKAGE = Path(fingerprint.__file__).parents[1]
POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="locks and modes of POSIX")

nojit = pytest.mark.nojit


@pytest.fixture
def clean_environment(monkeypatch, tmp_path):
    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return monkeypatch


@nojit
def test_source_hash_sees_names_bytes_and_boundaries(tmp_path):
    (tmp_path / "inner").mkdir()
    one, two = tmp_path / "one.py", tmp_path / "inner" / "two.py"
    one.write_text("x = 1\n")
    two.write_text("y = 2\n")
    seen = {fingerprint.hash_sources(tmp_path)}
    (tmp_path / "notes.txt").write_text("not source")
    assert fingerprint.hash_sources(tmp_path) in seen
    two.write_text("y = 3\n")
    seen.add(fingerprint.hash_sources(tmp_path))
    two.rename(tmp_path / "inner" / "three.py")
    seen.add(fingerprint.hash_sources(tmp_path))
    one.write_text("x = 1\ny")
    (tmp_path / "inner" / "three.py").write_text(" = 3\n")
    seen.add(fingerprint.hash_sources(tmp_path))
    assert len(seen) == 4


@nojit
def test_source_hash_is_that_of_this_package():
    assert source_hash() == fingerprint.hash_sources(PACKAGE)


@nojit
def test_key_sees_versions_and_compiler_settings(monkeypatch):
    key = fingerprint.cache_key()
    assert cache.FOLDER_NAME.fullmatch(key)
    monkeypatch.setenv("NUMBA_OPT", "1")
    assert fingerprint.cache_key() != key
    monkeypatch.undo()
    assert fingerprint.cache_key() == key
    monkeypatch.setattr(fingerprint, "version", lambda _: "0.0")
    assert fingerprint.cache_key() != key


@nojit
def test_base_below_the_home_of_caches(clean_environment, tmp_path):
    assert cache.cache_base() == tmp_path / "home" / ".cache" / "neobox" / "numba"
    clean_environment.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache.cache_base() == tmp_path / "xdg" / "neobox" / "numba"
    clean_environment.setenv("XDG_CACHE_HOME", "relative")  # invalid by the XDG specification
    assert cache.cache_base() == tmp_path / "home" / ".cache" / "neobox" / "numba"


@nojit
def test_a_chosen_folder_is_kept_and_children_do_not_nest(clean_environment, tmp_path):
    clean_environment.setenv("NUMBA_CACHE_DIR", str(tmp_path / "chosen"))
    folder = cache.prepare_cache()
    assert folder == tmp_path / "chosen" / fingerprint.cache_key()
    assert os.environ["NUMBA_CACHE_DIR"] == str(folder)
    assert cache.prepare_cache() == folder


@nojit
def test_a_child_with_newer_sources_does_not_use_its_parents_kernels(clean_environment, tmp_path):
    clean_environment.setenv("NUMBA_CACHE_DIR", str(tmp_path / ("0" * 32)))
    assert cache.prepare_cache() == tmp_path / fingerprint.cache_key()


@nojit
def test_without_any_home_a_private_temporary_folder_serves(clean_environment, tmp_path):
    def no_home():
        raise RuntimeError("Could not determine home directory.")

    clean_environment.setattr(cache.Path, "home", no_home)
    clean_environment.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path))
    assert cache.cache_base() is None
    folder = cache.prepare_cache()
    assert folder.name == fingerprint.cache_key()
    assert tmp_path in folder.parents or sys.platform == "win32"


@nojit
@POSIX_ONLY
def test_an_unwritable_home_falls_back(clean_environment, tmp_path):
    (tmp_path / "file").write_text("a file where a folder should be")
    clean_environment.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    clean_environment.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = cache.prepare_cache()
    assert folder.parent == tmp_path / f"neobox-numba-{os.getuid()}"
    assert stat.S_IMODE(folder.parent.stat().st_mode) == 0o700


@nojit
@POSIX_ONLY
def test_a_temporary_folder_open_to_others_is_refused(clean_environment, tmp_path):
    """Kernels are unpickled: whoever can write them can run code as this user."""
    clean_environment.setattr(cache.tempfile, "gettempdir", lambda: str(tmp_path))
    shared = tmp_path / f"neobox-numba-{os.getuid()}"
    shared.mkdir()
    shared.chmod(0o777)
    own = cache.temporary_base()
    assert own != shared
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    shared.rmdir()
    shared.symlink_to(own)
    assert cache.temporary_base() not in (own, shared)


def make_folders(base, count):
    folders = [base / f"{number:032x}" for number in range(count)]
    for age, folder in enumerate(reversed(folders)):
        folder.mkdir(parents=True)
        (folder / "kernel.nbc").write_text("code")
        os.utime(folder, (time.time() - age * 100,) * 2)
    return folders


@nojit
@POSIX_ONLY
def test_pruning_keeps_the_newest_and_what_is_not_ours(tmp_path):
    folders = make_folders(tmp_path, 6)
    (tmp_path / "of-somebody-else").mkdir()
    (tmp_path / ("f" * 32)).write_text("a file")
    assert sorted(cache.prune(tmp_path)) == folders[:3]
    assert sorted(path for path in tmp_path.iterdir() if path.is_dir()) == [
        *folders[3:],
        tmp_path / "of-somebody-else",
    ]
    assert cache.prune(tmp_path / "missing") == []


@nojit
@POSIX_ONLY
def test_pruning_spares_a_folder_in_use(tmp_path):
    folders = make_folders(tmp_path, 5)
    holder = (
        "import sys, pathlib; from simulator.numerics import cache; "
        "cache.hold(pathlib.Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(PACKAGE.parent)}
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(folders[0])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as process:
        assert process.stdout.readline().strip() == b"held"
        os.utime(folders[0], (0, 0))
        assert cache.prune(tmp_path) == [folders[1]]
        process.stdin.close()
        process.wait()
    assert cache.prune(tmp_path) == [folders[0]]


SCRIPT = """
import hashlib, sys
import numpy as np
from simulator.caller import loop
out = np.empty(97)
loop(np.linspace(0.001, 0.999, 97), out)
hits = sum(loop.stats.cache_hits.values())
print(hits, out[0], hashlib.blake2b(out.tobytes()).hexdigest())
"""

CALLER = """
from simulator.callee import formula
from simulator.numerics import kernel

@kernel
def loop(x, out):
    for lane in range(x.shape[0]):
        out[lane] = formula(x[lane])
"""

CALLEE = """
from simulator.numerics import exp, log, normal_quantile, scalar

@scalar
def formula(x):
    return FACTOR * (exp(x) + log(x) * normal_quantile(x))
"""


@pytest.mark.skipif(JIT_DISABLED, reason="nothing is compiled")
def test_an_edit_of_a_callee_in_another_file_is_seen(tmp_path):
    """And a cached kernel gives the same bits as a freshly compiled one."""
    package = tmp_path / "simulator"
    shutil.copytree(
        PACKAGE / "numerics", package / "numerics", ignore=shutil.ignore_patterns("__pycache__")
    )
    (package / "__init__.py").write_text("")
    (package / "caller.py").write_text(CALLER)

    def run(factor):
        (package / "callee.py").write_text(CALLEE.replace("FACTOR", factor))
        environment = os.environ | {
            "PYTHONPATH": str(tmp_path),
            "NUMBA_CACHE_DIR": str(tmp_path / "kernels"),
            "PYTHONDONTWRITEBYTECODE": "1",  # of two edits in a second Python itself misses one
        }
        answer = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=tmp_path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        )
        hits, first, digest = answer.stdout.split()
        return int(hits), float(first), digest

    cold, warm, edited = run("1.0"), run("1.0"), run("2.0")
    assert (cold[0], warm[0], edited[0]) == (0, 1, 0)
    assert warm[1:] == cold[1:]
    assert edited[1] == 2.0 * cold[1]
