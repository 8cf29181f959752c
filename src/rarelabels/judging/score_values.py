"""The values of a file of scores: ids, truth and scores, checked."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rarelabels import row_ids
from rarelabels.errors import UserError
from rarelabels.judging.arrays import SCORE_ROUNDING, Bools, Floats, known_cells, probabilities

NUMBERS = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
TEXTS = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)


def ids_of(path: Path, column: pa.ChunkedArray) -> npt.NDArray[np.str_]:
    """Return the ids of all rows in the form in which ids are compared; see ``row_ids``.

    Raises:
        UserError: an id is empty, is there twice, or cannot be compared.
    """
    kind = column.type
    if pa.types.is_nested(kind):
        raise UserError(f"{path}: id: must be text or numbers; the column is {kind}; write each id as one text")
    exact = 2 ** np.finfo(kind.to_pandas_dtype()).nmant * 2 if pa.types.is_floating(kind) else row_ids.EXACT
    names = []
    for row, value in enumerate(column.to_pylist()):
        try:
            names.append(row_ids.as_text(value, exact))
        except ValueError as error:
            raise UserError(f"{path}: id, row {row + 1:,}: {error}") from None
        if not names[-1]:
            raise UserError(f"{path}: id, row {row + 1:,}: is empty; give every row an id, or leave the column out")
    ids = row_ids.comparable(names)
    rows: dict[str, int] = {}
    for row, name in enumerate(ids.tolist()):
        if name in rows:
            raise UserError(f"{path}: id, row {row + 1:,}: {name} is the id of row {rows[name] + 1:,} too")
        rows[name] = row
    return ids


def row_numbers(n_rows: int) -> npt.NDArray[np.str_]:
    """Return the numbers of the rows from 1, as text: ids for rows that have none."""
    return np.array([str(row) for row in range(1, n_rows + 1)])


def counts_rows(ids: npt.NDArray[np.str_]) -> bool:
    """Return whether ids only count the rows, from 0 or 1.

    Such ids name nothing: they are the same in every file.
    """
    return any(np.array_equal(ids, np.arange(first, first + len(ids)).astype(str)) for first in (0, 1))


def matrix_of(table: pa.Table, columns: list[str], where: Callable[[str, int], str]) -> Floats:
    """Return the columns side by side, shape (n, n_columns); a missing value is NaN."""
    matrix = np.empty((table.num_rows, len(columns)))
    for number, name in enumerate(columns):
        column = table[name]
        if pa.types.is_dictionary(column.type):  # a column of categories
            column = column.cast(column.type.value_type)
        if not any(is_kind(column.type) for is_kind in NUMBERS):
            raise _no_numbers(name, column, where)
        matrix[:, number] = column.cast(pa.float64(), safe=False).to_numpy()  # unsafe: rounds large numbers
    return matrix


def _no_numbers(name: str, column: pa.ChunkedArray, where: Callable[[str, int], str]) -> UserError:
    """Return what is wrong with a column that holds no numbers: the first cell that is none, or the column's type."""
    if any(is_text(column.type) for is_text in TEXTS):
        for row, value in enumerate(column.to_pylist()):
            if value and not NUMBER.fullmatch(value.strip()):
                return UserError(f"{where(name, row)}: must be a number; given {value[:60]!r}")
    todo = "store the column as numbers, such as float64"
    return UserError(f"{where(name, 0)}: must be a number; the column's type is {column.type}; {todo}")


def checked_values(
    labels: tuple[str, ...],
    y: Floats,
    scores: Floats,
    where: Callable[[str, int], str],
    unknown: str = "leave the cell empty",
) -> tuple[npt.NDArray[np.uint8], Floats, Bools | None]:
    """Return truth, 0 where it is NaN, scores, and which truths are known; None if all are.

    Scores outside [0, 1] by a rounding error become 0 and 1, see ``SCORE_ROUNDING``.

    Args:
        labels: names of the columns.
        y: 0, 1, or NaN for what is not known, (n, n_labels).
        scores: (n, n_labels).
        where: how a message names a cell, from its column and row.
        unknown: how the user says that a label is not known.

    Raises:
        UserError: a truth is not 0 or 1, none is known, or a score is no probability.
    """
    known = known_cells(y)
    truth = y if known is None else np.where(known, y, 0)
    if known is not None and not known.any():
        raise UserError(f"{where(f'true/{labels[0]}', 0)}: is empty, and so is every other truth; give at least one")
    wrong = (truth != 0) & (truth != 1)
    if wrong.any():
        row, label = (int(at) for at in np.argwhere(wrong)[0])
        hint = f"; if the label is not known here, {unknown}" if truth[row, label] == -1 else ""
        raise UserError(f"{where(f'true/{labels[label]}', row)}: must be 0 or 1; given {shown(y[row, label])}{hint}")
    # Scores are nearly always right, so one pass each checks this; only then is the wrong cell looked up.
    if not np.isfinite(scores.sum()) or scores.min() < -SCORE_ROUNDING or scores.max() > 1 + SCORE_ROUNDING:
        right = (scores >= -SCORE_ROUNDING) & (scores <= 1 + SCORE_ROUNDING)
        row, label = (int(at) for at in np.argwhere(~right)[0])
        value = scores[row, label]
        hint = "" if not np.isfinite(value) else "; are these logits? give probabilities: 1 / (1 + exp(-logit))"
        place = where(f"score/{labels[label]}", row)
        raise UserError(f"{place}: must be a probability, from 0 to 1; given {shown(value)}{hint}")
    return truth.astype(np.uint8), probabilities(scores), known


def shown(value: float) -> str:
    """Return how messages quote a number: in six digits, unless these are those of another number that is allowed.

    >>> shown(0.12345678), shown(1.000001)
    ('0.123457', '1.000001')
    """
    if np.isnan(value):
        return "nothing (an empty cell or NaN)"
    short = f"{value:g}"
    return repr(float(value)) if float(short) in (0, 1) and float(short) != value else short
