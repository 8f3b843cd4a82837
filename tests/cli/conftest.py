"""The command line in the test's own process, and a study to call it on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from simulator.cli import main
from simulator.config.template import write_template


@pytest.fixture
def call() -> Callable[..., Result]:
    """Run `neobox` with some arguments."""
    return lambda *arguments: CliRunner().invoke(main, [str(one) for one in arguments])


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Return the study of a fresh template."""
    return write_template(tmp_path / "template")[0]
