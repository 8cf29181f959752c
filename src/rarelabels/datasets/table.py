"""A table of one's own, read in one pass: CSV, TSV, JSON Lines or Parquet (see ``table_files``).

Every column that the declaration names has a reader that takes its cells batch by batch and keeps numbers only, so that
memory holds the result and not the text: 2 million rows with two text columns of ten words take under 2 GB.

- text columns: the lower-cased words, ``\\w+``;
- list columns, and a column of labels: the stripped entries of a list, or of a text between separators;
- numeric columns: finite numbers, float64;
- 0/1 columns of labels: 0, 1, 0.0, 1.0, true and false.

An empty cell has no words, no entries, no labels and no group; as a number, an id or a part it is a mistake.
"""

from __future__ import annotations

import hashlib
import math
import re
from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rarelabels.datasets import splits, table_files
from rarelabels.datasets.fields import Numbering, Table, Tokens, document_frequency, no_numbers
from rarelabels.datasets.splits import PARTS
from rarelabels.datasets.table_files import Batch, RawColumn, shown
from rarelabels.schema import TableLabels, TableSpec, UserError

VERSION = 1
"""Raised whenever the same file is to give another table."""

ONE_NAME = "none"  # as a separator: each text is one name, whatever is in it
SHOWN = 5  # names in a message
MEND_NUMBER = "fill such cells in, leave these rows out"
SEPARATORS = ("|", ";", ",", "\t")
MAX_ID = 200  # characters; ids are stored at the width of the longest
MAX_LABEL_CELLS = 4_000_000_000  # of rows times labels, one byte each

_WORD = re.compile(r"\w+")
FLAGS = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1}


def content(spec: TableSpec) -> str:
    """Return the SHA-256 of the file's format and bytes, in hexadecimal.

    Raises:
        UserError: the file cannot be read, or its name ends in nothing known.
    """
    path = Path(spec.path)
    what = table_files.table_format(path)
    with table_files.readable(path), path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return hashlib.sha256(f"{what} {digest}".encode()).hexdigest()


def parse(spec: TableSpec) -> Table:
    """Read the table that ``spec`` declares; rows keep the order of the file.

    Labels in one column are ordered by falling frequency, ties by name; labels in 0/1 columns as declared, or with a
    prefix as in the file and without it. The strata are these labels. Ids are those of the id column, or row numbers
    from 1. A text or list column gives the field of its name.

    Raises:
        UserError: in one line what is wrong, in which file and, where it is about cells, in which row.
    """
    path = Path(spec.path)
    names = table_files.column_names(path)
    flags = _flag_columns(path, spec, names)
    wanted = _wanted(path, spec, flags)
    _check_columns(path, names, wanted)
    inputs = _Inputs(path, spec)
    labels = _labels(path, spec, flags)
    ids = _Ids(path, spec.id) if spec.id else None
    groups = _Groups(path, spec.group) if spec.group else None
    split = _Parts(path, spec.split) if spec.split else None
    readers = (inputs, labels, ids, groups, split)
    n = _read(path, list(wanted), [reader for reader in readers if reader])
    inputs.check_separators()
    label_names, y = labels.labels()
    parts = split.parts() if split else None
    return Table(
        ids=ids.ids() if ids else np.arange(1, n + 1).astype(np.str_),
        labels=label_names,
        y=y,
        strata=y,
        groups=groups.codes(parts) if groups else None,
        text=inputs.text(),
        numeric=inputs.numbers(f"{MEND_NUMBER}, or take the column out of dataset.numeric"),
        numeric_names=spec.numeric,
        parts=parts,
    )


def raw_columns(spec: TableSpec) -> tuple[RawColumn, ...]:
    """Return the columns that the inputs are read from, in the order of the declaration."""
    return (
        *(RawColumn(name, "text") for name in spec.text),
        *(RawColumn(one.column, "text" if one.separator else "list") for one in spec.lists),
        *(RawColumn(name, "number") for name in spec.numeric),
    )


def raw_inputs(spec: TableSpec, batch: Batch) -> tuple[dict[str, Tokens], npt.NDArray[np.float64]]:
    """Return text and numbers of some rows as :func:`parse` reads those of the whole table.

    Which separator a column has was settled when the whole of it was read: few rows would tell it less surely.

    Raises:
        UserError: a cell that :func:`parse` refuses as well.
    """
    read = _Inputs(batch.path, spec)
    read.add(batch)
    return read.text(), read.numbers(MEND_NUMBER)


