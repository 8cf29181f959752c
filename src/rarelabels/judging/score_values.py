"""The values of a file of scores: ids, truth and scores, checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from rarelabels.errors import UserError
from rarelabels.judging.arrays import Floats

NUMBERS = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_null)


def ids_of(path: Path, column: pa.ChunkedArray) -> npt.NDArray[np.str_]:
    """Return the ids of all rows as text.

    Raises:
        UserError: an id is empty, or is there twice.
    """
    values = column.to_pylist()
    rows: dict[object, int] = {}
    for row, value in enumerate(values):
        if value is None or value == "":
            raise UserError(f"{path}: id, row {row + 1:,}: is empty; give every row an id, or leave the column out")
        if value in rows:
            raise UserError(f"{path}: id, row {row + 1:,}: {value} is the id of row {rows[value] + 1:,} too")
        rows[value] = row
    return np.array([str(value) for value in values])


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
        column, kind = table[name], table[name].type
        if not any(is_kind(kind) for is_kind in NUMBERS):
            row, value = _first_that_is_no_number(column.to_pylist())
            raise UserError(f"{where(name, row)}: must be a number; given {str(value)[:60]!r}")
        matrix[:, number] = column.cast(pa.float64(), safe=False).to_numpy()  # unsafe: rounds large numbers
    return matrix


def _first_that_is_no_number(values: list[object]) -> tuple[int, object]:
    for row, value in enumerate(values):
        try:
            float(str(value))
        except ValueError:
            if value is not None and value != "":
                return row, value
    return 0, values[0]  # all are numbers, but written as text


def check_values(labels: tuple[str, ...], y: Floats, scores: Floats, where: Callable[[str, int], str]) -> None:
    """Raise if a truth is not 0 or 1, or a score is no probability."""
    wrong = (y != 0) & (y != 1)
    if wrong.any():
        row, label = (int(at) for at in np.argwhere(wrong)[0])
        raise UserError(f"{where(f'true/{labels[label]}', row)}: must be 0 or 1; given {shown(y[row, label])}")
    # Scores are nearly always right, so one pass each checks this; only then is the wrong cell looked up.
    if not np.isfinite(scores.sum()) or scores.min() < 0 or scores.max() > 1:
        row, label = (int(at) for at in np.argwhere(~((scores >= 0) & (scores <= 1)))[0])
        value = scores[row, label]
        hint = "" if not np.isfinite(value) else "; are these logits? give probabilities: 1 / (1 + exp(-logit))"
        place = where(f"score/{labels[label]}", row)
        raise UserError(f"{place}: must be a probability, from 0 to 1; given {shown(value)}{hint}")


def shown(value: float) -> str:
    """Return how messages quote a number."""
    return "nothing (an empty cell or NaN)" if np.isnan(value) else f"{value:g}"
