"""Single cells of a table as text, name or number; errors name the cell and its row."""

from __future__ import annotations

import math

from rarelabels.data.table import opening
from rarelabels.data.table.batch import Batch
from rarelabels.data.table.encodings import not_text
from rarelabels.data.table.number_signs import PLAIN, NumberSigns
from rarelabels.data.table.opening import shown
from rarelabels.errors import UserError

ONE_NAME = "none"  # as a separator: each text is one name, whatever is in it
MEND_NUMBER = "fill such cells in, leave these rows out"
OR_MISSING = "write a number, or leave the cell empty if there is none"
SEPARATORS = ("|", ";", ",", "\t")
MAX_ID = 200  # characters; ids are stored at the width of the longest
LARGEST = 1e150  # of a number: the square of a larger one, and so the spread of its column, may be infinite
LIMITS = f" from -{LARGEST:g} to {LARGEST:g}"


def cell_text(batch: Batch, row: int, column: str) -> str:
    """Return a cell of text; empty for a missing one.

    Raises:
        UserError: the cell is not text.
    """
    return cell_as_text(batch, row, column, batch.cells[column][row])


def row_name(batch: Batch, row: int, column: str) -> str:
    """Return the name that a cell gives its row: text without the blanks around it, or a whole number.

    Raises:
        UserError: the cell is neither text nor a whole number.
    """
    return label_name(batch, row, column, batch.cells[column][row])


def cell_as_text(batch: Batch, row: int, column: str, cell: object) -> str:
    """Return a cell of text as it is; empty for a missing one.

    Raises:
        UserError: the cell is not text.
    """
    if cell is None:
        return ""
    if not isinstance(cell, str):
        raise UserError(
            f"{batch.at(row, column)}: must be text; given {shown(cell)}; write it as text, or declare the column "
            "under dataset.lists or dataset.numeric"
        )
    if not opening.is_text(cell):
        wrong, mend = not_text(batch.path, batch.encoding).split("; ", 1)
        raise UserError(f"{batch.at(row, column)}: {wrong}; given {shown(cell)}; {mend}")
    return cell


def label_name(batch: Batch, row: int, column: str, cell: object) -> str:
    """Return the name in a cell: text without the blanks around it, or a whole number; empty for a missing cell."""
    if isinstance(cell, float):
        if math.isnan(cell):
            return ""
        # A column of whole numbers with gaps becomes one of floats in pandas.
        cell = int(cell) if cell.is_integer() else cell
    if isinstance(cell, int) and not isinstance(cell, bool):
        return str(cell)
    if cell is not None and not isinstance(cell, str):
        raise UserError(
            f"{batch.at(row, column)}: must be text or a whole number; given {shown(cell)}; write the column as text"
        )
    return cell_as_text(batch, row, column, cell).strip()


def number(cell: object, signs: NumberSigns = PLAIN) -> float:
    """Return the number in a cell; NaN if the cell is not a number.

    >>> number("1.234,5", NumberSigns(",", ".")), number(0.5, NumberSigns(","))
    (1234.5, 0.5)
    """
    if signs is not PLAIN and isinstance(cell, str):
        cell = signs.plain(cell)
    try:
        # Python takes 1_000 for a thousand; in a table it is a typing error.
        return math.nan if isinstance(cell, str) and "_" in cell else float(cell)  # type: ignore[arg-type]  # of any type: what float refuses is caught
    except (TypeError, ValueError, OverflowError):
        return math.nan


def is_missing(cell: object) -> bool:
    """Return whether a cell of a numeric column says that there is no number: it is empty, null, or NaN.

    >>> [is_missing(cell) for cell in (None, " ", "NaN", float("nan"), 0, "n/a", "inf")]
    [True, True, True, True, False, False, False]
    """
    if isinstance(cell, str):
        return cell.strip().lower() in ("", "nan")
    return cell is None or cell != cell


def given(cell: object) -> str:
    """Return how messages quote a cell that is wrong."""
    return "an empty cell" if cell is None or (isinstance(cell, str) and not cell.strip()) else shown(cell)
