"""Readers of a table's input columns: prose, names and tags, numbers, categories."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rarelabels.data.table import bracketed
from rarelabels.data.table.batch import Batch
from rarelabels.data.table.cell_values import (
    LARGEST,
    LIMITS,
    MEND_NUMBER,
    ONE_NAME,
    SEPARATORS,
    cell_as_text,
    given,
    is_missing,
    label_name,
    number,
)
from rarelabels.data.table.number_signs import PLAIN, NumberSigns
from rarelabels.data.table.opening import shown
from rarelabels.data.table.text_tokens import Cut, cut, lower_case_words
from rarelabels.data.table.vector_readers import Vectors
from rarelabels.data.tokens import Numbering, Tokens
from rarelabels.data.unsplit import no_numbers
from rarelabels.declare.table import TableSpec
from rarelabels.errors import UserError


def numbers(columns: Sequence[str], batch: Batch) -> npt.NDArray[np.float64]:
    """Return the numbers of some rows, (n, n_columns).

    Raises:
        UserError: a cell is no finite number; it may not be missing.
    """
    read = _Numbers(columns, PLAIN, may_miss=False)
    read.add(batch)
    return read.numbers(MEND_NUMBER)


class Reader(Protocol):
    """Takes the cells of its columns, batch by batch."""

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch."""


class Inputs:
    """The columns of text, lists, numbers, vectors and categories, of a whole table or of some rows of one."""

    def __init__(self, path: Path, spec: TableSpec, lengths: Mapping[str, int] | None = None) -> None:
        """Take no cells yet.

        Args:
            path: of the table.
            spec: declares its columns.
            lengths: of the vectors that a model was trained on, by column; None: the first row of each tells.
        """
        cuts = {one.column: cut(one) for one in spec.tokens}
        self._words = {column: _Words(column, cuts.get(column, lower_case_words)) for column in spec.text}
        self._lists = {
            one.column: Entries(path, one.column, one.separator, f"dataset.lists[{i}].separator")
            for i, one in enumerate(spec.lists)
        }
        self._numbers = _Numbers(spec.numeric, NumberSigns.of(spec), may_miss=True) if spec.numeric else None
        self._categories = {column: _Category(column) for column in spec.categories}
        self._vectors = [Vectors(one.column, (lengths or {}).get(one.column)) for one in spec.vectors]

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch."""
        named: tuple[Reader, ...] = (*self._words.values(), *self._lists.values(), *self._categories.values())
        readers: tuple[Reader | None, ...] = (*named, self._numbers, *self._vectors)
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

    def categories(self) -> dict[str, Tokens]:
        """Return the value of each row, its only token, for each column of categories; an empty cell is a value."""
        return {column: reader.tokens() for column, reader in self._categories.items()}

    def numbers(self, mend: str) -> npt.NDArray[np.float64]:
        """Return the numbers, (rows, columns), NaN where missing; ``mend`` says what to do about a wrong one.

        Those of vectors come after the columns of numbers.
        """
        numbers = self._numbers.numbers(mend) if self._numbers else no_numbers()
        if not self._vectors:
            return numbers
        vectors = [one.numbers() for one in self._vectors]
        return np.hstack([numbers, *vectors] if self._numbers else vectors)

    def lengths(self) -> dict[str, int]:
        """Return how many numbers a vector of each column has."""
        return {one.column: len(one.names()) for one in self._vectors}

    def numeric_names(self) -> tuple[str, ...]:
        """Return the names of the columns of :meth:`numbers`."""
        columns = self._numbers.columns if self._numbers else ()
        return (*columns, *(name for one in self._vectors for name in one.names()))


class _Words:
    """A column of prose."""

    def __init__(self, column: str, cut: Cut) -> None:
        self._column, self._cut = column, cut
        self._numbering = Numbering()

    def add(self, batch: Batch) -> None:
        for row, cell in enumerate(batch.cells[self._column]):
            self._numbering.add(self._cut(cell_as_text(batch, row, self._column, cell)))

    def tokens(self) -> Tokens:
        return self._numbering.tokens()


class _Category:
    """A column whose cells are one of a few values: text without the blanks around it, or a whole number."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._numbering = Numbering()

    def add(self, batch: Batch) -> None:
        for row, cell in enumerate(batch.cells[self._column]):
            self._numbering.add([label_name(batch, row, self._column, cell)])

    def tokens(self) -> Tokens:
        return self._numbering.tokens()


def entry_values(batch: Batch, row: int, column: str, cell: Mapping[Any, object]) -> dict[str, float]:
    """Return the value of each entry of a cell that maps names to numbers, the largest first, without zeros.

    Raises:
        UserError: a value is no finite number.
    """
    values = {}
    for name, value in cell.items():
        values[label_name(batch, row, column, name)] = found = 0.0 if value is None else number(value)
        if not abs(found) <= LARGEST:
            limits = LIMITS if math.isfinite(found) else ""
            raise UserError(
                f"{batch.at(row, column)}: entry {shown(name)}: its value must be a finite number{limits}; given "
                f"{shown(value)}"
            )
    return dict(sorted(((name, value) for name, value in values.items() if value), key=lambda item: -abs(item[1])))


