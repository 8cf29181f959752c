"""A batch of rows of a table, column by column, which knows where in its file it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal, TypeVar

Row = TypeVar("Row")
BATCH_ROWS = 8_192


@dataclass(frozen=True)
class RawColumn:
    """A column of raw rows: its name, and what its cells hold.

    A cell of a ``list`` column is a list, or a text that is its only entry. A cell of a ``vector`` column is a list of
    ``length`` numbers; ``length`` is 0 for all other columns. A cell of an ``image`` column is the name of a file.
    """

    name: str
    holds: Literal["text", "list", "number", "vector", "image"]
    length: int = 0


def numbered(rows: Iterator[Row]) -> Iterator[tuple[int, list[Row]]]:
    """Yield rows in batches, each with the number of its first row, from 1."""
    first = 1
    while batch := list(islice(rows, BATCH_ROWS)):
        yield first, batch
        first += len(batch)


@dataclass(frozen=True)
class Batch:
    """Some rows of a file, in its order.

    Attributes:
        path: the file.
        first: number of the first of these rows; rows of data count from 1.
        rows: how many they are.
        lines: the line each row begins on, from 1; None where a file has no lines.
        cells: column name to one value for each row. CSV and TSV give text only; the other formats give None, text,
            numbers, truth values and lists.
        encoding: of the file, for CSV and TSV; empty if a text can be wrong in another way only.
    """

    path: Path
    first: int
    rows: int
    lines: Sequence[int] | None
    cells: dict[str, list[Any]]
    encoding: str = ""

    def at(self, index: int, column: str = "") -> str:
        """Return the name in messages of a row, or a cell, of this batch: ``a.csv: row 7 (line 8), column 'age'``."""
        line = f" (line {self.lines[index]})" if self.lines else ""
        return f"{self.path}: row {self.first + index}{line}" + (f", column {column!r}" if column else "")
