from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from processes import printed
from rarelabels.data import splits
from rarelabels.data.splits import Split, split
from rarelabels.errors import UserError


def labels(n: int = 2000) -> np.ndarray:
    """Eight labels from frequent to rare (100 to 10 in 2,000), with rows that have several or none."""
    prevalence = [0.5, 0.3, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005]
    return (np.random.default_rng(7).random((n, 8)) < prevalence).astype(np.uint8)


def parts(s: Split) -> list[np.ndarray]:
    return [s.train, s.validation, s.test]


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_every_row_is_in_one_part(seed: int) -> None:
    s = split(labels(), seed)
    assert sorted(np.concatenate(parts(s)).tolist()) == list(range(2000))
    for part in parts(s):
        assert (np.diff(part) > 0).all()
        assert np.issubdtype(part.dtype, np.integer)


def test_sizes_are_seven_to_one_to_two() -> None:
    s = split(labels(), 0)
    np.testing.assert_allclose([len(part) for part in parts(s)], [1400, 200, 400], rtol=0.03)


def test_rare_labels_reach_every_part_in_proportion() -> None:
    y = labels()
    for part, share in zip(parts(split(y, 3)), (0.7, 0.1, 0.2), strict=True):
        # A random split misses this: 100 positives of a label spread by ±4 over the test part.
        assert np.abs(y[part].sum(axis=0) - share * y.sum(axis=0)).max() <= 1.5


def test_the_test_part_is_the_same_for_every_seed_and_the_rest_is_not() -> None:
    first, second = split(labels(), 0), split(labels(), 1)
    assert (first.test == second.test).all()
    assert set(first.validation) != set(second.validation)


