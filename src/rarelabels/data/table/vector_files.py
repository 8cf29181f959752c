"""Vectors in a .npy file beside a table: one row of the file for each row of the table, in its order."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.data.table import table_files
from rarelabels.data.table.batch import Batch
from rarelabels.data.table.dialect import PLAIN, Dialect
from rarelabels.data.table.opening import readable
from rarelabels.declare.table import VectorColumn
from rarelabels.errors import UserError

Matrix = npt.NDArray[Any]


def content(vectors: Sequence[VectorColumn]) -> list[str]:
    """Return the SHA-256 of the bytes of each file, in hexadecimal.

    Raises:
        UserError: a file cannot be read.
    """
    digests = []
    for path in (Path(one.file) for one in vectors if one.file is not None):
        with readable(path), path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digests


def mapped(path: Path) -> Matrix:
    """Return the numbers of a .npy file, (rows, length). They stay in the file until they are asked for.

    Raises:
        UserError: the file cannot be read, is no .npy file, or holds no matrix of numbers.
    """
    if path.suffix.lower() != ".npy":
        raise UserError(f"{path}: must be a .npy file, as numpy.save writes it; save the vectors with numpy.save")
    try:
        # This reads plain arrays only: neither pickles, which could run anything, nor archives.
        with readable(path):
            matrix = np.lib.format.open_memmap(path, mode="r")
    except UserError as error:
        hint = "; save numbers, as in numpy.save(file, array.astype('float32'))"
        raise UserError(f"{error}{hint if 'Python objects' in str(error) else ''}") from None
    if matrix.ndim != 2 or matrix.dtype.kind not in "biuf" or not matrix.shape[1]:
        shape = " x ".join(map(str, matrix.shape)) or "one number"
        raise UserError(
            f"{path}: must hold a matrix of numbers, (rows, length of a vector); given {shape} of type {matrix.dtype}"
        )
    return matrix


def batches(
    path: Path, columns: Sequence[str], vectors: Sequence[VectorColumn], dialect: Dialect = PLAIN
) -> Iterator[Batch]:
    """Yield the given columns of a table, and the vectors of ``vectors`` that have a file, as further columns.

    Args:
        path: of the table.
        columns: of the table, without those of files.
        vectors: declared columns; those without a file are left to ``columns``.
        dialect: of a CSV or TSV file.

    Raises:
        UserError: see :func:`mapped` and ``table_files.batches``; or a file has more or fewer rows than the table.
    """
    files = {one.column: Path(one.file) for one in vectors if one.file is not None}
    matrices = {column: mapped(file) for column, file in files.items()}
    rows = 0
    for batch in table_files.batches(path, columns, dialect):
        first, rows = rows, rows + batch.rows
        batch.cells.update({column: list(matrix[first:rows]) for column, matrix in matrices.items()})
        if all(len(matrix) >= rows for matrix in matrices.values()):  # else the rows are only counted, for the message
            yield batch
    _check_rows(path, rows, files, matrices)


def _check_rows(path: Path, rows: int, files: dict[str, Path], matrices: dict[str, Matrix]) -> None:
    for column, matrix in matrices.items():
        if len(matrix) != rows:
            raise UserError(
                f"{files[column]}: has {len(matrix):,} vectors, but {path} has {rows:,} rows; each row needs its own"
            )
