"""Folds of rows: always the same, and every label spread over them."""

import numpy as np
import pytest

from choosing_rows import part
from rarelabels.judging.rules.folds import folds, splits


def test_folds_are_always_the_same_and_spread_every_label():
    y, _ = part(n_rows=997)
    numbers = folds(y)
    np.testing.assert_array_equal(numbers, folds(y.astype(int)))
    sizes = np.bincount(numbers)
    assert sizes.size == 5
    assert sizes.max() - sizes.min() <= 1
    rarest_first = np.argsort(y.sum(axis=0), kind="stable")
    rarest = [next((label for label in rarest_first if row[label]), -1) for row in y]
    for label in {*rarest}:
        counts = np.bincount(numbers[np.array(rarest) == label], minlength=5)
        assert counts.max() - counts.min() <= 1, label
    assert sorted(folds(y[:3])) == [0, 1, 2]
    assert sorted(folds(y[:7], k=2)) == [0, 0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(("n_rows", "n_splits"), [(300, 5), (5, 5), (3, 3), (1, 1)])
def test_every_row_is_left_out_once(n_rows, n_splits):
    y, _ = part(n_rows=300)
    found = list(splits(y[:n_rows]))
    assert len(found) == n_splits
    np.testing.assert_array_equal(np.sum([fold for _, fold in found], axis=0), 1)
    for others, fold in found:
        np.testing.assert_array_equal(others, ~fold)
        assert fold.any()
