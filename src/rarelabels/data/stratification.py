"""Iterative stratification over many labels at once (Sechidis, Tsoumakas and Vlahavas 2011), in rows x labels.

For every input and seed the parts are exactly those of the library ``iterative-stratification``: the float operations
on the wanted numbers of rows are the same, and so are the draws from the random stream. For each label, the library
counts the labels of all remaining rows again, which takes rows x labels² steps; here the counts are updated. The tests
compare the parts with the library's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]
Labels = npt.NDArray[np.uint8]

AS_IN_RELEASE = "0.1.9"
"""The release of ``iterative-stratification`` that gives these parts.

It is in every data digest, as it was when the library divided the rows."""

CELLS_AT_ONCE = 1 << 22  # of the label matrix, when the labels of some rows are counted


def two_parts(y: Labels, n_second: int, seed: int) -> Integers:
    """Return 1 for about ``n_second`` rows and 0 for the others, shape (n,).

    The same as ``MultilabelStratifiedShuffleSplit(n_splits=1, test_size=n_second, random_state=seed)``.

    Args:
        y: 0/1, shape (n, n_labels).
        n_second: 1 to n - 1.
        seed: 0 to 2**32 - 1.
    """
    return _stratified(y, np.array([len(y) - n_second, n_second]) / len(y), seed)


def folds(y: Labels, k: int, seed: int) -> Integers:
    """Return the fold of each row, 0 to k - 1, shape (n,).

    The same as ``MultilabelStratifiedKFold(n_splits=k, shuffle=True, random_state=seed)``.

    Args:
        y: 0/1, shape (n, n_labels).
        k: how many folds, at most n.
        seed: 0 to 2**32 - 1.
    """
    return _stratified(y, np.full(k, 1 / k), seed)


def _stratified(y: Labels, shares: npt.NDArray[np.float64], seed: int) -> Integers:
    random = np.random.RandomState(seed)
    order = np.arange(len(y))
    random.shuffle(order)
    part = np.empty(len(y), dtype=np.int64)
    part[order] = _Parts(y.astype(bool)[order], shares, random).filled()
    return part


class _Parts:
    """Parts that are being filled: how many rows each still wants, and which rows are left.

    The label with the fewest rows left comes next. Each of its rows goes to the part that wants most rows with that
    label. Among equals it goes to the part that wants most rows at all, and then to one at random.
    """

    def __init__(self, y: npt.NDArray[np.bool_], shares: npt.NDArray[np.float64], random: np.random.RandomState):
        self.y, self.random = y, random
        self.rows_with = np.ascontiguousarray(y.T)
        self.part = np.full(len(y), -1, dtype=np.int64)
        self.left = np.count_nonzero(y, axis=0)
        self.wanted: list[float] = (shares * len(y)).tolist()
        self.wanted_of_label = np.outer(shares, self.left)

    def filled(self) -> Integers:
        """Return the part of each row."""
        while self.left.any():
            fewest = self.left[self.left > 0].min()
            label = self._any_of(np.flatnonzero(self.left == fewest).tolist())
            rows = np.flatnonzero(self.rows_with[label] & (self.part < 0))
            self.part[rows] = self._parts_by(self.wanted_of_label[:, label].tolist(), len(rows))
            self._take(rows)
        without_labels = np.flatnonzero(self.part < 0)
        for row in without_labels.tolist():
            self.part[row] = part = self._any_of(_greatest(self.wanted, range(len(self.wanted))))
            self.wanted[part] -= 1
        return self.part

    def _parts_by(self, wanted_of_label: list[float], n_rows: int) -> list[int]:
        """Return the parts that rows of a label go to, one after the other."""
        chosen = []
        for _ in range(n_rows):
            best = _greatest(wanted_of_label, range(len(wanted_of_label)))
            part = best[0] if len(best) == 1 else self._any_of(_greatest(self.wanted, best))
            wanted_of_label[part] -= 1
            self.wanted[part] -= 1
            chosen.append(part)
        return chosen

    def _take(self, rows: Integers) -> None:
        """Subtract the labels of rows that have been given a part."""
        n_labels = self.y.shape[1]
        step = max(1, CELLS_AT_ONCE // n_labels)
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            places, labels = np.nonzero(self.y[some])
            self.left -= np.bincount(labels, minlength=n_labels)
            np.subtract.at(self.wanted_of_label.reshape(-1), self.part[some][places] * n_labels + labels, 1.0)

    def _any_of(self, equals: Sequence[int]) -> int:
        return equals[0] if len(equals) == 1 else equals[self.random.randint(len(equals))]


def _greatest(wanted: Sequence[float], among: Sequence[int]) -> list[int]:
    """Return which of some parts want most."""
    most = max(wanted[part] for part in among)
    return [part for part in among if wanted[part] == most]
