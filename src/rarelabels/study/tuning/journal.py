"""Optuna's journal file with numbered lines, so that a damaged or missing line is noticed.

Optuna counts trials by their lines. If a line is lost, a trial gets the parameters and values of another trial.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

from optuna.storages.journal import BaseJournalBackend, JournalFileBackend, JournalFileSymlinkLock

from rarelabels.errors import UserError

LOCK_SECONDS = 10  # a lock is held for milliseconds: an older one was left by a process that is gone
BLOCK = 2**16


class Journal(BaseJournalBackend):
    """A journal file of Optuna. Lines that an earlier version wrote have no numbers.

    Args:
        path: of the file, which is made if it is not there.

    Raises:
        UserError: a line is damaged or missing. Methods that read or write raise it too.
    """

    def __init__(self, path: Path) -> None:
        self._path, self._lock = path, JournalFileSymlinkLock(str(path), grace_period=LOCK_SECONDS)
        self._file = JournalFileBackend(str(path), lock_obj=_Held(str(path)))
        self._is_numbered = False
        self._look_at_the_end()

    def read_logs(self, log_number_from: int) -> Generator[dict[str, Any], None, None]:
        """Yield the entries from the given number on."""
        number = log_number_from
        try:
            for entry in self._file.read_logs(log_number_from):
                self._check(entry, number)
                yield entry
                number += 1
        except ValueError as error:
            raise self._damaged(number, "cannot be read") from error

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Append entries, each with the number of its line."""
        self._lock.acquire()
        try:
            first = self._count()
            self._file.append_logs([entry | {"line": first + place} for place, entry in enumerate(logs)])
        finally:
            self._lock.release()

    def _check(self, entry: object, number: int) -> None:
        if not isinstance(entry, dict) or "op_code" not in entry:
            raise self._damaged(number, "is no entry")
        self._is_numbered |= "line" in entry
        if self._is_numbered and entry.get("line") != number:
            raise self._damaged(number, "is not the one that was written there: lines are missing")

    def _count(self) -> int:
        """Return how many lines there are, by the number of the last one."""
        with self._path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            tail = b""
            while len(tail) < size and tail.count(b"\n") < 2:
                file.seek(max(0, size - len(tail) - BLOCK))
                tail = file.read(size - file.tell())
            if not tail:
                return 0
            try:
                last = json.loads(tail.rstrip(b"\n").rpartition(b"\n")[2])
                if "line" in last:
                    return int(last["line"]) + 1
            except (TypeError, ValueError) as error:
                raise self._damaged(self._lines() - 1, "cannot be read") from error
        return self._lines()

    def _lines(self) -> int:
        with self._path.open("rb") as file:
            return sum(1 for _ in file)

    def _damaged(self, number: int, what: str) -> UserError:
        return UserError(
            f"{self._path}: line {number + 1} of the search's journal {what}; put back a copy of the file, or move it "
            "away: then the same command searches anew, and the trials so far stay in the record"
        )

    def _look_at_the_end(self) -> None:
        """Cut off an incomplete last line; otherwise the next entry would be written behind it.

        A killed process or a full disk can leave such a line. Optuna does not notice it: it takes an unreadable last
        line for a line that is being written.
        """
        self._lock.acquire()
        try:
            written = self._path.read_bytes()
            if not written.endswith(b"\n"):
                os.truncate(self._path, written.rfind(b"\n") + 1)
            self._count()
        finally:
            self._lock.release()


class _Held(JournalFileSymlinkLock):
    """A lock for Optuna's own writing, which does nothing: ``append_logs`` already holds the real lock."""

    def acquire(self) -> bool:
        """Return True: the caller holds the lock."""
        return True

    def release(self) -> None:
        """Do nothing: the caller releases the lock."""
