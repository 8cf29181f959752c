"""The high-water mark follows what is allocated, and begins anew."""

from __future__ import annotations

import sys
from pathlib import Path

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


def test_the_machine_has_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    whole = memory.machine_bytes()
    assert whole is not None
    assert whole > 2**28
    limit = tmp_path / "memory.max"
    monkeypatch.setattr(memory, "_CGROUP", limit)
    limit.write_text("268435456\n")
    assert memory.machine_bytes() == 2**28
    limit.write_text("max\n")
    assert memory.machine_bytes() == whole
