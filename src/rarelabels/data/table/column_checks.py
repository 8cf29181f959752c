"""Checks that a table has the columns that its declaration names; errors suggest the nearest names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rarelabels.data.table import opening, table_files
from rarelabels.data.table.cell_values import SEPARATORS
from rarelabels.data.table.dialect import PLAIN, Dialect, looks_like_data
from rarelabels.data.table.opening import shown
from rarelabels.declare.table import TableSpec, VectorColumn
from rarelabels.errors import UserError, nearest


def flag_columns(path: Path, spec: TableSpec, names: Sequence[str]) -> tuple[str, ...]:
    """Return the 0/1 columns of labels; none where one column holds the labels' names."""
    prefix = spec.labels.prefix
    if prefix is None:
        return spec.labels.columns or ()
    found = tuple(name for name in names if name.startswith(prefix))
    if len(found) < 2:
        which = ", ".join(map(repr, found)) or "none"
        near = nearest(prefix, names) if not found else ""
        raise UserError(
            f"{path}: dataset.labels.prefix: at least two columns must begin with {prefix!r}; given {which}"
            f"{near or _listed(names)}"
        )
    if prefix in found:
        raise UserError(
            f"{path}: dataset.labels.prefix: column {prefix!r} is the prefix alone, so its label has no name; rename it"
        )
    return found


def wanted_columns(path: Path, spec: TableSpec, flags: Sequence[str]) -> dict[str, str]:
    """Return the columns to read, each with the key that asks for it."""
    inputs = dict.fromkeys(spec.text, "dataset.text")
    inputs |= {one.column: f"dataset.lists[{i}]" for i, one in enumerate(spec.lists)}
    inputs |= dict.fromkeys(spec.numeric, "dataset.numeric")
    inputs |= dict.fromkeys(spec.categories, "dataset.categories")
    inputs |= {one.column: f"dataset.vectors[{i}]" for i, one in enumerate(spec.vectors) if one.file is None}
    inputs |= {spec.images.column: "dataset.images.column"} if spec.images else {}
    single = {spec.id: "dataset.id", spec.group: "dataset.group", spec.split: "dataset.split"}
    single |= {spec.weight: "dataset.weight"}
    others = {column: key for column, key in single.items() if column is not None}
    if spec.labels.prefix is not None and (both := [column for column in flags if column in inputs | others]):
        key = (inputs | others)[both[0]]
        raise UserError(
            f"{path}: column {both[0]!r} begins with dataset.labels.prefix {spec.labels.prefix!r}, so it is a "
            f"label, but {key} names it, too; rename it, or list the labels under dataset.labels.columns"
        )
    labels = dict.fromkeys(flags, "dataset.labels.columns")
    if spec.labels.column is not None:
        labels[spec.labels.column] = "dataset.labels.column"
    if second := spec.labels.second_column:
        labels[second[0]] = f"dataset.labels.{second[1]}"
    return others | inputs | labels


def check_columns(path: Path, names: Sequence[str], wanted: dict[str, str], dialect: Dialect = PLAIN) -> None:
    """Raise if a table lacks columns that are wanted, each given with the key that asks for it."""
    missing = [f"{column!r} ({key}{nearest(column, names)})" for column, key in wanted.items() if column not in names]
    if not missing:
        return
    check_delimiter(path, names, dialect)
    hint = header_hint(path, names, dialect, "set dataset.header to false")
    raise UserError(f"{path}: has no column {', '.join(missing)}{_listed(names)}{hint}")


def check_files(path: Path, vectors: Sequence[VectorColumn], names: Sequence[str]) -> None:
    """Raise if a table has a column that vectors in a file would be called."""
    for one in vectors:
        if one.file is not None and one.column in names:
            raise UserError(
                f"{path}: has a column {one.column!r}, which is also the name of the vectors of {one.file}; leave one "
                "of them out, or rename the column"
            )


def header_hint(path: Path, names: Sequence[str], dialect: Dialect, mend: str) -> str:
    """Return that the first row of a CSV or TSV file looks like data, and ``mend``; empty if it does not."""
    if opening.table_format(path) not in opening.DELIMITERS or not dialect.header:
        return ""
    first = next(table_files.batches(path, [name for name in names if name], dialect), None)
    found = looks_like_data(names, first.cells) if first else ""
    if not found:
        return ""
    return f"; {shown(found)} looks like data and not like the name of a column; if there is no header, {mend}"


def check_delimiter(path: Path, names: Sequence[str], dialect: Dialect = PLAIN) -> None:
    """Raise if a CSV or TSV file has one column only, because its cells are separated by something else."""
    what = opening.table_format(path)
    if what not in opening.DELIMITERS or len(names) != 1:
        return
    allowed = dialect.between(path)
    if other := [one for one in SEPARATORS if one != allowed and one in names[0]]:
        raise UserError(
            f"{path}: has one column only, {shown(names[0])}; it looks separated by {other[0]!r}; set "
            f"dataset.delimiter to {other[0]!r} (init: --delimiter), or write {allowed!r} between the cells"
        )


def _listed(names: Sequence[str]) -> str:
    return f"; the columns are {', '.join(map(repr, names[:20]))}{', ...' if len(names) > 20 else ''}"
