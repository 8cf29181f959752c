"""Commands that are measured from outside: a folder with trials and a record of its own, seconds and peak memory."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psutil
from mlflow.entities import Run

from rarelabels.record import connection, queries, reading
from rarelabels.study.publishing import processor

REPOSITORY = Path(__file__).parents[2]
GLANCE_SECONDS = 0.3  # how often memory is looked at
LIBRARIES = ("tensorflow", "keras", "mlflow", "dask", "numpy", "scikit-learn")
ELSEWHERE = ("MLFLOW_TRACKING_URI", "DASK_SCHEDULER_ADDRESS")  # where a user's own record and cluster are


@dataclass(frozen=True)
class Ended:
    """A command that has ended: when it was called (seconds since 1970), how long it took, what it printed.

    ``peak_bytes`` is the resident memory of its largest process, workers included, at its highest.
    """

    began: float
    seconds: float
    peak_bytes: int
    out: str


@dataclass(frozen=True)
class Phases:
    """Seconds of a command: before its first run began, until the last one ended, and what it did afterwards."""

    before: float
    runs: float
    after: float

    @property
    def whole(self) -> float:
        """All of it."""
        return self.before + self.runs + self.after


def call(command: Sequence[str], folder: Path) -> Ended:
    """Run a command in a folder, and wait for its end."""
    environment = {key: value for key, value in os.environ.items() if key not in ELSEWHERE}
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    began, start = time.time(), time.perf_counter()
    with subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        peaks: dict[int, int] = {}
        watching = threading.Thread(target=_watch, args=(process, peaks), daemon=True)
        watching.start()
        out, err = process.communicate()
        seconds = time.perf_counter() - start
        watching.join()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}\n{err[-3000:]}")
    return Ended(began, seconds, max(peaks.values(), default=0), out)


def _watch(process: subprocess.Popen[str], peaks: dict[int, int]) -> None:
    while process.poll() is None:
        with suppress(psutil.NoSuchProcess):
            one = psutil.Process(process.pid)
            for child in (one, *one.children(recursive=True)):
                peaks[child.pid] = max(peaks.get(child.pid, 0), peak_bytes(child.pid))
        time.sleep(GLANCE_SECONDS)


def peak_bytes(pid: int | str = "self") -> int:
    """Return the highest resident memory of a process so far; 0 of one that is gone."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text("ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return 0


class Project:
    """A folder with the declared trials and a record of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in ("conf", "experiments"):
            shutil.copytree(REPOSITORY / name, folder / name)

    def run(self, *arguments: str) -> Ended:
        """Call ``rarelabels run``."""
        return call([sys.executable, "-m", "rarelabels", "run", *arguments], self.folder)

    @property
    def record(self) -> str:
        """The tracking URI of its record."""
        return f"sqlite:///{self.folder / 'runs' / 'mlflow.db'}"

    def runs(self, study: str) -> list[Run]:
        """Return the finished runs of a study that count."""
        client = connection.connect(self.record)
        experiment = queries.find_experiment(client, study)
        found = queries.all_runs(client, experiment) if experiment else []
        return list(reading.earliest_finished(found).values())

    def phases(self, ended: Ended, study: str) -> Phases:
        """Return the phases of the command that made all runs of a study."""
        runs = self.runs(study)
        first = min(run.info.start_time for run in runs) / 1000
        last = max(run.info.end_time for run in runs) / 1000
        return Phases(first - ended.began, last - first, ended.began + ended.seconds - last)


@contextmanager
def new_project() -> Iterator[Project]:
    """Give a new project, and remove it afterwards."""
    with TemporaryDirectory(prefix="rarelabels-bench-") as name:
        yield Project(Path(name))


def machine() -> list[str]:
    """Say where, when and with what numbers are made, a line each."""
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=REPOSITORY, capture_output=True, text=True)
    memory = psutil.virtual_memory().total / 2**30
    versions = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return [
        f"{datetime.now(UTC):%d %B %Y %H:%M} UTC, {os.cpu_count()} x {processor()}, {memory:.0f} GiB",
        f"rarelabels {version('rarelabels')} ({commit.stdout.strip()}), Python {platform.python_version()}, {versions}",
    ]


def overrides(values: Mapping[str, object]) -> list[str]:
    """Return ``--set key=value`` for each."""
    return [argument for key, value in values.items() for argument in ("--set", f"{key}={value}")]


def in_words(values: Sequence[float], unit: str = "", digits: int = 2) -> str:
    """Say the median, and how far the values reach."""
    if len(values) == 1:
        return f"{values[0]:.{digits}f}{unit}"
    return f"{median(values):.{digits}f}{unit} ({min(values):.{digits}f} to {max(values):.{digits}f})"
