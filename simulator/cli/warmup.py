"""`neobox warmup`: compile the kernels before the first run."""

from __future__ import annotations

import json
import os
import time

import click

EPILOG = """\b
Examples:
  neobox warmup
  NUMBA_CACHE_DIR=/opt/neobox neobox warmup --json

Kernels are compiled once for a version of the package, of Python, Numba and NumPy, and kept in a
cache folder of the user ($NUMBA_CACHE_DIR, or ~/.cache/neobox). Call this when an image is built,
or after an installation, and runs start within seconds.
"""


@click.command(epilog=EPILOG)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def warmup(as_json: bool) -> None:
    """Compile all kernels, unless they are compiled."""
    from simulator.engine.compilation import compile_kernels, has_compiled
    from simulator.numerics.jit import JIT_DISABLED

    start, there = time.monotonic(), has_compiled()
    compile_kernels()
    found = {
        "compiled": not (there or JIT_DISABLED),
        "seconds": round(time.monotonic() - start, 1),
        "folder": None if JIT_DISABLED else os.environ["NUMBA_CACHE_DIR"],
    }
    if as_json:
        click.echo(json.dumps(found))
    elif JIT_DISABLED:
        click.echo("NUMBA_DISABLE_JIT is set: there is nothing to compile")
    else:
        told = f"compiled in {found['seconds']} s" if found["compiled"] else "are compiled"
        click.echo(f"kernels {told}: {found['folder']}")
