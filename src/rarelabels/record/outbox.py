"""Entries of a run on their way to the record. They lie on disk until the record has them.

Each run has a folder with a journal and files. The journal has a line of JSON for each entry; entries may name files.
The process that writes a journal holds a lock on it. So a journal without a lock was left by a process that has ended.
Another lock, one for all folders, is held while a folder is made, taken over or removed. A journal may be delivered
twice: every entry has its time, and MLflow keeps only one of two equal entries.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Entry = dict[str, Any]  # one key: metrics, params, tags, data, files or status

_JOURNAL = "journal.jsonl"


class Outbox:
    """The entries of one run, in a folder. Only one process at a time holds an outbox.

    Attributes:
        run_id: of the run.
        waiting: the entries that are not delivered yet.

    Raises:
        BlockingIOError: another process holds the outbox.
        OSError: the folder does not exist (any more), or cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self.run_id = folder, folder.name.rpartition("-")[2]
        self._journal = (folder / _JOURNAL).open("a+", encoding="utf-8", errors="replace")
        try:
            fcntl.flock(self._journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._journal.close()
            raise
        self._folders = len(list(folder.glob("files-*")))
        self._journal.seek(0)
        self.waiting: list[Entry] = list(_entries(self._journal))

    def add(self, entry: Entry) -> None:
        """Append an entry."""
        self._journal.write(json.dumps(entry, allow_nan=False) + "\n")
        self._journal.flush()
        if "status" in entry:  # the end of a run must survive a power cut
            os.fsync(self._journal.fileno())
        self.waiting.append(entry)

    @contextmanager
    def files(self) -> Iterator[Path]:
        """Yield a new folder for files; append its entry when the block has ended."""
        self._folders += 1
        place = self.folder / f"files-{self._folders}"
        place.mkdir()
        yield place
        self.add({"files": place.name})

    @property
    def status(self) -> str | None:
        """Return how the run ended; None if it was cut off before its end."""
        return next((str(entry["status"]) for entry in self.waiting if "status" in entry), None)

    def sent(self) -> None:
        """Note that all entries are delivered, and delete their files.

        The journal stays. If this process dies now, another process delivers it again.
        """
        for entry in self.waiting:
            if name := entry.get("files"):
                shutil.rmtree(self.folder / name, ignore_errors=True)
        self.waiting.clear()

    def leave(self) -> None:
        """Release the outbox; another process will deliver its entries."""
        self._journal.close()

    def remove(self) -> None:
        """Delete the outbox, because everything is delivered or nothing ever will be."""
        with _locked(self.folder.parent):
            shutil.rmtree(self.folder, ignore_errors=True)
            self._journal.close()


def of_run(place: Path, where: str, run_id: str) -> Outbox:
    """Open the outbox of a run in the record ``where``; ``place`` may hold outboxes of several records."""
    folder = place / f"{_mark(where)}-{run_id}"
    place.mkdir(parents=True, exist_ok=True)
    with _locked(place):
        folder.mkdir(exist_ok=True)
        return Outbox(folder)


def left(place: Path, where: str) -> Iterator[Outbox]:
    """Yield the outboxes that ended processes have left for the record ``where``."""
    for folder in sorted(place.glob(f"{_mark(where)}-*")):
        try:
            with _locked(place):
                box = Outbox(folder)
        except (BlockingIOError, FileNotFoundError):  # its process lives, or has just removed the outbox
            continue
        yield box


def _entries(lines: Iterable[str]) -> Iterator[Entry]:
    """Yield entries up to the first line that is no entry.

    The last line may have been cut off. On a damaged disk, any line may be unreadable.
    """
    for line in lines:
        try:
            entry = json.loads(line)
        except ValueError:
            return
        if not line.endswith("\n") or not isinstance(entry, dict):
            return
        yield entry


@contextmanager
def _locked(place: Path) -> Iterator[None]:
    """Keep other processes from making, taking over or removing folders in ``place`` while a block runs."""
    with place.with_suffix(".lock").open("a", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _mark(where: str) -> str:
    """Return a short hash that names a record.

    The password is left out because it may change, and the folder of a local record because it may be moved.
    """
    parts = urlsplit(where)
    if parts.scheme == "sqlite":
        record = Path(parts.path).name  # its outbox lies beside it
    else:
        record = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
    return hashlib.sha256(record.encode()).hexdigest()[:12]
