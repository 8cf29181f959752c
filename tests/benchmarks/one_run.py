"""What a run costs beside its training, and what MLflow takes of a study: measured inside one process."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

from mlflow import MlflowClient

from rarelabels.record import connection, opening
from rarelabels.study import engine, plan, runner, running, selection
from rarelabels.study.progress_display import Progress
from rarelabels.study.runner import Task

Values = Mapping[str, object]


@dataclass(frozen=True)
class Beside:
    """Seconds of one run, of the call of ``fit`` in it, and of the same training by ``fit`` alone."""

    run: float
    fit: float
    bare: float

    @property
    def overhead(self) -> float:
        """What the run costs beside its training, as a share of that."""
        return self.run / self.bare - 1


@dataclass(frozen=True)
class Share:
    """Seconds of a study, and those inside MLflow's client by the phase and by the method that was called."""

    seconds: dict[str, float]
    in_mlflow: dict[str, float]
    methods: dict[str, float]
    calls: dict[str, int]

    @property
    def share(self) -> float:
        """Of MLflow in the whole study."""
        return sum(self.in_mlflow.values()) / sum(self.seconds.values())


def beside_fit(name: str, values: Values, folder: Path, record: str, repeats: int) -> list[Beside]:
    """Do a run and then its training alone, again and again, in a process of their own."""
    return _in_new_process(_beside_fit, name, values, folder, record, repeats)


def share_of_mlflow(names: Sequence[str], values: Values, seeds: tuple[int, ...], folder: Path, record: str) -> Share:
    """Do a whole study in a process of its own, with a clock at MLflow's client."""
    return _in_new_process(_share_of_mlflow, names, values, seeds, folder, record)


def _in_new_process(function: Callable[..., Any], *arguments: Any) -> Any:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def _like_a_worker(folder: Path) -> None:
    os.chdir(folder)
    with suppress(AttributeError, OSError):
        for parameter, value in engine.KEEP_MEMORY.items():
            ctypes.CDLL(None).mallopt(parameter, value)


class _Fits:
    """Keras's ``fit``, which remembers its last call and can do it again from the same weights, without callbacks."""

    def __init__(self, keras: Any) -> None:
        self.seconds = 0.0
        self._original = keras.Model.fit
        self._last: tuple[Any, tuple[Any, ...], dict[str, Any]] | None = None
        self._start: list[Any] = []

    def fit(self, model: Any, *args: Any, **kwargs: Any) -> Any:
        """Stand in for ``keras.Model.fit``."""
        self._last, self._start = (model, args, kwargs), [variable.numpy() for variable in _variables(model)]
        start = time.perf_counter()
        history = self._original(model, *args, **kwargs)
        self.seconds = time.perf_counter() - start
        return history

    def again(self) -> float:
        """Return the seconds of the same training alone."""
        if self._last is None:
            raise SystemExit("rarelabels has not called keras.Model.fit: mend tests/benchmarks/one_run.py")
        model, args, kwargs = self._last
        for variable, value in zip(_variables(model), self._start, strict=True):
            variable.assign(value)
        start = time.perf_counter()
        self._original(model, *args, **{**kwargs, "callbacks": None})
        return time.perf_counter() - start


def _variables(model: Any) -> list[Any]:
    return [*model.variables, *model.optimizer.variables]


def _beside_fit(name: str, values: Values, folder: Path, record: str, repeats: int) -> list[Beside]:
    _like_a_worker(folder)
    from rarelabels.learn.tensorflow_setup import keras

    client = connection.connect(record)
    (identity,) = selection.identify([name], values, (0,)).identities
    experiment = opening.open_experiment(client, identity.trial.study)
    parent = opening.open_parent(client, experiment, identity).run_id
    watch = plan.watched(identity.trial.study, [identity])(identity.trial)
    task = Task(experiment, ((identity, parent),), watch, {})
    fits = _Fits(keras)
    measured = []
    with patch.object(keras.Model, "fit", lambda model, *args, **kwargs: fits.fit(model, *args, **kwargs)):
        for repeat in range(repeats + 1):
            start = time.perf_counter()
            if reason := runner.run(task, record, lambda _: None).failure:
                raise SystemExit(reason)
            seconds = time.perf_counter() - start
            if repeat:  # the first one compiles
                measured.append(Beside(seconds, fits.seconds, fits.again()))
    return measured


@dataclass
class _Clock:
    """Seconds and calls of MLflow's client, whichever thread calls it; what a method calls itself is part of it."""

    seconds: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    _inside: threading.local = field(default_factory=threading.local)

    def watched(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return the method with the clock running while it is called from outside."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            if getattr(self._inside, "already", False):
                return method(*args, **kwargs)
            self._inside.already, start = True, time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                self.seconds[name] += time.perf_counter() - start
                self.calls[name] += 1
                self._inside.already = False

        return timed


class _OneProcess:
    """Stands in for the engine: does all tasks here, and looks at the clock between its calls."""

    count = 1

    def __init__(self, clock: _Clock) -> None:
        self._clock, self._names = clock, iter(("runs", "summing up", "figures"))
        self._began, self._before = time.perf_counter(), 0.0
        self.seconds, self.in_mlflow = Counter[str](), Counter[str]()

    def map(self, function: Callable[..., Any], tasks: Sequence[Any], *_: Any, **__: Any) -> Iterator[tuple[int, Any]]:
        """Do as ``engine.Engine.map``."""
        self.look("planning and comparing")
        for position, task in enumerate(tasks):
            yield position, function(task, lambda event: None)
        self.look(next(self._names))

    def look(self, phase: str) -> None:
        """Put what has passed since the last look down to a phase."""
        now, inside = time.perf_counter(), sum(self._clock.seconds.values())
        self.seconds[phase] += now - self._began
        self.in_mlflow[phase] += inside - self._before
        self._began, self._before = now, inside


def _share_of_mlflow(names: Sequence[str], values: Values, seeds: tuple[int, ...], folder: Path, record: str) -> Share:
    _like_a_worker(folder)
    asked = selection.identify(names, values, seeds)
    connection.connect(record)  # which makes the record: a few seconds, once
    clock = _Clock()
    methods = {name: method for name, method in vars(MlflowClient).items() if callable(method) and name[0] != "_"}
    with patch.multiple(MlflowClient, **{name: clock.watched(name, method) for name, method in methods.items()}):
        here = _OneProcess(clock)
        progress = Progress()
        progress.console.quiet = True
        running.run(asked, record, here, progress)
        here.look("planning and comparing")
    if progress.failures:
        raise SystemExit("\n".join(progress.failures))
    return Share(dict(here.seconds), dict(here.in_mlflow), dict(clock.seconds), dict(clock.calls))
