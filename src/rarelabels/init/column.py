"""One column of a table: a sample of its cells, and what they have in common."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from rarelabels.data import splits
from rarelabels.data.table import cell_values, parsing, table_files
from rarelabels.data.table.batch import Batch
from rarelabels.data.table.dialect import Dialect
from rarelabels.data.table.number_signs import OTHERS, PLAIN, NumberSigns
from rarelabels.data.table.opening import is_text, shown
from rarelabels.data.table.row_readers import PART_WORDS
from rarelabels.declare.table import FLAGS, VectorColumn, cell_as_word
from rarelabels.errors import UserError, nearest
from rarelabels.names import some

SAMPLED = 16  # after the first batch, every 16th row is sampled
FEW = 12  # the most different cells of a 0/1 column, or of one of parts: each is written in several ways
NEARLY_ALL = 0.9  # of the cells must be numbers with other signs, for the signs to be believed
NO_WORDS = ("1", "1.0", "1,0", "true")
UNKNOWN_WORDS = ("", "-1", "u", "?", "na", "n/a", "unknown")  # of a label that nobody annotated; "nan" reads as ""
LISTED = 30  # columns in a message
_ID = re.compile(r"(?:^|[\W_])(?:id|uuid|guid|key|index)$", re.IGNORECASE)
_CAMEL_ID = re.compile(r"[a-z](?:Id|ID)$")


@dataclass(frozen=True)
class Wish:
    """What the user says of the file and its columns; ``init`` guesses the rest.

    ``lists``, and ``labels`` for one column, may end with the separator: ``actors:,``; and ``images`` with the folder.
    """

    labels: str | None = None
    text: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    id: str | None = None
    group: str | None = None
    categories: tuple[str, ...] = ()
    vectors: tuple[VectorColumn, ...] = ()
    images: str | None = None
    weight: str | None = None
    ignore: tuple[str, ...] = ()
    split: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    encoding: str | None = None
    header: bool = True


def unknown_column(path: Path, names: Sequence[str], option: str, name: str, hint: str = "") -> NoReturn:
    """Raise the error of an option that names a missing column; ``hint`` says what may be wrong with the file."""
    raise UserError(f"{option}: {path} has no column {name!r}{nearest(name, names)}{some_names(names)}{hint}")


def check_text(what: str, given: str) -> None:
    """Raise if what the user gives is not UTF-8 text: no declaration could hold it."""
    if not is_text(given):
        raise UserError(f"{what}: must be UTF-8 text; given {given!a}")


def with_separator(given: str, names: Sequence[str]) -> tuple[str, str | None]:
    """Return the column that an option names, and the separator after it; None if the option says none.

    >>> with_separator("a:b:;", ["a", "a:b"]), with_separator("a", ["a"]), with_separator("x:;", ["a"])
    (('a:b', ';'), ('a', None), ('x', ';'))
    """
    if given in names or ":" not in given:
        return given, None
    known = [name for name in names if given.startswith(f"{name}:") and len(given) > len(name) + 1]
    column = max(known, key=len, default=given.rpartition(":")[0] or given)
    return column, given[len(column) + 1 :] or None


def some_names(names: Sequence[str]) -> str:
    """Return ``; the columns are ...``; of many columns only the first are listed."""
    return f"; the columns are {some(names, most=LISTED)}"


@dataclass
class Column:
    """What is known of a column from the cells read so far.

    Attributes:
        kinds: of the cells that are not empty: text, number, list, or the name of another type.
        few: how often each different cell occurs; None once there are too many for a 0/1 column or one of parts.
        sample: cells that are looked at closely.
        names: the different cells, if the column's name says that it is an id; else None.
    """

    name: str
    rows: int = 0
    empty: int = 0
    kinds: set[str] = field(default_factory=set)
    signs: NumberSigns = PLAIN  # of the table's numbers
    few: Counter[Any] | None = field(default_factory=Counter)
    sample: list[Any] = field(default_factory=list)
    names: set[str] | None = None
    not_numbers: int = 0  # without the missing cells
    missing: int = 0  # as a number: empty, or NaN in words
    first_not_number: str = ""
    too_large: int = 0  # of those, numbers beyond what can be standardised
    is_numeric: bool = True  # at least half of its filled cells are numbers
    low: float = math.inf
    high: float = -math.inf
    counts_rows: bool = True
    others: int = 0  # texts that are no numbers in these signs
    otherwise: Counter[NumberSigns] | None = field(default_factory=Counter)  # how many of them are numbers in others

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
        if self.few is not None:
            self._add_few(filled)
        if self.is_numeric or self.otherwise is not None:
            self._add_numbers(batch, cells)
        if self.names is not None:
            self.names.update(str(cell).strip() for cell in filled)

    def _add_few(self, filled: list[Any]) -> None:
        try:
            self.few = (self.few or Counter()) + Counter(filled)
        except TypeError:  # lists have no hash
            self.few = None
            return
        if len(self.few) > FEW:
            self.few = None

    def _add_numbers(self, batch: Batch, cells: list[Any]) -> None:
        numbers = _numbers(cells, self.signs)
        finite = np.abs(numbers) <= cell_values.LARGEST
        others = np.flatnonzero(~finite).tolist()
        wrong = [i for i in others if not cell_values.is_missing(cells[i])]
        self.not_numbers += len(wrong)
        self._add_otherwise([cells[i] for i in wrong if isinstance(cells[i], str) and np.isnan(numbers[i])])
        self.missing += len(others) - len(wrong)
        if wrong and not self.first_not_number:
            self.first_not_number = f"row {batch.first + wrong[0]}: {shown(cells[wrong[0]])}"
        self.too_large += int(np.isfinite(numbers[wrong]).sum())
        if self.not_numbers - self.too_large > (self.rows - self.missing) / 2:
            self.is_numeric = False
        elif finite.any():
            known = numbers[finite]
            self.low, self.high = min(self.low, float(known.min())), max(self.high, float(known.max()))
            rows = np.arange(batch.first, batch.first + len(cells))
            self.counts_rows &= bool(finite.all()) and bool(np.ptp(numbers - rows) == 0) and self.low in (0, 1)

    def _add_otherwise(self, wrong: list[str]) -> None:
        if self.otherwise is None:
            return
        self.others += len(wrong)
        for signs in OTHERS:
            self.otherwise[signs] += sum(bool(signs.plain(cell)) for cell in wrong)
        if self.others and max(self.otherwise.values()) < self.others / 2:
            self.otherwise = None

    def is_read_by(self, signs: NumberSigns) -> bool:
        """Whether nearly all filled cells are numbers in these signs."""
        texts = self.texts
        read = sum(not math.isnan(cell_values.number(cell, signs)) or cell_values.is_missing(cell) for cell in texts)
        odd = 0 if self.otherwise is None else self.otherwise[signs]
        return bool(texts) and read >= NEARLY_ALL * len(texts) and odd >= NEARLY_ALL * self.others

    @property
    def texts(self) -> list[str]:
        """The sampled cells that are text."""
        return [cell for cell in self.sample if isinstance(cell, str)]

    @property
    def says_parts(self) -> bool:
        """Whether every row says train, validation or test, or another word for it, and each of the three occurs."""
        return len(set(self.parts.values())) == len(splits.PARTS)

    @property
    def parts(self) -> dict[str, str]:
        """The words for parts, and what they stand for; empty if there is any other cell, or one part only."""
        if self.kinds != {"text"} or self.empty or not self.few:
            return {}
        words = {text.strip(): PART_WORDS.get(text.strip().lower(), "") for text in self.few}
        return words if all(words.values()) and len(set(words.values())) > 1 else {}

    @property
    def is_filled_flags(self) -> bool:
        """Whether every cell that is not empty is 0 or 1, or a word for it."""
        return bool(self.few) and all(str(cell).strip().lower() in FLAGS for cell in self.few or ())

    @property
    def is_flags(self) -> bool:
        """Whether every cell is 0 or 1, or a word for it."""
        return self.is_filled_flags and not self.empty

    @property
    def words_of_unknown(self) -> tuple[str, ...]:
        """The cells of a column of 0s and 1s that say that nobody annotated the row, such as -1; "" if some are empty.

        There are none if the column has no 0 or no 1, or cells that are neither.
        """
        words = {cell_as_word(cell) for cell in self.few or ()}
        others = words - FLAGS.keys()
        if not self.few or not others <= set(UNKNOWN_WORDS) or {FLAGS[word] for word in words - others} != {0, 1}:
            return ()
        return tuple(word for word in UNKNOWN_WORDS if word in others or (self.empty and not word))

    @property
    def word_of_one(self) -> str:
        """The word that stands for 1 in a 0/1 column; empty if numbers, or true and false, do."""
        words = {str(cell).strip() for cell in self.few or () if FLAGS.get(str(cell).strip().lower())}
        return min((word for word in words if word.lower() not in NO_WORDS), default="")

    @property
    def is_id(self) -> bool:
        """Whether the column's name says that it is an id, and its cells are filled and all different."""
        return (
            self.names is not None
            and len(self.names) == self.rows
            and self.kinds <= {"text", "number"}
            and max(map(len, self.names), default=0) <= cell_values.MAX_ID
        )


