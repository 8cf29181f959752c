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

from rarelabels.judging.arrays import Bools, Floats, checked, is_one, probabilities
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

    Attributes:
        ids: (n,) str; empty if the rows have no ids.
        y: (n, n_labels) 0/1.
        scores: (n, n_labels) probabilities; of their own precision.
        label_sets: (n, n_labels) 0/1, the labels of each row's most likely label set; None for a model that scores
            single labels.
        groups: (n,) int64, the group of near-duplicates that each row belongs to; None if each row stands alone.
        check: False for arrays that come from checked scores.
        truth: ``y`` as booleans.

    Raises:
        ValueError: shapes differ, ``y`` is not 0/1, or a score is not finite.
    """

    ids: npt.NDArray[np.str_]
    y: npt.NDArray[Any]
    scores: Floats
    label_sets: npt.NDArray[np.uint8] | None = None
    groups: npt.NDArray[np.int64] | None = None
    check: InitVar[bool] = True
    truth: Bools = field(init=False, repr=False)

    def __post_init__(self, check: bool) -> None:
        truth, scores = checked(self.y, self.scores) if check else (is_one(self.y), self.scores)
        object.__setattr__(self, "truth", truth)
        object.__setattr__(self, "scores", scores)

    @classmethod
    def from_arrays(cls, y_true: ArrayLike, y_score: ArrayLike) -> Scores:
        """Return the scores of rows without ids; truth, 0/1, and scores both have shape (n, n_labels)."""
        truth, scores = checked(y_true, y_score)
        return cls(NO_IDS, truth, scores, check=False)

    @cached_property
    def positives(self) -> npt.NDArray[np.int64]:
        """The positives of each label, (n_labels,)."""
        return np.asarray(np.count_nonzero(self.truth, axis=0))

    @cached_property
    def by_label(self) -> tuple[Ordered, ...]:
        """The cells of each label in the order of their scores, a few labels at a time."""
        return tuple(labels_in_order(self.truth, self.scores))

    @cached_property
    def by_row(self) -> tuple[Ordered, ...]:
        """The cells of each row in the order of their scores, some rows at a time."""
        return tuple(rows_in_order(self.truth, self.scores))

    def pooled(self) -> Ordered:
        """Return all cells in the order of their scores. Each call sorts them: nothing needs the order twice."""
        return order_cells(self.truth.reshape(1, -1), self.scores.reshape(1, -1))

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
        return cls(part.ids, part.y, fitted.scores(part), fitted.label_sets(part), part.groups)

    @property
    def decided(self) -> dict[str, npt.NDArray[np.uint8]]:
        """Labels that no threshold assigns, by the name of the rule; see ``rules.table``."""
        return {} if self.label_sets is None else dict.fromkeys(SET_RULES, self.label_sets)

    def take(self, rows: npt.NDArray[np.int64] | Bools) -> Scores:
        """Return the rows with these numbers, in that order, or those that are True."""
        sets = None if self.label_sets is None else self.label_sets[rows]
        ids = self.ids[rows] if self.ids.size else self.ids
        groups = None if self.groups is None else self.groups[rows]
        return Scores(ids, self.y[rows], self.scores[rows], sets, groups, check=False)

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
        )

    def frame(self, labels: tuple[str, ...]) -> pd.DataFrame:
        """Return the stored form.

        The columns are ``id``, ``true/<label>``, ``score/<label>``, and ``set/<label>`` and ``group`` if there are any.
        """
        import pandas as pd  # sweeps and rules do without pandas

        blocks = {"true": pd.DataFrame(self.y), "score": pd.DataFrame(self.scores)}
        if self.label_sets is not None:
            blocks["set"] = pd.DataFrame(self.label_sets)
        named = [block.set_axis([f"{name}/{label}" for label in labels], axis=1) for name, block in blocks.items()]
        group = [] if self.groups is None else [pd.Series(self.groups, name="group")]
        return pd.concat([pd.Series(self.ids, name="id").astype(str), *named, *group], axis=1)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Scores:
        """Return what :meth:`frame` stored."""
        sets = frame.filter(regex="^set/")
        return cls(
            frame["id"].to_numpy(str),
            frame.filter(regex="^true/").to_numpy(np.uint8),
            frame.filter(regex="^score/").to_numpy(np.float64),
            sets.to_numpy(np.uint8) if sets.shape[1] else None,
            frame["group"].to_numpy(np.int64) if "group" in frame else None,
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
