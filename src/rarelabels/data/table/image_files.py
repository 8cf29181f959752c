"""Images beside a table: a column names a file for each row, below a folder."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path, PureWindowsPath

import numpy as np
import numpy.typing as npt

from rarelabels import cache
from rarelabels.data.table import column_checks, table_files
from rarelabels.data.table.batch import Batch
from rarelabels.data.table.cell_values import label_name
from rarelabels.data.table.dialect import Dialect
from rarelabels.data.table.opening import readable, shown, table_format
from rarelabels.declare.table import TableSpec
from rarelabels.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp")
BEGINNINGS = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM")
FORMATS = "PNG, JPEG, GIF or BMP"
MEND = "mend the name, or leave the row out"


def folder(spec: TableSpec) -> Path:
    """Return the folder that the names of images begin below: the declared one, or that of the table."""
    assert spec.images is not None
    return Path(spec.path).parent if spec.images.folder is None else Path(spec.images.folder)


class Images:
    """A column whose cells name image files below a folder. Links are followed, wherever they lead."""

    def __init__(self, folder: Path, column: str) -> None:
        """Take no cells yet.

        Args:
            folder: the names begin below it.
            column: its name.
        """
        self._folder, self._column = folder, column
        self._names: list[str] = []
        self._known: set[str] = set()

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch.

        Raises:
            UserError: a cell names no file below the folder, or one that does not begin as an image does.
        """
        for row, cell in enumerate(batch.cells[self._column]):
            name = label_name(batch, row, self._column, cell)
            if name not in self._known:  # several rows may share an image
                if wrong := _what_is_wrong(self._folder, name):
                    raise UserError(f"{batch.at(row, self._column)}: {wrong}")
                self._known.add(name)
            self._names.append(name)

    def names(self) -> npt.NDArray[np.str_]:
        """Return the name of each row's image, (n,)."""
        return np.array(self._names, dtype=np.str_)


def _what_is_wrong(folder: Path, name: str) -> str:
    """Return why a name is not that of an image below a folder; empty if it is."""
    if not name:
        return "must name an image; given an empty cell; fill it in, or leave the row out"
    as_on_windows = PureWindowsPath(name)  # it has both signs between folders
    if Path(name).is_absolute() or as_on_windows.is_absolute() or ".." in as_on_windows.parts:
        return (
            f"must name a file below {folder}, without .. and not from the root; given {shown(name)}; write the name "
            "as it is seen from that folder, or name another folder"
        )
    try:
        with (folder / name).open("rb") as file:
            begin = file.read(4)
    except (OSError, ValueError) as error:  # ValueError: a name with a byte of zero
        if isinstance(error, FileNotFoundError):
            there = "" if folder.is_dir() else ", for there is no such folder"
            return f"there is no image {shown(name)} in {folder}{there}; {MEND}"
        return f"the image {shown(name)} in {folder} cannot be read ({getattr(error, 'strerror', None) or error})"
    if not begin.startswith(BEGINNINGS):
        return f"{shown(name)} in {folder} is no image of {FORMATS} format; mend the file, or leave the row out"
    return ""


def content(spec: TableSpec, table: str) -> str:
    """Return the SHA-256 of the names and contents of all images, in hexadecimal.

    Contents are hashed once, and again when the size or a time of a file has changed.

    Args:
        spec: of the table.
        table: the SHA-256 of the table's bytes.

    Raises:
        UserError: the table cannot be read, or a cell names no image.
    """
    assert spec.images is not None
    written = [table, table_format(Path(spec.path)), spec.images.column, asdict(Dialect.of(spec))]
    names = cache.cached("table-image-names", json.dumps(written), functools.partial(_stored_names, spec))["names"]
    paths = [folder(spec) / name for name in names.tolist()]
    try:
        seen = [_state(path) for path in paths]
    except (OSError, ValueError) as error:
        _stored_names(spec)  # names the row
        raise UserError(
            f"{folder(spec)}: an image cannot be read ({getattr(error, 'strerror', None) or error})"
        ) from error
    key = json.dumps([[str(path) for path in paths], seen])
    digests = cache.cached("table-image-digests", key, functools.partial(_digests, paths))["digests"]
    lines = "\n".join(f"{digest} {name}" for digest, name in zip(digests.tolist(), names.tolist(), strict=True))
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()


def _stored_names(spec: TableSpec) -> cache.Arrays:
    """Return ``names``, the different images of a table in the order of their names."""
    assert spec.images is not None
    path, dialect, column = Path(spec.path), Dialect.of(spec), spec.images.column
    wanted = {column: "dataset.images.column"}
    column_checks.check_columns(path, table_files.column_names(path, dialect), wanted, dialect)
    read = Images(folder(spec), column)
    for batch in table_files.batches(path, [column], dialect):
        read.add(batch)
    return {"names": np.unique(read.names())}


def _state(path: Path) -> tuple[int, int, int]:
    """Return the size of a file and its times, one of which changes whenever its content does."""
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns


def _digests(paths: Sequence[Path]) -> cache.Arrays:
    """Return ``digests``, the SHA-256 of the bytes of each file."""
    digests = []
    for path in paths:
        with readable(path), path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return {"digests": np.array(digests, dtype=np.str_)}
