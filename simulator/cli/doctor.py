"""`neobox doctor`: what is installed, where it comes from, and whether it works."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Callable, Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote, urlparse

import click

PACKAGES: Final = tuple(
    "neobox numpy numba llvmlite scipy xarray pandas zarr pydantic PyYAML joblib matplotlib "
    "Jinja2 click".split()
)
EXTRAS: Final = {
    "dask": ("dask", "distributed"),
    "netcdf": ("h5netcdf", "h5py"),
    "tape": ("xlsxwriter", "pyarrow"),
}

EPILOG = """\b
Examples:
  neobox doctor
  neobox doctor --json > doctor.json

Nothing is compiled and nothing is written. Put the output into a report of a fault.
"""


class Check(NamedTuple):
    """Something that was looked at."""

    name: str
    ok: bool
    found: str


@click.command(epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Print versions, folders and checks; exit code 1 if one of them fails."""
    found: dict[str, Any] = {
        "versions": versions(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cores": os.cpu_count(),
        "extras": {
            extra: all(find_spec(name) is not None for name in names)
            for extra, names in EXTRAS.items()
        },
    }
    checks = list(run_checks())
    if as_json:
        click.echo(json.dumps({**found, "checks": [check._asdict() for check in checks]}, indent=2))
    else:
        click.echo(as_text(found, checks))
    ctx.exit(0 if all(check.ok for check in checks) else 1)


def versions() -> dict[str, str]:
    """Return the versions of the packages, "missing" where one is not installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "missing"
    return found


def run_checks() -> Iterator[Check]:
    """Run all checks; one that raises has failed."""
    checks: dict[str, Callable[[], tuple[bool, str]]] = {
        "package": where_from,
        "kernel cache": cache_folder,
        "random numbers": random_numbers,
        "model data": model_data,
    }
    for name, check in checks.items():
        try:
            ok, text = check()
        except Exception as error:  # whatever it is, the doctor tells it
            ok, text = False, f"{type(error).__name__}: {error}"
        yield Check(name, ok, text)


def where_from() -> tuple[bool, str]:
    """Tell whether `simulator` is the package that is installed as neobox, not one of that name."""
    import simulator

    here = Path(simulator.__file__).resolve().parent
    installed = metadata.distribution("neobox")
    expected = Path(str(installed.locate_file("simulator"))).resolve()
    source = json.loads(installed.read_text("direct_url.json") or "{}")
    if source.get("dir_info", {}).get("editable"):
        expected = Path(unquote(urlparse(source["url"]).path)).resolve() / "simulator"
    if here == expected:
        return True, str(here)
    return False, f"{here} is imported, but neobox is installed in {expected}"


def cache_folder() -> tuple[bool, str]:
    """Tell where compiled kernels are kept, and whether they are there."""
    from simulator.engine.compilation import has_compiled
    from simulator.numerics.jit import JIT_DISABLED

    if JIT_DISABLED:
        return True, "NUMBA_DISABLE_JIT is set: plain Python, a thousand times slower"
    folder = Path(os.environ["NUMBA_CACHE_DIR"])
    state = "compiled" if has_compiled() else "not compiled yet: neobox warmup"
    return os.access(folder, os.W_OK), f"{folder} ({state})"


def random_numbers() -> tuple[bool, str]:
    """Compare the generator with a published answer (Philox4x32-10, all counters and keys 0)."""
    from simulator.numerics.philox import philox4x32_10

    words = [int(word) for word in philox4x32_10(0, 0, 0, 0, 0, 0)]
    expected = [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    return words == expected, " ".join(f"{word:08x}" for word in words)


def model_data() -> tuple[bool, str]:
    """Read the tables that come with the package."""
    from simulator.config.parameters import parameter_table

    return True, f"{len(parameter_table())} parameters"


def as_text(found: dict[str, Any], checks: list[Check]) -> str:
    """Return the findings for a reader."""
    lines = [f"{name:16}{version}" for name, version in found["versions"].items()]
    lines.append(f"{'python':16}{found['python']} on {found['platform']}, {found['cores']} cores")
    lines += [
        f"{'extra ' + name:16}{'installed' if there else 'not installed'}"
        for name, there in found["extras"].items()
    ]
    lines.append("")
    lines += [f"{'ok' if one.ok else 'FAILED':8}{one.name:16}{one.found}" for one in checks]
    return "\n".join(lines)