class Entries:
    """A column of lists, or of texts with a separator or brackets; without a separator, a text is one entry.

    A cell may also map entries to what each counts, such as the words of a text to their TF-IDF.
    """

    def __init__(self, path: Path, column: str, separator: str | None, key: str) -> None:
        self._path, self._column, self._separator, self._key = path, column, separator, key
        self._numbering = Numbering()
        self._values: array[float] | None = None  # of each entry so far, once a row has given values
        self._count = 0  # entries so far
        self._texts = 0
        self._holding = dict.fromkeys([*SEPARATORS, separator or SEPARATORS[0]], 0)  # how many texts hold each
        self._first: dict[str, str] = {}  # the first of these texts

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch."""
        cells = batch.cells[self._column]
        for row, cell in enumerate(cells):
            self._add(batch, row, cell)
        texts = [(row, cell) for row, cell in enumerate(cells) if isinstance(cell, str) and cell.strip()]
        self._texts += len(texts)
        for separator in self._holding:
            if holding := [row for row, cell in texts if separator in cell]:
                self._holding[separator] += len(holding)
                self._first.setdefault(separator, f"{batch.at(holding[0])}: {shown(cells[holding[0]])}")

    def _add(self, batch: Batch, row: int, cell: object) -> None:
        if isinstance(cell, Mapping):
            if self._values is None:
                self._values = array("d", [1.0] * self._count)
            valued = entry_values(batch, row, self._column, cell)
            self._values.extend(valued.values())
            names = list(valued)
        else:
            names = self._entries(batch, row, cell)
            if self._values is not None:
                self._values.extend([1.0] * len(names))
        self._count += len(names)
        self._numbering.add(names)

    def _entries(self, batch: Batch, row: int, cell: object) -> list[str]:
        if isinstance(cell, list):
            if self._separator is not None:
                raise UserError(f"{batch.at(row, self._column)}: is a list already; leave {self._key} out")
            names = [label_name(batch, row, self._column, entry) for entry in cell]
        elif isinstance(cell, str) and self._separator in bracketed.BRACKETS:
            return self._listed(batch, row, cell)
        elif isinstance(cell, str) and self._separator not in (None, ONE_NAME):
            text = cell_as_text(batch, row, self._column, cell)
            names = [entry.strip() for entry in text.split(self._separator)]
        else:
            names = [label_name(batch, row, self._column, cell)]
        return [name for name in names if name]

    def _listed(self, batch: Batch, row: int, cell: str) -> list[str]:
        assert self._separator
        found = bracketed.entries(cell_as_text(batch, row, self._column, cell), self._separator)
        if found is None:
            raise UserError(
                f"{batch.at(row, self._column)}: must be a list of names in {self._separator} ({self._key}); given "
                f"{shown(cell)}"
            )
        return found

    def tokens(self) -> Tokens:
        """Return the names that each row has, and their values if any row has given values."""
        tokens = self._numbering.tokens()
        return tokens if self._values is None else replace(tokens, values=np.asarray(self._values))

    def check_separator(self) -> None:
        """Raise if another separator seems to part texts, and none is declared or the declared one is in no text."""
        if self._separator in bracketed.BRACKETS:
            return
        separator, likely = self._separator, max(SEPARATORS, key=self._holding.__getitem__)
        if not (separator and self._holding[separator]) and self._parts_names(likely):
            given = f"separator {separator!r} is in none of its" if separator else "has no declared separator; of its"
            raise UserError(
                f"{self._path}: column {self._column!r}: {given} {self._texts} texts, {likely!r} is in "
                f"{self._holding[likely]}, first in {self._first[likely]}; set {self._key} to {likely!r}, or to "
                f"{ONE_NAME!r} if each text is one name"
            )

    def _parts_names(self, separator: str) -> bool:
        """Return whether texts look like several names each: split, they give fewer different names than texts.

        Cities with their country give more when split, tags give fewer. Where most texts hold the separator, as many
        are enough; if another separator is declared, any number is.
        """
        if self._separator == ONE_NAME or not self._holding[separator]:
            return False
        texts = self._numbering.tokens().vocabulary.tolist()
        names = {name.strip() for text in texts for name in text.split(separator)}
        in_most = self._holding[separator] > self._texts / 2
        return len(names) < len(texts) or (in_most and (self._separator is not None or len(names) == len(texts)))


class _Numbers:
    """Numeric columns. Cells that hold something else are counted, and reported after the last batch.

    A missing number is NaN, if numbers may be missing; otherwise it is reported too.
    """

    def __init__(self, columns: Sequence[str], signs: NumberSigns, *, may_miss: bool) -> None:
        self.columns, self._signs, self._may_miss = columns, signs, may_miss
        self._blocks: list[npt.NDArray[np.float64]] = []
        self._wrong: Counter[str] = Counter()  # cells of each column
        self._first, self._too_large = "", False

    def add(self, batch: Batch) -> None:
        block = np.array([[number(cell, self._signs) for cell in batch.cells[column]] for column in self.columns]).T
        for row, place in np.argwhere(~(np.abs(block) <= LARGEST)).tolist():
            column = self.columns[place]
            cell = batch.cells[column][row]
            if self._may_miss and is_missing(cell):
                block[row, place] = np.nan  # one NaN of the many that there are
                continue
            self._first = self._first or f"{batch.at(row, column)}: {given(cell)}"
            self._too_large |= bool(np.isfinite(block[row, place]))
            self._wrong[column] += 1
        self._blocks.append(block)

    def numbers(self, mend: str) -> npt.NDArray[np.float64]:
        """Return the numbers, (n, k); ``mend`` tells the user what to do about cells that hold no number.

        Raises:
            UserError: some cells are no finite numbers.
        """
        if self._wrong:
            counts = ", ".join(f"{count} in {column!r}" for column, count in self._wrong.items())
            raise UserError(f"{self._first} is not a finite number{self._allowed()}; in all {counts}; {mend}")
        return np.concatenate(self._blocks)

    def _allowed(self) -> str:
        limits = LIMITS if self._too_large else ""
        if self._signs != PLAIN:
            groups = f" and {self._signs.thousands!r} between groups of digits" if self._signs.thousands else ""
            return f"{limits} with {self._signs.decimal!r} before its decimals{groups}"
        return limits
