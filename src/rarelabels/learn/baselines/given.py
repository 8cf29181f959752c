"""Scores that another program made, in the place of a model: each row has the scores that its file gives it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rarelabels.data.dataset import Dataset, Part
from rarelabels.declare.models import ScoresSpec
from rarelabels.errors import UserError
from rarelabels.judging import given_scores
from rarelabels.judging.arrays import Floats
from rarelabels.learn import model_files
from rarelabels.learn.baselines.fitted_baseline import FittedBaseline

NOTE = "The scores were made by another program: how it was trained, and on which rows, is not recorded."
SAME = (
    "All seeds have the same scores, so the intervals are about other test rows alone, not about other trainings of "
    "that program."
)


@dataclass(frozen=True, eq=False)
class Given(FittedBaseline):
    """Scores of the validation and the test rows.

    Attributes:
        row_of: id to its row in ``given``.
        given: (n_validation + n_test, n_labels) probabilities.
    """

    row_of: dict[str, int]
    given: Floats

    def scores(self, part: Part) -> Floats:
        """Return the scores of validation or test rows, (n, n_labels).

        Raises:
            KeyError: a row of the training part; it has no scores.
        """
        return self.given[[self.row_of[name] for name in part.ids.tolist()]]

    def save(self, folder: Path) -> None:
        """Write the names of the labels to ``folder``: the run has the scores already, and there is no model."""
        model_files.save(folder, {"kind": "scores", "labels": self.labels}, {})


def fit(spec: ScoresSpec, data: Dataset, seed: int) -> Given:
    """Read the files of a seed, and join them to the validation and the test part.

    Raises:
        UserError: a file cannot be read, lacks a label or a row, counts the rows from 0, or states another truth than
            the data.
    """
    ids, scores = list[str](), []
    for name, path in zip(("validation", "test"), spec.files(seed), strict=True):
        part: Part = getattr(data, name)
        read = given_scores.read(path, data.labels)
        _check_first_row(read, data)
        scores.append(read.of_rows(name, part.ids, part.y, part.known))
        ids += part.ids.tolist()
    row_of = {name: row for row, name in enumerate(ids)}
    if len(row_of) < len(ids):
        raise UserError("model.kind 'scores': rows of the data are in both validation and test part, or share an id")
    given = np.concatenate(scores)
    notes = (NOTE,) if spec.is_by_seed else (NOTE, SAME)
    return Given(data.labels, row_of, given, notes=notes)


def _check_first_row(read: given_scores.GivenScores, data: Dataset) -> None:
    """Raise if a file counts the rows from 0, where the data count them from 1: each row would get its neighbour's."""
    ids = {name for part in (data.train, data.validation, data.test) for name in part.ids.tolist()}
    if "0" in read.row_of and ids == {str(row) for row in range(1, len(ids) + 1)}:
        raise UserError(
            f"{read.path}: has an id 0, but the ids of the data count its rows from 1 to {len(ids):,}; does the file "
            f"count them from 0? {given_scores.SPLIT}"
        )
