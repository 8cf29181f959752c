"""Scores that were made elsewhere: Parquet or CSV files to checked parts. Every mistake is one line.

A file has for each label a column ``true/<label>`` (0 or 1) and a column ``score/<label>`` (a probability), and may
have a column ``id``: what :meth:`rarelabels.judging.scores.Scored.frame` gives. Other columns are ignored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv, parquet

from rarelabels.errors import UserError, nearest
from rarelabels.judging.scores import Floats, Scored

ENDINGS = {".parquet": "Parquet", ".csv": "CSV", ".csv.gz": "gzip-compressed CSV"}
BEGINNINGS = {  # the first bytes of what is often given by mistake
    b"PAR1": "Parquet",
    b"PK\x03\x04": "a zip archive (an Excel file, or NumPy's .npz)",
    b"\x1f\x8b": "gzip-compressed CSV",
    b"\x93NUMPY": "a NumPy array",
    b"\x80": "a pickle",
    b"{": "JSON",
    b"[": "JSON",
}
NUMBERS = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_null)
HOW = "see `rarelabels judge --help` for how to write the file"
HEADER = 65_536  # bytes in which the first line is looked for
MANY = 5  # names that are listed before the rest is only counted


@dataclass(frozen=True, eq=False)
class Parts:
    """What is judged: the parts' columns are in the order of ``labels``.

    Attributes:
        labels: names of the columns.
        validation: None where one file was given.
        test: is measured.
        unnamed: the files without ids of their own; their rows are numbered from 1.
    """

    labels: tuple[str, ...]
    validation: Scored | None
    test: Scored
    unnamed: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class _File:
    path: Path
    labels: tuple[str, ...]
    part: Scored
    is_named: bool


def read(validation: Path | None, test: Path, only: Sequence[str] = ()) -> Parts:
    """Read and check the files.

    Args:
        validation: chooses the thresholds; None if there is none.
        test: is measured.
        only: the labels to judge, in this order; all of the test file by default.

    Raises:
        UserError: the first thing that is wrong, with the file and, where there is one, the column and row.
    """
    if validation is not None and validation.resolve() == test.resolve():
        raise UserError(_twice(validation, test))
    after = _read(test, only)
    if validation is None:
        return Parts(after.labels, None, after.part, () if after.is_named else (test,))
    before = _read(validation, only)
    _check_same_labels(before, after)
    order = [before.labels.index(label) for label in after.labels]
    aligned = Scored(before.part.ids, before.part.y[:, order], before.part.scores[:, order])
    _check_apart(before, aligned, after)
    unnamed = tuple(file.path for file in (before, after) if not file.is_named)
    return Parts(after.labels, aligned, after.part, unnamed)


def some(names: Sequence[str], form: str = "{!r}") -> str:
    """Return the first few names in a row, the rest counted."""
    shown = ", ".join(form.format(name) for name in names[:MANY])
    return shown + (f" and {len(names) - MANY:,} more" if len(names) > MANY else "")


def _read(path: Path, only: Sequence[str]) -> _File:
    table = _table(path)
    labels = _labels(path, table.column_names)
    for label in only:
        if label not in labels:
            hint = nearest(label, labels) or f"; allowed: {some(labels)}"
            raise UserError(f"--labels: {label!r} is not a label of {path}{hint}")
    labels = tuple(only) or labels
    if len(labels) < 2:
        raise UserError(f"{path}: multi-label scores need at least 2 labels; given {some(labels)}")
    if not table.num_rows:
        raise UserError(f"{path}: has no rows, only column names")
    is_named = "id" in table.column_names
    ids = _ids(path, table["id"]) if is_named else _numbers(table.num_rows)

    def where(column: str, row: int) -> str:
        return f"{path}: {column}, row {row + 1:,}" + (f" (id {ids[row]!s})" if is_named else "")

    y = _matrix(table, [f"true/{label}" for label in labels], where)
    scores = _matrix(table, [f"score/{label}" for label in labels], where)
    _check_values(labels, y, scores, where)
    return _File(path, labels, Scored(ids, y.astype(np.uint8), scores), is_named and not _counts_rows(ids))


# The file


def _table(path: Path) -> pa.Table:
    """Return the columns that matter, each name once."""
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
        reason = (str(error).splitlines() or [type(error).__name__])[0][:300]
        raise UserError(f"{path}: cannot be read as {ENDINGS[ending]}: {reason}") from error


def _beginning(path: Path) -> str:
    """Return what the first bytes say the file is, "" for text."""
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
    # Looked at first: with decimal commas, rows of another separator would seem to have too many cells.
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
        raise UserError(f"{path}: columns that are there more than once: {some(twice)}; keep one of each")
    if wanted not in ([], ["id"]):
        return wanted
    raise UserError(f"{path}: no columns true/<label> and score/<label>; it has {some(names)}; {HOW}")


def _labels(path: Path, names: list[str]) -> tuple[str, ...]:
    truths, scores = (
        [name.removeprefix(prefix) for name in names if name.startswith(prefix)] for prefix in ("true/", "score/")
    )
    known = set(truths) & set(scores)
    lonely = [f"true/{label} (no score/{label})" for label in truths if label not in known]
    lonely += [f"score/{label} (no true/{label})" for label in scores if label not in known]
    if lonely:
        raise UserError(f"{path}: each label needs both columns, true/<label> and score/<label>; {some(lonely, '{}')}")
    return tuple(truths)


# The values


def _ids(path: Path, column: pa.ChunkedArray) -> npt.NDArray[np.str_]:
    values = column.to_pylist()
    rows: dict[object, int] = {}
    for row, value in enumerate(values):
        if value is None or value == "":
            raise UserError(f"{path}: id, row {row + 1:,}: is empty; give every row an id, or leave the column out")
        if value in rows:
            raise UserError(f"{path}: id, row {row + 1:,}: {value} is the id of row {rows[value] + 1:,} too")
        rows[value] = row
    return np.array([str(value) for value in values])


def _numbers(n_rows: int) -> npt.NDArray[np.str_]:
    return np.array([str(row) for row in range(1, n_rows + 1)])


def _counts_rows(ids: npt.NDArray[np.str_]) -> bool:
    """Ids that only count the rows, from 0 or 1, name nothing: they are the same in every file."""
    return any(np.array_equal(ids, np.arange(first, first + len(ids)).astype(str)) for first in (0, 1))


def _matrix(table: pa.Table, columns: list[str], where: Callable[[str, int], str]) -> Floats:
    """Return the columns side by side, shape (n, n_columns); a missing value is NaN."""
    matrix = np.empty((table.num_rows, len(columns)))
    for number, name in enumerate(columns):
        column, kind = table[name], table[name].type
        if not any(is_kind(kind) for is_kind in NUMBERS):
            row, value = _first_that_is_no_number(column.to_pylist())
            raise UserError(f"{where(name, row)}: must be a number; given {str(value)[:60]!r}")
        matrix[:, number] = column.cast(pa.float64(), safe=False).to_numpy()  # no whole number is too large
    return matrix


def _first_that_is_no_number(values: list[object]) -> tuple[int, object]:
    for row, value in enumerate(values):
        try:
            float(str(value))
        except ValueError:
            if value is not None and value != "":
                return row, value
    return 0, values[0]  # numbers, written as text


def _check_values(labels: tuple[str, ...], y: Floats, scores: Floats, where: Callable[[str, int], str]) -> None:
    wrong = (y != 0) & (y != 1)
    if wrong.any():
        row, label = (int(at) for at in np.argwhere(wrong)[0])
        raise UserError(f"{where(f'true/{labels[label]}', row)}: must be 0 or 1; given {_shown(y[row, label])}")
    # One pass each for what is nearly always right; where it is not is only then looked up.
    if not np.isfinite(scores.sum()) or scores.min() < 0 or scores.max() > 1:
        row, label = (int(at) for at in np.argwhere(~((scores >= 0) & (scores <= 1)))[0])
        value = scores[row, label]
        hint = "" if not np.isfinite(value) else "; are these logits? give probabilities: 1 / (1 + exp(-logit))"
        place = where(f"score/{labels[label]}", row)
        raise UserError(f"{place}: must be a probability, from 0 to 1; given {_shown(value)}{hint}")


# Both files


def _check_same_labels(before: _File, after: _File) -> None:
    missing = [label for label in after.labels if label not in before.labels]
    extra = [label for label in before.labels if label not in after.labels]
    if missing or extra:
        only = [f"only in {f.path}: {some(names)}" for f, names in ((after, missing), (before, extra)) if names]
        todo = "name those of both with --labels"
        raise UserError(f"{after.path}: must have the labels of {before.path}; {'; '.join(only)}; {todo}")


def _check_apart(before: _File, aligned: Scored, after: _File) -> None:
    """No row may choose the thresholds and be measured with them."""
    same = (np.array_equal(getattr(aligned, what), getattr(after.part, what)) for what in ("y", "scores"))
    if all(same):
        raise UserError(_twice(before.path, after.path))
    if before.is_named and after.is_named:
        known = set(before.part.ids.tolist())
        shared = [name for name in after.part.ids.tolist() if name in known]
        if shared:
            raise UserError(
                f"{after.path}: {len(shared):,} of its ids are in {before.path} too ({some(shared, '{}')}): no row may "
                "choose the thresholds and be measured with them; take these rows out of one file"
            )


def _twice(validation: Path, test: Path) -> str:
    return (
        f"{test}: has the same rows as {validation}: thresholds chosen on the rows they are measured on flatter; give "
        "two different parts, or this file alone"
    )


def _shown(value: float) -> str:
    return "nothing (an empty cell or NaN)" if np.isnan(value) else f"{value:g}"
