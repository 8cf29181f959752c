"""The scores of one part, with its truth, its ids and the names of its labels; how a run keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scored:
    """A part and its scores.

    Attributes:
        ids: (n,) str.
        y: (n, n_labels) 0/1.
        scores: (n, n_labels) probabilities.
        label_sets: (n, n_labels) 0/1, the labels of each row's most likely label set; None of a model that scores
            single labels.
    """

    ids: npt.NDArray[np.str_]
    y: npt.NDArray[np.uint8]
    scores: Floats
    label_sets: npt.NDArray[np.uint8] | None = None

    @classmethod
    def of(cls, fitted: Any, part: Any) -> Scored:
        """Return a part of a data set with the scores of a fitted model and, if it knows label sets, the likeliest."""
        return cls(part.ids, part.y, fitted.scores(part), fitted.label_sets(part))

    @property
    def decided(self) -> dict[str, npt.NDArray[np.uint8]]:
        """Labels that no threshold assigns, by the name of the rule; see ``settings.SET_RULES``."""
        return {} if self.label_sets is None else {"most_likely_set": self.label_sets}

    def take(self, rows: npt.NDArray[np.int64]) -> Scored:
        """Return the rows with these numbers, in that order."""
        sets = None if self.label_sets is None else self.label_sets[rows]
        return Scored(self.ids[rows], self.y[rows], self.scores[rows], sets)

    @classmethod
    def joined(cls, parts: Sequence[Scored]) -> Scored:
        """Return the rows of several, one after the other."""
        sets = [part.label_sets for part in parts if part.label_sets is not None]
        return cls(
            np.concatenate([part.ids for part in parts]),
            np.concatenate([part.y for part in parts]),
            np.concatenate([part.scores for part in parts]),
            np.concatenate(sets) if sets else None,
        )

    def frame(self, labels: tuple[str, ...]) -> pd.DataFrame:
        """Return the stored form: columns ``id``, ``true/<label>``, ``score/<label>`` and, if any, ``set/<label>``."""
        blocks = {"true": pd.DataFrame(self.y), "score": pd.DataFrame(self.scores)}
        if self.label_sets is not None:
            blocks["set"] = pd.DataFrame(self.label_sets)
        named = [block.set_axis([f"{name}/{label}" for label in labels], axis=1) for name, block in blocks.items()]
        return pd.concat([pd.Series(self.ids, name="id").astype(str), *named], axis=1)

    @classmethod
    def from_frame(cls, frame: pd.DataFrame) -> Scored:
        """Return what :meth:`frame` stored."""
        sets = frame.filter(regex="^set/")
        return cls(
            frame["id"].to_numpy(str),
            frame.filter(regex="^true/").to_numpy(np.uint8),
            frame.filter(regex="^score/").to_numpy(np.float64),
            sets.to_numpy(np.uint8) if sets.shape[1] else None,
        )


def save_scores(folder: Path, labels: tuple[str, ...], validation: Scored | None, test: Scored) -> None:
    """Make a folder and write ``validation.parquet`` and ``test.parquet`` to it."""
    folder.mkdir()
    for name, part in (("validation", validation), ("test", test)):
        if part is not None:
            frame = part.frame(labels)
            repeated = [column for column in frame.columns if not column.startswith("score/")]  # scores hardly are
            place = folder / f"{name}.parquet"
            frame.to_parquet(place, compression="zstd", index=False, use_dictionary=repeated)
