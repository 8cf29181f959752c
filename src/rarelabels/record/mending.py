"""Mend the addresses of files in a local record that was copied or moved; see ``moved``."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from rarelabels.errors import UserError
from rarelabels.record.database import LOCKED_SECONDS, SQLITE, file_of, folders_of
from rarelabels.record.moved import MADE, made_in, present

ADDRESSES = (  # table, key of a row, column with the address
    *(("experiments", "experiment_id", "artifact_location"), ("runs", "run_uuid", "artifact_uri")),
    *(("model_versions", "rowid", "source"), ("model_versions", "rowid", "storage_location")),
    ("logged_models", "model_id", "artifact_location"),
)


def mend(where: str) -> str:
    """Mend the addresses in a record, all or none; return a line on what was done, or "".

    Args:
        where: the tracking URI; only a local record needs mending.

    Raises:
        UserError: the addresses must be mended, but the record cannot be written.
    """
    if not where.startswith(SQLITE) or not (database := file_of(where)).is_file():
        return ""
    here = folders_of(where)
    with closing(sqlite3.connect(f"file:{quote(str(database))}?mode=rw", LOCKED_SECONDS, uri=True)) as record:
        record.isolation_level = None  # a transaction begins and ends where it is written below
        if not _has(record, "experiments") or not made_in(here, record.execute(MADE)):
            return ""
        try:
            record.execute("begin immediate")
            made = made_in(here, record.execute(MADE).fetchall())  # another process may have been faster
            for table, key, column in ADDRESSES:
                if _has(record, table):  # an older MLflow does not have all tables
                    _mend(record, table, key, column, made, here[0])
            record.execute("commit")
        except sqlite3.OperationalError as error:
            raise UserError(
                f"{database}: was copied or moved here, and the addresses in it cannot be mended ({error}); make its "
                "folder writable, or copy it to one that is; until then it can only be read"
            ) from error
    return (
        f"{database}: was made in {', '.join(map(str, made))} and is here now: its addresses are mended" if made else ""
    )


def _has(record: sqlite3.Connection, table: str) -> bool:
    return bool(record.execute("select 1 from sqlite_master where type = 'table' and name = ?", (table,)).fetchall())


def _mend(record: sqlite3.Connection, table: str, key: str, column: str, made: Sequence[Path], folder: Path) -> None:
    rows = record.execute(f"select {key}, {column} from {table} where {column} is not null").fetchall()
    mended = [(now, row) for row, address in rows if (now := present(address, made, folder)) != address]
    record.executemany(f"update {table} set {column} = ? where {key} = ?", mended)
