"""Files that hold a table, read in batches of rows: CSV and TSV (also gzipped), JSON Lines (also gzipped), Parquet.

Memory does not grow with the file. The text formats are read by the standard library and not by pyarrow: it knows the
line of each row, refuses a quote that is never closed, and does not guess the type of a column.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import chain, islice
from pathlib import Path
from typing import Any, Literal, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from rarelabels.errors import UserError

Format = Literal["csv", "tsv", "jsonl", "parquet"]
Row = TypeVar("Row")

BATCH_ROWS = 8_192
MAX_CELL = 10_000_000  # characters; the csv module's own limit of 131,072 is less than a long article

DELIMITERS = {"csv": ",", "tsv": "\t"}
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".csv.gz": "csv",
    ".tsv": "tsv",
    ".tsv.gz": "tsv",
    ".jsonl": "jsonl",
    ".jsonl.gz": "jsonl",
    ".parquet": "parquet",
}
IN_WORDS = {
    "csv": "CSV in UTF-8",
    "tsv": "TSV in UTF-8",
    "jsonl": "JSON Lines (one JSON object a line)",
    "parquet": "Parquet",
}
BEGINNINGS = {
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "gzip-compressed data",
    b"PK\x03\x04": "an Excel workbook or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"SQLite format 3": "an SQLite database",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x28\xb5\x2f\xfd": "zstd-compressed data",
    b"BZh": "bzip2-compressed data",
    b"\xfd7zXZ": "xz-compressed data",
}
TEXT_BEGINNINGS = {
    re.compile(rb"\[\s*[\[{]"): "one JSON array",
    re.compile(rb'\{\s*"[^"]*"\s*:'): "JSON",
    re.compile(rb"<(!doctype|html|\?xml)", re.IGNORECASE): "a web page or XML",
    re.compile(rb"[^\0]*\0"): "binary data",
}

csv.field_size_limit(MAX_CELL)


@dataclass(frozen=True)
class RawColumn:
    """A column of raw rows: its name, and what its cells hold; a list is a list, or a text that is its one entry."""

    name: str
    holds: Literal["text", "list", "number"]


@dataclass(frozen=True)
class Batch:
    """Some rows of a file, in its order.

    Attributes:
        path: the file.
        first: number of the first of these rows; rows of data count from 1.
        rows: how many they are.
        lines: the line each row begins on, from 1; None where a file has no lines.
        cells: column name to one value for each row. CSV and TSV have text only, the others what they hold: None, text,
            numbers, truth values, lists.
    """

    path: Path
    first: int
    rows: int
    lines: Sequence[int] | None
    cells: dict[str, list[Any]]

    def at(self, index: int, column: str = "") -> str:
        """Return how messages call a row, or a cell, of this batch: ``a.csv: row 7 (line 8), column 'age'``."""
        line = f" (line {self.lines[index]})" if self.lines else ""
        return f"{self.path}: row {self.first + index}{line}" + (f", column {column!r}" if column else "")


def table_format(path: Path) -> Format:
    """Return what the end of the name says the file is.

    Raises:
        UserError: it says nothing known.
    """
    for suffix, found in SUFFIXES.items():
        if path.name.lower().endswith(suffix):
            return found
    raise UserError(f"{path}: unknown kind of table; allowed a name that ends in {', '.join(SUFFIXES)}")


def column_names(path: Path) -> tuple[str, ...]:
    """Return the names of the columns in the order of the file; of JSON Lines, every key that any row has.

    Raises:
        UserError: the file cannot be read, is not what its name says, is empty, or has two columns of one name.
    """
    _check_content(path)
    match table_format(path):
        case "parquet":
            with readable(path), pq.ParquetFile(path) as file:
                names = file.schema_arrow.names
        case "jsonl":
            names = list(dict.fromkeys(chain.from_iterable(row for _, row in _objects(path))))
        case "csv" | "tsv":
            _, names = next(_records(path), (0, []))
    if not names:
        raise UserError(f"{path}: is empty; a table needs columns and rows")
    if unreadable := [name for name in names if not is_text(name)]:
        raise UserError(f"{path}: the name of column {unreadable[0]!r} is not UTF-8 text; save the file as UTF-8")
    # Spreadsheets write empty columns without a name; nobody can ask for them.
    if twice := [name for name in dict.fromkeys(names) if name and names.count(name) > 1]:
        raise UserError(f"{path}: two columns are called {', '.join(map(repr, twice))}; rename one of them")
    return tuple(names)


def batches(path: Path, columns: Sequence[str]) -> Iterator[Batch]:
    """Yield the given columns of a table, ``BATCH_ROWS`` rows at a time.

    Args:
        path: a file that :func:`column_names` has read.
        columns: without repeats; the file has them.

    Raises:
        UserError: a row that cannot be read, with its number and line.
    """
    match table_format(path):
        case "parquet":
            yield from _parquet_batches(path, columns)
        case "jsonl":
            for first, objects in _numbered(_objects(path)):
                cells = {name: [row.get(name) for _, row in objects] for name in columns}
                yield Batch(path, first, len(objects), [line for line, _ in objects], cells)
        case "csv" | "tsv":
            records = _records(path)
            _, header = next(records)
            place = {name: header.index(name) for name in columns}
            for first, rows in _numbered(records):
                batch = Batch(path, first, len(rows), [line for line, _ in rows], {})
                _check_widths(batch, [record for _, record in rows], len(header))
                batch.cells.update({name: [record[i] for _, record in rows] for name, i in place.items()})
                yield batch


def _numbered(rows: Iterator[Row]) -> Iterator[tuple[int, list[Row]]]:
    first = 1
    while batch := list(islice(rows, BATCH_ROWS)):
        yield first, batch
        first += len(batch)


# CSV and TSV


def _records(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield each record, the header first, with the line it begins on; blank lines are none."""
    delimiter = DELIMITERS[table_format(path)]
    # Bytes that are not UTF-8 become surrogates, so that the cell that holds them can be named.
    with readable(path), _opened(path) as raw:
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