_KINDS = {str: "text", int: "number", float: "number", Decimal: "number", bool: "number", list: "list"}


def is_empty(cell: object) -> bool:
    """Return whether a cell is empty; pandas writes NaN for that."""
    return cell is None or cell == "" or (isinstance(cell, str) and not cell.strip()) or cell != cell


def _filled(cells: list[Any]) -> list[Any]:
    if set(map(type, cells)) == {str}:  # as in CSV: three times as fast
        return [cell for cell in cells if cell and not cell.isspace()]
    return [cell for cell in cells if not is_empty(cell)]


def _numbers(cells: list[Any], signs: NumberSigns) -> npt.NDArray[np.float64]:
    """Return the number in each cell, (n,); NaN where there is none."""
    try:
        if signs == PLAIN and not any(
            isinstance(cell, str) and "_" in cell for cell in cells
        ):  # float takes 1_000 for a thousand
            return np.array(list(map(float, cells)))
    except (TypeError, ValueError, OverflowError):
        pass
    return np.array([cell_values.number(cell, signs) for cell in cells])


def read_columns(path: Path, names: Sequence[str], dialect: Dialect, signs: NumberSigns = PLAIN) -> dict[str, Column]:
    """Read a file once; return what each of its columns holds."""
    columns = {name: Column(name, signs=signs) for name in names}
    rows = 0
    for batch in table_files.batches(path, names, dialect):
        rows += batch.rows
        for column in columns.values():
            column.add(batch)
    parsing.check_rows(path, rows)
    return columns
