"""The scores of one part with its truth and its ids: checked once, sorted once; and their stored form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import InitVar, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from rarelabels.judging.arrays import (
    Array,
    Bools,
    Floats,
    Integers,
    checked,
    checked_known,
    is_one,
    probabilities,
    with_known,
)
from rarelabels.judging.rules.table import SET_RULES
from rarelabels.judging.sweeps.ordered import Ordered, labels_in_order, order_cells, rows_in_order

if TYPE_CHECKING:
    import pandas as pd

NO_IDS = np.empty(0, np.str_)


@dataclass(frozen=True, eq=False)
class Scores:
    """A part and its scores. They are checked when the object is made, and sorted when an order is first needed.

    >>> part = Scores.from_arrays([[1, 0], [0, 1]], [[0.9, 0.2], [0.4, 0.7]])
    >>> part.truth.sum(axis=0)
    array([1, 1])

    A label of a row that nobody annotated is not known: it is neither 0 nor 1, and counts nowhere.

    >>> part = Scores.from_arrays([[1, 0], [0, float("nan")]], [[0.9, 0.2], [0.4, 0.7]])
    >>> part.n_known, part.prevalence
    (array([2, 1]), array([0.5, 0. ]))

    Attributes:
        ids: (n,) str; empty if the rows have no ids.
        y: (n, n_labels) 0/1; 0 where it is not known.
        scores: (n, n_labels) probabilities; of their own precision.
        label_sets: (n, n_labels) 0/1, the labels of each row's most likely label set; None for a model that scores
            single labels.
        groups: (n,) int64, the group of near-duplicates that each row belongs to; None if each row stands alone.
        known: (n, n_labels) bool, True where ``y`` is known; None if it is known everywhere.
        check: False for arrays that come from checked scores.
        truth: ``y`` as booleans.

    Raises:
        ValueError: shapes differ, ``y`` is not 0/1, or not 0 where it is not known, no cell is known, or a score is not
            finite.
    """

    ids: npt.NDArray[np.str_]
    y: npt.NDArray[Any]
    scores: Floats
    label_sets: npt.NDArray[np.uint8] | None = None
    groups: npt.NDArray[np.int64] | None = None
    known: Bools | None = None
    check: InitVar[bool] = True
    truth: Bools = field(init=False, repr=False)

    def __post_init__(self, check: bool) -> None:
        truth, scores = checked(self.y, self.scores) if check else (is_one(self.y), self.scores)
        object.__setattr__(self, "truth", truth)
        object.__setattr__(self, "scores", scores)
        if check and self.known is not None:
            object.__setattr__(self, "known", checked_known(self.known, truth))

    @classmethod
    def from_arrays(cls, y_true: ArrayLike, y_score: ArrayLike) -> Scores:
        """Return the scores of rows without ids; truth, 0/1, and scores both have shape (n, n_labels).

        A truth of NaN, or a masked one, is not known.
        """
        filled, known = with_known(y_true)
        truth, scores = checked(filled, y_score)
        return cls(NO_IDS, truth, scores, known=None if known is None else checked_known(known, truth), check=False)

    @cached_property
    def positives(self) -> npt.NDArray[np.int64]:
        """The positives of each label, (n_labels,)."""
        return np.asarray(np.count_nonzero(self.truth, axis=0))

    @cached_property
    def n_known(self) -> Integers:
        """In how many rows each label is known, (n_labels,)."""
        n_rows, n_labels = self.truth.shape
        return np.full(n_labels, n_rows) if self.known is None else np.asarray(np.count_nonzero(self.known, axis=0))

    @property
    def known_share(self) -> float:
        """The share of cells, a row's label each, that are known."""
        return 1.0 if self.known is None else float(self.known.mean())

    @property
    def prevalence(self) -> Floats:
        """The share of each label's known rows that have it, (n_labels,); 0 for a label that no row is known for."""
        return self.positives / np.maximum(self.n_known, 1)

    @property
    def n_covered(self) -> int:
        """How many rows have a label that is known."""
        return len(self.truth) if self.known is None else int(np.count_nonzero(self.known.any(axis=1)))

    @property
    def y_or_nan(self) -> Array:
        """``y``, with NaN where it is not known: what :meth:`from_arrays` takes."""
        return self.y if self.known is None else np.where(self.known, self.y, np.nan)

    @property
    def known_or_all(self) -> Bools:
        """Which cells are known, (n, n_labels)."""
        return np.ones(self.truth.shape, dtype=bool) if self.known is None else self.known

    def cells(self) -> tuple[Bools, Array]:
        """Return truth and scores of all known cells, each of shape (m,)."""
        if self.known is None:
            return self.truth.reshape(-1), self.scores.reshape(-1)
        return self.truth[self.known], self.scores[self.known]

    def of_label(self, label: int) -> tuple[Bools, Array]:
        """Return truth and scores of the rows in which a label is known, each of shape (m,)."""
        rows = self.rows_of(label)
        return self.truth[rows, label], self.scores[rows, label]

    def rows_of(self, label: int) -> Bools | slice:
        """Return the rows in which a label is known: a mask, (n,), or, for all, a slice."""
        return slice(None) if self.known is None else self.known[:, label]

    def sums_of_rows(self, of_cells: Floats) -> Floats:
        """Return the sum over the known cells of each row, (n,), of values of all known cells, (m,)."""
        if self.known is None:
            return np.asarray(of_cells.reshape(self.truth.shape).sum(axis=1))
        values = np.zeros(self.truth.shape)
        values[self.known] = of_cells
        return np.asarray(values.sum(axis=1))

    def counted(self, assigned: Bools) -> Bools:
        """Return the assigned labels that are known, (n, n_labels): the others are neither right nor wrong."""
        return assigned if self.known is None else assigned & self.known

    @cached_property
    def by_label(self) -> tuple[Ordered, ...]:
        """The known cells of each label in the order of their scores, a few labels at a time."""
        return tuple(labels_in_order(self.truth, self.scores, self.known))

    @cached_property
    def by_row(self) -> tuple[Ordered, ...]:
        """The known cells of each row in the order of their scores, some rows at a time.

        If cells are not known, rows without a known cell are left out, and rows with equally many come together.
        """
        return tuple(rows_in_order(self.truth, self.scores, self.known))

    def pooled(self) -> Ordered:
        """Return all known cells in the order of their scores. Each call sorts them: nothing needs the order twice."""
        truth, scores = self.cells()
        return order_cells(truth[np.newaxis], scores[np.newaxis])

    def as_probabilities(self) -> Scores:
        """Return the part with scores in [0, 1]: itself, if none is outside by a rounding error.

        Raises:
            ValueError: a score is farther outside than rounding explains.
        """
        inside = probabilities(self.scores)
        return self if inside is self.scores else replace(self, scores=inside)

    @classmethod
    def of(cls, fitted: Any, part: Any) -> Scores:
        """Return a part of a data set with the scores of a fitted model and its most likely label sets, if any."""
        return cls(part.ids, part.y, fitted.scores(part), fitted.label_sets(part), part.groups, part.known)

    @property
    def decided(self) -> dict[str, npt.NDArray[np.uint8]]:
        """Labels that no threshold assigns, by the name of the rule; see ``rules.table``."""
        return {} if self.label_sets is None else dict.fromkeys(SET_RULES, self.label_sets)

    def take(self, rows: npt.NDArray[np.int64] | Bools) -> Scores:
        """Return the rows with these numbers, in that order, or those that are True."""
        sets = None if self.label_sets is None else self.label_sets[rows]
        ids = self.ids[rows] if self.ids.size else self.ids
        groups = None if self.groups is None else self.groups[rows]
        known = None if self.known is None else self.known[rows]
        return Scores(ids, self.y[rows], self.scores[rows], sets, groups, known, check=False)

    @classmethod
    def joined(cls, parts: Sequence[Scores]) -> Scores:
        """Return the rows of several parts, one part after the other."""
        sets = [part.label_sets for part in parts if part.label_sets is not None]
        groups = [part.groups for part in parts if part.groups is not None]
        return cls(
            np.concatenate([part.ids for part in parts]),
            np.concatenate([part.y for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate(sets) if sets else None,
            np.concatenate(groups) if groups else None,
            np.concatenate([part.known_or_all for part in parts]),
        )

    def frame(self, labels: tuple[str, ...]) -> pd.DataFrame:
        """Return the stored form.

        The columns are ``id``, ``true/<label>``, ``score/<label>``, and ``set/<label>`` and ``group`` if there are any.
        A truth that is not known is missing.
        """
        import pandas as pd  # sweeps and rules do without pandas

        truth = pd.DataFrame(self.y)
        if self.known is not None:
            truth = truth.astype("UInt8").where(self.known)
        blocks = {"true": truth, "score": pd.DataFrame(self.scores)}
        if self.label_sets is not None:
            blocks["set"] = pd.DataFrame(self.label_sets)
        named = [block.set_axis([f"{name}/{label}" for label in labels], axis=1) for name, block in blocks.items()]
        group = [] if self.groups is None else [pd.Series(self.groups, name="group")]
        return pd.concat([pd.Series(self.ids, name="id").astype(str), *named, *group], axis=1)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Scores:
        """Return what :meth:`frame` stored."""
        sets, truth = frame.filter(regex="^set/"), frame.filter(regex="^true/")
        unknown = truth.isna().to_numpy()
        return cls(
            frame["id"].to_numpy(str),
            (truth.fillna(0) if unknown.any() else truth).to_numpy(np.uint8),
            frame.filter(regex="^score/").to_numpy(np.float64),
            sets.to_numpy(np.uint8) if sets.shape[1] else None,
            frame["group"].to_numpy(np.int64) if "group" in frame else None,
            ~unknown,
        )


def save_scores(folder: Path, labels: tuple[str, ...], validation: Scores | None, test: Scores) -> None:
    """Make a folder and write ``validation.parquet`` and ``test.parquet`` to it."""
    folder.mkdir()
    for name, part in (("validation", validation), ("test", test)):
        if part is not None:
            frame = part.frame(labels)
            repeated = [column for column in frame.columns if not column.startswith("score/")]  # scores hardly repeat
            place = folder / f"{name}.parquet"
            frame.to_parquet(place, compression="zstd", index=False, use_dictionary=repeated)