def raw_rows(spec: TableSpec, n: int) -> dict[str, list[object]]:
    """Return the inputs' cells of the first rows of the file, as the file has them."""
    path = Path(spec.path)
    names = [one.name for one in raw_columns(spec)]
    table_files.column_names(path)
    first = next(table_files.batches(path, names))
    return {name: first.cells[name][:n] for name in names}


def numbers(columns: Sequence[str], batch: Batch) -> npt.NDArray[np.float64]:
    """Return the numbers of some rows, (n, n_columns).

    Raises:
        UserError: a cell is no finite number.
    """
    read = _Numbers(columns)
    read.add(batch)
    return read.numbers(MEND_NUMBER)


def cell_text(batch: Batch, row: int, column: str) -> str:
    """Return a cell of text; empty for a missing one.

    Raises:
        UserError: it is no text.
    """
    return _text(batch, row, column, batch.cells[column][row])


def row_name(batch: Batch, row: int, column: str) -> str:
    """Return a cell as it names its row: text without the blanks around it, or a whole number.

    Raises:
        UserError: it is neither.
    """
    return _name(batch, row, column, batch.cells[column][row])


def label_rows(spec: TableSpec) -> dict[str, int]:
    """Return how many rows have each label, whatever ``dataset.labels.min_rows`` says; most first, ties by name.

    Raises:
        UserError: as :func:`parse`, of the columns of labels alone; no name at all is an empty mapping.
    """
    path = Path(spec.path)
    names = table_files.column_names(path)
    flags = _flag_columns(path, spec, names)
    column = spec.labels.column
    wanted = dict.fromkeys(flags, "dataset.labels.columns") if column is None else {column: "dataset.labels.column"}
    _check_columns(path, names, wanted)
    reader = _labels(path, spec, flags)
    _read(path, list(wanted), [reader])
    rows = reader.rows()
    return dict(sorted(rows.items(), key=lambda item: (-item[1], item[0])))


def _labels(path: Path, spec: TableSpec, flags: Sequence[str]) -> _LabelNames | _LabelFlags:
    if spec.labels.column is not None:
        return _LabelNames(path, spec.labels.column, spec.labels)
    return _LabelFlags(path, flags, spec.labels.prefix or "", spec.labels.min_rows)


class _Reader(Protocol):
    """Takes the cells of its columns, batch by batch."""

    def add(self, batch: Batch) -> None: ...


def _read(path: Path, columns: list[str], readers: Iterable[_Reader]) -> int:
    """Give every row of the file to the readers; return how many there are."""
    n = 0
    for batch in table_files.batches(path, columns):
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


# Columns


def _flag_columns(path: Path, spec: TableSpec, names: Sequence[str]) -> tuple[str, ...]:
    """The 0/1 columns of labels; none where one column holds the labels' names."""
    prefix = spec.labels.prefix
    if prefix is None:
        return spec.labels.columns or ()
    found = tuple(name for name in names if name.startswith(prefix))
    if len(found) < 2:
        which = ", ".join(map(repr, found)) or "none"
        near = _near(prefix, names) if not found else ""
        raise UserError(
            f"{path}: dataset.labels.prefix: at least two columns must begin with {prefix!r}; given {which}"
            f"{near or _listed(names)}"
        )
    if prefix in found:
        raise UserError(
            f"{path}: dataset.labels.prefix: column {prefix!r} is the prefix and has no name left; rename it"
        )
    return found


def _wanted(path: Path, spec: TableSpec, flags: Sequence[str]) -> dict[str, str]:
    """The columns to read, each with the key that asks for it."""
    inputs = dict.fromkeys(spec.text, "dataset.text")
    inputs |= {one.column: f"dataset.lists[{i}]" for i, one in enumerate(spec.lists)}
    inputs |= dict.fromkeys(spec.numeric, "dataset.numeric")
    single = {spec.id: "dataset.id", spec.group: "dataset.group", spec.split: "dataset.split"}
    others = {column: key for column, key in single.items() if column is not None}
    if spec.labels.prefix is not None and (both := [column for column in flags if column in inputs | others]):
        key = (inputs | others)[both[0]]
        raise UserError(
            f"{path}: column {both[0]!r} begins with dataset.labels.prefix {spec.labels.prefix!r}, so it is a label, "
            f"and {key} names it too; rename it, or list the labels under dataset.labels.columns"
        )
    labels = dict.fromkeys(flags, "dataset.labels.columns")
    if spec.labels.column is not None:
        labels[spec.labels.column] = "dataset.labels.column"
    return others | inputs | labels


