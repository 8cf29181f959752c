"""What each column of a table is taken for: labels, prose, a list, numbers, an id, a part, or nothing.

The file is read once from its first row to its last; of text, a sample is kept (every row of the first batch, every
sixteenth later). What must hold for every cell, as that all are numbers, is asked of every cell.
"""

from __future__ import annotations

import csv
import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from rarelabels.data import splits
from rarelabels.data.table import cell_values, column_checks, parsing, table_files
from rarelabels.data.table.cell_values import FLAGS, ONE_NAME, SEPARATORS
from rarelabels.data.table.table_files import Batch, shown
from rarelabels.declare.data import ListColumn, TableLabels, TableSpec
from rarelabels.errors import UserError, nearest

SAMPLED = 16  # of later batches, every such row
FEW_FLAGS = 12  # different cells of a 0/1 column, however zero and one are written
LISTED = 30  # columns in a message
SHORT_WORDS = 4  # an entry of a list has no more words on average
RECURRING = 1.2  # rows for each entry of a list between commas: prose has commas too, but its phrases do not come back
REPEATED = 1.25  # rows for each name of a category
PROSE_WORDS, LONG_PROSE_WORDS = 1.5, 4.0  # words in a cell, on average; long prose is prose however often it comes back

_LETTER = re.compile(r"[^\W\d_]")
_ID = re.compile(r"(?:^|[\W_])(?:id|uuid|guid|key|index)$", re.IGNORECASE)
_CAMEL_ID = re.compile(r"[a-z](?:Id|ID)$")


@dataclass(frozen=True)
class Wish:
    """What the user said of the columns. What is None or empty is proposed by looking at the file."""

    labels: str | None = None
    text: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    numeric: tuple[str, ...] = ()
    id: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class Found:
    """What the columns of a table are taken for.

    Attributes:
        spec: the declaration; its path is the file as it was given, and every label counts, however rare.
        rows: how many rows of data the file has.
        columns: how many columns.
        guessed_labels: whether the labels are a guess: all 0/1 columns.
        unused: column to the reason why it is nothing of the kind.
    """

    spec: TableSpec
    rows: int
    columns: int
    guessed_labels: bool
    unused: dict[str, str]


def find(path: Path, wish: Wish) -> Found:
    """Read a table and say what its columns are.

    Raises:
        UserError: the file cannot be read, a column that is asked for is not there, or there is nothing to guess.
    """
    with table_files.readable(path):
        is_there = path.exists()
    if not is_there:
        near = nearest(path.name, [one.name for one in path.absolute().parent.glob("*")])
        raise UserError(f"{path}: there is no such file{near}")
    names = [name for name in table_files.column_names(path) if name]
    column_checks.check_delimiter(path, names)
    _check_wish(path, names, wish)
    columns = _read(path, names)
    given = {*wish.text, *wish.lists, *wish.numeric, *filter(None, (wish.id, wish.group))}
    labels = _labels(path, wish, columns, given)
    rest = {name: one for name, one in columns.items() if name not in given | _label_columns(labels, names)}
    split = next((name for name, one in rest.items() if one.says_parts), None)
    guess = _Guess.of({name: one for name, one in rest.items() if name != split}, wish)
    lists = [_declared_list(columns[name]) for name in wish.lists] or guess.lists
    inputs = {"text": wish.text or tuple(guess.text), "lists": tuple(lists), "numeric": wish.numeric or guess.numeric}
    if not any(inputs.values()):
        why = [f"column {name!r} {reason}" for name, reason in list(guess.unused.items())[:LISTED]]
        if wish.labels is None:
            why.append("all 0/1 columns were taken for labels; say which are with --labels")
        raise UserError(
            f"{path}: no column is left that a model could read; say which with --text, --list or --numeric"
            f"{''.join(f'; {reason}' for reason in why)}"
        )
    one_use = {"id": wish.id or guess.id, "group": wish.group, "split": split}
    spec = TableSpec.model_validate({"kind": "table", "path": str(path), "labels": labels, **inputs, **one_use})
    return Found(spec, next(iter(columns.values())).rows, len(names), wish.labels is None, guess.unused)


