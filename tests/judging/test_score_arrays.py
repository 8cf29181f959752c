"""Truth and scores as arrays, frames and sparse matrices; every mistake is one line."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import rarelabels as rl
from rarelabels.errors import ArgumentError
from rarelabels.judging.score_arrays import pair, parts_of

RNG = np.random.default_rng(5)
Y = RNG.random((300, 6)) < [0.5, 0.3, 0.2, 0.1, 0.03, 0.0]
S = np.clip(0.4 * Y + 0.6 * RNG.random(Y.shape), 0, 1)


def test_frames_of_another_order_and_sparse_truth_are_the_same():
    names = list("abcdef")
    y, s = pd.DataFrame(Y, columns=names), pd.DataFrame(S, columns=names)
    assert np.array_equal(rl.best_thresholds(y, s[names[::-1]]), rl.best_thresholds(Y, S))
    assert np.array_equal(rl.best_thresholds(sparse.csr_array(Y), S), rl.best_thresholds(Y, S))
    same = rl.choose_rules(y, s[names[::-1]])["per_label_shrunk"].thresholds
    assert np.array_equal(same, rl.choose_rules(Y, S)["per_label_shrunk"].thresholds)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((Y, S[:, :5]), r"s: must have 6 columns, as many as y; given shape \(300, 5\)"),
        ((Y * 2, S), r"y\[\d+, \d\] \(label \d\): must be 0 or 1; given 2"),
        ((Y, np.where(S < 0.2, np.nan, S)), r"s\[\d+, \d\] \(label \d\): must be a finite number; given nothing"),
    ],
)
def test_arrays_that_do_not_fit_are_said_in_one_line(arguments, told):
    with pytest.raises(ValueError, match=told) as caught:
        rl.best_thresholds(*arguments)
    assert len(str(caught.value).splitlines()) == 1


NAMES = ["a", "b", "c"]
TRUTH = pd.DataFrame([[1, 0, 1], [0, 1, 0]], index=["x", "y"], columns=NAMES)
SCORES = pd.DataFrame([[0.9, 0.1, 0.8], [0.2, 0.7, 0.3]], index=["x", "y"], columns=NAMES)


def test_rows_and_columns_of_frames_are_paired_by_name():
    part = pair(TRUTH, SCORES.loc[["y", "x"], NAMES[::-1]], ("y", "s"), probabilities=True)
    assert part.ids.tolist() == ["x", "y"]
    np.testing.assert_array_equal(part.y, TRUTH)
    np.testing.assert_array_equal(part.scores, SCORES)


def test_parts_take_their_labels_from_the_first_that_names_them():
    parts = parts_of(TRUTH.to_numpy(), SCORES, None, None)
    assert (parts.labels, parts.validation, parts.unnamed) == (tuple(NAMES), None, ())
    assert parts_of(TRUTH.to_numpy(), SCORES.to_numpy(), None, None).labels == ("label 0", "label 1", "label 2")
    picked = parts_of(TRUTH, SCORES, None, ["c", "a"])
    np.testing.assert_array_equal(picked.test.scores, SCORES[["c", "a"]])


def test_validation_has_the_columns_of_the_test_part():
    before = TRUTH.set_axis(["v", "w"]), SCORES.set_axis(["v", "w"])[NAMES[::-1]] / 2
    parts = parts_of(TRUTH, SCORES, before, None)
    assert parts.validation is not None
    assert parts.validation.ids.tolist() == ["v", "w"]
    np.testing.assert_array_equal(parts.validation.scores, SCORES / 2)


@pytest.mark.parametrize(
    ("y", "s", "validation", "labels", "told"),
    [
        (TRUTH["a"], SCORES, None, None, r"y_test: must have shape .*; given \(2,\); for a single label: y.reshape"),
        (TRUTH, SCORES[["a"]], None, None, "s_test: must have the labels of y_test as columns; it lacks 'b', 'c'"),
        (TRUTH, SCORES.rename(columns={"c": "C"}), None, None, "it lacks 'c' and has besides 'C'; did you mean 'C'"),
        (TRUTH, SCORES[:1], None, None, r"s_test: must have a row for each of y_test; given shapes \(1, 3\) and"),
        (TRUTH, SCORES.set_axis(["x", "z"]), None, None, "s_test: its index names other rows than the index of y_test"),
        (TRUTH[["a"]], SCORES[["a"]], None, None, "y_test: multi-label scores need at least 2 labels; given 'a'"),
        (TRUTH, SCORES, None, "abc", "labels: must be a list of names; given 'abc'"),
        (TRUTH, SCORES, None, ["a", "a"], "labels: labels must differ; given more than once: 'a'"),
        ([["yes", "no"]], SCORES, None, None, "y_test: must be numbers of shape .*; given a list: could not convert"),
        (TRUTH, SCORES, TRUTH, None, r"validation: must be a pair \(y_val, s_val\); given DataFrame"),
        (TRUTH, SCORES, (TRUTH, SCORES), None, "validation: has the same rows as the test part"),
        (TRUTH, SCORES, (TRUTH, SCORES / 2), None, r"2 rows of its index are in the index of y_test, too \(x, y\)"),
    ],
)
def test_parts_that_do_not_fit_are_said_in_one_line(y, s, validation, labels, told):
    with pytest.raises(ArgumentError, match=told) as caught:
        parts_of(y, s, validation, labels)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("rows", [[1000.0, 1001.0], [" 1000", "1001"], [b"1000", "1001"]])
def test_an_index_is_compared_as_ids_are(rows):
    numbered = TRUTH.set_axis([1000, 1001])
    part = pair(numbered, SCORES.set_axis(rows)[::-1], ("y", "s"), probabilities=True)
    np.testing.assert_array_equal(part.scores, SCORES)
    for before in ((TRUTH.set_axis(rows), SCORES.to_numpy() / 2), (TRUTH.to_numpy(), SCORES.set_axis(rows) / 2)):
        with pytest.raises(ArgumentError, match=r"2 rows of its index are in the index of y_test, too \(1000, 1001\)"):
            parts_of(numbered, SCORES.to_numpy(), before, None)


def test_an_index_of_large_floats_or_of_several_levels_is_no_mistake():
    for index in ([1e300, 2.0**60], pd.MultiIndex.from_tuples([(1, "a"), (2, "b")])):
        frame = TRUTH.set_axis(index)
        np.testing.assert_array_equal(pair(frame, SCORES.set_axis(index), ("y", "s"), probabilities=True).y, TRUTH)


def test_rounding_errors_of_probabilities_are_0_and_1():
    scores = SCORES.to_numpy(copy=True)
    scores[0, 0], scores[1, 2] = 1.0000000000000002, -1e-18
    part = parts_of(TRUTH.to_numpy(), scores, None, None).test
    assert (part.scores[0, 0], part.scores[1, 2]) == (1, 0)
    # Thresholds of any scores leave them as they are.
    assert pair(TRUTH.to_numpy(), scores, ("y", "s"), probabilities=False).scores[0, 0] == 1.0000000000000002
    scores[0, 0] = 1.0000011
    with pytest.raises(ArgumentError, match=r"s_test\[0, 0\] \(label 0\): .* given 1\.0000011; are these logits"):
        parts_of(TRUTH.to_numpy(), scores, None, None)


KNOWN = [[True, False, True], [True, True, False]]
MISSING = [
    [[1, np.nan, 1], [0, 1, None]],
    np.ma.MaskedArray(TRUTH.to_numpy(), ~np.array(KNOWN)),
    TRUTH.astype("Int8").where(np.array(KNOWN)),
    TRUTH.astype("boolean").where(np.array(KNOWN)),
    TRUTH.astype(float).where(np.array(KNOWN)),
]


@pytest.mark.parametrize("y", MISSING, ids=lambda y: type(y).__name__)
def test_what_is_nan_masked_or_missing_is_not_known(y):
    for part in (parts_of(y, SCORES, None, None).test, pair(y, SCORES, ("y", "s"), probabilities=True)):
        assert part.known.tolist() == KNOWN
        assert part.y.tolist() == [[1, 0, 1], [0, 1, 0]]


def test_a_number_stands_for_unknown_if_the_user_says_so():
    y, same = TRUTH.where(KNOWN, -1), TRUTH.astype(float).where(KNOWN)
    with pytest.raises(ArgumentError, match=r"must be 0 or 1; given -1; .* give NaN, or say unknown=-1"):
        parts_of(y, SCORES, None, None)
    before = y.set_axis(["v", "w"]), SCORES.set_axis(["v", "w"]) / 2
    parts = parts_of(y, SCORES, before, None, unknown=-1)
    assert parts.test.known.tolist() == parts.validation.known.tolist() == KNOWN
    with pytest.raises(ArgumentError, match="unknown: must not be 0 or 1, which are truths; given 0"):
        parts_of(y, SCORES, None, None, unknown=0)
    assert np.array_equal(rl.best_thresholds(y, SCORES, unknown=-1), rl.best_thresholds(same, SCORES))
    rules = rl.choose_rules(y, SCORES, unknown=-1), rl.choose_rules(same, SCORES)
    assert np.array_equal(*(one["per_label"].thresholds for one in rules))


def test_scores_that_are_not_known_are_a_mistake():
    with pytest.raises(ArgumentError, match="must be a probability, from 0 to 1; given nothing"):
        parts_of(TRUTH, SCORES.where(KNOWN), None, None)
    with pytest.raises(ArgumentError, match=r"y_test\[0, 0\] \(a\): is empty, and so is every other truth"):
        parts_of(TRUTH.astype(float) * np.nan, SCORES, None, None)


def test_a_counting_index_beside_the_same_numbers_in_another_order_is_refused():
    """Paired by name or by place? Either would be a guess."""
    counting = TRUTH.reset_index(drop=True)
    for y, s in ((counting, SCORES.set_axis([1, 0])), (TRUTH.set_axis([1, 0]), SCORES.reset_index(drop=True))):
        with pytest.raises(ArgumentError, match="s: its index has the numbers of the index of y in another order"):
            pair(y, s, ("y", "s"), probabilities=True)
    # An index that names other rows says nothing about the order, nor does an array.
    for s in (SCORES.set_axis([7, 5]), SCORES.set_axis([1, 0]).to_numpy()):
        np.testing.assert_array_equal(pair(counting, s, ("y", "s"), probabilities=True).scores, SCORES)