def _check_columns(path: Path, names: Sequence[str], wanted: dict[str, str]) -> None:
    missing = [f"{column!r} ({key}{_near(column, names)})" for column, key in wanted.items() if column not in names]
    if not missing:
        return
    check_delimiter(path, names)
    raise UserError(f"{path}: has no column {', '.join(missing)}{_listed(names)}")


def check_delimiter(path: Path, names: Sequence[str]) -> None:
    """Raise if a CSV or TSV file has one column only, because its cells are separated by something else."""
    what = table_files.table_format(path)
    if what not in table_files.DELIMITERS or len(names) != 1:
        return
    allowed = table_files.DELIMITERS[what]
    if other := [one for one in SEPARATORS if one != allowed and one in names[0]]:
        raise UserError(
            f"{path}: has one column only, {shown(names[0])}; it looks separated by {other[0]!r}; save it as "
            f"{what.upper()}, with {allowed!r} between the cells"
        )


def _near(name: str, names: Sequence[str], cutoff: float = 0.6) -> str:
    near = get_close_matches(name, names, n=1, cutoff=cutoff)
    return f"; did you mean {near[0]!r}?" if near else ""


def _listed(names: Sequence[str]) -> str:
    return f"; the columns are {', '.join(map(repr, names[:20]))}{', ...' if len(names) > 20 else ''}"


# Cells


def _text(batch: Batch, row: int, column: str, cell: object) -> str:
    if cell is None:
        return ""
    if not isinstance(cell, str):
        raise UserError(
            f"{batch.at(row, column)}: must be text; given {shown(cell)}; write it as text, or declare the column "
            "under dataset.lists or dataset.numeric"
        )
    if not table_files.is_text(cell):
        raise UserError(f"{batch.at(row, column)}: is not UTF-8 text; given {shown(cell)}; save the file as UTF-8")
    return cell


def _name(batch: Batch, row: int, column: str, cell: object) -> str:
    """A name: text without the blanks around it, or a whole number; empty for a missing one."""
    if isinstance(cell, float):
        if math.isnan(cell):
            return ""
        # A column of whole numbers with gaps becomes one of floats in pandas.
        cell = int(cell) if cell.is_integer() else cell
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    if cell is not None and not isinstance(cell, str):
        raise UserError(
            f"{batch.at(row, column)}: must be text or a whole number; given {shown(cell)}; write the column as text"
        )
    return _text(batch, row, column, cell).strip()


def number(cell: object) -> float:
    """Return the number of a cell, NaN for what is none."""
    try:
        # Python takes 1_000 for a thousand; in a table it is a typing error.
        return math.nan if isinstance(cell, str) and "_" in cell else float(cell)  # type: ignore[arg-type]  # of any type: what float refuses is caught
    except (TypeError, ValueError, OverflowError):
        return math.nan


# Readers


class _Inputs:
    """The columns of text, lists and numbers, of a whole table or of some rows of one."""

    def __init__(self, path: Path, spec: TableSpec) -> None:
        self._words = {column: _Words(column) for column in spec.text}
        self._lists = {
            one.column: _Entries(path, one.column, one.separator, f"dataset.lists[{i}].separator")
            for i, one in enumerate(spec.lists)
        }
        self._numbers = _Numbers(spec.numeric) if spec.numeric else None

    def add(self, batch: Batch) -> None:
        readers: tuple[_Reader | None, ...] = (*self._words.values(), *self._lists.values(), self._numbers)
        for reader in readers:
            if reader:
                reader.add(batch)

    def check_separators(self) -> None:
        for reader in self._lists.values():
            reader.check_separator()

    def text(self) -> dict[str, Tokens]:
        return {column: reader.tokens() for column, reader in (self._words | self._lists).items()}

    def numbers(self, mend: str) -> npt.NDArray[np.float64]:
        return self._numbers.numbers(mend) if self._numbers else no_numbers()