def _check_wish(path: Path, names: Sequence[str], wish: Wish) -> None:
    inputs = [("--text", one) for one in wish.text]
    inputs += [("--list", one) for one in wish.lists] + [("--numeric", one) for one in wish.numeric]
    # An id or a group may be an input too, as in a declaration.
    others = [(option, one) for option, one in (("--id", wish.id), ("--group", wish.group)) if one is not None]
    taken: dict[str, str] = {}
    for option, name in inputs + others:
        if name not in names:
            _unknown(path, names, option, name)
        if (option, name) in inputs and taken.setdefault(name, option) != option:
            raise UserError(f"{option}: column {name!r} is given under {taken[name]} too; give it once")
    if len(inputs) > len(taken):
        twice = next(name for option, name in inputs if inputs.count((option, name)) > 1)
        raise UserError(f"{taken[twice]}: column {twice!r} is given twice; give it once")


def _unknown(path: Path, names: Sequence[str], option: str, name: str) -> NoReturn:
    raise UserError(f"{option}: {path} has no column {name!r}{nearest(name, names)}{_listed(names)}")


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"; the columns are {', '.join(map(repr, names[:LISTED]))}{more}"


# What a column holds


@dataclass
class Column:
    """What the cells of a column have been so far.

    Attributes:
        kinds: of the cells that are not empty: text, number, list, or the name of another type.
        flags: how often each cell occurs; None once a cell is no 0 or 1.
        sample: cells that are looked at closely.
        names: the different cells of a column that is called an id.
    """

    name: str
    rows: int = 0
    empty: int = 0
    kinds: set[str] = field(default_factory=set)
    flags: Counter[Any] | None = field(default_factory=Counter)
    sample: list[Any] = field(default_factory=list)
    names: set[str] | None = None
    not_numbers: int = 0  # beside the empty cells
    first_not_number: str = ""
    is_numeric: bool = True  # at least half of it
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
        wrong = [i for i in np.flatnonzero(~finite).tolist() if not _is_empty(cells[i])]
        self.not_numbers += len(wrong)
        if wrong and not self.first_not_number:
            self.first_not_number = f"row {batch.first + wrong[0]}: {shown(cells[wrong[0]])}"
        if self.not_numbers + self.empty > self.rows / 2:
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
        """Whether every row says train, validation or test, and each of them is said."""
        if self.kinds != {"text"} or self.empty:
            return False
        return {text.strip().lower() for text in self.texts} == set(splits.PARTS)

    @property
    def is_flags(self) -> bool:
        """Whether every cell is 0 or 1."""
        return self.flags is not None and not self.empty and bool(self.rows)

    @property
    def is_id(self) -> bool:
        """Whether it is called an id and names every row."""
        return (
            self.names is not None
            and len(self.names) == self.rows
            and self.kinds <= {"text", "number"}
            and max(map(len, self.names), default=0) <= cell_values.MAX_ID
        )


_KINDS = {str: "text", int: "number", float: "number", bool: "number", list: "list"}


def _is_empty(cell: object) -> bool:
    """Whether nothing is in a cell; NaN is how pandas writes that."""
    return cell is None or cell == "" or (isinstance(cell, str) and not cell.strip()) or cell != cell


def _filled(cells: list[Any]) -> list[Any]:
    if set(map(type, cells)) == {str}:  # of CSV, where cells are many: three times as fast
        return [cell for cell in cells if cell and not cell.isspace()]
    return [cell for cell in cells if not _is_empty(cell)]


def _numbers(cells: list[Any]) -> npt.NDArray[np.float64]:
    """The number of each cell, NaN for what is none."""
    try:
        if not any(isinstance(cell, str) and "_" in cell for cell in cells):  # float takes 1_000 for a thousand
            return np.array(list(map(float, cells)))
    except (TypeError, ValueError, OverflowError):
        pass
    return np.array([cell_values.number(cell) for cell in cells])


