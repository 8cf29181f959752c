"""One column of a table: a sample of its cells, and what they have in common."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from rarelabels.data import splits
from rarelabels.data.table import cell_values, parsing, table_files
from rarelabels.data.table.batch import Batch
from rarelabels.data.table.cell_values import FLAGS
from rarelabels.data.table.opening import shown
from rarelabels.declare.data import VectorColumn
from rarelabels.errors import UserError, nearest

SAMPLED = 16  # after the first batch, every 16th row is sampled
FEW_FLAGS = 12  # the most different cells of a 0/1 column, as zero and one are written in several ways
LISTED = 30  # columns in a message
_ID = re.compile(r"(?:^|[\W_])(?:id|uuid|guid|key|index)$", re.IGNORECASE)
_CAMEL_ID = re.compile(r"[a-z](?:Id|ID)$")


@dataclass(frozen=True)
class Wish:
    """What the user says of the columns. For values that are None or empty, ``init`` looks at the file."""

    labels: str | None = None
    text: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    id: str | None = None
    group: str | None = None
    categories: tuple[str, ...] = ()
    vectors: tuple[VectorColumn, ...] = ()
    weight: str | None = None


def unknown_column(path: Path, names: Sequence[str], option: str, name: str) -> NoReturn:
    """Raise the error of an option that names a missing column."""
    raise UserError(f"{option}: {path} has no column {name!r}{nearest(name, names)}{some_names(names)}")


def some_names(names: Sequence[str]) -> str:
    """Return ``; the columns are ...``; of many columns only the first are listed."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"; the columns are {', '.join(map(repr, names[:LISTED]))}{more}"


@dataclass
class Column:
    """What is known of a column from the cells read so far.

    Attributes:
        kinds: of the cells that are not empty: text, number, list, or the name of another type.
        flags: how often each cell occurs; None once a cell is not 0 or 1.
        sample: cells that are looked at closely.
        names: the different cells, if the column's name says that it is an id; else None.
    """

    name: str
    rows: int = 0
    empty: int = 0
    kinds: set[str] = field(default_factory=set)
    flags: Counter[Any] | None = field(default_factory=Counter)
    sample: list[Any] = field(default_factory=list)
    names: set[str] | None = None
    not_numbers: int = 0  # without the missing cells
    missing: int = 0  # as a number: empty, or NaN in words
    first_not_number: str = ""
    is_numeric: bool = True  # at least half of its filled cells are numbers
    low: float = math.inf
    high: float = -math.inf
    counts_rows: bool = True

    def __post_init__(self) -> None:
        if _ID.search(self.name) or _CAMEL_ID.search(self.name):
            self.names = set()

    def add(self, batch: Batch) -> None:
        """Look at the cells of a batch."""
        cells = batch.cells[self.name]
        filled = _filled(cells)
        self.rows += len(cells)
        self.empty += len(cells) - len(filled)
        self.sample += filled[:: SAMPLED if batch.first > 1 else 1]
        types = set(map(type, filled))
        self.kinds |= {_KINDS.get(one, one.__name__) for one in types}
        if self.flags is not None:
            self._add_flags(filled)
        if self.is_numeric:
            self._add_numbers(batch, cells)
        if self.names is not None:
            self.names.update(str(cell).strip() for cell in filled)

    def _add_flags(self, filled: list[Any]) -> None:
        try:
            found = Counter(filled)
        except TypeError:  # lists have no hash
            self.flags = None
            return
        if len(found) > FEW_FLAGS or any(str(cell).strip().lower() not in FLAGS for cell in found):
            self.flags = None
        elif self.flags is not None:
            self.flags += found

    def _add_numbers(self, batch: Batch, cells: list[Any]) -> None:
        numbers = _numbers(cells)
        finite = np.isfinite(numbers)
        others = np.flatnonzero(~finite).tolist()
        wrong = [i for i in others if not cell_values.is_missing(cells[i])]
        self.not_numbers += len(wrong)
        self.missing += len(others) - len(wrong)
        if wrong and not self.first_not_number:
            self.first_not_number = f"row {batch.first + wrong[0]}: {shown(cells[wrong[0]])}"
        if self.not_numbers > (self.rows - self.missing) / 2:
            self.is_numeric = False
        elif finite.any():
            known = numbers[finite]
            self.low, self.high = min(self.low, float(known.min())), max(self.high, float(known.max()))
            rows = np.arange(batch.first, batch.first + len(cells))
            self.counts_rows &= bool(finite.all()) and bool(np.ptp(numbers - rows) == 0) and self.low in (0, 1)

    @property
    def texts(self) -> list[str]:
        """The sampled cells that are text."""
        return [cell for cell in self.sample if isinstance(cell, str)]

    @property
    def says_parts(self) -> bool:
        """Whether every row says train, validation or test, and each of the three occurs."""
        if self.kinds != {"text"} or self.empty:
            return False
        return {text.strip().lower() for text in self.texts} == set(splits.PARTS)

    @property
    def is_flags(self) -> bool:
        """Whether every cell is 0 or 1."""
        return self.flags is not None and not self.empty and bool(self.rows)

    @property
    def is_id(self) -> bool:
        """Whether the column's name says that it is an id, and its cells are filled and all different."""
        return (
            self.names is not None
            and len(self.names) == self.rows
            and self.kinds <= {"text", "number"}
            and max(map(len, self.names), default=0) <= cell_values.MAX_ID
        )


_KINDS = {str: "text", int: "number", float: "number", bool: "number", list: "list"}


def _is_empty(cell: object) -> bool:
    """Return whether a cell is empty; pandas writes NaN for that."""
    return cell is None or cell == "" or (isinstance(cell, str) and not cell.strip()) or cell != cell


def _filled(cells: list[Any]) -> list[Any]:
    if set(map(type, cells)) == {str}:  # as in CSV: three times as fast
        return [cell for cell in cells if cell and not cell.isspace()]
    return [cell for cell in cells if not _is_empty(cell)]


def _numbers(cells: list[Any]) -> npt.NDArray[np.float64]:
    """Return the number in each cell, (n,); NaN where there is none."""
    try:
        if not any(isinstance(cell, str) and "_" in cell for cell in cells):  # float takes 1_000 for a thousand
            return np.array(list(map(float, cells)))
    except (TypeError, ValueError, OverflowError):
        pass
    return np.array([cell_values.number(cell) for cell in cells])


def read_columns(path: Path, names: Sequence[str]) -> dict[str, Column]:
    """Read a file once; return what each of its columns holds."""
    columns = {name: Column(name) for name in names}
    rows = 0
    for batch in table_files.batches(path, names):
        rows += batch.rows
        for column in columns.values():
            column.add(batch)
    parsing.check_rows(path, rows)
    return columns
