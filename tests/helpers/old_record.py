"""The record that version 0.4.2 made, in a new folder: see ``records/README.md``."""

from __future__ import annotations

import shutil
from pathlib import Path

from project import Project

RECORD = Path(__file__).parents[1] / "records" / "0.4.2.tar.xz"
MADE_IN = "/work/fixture/proj"  # the addresses in it begin with this


def unpack(folder: Path) -> Project:
    """Unpack the record, with its declarations and what it is held against: moved here from where it was made."""
    shutil.unpack_archive(RECORD, folder)  # of Python 3.11.2, tarfile itself has no filter yet
    return Project(folder, declared=False)
