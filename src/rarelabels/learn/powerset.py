"""Label sets as classes. Every set has a number, and a distribution over sets gives the probability of each label.

The labels of a set are the bits of its number; the first label is the most significant bit: [1, 0, 0, 1] is number 9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rarelabels.judging.arrays import Floats

Sets = npt.NDArray[np.uint8]
Classes = npt.NDArray[np.int64]
MAX_LABELS = 63  # the numbers of their sets fit a signed 64-bit integer
NO_CLASS = -1


def numbers(y: Sets) -> Classes:
    """Return the number of each row's label set, (n,), from 0/1 labels (n, n_labels).

    Raises:
        ValueError: more than 63 labels, so that the numbers do not fit a signed 64-bit integer.
    """
    _check_countable(y.shape[1])
    return np.asarray(y, np.int64) @ _place_values(y.shape[1])


def sets_of(number: npt.ArrayLike, n_labels: int) -> Sets:
    """Return the label sets with these numbers, (n, n_labels); the inverse of :func:`numbers`."""
    _check_countable(n_labels)
    bits = np.asarray(number, np.int64)[:, None] & _place_values(n_labels)
    return np.asarray(bits != 0, np.uint8)


def seen_sets(y: Sets) -> Sets:
    """Return the different rows of ``y``, (n_sets, n_labels), by rising number. There may be any number of labels."""
    _, first = np.unique(_keys(y), return_index=True)
    return np.asarray(y[first])


def facts(train: Sets, test: Sets) -> dict[str, float]:
    """Return how often label sets repeat, from the labels of the training and the test part.

    - ``label_sets_seen``: the number of different sets in the training part.
    - ``rows_per_label_set``: the mean number of training rows per set.
    - ``label_sets_once``: the share of these sets that only one training row has.
    - ``unseen_test_share``: the share of test rows whose set no training row has. A classifier of seen sets is wrong on
      all these rows.
    """
    keys, rows = np.unique(_keys(train), return_counts=True)
    return {
        "label_sets_seen": len(keys),
        "rows_per_label_set": len(train) / len(keys),
        "label_sets_once": float((rows == 1).mean()),
        "unseen_test_share": float((~np.isin(_keys(test), keys)).mean()),
    }


@dataclass(frozen=True)
class AllSets:
    """All 2^n_labels sets as classes: class number c is the set with number c."""

    n_labels: int

    @property
    def count(self) -> int:
        """The number of classes."""
        return 1 << self.n_labels

    def classes(self, y: Sets) -> Classes:
        """Return the class of each row, (n,)."""
        return numbers(y)

    def sets(self, classes: Classes) -> Sets:
        """Return the label sets of classes (n,), shape (n, n_labels)."""
        return sets_of(classes, self.n_labels)

    def marginals(self, distribution: Floats) -> Floats:
        """Return the probability of each label, (n, n_labels), from distributions over the classes, (n, count).

        It is the sum over the sets that have the label. The classes are folded in half for each label, which needs only
        2 · count additions in place of n_labels · count.
        """
        left = distribution
        found = np.empty((len(distribution), self.n_labels))
        for label in range(self.n_labels):
            halves = left.reshape(len(left), 2, -1)  # without this label, with it
            found[:, label] = halves[:, 1].sum(axis=1)
            left = halves[:, 0] + halves[:, 1]
        return found.clip(0, 1)


@dataclass(frozen=True, eq=False)
class SeenSets:
    """The sets of the training part as classes, by rising number; ``table`` holds them, (count, n_labels)."""

    table: Sets

    @classmethod
    def of(cls, y: Sets) -> SeenSets:
        """Take the different rows of 0/1 labels (n, n_labels)."""
        return cls(seen_sets(y))

    @property
    def count(self) -> int:
        """The number of classes."""
        return len(self.table)

    def classes(self, y: Sets) -> Classes:
        """Return the class of each row, (n,); -1 for a set that is no class."""
        known, wanted = _keys(self.table), _keys(y)
        place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
        return np.where(known[place] == wanted, place, NO_CLASS)

    def sets(self, classes: Classes) -> Sets:
        """Return the label sets of classes (n,), shape (n, n_labels)."""
        return np.asarray(self.table[classes])

    def marginals(self, distribution: Floats) -> Floats:
        """Return the probability of each label, (n, n_labels), from distributions over the classes, (n, count).

        It is summed label by label, because in a matrix product the last bits of a row may depend on its place.
        """
        holding = (np.flatnonzero(column) for column in self.table.T)
        found = np.stack([distribution.take(sets, axis=1).sum(axis=1) for sets in holding], axis=1)
        return found.clip(0, 1)

    def to_json(self) -> list[int]:
        """Return the numbers of the sets. They may have more than 64 bits."""
        return [int("".join(map(str, row)), 2) for row in self.table.tolist()]

    @classmethod
    def from_json(cls, stored: Sequence[int], n_labels: int) -> SeenSets:
        """Return the sets that :meth:`to_json` stored."""
        return cls(np.array([[int(bit) for bit in f"{number:0{n_labels}b}"] for number in stored], np.uint8))


LabelSets = AllSets | SeenSets


def classes_of(head: str, y: Sets) -> LabelSets | None:
    """Return the classes of a network with this head, trained on labels ``y``; None for a head with single labels."""
    match head:
        case "powerset":
            return AllSets(y.shape[1])
        case "seen_sets":
            return SeenSets.of(y)
        case _:
            return None


@dataclass(frozen=True, eq=False)
class Read:
    """Probabilities, most likely classes and losses of some rows, from their logits over label sets.

    Attributes:
        marginals: (n, n_labels) float64, the probability of each label.
        most_likely: (n,) the class with the highest logit; among equals, the class with the lowest number.
        losses: (n,) −log of the probability of each row's true class; NaN for a row without a class.
    """

    marginals: Floats
    most_likely: Classes
    losses: Floats

    @classmethod
    def joined(cls, blocks: Sequence[Read]) -> Read:
        """Return the results of several blocks of rows as one, in their order."""
        names = ("marginals", "most_likely", "losses")
        return cls(*(np.concatenate([getattr(block, name) for block in blocks]) for name in names))


def read(logits: npt.NDArray[np.float32], sets: LabelSets, classes: Classes | None = None) -> Read:
    """Read logits (n, count) as a softmax over label sets, in float64.

    Args:
        logits: float32, (n, count).
        sets: the label sets that are the classes.
        classes: the true class of each row, (n,); -1 for a row without a class. None if there are none.
    """
    classes = np.full(len(logits), NO_CLASS) if classes is None else classes
    highest = logits.max(axis=1, keepdims=True)
    weights = np.exp(np.subtract(logits, highest, dtype=np.float64))
    total = weights.sum(axis=1, keepdims=True)
    of_true_class = np.take_along_axis(logits, np.maximum(classes, 0)[:, None], axis=1)
    losses = (np.log(total) - np.subtract(of_true_class, highest, dtype=np.float64))[:, 0]
    weights /= total
    return Read(sets.marginals(weights), logits.argmax(axis=1), np.where(classes == NO_CLASS, np.nan, losses))


def _place_values(n_labels: int) -> Classes:
    return 1 << np.arange(n_labels - 1, -1, -1, dtype=np.int64)


def _check_countable(n_labels: int) -> None:
    if n_labels > MAX_LABELS:
        raise ValueError(f"the sets of {n_labels} labels have no 64-bit numbers; at most {MAX_LABELS} labels have")


def _keys(y: Sets) -> npt.NDArray[np.bytes_]:
    """Return each row as bytes, (n,), which sort like the numbers of the sets."""
    packed = np.ascontiguousarray(np.packbits(y, axis=1))
    return packed.view(f"S{packed.shape[1]}")[:, 0]
