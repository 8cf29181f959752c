"""Trials are summed up once their runs have ended, and drawn; a worker that dies of it is reported."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rarelabels.record import queries
from rarelabels.study import running
from rarelabels.study.plan import Plan
from rarelabels.study.progress_display import Progress
from small_record import Record, trial


class Workers:
    """Stand in for the engine: each task is done here, or its worker dies of it."""

    def __init__(self, *, die: bool) -> None:
        self.die, self.done = die, 0

    def map(self, function: Callable[..., Any], tasks: list[Any], *_: Any) -> Iterator[tuple[int, Any]]:
        for position, task in enumerate(tasks):
            self.done += 1
            yield position, None if self.die else function(task, lambda _: None)


def test_a_trial_is_summed_up_until_it_is_finished_and_a_worker_that_dies_of_it_is_reported(tmp_path: Path) -> None:
    record = Record(tmp_path)
    one = record.identity(trial("summed"))
    record.do([one])
    parent, _ = record.family(one)

    def sum_up(*, die: bool = False) -> tuple[int, list[str], str]:
        recorded = queries.heads(record.client, record.experiment)
        plan = Plan("tests", record.experiment, [one], recorded, [], 1, None)
        workers, progress = Workers(die=die), Progress()
        progress.console.quiet = True
        counted = running._sum_up(record.client, plan, record.where, workers, progress)  # type: ignore[arg-type]
        assert counted == (workers.done > 0)
        return counted, progress.failures, record.client.get_run(parent).info.status

    said = "tests/summed: not summed up: its worker died again and again (out of memory?)"
    assert sum_up(die=True) == (1, [said], "RUNNING")
    assert sum_up() == (1, [], "FINISHED")
    assert sum_up() == (0, [], "FINISHED")
    record.client.set_terminated(parent, "KILLED")  # cut off after its last tag and before its end
    assert sum_up() == (1, [], "FINISHED")
