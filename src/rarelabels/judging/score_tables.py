"""One file of scores as a table of columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
from pyarrow import csv, parquet

from rarelabels.errors import UserError, first_line, nearest

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
HEADER = 65_536  # bytes in which the first line is looked for
MANY = 5  # names that are listed before the rest is only counted


def some(names: Sequence[str], form: str = "{!r}") -> str:
    """Return the first few names as one text; of the rest only the number is given."""
    shown = ", ".join(form.format(name) for name in names[:MANY])
    return shown + (f" and {len(names) - MANY:,} more" if len(names) > MANY else "")


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
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
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
    names = _wanted(path, parquet.read_schema(path).names)
    return parquet.read_table(path, columns=names)


def _csv(path: Path) -> pa.Table:
    packing = "gzip" if path.suffix.lower() == ".gz" else None
    # The header is checked first: with decimal commas, rows of another separator would seem to have too many cells.
    with pa.input_stream(path, packing) as stream:
        header = bytes(stream.read(HEADER)).partition(b"\n")[0].decode(errors="replace")
    if "," not in header and (other := next((mark for mark in ";\t|" if mark in header), "")):
        raise UserError(f"{path}: columns must be separated by commas; given {other!r}")
    # An empty cell is a missing value; an id is text, whatever it looks like.
    options = csv.ConvertOptions(column_types={"id": pa.string()})
    with pa.input_stream(path, packing) as stream:
        table = csv.read_csv(stream, convert_options=options)
    return table.select(_wanted(path, table.column_names))


def _wanted(path: Path, names: list[str]) -> list[str]:
    wanted = [name for name in names if name == "id" or name.startswith(("true/", "score/"))]
    if twice := [name for name, times in Counter(wanted).items() if times > 1]:
        raise UserError(f"{path}: columns must differ; given more than once: {some(twice)}; keep one of each")
    if wanted not in ([], ["id"]):
        return wanted
    raise UserError(f"{path}: no columns true/<label> and score/<label>; it has {some(names)}; {HOW}")


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
