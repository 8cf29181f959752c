"""Files of data sets that are in no package: finding and reading them, plain or gzipped; what to do without them."""

from __future__ import annotations

import gzip
import hashlib
import os
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from rarelabels import cache
from rarelabels.errors import MissingDataError, UserError

VARIABLE = "RARELABELS_DATA"


def folder(name: str) -> Path:
    """Return where the files of a data set lie: below ``RARELABELS_DATA``, else below ``data`` in the cache folder.

    Raises:
        UserError: the path needs a home folder, and there is none.
    """
    declared = os.environ.get(VARIABLE)
    try:
        return (Path(declared).expanduser().absolute() if declared else cache.folder() / "data") / name
    except RuntimeError as error:
        raise UserError(f"{VARIABLE}: {declared}: {error}") from error


def fetch_again(name: str) -> str:
    """Return the advice in messages about missing or damaged files of a data set."""
    return f"run `rarelabels fetch {name}`"


def find(path: Path) -> Path | None:
    """Return the file itself, else the gzipped one beside it, ``<path>.gz``; None if there is neither.

    Raises:
        UserError: the folder may not be looked into.
    """
    try:
        return next((one for one in (path, path.with_name(f"{path.name}.gz")) if one.is_file()), None)
    except OSError as error:
        raise UserError(f"{path.parent}: cannot be read: {error.strerror or error}") from error


def files(name: str, inside: Sequence[str]) -> list[Path]:
    """Return the files of a data set, each plain or gzipped.

    Args:
        name: the data set, as ``rarelabels fetch`` calls it.
        inside: paths below its folder, without ``.gz``.

    Raises:
        MissingDataError: a file is missing; the message says where it was looked for, and how to get it.
        UserError: the folder may not be looked into.
    """
    found = {path: find(folder(name) / path) for path in inside}
    if missing := [path for path, file in found.items() if file is None]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise MissingDataError(
            f"{folder(name)}: {missing[0]} (or {Path(missing[0]).suffix}.gz){more} is missing; {fetch_again(name)}, or "
            f"set {VARIABLE} to the folder that holds {name}/"
        )
    return [file for file in found.values() if file is not None]


def read(name: str, path: Path) -> bytes:
    """Return the plain content of a file of a data set.

    Raises:
        UserError: the file cannot be read, or its gzip is damaged.
    """
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UserError(f"{path}: not an intact gzip file ({error}); {fetch_again(name)}") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error


def read_text(name: str, path: Path) -> str:
    """Return the text of a file of a data set, with ``\\n`` as the only end of a line and without a byte order mark.

    Raises:
        UserError: the file cannot be read, its gzip is damaged, or it is not UTF-8; then the message names the line.
    """
    content = read(name, path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}: line {line}: is not UTF-8 text; {fetch_again(name)}") from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def digest(name: str, paths: Iterable[Path]) -> str:
    """Return the SHA-256 of the files' plain content, as hexadecimal text; gzipped or not makes no difference.

    Raises:
        UserError: see :func:`read`.
    """
    whole = hashlib.sha256()
    for path in paths:
        try:
            stat = path.stat()
        except OSError as error:
            raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error
        whole.update(_digest(name, path, stat.st_mtime_ns, stat.st_size))
    return whole.hexdigest()


@lru_cache(maxsize=256)
def _digest(name: str, path: Path, _changed: int, _size: int) -> bytes:
    return hashlib.sha256(read(name, path)).digest()
