"""Which columns of a table are vectors or names with values, and how the user names columns of vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rarelabels.data.table.cell_values import LARGEST
from rarelabels.data.table.vector_readers import parsed
from rarelabels.declare.table import VectorColumn
from rarelabels.init.column import check_text

SHORTEST = 2  # numbers of a vector


def given_vectors(options: Sequence[str]) -> tuple[VectorColumn, ...]:
    """Return the columns that ``--vectors COLUMN`` and ``--vectors COLUMN=FILE.npy`` name.

    >>> [(one.column, one.file) for one in given_vectors(["embedding", "image=images.npy"])]
    [('embedding', None), ('image', 'images.npy')]
    """
    return tuple(_given(option) for option in options)


def _given(option: str) -> VectorColumn:
    check_text("--vectors", option)
    column, sign, file = option.partition("=")
    if sign and column and file.lower().endswith(".npy"):
        return VectorColumn(column=column, file=file)
    return VectorColumn(column=option)


def are_vectors(cells: Sequence[Any]) -> bool:
    """Whether the filled cells of a column are lists of numbers, all of one length, and not all whole numbers.

    Lists of whole numbers are codes or counts more often than vectors, so that the user has to name them.

    >>> are_vectors([[0.5, 1], [2, 3]]), are_vectors(["[0.5, 1.0]"]), are_vectors([[1, 2], [3, 4]])
    (True, True, False)
    """
    read = [parsed(cell) for cell in cells]
    vectors = [one for one in read if isinstance(one, list)]
    if not vectors or len(vectors) < len(read):
        return False
    entries = [entry for one in vectors for entry in one]
    return (
        len({len(one) for one in vectors}) == 1
        and len(vectors[0]) >= SHORTEST
        and {type(entry) for entry in entries} <= {int, float}
        and any(isinstance(entry, float) for entry in entries)
    )


def first_not_finite(vectors: Sequence[Any]) -> float | None:
    """Return the first entry of vectors that no column of numbers could hold; None if there is none.

    >>> first_not_finite([[0.5, 1], [1e200, 2]]), first_not_finite([[0.5]])
    (1e+200, None)
    """
    read = (one for cell in vectors if isinstance(one := parsed(cell), list))
    entries = (entry for vector in read for entry in vector)
    return next((entry for entry in entries if not abs(entry) <= LARGEST), None)


def are_valued_names(cells: Sequence[Any]) -> bool:
    """Whether the cells of a column map names to numbers, and not all the same one name.

    >>> are_valued_names([{"the": 0.5, "end": 2}, {}]), are_valued_names([{"a": 1}, {"a": 2}])
    (True, False)
    """
    if not cells or not all(isinstance(cell, Mapping) for cell in cells):
        return False
    names = {name for cell in cells for name in cell}
    return len(names) > 1 and {type(value) for cell in cells for value in cell.values()} <= {int, float}
