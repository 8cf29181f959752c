"""Parquet files, read in batches of rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from rarelabels.data.table.batch import BATCH_ROWS, Batch
from rarelabels.data.table.opening import readable
from rarelabels.errors import UserError


def parquet_batches(path: Path, columns: Sequence[str]) -> Iterator[Batch]:
    """Yield the rows of a Parquet file, with these columns."""
    first = 1
    with readable(path), pq.ParquetFile(path) as file:
        for rows in file.iter_batches(BATCH_ROWS, columns=list(columns)):
            batch = Batch(path, first, len(rows), None, {})
            batch.cells.update({name: _values(batch, name, rows.column(name)) for name in columns})
            yield batch
            first += len(rows)


def _values(batch: Batch, name: str, column: pa.Array) -> list[Any]:
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:
        wrong = next(i for i, value in enumerate(column) if not _decodes(value))
        raise UserError(f"{batch.at(wrong, name)}: is not UTF-8 text; write the column as UTF-8") from None
    return values


def _decodes(value: pa.Scalar) -> bool:
    try:
        value.as_py()
    except UnicodeDecodeError:
        return False
    return True