def _read(path: Path, names: Sequence[str]) -> dict[str, Column]:
    columns = {name: Column(name) for name in names}
    rows = 0
    for batch in table_files.batches(path, names):
        rows += batch.rows
        for column in columns.values():
            column.add(batch)
    parsing.check_rows(path, rows)
    return columns


# Labels


def _labels(path: Path, wish: Wish, columns: dict[str, Column], given: set[str]) -> TableLabels:
    if wish.labels is not None:
        labels = _given_labels(path, wish.labels, columns)
        if both := sorted(_label_columns(labels, list(columns)) & given):
            raise UserError(f"--labels: column {both[0]!r} is given under another option too; give it once")
        return labels
    flags = [name for name, one in columns.items() if one.is_flags and name not in given]
    if len(flags) < 2:
        only = f"; of 0/1 columns there is {flags[0]!r} alone, and two labels are needed" if flags else ""
        raise UserError(
            f"{path}: which are the labels? give --labels with the column that names them, or with 0/1 columns "
            f"(--labels a,b,c, or --labels 'is_*' for a prefix){only}{_listed(list(columns))}"
        )
    # What the first and the last in order share all share; up to a sign: is_, and not is_co.
    shared = itertools.takewhile(lambda pair: pair[0] == pair[1], zip(min(flags), max(flags), strict=False))
    prefix = re.sub(r"[^\W_]*$", "", "".join(one for one, _ in shared))
    if prefix and prefix not in flags and flags == [name for name in columns if name.startswith(prefix)]:
        return TableLabels(prefix=prefix)
    return TableLabels(columns=tuple(flags))


def _given_labels(path: Path, asked: str, columns: dict[str, Column]) -> TableLabels:
    if asked in columns:
        return _label_column(path, columns[asked])
    if asked.endswith("*") and len(asked) > 1:
        return TableLabels(prefix=asked[:-1])
    names = [name.strip() for name in next(csv.reader([asked], skipinitialspace=True), [])]
    for name in names:
        if name not in columns:
            _unknown(path, list(columns), "--labels", name)
    if len(names) < 2 or len(set(names)) < len(names):
        raise UserError(
            "--labels: allowed a column of names, two or more different 0/1 columns (a,b,c), or a prefix of them "
            f"('is_*'); given {asked!r}"
        )
    return TableLabels(columns=tuple(names))


def _label_column(path: Path, column: Column) -> TableLabels:
    if column.is_flags:
        raise UserError(
            f"--labels: column {column.name!r} of {path} is 0/1, so it is one label, and at least two are needed; give "
            f"all of them (--labels {column.name},...), or a prefix ('is_*')"
        )
    if _is_python(column.texts):
        raise UserError(
            f"{path}: column {column.name!r} holds lists as Python writes them, {shown(column.texts[0])}; write the "
            "names with a separator between them: a|b"
        )
    return TableLabels(column=column.name, separator=_declared_list(column).separator)


def _label_columns(labels: TableLabels, names: Sequence[str]) -> set[str]:
    if labels.prefix is not None:
        return {name for name in names if name.startswith(labels.prefix)}
    return {labels.column} if labels.column is not None else set(labels.columns or ())


# Inputs


@dataclass
class _Guess:
    """What columns are that nothing was said of."""

    text: tuple[str, ...] = ()
    lists: tuple[ListColumn, ...] = ()
    numeric: tuple[str, ...] = ()
    id: str | None = None
    unused: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, columns: dict[str, Column], wish: Wish) -> _Guess:
        """Return a guess for each column; where the user named columns of a kind, only those are of it."""
        guess = cls()
        for name, column in columns.items():
            if guess.id is None and wish.id is None and column.is_id:
                guess.id = name
                continue
            kind, reason = _kind(column)
            if getattr(wish, kind, ()):
                option = "--list" if kind == "lists" else f"--{kind}"
                kind, reason = "", f"could be of {option} too, which names others"
            match kind:
                case "text":
                    guess.text += (name,)
                case "lists":
                    guess.lists += (_declared_list(column),)
                case "numeric":
                    guess.numeric += (name,)
                case _:
                    guess.unused[name] = reason
        return guess


