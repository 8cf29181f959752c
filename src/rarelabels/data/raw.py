"""From raw rows, with the columns of their source, to inputs of a model, by the code that read the training data.

Only for data whose rows can be written down: the user's own table, films, sentences, and Mulan's numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

import numpy as np
import numpy.typing as npt

from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.sources import movies, mulan, xed
from rarelabels.data.table import bracketed, cell_values, input_readers, parsing
from rarelabels.data.table.batch import Batch, RawColumn
from rarelabels.data.table.image_files import Images
from rarelabels.data.table.number_signs import PLAIN, NumberSigns
from rarelabels.data.tokens import Tokens
from rarelabels.declare.backbones import Vgg19
from rarelabels.declare.data import DatasetSpec, MoviesSpec, MulanSpec, XedSpec
from rarelabels.declare.table import TableSpec
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
        medians: what stands in for a number that a row misses, by column; a column without an entry is left to the
            model. None: no number may be missing.
    """

    columns: tuple[RawColumn, ...]
    id: str = ""
    separator: str = ""
    medians: Mapping[str, float] | None = None


def checked(spec: DatasetSpec) -> RawSpec:
    """Return the spec, if raw rows of its data can be sent to a model.

    Raises:
        UserError: this kind of data has no raw rows, or its images need a file of weights.
    """
    if isinstance(spec, TableSpec) and isinstance(spec.backbone, Vgg19) and spec.backbone.file:
        raise UserError(
            "dataset.backbone.file: a registered model does not hold this file of weights, so no new images could be "
            "sent to it; leave file out, or use another backbone"
        )
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
            separator = "" if separator in (cell_values.ONE_NAME, *bracketed.BRACKETS) else separator
            return Raw(parsing.raw_columns(spec), spec.id or "", separator)
        case MoviesSpec():
            return Raw(movies.raw_columns(spec), "ID")
        case XedSpec():
            return Raw(xed.raw_columns(spec))
        case MulanSpec():
            return Raw(tuple(RawColumn(name, "number") for name in mulan.parse(spec).numeric_names))


def with_medians(described: Raw, data: Dataset, *, by_itself: bool) -> Raw:
    """Return the form of raw rows whose numbers may be missing.

    Medians of the training part stand in if no number of the data is missing: the model has then not seen any missing.

    Args:
        described: the form of the rows of a table.
        data: which the model was trained on.
        by_itself: whether the model reads missing numbers as they are.
    """
    if by_itself or data.misses_numbers:
        return replace(described, medians={})
    medians = np.median(data.train.numeric, axis=0).tolist()
    return replace(described, medians=dict(zip(data.numeric, medians, strict=True)))


def filled_in(described: Raw, numeric: Sequence[str], one: Part, batch: Batch) -> Part:
    """Return a part of raw rows with medians in place of missing numbers.

    Args:
        described: the form of the rows.
        numeric: names of the columns of ``one.numeric``; those of vectors come after them.
        one: the inputs of the rows.
        batch: the rows, for the message.

    Raises:
        UserError: a number is missing, and the model was registered before numbers could be missing.
    """
    missing = np.isnan(one.numeric)
    if not missing.any():
        return one
    if described.medians is None:
        row, place = np.argwhere(missing)[0].tolist()
        column = numeric[place]
        given = cell_values.given(batch.cells[column][row])
        raise UserError(
            f"{batch.at(row, column)}: must be a number; given {given}; the model was registered before "
            "numbers could be missing: fill it in, or register the model anew with `rarelabels best`"
        )
    medians = np.full(one.numeric.shape[1], np.nan)
    medians[: len(numeric)] = [described.medians.get(name, np.nan) for name in numeric]
    return replace(one, numeric=np.where(missing, medians, one.numeric))


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
    signs = NumberSigns.of(spec) if isinstance(spec, TableSpec) else PLAIN
    rows |= {name: [_number_or_none(cell, signs) for cell in rows[name]] for name in numbers}
    return {one.name: rows[one.name] for one in columns}


def _number_or_none(cell: object, signs: NumberSigns) -> float | None:
    return None if cell_values.is_missing(cell) else cell_values.number(cell, signs)


def part(spec: RawSpec, columns: Sequence[RawColumn], batch: Batch, folder: Path | None = None) -> Part:
    """Return the inputs of some raw rows, as a part without labels; the ids are the rows' numbers.

    Args:
        spec: of the data that the model was trained on.
        columns: those of :class:`Raw`; ``batch`` has them.
        batch: the rows.
        folder: that the names of images begin below.

    Raises:
        UserError: a cell that would have been refused in training, with its row and column; or there are images, and
            no folder is given.
    """
    categories: dict[str, Tokens] = {}
    images = None
    match spec:
        case TableSpec():
            text, numbers, categories = parsing.raw_inputs(spec, columns, batch)
            images = _images(spec.images.column, batch, folder) if spec.images else None
        case MoviesSpec():
            text, numbers = movies.raw_inputs(spec, batch)
        case XedSpec():
            text, numbers = xed.raw_inputs(spec, batch)
        case MulanSpec():
            text, numbers = {}, input_readers.numbers([one.name for one in columns], batch)
    ids = np.arange(batch.first, batch.first + batch.rows).astype(np.str_)
    return Part(ids, np.empty((batch.rows, 0), np.uint8), text, numbers, images, categories=categories)


def _images(column: str, batch: Batch, folder: Path | None) -> npt.NDArray[np.str_]:
    if folder is None:
        raise UserError(
            f"{batch.path}: column {column!r} names image files, and no folder is given that they are in; use "
            "`rarelabels predict STUDY FILE --images FOLDER`, or rl.load_model(STUDY).predict(rows, images=FOLDER)"
        )
    read = Images(folder, column)
    read.add(batch)
    return read.names()
