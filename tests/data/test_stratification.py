"""The library ``iterative-stratification`` is the judge: the parts must be its parts, row by row."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from iterstrat.ml_stratifiers import MultilabelStratifiedKFold, MultilabelStratifiedShuffleSplit

from rarelabels.data import splits, stratification

Random = np.random.Generator


def mixed(n: int, n_labels: int, random: Random) -> np.ndarray:
    return random.random((n, n_labels)) < random.choice([0.0, 0.01, 0.05, 0.3, 0.95], n_labels)


def equally_rare(n: int, n_labels: int, random: Random) -> np.ndarray:
    """Ties wherever the rarest label is looked for, and where a part is."""
    return np.stack([random.permutation(n) < 4 for _ in range(n_labels)], axis=1)


def one_positive_each(n: int, n_labels: int, random: Random) -> np.ndarray:
    y = np.zeros((n, n_labels), dtype=bool)
    y[random.integers(0, n, n_labels), np.arange(n_labels)] = True
    return y


def half_without_labels(n: int, n_labels: int, random: Random) -> np.ndarray:
    return mixed(n, n_labels, random) & (random.random((n, 1)) < 0.5)


def near_duplicates(n: int, n_labels: int, random: Random) -> np.ndarray:
    few = mixed(5, n_labels, random)
    return few[random.integers(0, 5, n)]


def all_labels(n: int, n_labels: int, random: Random) -> np.ndarray:
    """Much more is taken from each label than it wants in a part, so that floats go below 0."""
    return random.random((n, n_labels)) < 0.97


def no_labels(n: int, n_labels: int, random: Random) -> np.ndarray:
    return np.zeros((n, n_labels), dtype=bool)


KINDS = (mixed, equally_rare, one_positive_each, half_without_labels, near_duplicates, all_labels, no_labels)


@pytest.mark.parametrize("kind", KINDS)
def test_two_parts_are_those_of_the_library(kind: Callable[[int, int, Random], np.ndarray]) -> None:
    random = np.random.default_rng(KINDS.index(kind))
    for _ in range(60):
        n, n_labels = int(random.integers(10, 200)), int(random.integers(2, 60))
        y, seed = kind(n, n_labels, random).astype(np.uint8), int(random.integers(0, 2**32))
        for n_second in (math.ceil(0.2 * n), math.ceil(n / 8), int(random.integers(1, n))):
            library = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=n_second, random_state=seed)
            first, second = next(library.split(y, y))
            part = stratification.two_parts(y, n_second, seed)
            assert np.flatnonzero(part == 0).tolist() == first.tolist()
            assert np.flatnonzero(part == 1).tolist() == second.tolist()


@pytest.mark.parametrize("kind", KINDS)
def test_folds_are_those_of_the_library(kind: Callable[[int, int, Random], np.ndarray]) -> None:
    random = np.random.default_rng(100 + KINDS.index(kind))
    for _ in range(60):
        n, n_labels, k = (int(random.integers(*ends)) for ends in ((12, 200), (2, 60), (2, 12)))
        y, seed = kind(n, n_labels, random).astype(np.uint8), int(random.integers(0, 2**32))
        assert stratification.folds(y, k, seed).tolist() == by_library(y, k, seed).tolist()


@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_so_are_those_of_more_rows_than_are_looked_through_at_once(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stratification, "CELLS_AT_ONCE", 1000)
    y = mixed(3000, 40, np.random.default_rng(3)).astype(np.uint8)
    assert stratification.folds(y, 5, seed).tolist() == by_library(y, 5, seed).tolist()


@pytest.mark.parametrize("share", [0.0, 0.02, 0.4, 1.0])
def test_a_single_column_is_parted_with_its_opposite_as_ever(share: float) -> None:
    y = (np.random.default_rng(5).random((300, 1)) < share).astype(np.uint8)
    both = np.column_stack([y, 1 - y])
    library = MultilabelStratifiedShuffleSplit(n_splits=1, test_size=60, random_state=splits.TEST_SEED)
    _, test = next(library.split(both, both))
    assert splits.split(y, 0).test.tolist() == test.tolist()


def test_each_row_is_looked_through_once_however_many_labels_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    y = mixed(400, 300, np.random.default_rng(2)).astype(np.uint8)
    taken: list[int] = []
    take = stratification._Parts._take
    monkeypatch.setattr(stratification._Parts, "_take", lambda parts, rows: (taken.extend(rows), take(parts, rows)))
    stratification.two_parts(y, 80, 0)
    assert len(taken) == len(set(taken)) == np.count_nonzero(y.any(axis=1))


def by_library(y: np.ndarray, k: int, seed: int) -> np.ndarray:
    fold = np.full(len(y), -1)
    library = MultilabelStratifiedKFold(n_splits=k, shuffle=True, random_state=seed)
    for number, (_, rows) in enumerate(library.split(y, y)):
        fold[rows] = number
    return fold
