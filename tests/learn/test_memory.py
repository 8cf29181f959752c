"""The high-water mark follows what is allocated, and begins anew."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from rarelabels.learn import memory
from rarelabels.learn.memory import Peak

MANY = 200 * 2**20


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_the_peak_is_of_what_was_allocated_since() -> None:
    first = Peak()
    np.ones(MANY, np.uint8).sum()
    high = first.bytes()
    assert high is not None
    second = Peak()
    low = second.bytes()
    assert low is not None
    assert 0.9 * MANY < high < 2 * MANY
    assert low < 0.1 * MANY
    assert 0 <= second.facts()["memory_rise_bytes"] < 0.1 * MANY


def test_nothing_is_told_where_nothing_can_be(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setattr(memory, "_CLEAR", tmp_path / "nowhere" / "clear_refs")
    assert Peak().facts() == {}
    monkeypatch.setattr(memory, "_CLEAR", tmp_path / "clear_refs")
    monkeypatch.setattr(memory, "_STATUS", tmp_path / "status")
    assert Peak().facts() == {}
