"""The reader of a column of vectors: lists of numbers, all of one length."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.data.table.batch import Batch
from rarelabels.data.table.cell_values import LARGEST, LIMITS, given, is_missing
from rarelabels.data.table.opening import shown
from rarelabels.errors import UserError


class Vectors:
    """A column whose cells are lists of finite numbers, or texts that are such lists in JSON, as in CSV."""

    def __init__(self, column: str, length: int | None = None) -> None:
        """Take no cells yet.

        Args:
            column: its name.
            length: the numbers of each vector; None: as many as the first row has.
        """
        self.column, self._length = column, length
        self._is_of_model = length is not None
        self._blocks: list[npt.NDArray[np.float64]] = []

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch.

        Raises:
            UserError: a cell is no list of finite numbers, or has another length than the first.
        """
        if not batch.rows:
            return
        cells = [parsed(cell) for cell in batch.cells[self.column]]
        block = _as_block(cells)
        if self._length is None:
            self._length = self._first_length(batch, cells[0])
        if block is None or block.shape[1] != self._length or not (np.abs(block) <= LARGEST).all():
            block = np.array([self._numbers(batch, row, cell) for row, cell in enumerate(cells)])
        self._blocks.append(block)

    def numbers(self) -> npt.NDArray[np.float64]:
        """Return the numbers of the rows, (n, length)."""
        return np.concatenate(self._blocks) if self._blocks else np.empty((0, self._length or 0))

    def names(self) -> list[str]:
        """Return a name for each number of a vector: ``embedding[0]``, ..."""
        return [f"{self.column}[{place}]" for place in range(self._length or 0)]

    def _first_length(self, batch: Batch, cell: object) -> int:
        if isinstance(cell, (list, np.ndarray)) and len(cell):
            return len(cell)
        raise self._refused(batch, 0, cell)

    def _numbers(self, batch: Batch, row: int, cell: object) -> list[float]:
        """Return the numbers of a cell that is a list of finite numbers of the right length, and refuse any other."""
        if not isinstance(cell, (list, np.ndarray)):
            raise self._refused(batch, row, cell)
        for place, entry in enumerate(cell):
            if not _is_number(entry):
                raise UserError(
                    f"{batch.at(row, self.column)}: entry {place + 1} of the vector is {_shown(entry)}, and not a "
                    f"finite number{LIMITS}; mend it, or leave the row out"
                )
        if len(cell) != self._length:
            others = "those the model was trained on have" if self._is_of_model else "the one of row 1 has"
            raise UserError(
                f"{batch.at(row, self.column)}: the vector has {len(cell):,} numbers, but {others} "
                f"{self._length:,}; all must have the same length"
            )
        return [float(entry) for entry in cell]

    def _refused(self, batch: Batch, row: int, cell: object) -> UserError:
        what = "an empty cell" if not isinstance(cell, list) and is_missing(cell) else given(cell)
        return UserError(
            f"{batch.at(row, self.column)}: must be a vector, a list of numbers; given {what}; fill it in, or "
            "leave the row out"
        )


def parsed(cell: object) -> object:
    """Return the list that a text writes in JSON, and every other cell as it is.

    >>> parsed("[0.5, -1]"), parsed("half"), parsed([2.0])
    ([0.5, -1], 'half', [2.0])
    """
    if isinstance(cell, str) and cell.lstrip().startswith("["):
        try:
            return json.loads(cell)
        except (ValueError, RecursionError):
            return cell
    return cell


def _as_block(cells: Sequence[Any]) -> npt.NDArray[np.float64] | None:
    """Return (n, length) if all cells are lists of numbers of one length, and None if some cell is not."""
    try:
        block = np.array(cells)
    except ValueError:  # lists of different lengths
        return None
    return block.astype(np.float64) if block.ndim == 2 and block.dtype.kind in "biuf" else None


def _is_number(entry: object) -> bool:
    try:
        return isinstance(entry, (int, float, np.integer, np.floating)) and bool(abs(float(entry)) <= LARGEST)
    except OverflowError:  # a whole number beyond float64
        return False


def _shown(entry: object) -> str:
    """Return how messages quote an entry: a number of NumPy as one of Python."""
    return shown(entry.item() if isinstance(entry, np.generic) else entry)
