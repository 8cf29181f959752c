"""Label sets as classes: every set has a number, and a distribution over sets says how likely each label is.

A set is read bit by bit, the first label being the most significant bit: [1, 0, 0, 1] is number 9. What an output layer
with a column for each set would take is computed here, never allocated.
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
        ValueError: more than 63 labels, whose sets no 64-bit integer can number.
    """
    _check_countable(y.shape[1])
    return np.asarray(y, np.int64) @ _place_values(y.shape[1])


def sets_of(number: npt.ArrayLike, n_labels: int) -> Sets:
    """Return the label sets with these numbers, (n, n_labels); the inverse of :func:`numbers`."""
    _check_countable(n_labels)
    bits = np.asarray(number, np.int64)[:, None] & _place_values(n_labels)
    return np.asarray(bits != 0, np.uint8)


def seen_sets(y: Sets) -> Sets:
    """Return the different rows of ``y``, by rising number, whatever the number of labels; (n_sets, n_labels)."""
    _, first = np.unique(_keys(y), return_index=True)
    return np.asarray(y[first])


def facts(train: Sets, test: Sets) -> dict[str, float]:
    """Return how far label sets repeat, from the labels of the training and the test part.

    ``label_sets_seen``: different sets in the training part; ``rows_per_label_set``: its rows for each of them;
    ``label_sets_once``: share of them that one row alone has; ``unseen_test_share``: share of test rows whose set no
    training row has, so that no classifier of seen sets can be right on them.
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
        """How many classes there are."""
        return 1 << self.n_labels

    def classes(self, y: Sets) -> Classes:
        """Return the class of each row, (n,)."""
        return numbers(y)

    def sets(self, classes: Classes) -> Sets:
        """Return the label sets of classes (n,), shape (n, n_labels)."""
        return sets_of(classes, self.n_labels)

    def marginals(self, distribution: Floats) -> Floats:
        """Return the probability of each label, (n, n_labels), from distributions over the classes, (n, count).

        The sum over the sets that hold the label. Folding the classes in half for each label adds 2 · count numbers in
        place of n_labels · count.
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
    """The sets of the training part as classes, by rising number; ``table`` (count, n_labels)."""

    table: Sets

    @classmethod
    def of(cls, y: Sets) -> SeenSets:
        """Take the different rows of 0/1 labels (n, n_labels)."""
        return cls(seen_sets(y))

    @property
    def count(self) -> int:
        """How many classes there are."""
        return len(self.table)

    def classes(self, y: Sets) -> Classes:
        """Return the class of each row, (n,); -1 for a set that is no class."""
        known, asked = _keys(self.table), _keys(y)
        place = np.minimum(np.searchsorted(known, asked), len(known) - 1)
        return np.where(known[place] == asked, place, NO_CLASS)

    def sets(self, classes: Classes) -> Sets:
        """Return the label sets of classes (n,), shape (n, n_labels)."""
        return np.asarray(self.table[classes])

    def marginals(self, distribution: Floats) -> Floats:
        """Return the probability of each label, (n, n_labels), from distributions over the classes, (n, count).

        Summed label by label: in a product of matrices the last bits of a row may depend on its place.
        """
        holding = (np.flatnonzero(column) for column in self.table.T)
        found = np.stack([distribution.take(sets, axis=1).sum(axis=1) for sets in holding], axis=1)
        return found.clip(0, 1)

    def to_json(self) -> list[int]:
        """Return the numbers of the sets, which may be longer than 64 bits."""
        return [int("".join(map(str, row)), 2) for row in self.table.tolist()]

    @classmethod
    def from_json(cls, stored: Sequence[int], n_labels: int) -> SeenSets:
        """Return what :meth:`to_json` stored."""
        return cls(np.array([[int(bit) for bit in f"{number:0{n_labels}b}"] for number in stored], np.uint8))


LabelSets = AllSets | SeenSets


def classes_of(head: str, y: Sets) -> LabelSets | None:
    """Return the classes of a network with this head, trained on rows with labels ``y``; None for heads on labels."""
    match head:
        case "powerset":
            return AllSets(y.shape[1])
        case "seen_sets":
            return SeenSets.of(y)
        case _:
            return None


@dataclass(frozen=True, eq=False)
class Read:
    """What the logits of some rows say.

    Attributes:
        marginals: (n, n_labels) float64, the probability of each label.
        most_likely: (n,) the class with the highest logit; of equal ones the lowest number.
        losses: (n,) −log of the probability of each row's own class; NaN for a row without one.
    """

    marginals: Floats
    most_likely: Classes
    losses: Floats

    @classmethod
    def joined(cls, blocks: Sequence[Read]) -> Read:
        """Return what several blocks of rows say, in their order."""
        names = ("marginals", "most_likely", "losses")
        return cls(*(np.concatenate([getattr(block, name) for block in blocks]) for name in names))


def read(logits: npt.NDArray[np.float32], sets: LabelSets, classes: Classes | None = None) -> Read:
    """Read logits (n, count) as a softmax over label sets, in float64; ``classes`` are the rows' own, -1 for none."""
    classes = np.full(len(logits), NO_CLASS) if classes is None else classes
    highest = logits.max(axis=1, keepdims=True)
    weights = np.exp(np.subtract(logits, highest, dtype=np.float64))
    total = weights.sum(axis=1, keepdims=True)
    own = np.take_along_axis(logits, np.maximum(classes, 0)[:, None], axis=1)
    losses = (np.log(total) - np.subtract(own, highest, dtype=np.float64))[:, 0]
    weights /= total
    return Read(sets.marginals(weights), logits.argmax(axis=1), np.where(classes == NO_CLASS, np.nan, losses))


def _place_values(n_labels: int) -> Classes:
    return 1 << np.arange(n_labels - 1, -1, -1, dtype=np.int64)


def _check_countable(n_labels: int) -> None:
    if n_labels > MAX_LABELS:
        raise ValueError(f"the sets of {n_labels} labels have no 64-bit numbers; at most {MAX_LABELS} labels have")


def _keys(y: Sets) -> npt.NDArray[np.bytes_]:
    """Each row as bytes whose order is that of the numbers, (n,)."""
    packed = np.ascontiguousarray(np.packbits(y, axis=1))
    return packed.view(f"S{packed.shape[1]}")[:, 0]
