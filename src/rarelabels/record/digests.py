"""What files were when they were recorded: each has a tag of its run, with its digest and its size.

A tag for each file, and not one for all, because several processes write files of one run, each its own.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

DIGEST = "sha256/"  # before the path of a file in its run: the name of the tag
SMALL = 2**16  # bytes; a larger file is known by its size where there are many to look at
ENDINGS = {".parquet": b"PAR1", ".csv": b"\n", ".png": b"IEND\xaeB`\x82"}  # what a whole file of the kind ends with


def digests(folder: Path, begin: str = DIGEST) -> dict[str, str]:
    """Return the tags of all files in a folder; their names begin with ``begin``."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {begin + path.relative_to(folder).as_posix(): _digest(path) for path in files}


def recorded(tags: Mapping[str, str], begin: str = DIGEST) -> dict[str, str]:
    """Return what the tags of a run that begin with ``begin`` say of its files, by path."""
    return {key.removeprefix(begin): said for key, said in tags.items() if key.startswith(begin)}


def fault(place: Path, said: str, *, deep: bool = True) -> str:
    """Say what is wrong with a file; empty where nothing is.

    Args:
        place: where it is.
        said: its tag; empty if it has none, and then only its end is looked at.
        deep: whether a large file is read, too.
    """
    if not place.is_file():
        return "is missing"
    if not said:
        return "" if _ends_well(place) else "is cut or damaged"
    size, expected = place.stat().st_size, int(said.partition(" ")[2])
    if size != expected:
        return f"has {size:,} of the {expected:,} bytes that were recorded"
    if (deep or size <= SMALL) and _digest(place) != said:
        return "is not what was recorded"
    return ""


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return f"{digest} {path.stat().st_size}"


def _ends_well(path: Path) -> bool:
    if path.suffix == ".npz":
        return zipfile.is_zipfile(path)
    if path.suffix == ".json":
        try:
            json.loads(path.read_bytes())
        except ValueError:
            return False
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 16))
        return file.read().endswith(ENDINGS.get(path.suffix, b""))
