"""Ids of rows in the one form in which they are compared, whatever they were read from.

The row ``1000`` of a Parquet file is the row `` 1000`` of a CSV, and the row ``1000.0`` of a table that once had a gap.
Blanks around an id do not count, and a whole number is the same as integer, float, decimal and text. Everything that
asks whether two rows are the same row compares ids of this form.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from decimal import Decimal
from numbers import Integral, Real

import numpy as np
import numpy.typing as npt

EXACT = 2**53  # a float64 below it holds every whole number; from here on one float stands for several
_MISSING = ("NAType", "NaTType")  # of pandas, by name: not every caller has imported it
_FLOAT = re.compile(r"-?\d+\.\d+")


def as_text(cell: object, exact: float = EXACT) -> str:
    """Return the id in a cell as text without blanks around it; empty for a missing id.

    >>> [as_text(cell) for cell in (1000, 1000.0, " 1000", b"1000", None, float("nan"))]
    ['1000', '1000', '1000', '1000', '', '']

    Args:
        cell: text, a number, a date or another plain value.
        exact: the first float that stands for several whole numbers: 2**24 for float32.

    Raises:
        ValueError: the cell holds no plain value, or a number that its type cannot hold; the message says what is
            allowed and what was given.
    """
    if isinstance(cell, bytes):
        try:
            cell = cell.decode("utf-8")
        except UnicodeDecodeError:
            raise ValueError("must be text or a number; given bytes that are not UTF-8") from None
    if isinstance(cell, list | dict | set | np.ndarray):
        raise ValueError(f"must be text or a number; given a {type(cell).__name__}")
    if isinstance(cell, tuple):  # of an index with several levels
        return str(tuple(as_text(one, exact) for one in cell))
    if cell is None or type(cell).__name__ in _MISSING or (isinstance(cell, Real) and math.isnan(cell)):
        return ""
    if isinstance(cell, Decimal):
        return str(int(cell)) if cell == cell.to_integral_value() else f"{cell.normalize():f}"
    if isinstance(cell, Integral) or not isinstance(cell, Real):
        return str(cell).strip()
    return _float_as_text(float(cell), exact)


def _float_as_text(number: float, exact: float) -> str:
    if not number.is_integer():
        return repr(number)
    if abs(number) >= exact:
        raise ValueError(
            f"is a float, which stands for several whole numbers from {exact:.0f} on; given {number:.0f}; write ids as "
            "whole numbers or text"
        )
    return str(int(number))


def comparable(ids: Iterable[str]) -> npt.NDArray[np.str_]:
    """Return the ids of a column of text as they are compared, (n,); different ids stay different, but for blanks.

    If each of them is written as floats are, the ``.0`` of whole numbers is left out: a column of whole numbers that
    had a gap was written so. A column that also holds ``7`` or ``a.0`` is left as it is.

    >>> comparable([" 7.0", "12.0"]).tolist(), comparable(["7.0", "7", "007"]).tolist()
    (['7', '12'], ['7.0', '7', '007'])
    """
    stripped = [name.strip() for name in ids]
    if all(map(_FLOAT.fullmatch, stripped)):
        stripped = [name.removesuffix(".0") for name in stripped]
    return np.array(stripped, dtype=np.str_)
