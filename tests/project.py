"""A folder with the declared trials and a record of its own, for tests that start real processes."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pandas as pd

from rarelabels import results, tracking

REPOSITORY = Path(__file__).parents[1]
OF_THE_MACHINE = ("training/seconds_per_epoch", "training/memory_rise_bytes")  # never the same twice


class Project:
    """A folder with the declared trials and a record of its own; ``plain``: all declared to train as plain Keras does.

    An epoch or two are not worth compiling for, which takes longer than they do.
    """

    def __init__(self, folder: Path, *, declared: bool = True, plain: bool = False) -> None:
        self.folder = folder
        for name in ("conf", "experiments") if declared else ():
            shutil.copytree(REPOSITORY / name, folder / name)
        if plain:
            with (folder / "conf" / "base.yaml").open("a", encoding="utf-8") as base:
                base.write("training: {execution: plain}\n")
        self.environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}

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

    def call(self, *arguments: str, code: int = 0, timeout: float = 1800) -> tuple[str, str]:
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
        client = tracking.connect(self.record)
        found = tracking.all_runs(client, tracking.open_experiment(client, study))
        return [run for run in found if run.data.tags["kind"] == kind]

    def counted(self) -> pd.DataFrame:
        """The runs that count, without what differs between two records."""
        frame = results.runs(list(results.earliest_finished(self.runs()).values()))
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
