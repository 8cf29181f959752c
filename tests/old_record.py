"""The record that version 0.4.2 made, in a new folder: see ``records/README.md``."""

from __future__ import annotations

import tarfile
from pathlib import Path

from project import Project

RECORD = Path(__file__).parent / "records" / "0.4.2.tar.xz"
MADE_IN = "/work/fixture/proj"  # the addresses in it begin with this


def unpack(folder: Path) -> Project:
    """Unpack the record, with its declarations and what it is held against: moved here from where it was made."""
    with tarfile.open(RECORD) as packed:
        packed.extractall(folder, filter="data")
    return Project(folder, declared=False)
