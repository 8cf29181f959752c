"""Digests of recorded files. Each file has a tag on its run, with the file's digest and size.

Each file has its own tag, because several processes may write files of one run.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

DIGEST = "sha256/"  # with the path of a file in its run behind it, this is the name of the file's tag
SMALL = 2**16  # bytes; of a larger file, only the size is checked where many files are checked
ENDINGS = {".parquet": b"PAR1", ".csv": b"\n", ".png": b"IEND\xaeB`\x82"}  # the last bytes of a whole file of each kind


def digests(folder: Path, begin: str = DIGEST) -> dict[str, str]:
    """Return the tags of all files in a folder; their names begin with ``begin``."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {begin + path.relative_to(folder).as_posix(): _digest(path) for path in files}


def recorded(tags: Mapping[str, str], begin: str = DIGEST) -> dict[str, str]:
    """Return the digest and size of a run's files, by path, from those of its tags that begin with ``begin``."""
    return {key.removeprefix(begin): said for key, said in tags.items() if key.startswith(begin)}


def fault(place: Path, said: str, *, deep: bool = True) -> str:
    """Return what is wrong with a file; empty if nothing is wrong.

    Args:
        place: the path of the file.
        said: the file's tag; empty if it has none, and then only its end is checked.
        deep: whether to check the digest of a large file too; else only its size is checked.
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
