"""Scores that another program made for rows of a data set: a file of scores, joined to the rows by id.

A file has a column ``id`` and, for each label, a column ``score/<label>`` (a probability). It may have more rows and
more labels than the data. Columns ``true/<label>`` are not needed. Where they are, they must agree with the data: rows
that were mixed up are noticed that way. Ids are compared as :mod:`rarelabels.row_ids` says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rarelabels import row_ids
from rarelabels.errors import UserError, nearest
from rarelabels.judging.arrays import Bools, Floats
from rarelabels.judging.score_tables import HOW, read_table
from rarelabels.judging.score_values import checked_values, ids_of, matrix_of
from rarelabels.names import some

SPLIT = "`rarelabels export-split` writes the ids of all parts"


@dataclass(frozen=True, eq=False)
class GivenScores:
    """The scores of a file.

    Attributes:
        path: of the file.
        labels: names of the columns.
        row_of: id to its row.
        scores: (n, n_labels) probabilities.
        truth: (n, n_labels) 0 or 1; NaN where the file does not say it.
    """

    path: Path
    labels: tuple[str, ...]
    row_of: dict[str, int]
    scores: Floats
    truth: Floats

    def of_rows(
        self, part: str, ids: npt.NDArray[np.str_], y: npt.NDArray[np.uint8], known: Bools | None = None
    ) -> Floats:
        """Return the scores of rows of the data, (n_rows, n_labels).

        Args:
            part: the name of the rows' part, for messages.
            ids: of the rows, (n_rows,).
            y: their labels, (n_rows, n_labels), columns in the order of ``labels``.
            known: which of these are known, (n_rows, n_labels); None if all are.

        Raises:
            UserError: the file lacks a row, or states another truth than the data.
        """
        names = row_ids.comparable(ids.tolist()).tolist()
        if missing := [name for name in names if name not in self.row_of]:
            raise UserError(
                f"{self.path}: has no scores for {len(missing):,} of the {len(names):,} {part} rows: id "
                f"{some(missing, '{}')}; {SPLIT}"
            )
        rows = np.array([self.row_of[name] for name in names], dtype=np.int64)
        truth = self.truth[rows]
        stated = ~np.isnan(truth) if known is None else ~np.isnan(truth) & known
        if (wrong := stated & (truth != y)).any():
            row, label = (int(at) for at in np.argwhere(wrong)[0])
            raise UserError(
                f"{self.path}: true/{self.labels[label]}, id {names[row]}: is {truth[row, label]:g}, but "
                f"{y[row, label]:g} in the data ({int(wrong.sum()):,} cells differ); are the rows mixed up? give "
                "each row its own id, or leave the columns true/… out"
            )
        return self.scores[rows]


def read(path: Path, labels: Sequence[str]) -> GivenScores:
    """Read and check a file of scores.

    Args:
        path: .parquet, .csv or .csv.gz.
        labels: the labels of the data.

    Raises:
        UserError: the first thing that is wrong, with the file and, where there is one, the column and row.
    """
    table = read_table(path)
    columns = table.column_names
    scored = [name.removeprefix("score/") for name in columns if name.startswith("score/")]
    if missing := [label for label in labels if label not in scored]:
        hint = nearest(missing[0], scored) or f"; it has {some(scored)}"
        raise UserError(f"{path}: has no column score/<label> for {some(missing)}, labels of the data{hint}")
    if "id" not in columns:
        raise UserError(f"{path}: has no column id, which joins scores to rows of the data; {SPLIT}; {HOW}")
    if not table.num_rows:
        raise UserError(f"{path}: has no rows, only column names")
    ids = ids_of(path, table["id"])

    def where(column: str, row: int) -> str:
        return f"{path}: {column}, row {row + 1:,} (id {ids[row]!s})"

    scores = matrix_of(table, [f"score/{label}" for label in labels], where)
    stated = [place for place, label in enumerate(labels) if f"true/{label}" in columns]
    truth = np.full(scores.shape, np.nan)
    truth[:, stated] = matrix_of(table, [f"true/{labels[place]}" for place in stated], where)
    _, scores, _ = checked_values(tuple(labels), np.nan_to_num(truth), scores, where)
    return GivenScores(path, tuple(labels), {name: row for row, name in enumerate(ids.tolist())}, scores, truth)
