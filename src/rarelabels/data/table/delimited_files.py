"""CSV and TSV files, read in batches of rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from rarelabels.data.table.batch import Batch
from rarelabels.data.table.opening import DELIMITERS, opened, readable, table_format
from rarelabels.errors import UserError


def delimited_records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each record, the header first, with the line it begins on; blank lines are skipped."""
    delimiter = DELIMITERS[table_format(path)]
    # Bytes that are not UTF-8 become surrogates, so that the cell that holds them can be named.
    with readable(path), opened(path) as raw:
        text = io.TextIOWrapper(raw, encoding="utf-8-sig", errors="surrogateescape", newline="")
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        row, line = 0, 1
        try:
            for record in reader:
                if record:
                    yield line, record
                    row += 1
                line = reader.line_num + 1
        except csv.Error as error:
            where = f"row {row} (line {line})" if row else f"the header (line {line})"
            raise UserError(f"{path}: {where}: {_csv_trouble(str(error))}") from None


def _csv_trouble(error: str) -> str:
    if "unexpected end of data" in error or "field limit" in error:
        return "a quote that opens a cell is never closed; close it, or write a quote inside a cell twice"
    if "expected after" in error:
        return "text follows the closing quote of a cell; write a quote inside a cell twice"
    return f"cannot be read: {error}"


def check_widths(batch: Batch, records: list[list[str]], width: int) -> None:
    """Raise if a record has more or fewer cells than the header."""
    for i, record in enumerate(records):
        if len(record) != width:
            delimiter = DELIMITERS[table_format(batch.path)]
            raise UserError(
                f"{batch.at(i)}: has {len(record)} cells, but the header has {width}; "
                f"put quotes around a cell that holds {delimiter!r} or a line break"
            )
