"""A real PostgreSQL of its own on the loopback interface, which can be killed and started again."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import psutil
import pytest

from project import free_port


class Postgres:
    """In a new folder, as an ordinary user; a context manager. Skips the test where PostgreSQL is not installed."""

    def __init__(self) -> None:
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) or [Path(shutil.which("initdb") or "")]
        if not found[-1].name:
            pytest.skip("PostgreSQL is needed for this test: apt-get install postgresql")
        self._tools, self.port = found[-1].parent, free_port()
        self._place = Path(tempfile.mkdtemp(prefix="pg."))
        self._user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        if self._user:
            shutil.chown(self._place, "postgres")
        self._call("initdb", "-D", self._data, "-U", "me", "-A", "trust")
        self.start()

    def __enter__(self) -> Postgres:
        return self

    def __exit__(self, *error: object) -> None:
        self._call("pg_ctl", "-D", self._data, "-m", "immediate", "stop")
        shutil.rmtree(self._place)

    @property
    def _data(self) -> Path:
        return self._place / "data"

    def url(self, database: str = "postgres", driver: str = "postgresql+psycopg") -> str:
        return f"{driver}://me@127.0.0.1:{self.port}/{database}"

    def create(self, database: str) -> str:
        """Create a database and return its URL."""
        subprocess.run(
            [self._tools / "createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "me", database], check=True
        )
        return self.url(database)

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self._place}"
        self._call("pg_ctl", "-D", self._data, "-w", "-l", self._place / "log", "-o", options, "start")

    def kill(self) -> None:
        """Kill it and all its parts with signal 9, as a machine that goes out does."""
        postmaster = psutil.Process(int((self._data / "postmaster.pid").read_text("ascii").splitlines()[0]))
        postmaster.suspend()  # or it would start other children
        processes = [postmaster, *postmaster.children(recursive=True)]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=30)  # it does not start while one of the old ones is there

    def _call(self, tool: str, *arguments: object) -> None:
        command = [*self._user, str(self._tools / tool), *map(str, arguments)]
        subprocess.run(command, check=True, cwd=self._place, stdout=subprocess.DEVNULL)
