"""One file of scores as a table of columns."""

from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path

import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow import parquet

from rarelabels.errors import UserError, first_line, nearest
from rarelabels.names import some

ENDINGS = {".parquet": "Parquet", ".csv": "CSV", ".csv.gz": "gzip-compressed CSV"}
BEGINNINGS = {  # the first bytes of files that are often given by mistake
    b"PAR1": "Parquet",
    b"PK\x03\x04": "a zip archive (an Excel file, or NumPy's .npz)",
    b"\x1f\x8b": "gzip-compressed CSV",
    b"\x93NUMPY": "a NumPy array",
    b"\x80": "a pickle",
    b"{": "JSON",
    b"[": "JSON",
}
HOW = "see `rarelabels judge --help` for how to write the file"
BLOCK = 1 << 20  # bytes that are looked through at once
LONGEST = (1 << 31) - 1  # characters of a cell, for the standard library
ROW = 1 << 26  # bytes, 64 MiB: no row of a CSV may be longer


def read_table(path: Path) -> pa.Table:
    """Return the columns ``id``, ``true/<label>`` and ``score/<label>`` of a file, those that it has.

    Raises:
        UserError: the file cannot be read, is of another kind, or has no such columns or one of them twice.
    """
    ending = next((ending for ending in sorted(ENDINGS, key=len) if path.name.lower().endswith(ending)), "")
    begins = _beginning(path)
    if not ending:
        found = f"; this one is {begins}" if begins else ""
        raise UserError(f"{path}: unknown kind of file; allowed {', '.join(ENDINGS)}{found}; {HOW}")
    if begins != (ENDINGS[ending] if ending != ".csv" else ""):
        found = begins or "text (CSV?)"
        right = next((other for other, kind in ENDINGS.items() if kind == (begins or "CSV")), "")
        todo = f"rename it to end in {right}" if right else HOW
        raise UserError(f"{path}: is not {ENDINGS[ending]}, as its name says, but {found}; {todo}")
    try:
        return _parquet(path) if ending == ".parquet" else _csv(path)
    except (pa.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as {ENDINGS[ending]}: {first_line(error)[:300]}") from error


def _beginning(path: Path) -> str:
    """Return the kind of file that the first bytes tell; "" for text."""
    if path.is_dir():
        raise UserError(f"{path}: is a folder; give a file: {', '.join(ENDINGS)}")
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except FileNotFoundError:
        near = nearest(path.name, [other.name for other in path.parent.glob("*")] if path.parent.is_dir() else [])
        raise UserError(f"{path}: there is no such file{near}") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from error
    if not head.strip():
        raise UserError(f"{path}: is empty")
    known = (kind for beginning, kind in BEGINNINGS.items() if head.lstrip().startswith(beginning))
    return next(known, "not text" if b"\0" in head else "")


def _parquet(path: Path) -> pa.Table:
    wanted = _wanted(path, parquet.read_schema(path).names)
    return parquet.read_table(path, columns=wanted).rename_columns(list(map(_plain, wanted)))


def _csv(path: Path) -> pa.Table:
    packing = "gzip" if path.suffix.lower() == ".gz" else None
    names = _header(path, packing)
    # With decimal commas, rows of another separator would seem to have too many cells: the header is checked first.
    if len(names) == 1 and (other := next((mark for mark in ";\t|" if mark in names[0]), "")):
        raise UserError(f"{path}: columns must be separated by commas; given {other!r}")
    _check_quotes(path, packing)
    wanted = _wanted(path, names)
    # An empty cell is a missing value; an id is text, whatever it looks like. Other columns are not converted.
    types = {name: pa.string() for name in wanted if _plain(name) == "id"}
    with pa.input_stream(path, packing) as stream:
        try:
            table = arrow_csv.read_csv(
                stream,
                read_options=arrow_csv.ReadOptions(block_size=ROW),
                # Without this, a file of several blocks is cut at line breaks inside cells.
                parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
                convert_options=arrow_csv.ConvertOptions(column_types=types, include_columns=wanted),
            )
        except pa.ArrowInvalid as error:
            if "straddl" not in str(error):
                raise
            raise UserError(f"{path}: a row is longer than {ROW:,} bytes; leave its columns of text out") from None
    return table.rename_columns(list(map(_plain, wanted)))


def _header(path: Path, packing: str | None) -> list[str]:
    """Return the names of a CSV's columns."""
    with pa.input_stream(path, packing) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="surrogateescape", newline="")
        names = next(csv.reader(text), [])
    if any("\udc80" <= sign <= "\udcff" for name in names for sign in name):
        raise UserError(f"{path}: the names of its columns are not UTF-8 text; save the file as UTF-8")
    return names


def _check_quotes(path: Path, packing: str | None) -> None:
    """Raise if the quotes of a cell are not closed: Arrow would take the rows below for the rest of the cell."""
    with pa.input_stream(path, packing) as stream:
        if not any(b'"' in block for block in iter(lambda: stream.read(BLOCK), b"")):
            return
    with pa.input_stream(path, packing) as stream:
        text = io.TextIOWrapper(stream, encoding="latin-1", newline="")  # quotes and commas are those of ASCII
        before, rows = csv.field_size_limit(LONGEST), csv.reader(text, strict=True)
        start = 1
        try:
            for _ in rows:
                start = rows.line_num + 1
        except csv.Error as error:
            raise UserError(
                f"{path}: line {start:,}: a quoted cell must end with one quote before a comma or the end of the line, "
                f"with quotes inside it doubled; {error}"
            ) from None
        finally:
            csv.field_size_limit(before)


def _wanted(path: Path, names: list[str]) -> list[str]:
    """Return the names of the columns that are read, as they stand in the file."""
    wanted = [name for name in names if _plain(name) == "id" or _plain(name).startswith(("true/", "score/"))]
    if twice := [name for name, times in Counter(map(_plain, wanted)).items() if times > 1]:
        raise UserError(f"{path}: columns must differ; given more than once: {some(twice)}; keep one of each")
    if set(map(_plain, wanted)) - {"id"}:
        return wanted
    raise UserError(f"{path}: no columns true/<label> and score/<label>; it has {some(names)}; {HOW}")


def _plain(name: str) -> str:
    """Return the name of a column without the blank after a comma; a label keeps the blanks at its end."""
    return name.strip() if name.strip() == "id" else name.lstrip()


def labels_of(path: Path, names: list[str]) -> tuple[str, ...]:
    """Return the labels that have both a column of truth and one of scores.

    Raises:
        UserError: a label has only one of the two columns.
    """
    truths, scores = (
        [name.removeprefix(prefix) for name in names if name.startswith(prefix)] for prefix in ("true/", "score/")
    )
    known = set(truths) & set(scores)
    lonely = [f"true/{label} (no score/{label})" for label in truths if label not in known]
    lonely += [f"score/{label} (no true/{label})" for label in scores if label not in known]
    if lonely:
        raise UserError(f"{path}: each label needs both columns, true/<label> and score/<label>; {some(lonely, '{}')}")
    return tuple(truths)
