"""Scores that were made elsewhere: Parquet or CSV files to checked parts. Every mistake is reported in one line.

For each label a file has a column ``true/<label>`` (0 or 1; empty where the label is not known) and a column
``score/<label>`` (a probability). It may have a column ``id``. Other columns are ignored.
:meth:`rarelabels.judging.scores.Scores.frame` gives this form. Ids are compared as :mod:`rarelabels.row_ids` says,
whatever the files are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rarelabels.errors import UserError, nearest
from rarelabels.judging.score_tables import labels_of, read_table
from rarelabels.judging.score_values import checked_values, counts_rows, ids_of, matrix_of, row_numbers
from rarelabels.judging.scores import Scores
from rarelabels.names import some


@dataclass(frozen=True, eq=False)
class Parts:
    """The parts that are judged. Their columns are in the order of ``labels``.

    Attributes:
        labels: names of the columns.
        validation: None where one file was given.
        test: is measured.
        unnamed: the files without ids, or with ids that only count the rows.
    """

    labels: tuple[str, ...]
    validation: Scores | None
    test: Scores
    unnamed: tuple[Path, ...]


@dataclass(frozen=True, eq=False)
class _File:
    path: Path
    labels: tuple[str, ...]
    part: Scores
    is_named: bool


def read(validation: Path | None, test: Path, only: Sequence[str] = ()) -> Parts:
    """Read and check the files.

    Args:
        validation: chooses the thresholds; None if there is none.
        test: is measured.
        only: the labels to judge, in this order; all of the test file by default.

    Raises:
        UserError: the first thing that is wrong, with the file and, where there is one, the column and row.
    """
    if validation is not None and validation.resolve() == test.resolve():
        raise UserError(_twice(validation, test))
    after = _read(test, only)
    if validation is None:
        return Parts(after.labels, None, after.part, () if after.is_named else (test,))
    before = _read(validation, only)
    _check_same_labels(before, after)
    order = [before.labels.index(label) for label in after.labels]
    part = before.part
    known = None if part.known is None else part.known[:, order]
    aligned = Scores(part.ids, part.y[:, order], part.scores[:, order], known=known)
    _check_apart(before, aligned, after)
    unnamed = tuple(file.path for file in (before, after) if not file.is_named)
    return Parts(after.labels, aligned, after.part, unnamed)


def _read(path: Path, only: Sequence[str]) -> _File:
    table = read_table(path)
    labels = labels_of(path, table.column_names)
    for label in only:
        if label not in labels:
            hint = nearest(label, labels) or f"; allowed: {some(labels)}"
            raise UserError(f"--labels: {label!r} is not a label of {path}{hint}")
    labels = tuple(only) or labels
    if len(labels) < 2:
        raise UserError(f"{path}: multi-label scores need at least 2 labels; given {some(labels)}")
    if not table.num_rows:
        raise UserError(f"{path}: has no rows, only column names")
    is_named = "id" in table.column_names
    ids = ids_of(path, table["id"]) if is_named else row_numbers(table.num_rows)

    def where(column: str, row: int) -> str:
        return f"{path}: {column}, row {row + 1:,}" + (f" (id {ids[row]!s})" if is_named else "")

    y = matrix_of(table, [f"true/{label}" for label in labels], where)
    scores = matrix_of(table, [f"score/{label}" for label in labels], where)
    truth, scores, known = checked_values(labels, y, scores, where)
    return _File(path, labels, Scores(ids, truth, scores, known=known), is_named and not counts_rows(ids))


def _check_same_labels(before: _File, after: _File) -> None:
    missing = [label for label in after.labels if label not in before.labels]
    extra = [label for label in before.labels if label not in after.labels]
    if missing or extra:
        only = [f"only in {f.path}: {some(names)}" for f, names in ((after, missing), (before, extra)) if names]
        todo = "name the labels that both have with --labels"
        raise UserError(f"{after.path}: must have the labels of {before.path}; {'; '.join(only)}; {todo}")


def _check_apart(before: _File, aligned: Scores, after: _File) -> None:
    """Raise an error if a row would choose the thresholds and be measured with them."""
    same = (np.array_equal(getattr(aligned, what), getattr(after.part, what)) for what in ("y", "scores"))
    if all(same):
        raise UserError(_twice(before.path, after.path))
    if before.is_named and after.is_named:
        names = set(before.part.ids.tolist())
        shared = [name for name in after.part.ids.tolist() if name in names]
        if shared:
            are = "is" if len(shared) == 1 else "are"
            raise UserError(
                f"{after.path}: {len(shared):,} of its ids {are} in {before.path}, too ({some(shared, '{}')}), but "
                "no row may both choose the thresholds and be measured with them; take these rows out of one file"
            )


def _twice(validation: Path, test: Path) -> str:
    return (
        f"{test}: has the same rows as {validation}, but thresholds that are chosen and measured on the same rows "
        "look too good; give two different parts, or only this file"
    )
