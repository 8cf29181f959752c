"""Progress of a study on stderr: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from rarelabels.errors import counted, without_password


class Progress:
    """Shows how many runs are done and left, and collects failures; a context manager."""

    def __init__(self) -> None:
        # Without force_jupyter=False, rich prints HTML among the results of a notebook's cell. With markup or emoji, it
        # changes names.
        self.console = Console(
            stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True, force_jupyter=False
        )
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
            TextColumn("{task.fields[left]}  {task.fields[now]}", markup=False),
            console=self.console,
            disable=not sys.stderr.isatty(),
        )
        self._row = self._bar.add_task("runs", total=None, left="", now="")

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def say(self, lines: Iterable[str]) -> None:
        """Print lines."""
        for line in lines:
            self.console.print(line)

    def begin(self, ahead: int) -> None:
        """Begin to count the ``ahead`` runs that are to be done."""
        self._ahead, self._done, self._began = ahead, 0, time.monotonic()
        self._epochs.clear()
        self._bar.reset(self._row, total=ahead, left="", now="")

    def epoch(self, name: str, event: Mapping[str, Any]) -> None:
        """Show the progress of a run: the event has ``epoch``, ``epochs`` and ``loss``."""
        self._epochs[name] = event
        if self._bar.disable:
            return
        now = [f"{n} {e['epoch']}/{e['epochs']} loss {e['loss']:.3f}" for n, e in self._epochs.items()]
        self._bar.update(self._row, now="  ".join(now[-3:]))

    def end(self, name: str, runs: str, count: int, reason: str, left_out: str = "") -> None:
        """Count the runs of a training as done, failed or left out.

        Args:
            name: of the training.
            runs: their names.
            count: the number of runs.
            reason: why the runs failed; empty if they did not fail.
            left_out: why the runs were left out; empty if they were not left out.
        """
        last = self._epochs.pop(name, None)
        if last and self._bar.disable:
            self.console.print(f"  {name}: epoch {last['epoch']}/{last['epochs']}, loss {last['loss']:.4f}")
        self._done += count
        if reason:
            self.failures.append(f"{runs}: {reason}")
        seconds = (time.monotonic() - self._began) / self._done * (self._ahead - self._done)
        left = f"about {duration(seconds)} left" if seconds else ""
        self._bar.update(self._row, completed=self._done, left=left, now="")
        line = f"done: {runs}"
        if reason:
            line = f"FAILED: {runs}: {without_password(reason)}"
        elif left_out:
            line = f"{runs}: left out: {left_out}"
        self.console.print(f"[{self._done}/{self._ahead}] {line}")

    def summing(self, trials: int) -> None:
        """Print that ``trials`` trials are being summed up."""
        if trials:
            self.console.print(f"summing up {counted(trials, 'trial')} (means, intervals, figures)")


def duration(seconds: float) -> str:
    """Return a duration in the units that people use.

    >>> duration(42), duration(190), duration(7500)
    ('42 s', '3 min 10 s', '2 h 5 min')
    """
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


Say = Callable[[dict[str, Any]], None]
