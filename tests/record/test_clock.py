"""A clock elsewhere is asked once, and followed from there."""

from __future__ import annotations

import time

import pytest

from rarelabels.record import clock
from rarelabels.record.clock import Clock


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that have passed here, which a test sets."""
    seconds = [0.0]
    monkeypatch.setattr(time, "clock_gettime", lambda _: seconds[0])
    return seconds


def test_it_is_asked_once_a_minute_and_followed_meanwhile(passed: list[float]) -> None:
    answers = iter([1000.0, 5000.0])
    there = Clock(lambda: next(answers))
    assert there.now() == 1000.0
    passed[0] = clock.ASKED_EVERY - 1
    assert there.now() == 1000.0 + clock.ASKED_EVERY - 1
    passed[0] = clock.ASKED_EVERY + 1
    assert there.now() == 5000.0


def test_what_it_said_with_another_answer_saves_the_question(passed: list[float]) -> None:
    def ask() -> float:
        raise AssertionError("asked, though it has just said what time it is")

    there = Clock(ask)
    there.says(300.0)
    passed[0] = 5.0
    assert there.now() == 305.0
