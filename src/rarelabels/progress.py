"""Progress of a study on stderr: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

if TYPE_CHECKING:
    from rarelabels.runner import Task
    from rarelabels.study import Plan


class Progress:
    """Says what lies ahead, how far it is, and what failed; a context manager."""

    def __init__(self, data: Sequence[str]) -> None:
        """Take what is to be said of the data, a line each."""
        self._data = data
        self.console = Console(stderr=True, highlight=False, soft_wrap=True)
        self.failures: list[str] = []
        self._ahead = self._done = 0
        self._began = time.monotonic()
        self._epochs: dict[str, Mapping[str, Any]] = {}
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed}/{task.total} runs"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}  {task.fields[now]}"),
            console=self.console,
            disable=not sys.stderr.isatty(),
        )
        self._row = self._bar.add_task("runs", total=None, left="", now="")

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def begin(self, plans: Sequence[Plan], workers: int) -> None:
        """Say what was read, how many runs there are and, if earlier runs tell, how long they will take."""
        for line in self._data:
            self.console.print(line, markup=False)
        for plan in plans:
            runs = sum(len(task.runs) for task in plan.tasks)
            trainings = sum(not task.source for task in plan.tasks)
            shared = f" ({_count(trainings, 'training')}: trials that differ only in what they watch share one)"
            shared = shared if trainings < runs else ""
            line = f"{plan.study}: {_count(runs, 'run')} to do{shared}, {plan.finished} finished before"
            if plan.tasks and plan.seconds is not None:
                line += (
                    f"; about {duration(plan.seconds / min(workers, len(plan.tasks)))} on {_count(workers, 'worker')}"
                )
            self.console.print(line)
            self._ahead += runs
        self._began = time.monotonic()
        self._bar.update(self._row, total=self._ahead)

    def epoch(self, task: Task, event: Mapping[str, Any]) -> None:
        """Show where a run is."""
        name = _name(task)
        self._epochs[name] = event
        if self._bar.disable:
            if event["epoch"] == event["epochs"]:
                self.console.print(f"  {name}: epoch {event['epoch']}/{event['epochs']}, loss {event['loss']:.4f}")
            return
        now = [f"{n} {e['epoch']}/{e['epochs']} loss {e['loss']:.3f}" for n, e in self._epochs.items()]
        self._bar.update(self._row, now="  ".join(now[-3:]))

    def end(self, task: Task, reason: str) -> None:
        """Count the runs of a task as done, or as failed for a reason."""
        self._epochs.pop(_name(task), None)
        self._done += len(task.runs)
        names = ", ".join(f"{identity.trial.name} seed {identity.seed}" for identity, _ in task.runs)
        if reason:
            self.failures.append(f"{names}: {reason}")
        seconds = (time.monotonic() - self._began) / self._done * (self._ahead - self._done)
        left = f"about {duration(seconds)} left" if seconds else ""
        self._bar.update(self._row, completed=self._done, left=left, now="")
        self.console.print(f"[{self._done}/{self._ahead}] {'FAILED' if reason else 'done'}: {names}", markup=False)

    def summing(self, trials: int) -> None:
        """Say that trials are being summed up."""
        if trials:
            self.console.print(f"summing up {_count(trials, 'trial')} (means, intervals, figures)")


def duration(seconds: float) -> str:
    """Say seconds as people do: 42 s, 3 min 10 s, 2 h 5 min."""
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _name(task: Task) -> str:
    identity = task.runs[0][0]
    return f"{identity.trial.short_name} seed {identity.seed}"
