"""The user's own table, read in one pass: CSV, TSV, JSON Lines or Parquet (see ``table_files``).

Every column that the declaration names has a reader that takes its cells batch by batch and keeps numbers only, so that
memory holds the result and not the text: 2 million rows with two text columns of ten words take under 2 GB.

- text columns: the lower-cased words, ``\\w+``, or the tokens that are declared (``text_tokens``);
- list columns, and a column of labels: the stripped entries of a list, or of a text between separators or in brackets;
- numeric columns: finite numbers, float64, and NaN for an empty cell, null or NaN;
- columns of vectors: lists of finite numbers, all of one length, here or in a .npy file (``vector_files``);
- a column of images: names of files below a folder, which exist and begin as an image does (``image_files``);
- columns of categories: the stripped text, or a whole number; an empty cell is a value;
- 0/1 columns of labels: 0, 1, 0.0, 1.0, true and false, t and f, yes and no, y and n, and the declared cells that
  nobody annotated;
- a column of parts: train, validation and test, and other words for them.

An empty cell has no words, no entries, no labels and no group; as an id or a part it is a mistake.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rarelabels.data import splits
from rarelabels.data.table import image_files, opening, table_files, vector_files
from rarelabels.data.table.batch import Batch, RawColumn
from rarelabels.data.table.cell_values import OR_MISSING
from rarelabels.data.table.column_checks import check_columns, check_files, flag_columns, wanted_columns
from rarelabels.data.table.dialect import Dialect
from rarelabels.data.table.image_files import Images
from rarelabels.data.table.input_readers import Inputs, Reader
from rarelabels.data.table.label_readers import LabelFlags, LabelNames
from rarelabels.data.table.number_signs import NumberSigns
from rarelabels.data.table.row_readers import DeclaredParts, Groups, Ids, RowWeights
from rarelabels.data.tokens import Tokens
from rarelabels.data.unsplit import Table
from rarelabels.declare.table import TableSpec, VectorColumn
from rarelabels.errors import UserError

VERSION = 1
"""To be increased whenever the same file gives another table."""


def content(spec: TableSpec) -> str:
    """Return the SHA-256 of the file's format and bytes, and of the files of its vectors and images, in hexadecimal.

    Raises:
        UserError: the file cannot be read, or its name ends in nothing known.
    """
    path = Path(spec.path)
    what = opening.table_format(path)
    with opening.readable(path), path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    of_images = [image_files.content(spec, digest)] if spec.images else []
    digests = " ".join([digest, *vector_files.content(spec.vectors), *of_images])
    return hashlib.sha256(f"{what} {digests}".encode()).hexdigest()


def parse(spec: TableSpec) -> Table:
    """Read the table that ``spec`` declares; rows keep the order of the file.

    Labels in one column are ordered by falling frequency, ties by name. Labels in 0/1 columns are in the order of the
    declaration; if they are declared by a prefix, in the order of the file, and their names lack the prefix. The strata
    are these labels. Ids are those of the id column, or row numbers from 1. A text or list column gives the field of
    its name.

    Raises:
        UserError: the message says in one line what is wrong, in which file and, if it is about a cell, in which row.
    """
    path, dialect = Path(spec.path), Dialect.of(spec)
    names = table_files.column_names(path, dialect)
    flags = flag_columns(path, spec, names)
    wanted = wanted_columns(path, spec, flags)
    check_columns(path, names, wanted, dialect)
    check_files(path, spec.vectors, names)
    inputs = Inputs(path, spec)
    labels = _labels(path, spec, flags)
    ids = Ids(path, spec.id) if spec.id else None
    groups = Groups(path, spec.group) if spec.group else None
    split = DeclaredParts(path, spec.split) if spec.split else None
    weights = RowWeights(spec.weight, NumberSigns(spec.decimal, spec.thousands)) if spec.weight else None
    images = Images(image_files.folder(spec), spec.images.column) if spec.images else None
    readers = (inputs, labels, ids, groups, split, weights, images)
    n = _read(path, dialect, list(wanted), [reader for reader in readers if reader], spec.vectors)
    inputs.check_separators()
    read = labels.labels()
    parts = split.parts() if split else None
    return Table(
        ids=ids.ids() if ids else np.arange(1, n + 1).astype(np.str_),
        labels=read.names,
        y=read.y,
        strata=read.y,
        groups=groups.codes(parts) if groups else None,
        text=inputs.text(),
        numeric=inputs.numbers(f"{OR_MISSING}, or take the column out of dataset.numeric"),
        numeric_names=inputs.numeric_names(),
        categories=inputs.categories(),
        parts=parts,
        images=images.names() if images else None,
        known=read.known,
        weights=weights.weights() if weights else None,
    )


def raw_columns(spec: TableSpec) -> tuple[RawColumn, ...]:
    """Return the columns that the inputs are read from, in the order of the declaration.

    Raises:
        UserError: there are vectors, and the first rows cannot be read; their length is found there.
    """
    read = Inputs(Path(spec.path), spec.model_copy(update={"text": (), "lists": (), "numeric": (), "categories": ()}))
    if spec.vectors:
        read.add(_first_batch(spec, [one.column for one in spec.vectors if one.file is None]))
    return (
        *(RawColumn(name, "text") for name in spec.text),
        *(RawColumn(one.column, "text" if one.separator else "list") for one in spec.lists),
        *(RawColumn(name, "number") for name in spec.numeric),
        *(RawColumn(name, "text") for name in spec.categories),
        *(RawColumn(name, "vector", length) for name, length in read.lengths().items()),
        *([RawColumn(spec.images.column, "image")] if spec.images else []),
    )


def raw_inputs(
    spec: TableSpec, columns: Sequence[RawColumn], batch: Batch
) -> tuple[dict[str, Tokens], npt.NDArray[np.float64], dict[str, Tokens]]:
    """Return text, numbers and categories of some rows as :func:`parse` reads those of the whole table.

    Separators are not checked again: that was done on the whole table, and few rows say less. The vectors of all rows
    are cells of ``batch``, also those that were in a file.

    Args:
        spec: of the table.
        columns: those of :func:`raw_columns`.
        batch: the rows.

    Raises:
        UserError: a cell that :func:`parse` refuses as well, or a vector of another length than in training.
    """
    read = Inputs(batch.path, spec, {one.name: one.length for one in columns if one.holds == "vector"})
    read.add(batch)
    return read.text(), read.numbers(OR_MISSING), read.categories()


def raw_rows(spec: TableSpec, n: int) -> dict[str, list[object]]:
    """Return the input cells of the file's first rows, as the file has them."""
    names = [one.name for one in raw_columns(spec)]
    in_files = {one.column for one in spec.vectors if one.file is not None}
    first = _first_batch(spec, [name for name in names if name not in in_files])
    cells = {name: first.cells[name][:n] for name in names}
    return cells | {name: [vector.tolist() for vector in cells[name]] for name in in_files}


