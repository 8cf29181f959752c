"""From raw rows, with the columns of their source, to inputs of a model, by the code that read the training data.

Only for data whose rows can be written down: the user's own table, films, sentences, and Mulan's numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from rarelabels.data.dataset import Part
from rarelabels.data.sources import movies, mulan, xed
from rarelabels.data.table import cell_values, input_readers, parsing
from rarelabels.data.table.batch import Batch, RawColumn
from rarelabels.declare.data import DatasetSpec, MoviesSpec, MulanSpec, TableSpec, XedSpec
from rarelabels.errors import UserError

RawSpec = TableSpec | MoviesSpec | XedSpec | MulanSpec
KINDS = [get_args(one.model_fields["kind"].annotation)[0] for one in get_args(RawSpec)]
EXAMPLES = 3


@dataclass(frozen=True)
class Raw:
    """The form of a raw row.

    Attributes:
        columns: the columns that the inputs are read from.
        id: the column that names the rows; empty if none does.
        separator: what separates labels that are written in one cell; empty if the source has no separator.
    """

    columns: tuple[RawColumn, ...]
    id: str = ""
    separator: str = ""


def checked(spec: DatasetSpec) -> RawSpec:
    """Return the spec, if raw rows of its data can be sent to a model.

    Raises:
        UserError: this kind of data has no raw rows.
    """
    if isinstance(spec, RawSpec):
        return spec
    raise UserError(
        f"dataset.kind {spec.kind!r} has no columns in which new rows could be sent to its model; allowed: "
        f"{', '.join(KINDS)}"
    )


def describe(spec: RawSpec) -> Raw:
    """Return the form of the source's raw rows.

    Raises:
        UserError: the source cannot be read.
    """
    match spec:
        case TableSpec():
            separator = spec.labels.separator or ""
            separator = "" if separator == cell_values.ONE_NAME else separator
            return Raw(parsing.raw_columns(spec), spec.id or "", separator)
        case MoviesSpec():
            return Raw(movies.raw_columns(spec), "ID")
        case XedSpec():
            return Raw(xed.raw_columns(spec))
        case MulanSpec():
            return Raw(tuple(RawColumn(name, "number") for name in mulan.parse(spec).numeric_names))


def examples(spec: RawSpec, columns: Sequence[RawColumn]) -> dict[str, list[object]]:
    """Return the first rows of the source: column to cells.

    Raises:
        UserError: the source cannot be read.
    """
    match spec:
        case TableSpec():
            rows = parsing.raw_rows(spec, EXAMPLES)
        case MoviesSpec():
            rows = movies.raw_rows(spec, EXAMPLES)
        case XedSpec():
            rows = xed.raw_rows(spec, EXAMPLES)
        case MulanSpec():
            parsed = mulan.parse(spec)
            rows = dict(zip(parsed.numeric_names, parsed.numeric[:EXAMPLES].T.tolist(), strict=True))
    # CSV has text only.
    numbers = [one.name for one in columns if one.holds == "number"]
    rows |= {name: [None if cell is None else cell_values.number(cell) for cell in rows[name]] for name in numbers}
    return {one.name: rows[one.name] for one in columns}


def part(spec: RawSpec, columns: Sequence[RawColumn], batch: Batch) -> Part:
    """Return the inputs of some raw rows, as a part without labels; the ids are the rows' numbers.

    Args:
        spec: of the data that the model was trained on.
        columns: those of :class:`Raw`; ``batch`` has them.
        batch: the rows.

    Raises:
        UserError: a cell that would have been refused in training, with its row and column.
    """
    match spec:
        case TableSpec():
            text, numbers = parsing.raw_inputs(spec, batch)
        case MoviesSpec():
            text, numbers = movies.raw_inputs(spec, batch)
        case XedSpec():
            text, numbers = xed.raw_inputs(spec, batch)
        case MulanSpec():
            text, numbers = {}, input_readers.numbers([one.name for one in columns], batch)
    ids = np.arange(batch.first, batch.first + batch.rows).astype(np.str_)
    return Part(ids, np.empty((batch.rows, 0), np.uint8), text, numbers)