def _kind(column: Column) -> tuple[str, str]:
    """Return text, lists or numeric, or nothing and the reason for it."""
    if column.empty == column.rows:
        return "", "is empty"
    if column.names is not None and column.kinds <= {"text", "number"} and not column.is_flags:
        return "", _why_no_id(column)
    if len(column.kinds) > 1:
        return "", f"holds {' and '.join(sorted(column.kinds))}"
    match next(iter(column.kinds)):
        case "list":
            wrong = next((cell for cell in column.sample if not all(map(_is_name, cell))), None)
            return ("lists", "") if wrong is None else ("", f"holds lists of no names: {shown(wrong)}")
        case "number" | "text" if column.is_numeric:
            return _kind_of_numbers(column)
        case "text":
            return _kind_of_texts(column)
        case other:
            return "", f"holds neither text nor numbers nor lists, but {other}"


def _is_name(entry: object) -> bool:
    return entry is None or (isinstance(entry, (str, int)) and not isinstance(entry, bool))


def _why_no_id(column: Column) -> str:
    different = len(column.names or ())
    if different == column.rows:
        return "names every row, as an id does (--id)"
    return f"looks like an id of {different:,} things; if the rows of one belong together, give --group {column.name}"


def _kind_of_numbers(column: Column) -> tuple[str, str]:
    if column.not_numbers:
        return "", f"holds numbers, but {_cells(column.not_numbers)} none, first {column.first_not_number}"
    if column.empty:
        return "", f"holds numbers, but {_cells(column.empty)} empty; fill in what is to be used"
    if column.low == column.high:
        return "", f"is {column.low:g} in every row"
    return ("", "counts the rows") if column.counts_rows else ("numeric", "")


def _cells(count: int) -> str:
    return "1 cell is" if count == 1 else f"{count:,} cells are"


def _kind_of_texts(column: Column) -> tuple[str, str]:
    texts = column.texts
    different = set(texts)
    if len(different) == 1 and len(texts) > 1 and not column.empty:
        return "", f"is {shown(texts[0])} in every row"
    if _is_python(texts):
        return "", f"holds lists as Python writes them, {shown(texts[0])}; write them as a|b"
    if separator(texts) is not None:
        return "lists", ""
    words = sum(len([word for word in text.split() if _LETTER.search(word)]) for text in texts) / len(texts)
    if words < LONG_PROSE_WORDS and len(texts) / len(different) >= REPEATED:
        return "lists", ""
    if words >= PROSE_WORDS:
        return "text", ""
    return "", f"holds something else in nearly every row, and no prose: {shown(texts[0])}"


def _is_python(texts: Sequence[str]) -> bool:
    """Whether cells are lists as Python or JSON writes them: ``['a', 'b']``."""
    bare = [text.strip() for text in texts]
    return bool(bare) and all(text.startswith("[") and text.endswith("]") for text in bare)


def _declared_list(column: Column) -> ListColumn:
    """Return how a column of lists is declared; where a separator occurs that parts nothing, that is said too."""
    texts = column.texts
    found = separator(texts)
    if found is None and any(one in text for text in texts for one in SEPARATORS):
        found = ONE_NAME
    return ListColumn(column=column.name, separator=found)


def separator(texts: Iterable[str]) -> str | None:
    """Return what stands between the entries of texts, None if each is one entry.

    Texts are lists if their parts are short and fewer than the texts are, as tags are. Else if most of them hold a sign
    that prose does not have; or commas, if the parts come back in other texts.
    """
    filled = [text for text in texts if text.strip()]
    different = len(set(filled))
    found: dict[str, int] = {}
    for sign in SEPARATORS:
        holding = sum(sign in text for text in filled)
        if not holding:
            continue
        entries = [entry for text in filled for part in text.split(sign) if (entry := part.strip())]
        if not entries or sum(len(entry.split()) for entry in entries) > SHORT_WORDS * len(entries):
            continue
        names = len(set(entries))
        in_most = holding > len(filled) / 2
        if names < different or (in_most and (sign != "," or len(entries) >= RECURRING * names)):
            found[sign] = holding
    return max(found, key=found.__getitem__, default=None)
