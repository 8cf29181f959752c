"""ARFF files of numbers, dense or sparse, parsed by liac-arff, with further checks and messages in one line.

Attributes are ``numeric``, ``real`` or nominal with the values 0 and 1. Any other nominal attribute would have to
become several numbers, and ``integer`` is read without its fraction, so both are refused.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import arff
import numpy as np
import numpy.typing as npt

from rarelabels.errors import UserError

Values = dict[int, str | float | None] | list[str | float | None]
"""A row as liac-arff gives it: column to value for a sparse row, all values for a dense row."""

_NUMBERS = ("NUMERIC", "REAL")
_FIRST_ROW = re.compile(r"^[ \t]*@data.*\n(?:[ \t]*(?:%.*)?\n)*[ \t]*(\S)", re.IGNORECASE | re.MULTILINE)
_MANY_VALUES = re.compile(r"^[ \t]*@attribute.*\{(?:[^,\n]*,){9}", re.IGNORECASE | re.MULTILINE)
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


class ArffFile:
    """A file whose header has been read; its rows can be read once.

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
        self._where, self._lines = where, _Lines(text)
        # If a value of an attribute is written wrongly, each further value doubles the time of liac-arff's pattern.
        if many := _MANY_VALUES.search(text):
            line = text.count("\n", 0, many.start()) + 1
            raise UserError(f"{where}: line {line}: {_TROUBLE[arff.BadAttributeType]}")
        first = _FIRST_ROW.search(text)
        self._is_sparse = first is not None and first[1] == "{"
        # Sparse rows stay mappings here: liac-arff would take ten times as long to fill them up.
        form = arff.LOD_GEN if self._is_sparse else arff.DENSE_GEN
        with self._in_one_line("there must be @relation, @attribute and @data, in this order"):
            decoded = arff.ArffDecoder().decode(self._lines, return_type=form)
        self.attributes: tuple[str, ...] = tuple(name for name, _ in decoded["attributes"])
        self._left_out = np.array([self._zero(name, kind) for name, kind in decoded["attributes"]])
        self._data: Iterator[Values] = iter(decoded["data"])

    def rows(self) -> Iterator[ArffRow]:
        """Yield the rows.

        Raises:
            UserError: a row is damaged, or a value is missing or not finite.
        """
        number = 0
        while (given := self._next()) is not None:
            number += 1
            where = f"{self._where}: row {number} (line {self._lines.number})"
            yield ArffRow(where, self._numbers(where, given))

    def _next(self) -> Values | None:
        with self._in_one_line(f"cannot be read; {_ONE_KIND}"):
            return next(self._data, None)

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
        self._check_kind(where, given)
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

    def _check_kind(self, where: str, given: Values) -> None:
        """Raise for mistakes that liac-arff accepts silently."""
        line = self._lines.last
        if not self._is_sparse and line.lstrip().startswith("{"):
            raise UserError(f"{where}: {_ONE_KIND}")
        if self._is_sparse and len(given) != line.count(",") + bool(given):
            raise UserError(f"{where}: gives an attribute twice")

    @contextmanager
    def _in_one_line(self, layout: str) -> Iterator[None]:
        """Turn liac-arff's errors into one line; ``layout`` says what its most general error means here."""
        try:
            yield
        except arff.BadLayout:
            raise self._refused(layout) from None
        except arff.ArffException as error:
            raise self._refused(_TROUBLE.get(type(error), "cannot be read")) from None
        except (ValueError, csv.Error) as error:
            raise self._refused(f"cannot be read ({error})") from None

    def _refused(self, trouble: str) -> UserError:
        return UserError(f"{self._where}: line {self._lines.number}: {trouble}")


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