class _Words:
    """A column of prose."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._numbering = Numbering()

    def add(self, batch: Batch) -> None:
        for row, cell in enumerate(batch.cells[self._column]):
            self._numbering.add(_WORD.findall(_text(batch, row, self._column, cell).lower()))

    def tokens(self) -> Tokens:
        return self._numbering.tokens()


class _Entries:
    """A column of lists, or of texts with a separator; without one, a text is one entry."""

    def __init__(self, path: Path, column: str, separator: str | None, key: str) -> None:
        self._path, self._column, self._separator, self._key = path, column, separator, key
        self._numbering = Numbering()
        self._texts = 0
        self._holding = dict.fromkeys([*SEPARATORS, separator or SEPARATORS[0]], 0)  # how many texts hold each
        self._first: dict[str, str] = {}  # the first of these texts

    def add(self, batch: Batch) -> None:
        cells = batch.cells[self._column]
        for row, cell in enumerate(cells):
            self._numbering.add(self._entries(batch, row, cell))
        texts = [(row, cell) for row, cell in enumerate(cells) if isinstance(cell, str) and cell.strip()]
        self._texts += len(texts)
        for separator in self._holding:
            if holding := [row for row, cell in texts if separator in cell]:
                self._holding[separator] += len(holding)
                self._first.setdefault(separator, f"{batch.at(holding[0])}: {shown(cells[holding[0]])}")

    def _entries(self, batch: Batch, row: int, cell: object) -> list[str]:
        if isinstance(cell, list):
            if self._separator is not None:
                raise UserError(f"{batch.at(row, self._column)}: is a list already; leave {self._key} out")
            names = [_name(batch, row, self._column, entry) for entry in cell]
        elif isinstance(cell, str) and self._separator not in (None, ONE_NAME):
            text = _text(batch, row, self._column, cell)
            names = [entry.strip() for entry in text.split(self._separator)]
        else:
            names = [_name(batch, row, self._column, cell)]
        return [name for name in names if name]

    def tokens(self) -> Tokens:
        return self._numbering.tokens()

    def check_separator(self) -> None:
        """Raise if another separator than the declared one, or one although none is declared, is in most texts."""
        separator, likely = self._separator, max(SEPARATORS, key=self._holding.__getitem__)
        if not (separator and self._holding[separator]) and self._parts_names(likely):
            given = f"separator {separator!r} is in none of its" if separator else "has no declared separator; of its"
            raise UserError(
                f"{self._path}: column {self._column!r}: {given} {self._texts} texts, {likely!r} is in "
                f"{self._holding[likely]}, first in {self._first[likely]}; set {self._key} to {likely!r}, or to "
                f"{ONE_NAME!r} if each text is one name"
            )

    def _parts_names(self, separator: str) -> bool:
        """Whether texts look like several names: parted, they are fewer different ones than the texts.

        Cities with their country are more when parted, tags are fewer. Where most texts hold the separator, as many
        are enough.
        """
        if self._separator == ONE_NAME or not self._holding[separator]:
            return False
        texts = self._numbering.tokens().vocabulary.tolist()
        names = {name.strip() for text in texts for name in text.split(separator)}
        in_most = self._holding[separator] > self._texts / 2
        return len(names) < len(texts) or (in_most and (self._separator is not None or len(names) == len(texts)))


class _LabelNames(_Entries):
    """A column of label names."""

    def __init__(self, path: Path, column: str, spec: TableLabels) -> None:
        super().__init__(path, column, spec.separator, "dataset.labels.separator")
        self._min_rows = spec.min_rows

    def rows(self) -> dict[str, int]:
        """Return how many rows have each name."""
        self.check_separator()
        tokens = self.tokens()
        return dict(zip(tokens.vocabulary.tolist(), document_frequency(tokens).tolist(), strict=True))

    def labels(self) -> tuple[tuple[str, ...], npt.NDArray[np.uint8]]:
        """Return the names that enough rows have, by falling frequency and then by name, and which row has which."""
        self.check_separator()
        tokens = self.tokens()
        names, frequency = tokens.vocabulary, document_frequency(tokens)
        frequent = np.flatnonzero(frequency >= self._min_rows).tolist()
        kept = sorted(frequent, key=lambda i: (-frequency[i], names[i]))
        self._check(names[kept].tolist(), len(tokens))
        place = np.full(len(names), -1)
        place[kept] = np.arange(len(kept))
        rows, columns = np.repeat(np.arange(len(tokens)), tokens.lengths), place[tokens.ids]
        y = np.zeros((len(tokens), len(kept)), dtype=np.uint8)
        y[rows[columns >= 0], columns[columns >= 0]] = 1
        return tuple(names[kept].tolist()), y

    def _check(self, kept: list[str], rows: int) -> None:
        where = f"{self._path}: column {self._column!r}"
        if len(kept) < 2:
            enough = f" that {self._min_rows} rows have (dataset.labels.min_rows)" if self._min_rows > 1 else ""
            raise UserError(
                f"{where}: needs at least two labels{enough}; given {', '.join(map(shown, kept)) or 'none'}"
            )
        if rows * len(kept) > MAX_LABEL_CELLS:
            raise UserError(
                f"{where}: {len(kept):,} labels of {rows:,} rows need {rows * len(kept) / 1e9:.0f} GB, and allowed are "
                f"{MAX_LABEL_CELLS / 1e9:.0f}; raise dataset.labels.min_rows, or name another column or separator"
            )


class _LabelFlags:
    """0/1 columns, one for each label."""

    def __init__(self, path: Path, columns: Sequence[str], prefix: str, min_rows: int) -> None:
        self._path, self._columns, self._prefix, self._min_rows = path, columns, prefix, min_rows
        self._blocks: list[npt.NDArray[np.uint8]] = []

    def add(self, batch: Batch) -> None:
        flags = [[self._flag(batch, row, column) for row in range(batch.rows)] for column in self._columns]
        self._blocks.append(np.array(flags, dtype=np.uint8).T)

    def _flag(self, batch: Batch, row: int, column: str) -> int:
        cell = batch.cells[column][row]
        # Numbers and truth values by their text too: 1.0, True.
        flag = FLAGS.get(cell if isinstance(cell, str) else str(cell))
        if flag is None:
            flag = FLAGS.get(str(cell).strip().lower())
        if flag is None:
            raise UserError(
                f"{batch.at(row, column)}: must be 0 or 1, for a label; given {given(cell)}; mend it, or declare the "
                "0/1 columns of the labels under dataset.labels"
            )
        return flag

    def rows(self) -> dict[str, int]:
        """Return how many rows have a 1 in each column, by its name without the prefix."""
        positives = sum(block.sum(axis=0, dtype=np.int64) for block in self._blocks)
        names = [name.removeprefix(self._prefix) for name in self._columns]
        return dict(zip(names, np.asarray(positives).tolist(), strict=True))

    def labels(self) -> tuple[tuple[str, ...], npt.NDArray[np.uint8]]:
        """Return the names without the prefix and (n, n_labels) 0/1, of the labels that enough rows have."""
        y = np.concatenate(self._blocks)
        positives = y.sum(axis=0, dtype=np.int64)
        empty = [name for name, count in zip(self._columns, positives, strict=True) if not count]
        if empty and self._min_rows == 1:
            more = f" and {len(empty) - SHOWN} more" if len(empty) > SHOWN else ""
            columns = ", ".join(map(repr, empty[:SHOWN])) + more
            raise UserError(
                f"{self._path}: no row has a 1 in {columns}; to leave such labels out, say dataset.labels.min_rows: 2"
            )
        kept = positives >= self._min_rows
        if kept.sum() < 2:
            raise UserError(f"{self._path}: needs at least two labels that {self._min_rows} rows have")
        names = [name.removeprefix(self._prefix) for name, keep in zip(self._columns, kept, strict=True) if keep]
        return tuple(names), y[:, kept]


class _Numbers:
    """Numeric columns. What is no finite number is counted, and told when all of it is known."""

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = columns
        self._blocks: list[npt.NDArray[np.float64]] = []
        self._wrong: Counter[str] = Counter()  # cells of each column
        self._first = ""

    def add(self, batch: Batch) -> None:
        block = np.array([[number(cell) for cell in batch.cells[column]] for column in self._columns]).T
        for row, place in np.argwhere(~np.isfinite(block)).tolist():
            column = self._columns[place]
            self._first = self._first or f"{batch.at(row, column)}: {given(batch.cells[column][row])}"
            self._wrong[column] += 1
        self._blocks.append(block)

    def numbers(self, mend: str) -> npt.NDArray[np.float64]:
        """Return (n, k); ``mend`` says what to do where it is not possible.

        Raises:
            UserError: some cells are no finite numbers.
        """
        if self._wrong:
            counts = ", ".join(f"{count} in {column!r}" for column, count in self._wrong.items())
            raise UserError(f"{self._first} is not a finite number; in all {counts}; {mend}")
        return np.concatenate(self._blocks)


class _Ids:
    """The column that names the rows."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        self._blocks: list[npt.NDArray[np.str_]] = []

    def add(self, batch: Batch) -> None:
        names = [_name(batch, row, self._column, cell) for row, cell in enumerate(batch.cells[self._column])]
        for row, name in enumerate(names):
            if not 0 < len(name) <= MAX_ID:
                given = f"one of {len(name)} characters" if name else "an empty cell"
                raise UserError(
                    f"{batch.at(row, self._column)}: an id must have 1 to {MAX_ID} characters; given {given}; "
                    "leave dataset.id out to use row numbers"
                )
        self._blocks.append(np.array(names, dtype=np.str_))

    def ids(self) -> npt.NDArray[np.str_]:
        """Return (n,).

        Raises:
            UserError: two rows have the same id.
        """
        ids = np.concatenate(self._blocks)
        order = np.argsort(ids, kind="stable")
        repeats = order[1:][ids[order[1:]] == ids[order[:-1]]]
        if repeats.size:
            second = int(repeats.min())
            first = int(np.flatnonzero(ids == ids[second])[0])
            raise UserError(
                f"{self._path}: column {self._column!r}: row {second + 1} has the id {shown(str(ids[second]))} of row "
                f"{first + 1} ({repeats.size} rows repeat an id); make ids unique, or leave dataset.id out"
            )
        return ids


