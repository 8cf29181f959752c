"""Turn an error of a record into one line that says what is wrong and what to do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from rarelabels.errors import UserError
from rarelabels.extras import missing
from rarelabels.record.database import SQLITE, file_of

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
CLOSED = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)
LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
NOT_LET_IN, NOT_PERMITTED = (401, 403), ("UNAUTHENTICATED", "PERMISSION_DENIED")  # by HTTP, and by MLflow
OF_A_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)


def of_record(where: str, error: BaseException) -> UserError:
    """Return the message for an error of the record at ``where``."""
    found = _of_sqlite(error)
    if where.startswith(SQLITE) and found:
        return UserError(_of_file(file_of(where), found))
    if any(isinstance(one, ImportError) and one.name == "psycopg" for one in _behind(error)):
        return UserError(missing("psycopg", f"MLFLOW_TRACKING_URI {where!r}"))
    if is_refusal(error):
        return UserError(
            f"MLFLOW_TRACKING_URI {where!r} does not let this user do that: set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or ask who runs the server for the permission"
        )
    return UserError(
        f"MLFLOW_TRACKING_URI {where!r} does not answer ({type(error).__name__}); "
        "start the server, correct the variable, or unset it to use runs/mlflow.db here"
    )


def damaged(file: Path, reason: object) -> str:
    """Return the line for a damaged file of a record."""
    return (
        f"{file} is damaged ({reason}): put back a copy of it; without one, `sqlite3 {file.name} .recover | sqlite3 "
        f"new.db` may save the rest, or move {file.parent} away and begin anew"
    )


def trouble_of_file(where: str) -> str:
    """Read the whole file of a local record, and return what is wrong with it.

    The result is empty if nothing is wrong, or if the record is not local.
    """
    if not where.startswith(SQLITE):
        return ""
    file = file_of(where)
    try:
        with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as database:
            found = database.execute("pragma quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        return _of_file(file, error)
    return "" if found == "ok" else damaged(file, str(found).replace("\n", " "))


def of_disk(error: OSError) -> str | None:
    """Return the line for an error of a full disk or of missing rights; None for another error."""
    if error.errno not in OF_A_DISK:
        return None
    what = error.filename or "a file could not be written"
    return f"{what}: {error.strerror}; make room, or let this user write there, and call the same command again"


def is_refusal(error: BaseException) -> bool:
    """Return whether a server refused a request because the user is not logged in or lacks the permission."""
    return any(
        getattr(getattr(one, "response", None), "status_code", None) in NOT_LET_IN
        or getattr(one, "error_code", "") in NOT_PERMITTED
        for one in _behind(error)
    )


def is_passing(error: BaseException) -> bool:
    """Return whether a later attempt may succeed: a local file is only locked, or the record is elsewhere."""
    found = _of_sqlite(error)
    return found is None or found.sqlite_errorcode & 0xFF in LOCKED


def short(error: BaseException | None) -> str:
    """Return SQLite's own message in brackets; empty if the error is not SQLite's."""
    found = _of_sqlite(error) if error else None
    return f" ({found})" if found else ""


def _of_file(file: Path, error: sqlite3.Error) -> str:
    code = error.sqlite_errorcode & 0xFF  # the other bits are details
    if code in DAMAGED:
        return damaged(file, error)
    if code in FULL:
        return f"{file} cannot grow ({error}): make room on its disk, and call the same command again"
    if code in CLOSED:
        return (
            f"{file} cannot be opened or written ({error}): let this user write to it and to its folder, or set "
            "MLFLOW_TRACKING_URI to another record"
        )
    if code in LOCKED:
        return f"{file} is locked by another process ({error}): call the same command again when that has ended"
    return f"{file} is no record that MLflow can read ({error}): put back a copy of it, or move it away and begin anew"


def _of_sqlite(error: BaseException) -> sqlite3.Error | None:
    return next(
        (one for one in _behind(error) if isinstance(one, sqlite3.Error) and hasattr(one, "sqlite_errorcode")), None
    )


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all errors that caused it. SQLAlchemy keeps the driver's error in ``orig``."""
    seen: list[BaseException] = []
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is not None and not any(one is other for other in seen):
            seen.append(one)
            yield one
            left += [one.__context__, one.__cause__, getattr(one, "orig", None)]
