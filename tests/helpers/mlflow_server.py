"""A real MLflow server, which can be killed and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import requests

from project import free_port


class MlflowServer:
    """On the loopback interface, with its database where one says and artifacts in a folder; a context manager."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.port = free_port()
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._database = folder, database or f"sqlite:///{folder / 'server.db'}"
        self.start()

    def __enter__(self) -> MlflowServer:
        return self

    def __exit__(self, *error: object) -> None:
        self.kill()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)]
        command += ["--backend-store-uri", self._database, "--artifacts-destination", str(self._folder / "artifacts")]
        command += ["--workers", "1"]
        log = (self._folder / "log").open("ab")
        environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        self._process = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env=environment, cwd=self._folder
        )
        end = time.monotonic() + 300
        while time.monotonic() < end and self._process.poll() is None:
            try:
                if requests.get(f"{self.url}/health", timeout=5).ok:
                    return
            except requests.RequestException:
                time.sleep(0.2)
        raise AssertionError(f"MLflow did not start: {(self._folder / 'log').read_text('utf-8')}")

    def stand_still(self) -> None:
        """Stop it and all its parts, as a machine that swaps does: connections stay open, and nothing is answered."""
        os.killpg(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on where it was stopped."""
        os.killpg(self._process.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Kill it and all its parts with signal 9."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
