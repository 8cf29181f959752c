"""A real PostgreSQL of its own on the loopback interface, which can be killed and started again."""

from __future__ import annotations

import os
import select
import shutil
import socket
import subprocess
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
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
        self.stand_still()  # or it would start other children
        processes = self._processes()
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=30)  # it does not start while one of the old ones is there

    def stand_still(self) -> None:
        """Stop it and all its parts: connections stay open, and nothing is answered."""
        postmaster, *_ = self._processes()
        postmaster.suspend()
        for process in self._processes():
            process.suspend()

    def go_on(self) -> None:
        """Let it go on where it was stopped."""
        for process in self._processes():
            process.resume()

    def _processes(self) -> list[psutil.Process]:
        postmaster = psutil.Process(int((self._data / "postmaster.pid").read_text("ascii").splitlines()[0]))
        return [postmaster, *postmaster.children(recursive=True)]

    def _call(self, tool: str, *arguments: object) -> None:
        command = [*self._user, str(self._tools / tool), *map(str, arguments)]
        subprocess.run(command, check=True, cwd=self._place, stdout=subprocess.DEVNULL)


@dataclass(frozen=True)
class Moment:
    """The server has done a statement of someone, or committed it, and is killed before it answers."""

    statement: bytes
    committed: bool = False


class Gate:
    """Stands before a PostgreSQL, kills it at given moments, one after the other, and starts it again at once."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres, self._lock = postgres, threading.Lock()
        self.moments: list[Moment] = []
        self._door = socket.create_server(("127.0.0.1", 0), backlog=64)
        threading.Thread(target=self._let_in, daemon=True).start()

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://me@127.0.0.1:{self._door.getsockname()[1]}/{database}"

    def _let_in(self) -> None:
        while True:
            client, _ = self._door.accept()
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        """Carry what one client and the server say to each other, until one of them is gone."""
        begun, over = None, False
        with client, suppress(OSError), socket.create_connection(("127.0.0.1", self._postgres.port)) as server:
            while True:
                for speaker in select.select([client, server], [], [])[0]:
                    said = speaker.recv(2**16)
                    if not said:
                        return
                    if speaker is client:
                        begun = begun or next((one for one in self.moments[:1] if one.statement in said), None)
                        over = begun is not None and (not begun.committed or b"COMMIT" in said)
                    elif over:
                        if self._kill(begun):
                            return
                        begun, over = None, False
                    (server if speaker is client else client).sendall(said)

    def _kill(self, moment: Moment | None) -> bool:
        with self._lock:
            if self.moments[:1] != [moment]:  # it has come for another client
                return False
            self._postgres.kill()
            self._postgres.start()
            self.moments.pop(0)
            return True
