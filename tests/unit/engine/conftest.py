"""One small study, its engine compiled once, and its results as bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulator.config.study import Study, load_study
from simulator.config.template import write_template
from simulator.engine.prepare import Prepared, prepare
from tests.unit.engine.small import OVERRIDES


@pytest.fixture(scope="session")
def study_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the template's study."""
    return write_template(tmp_path_factory.mktemp("study"))[0]


@pytest.fixture(scope="session")
def study(study_file: Path) -> Study:
    """Return the template's study, two years long, without the compensator's pilot."""
    return load_study(study_file, OVERRIDES)


@pytest.fixture(scope="session")
def prepared(study: Study) -> Prepared:
    """Return that study, ready to run."""
    return prepare(study.inputs)


@pytest.fixture(scope="session")
def baseline(study: Study) -> dict[str, Any]:
    """Return the results of a run in one piece."""
    from tests.unit.engine.small import results

    return results(study)
