"""Three parts of rows with labels, inputs and ids: what every model is trained and judged on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.data import unsplit
from rarelabels.data.tokens import Tokens


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of one part: training, validation or test.

    Attributes:
        ids: (n,) str, the row ids of the source.
        y: (n, n_labels) uint8, multi-hot; 0 where it is not known.
        text: field name to tokens of n rows.
        numeric: (n, k) float64, as in the source: finite, or NaN where a table misses a number. ``fitted.Scaler``
            standardises them by the training part. (n, 0) if not given.
        images: (n,) str, the file of each row's image below ``Dataset.image_folder``; None for data without images.
        groups: (n,) int64, the group of near-duplicates that each row belongs to; None for data without groups.
        categories: column name to the value of each of n rows, its only token; an empty cell is the value "".
        known: (n, n_labels) bool, True where a cell of ``y`` was annotated; None if all were.
        weights: (n,) float64, how much each row counts in training, above 0 and not scaled; None: all alike. Nothing is
            judged by them.
    """

    ids: npt.NDArray[np.str_]
    y: npt.NDArray[np.uint8]
    text: dict[str, Tokens]
    numeric: npt.NDArray[np.float64] = field(default_factory=unsplit.no_numbers)
    images: npt.NDArray[np.str_] | None = None
    groups: npt.NDArray[np.int64] | None = None
    categories: dict[str, Tokens] = field(default_factory=dict)
    known: npt.NDArray[np.bool_] | None = None
    weights: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if not self.numeric.shape[1]:
            object.__setattr__(self, "numeric", np.empty((len(self.y), 0)))

    @property
    def y_or_nan(self) -> npt.NDArray[Any]:
        """``y``, with NaN where it is not known: what metrics and weights take."""
        return self.y if self.known is None else np.where(self.known, self.y, np.float16(np.nan))

    @property
    def known_share(self) -> float:
        """The share of labels that are known."""
        return 1.0 if self.known is None else float(self.known.mean())

    @property
    def prevalence(self) -> npt.NDArray[np.float64]:
        """The share of positives among the known rows of each label, (n_labels,); 0 if there are none."""
        if self.known is None:
            return np.asarray(self.y.mean(axis=0, dtype=np.float64))
        return np.asarray(self.y.sum(axis=0) / np.maximum(self.known.sum(axis=0), 1))

    @property
    def not_constant(self) -> npt.NDArray[np.int64]:
        """The labels, by their number, that have both a positive and a negative among their known rows."""
        negative = self.y == 0 if self.known is None else (self.y == 0) & self.known
        return np.flatnonzero(self.y.any(axis=0) & negative.any(axis=0))

    def rows_of(self, label: int) -> npt.NDArray[np.int64] | slice:
        """Return the rows in which a label is known: their numbers, or, for all, a slice."""
        return slice(None) if self.known is None else np.flatnonzero(self.known[:, label])

    def take(self, rows: npt.NDArray[np.int64]) -> Part:
        """Return the rows with these numbers, in that order."""
        text = {name: tokens.take(rows) for name, tokens in self.text.items()}
        images = None if self.images is None else self.images[rows]
        groups = None if self.groups is None else self.groups[rows]
        categories = {name: values.take(rows) for name, values in self.categories.items()}
        known = None if self.known is None else self.known[rows]
        weights = None if self.weights is None else self.weights[rows]
        numeric = self.numeric[rows]
        return Part(self.ids[rows], self.y[rows], text, numeric, images, groups, categories, known, weights)

    def digest(self) -> str:
        """Return a hash of ids, labels and which of them are known.

        Results on parts with the same hash can be compared row by row.
        """
        rows = "\n".join(self.ids.tolist()).encode("utf-8", "surrogatepass")
        known = b"" if self.known is None else np.ascontiguousarray(self.known).tobytes()
        return hashlib.sha256(rows + np.ascontiguousarray(self.y).tobytes() + known).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in three parts.

    Attributes:
        labels: names of the columns of ``y``.
        train, validation, test: the parts; the test part is the same for every seed, unless it is declared as repeated.
        digest: see :func:`digest`.
        summary: what to record about the realised parts, JSON-ready; see :func:`load`.
        numeric: names of the columns of ``Part.numeric``.
        notes: sentences that a reader of a result on these parts must know.
        folds: (n_train,) int64, the fold of each training row in cross-validation. The validation part is then the
            training part, and each row is scored by a model of the other folds. None for parts that differ.
        image_folder: where the images of the parts are; None for data without images.
        prose: the fields of ``Part.text`` whose tokens have the order of a text; the other fields are lists.
    """

    labels: tuple[str, ...]
    train: Part
    validation: Part
    test: Part
    digest: str
    summary: dict[str, Any]
    numeric: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    folds: npt.NDArray[np.int64] | None = None
    image_folder: Path | None = None
    prose: tuple[str, ...] = ()

    @property
    def has_unknown(self) -> bool:
        """Whether labels of any row may be unknown."""
        return any(part.known is not None for part in (self.train, self.validation, self.test))

    @property
    def misses_numbers(self) -> bool:
        """Whether a number of any row is missing."""
        return any(bool(np.isnan(part.numeric).any()) for part in (self.train, self.validation, self.test))
