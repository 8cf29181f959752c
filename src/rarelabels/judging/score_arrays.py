"""Truth and scores as Python users have them: arrays, frames, tensors. Every mistake is reported in one line.

Anything that NumPy can read is accepted: lists, arrays, pandas or Polars frames, PyTorch's tensors on the CPU; SciPy's
sparse matrices and arrays too. A truth that is NaN, masked or missing is not known. The columns of a frame are its
labels. The index of a pandas frame names its rows, unless it only counts them from 0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rarelabels import row_ids
from rarelabels.errors import ArgumentError, UserError, nearest
from rarelabels.judging.arrays import Floats
from rarelabels.judging.score_files import Parts
from rarelabels.judging.score_values import checked_values, shown
from rarelabels.judging.scores import Scores
from rarelabels.names import some

NAMED = "the names in labels"
UNKNOWN = "give NaN, or say unknown=-1"


@dataclass(frozen=True, eq=False)
class _Matrix:
    """An argument as numbers, (rows, columns), with the names of its columns and rows, if it has such names.

    ``counts`` says that it has an index which only counts the rows from 0, and so names none.
    """

    name: str
    values: Floats
    labels: tuple[str, ...] | None
    rows: tuple[str, ...] | None
    counts: bool

    @classmethod
    def of_truth(cls, name: str, given: Any, unknown: float | None) -> _Matrix:
        """Return the truth, NaN where it is not known: also in place of the number that stands for this."""
        matrix = cls.of(name, given)
        if unknown is None:
            return matrix
        if unknown in (0, 1):
            raise ArgumentError(f"unknown: must not be 0 or 1, which are truths; given {unknown!r}")
        return replace(matrix, values=np.where(matrix.values == unknown, np.nan, matrix.values))

    @classmethod
    def of(cls, name: str, given: Any) -> _Matrix:
        values = _numbers(name, given)
        if values.ndim != 2 or not values.size:
            one = "; for a single label: y.reshape(-1, 1)" if values.ndim == 1 else ""
            raise ArgumentError(f"{name}: must have shape (rows, labels) and not be empty; given {values.shape}{one}")
        columns = getattr(given, "columns", None)
        if columns is None:
            return cls(name, values, None, None, counts=False)
        labels = _distinct(name, columns)
        index = np.asarray(getattr(given, "index", np.arange(len(values))))
        counts = np.array_equal(index, np.arange(len(values)))
        return cls(name, values, labels, None if counts else _names_of_rows(name, index), counts)

    def with_labels(self, labels: Sequence[str], whose: str) -> _Matrix:
        """Return the columns of these labels, in this order; an array must have as many columns."""
        if self.labels is None:
            if self.values.shape[1] != len(labels):
                raise ArgumentError(
                    f"{self.name}: must have {len(labels):,} columns, {whose}; given shape {self.values.shape}"
                )
            return replace(self, labels=tuple(labels))
        missing = [label for label in labels if label not in self.labels]
        extra = [label for label in self.labels if label not in labels] if whose != NAMED else []
        if missing or extra:
            hint = nearest(missing[0], self.labels) if missing else ""
            both = (("lacks", missing), ("has besides", extra))
            difference = " and ".join(f"{verb} {some(names)}" for verb, names in both if names)
            raise ArgumentError(f"{self.name}: must have {whose} as columns; it {difference}{hint}")
        order = [self.labels.index(label) for label in labels]
        return replace(self, values=self.values[:, order], labels=tuple(labels))

    def with_rows(self, truth: _Matrix) -> _Matrix:
        """Return the rows in the order of the truth's rows, if both have names of rows."""
        if len(self.values) != len(truth.values):
            raise ArgumentError(
                f"{self.name}: must have a row for each of {truth.name}; given shapes {self.values.shape} and "
                f"{truth.values.shape}"
            )
        if self.rows is None or truth.rows is None:
            self._check_order(truth)
            return self
        if self.rows == truth.rows:
            return self
        places = {name: row for row, name in enumerate(self.rows)}
        if len(places) < len(self.rows) or set(places) != set(truth.rows):
            raise ArgumentError(
                f"{self.name}: its index names other rows than the index of {truth.name}; if both have the same "
                "rows in the same order, call reset_index(drop=True) on both"
            )
        return replace(self, values=self.values[[places[name] for name in truth.rows]], rows=truth.rows)

    def _check_order(self, truth: _Matrix) -> None:
        """Raise if one index counts the rows and the other has the same numbers in another order: which is right?"""
        names = self.rows or truth.rows or ()
        if (self.counts or truth.counts) and set(names) == set(map(str, range(len(self.values)))):
            raise ArgumentError(
                f"{self.name}: its index has the numbers of the index of {truth.name} in another order; sort both by "
                "their index, or, if rows are in the same order, call reset_index(drop=True) on both"
            )


