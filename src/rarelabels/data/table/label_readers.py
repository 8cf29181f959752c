"""Readers of a table's label columns: one column with lists of names, or a 0/1 column for each label."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rarelabels.data.table.batch import Batch
from rarelabels.data.table.cell_values import (
    FLAGS,
    SHOWN,
    given,
)
from rarelabels.data.table.input_readers import Entries
from rarelabels.data.table.opening import shown
from rarelabels.data.tokens import document_frequency
from rarelabels.declare.data import TableLabels
from rarelabels.errors import UserError

MAX_LABEL_CELLS = 4_000_000_000  # of rows times labels, one byte each


class LabelNames(Entries):
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
        """Return the names that enough rows have, by falling frequency and then by name, and (n, n_labels) 0/1."""
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
                f"{where}: {len(kept):,} labels of {rows:,} rows need {rows * len(kept) / 1e9:.0f} GB, but only "
                f"{MAX_LABEL_CELLS / 1e9:.0f} GB are allowed; raise dataset.labels.min_rows, or name another "
                "column or separator"
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
        # Numbers and truth values are looked up by their text too: 1.0, True.
        flag = FLAGS.get(cell if isinstance(cell, str) else str(cell))
        if flag is None:
            flag = FLAGS.get(str(cell).strip().lower())
        if flag is None:
            raise UserError(
                f"{batch.at(row, column)}: must be 0 or 1 (or no or yes, false or true), for a label; given "
                f"{given(cell)}; {self._mend(column)}"
            )
        return flag

    def _mend(self, column: str) -> str:
        if self._prefix:
            return (
                f"mend it, or, if {column!r} is no label, list the labels under dataset.labels.columns in place of "
                "dataset.labels.prefix"
            )
        return f"mend it, or take {column!r} out of dataset.labels.columns"

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
