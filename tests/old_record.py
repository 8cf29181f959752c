"""The record that version 0.4.2 made, in a new folder: see ``records/README.md``."""

from __future__ import annotations

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

from project import Project

RECORD = Path(__file__).parent / "records" / "0.4.2.tar.xz"
MADE_IN = "/work/fixture/proj"  # the addresses in it begin with this
ADDRESSES = (
    *(("runs", "artifact_uri"), ("experiments", "artifact_location")),
    *(("model_versions", "source"), ("model_versions", "storage_location")),
)


def unpack(folder: Path) -> Project:
    """Unpack the record, with its declarations and what it is held against, and make its addresses those of here."""
    with tarfile.open(RECORD) as packed:
        packed.extractall(folder, filter="data")
    with closing(sqlite3.connect(folder / "runs" / "mlflow.db")) as record, record:
        for table, column in ADDRESSES:
            record.execute(f"update {table} set {column} = replace({column}, ?, ?)", (MADE_IN, str(folder)))
    return Project(folder, declared=False)