class _Groups:
    """The column of what must not be parted. A row with an empty cell is alone."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        self._codes = array("q")
        self._known: dict[str, int] = {}
        self._next = 0

    def add(self, batch: Batch) -> None:
        for row, cell in enumerate(batch.cells[self._column]):
            name = _name(batch, row, self._column, cell)
            code = self._known.setdefault(name, self._next) if name else self._next
            self._next += code == self._next
            self._codes.append(code)

    def codes(self, parts: npt.NDArray[np.uint8] | None) -> npt.NDArray[np.int64]:
        """Return the number of each row's group, (n,), by first appearance.

        Raises:
            UserError: a group is in two declared parts.
        """
        codes = np.asarray(self._codes, dtype=np.int64)
        if parts is not None:
            self._check(codes, parts)
        return codes

    def _check(self, codes: npt.NDArray[np.int64], parts: npt.NDArray[np.uint8]) -> None:
        lowest, highest = np.full(self._next, len(PARTS), np.uint8), np.zeros(self._next, np.uint8)
        np.minimum.at(lowest, codes, parts)
        np.maximum.at(highest, codes, parts)
        torn = np.flatnonzero(lowest != highest)
        if torn.size:
            name = next(name for name, code in self._known.items() if code == torn[0])
            rows = np.flatnonzero(codes == torn[0])
            first, second = int(rows[0]), int(rows[parts[rows] != parts[rows[0]]][0])
            raise UserError(
                f"{self._path}: column {self._column!r}: group {shown(name)} is in two declared parts, "
                f"{PARTS[parts[first]]} (row {first + 1}) and {PARTS[parts[second]]} (row {second + 1}); "
                f"{torn.size} of {len(self._known)} groups are; keep the rows of a group in one part"
            )


class _Parts:
    """The column that says which row belongs to which part."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        self._places = array("B")

    def add(self, batch: Batch) -> None:
        for row, cell in enumerate(batch.cells[self._column]):
            name = _name(batch, row, self._column, cell).lower()
            if name not in PARTS:
                raise UserError(
                    f"{batch.at(row, self._column)}: allowed {', '.join(PARTS)}; given {given(cell)}"
                    f"{_near(name, PARTS, cutoff=0.4)}"
                )
            self._places.append(PARTS.index(name))

    def parts(self) -> npt.NDArray[np.uint8]:
        """Return the place in ``PARTS`` of each row's part, (n,).

        Raises:
            UserError: a part has no rows.
        """
        parts = np.asarray(self._places, dtype=np.uint8)
        rows = dict(zip(PARTS, np.bincount(parts, minlength=len(PARTS)).tolist(), strict=True))
        if empty := [name for name in PARTS if not rows[name]]:
            raise UserError(
                f"{self._path}: column {self._column!r}: no row is declared {' or '.join(empty)}; each of "
                f"{', '.join(PARTS)} needs rows; given {', '.join(f'{n} {name}' for name, n in rows.items() if n)}"
            )
        return parts


def given(cell: object) -> str:
    """Return how messages quote a cell that is wrong."""
    return "an empty cell" if cell is None or (isinstance(cell, str) and not cell.strip()) else shown(cell)