def test_another_process_splits_alike() -> None:
    code = """
import hashlib, numpy as np
from rarelabels.data.splits import split
y = (np.random.default_rng(7).random((500, 5)) < 0.1).astype(np.uint8)
s = split(y, 5, groups=np.arange(500) // 2)
print(hashlib.sha256(np.concatenate([s.train, s.validation, s.test]).tobytes()).hexdigest())
"""
    first, second = (printed(code, PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert len(first) == 64
    assert first == second


def test_groups_are_never_parted() -> None:
    y = labels()
    groups = np.random.default_rng(1).integers(0, 700, 2000) * 3  # neither sorted nor without gaps
    s = split(y, 0, groups=groups)
    assert sorted(np.concatenate(parts(s)).tolist()) == list(range(2000))
    train, validation, test = (set(groups[part]) for part in parts(s))
    assert not train & validation
    assert not train & test
    assert not validation & test
    np.testing.assert_allclose(
        [len(train), len(validation), len(test)], np.array([0.7, 0.1, 0.2]) * len(set(groups)), rtol=0.05
    )


@pytest.mark.parametrize("holder", [0, 1])
def test_a_group_has_the_labels_of_any_of_its_rows(holder: int) -> None:
    # Label 0 stands in one row of 200 of 1,000 pairs; stratified over pairs, 40 of them belong to the test part.
    y = np.zeros((2000, 2), dtype=np.uint8)
    y[holder:400:2, 0] = 1
    y[::4, 1] = 1
    s = split(y, 0, groups=np.repeat(np.arange(1000), 2))
    assert abs(int(y[s.test, 0].sum()) - 40) <= 1
    assert abs(int(y[s.validation, 0].sum()) - 20) <= 1


def test_groups_of_one_row_change_nothing() -> None:
    y = labels()
    alone = split(y, 4, groups=np.arange(2000))
    for with_groups, without in zip(parts(alone), parts(split(y, 4)), strict=True):
        assert (with_groups == without).all()


def test_repeated_test_parts_differ_by_seed_and_are_stratified() -> None:
    y = labels()
    found = [split(y, seed, test="repeated") for seed in range(3)]
    fixed = split(y, 0)
    for one in found:
        assert sorted(np.concatenate(parts(one)).tolist()) == list(range(2000))
        assert len(one.test) == len(fixed.test)
        share = y[one.test].sum(axis=0) / y.sum(axis=0)
        assert np.abs(share - 0.2).max() < 0.06
    tests = [set(one.test.tolist()) for one in found]
    for other in (tests[1], tests[2], set(fixed.test.tolist())):  # a fifth of the rows are in both by chance
        assert 40 < len(tests[0] & other) < 130
    again = split(y, 1, test="repeated")
    assert all((one == two).all() for one, two in zip(parts(again), parts(found[1]), strict=True))


def test_repeated_test_parts_leave_groups_and_folds_whole() -> None:
    y, groups = labels(), np.random.default_rng(1).integers(0, 700, 2000)
    one, two = (split(y, seed, groups=groups, test="repeated", validation="cross_validated") for seed in (0, 1))
    assert set(one.test.tolist()) != set(two.test.tolist())
    assert not set(groups[one.test]) & set(groups[one.train])
    assert one.folds is not None
    for fold in range(5):
        assert not set(groups[one.train[one.folds == fold]]) & set(groups[one.train[one.folds != fold]])


# The last rows for validation, and a declared split


def test_the_last_eighth_outside_the_test_part_validates() -> None:
    y = labels()
    stratified, last = split(y, 0), split(y, 0, validation="last_rows")
    assert (last.test == stratified.test).all()
    rest = [row for row in range(2000) if row not in set(last.test.tolist())]
    n = math.ceil(len(rest) / 8)
    assert last.validation.tolist() == rest[-n:]
    assert last.train.tolist() == rest[:-n]


def test_as_many_rows_as_keras_takes() -> None:
    # 83 rows: 17 for test; of 66, fit(validation_split=1/8) trains on int(66 * 7 / 8) = 57.
    s = split(labels(83), 0, validation="last_rows")
    assert [len(part) for part in parts(s)] == [57, 9, 17]


def test_the_last_rows_are_the_same_for_every_seed() -> None:
    first, second = (split(labels(), seed, validation="last_rows") for seed in (0, 1))
    for one, two in zip(parts(first), parts(second), strict=True):
        assert (one == two).all()


def test_a_group_stands_where_its_first_row_stands() -> None:
    # Groups 1..99 of one row each and group 0, which begins first and ends last.
    y = np.zeros((101, 2), dtype=np.uint8)
    y[::2, 0] = 1
    y[::5, 1] = 1
    groups = np.array([0, *range(99, 0, -1), 0])
    s = split(y, 0, groups=groups, validation="last_rows")
    assert sorted(np.concatenate(parts(s)).tolist()) == list(range(101))
    assert sum({0, 100} <= set(part.tolist()) for part in parts(s)) == 1
    assert not {0, 100} & set(s.validation.tolist())
    rest = [row for row in range(100) if row not in set(s.test.tolist())]
    n = math.ceil(len(rest) / 8)
    assert s.validation.tolist() == rest[-n:]


def test_a_declared_split_is_taken_as_it_is() -> None:
    declared = np.array([2, 0, 0, 1, 0, 2, 0], dtype=np.uint8)
    for seed in (0, 5):
        s = split(np.zeros((7, 2), dtype=np.uint8), seed, parts=declared)
        assert [part.tolist() for part in parts(s)] == [[1, 2, 4, 6], [3], [0, 5]]


# Folds


def of_fold(s: Split, fold: int) -> np.ndarray:
    assert s.folds is not None
    return s.train[s.folds == fold]


@pytest.mark.parametrize("groups", [None, np.random.default_rng(1).integers(0, 700, 2000) * 3])
@pytest.mark.parametrize("seed", [0, 2**32 - 1])
def test_all_rows_outside_the_same_test_part_are_both_parts_in_five_folds(seed: int, groups: np.ndarray | None) -> None:
    y = labels()
    s, stratified = split(y, seed, groups=groups, validation="cross_validated"), split(y, seed, groups=groups)
    assert s.test.tolist() == stratified.test.tolist()
    assert s.train.tolist() == s.validation.tolist() == sorted([*stratified.train, *stratified.validation])
    assert s.folds is not None
    assert s.folds.shape == s.train.shape
    assert set(s.folds.tolist()) == set(range(splits.FOLDS)) == set(range(5))
    if groups is None:
        assert np.ptp(np.bincount(s.folds)) <= 2


def test_a_group_is_never_in_two_folds() -> None:
    groups = np.random.default_rng(1).integers(0, 700, 2000) * 3
    s = split(labels(), 0, groups=groups, validation="cross_validated")
    of = [set(groups[of_fold(s, fold)].tolist()) for fold in range(5)]
    assert sum(map(len, of)) == len(set().union(*of))
    assert max(map(len, of)) - min(map(len, of)) <= 3
    assert not set().union(*of) & set(groups[s.test].tolist())


def test_groups_of_one_row_have_the_folds_of_rows() -> None:
    alone = split(labels(), 4, groups=np.arange(2000), validation="cross_validated")
    without = split(labels(), 4, validation="cross_validated")
    assert (alone.train == without.train).all()
    assert alone.folds is not None
    assert (alone.folds == without.folds).all()


def test_every_fold_has_its_share_of_every_label() -> None:
    y = labels()
    s = split(y, 3, validation="cross_validated")
    for fold in range(5):
        assert np.abs(y[of_fold(s, fold)].sum(axis=0) - y[s.train].sum(axis=0) / 5).max() <= 1.5


def test_folds_of_groups_have_their_share_of_what_any_row_of_a_group_has() -> None:
    # Label 0 stands in the second row of 200 of 1,000 pairs: 40 of these are tested, each fold has 32 of the others.
    y = np.zeros((2000, 2), dtype=np.uint8)
    y[1:400:2, 0] = 1
    y[::4, 1] = 1
    s = split(y, 0, groups=np.repeat(np.arange(1000), 2), validation="cross_validated")
    assert all(abs(int(y[of_fold(s, fold), 0].sum()) - 32) <= 1 for fold in range(5))


def test_the_seed_divides_the_folds_and_nothing_else() -> None:
    one, other = (split(labels(), seed, validation="cross_validated") for seed in (0, 1))
    again = split(labels(), 0, validation="cross_validated")
    assert one.folds is not None
    assert (one.train == other.train).all()
    assert (one.test == other.test).all()
    assert (one.folds == again.folds).all()
    assert (one.folds != other.folds).mean() > 0.5


def test_another_process_folds_alike() -> None:
    code = """
import hashlib, numpy as np
from rarelabels.data.splits import fraction, split
y = (np.random.default_rng(7).random((500, 5)) < 0.1).astype(np.uint8)
s = split(y, 5, groups=np.arange(500) // 2, validation="cross_validated")
print(hashlib.sha256(np.concatenate([s.train, s.folds, s.test, fraction(500, 0.3, 5)]).tobytes()).hexdigest())
"""
    first, second = (printed(code, PYTHONHASHSEED=seed) for seed in ("1", "2"))
    assert len(first) == 64
    assert first == second


def test_one_label_is_folded_too() -> None:
    y = np.zeros((200, 1), dtype=np.uint8)
    y[:40] = 1
    s = split(y, 0, validation="cross_validated")
    assert sorted(int(y[of_fold(s, fold)].sum()) for fold in range(5)) == [6, 6, 6, 7, 7]


def test_folds_of_a_declared_split_leave_its_test_part_alone() -> None:
    declared = np.array([2, 0, 0, 1, 0, 2, 0, 1], dtype=np.uint8)
    s = split(np.zeros((8, 2), dtype=np.uint8), 0, parts=declared, validation="cross_validated")
    assert s.test.tolist() == [0, 5]
    assert s.train.tolist() == s.validation.tolist() == [1, 2, 3, 4, 6, 7]
    assert s.folds is not None
    assert sorted(np.bincount(s.folds).tolist()) == [1, 1, 1, 1, 2]


def test_too_few_rows_for_folds_says_how_many_there_are_and_must_be() -> None:
    declared = np.array([2, 0, 0, 1, 0], dtype=np.uint8)
    y = np.zeros((5, 2), dtype=np.uint8)
    with pytest.raises(UserError, match="5 folds need at least 5 rows outside the test part, but there are 4"):
        split(y, 0, parts=declared, validation="cross_validated")
    with pytest.raises(UserError, match="at least 5 groups of rows outside the test part, but there are 2"):
        split(y, 0, parts=declared, groups=np.array([9, 1, 1, 2, 2]), validation="cross_validated")
    with pytest.raises(UserError, match="at least 10 rows, but there are 9"):
        split(labels(9), 0, validation="cross_validated")
    with pytest.raises(UserError, match="seed: must be"):
        split(labels(), -1, validation="cross_validated")


def test_labels_with_one_positive_are_no_hindrance_to_folds() -> None:
    """A split into three parts refuses these ten: no fold is empty where a part would be."""
    s = split(np.eye(20, dtype=np.uint8), 0, parts=np.zeros(20, dtype=np.uint8), validation="cross_validated")
    assert s.folds is not None
    assert np.bincount(s.folds).tolist() == [4] * 5


# A fraction


@pytest.mark.parametrize(
    ("n", "share", "rows"),
    [(100, 0.1, 10), (100, 0.07, 7), (100, 0.29, 29), (30, 0.1, 3), (7, 0.5, 4), (7, 0.001, 1), (9, 1.0, 9)],
)
def test_a_fraction_is_rounded_up_and_sorted(n: int, share: float, rows: int) -> None:
    found = splits.fraction(n, share, 0)
    assert len(found) == rows
    assert (np.diff(found) > 0).all()
    assert set(found.tolist()) <= set(range(n))


def test_a_smaller_fraction_is_part_of_a_larger_one_of_the_same_seed() -> None:
    shares = (0.01, 0.05, 0.2, 0.5, 0.9, 1.0)
    kept = [set(splits.fraction(500, share, 3).tolist()) for share in shares]
    assert [len(rows) for rows in kept] == [5, 25, 100, 250, 450, 500]
    assert all(less < more for less, more in pairwise(kept))
    assert set(splits.fraction(500, 0.2, 3).tolist()) == kept[2]
    assert set(splits.fraction(500, 0.2, 4).tolist()) != kept[2]


def test_a_fraction_is_drawn_from_all_over() -> None:
    rows = np.concatenate([splits.fraction(1000, 0.1, seed) for seed in range(50)])
    assert abs(rows.mean() - 499.5) < 4 * 289 / np.sqrt(5000)


def test_a_label_without_positives_is_no_hindrance() -> None:
    y = labels()
    y[:, 3] = 0
    y[:, 4] = 0
    y[17, 4] = 1
    assert sum(len(part) for part in parts(split(y, 0))) == 2000


def test_one_label_is_stratified_too() -> None:
    y = np.zeros((200, 1), dtype=np.uint8)
    y[:40] = 1
    assert [int(y[part].sum()) for part in parts(split(y, 0))] == [28, 4, 8]


def test_too_few_rows_says_how_many_there_are_and_must_be() -> None:
    with pytest.raises(UserError, match="at least 10 rows, but there are 9"):
        split(labels(9), 0)
    with pytest.raises(UserError, match="at least 10 groups of rows, but there are 4"):
        split(labels(100), 0, groups=np.arange(100) % 4)


def test_a_part_without_rows_is_refused() -> None:
    # Every label has one positive: each goes where most is wanted, the training part.
    with pytest.raises(UserError, match="leaves the validation and test part empty"):
        split(np.eye(10, dtype=np.uint8), 0)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_numpy_cannot_take_is_refused(seed: int) -> None:
    with pytest.raises(UserError, match="seed: must be from 0 to 4294967295"):
        split(labels(), seed)