def _first_batch(spec: TableSpec, columns: Sequence[str]) -> Batch:
    """Return the first rows, with these columns of the table and the vectors that are in files."""
    path, dialect = Path(spec.path), Dialect.of(spec)
    table_files.column_names(path, dialect)
    return next(vector_files.batches(path, columns, spec.vectors, dialect))


def label_rows(spec: TableSpec) -> dict[str, int]:
    """Return how many rows have each label, whatever ``dataset.labels.min_rows`` says; most first, ties by name.

    Raises:
        UserError: as :func:`parse`, for the label columns only. A table without any label gives an empty mapping.
    """
    path, dialect = Path(spec.path), Dialect.of(spec)
    names = table_files.column_names(path, dialect)
    flags = flag_columns(path, spec, names)
    column = spec.labels.column
    wanted = dict.fromkeys(flags, "dataset.labels.columns") if column is None else {column: "dataset.labels.column"}
    if second := spec.labels.second_column:
        wanted[second[0]] = f"dataset.labels.{second[1]}"
    check_columns(path, names, wanted, dialect)
    reader = _labels(path, spec, flags)
    _read(path, dialect, list(wanted), [reader])
    rows = reader.rows()
    return dict(sorted(rows.items(), key=lambda item: (-item[1], item[0])))


def _labels(path: Path, spec: TableSpec, flags: Sequence[str]) -> LabelNames | LabelFlags:
    if spec.labels.column is not None:
        return LabelNames(path, spec.labels.column, spec.labels)
    return LabelFlags(path, flags, spec.labels)


def _read(
    path: Path,
    dialect: Dialect,
    columns: list[str],
    readers: Iterable[Reader],
    vectors: Sequence[VectorColumn] = (),
) -> int:
    """Give every row of the file to the readers; return how many there are."""
    n = 0
    for batch in vector_files.batches(path, columns, vectors, dialect):
        n += batch.rows
        for reader in readers:
            reader.add(batch)
    check_rows(path, n)
    return n


def check_rows(path: Path, n: int) -> None:
    """Raise if a table has too few rows to be split."""
    if n < splits.MIN_ROWS:
        rows = "1 row" if n == 1 else f"{n or 'no'} rows"
        raise UserError(f"{path}: has {rows} of data; a split into three parts needs {splits.MIN_ROWS}")
