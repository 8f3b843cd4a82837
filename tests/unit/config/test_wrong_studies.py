"""One fault gives one message; ten faults give ten, in one go."""

from __future__ import annotations

import pickle

import pytest

from simulator.config import ConfigError, Problem
from tests.unit.config.conftest import Draft
from tests.unit.config.wrong import TEN, Wrong


def agrees(problem: Problem, wrong: Wrong) -> bool:
    return (
        wrong.place in problem.place
        and problem.path == wrong.path
        and problem.expected == wrong.expected
        and problem.got.startswith(wrong.got)
        and problem.mend == wrong.mend
    )


@pytest.mark.parametrize("name", TEN)
def test_one_fault_gives_one_message(draft: Draft, name: str) -> None:
    wrong = TEN[name]
    wrong.spoil(draft)
    problem = draft.problem()
    assert agrees(problem, wrong), str(problem)
    assert str(problem) == (
        f"{problem.place}: {problem.path}: expected {problem.expected},"
        f" got {problem.got}, mend by {problem.mend}"
    )


def test_ten_faults_give_ten_messages(draft: Draft) -> None:
    for wrong in TEN.values():
        wrong.spoil(draft)
    problems = draft.problems()
    assert len(problems) == 10, "\n".join(map(str, problems))
    for name, wrong in TEN.items():
        told = [problem for problem in problems if problem.path == wrong.path]
        assert len(told) == 1, name
        assert told[0].expected == wrong.expected


def test_the_draft_itself_is_right(draft: Draft) -> None:
    assert draft.load().name == "my-study"


def test_the_error_travels_between_processes(draft: Draft) -> None:
    TEN["unknown key"].spoil(draft)
    with pytest.raises(ConfigError) as caught:
        draft.load()
    again = pickle.loads(pickle.dumps(caught.value))
    assert again.problems == caught.value.problems
    assert str(again) == str(caught.value)
    assert again.exit_code == 2
