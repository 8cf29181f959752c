"""Readers of a table's label columns: one column with lists of names, or a 0/1 column for each label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rarelabels.data.table.batch import Batch
from rarelabels.data.table.cell_values import given
from rarelabels.data.table.input_readers import Entries
from rarelabels.data.table.opening import shown
from rarelabels.data.tokens import Tokens, document_frequency
from rarelabels.data.unsplit import UNKNOWN, labels_and_known
from rarelabels.declare.table import FLAGS, TableLabels, cell_as_word
from rarelabels.errors import UserError, nearest
from rarelabels.names import some

_NOT_ANNOTATED = "mend it, or name such cells under dataset.labels.unknown if they mean that nobody annotated the label"
MISSPELT = 0.8  # the least similarity of a name and the one that was meant; see errors.nearest
MAX_LABEL_CELLS = 4_000_000_000  # of rows times labels, one byte each


@dataclass(frozen=True, eq=False)
class Labels:
    """The labels of a table.

    Attributes:
        names: of the labels.
        y: (n, n_labels) 0/1.
        known: (n, n_labels), where ``y`` was annotated; None if it was everywhere.
    """

    names: tuple[str, ...]
    y: npt.NDArray[np.uint8]
    known: npt.NDArray[np.bool_] | None


class LabelNames(Entries):
    """A column of label names; a second column may say which labels of a row were annotated, or were not."""

    def __init__(self, path: Path, column: str, spec: TableLabels) -> None:
        super().__init__(path, column, spec.separator, "dataset.labels.separator")
        self._min_rows = spec.min_rows
        self._second = spec.second_column
        self._entries_of_second = (
            Entries(path, self._second[0], spec.separator, "dataset.labels.separator") if self._second else None
        )

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch."""
        super().add(batch)
        if self._entries_of_second:
            self._entries_of_second.add(batch)

    def rows(self) -> dict[str, int]:
        """Return how many rows have each name."""
        self.check_separator()
        tokens = self.tokens()
        return dict(zip(tokens.vocabulary.tolist(), document_frequency(tokens).tolist(), strict=True))

    def labels(self) -> Labels:
        """Return the names that enough rows have, by falling frequency and then by name, and what each row has."""
        self.check_separator()
        tokens = self.tokens()
        names, frequency = tokens.vocabulary, document_frequency(tokens)
        frequent = np.flatnonzero(frequency >= self._min_rows).tolist()
        kept = sorted(frequent, key=lambda i: (-frequency[i], names[i]))
        self._check(names[kept].tolist(), len(tokens))
        place = np.full(len(names), -1)
        place[kept] = np.arange(len(kept))
        y = _marked(tokens, place, len(kept))
        return Labels(tuple(names[kept].tolist()), y.astype(np.uint8), self._known(y, kept))

    def _known(self, y: npt.NDArray[np.bool_], kept: list[int]) -> npt.NDArray[np.bool_] | None:
        """Return which cells of ``y`` were annotated; None without a second column."""
        if self._entries_of_second is None or self._second is None:
            return None
        column, key = self._second
        listed, names = self._entries_of_second.tokens(), self.tokens().vocabulary.tolist()
        for name in sorted(set(listed.vocabulary.tolist()) - set(names)):
            if meant := nearest(name, names, cutoff=MISSPELT):  # else a label that was looked for, and no row has it
                raise UserError(
                    f"{self._path}: column {column!r} (dataset.labels.{key}) names {shown(name)}, which no row has as "
                    f"a label in column {self._column!r}{meant}; mend it"
                )
        of_name = {names[i]: number for number, i in enumerate(kept)}
        place = np.array([of_name.get(name, -1) for name in listed.vocabulary.tolist()], np.int64)
        marked = _marked(listed, place, len(kept))
        if key == "annotated":
            return marked | y
        if (both := np.argwhere(marked & y)).size:
            row, label = both[0].tolist()
            raise UserError(
                f"{self._path}: row {row + 1} has the label {shown(names[kept[label]])} in column {self._column!r}, "
                f"and column {column!r} (dataset.labels.not_annotated) lists it as not annotated; take it out of one"
            )
        return ~marked

    def _check(self, kept: list[str], rows: int) -> None:
        where = f"{self._path}: column {self._column!r}"
        if len(kept) < 2:
            enough = f" that {self._min_rows} rows have (dataset.labels.min_rows)" if self._min_rows > 1 else ""
            raise UserError(
                f"{where}: needs at least two labels{enough}; given {', '.join(map(shown, kept)) or 'none'}"
            )
        if rows * len(kept) > MAX_LABEL_CELLS:
            raise UserError(
                f"{where}: {len(kept):,} labels of {rows:,} rows need {rows * len(kept) / 1e9:.0f} GB, but only "
                f"{MAX_LABEL_CELLS / 1e9:.0f} GB are allowed; raise dataset.labels.min_rows, or name another "
                "column or separator"
            )


