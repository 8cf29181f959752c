"""ARFF files, dense or sparse, parsed by liac-arff, with further checks and messages in one line.

:class:`ArffFile` reads numbers: attributes are ``numeric``, ``real`` or nominal with the values 0 and 1. Any other
nominal attribute would have to become several numbers, and liac-arff reads ``integer`` without its fraction, so both
are refused. :class:`ArffTable` reads cells of all these kinds, of ``string``, and missing ones.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import arff
import numpy as np
import numpy.typing as npt

from rarelabels.errors import UserError

Values = dict[int, str | float | None] | list[str | float | None]
"""A row as liac-arff gives it: column to value for a sparse row, all values for a dense row."""

_NUMBERS = ("NUMERIC", "REAL")
_FIRST_ROW = re.compile(r"^[ \t]*@data.*\n(?:[ \t]*(?:%.*)?\n)*[ \t]*(\S)", re.IGNORECASE | re.MULTILINE)
_MANY_VALUES = re.compile(r"^[ \t]*@attribute.*\{(?:[^,\n]*,){9}", re.IGNORECASE | re.MULTILINE)
_DATA = re.compile(r"^[ \t]*@data", re.IGNORECASE | re.MULTILINE)
_INTEGER = re.compile(r"^([ \t]*@attribute[^\n]*[ \t])integer(?=[ \t]*$)", re.IGNORECASE | re.MULTILINE)
_VALUE = r"""(?:"[^"\n]*"|'[^'\n]*'|[^\s,"'{}%]+)"""
_NOMINAL = re.compile(  # in time that grows with the line
    rf"[ \t]*@attribute[ \t]+{_VALUE}[ \t]+\{{[ \t]*{_VALUE}(?:[ \t]*,[ \t]*{_VALUE})*[ \t]*\}}[ \t]*", re.IGNORECASE
)
_QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'" + r'|"(?:[^"\\]|\\.)*"')
_ONE_KIND = "rows must be all dense or all sparse, in braces"
_TROUBLE = {
    arff.BadRelationFormat: "@relation needs one name, in quotes if it has blanks",
    arff.BadAttributeFormat: "an attribute needs a name, in quotes if it has blanks, and a type",
    arff.BadAttributeName: "an attribute of this name is declared above",
    arff.BadAttributeType: "an attribute must be numeric, real or {0,1}",
    arff.BadDataFormat: (
        "the row has more or fewer values than there are attributes, or a number of an attribute that does not exist"
    ),
    arff.BadNominalValue: "a value is none of those that its attribute declares",
    arff.BadNumericalValue: "a value is no number",
}


@dataclass(frozen=True)
class ArffRow:
    """One row.

    Attributes:
        where: its name in messages: ``a.arff: row 7 (line 90)``.
        values: (n_attributes,) float64, finite; values that a sparse row leaves out are filled in.
    """

    where: str
    values: npt.NDArray[np.float64]


class _Arff:
    """A file whose header has been read; its rows can be read once.

    Attributes:
        relation: the name of the relation.
        attributes: the names, in the order of the file.
    """

    _trouble: ClassVar[dict[type[Exception], str]] = {}  # in place of what ``_TROUBLE`` says

    def __init__(self, text: str, where: str) -> None:
        self._where, self._lines = where, _Lines(text)
        first = _FIRST_ROW.search(text)
        self._is_sparse = first is not None and first[1] == "{"
        # Sparse rows stay mappings here: liac-arff would take ten times as long to fill them up.
        form = arff.LOD_GEN if self._is_sparse else arff.DENSE_GEN
        with self._in_one_line("there must be @relation, @attribute and @data, in this order"):
            decoded = arff.ArffDecoder().decode(self._lines, return_type=form)
        self.relation: str = decoded["relation"]
        self.attributes: tuple[str, ...] = tuple(name for name, _ in decoded["attributes"])
        self._types: tuple[str | Sequence[str], ...] = tuple(kind for _, kind in decoded["attributes"])
        self._data: Iterator[Values] = iter(decoded["data"])

    def _given(self) -> Iterator[tuple[int, Values]]:
        """Yield the line and the values of each row."""
        number = 0
        while (given := self._next()) is not None:
            number += 1
            self._check_kind(self._at(number), given)
            yield self._lines.number, given

    def _at(self, number: int) -> str:
        return f"{self._where}: row {number} (line {self._lines.number})"

    def _next(self) -> Values | None:
        with self._in_one_line(f"cannot be read; {_ONE_KIND}"):
            return next(self._data, None)

    def _check_kind(self, where: str, given: Values) -> None:
        """Raise for mistakes that liac-arff accepts silently."""
        line = self._lines.last
        if not self._is_sparse and line.lstrip().startswith("{"):
            raise UserError(f"{where}: {_ONE_KIND}")
        if self._is_sparse and len(given) != _QUOTED.sub("", line).count(",") + bool(given):
            raise UserError(f"{where}: gives an attribute twice")

    @contextmanager
    def _in_one_line(self, layout: str) -> Iterator[None]:
        """Turn liac-arff's errors into one line; ``layout`` says what its most general error means here."""
        try:
            yield
        except arff.BadLayout:
            raise self._refused(layout) from None
        except arff.ArffException as error:
            raise self._refused((_TROUBLE | self._trouble).get(type(error), "cannot be read")) from None
        except IndexError:  # of an attribute that declares no value: {}
            raise self._refused((_TROUBLE | self._trouble)[arff.BadAttributeType]) from None
        except (ValueError, csv.Error) as error:
            raise self._refused(f"cannot be read ({error})") from None

    def _refused(self, trouble: str) -> UserError:
        return UserError(f"{self._where}: line {self._lines.number}: {trouble}")


