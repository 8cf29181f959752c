"""Folds of rows in which every label's positives are spread evenly."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from rarelabels.judging.arrays import Bools

N_FOLDS = 5
FOLD_SEED = 20_240_917  # any fixed number: the same rows are always dealt the same folds


def folds(y: ArrayLike, k: int = N_FOLDS) -> NDArray[np.int64]:
    """Return the fold of each row, 0 to k - 1, shape (n,); the same labels always have the same folds.

    Rows are ordered by their rarest label, rows without labels last, in a fixed random order among equals. Then they
    are dealt out to the folds in turn. So the rows that share a rarest label are spread as evenly as they can be. With
    fewer rows than k the last folds are empty.

    Args:
        y: 0/1, shape (n, n_labels); 0 where it is not known.
        k: number of folds.
    """
    truth = np.asarray(y, dtype=bool)
    n_rows, n_labels = truth.shape
    rarest_first = np.argsort(np.count_nonzero(truth, axis=0), kind="stable")
    group = np.where(truth.any(axis=1), np.argmax(truth[:, rarest_first], axis=1), n_labels)
    order = np.lexsort((np.random.default_rng(FOLD_SEED).random(n_rows), group))
    fold = np.empty(n_rows, dtype=np.int64)
    fold[order] = np.arange(n_rows) % k
    return fold


def splits(truth: Bools) -> Iterator[tuple[Bools, Bools]]:
    """Yield two masks for each fold that has rows: the rows of the other folds, and its rows."""
    numbers = folds(truth)
    for number in range(min(N_FOLDS, len(truth))):
        yield numbers != number, numbers == number
