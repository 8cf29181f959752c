"""The checks that truth and scores pass."""

import numpy as np
import pytest

from rarelabels.judging.arrays import SCORE_ROUNDING, checked, is_one, multi_hot, probabilities


def test_labels_are_0_and_1_of_any_type():
    for labels in ([[0, 1]], [[0.0, 1.0]], [[False, True]], np.array([[0, 1]], np.uint8)):
        assert multi_hot(labels, "y").tolist() == [[False, True]]
        assert is_one(np.array(labels)).tolist() == [[False, True]]


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ([[0, 2]], "y: must be 0 or 1; got .*2"),
        ([[0, np.nan]], "y: must be 0 or 1; got .*nan"),
        ([0, 1], r"y: must have shape \(n, n_labels\) and not be empty; got \(2,\)"),
        (np.zeros((0, 3)), r"not be empty; got \(0, 3\)"),
    ],
)
def test_what_are_no_labels_is_said(labels, told):
    with pytest.raises(ValueError, match=told):
        multi_hot(labels, "y")


@pytest.mark.parametrize(
    ("given", "kept"), [(np.float16, np.float16), (np.float32, np.float32), (np.int64, np.float64), (bool, np.float64)]
)
def test_scores_keep_their_precision_and_whole_numbers_become_floats(given, kept):
    assert checked([[0, 1]], np.array([[0, 1]], dtype=given))[1].dtype == kept


@pytest.mark.parametrize("score", [np.nan, np.inf, -np.inf, np.finfo(np.float64).max])
def test_a_score_must_leave_room_for_never(score):
    with pytest.raises(
        ValueError, match=r"y_score: must be finite; got NaN or infinity \(did the training diverge\?\)"
    ):
        checked([[0, 1]], [[0.1, score]])


def test_scores_have_the_shape_of_the_truth():
    with pytest.raises(ValueError, match=r"y_score: must have the shape of y_true, \(1, 2\); got \(2, 1\)"):
        checked([[0, 1]], [[0.1], [0.2]])


def test_probabilities_are_kept_unless_a_rounding_error_is_outside():
    inside = np.array([0, 0.5, 1])
    assert probabilities(inside) is inside
    steps = np.array([-SCORE_ROUNDING, 0.5, 1 + SCORE_ROUNDING])
    assert probabilities(steps).tolist() == [0, 0.5, 1]
    # One step of float32 above 1 is a rounding error, ten are not.
    assert probabilities(np.float32([1.0000001])).tolist() == [1]
    with pytest.raises(ValueError, match=r"got 1\.0000011920928955 \(are these logits"):
        probabilities(np.float32([1.0000012]))