class ArffFile(_Arff):
    """A file of numbers whose header has been read; its rows can be read once.

    Attributes:
        attributes: the names, in the order of the file.
    """

    def __init__(self, text: str, where: str) -> None:
        """Read the header.

        Args:
            text: the content, with ``\\n`` as the end of a line.
            where: the file's name in messages.

        Raises:
            UserError: the header is damaged, or an attribute is not a number.
        """
        # If a value of an attribute is written wrongly, each further value doubles the time of liac-arff's pattern.
        if many := _MANY_VALUES.search(text):
            line = text.count("\n", 0, many.start()) + 1
            raise UserError(f"{where}: line {line}: {_TROUBLE[arff.BadAttributeType]}")
        super().__init__(text, where)
        self._left_out = np.array(
            [self._zero(name, kind) for name, kind in zip(self.attributes, self._types, strict=True)]
        )

    def rows(self) -> Iterator[ArffRow]:
        """Yield the rows.

        Raises:
            UserError: a row is damaged, or a value is missing or not finite.
        """
        for number, (_, given) in enumerate(self._given(), 1):
            yield ArffRow(self._at(number), self._numbers(self._at(number), given))

    def _zero(self, name: str, kind: str | Sequence[str]) -> float:
        """Return the value that a sparse row leaves out: 0; of a nominal attribute, the value declared first."""
        if kind in _NUMBERS:
            return 0.0
        if sorted(map(str, kind)) != ["0", "1"]:
            given = kind.lower() if isinstance(kind, str) else f"{{{','.join(map(str, kind))}}}"
            given = given if len(given) <= 60 else f"{given[:57]}..."
            raise UserError(f"{self._where}: attribute {name!r}: must be numeric, real or {{0,1}}, but is {given}")
        return float(kind[0])

    def _numbers(self, where: str, given: Values) -> npt.NDArray[np.float64]:
        columns = list(given) if isinstance(given, dict) else range(len(given))
        values = list(given.values()) if isinstance(given, dict) else given
        for column, value in zip(columns, values, strict=True):
            if value is None:
                raise UserError(f"{where}, attribute {self.attributes[column]!r}: the value is missing")
        row = self._left_out.copy()
        row[columns] = [float(value) for value in values if value is not None]
        if not np.isfinite(row).all():
            column = int(np.flatnonzero(~np.isfinite(row))[0])
            raise UserError(f"{where}, attribute {self.attributes[column]!r}: must be finite, but is {row[column]}")
        return row


class ArffTable(_Arff):
    """A file of cells of any kind whose header has been read; its rows can be read once.

    Values of nominal attributes and of ``string`` are text; ``integer`` is read as ``numeric``.
    """

    _trouble: ClassVar[dict[type[Exception], str]] = {
        arff.BadAttributeType: "an attribute must be numeric, real, integer, string or {a,b,'c d'}"
    }

    def __init__(self, text: str, where: str) -> None:
        """Read the header.

        Args:
            text: the content, with ``\\n`` as the end of a line.
            where: the file's name in messages.

        Raises:
            UserError: the header is damaged, or an attribute is of a kind that is not read, such as ``date``.
        """
        start = _DATA.search(text)
        end = start.start() if start else len(text)
        for many in _MANY_VALUES.finditer(text, 0, end):
            line = text[text.rfind("\n", 0, many.end()) + 1 : text.find("\n", many.end())]
            if not _NOMINAL.fullmatch(line):  # liac-arff could take for ever
                number = text.count("\n", 0, many.end()) + 1
                raise UserError(f"{where}: line {number}: the values of an attribute must be {{a,b,'c d'}}")
        super().__init__(_INTEGER.sub(r"\1numeric", text[:end]) + text[end:], where)
        self._left_out = [_left_out(kind) for kind in self._types]

    def rows(self) -> Iterator[tuple[int, list[str | float | None]]]:
        """Yield the line and the cells of each row, None for a missing one.

        Raises:
            UserError: a row is damaged.
        """
        for line, given in self._given():
            if isinstance(given, dict):
                cells = self._left_out.copy()
                for column, value in given.items():
                    cells[column] = value
                yield line, cells
            else:
                yield line, given


def _left_out(kind: str | Sequence[str]) -> str | float | None:
    """Return what a sparse row leaves out: 0, or the first value of a nominal attribute."""
    if not isinstance(kind, str):
        return kind[0]
    return "" if kind == "STRING" else 0.0


class _Lines:
    """The lines of a text, and how far they have been read."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text)
        self.number = 0
        self.last = ""

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        self.last = next(self._lines)
        self.number += 1
        return self.last