def _marked(tokens: Tokens, place: npt.NDArray[np.int64], n_labels: int) -> npt.NDArray[np.bool_]:
    """Return which labels each row lists, (n, n_labels); ``place`` is the column of each token, -1 for none."""
    marked = np.zeros((len(tokens), n_labels), dtype=np.bool_)
    rows, columns = np.repeat(np.arange(len(tokens)), tokens.lengths), place[tokens.ids]
    marked[rows[columns >= 0], columns[columns >= 0]] = True
    return marked


class LabelFlags:
    """0/1 columns, one for each label."""

    def __init__(self, path: Path, columns: Sequence[str], spec: TableLabels) -> None:
        self._path, self._columns = path, columns
        self._prefix, self._min_rows = spec.prefix or "", spec.min_rows
        self._unknown = {cell_as_word(cell) for cell in spec.unknown}
        self._blocks: list[npt.NDArray[np.uint8]] = []

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch."""
        flags = [[self._flag(batch, row, column) for row in range(batch.rows)] for column in self._columns]
        self._blocks.append(np.array(flags, dtype=np.uint8).T)

    def _flag(self, batch: Batch, row: int, column: str) -> int:
        cell = batch.cells[column][row]
        # Numbers and truth values are looked up by their text too: 1.0, True.
        flag = FLAGS.get(cell if isinstance(cell, str) else str(cell))
        if flag is None:
            flag = FLAGS.get(str(cell).strip().lower())
        if flag is None and self._unknown and cell_as_word(cell) in self._unknown:
            return UNKNOWN
        if flag is None:
            raise UserError(
                f"{batch.at(row, column)}: must be 0 or 1 (or no or yes, false or true), for a label; given "
                f"{given(cell)}; {self._mend(column)}"
            )
        return flag

    def _mend(self, column: str) -> str:
        if self._prefix:
            return (
                f"{_NOT_ANNOTATED}, or, if {column!r} is no label, list the labels under dataset.labels.columns in "
                "place of dataset.labels.prefix"
            )
        return f"{_NOT_ANNOTATED}, or take {column!r} out of dataset.labels.columns"

    def rows(self) -> dict[str, int]:
        """Return how many rows have a 1 in each column, by its name without the prefix."""
        positives = sum((block == 1).sum(axis=0, dtype=np.int64) for block in self._blocks)
        names = [name.removeprefix(self._prefix) for name in self._columns]
        return dict(zip(names, np.asarray(positives).tolist(), strict=True))

    def labels(self) -> Labels:
        """Return the labels that enough rows have, by their names without the prefix, and what each row has."""
        y, known = labels_and_known(np.concatenate(self._blocks))
        positives = y.sum(axis=0, dtype=np.int64)
        empty = [name for name, count in zip(self._columns, positives, strict=True) if not count]
        if empty and self._min_rows == 1:
            raise UserError(
                f"{self._path}: no row has a 1 in {some(empty)}; to leave such labels out, say "
                "dataset.labels.min_rows: 2"
            )
        kept = positives >= self._min_rows
        if kept.sum() < 2:
            raise UserError(
                f"{self._path}: needs at least two labels that {self._min_rows} rows have "
                f"(dataset.labels.min_rows); given {int(kept.sum())}"
            )
        names = [name.removeprefix(self._prefix) for name, keep in zip(self._columns, kept, strict=True) if keep]
        return Labels(tuple(names), y[:, kept], None if known is None else known[:, kept])
