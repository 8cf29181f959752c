"""Open the file of a table, and tell what it holds if that is not what its name says."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pyarrow as pa

from rarelabels.errors import UserError, nearest

Format = Literal["csv", "tsv", "jsonl", "parquet", "svm", "arff"]
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
    ".svm": "svm",
    ".svm.gz": "svm",
    ".arff": "arff",
    ".arff.gz": "arff",
}
UTF_16, BINARY = "UTF-16 text", "binary data"
IN_WORDS = {
    "csv": "CSV in UTF-8",
    "tsv": "TSV in UTF-8",
    "jsonl": "JSON Lines (one JSON object a line)",
    "parquet": "Parquet",
    "svm": "sparse text (labels index:value ...)",
    "arff": "ARFF",
}
BEGINNINGS = {
    b"PAR1": "a Parquet file",
    b"\x1f\x8b": "gzip-compressed data",
    b"PK\x03\x04": "an Excel workbook or another zip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook",
    b"SQLite format 3": "an SQLite database",
    b"\xff\xfe": UTF_16,
    b"\xfe\xff": UTF_16,
    b"\x28\xb5\x2f\xfd": "zstd-compressed data",
    b"BZh": "bzip2-compressed data",
    b"\xfd7zXZ": "xz-compressed data",
}
TEXT_BEGINNINGS = {
    re.compile(rb"\[\s*[\[{]"): "one JSON array",
    re.compile(rb'\{\s*"[^"]*"\s*:'): "JSON",
    re.compile(rb"<(!doctype|html|\?xml)", re.IGNORECASE): "a web page or XML",
    re.compile(rb"[^\0]*\0"): BINARY,
}
csv.field_size_limit(MAX_CELL)


def table_format(path: Path) -> Format:
    """Return the format that the end of the file's name stands for.

    Raises:
        UserError: the name has no known ending.
    """
    for suffix, found in SUFFIXES.items():
        if path.name.lower().endswith(suffix):
            return found
    raise UserError(f"{path}: unknown kind of table; allowed a name that ends in {', '.join(SUFFIXES)}")


def is_text(text: str) -> bool:
    """Return whether text is free of lone surrogates, which stand for bytes that are not UTF-8."""
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False


def shown(value: object) -> str:
    """Return a value as messages quote it: in one line, at most 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def opened(path: Path) -> io.BufferedReader:
    """Open a file for reading, unpacked."""
    return io.BufferedReader(gzip.GzipFile(path)) if _is_packed(path) else path.open("rb")


def _is_packed(path: Path) -> bool:
    return path.name.lower().endswith(".gz")


def is_utf_16(encoding: str) -> bool:
    """Return whether an encoding is a form of UTF-16, whose text has bytes of zero."""
    return encoding.lower().replace("-", "").replace("_", "").startswith(("utf16", "u16"))


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turn the errors of reading a file into a :class:`UserError` that names the file."""
    try:
        yield
    except FileNotFoundError:
        near = nearest(path.name, [one.name for one in path.parent.glob("*")])
        raise UserError(
            f"{path}: there is no such file{near}; a path is relative to the YAML file it stands in"
        ) from None
    except (OSError, EOFError, ValueError, OverflowError, zlib.error, pa.ArrowException) as error:
        # In one line, whatever bytes of the file pyarrow quotes.
        reason = getattr(error, "strerror", None) or ascii(str(error)).strip("'\"")[:300]
        raise UserError(f"{path}: cannot be read, or is damaged: {reason}") from error


def check_content(path: Path, encoding: str = "utf-8") -> None:
    """Raise if the first bytes are not those of the kind of file that the name says, in UTF-8 or another encoding."""
    with readable(path):
        with path.open("rb") as file:
            begin = file.read(4_096)
        if not begin:
            raise UserError(f"{path}: is empty; a table needs columns and rows")
        allowed, found = IN_WORDS[table_format(path)], _kind_of(begin)
        if _is_packed(path) and found != BEGINNINGS[b"\x1f\x8b"]:
            raise UserError(f"{path}: holds {found or 'text'}, but its name says that it is gzipped; rename it")
        if _is_packed(path):
            with opened(path) as unpacked:
                found = _kind_of(unpacked.read(4_096))
    if found in (UTF_16, BINARY) and table_format(path) in DELIMITERS and is_utf_16(encoding):
        return
    mend = ", or set dataset.encoding to utf-16 (init recognises it)" if found == UTF_16 else ""
    if found not in {"parquet": ("a Parquet file",), "jsonl": ("", "JSON")}.get(table_format(path), ("",)):
        raise UserError(
            f"{path}: holds {found or 'text'}, but its name says {allowed}; rename it, or save the table as {allowed}"
            f"{mend}"
        )


def _kind_of(begin: bytes) -> str:
    """Return the kind of a file that begins with these bytes; empty for text without a mark."""
    text = begin.removeprefix(b"\xef\xbb\xbf").lstrip()
    marks = [what for mark, what in BEGINNINGS.items() if begin.startswith(mark)]
    return (marks or [what for mark, what in TEXT_BEGINNINGS.items() if mark.match(text)] or [""])[0]
