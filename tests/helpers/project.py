"""A folder with the declared trials and a record of its own, and commands in it: in this process, or in their own."""

import base64
import io
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import chdir, contextmanager, nullcontext, redirect_stderr, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pandas as pd
from PIL import Image
from threadpoolctl import threadpool_limits

from rarelabels import cli
from rarelabels.record import connection, queries, reading
from rarelabels.show.figures import house_style
from rarelabels.show.report import pictures
from rarelabels.study import engine, half_by_theory, selection

REPOSITORY = Path(__file__).parents[2]
OF_THE_MACHINE = ("training/seconds_per_epoch", "training/memory_rise_bytes")  # never the same twice


@dataclass(frozen=True)
class Answer:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


class Here(engine.Engine):
    """Stand in for the engine: each task is done in this process, one after another, with one thread as in a worker."""

    def begin(self, modules: Sequence[str]) -> None:
        """There is no worker to start."""

    def map(
        self, function: engine.Function, tasks: Sequence[Any], on_event: engine.OnEvent, group: object = None
    ) -> Iterator[tuple[int, Any]]:
        for position, task in enumerate(tasks):

            def send(event: engine.Event, position: int = position) -> None:
                on_event(position, event | {"task": position})

            with threadpool_limits(limits=1):  # sums of more threads end in other bits
                result = function(task, send)
            yield position, result


def _blank() -> bytes:
    written = io.BytesIO()
    Image.new("RGB", (1, 1)).save(written, "png")
    return written.getvalue()


BLANK = _blank()


@contextmanager
def _blank_pictures() -> Iterator[None]:
    """Make figures, but let each file be a blank picture: to draw them is half of a small study."""
    with (
        mock.patch.object(house_style, "save", lambda _, path: path.write_bytes(BLANK)),
        mock.patch.object(pictures, "image", return_value=f"data:image/png;base64,{base64.b64encode(BLANK).decode()}"),
    ):
        yield


def command(folder: Path, *arguments: str, environment: dict[str, str] | None = None, draws: bool = False) -> Answer:
    """Do a command in this process, runs included: to start processes takes longer than what most tests ask them.

    Figures are drawn only if a test ``draws``.
    """
    out, err, code = io.StringIO(), io.StringIO(), 0
    with (
        mock.patch.dict(os.environ, clean_environment() if environment is None else environment, clear=True),
        mock.patch.object(sys, "argv", ["rarelabels", *arguments]),
        mock.patch.object(engine, "Engine", Here),
        nullcontext() if draws else _blank_pictures(),
        chdir(folder),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:  # what a process forgets as it ends: another folder's table may have the same relative path
            selection._data.cache_clear()
            half_by_theory._training_labels.cache_clear()
    return Answer(code, out.getvalue(), err.getvalue())


def clean_environment() -> dict[str, str]:
    """Return this process's environment, but for where its record is."""
    return {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}


class Project:
    """A folder with the declared trials and a record of its own.

    Args:
        folder: an empty one.
        declared: whether the trials of the repository are in it.
        plain: all are declared to train as plain Keras does: an epoch or two are not worth compiling for.
        genres: as many of the films' are labels, if given; to judge 17 takes longer than to train them for an epoch.
        draws: whether commands in this process draw their figures, or leave blank ones.
    """

    def __init__(
        self,
        folder: Path,
        *,
        declared: bool = True,
        plain: bool = False,
        genres: int | None = None,
        draws: bool = False,
    ) -> None:
        self.folder, self.draws = folder, draws
        for name in ("conf", "experiments") if declared else ():
            shutil.copytree(REPOSITORY / name, folder / name)
        if plain:
            with (folder / "conf" / "base.yaml").open("a", encoding="utf-8") as base:
                base.write("training: {execution: plain}\n")
        if genres:
            films = folder / "conf" / "datasets" / "movies.yaml"
            films.write_text(films.read_text("utf-8").replace("labels: 17", f"labels: {genres}"), "utf-8")
        self.environment = clean_environment()

    def start(
        self, *arguments: str, preexec_fn: Callable[[], None] | None = None, **environment: str
    ) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "rarelabels", *arguments]
        pipe = subprocess.PIPE

        def begin() -> None:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell makes what it runs in the background ignore Ctrl-C
            if preexec_fn:
                preexec_fn()

        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            stdout=pipe,
            stderr=pipe,
            text=True,
            preexec_fn=begin,
        )

    def do(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        """Do a command in this process."""
        answer = command(self.folder, *arguments, environment=self.environment, draws=self.draws)
        assert answer.code == code, answer.err
        return answer.out, answer.err

    def call(self, *arguments: str, code: int = 0, timeout: float = 1800) -> tuple[str, str]:
        """Call a command in a process of its own, with workers of its own."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=timeout)
        assert process.returncode == code, err
        return out, err

    @property
    def record(self) -> str:
        return self.environment.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.folder / 'runs' / 'mlflow.db'}"

    def summaries(self) -> dict[str, dict[str, float]]:
        """The aggregate of each trial, without what differs between two machines."""
        parents = self.runs("trial")
        return {
            run.info.run_name: {k: v for k, v in run.data.metrics.items() if k not in OF_THE_MACHINE} for run in parents
        }

    def runs(self, kind: str = "run", study: str = "movies") -> list:
        client = connection.connect(self.record)
        experiment = queries.find_experiment(client, study)  # to open it would make it, with files where the tests run
        found = queries.all_runs(client, experiment) if experiment else []
        return [run for run in found if run.data.tags["kind"] == kind]

    def counted(self) -> pd.DataFrame:
        """The runs that count, without what differs between two records."""
        frame = reading.runs(list(reading.earliest_finished(self.runs()).values()))
        frame = frame.drop(columns=["run_id", *OF_THE_MACHINE], errors="ignore")
        return frame.sort_values(["trial", "seed"], ignore_index=True)

    def processes(self) -> list[str]:
        """Processes whose working folder is the project's: workers that outlive their parent would stay here."""
        alive = []
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and (entry / "cwd").readlink() == self.folder:
                    alive.append(entry.name)
            except OSError:
                continue
        return alive


def free_port() -> int:
    """Return a port of the loopback interface that nobody has at this moment."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def is_listening(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def wait_for(condition, seconds: float = 900) -> None:
    """Wait until something is so; an end without it is a failure."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(sqlite3.OperationalError):  # the record is being made at this very moment
            if condition():
                return
        time.sleep(0.2)
    raise AssertionError("waited in vain")
