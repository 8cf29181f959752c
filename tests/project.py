"""A folder with the declared trials and a record of its own, for tests that start real processes."""

import os
import shutil
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pandas as pd

from rarelabels import results, tracking

REPOSITORY = Path(__file__).parents[1]
OF_THE_MACHINE = ("training/seconds_per_epoch", "training/memory_rise_bytes")  # never the same twice


class Project:
    """A folder with the declared trials and a record of its own."""

    def __init__(self, folder: Path, declared: bool = True) -> None:
        self.folder = folder
        for name in ("conf", "experiments") if declared else ():
            shutil.copytree(REPOSITORY / name, folder / name)
        self.environment = {key: value for key, value in os.environ.items() if key != "MLFLOW_TRACKING_URI"}

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "rarelabels", *arguments]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=pipe, stderr=pipe, text=True)

    def call(self, *arguments: str, code: int = 0) -> tuple[str, str]:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=600)
        assert process.returncode == code, err
        return out, err

    @property
    def record(self) -> str:
        return f"sqlite:///{self.folder / 'runs' / 'mlflow.db'}"

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


def wait_for(condition, seconds: float = 240) -> None:
    """Wait until something is so; an end without it is a failure."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(sqlite3.OperationalError):  # the record is being made at this very moment
            if condition():
                return
        time.sleep(0.2)
    raise AssertionError("waited in vain")
