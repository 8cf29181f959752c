"""Tasks in real worker processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import dask

from rarelabels.engine import Engine


def test_workers_are_never_paused_and_end_when_they_are_full() -> None:
    """A paused worker would wait for ever, for nothing frees what fills it; a full one is begun anew."""

    def setting(task: str, _: Callable[[dict[str, Any]], None]) -> object:
        return dask.config.get(f"distributed.worker.memory.{task}")

    with Engine(1) as engine:
        tasks = ["pause", "spill", "target", "terminate"]
        found = dict(engine.map(setting, tasks, lambda *_: None))
    assert found == {0: False, 1: False, 2: False, 3: 0.95}
