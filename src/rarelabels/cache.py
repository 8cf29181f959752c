"""Prepared arrays, kept in a folder between processes.

An entry is one file: a SHA-256 of key and payload, then the payload, an ``.npz`` archive without pickles. An entry that
does not match its checksum is built again: it was cut short or changed, or holds the content of another entry. A file
appears complete or not at all. So two processes that fill the same entry at once do the work twice, and no process
reads half a file.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels import whole_files
from rarelabels.errors import UserError

VARIABLE = "RARELABELS_CACHE"

Arrays = dict[str, npt.NDArray[Any]]

_CHECKSUM_BYTES = hashlib.sha256().digest_size
_log = logging.getLogger(__name__)


def folder() -> Path:
    """Return the cache folder: ``RARELABELS_CACHE``, else ``rarelabels`` below ``XDG_CACHE_HOME`` or ``~/.cache``.

    Raises:
        UserError: the home folder is needed and cannot be found.
    """
    own, shared = os.environ.get(VARIABLE), os.environ.get("XDG_CACHE_HOME", "")
    try:
        if own:
            return Path(own).expanduser().absolute()
        # The XDG standard says that a relative path is to be ignored.
        return (Path(shared) if Path(shared).is_absolute() else Path.home() / ".cache") / "rarelabels"
    except RuntimeError as error:
        raise UserError(f"no folder for the cache: {error}; set {VARIABLE} to one") from error


def cached(name: str, key: str, build: Callable[[], Arrays]) -> Arrays:
    """Return the arrays stored under ``name`` and ``key``. If no intact entry is there, build and store it first.

    Args:
        name: the beginning of the entry's file name.
        key: any text that changes whenever ``build`` would give other arrays.
        build: called when the cache cannot answer; returns named arrays of numbers or fixed-width text.

    Raises:
        UserError: the cache folder cannot be created, read or written.
    """
    where = folder()
    path = where / f"{name}-{hashlib.sha256(key.encode()).hexdigest()[:24]}"
    try:
        stored = _read(path, key)
        if stored is None:
            where.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unusable(where, error) from error
    if stored is not None:
        return stored
    arrays = build()
    try:
        _write(path, key, arrays)
    except OSError as error:
        raise _unusable(where, error) from error
    return arrays


def _read(path: Path, key: str) -> Arrays | None:
    """Return the entry, or None if there is none or it is damaged."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    payload = content[_CHECKSUM_BYTES:]
    if content[:_CHECKSUM_BYTES] != _checksum(key, payload):
        _log.warning("%s is damaged or not ours; building it again", path)
        return None
    with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
        return dict(archive)


def _write(path: Path, key: str, arrays: Arrays) -> None:
    buffer = io.BytesIO()
    np.savez(buffer, allow_pickle=False, **arrays)
    payload = buffer.getvalue()
    whole_files.write(path, _checksum(key, payload) + payload)


def _checksum(key: str, payload: bytes) -> bytes:
    # The key is part of the checksum: an intact entry under another entry's name does not match.
    return hashlib.sha256(hashlib.sha256(key.encode()).digest() + payload).digest()


def _unusable(where: Path, error: OSError) -> UserError:
    return UserError(
        f"{where}: the cache folder cannot be used ({error.strerror or error}); "
        f"set {VARIABLE} to a folder that can be written"
    )
