"""Digests of score files that trials name. A file is read again only if it changed."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from rarelabels.errors import MissingDataError, UserError


def of_file(path: Path) -> str:
    """Return the SHA-256 of a score file, in hexadecimal.

    Raises:
        MissingDataError: the file is not there.
        UserError: it cannot be read.
    """
    try:
        stat = path.stat()
        return _digest(path, stat.st_mtime_ns, stat.st_size)
    except FileNotFoundError:
        raise MissingDataError(
            f"{path}: there is no such file of scores; another program makes it, for the rows that "
            "`rarelabels export-split` names"
        ) from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error


@lru_cache(maxsize=256)
def _digest(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
