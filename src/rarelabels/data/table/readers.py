"""Readers of columns: each takes its cells batch by batch and keeps numbers only."""

from __future__ import annotations

import re
from array import array
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from rarelabels.data.splits import PARTS
from rarelabels.data.table.batch import Batch
from rarelabels.data.table.cell_values import (
    FLAGS,
    MAX_ID,
    MAX_LABEL_CELLS,
    MEND_NUMBER,
    ONE_NAME,
    SEPARATORS,
    SHOWN,
    cell_as_text,
    given,
    label_name,
    number,
)
from rarelabels.data.table.opening import shown
from rarelabels.data.tokens import Numbering, Tokens, document_frequency
from rarelabels.data.unsplit import no_numbers
from rarelabels.declare.data import TableLabels, TableSpec
from rarelabels.errors import UserError, nearest

_WORD = re.compile(r"\w+")


def numbers(columns: Sequence[str], batch: Batch) -> npt.NDArray[np.float64]:
    """Return the numbers of some rows, (n, n_columns).

    Raises:
        UserError: a cell is no finite number.
    """
    read = _Numbers(columns)
    read.add(batch)
    return read.numbers(MEND_NUMBER)


class Reader(Protocol):
    """Takes the cells of its columns, batch by batch."""

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch."""


class Inputs:
    """The columns of text, lists and numbers, of a whole table or of some rows of one."""

    def __init__(self, path: Path, spec: TableSpec) -> None:
        self._words = {column: _Words(column) for column in spec.text}
        self._lists = {
            one.column: _Entries(path, one.column, one.separator, f"dataset.lists[{i}].separator")
            for i, one in enumerate(spec.lists)
        }
        self._numbers = _Numbers(spec.numeric) if spec.numeric else None

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch."""
        readers: tuple[Reader | None, ...] = (*self._words.values(), *self._lists.values(), self._numbers)
        for reader in readers:
            if reader:
                reader.add(batch)

    def check_separators(self) -> None:
        """Raise if a list column has a separator that no cell has."""
        for reader in self._lists.values():
            reader.check_separator()

    def text(self) -> dict[str, Tokens]:
        """Return the tokens of each column of text and lists."""
        return {column: reader.tokens() for column, reader in (self._words | self._lists).items()}

    def numbers(self, mend: str) -> npt.NDArray[np.float64]:
        """Return the numbers, (rows, columns); ``mend`` is what to do about one that is missing."""
        return self._numbers.numbers(mend) if self._numbers else no_numbers()


class _Words:
    """A column of prose."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._numbering = Numbering()

    def add(self, batch: Batch) -> None:
        for row, cell in enumerate(batch.cells[self._column]):
            self._numbering.add(_WORD.findall(cell_as_text(batch, row, self._column, cell).lower()))

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
            names = [label_name(batch, row, self._column, entry) for entry in cell]
        elif isinstance(cell, str) and self._separator not in (None, ONE_NAME):
            text = cell_as_text(batch, row, self._column, cell)
            names = [entry.strip() for entry in text.split(self._separator)]
        else:
            names = [label_name(batch, row, self._column, cell)]
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


class LabelNames(_Entries):
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


class LabelFlags:
    """0/1 columns, one for each label."""

    def __init__(self, path: Path, columns: Sequence[str], prefix: str, min_rows: int) -> None:
        self._path, self._columns, self._prefix, self._min_rows = path, columns, prefix, min_rows
        self._blocks: list[npt.NDArray[np.uint8]] = []

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch."""
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


class Ids:
    """The column that names the rows."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        self._blocks: list[npt.NDArray[np.str_]] = []

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch."""
        names = [label_name(batch, row, self._column, cell) for row, cell in enumerate(batch.cells[self._column])]
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


class Groups:
    """The column of what must not be parted. A row with an empty cell is alone."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        self._codes = array("q")
        self._known: dict[str, int] = {}
        self._next = 0

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch."""
        for row, cell in enumerate(batch.cells[self._column]):
            name = label_name(batch, row, self._column, cell)
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


class Parts:
    """The column that says which row belongs to which part."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        self._places = array("B")

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch."""
        for row, cell in enumerate(batch.cells[self._column]):
            name = label_name(batch, row, self._column, cell).lower()
            if name not in PARTS:
                raise UserError(
                    f"{batch.at(row, self._column)}: allowed {', '.join(PARTS)}; given {given(cell)}"
                    f"{nearest(name, PARTS, cutoff=0.4)}"
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
