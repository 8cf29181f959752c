"""What a run has to tell the record, on disk until the record has it.

A folder for each run holds a journal, a line of JSON for each entry, and the files that entries name. Whoever writes a
journal holds a lock on it, so that one without a lock was left by a process that is gone. To deliver a journal twice
does no harm, for every entry says when it was made and MLflow keeps one of two equal ones.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Entry = dict[str, Any]  # one key: metrics, params, tags, data, files or status

_JOURNAL = "journal.jsonl"


class Outbox:
    """The entries of one run, in a folder; held by one process at a time.

    Attributes:
        run_id: of the run.
        waiting: the entries that are not delivered.

    Raises:
        BlockingIOError: another process holds it.
        OSError: the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.run_id = folder, folder.name.rpartition("-")[2]
        self._folders = len(list(folder.glob("files-*")))
        self._journal = (folder / _JOURNAL).open("a+", encoding="utf-8")
        fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._journal.seek(0)
        whole = [line for line in self._journal if line.endswith("\n")]  # the last one may have been cut off
        self.waiting: list[Entry] = [json.loads(line) for line in whole]

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        self._journal.write(json.dumps(entry) + "\n")
        self._journal.flush()
        self.waiting.append(entry)

    @contextmanager
    def files(self) -> Iterator[Path]:
        """Give a new folder for files, and append the entry of it."""
        self._folders += 1
        place = self.folder / f"files-{self._folders}"
        place.mkdir()
        yield place
        self.add({"files": place.name})

    @property
    def status(self) -> str | None:
        """Return how the run ended; what was cut off before is run again and need not be told."""
        return next((str(entry["status"]) for entry in self.waiting if "status" in entry), None)

    def sent(self) -> None:
        """Nothing waits any more: its files can go. The journal stays, to be sent again if this process dies now."""
        for entry in self.waiting:
            if name := entry.get("files"):
                shutil.rmtree(self.folder / name, ignore_errors=True)
        self.waiting.clear()

    def leave(self) -> None:
        """Leave what waits to another process."""
        self._journal.close()

    def remove(self) -> None:
        """Delete it: everything is delivered, or nothing ever will be."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._journal.close()


def of_run(place: Path, where: str, run_id: str) -> Outbox:
    """Open the outbox of a run in the record ``where``; ``place`` may hold those of several records."""
    return Outbox(place / f"{_mark(where)}-{run_id}")


def left(place: Path, where: str) -> Iterator[Outbox]:
    """Yield what processes that are gone left for the record ``where``."""
    for folder in sorted(place.glob(f"{_mark(where)}-*")):
        try:
            yield Outbox(folder)
        except BlockingIOError:  # its process lives
            continue


def _mark(where: str) -> str:
    return hashlib.sha256(where.encode()).hexdigest()[:12]  # the address may hold a password