def _check_widths(batch: Batch, records: list[list[str]], width: int) -> None:
    for i, record in enumerate(records):
        if len(record) != width:
            delimiter = DELIMITERS[table_format(batch.path)]
            raise UserError(
                f"{batch.at(i)}: has {len(record)} cells, but the header has {width}; "
                f"put quotes around a cell that holds {delimiter!r} or a line break"
            )


# JSON Lines


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the object of each line that is not blank, with its line."""
    with readable(path), _opened(path) as file:
        row = 0
        for line, text in enumerate(file, 1):
            if text.strip():
                row += 1
                yield line, _object(f"{path}: row {row} (line {line})", text)


def _object(where: str, text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text.decode("utf-8-sig"), object_pairs_hook=_without_repeats)
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: is not UTF-8 text (byte {error.start + 1} of the line); save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{where}: must be one JSON object; given {shown(text.decode())} ({reason})") from None
    if not isinstance(value, dict):
        raise UserError(f"{where}: must be one JSON object, {{column: value, ...}}; given {shown(value)}")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key is given twice")
    return row


# Parquet


def _parquet_batches(path: Path, columns: Sequence[str]) -> Iterator[Batch]:
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


# Opening, and what is in it


def is_text(text: str) -> bool:
    """Return whether text is free of lone surrogates, which stand for bytes that are not UTF-8."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def shown(value: object) -> str:
    """Return how messages quote a value: in one line, at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _opened(path: Path) -> io.BufferedReader:
    return io.BufferedReader(gzip.GzipFile(path)) if _is_packed(path) else path.open("rb")


def _is_packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn what reading a file can raise into a :class:`UserError` that names it."""
    try:
        yield
    except FileNotFoundError:
        near = get_close_matches(path.name, [one.name for one in path.parent.glob("*")], n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise UserError(
            f"{path}: there is no such file{hint}; a path is relative to the YAML file it stands in"
        ) from None
    except (OSError, EOFError, ValueError, zlib.error, pa.ArrowException) as error:
        # In one line, whatever bytes of the file pyarrow quotes.
        reason = getattr(error, "strerror", None) or ascii(str(error)).strip("'\"")[:300]
        raise UserError(f"{path}: cannot be read, or is damaged: {reason}") from error


def _check_content(path: Path) -> None:
    """Raise if the first bytes are not those of the kind of file that the name says."""
    with readable(path):
        with path.open("rb") as file:
            begin = file.read(4_096)
        if not begin:
            raise UserError(f"{path}: is empty; a table needs columns and rows")
        allowed, found = IN_WORDS[table_format(path)], _kind_of(begin)
        if _is_packed(path) and found != BEGINNINGS[b"\x1f\x8b"]:
            raise UserError(f"{path}: holds {found or 'text'} and is not gzipped, as its name says; rename it")
        if _is_packed(path):
            with _opened(path) as unpacked:
                found = _kind_of(unpacked.read(4_096))
    if found not in {"parquet": ("a Parquet file",), "jsonl": ("", "JSON")}.get(table_format(path), ("",)):
        raise UserError(
            f"{path}: holds {found or 'text'}, but its name says {allowed}; rename it, or save the table as {allowed}"
        )


def _kind_of(begin: bytes) -> str:
    """Return what a file is that begins so; nothing for text without a mark."""
    text = begin.removeprefix(b"\xef\xbb\xbf").lstrip()
    marks = [what for mark, what in BEGINNINGS.items() if begin.startswith(mark)]
    return (marks or [what for mark, what in TEXT_BEGINNINGS.items() if mark.match(text)] or [""])[0]