def parts_of(
    y_test: Any,
    s_test: Any,
    validation: tuple[Any, Any] | None,
    labels: Sequence[str] | None,
    unknown: float | None = None,
) -> Parts:
    """Return the parts that are judged; see ``rarelabels.judge``.

    Raises:
        ArgumentError: the first thing that is wrong, and where.
    """
    given = [_Matrix.of_truth("y_test", y_test, unknown), _Matrix.of("s_test", s_test)]
    if validation is not None:
        if not isinstance(validation, tuple | list) or len(validation) != 2:
            raise ArgumentError(f"validation: must be a pair (y_val, s_val); given {type(validation).__name__}")
        y_val, s_val = validation
        given += [_Matrix.of_truth("validation[0]", y_val, unknown), _Matrix.of("validation[1]", s_val)]
    names, whose = _labels_of(labels, given)
    given = [matrix.with_labels(names, whose) for matrix in given]
    if len(names) < 2:
        raise ArgumentError(f"y_test: multi-label scores need at least 2 labels; given {some(names)}")
    test = _part(*given[:2], probabilities=True)
    if validation is None:
        return Parts(names, None, test, ())
    before = _part(*given[2:], probabilities=True)
    are_named = all(any(matrix.rows for matrix in part) for part in (given[:2], given[2:]))
    _check_apart(before, test, named=are_named)
    return Parts(names, before, test, ())


def pair(y: Any, s: Any, names: tuple[str, str], *, probabilities: bool, unknown: float | None = None) -> Scores:
    """Return the part with this truth and these scores, both (rows, labels); the columns are ordered as those of ``y``.

    Args:
        y: 0/1; NaN, or ``unknown``, where it is not known.
        s: scores.
        names: of both arguments, for messages.
        probabilities: whether scores must lie in [0, 1]; otherwise they must be finite.
        unknown: a number in ``y`` that stands for what is not known.

    Raises:
        ArgumentError: the first thing that is wrong, and where.
    """
    given = [_Matrix.of_truth(names[0], y, unknown), _Matrix.of(names[1], s)]
    labels, whose = _labels_of(None, given)
    truth, scores = (matrix.with_labels(labels, whose) for matrix in given)
    return _part(truth, scores, probabilities=probabilities)


def _part(truth: _Matrix, scores: _Matrix, *, probabilities: bool) -> Scores:
    scores, labels = scores.with_rows(truth), truth.labels or ()

    def where(column: str, row: int) -> str:
        kind, _, label = column.partition("/")
        return f"{(truth if kind == 'true' else scores).name}[{row}, {labels.index(label)}] ({label})"

    values = scores.values
    if not probabilities:
        for row, column in np.argwhere(~np.isfinite(values))[:1]:
            place = where(f"score/{labels[column]}", row)
            raise ArgumentError(f"{place}: must be a finite number; given {shown(values[row, column])}")
        values = np.zeros_like(values)  # checked above: here any probability will do
    try:
        y, values, known = checked_values(labels, truth.values, values, where, UNKNOWN)
    except UserError as error:
        raise ArgumentError(str(error)) from None
    rows = truth.rows or scores.rows or tuple(map(str, range(len(y))))
    return Scores(np.array(rows), y, values if probabilities else scores.values, known=known)


def _labels_of(labels: Sequence[str] | None, given: Sequence[_Matrix]) -> tuple[tuple[str, ...], str]:
    """Return the names of the labels, and how messages refer to them."""
    if labels is not None:
        return _distinct("labels", labels), NAMED
    for matrix in given:
        if matrix.labels is not None:
            return matrix.labels, f"the labels of {matrix.name}"
    return tuple(f"label {number}" for number in range(given[0].values.shape[1])), f"as many as {given[0].name}"


def _check_apart(before: Scores, test: Scores, *, named: bool) -> None:
    """Raise an error if a row would choose the thresholds and be measured with them."""
    if np.array_equal(before.y, test.y) and np.array_equal(before.scores, test.scores):
        raise ArgumentError(
            "validation: has the same rows as the test part, but thresholds that are chosen and measured on the "
            "same rows look too good; give other rows, or none"
        )
    shared = sorted(set(before.ids.tolist()) & set(test.ids.tolist())) if named else []
    if shared:
        raise ArgumentError(
            f"validation: {len(shared):,} {'row of its index is' if len(shared) == 1 else 'rows of its index are'} "
            "in the index of y_test, too "
            f"({some(shared, '{}')}), but no row may both choose the thresholds and be measured with them; take "
            "these rows out, or call reset_index(drop=True) if the index does not name rows"
        )


def _names_of_rows(name: str, index: Any) -> tuple[str, ...]:
    """Return the names of rows in the form in which ids are compared; see ``row_ids``."""
    try:
        # An index may be of floats for other reasons than to name rows: large ones are no mistake.
        return tuple(row_ids.comparable(row_ids.as_text(row, math.inf) for row in index.tolist()).tolist())
    except ValueError as error:
        raise ArgumentError(f"{name}: its index {error}") from None


def _distinct(name: str, labels: Any) -> tuple[str, ...]:
    if isinstance(labels, str):
        raise ArgumentError(f"{name}: must be a list of names; given {labels!r}")
    names = tuple(map(str, labels))
    if twice := [label for label, times in Counter(names).items() if times > 1]:
        raise ArgumentError(f"{name}: labels must differ; given more than once: {some(twice)}")
    return names


def _numbers(name: str, given: Any) -> Floats:
    dense = given.toarray() if hasattr(given, "toarray") else given.detach() if hasattr(given, "detach") else given
    try:
        if isinstance(dense, np.ma.MaskedArray):
            return np.ma.filled(dense.astype(np.float64), np.nan)
        array = np.asarray(dense)
        if array.dtype == object:
            array = np.where(pd.isna(array), np.nan, array)  # pandas has signs of its own for what is missing
        return np.asarray(array, dtype=np.float64)
    except (TypeError, ValueError, RuntimeError) as error:
        reason = (str(error).splitlines() or [""])[0]
        kind = type(given).__name__
        raise ArgumentError(f"{name}: must be numbers of shape (rows, labels); given a {kind}: {reason}") from None
