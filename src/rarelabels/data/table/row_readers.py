"""Readers of the columns that give each row of a table its id, its group, its part and its weight."""

from __future__ import annotations

import math
from array import array
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rarelabels.data.splits import PARTS
from rarelabels.data.table.batch import Batch
from rarelabels.data.table.cell_values import LARGEST, MAX_ID, given, label_name, number
from rarelabels.data.table.number_signs import PLAIN, NumberSigns
from rarelabels.data.table.opening import shown
from rarelabels.errors import UserError, nearest

PART_WORDS: dict[str, str] = {part: part for part in PARTS} | {
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "dev": "validation",
    "testing": "test",
}
OTHER_WORDS = [word for word in PART_WORDS if word not in PARTS]


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
        """Return the ids, (n,).

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
    """The column of groups, whose rows stay in one part. A row with an empty cell is a group by itself."""

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


class DeclaredParts:
    """The column that says which row belongs to which part."""

    def __init__(self, path: Path, column: str) -> None:
        self._path, self._column = path, column
        self._places = array("B")

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch."""
        for row, cell in enumerate(batch.cells[self._column]):
            name = label_name(batch, row, self._column, cell).lower()
            if name not in PART_WORDS:
                raise UserError(
                    f"{batch.at(row, self._column)}: allowed {', '.join(PARTS)} (or {', '.join(OTHER_WORDS)}); given "
                    f"{given(cell)}{nearest(name, list(PART_WORDS), cutoff=0.4)}"
                )
            self._places.append(PARTS.index(PART_WORDS[name]))

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


class RowWeights:
    """The column that says how much each row counts in training."""

    def __init__(self, column: str, signs: NumberSigns = PLAIN) -> None:
        self._column, self._signs = column, signs
        self._weights = array("d")

    def add(self, batch: Batch) -> None:
        """Take the cells of a batch.

        Raises:
            UserError: a cell is no finite number above 0.
        """
        for row, cell in enumerate(batch.cells[self._column]):
            weight = number(cell, self._signs)
            if not 0 < weight <= LARGEST:
                most = f" and at most {LARGEST:g}" if LARGEST < weight < math.inf else ""
                raise UserError(
                    f"{batch.at(row, self._column)}: a weight must be a finite number above 0{most}; given "
                    f"{given(cell)}; mend it; leave out rows that must not count"
                )
            self._weights.append(weight)

    def weights(self) -> npt.NDArray[np.float64]:
        """Return the weights, (n,), as in the table."""
        return np.asarray(self._weights, dtype=np.float64)
