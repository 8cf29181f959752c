"""Rows of a part, and the digest that says whether two parts have the same rows."""

from __future__ import annotations

import numpy as np

from rarelabels.data.dataset import Part
from rarelabels.data.tokens import Tokens


def part(**changes: object) -> Part:
    values = {
        "ids": np.array(["r1", "r2", "r3"]),
        "y": np.array([[1, 0], [0, 1], [1, 1]], np.uint8),
        "text": {"plot": Tokens.from_lists([["a"], ["b", "c"], []])},
        "numeric": np.array([[1.0], [2.0], [3.0]]),
        "images": np.array(["1.png", "2.png", "3.png"]),
    }
    return Part(**{**values, **changes})  # type: ignore[arg-type]


def test_rows_are_taken_with_all_they_have_in_the_order_asked_for() -> None:
    taken = part().take(np.array([2, 0]))
    assert taken.ids.tolist() == ["r3", "r1"]
    assert taken.y.tolist() == [[1, 1], [1, 0]]
    assert taken.text["plot"].to_lists() == [[], ["a"]]
    assert taken.numeric.tolist() == [[3.0], [1.0]]
    assert taken.images is not None
    assert taken.images.tolist() == ["3.png", "1.png"]


def test_a_part_without_numbers_has_a_row_of_none_for_each() -> None:
    plain = Part(np.array(["r1", "r2"]), np.zeros((2, 2), np.uint8), {})
    assert plain.numeric.shape == (2, 0)
    assert plain.take(np.array([1])).numeric.shape == (1, 0)
    assert plain.images is None


def test_the_digest_is_of_ids_and_labels_alone() -> None:
    assert part().digest() == part(numeric=np.zeros((3, 1)), text={}).digest()
    assert part().digest() != part(ids=np.array(["r1", "r2", "r4"])).digest()
    assert part().digest() != part(y=np.array([[1, 0], [0, 1], [1, 0]], np.uint8)).digest()


def test_what_is_known_is_taken_with_the_rows_and_changes_the_digest() -> None:
    known = np.array([[True, False], [True, True], [False, True]])
    y = np.array([[1, 0], [0, 1], [0, 1]], np.uint8)
    some = part(y=y, known=known)
    taken = some.take(np.array([2, 0]))
    assert taken.known is not None
    assert taken.known.tolist() == [[False, True], [True, False]]
    assert np.array_equal(taken.y_or_nan, [[np.nan, 1], [1, np.nan]], equal_nan=True)
    assert some.known_share == 4 / 6
    assert some.digest() != part(y=y).digest()
    assert some.digest() != part(y=y, known=known[::-1]).digest()
    assert part().y_or_nan is not None
    assert part().y_or_nan.dtype == np.uint8


def test_prevalence_and_constant_labels_are_those_of_the_known_rows() -> None:
    y = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 0]], np.uint8)
    whole = part(y=y)
    assert whole.prevalence.tolist() == [2 / 3, 0, 1 / 3]
    assert whole.not_constant.tolist() == [0, 2]
    assert y[whole.rows_of(1), 1].tolist() == [0, 0, 0]
    some = part(y=y, known=np.array([[True, False, True], [False, False, True], [True, False, False]]))
    assert some.prevalence.tolist() == [1, 0, 0.5]
    assert some.not_constant.tolist() == [2]
    assert [y[some.rows_of(label), label].tolist() for label in range(3)] == [[1, 1], [], [1, 0]]
