"""CSV and TSV files, read in batches of rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path

from rarelabels.data.table.batch import Batch, numbered
from rarelabels.data.table.dialect import PLAIN, Dialect
from rarelabels.data.table.opening import opened, readable
from rarelabels.errors import UserError


def delimited_records(path: Path, dialect: Dialect = PLAIN) -> Iterator[tuple[int, list[str]]]:
    """Yield each record, the header first, with the line it begins on; blank lines are skipped."""
    delimiter = dialect.between(path)
    # Bytes that are not in the encoding become surrogates, so that the cell that holds them can be named.
    with readable(path), opened(path) as raw:
        text = io.TextIOWrapper(raw, encoding=dialect.codec, errors="surrogateescape", newline="")
        reader = csv.reader(text, delimiter=delimiter, strict=True)
        row, line = int(not dialect.header), 1
        try:
            for record in reader:
                if record and not (line == 1 and delimiter.join(record) == f"sep={delimiter}"):  # for Excel
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


def delimited_names(path: Path, dialect: Dialect = PLAIN) -> list[str]:
    """Return the names of the columns; numbers from 1 if the file has no header."""
    _, first = next(delimited_records(path, dialect), (0, []))
    return first if dialect.header else [str(place) for place in range(1, len(first) + 1)]


def delimited_batches(path: Path, columns: Sequence[str], dialect: Dialect = PLAIN) -> Iterator[Batch]:
    """Yield the rows of a CSV or TSV file, with these columns."""
    names = delimited_names(path, dialect)
    place = {name: names.index(name) for name in columns}
    records = delimited_records(path, dialect)
    if dialect.header:
        next(records)
    skipped = -1
    for first, rows in numbered(records):
        batch = Batch(path, first, len(rows), [line for line, _ in rows], {}, dialect.encoding)
        if skipped < 0:
            skipped = int(dialect.index and len(rows[0][1]) == len(names) + 1)
        _check_widths(batch, [record for _, record in rows], len(names), skipped, dialect)
        batch.cells.update({name: [record[i + skipped] for _, record in rows] for name, i in place.items()})
        yield batch


def _check_widths(batch: Batch, records: list[list[str]], width: int, skipped: int, dialect: Dialect) -> None:
    """Raise if a record has more or fewer cells than the header."""
    for i, record in enumerate(records):
        if len(record) != width + skipped:
            delimiter = dialect.between(batch.path)
            what = "the header" if dialect.header else "the first row"
            mend = f"put quotes around a cell that holds {delimiter!r} or a line break"
            if width == 1 < len(record) and dialect.header:
                mend = "if the first line is a title or a comment, take it out, so that the columns' names come first"
            elif all(len(one) == width + 1 for one in records) and not skipped:
                mend = (
                    f"if each row begins with its number, give that column a name, or set dataset.index to true; if "
                    f"each ends with {delimiter!r}, end the header with it, too"
                )
            raise UserError(f"{batch.at(i)}: has {len(record)} cells, but {what} has {width}; {mend}")
