"""Positives that are hidden at random: how many, which, and what they count as."""

from __future__ import annotations

import numpy as np

from rarelabels.data import hiding
from rarelabels.data.dataset import Part
from rarelabels.declare.data_spec import HiddenPositives

Y = (np.random.default_rng(0).random((4000, 6)) < 0.4).astype(np.uint8)


def which(keep: object, seed: int = 0) -> np.ndarray:
    return hiding.hidden(HiddenPositives.model_validate({"keep": keep, "taken_as": "unknown"}), Y, seed)


def test_a_share_of_the_positives_is_left_and_no_negative_is_touched() -> None:
    for keep in (0.75, 0.4, 0.2):
        hidden = which(keep)
        assert not hidden[Y == 0].any()
        assert abs(1 - hidden.sum() / Y.sum() - keep) < 0.02


def test_one_keeps_exactly_one_label_of_each_row_that_has_any_each_as_often() -> None:
    left = (Y == 1) & ~which("one")
    assert left.sum(axis=1).tolist() == Y.any(axis=1).astype(int).tolist()
    assert np.ptp(left.sum(axis=0)) < 0.2 * left.sum(axis=0).mean()


def test_a_smaller_share_keeps_some_of_the_larger_and_another_seed_keeps_others() -> None:
    assert (which(0.75) <= which(0.4)).all()
    assert (which(0.75) == which(0.75)).all()
    assert (which(0.75) != which(0.75, seed=1)).any()


def test_what_is_hidden_is_negative_or_unknown() -> None:
    part = Part(np.array(["a", "b"]), np.array([[1, 0, 1], [0, 1, 1]], np.uint8), {})
    hidden = np.array([[True, False, False], [False, False, True]])
    as_negative, as_unknown = (
        hiding.hide(HiddenPositives(keep=0.5, taken_as=what), part, hidden) for what in ("negative", "unknown")
    )
    assert as_negative.y.tolist() == as_unknown.y.tolist() == [[0, 0, 1], [0, 1, 0]]
    assert as_negative.known is None
    assert as_unknown.known is not None
    assert as_unknown.known.tolist() == [[False, True, True], [True, True, False]]
    assert as_unknown.y.dtype == np.uint8


def test_what_was_unknown_before_stays_so() -> None:
    known = np.array([[True, False, True]])
    part = Part(np.array(["a"]), np.array([[1, 0, 1]], np.uint8), {}, known=known)
    hidden = hiding.hide(HiddenPositives(keep=0.5, taken_as="unknown"), part, np.array([[True, False, False]]))
    assert hidden.known is not None
    assert hidden.known.tolist() == [[False, False, True]]
