"""Tokens of texts: the rows they were made of, in their order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rarelabels.data.tokens import Tokens

# Document frequencies: a 3, b 2, c 2, d 1. "a" occurs twice in the first row, the third row is empty.
ROWS = [["a", "b", "a"], ["c", "a"], [], ["b", "c", "d", "a"]]
TOKENS = Tokens.from_lists(ROWS)


def test_text_survives_with_order_and_duplicates() -> None:
    assert TOKENS.to_lists() == ROWS
    assert len(TOKENS) == 4
    assert TOKENS.indptr.tolist() == [0, 3, 5, 5, 9]
    assert (TOKENS.indptr.dtype, TOKENS.ids.dtype) == (np.int64, np.int32)
    assert sorted(TOKENS.vocabulary) == ["a", "b", "c", "d"]


def test_rows_may_be_made_while_they_are_read() -> None:
    tokens = Tokens.from_lists((token for token in row) for row in ROWS)
    assert tokens.to_lists() == ROWS
    assert (tokens.indptr.dtype, tokens.ids.dtype) == (np.int64, np.int32)


@pytest.mark.parametrize("rows", [[0], [2], [3, 0, 2, 0], [], [2, 2]])
def test_take_gives_the_rows_asked_for_in_their_order(rows: list[int]) -> None:
    taken = TOKENS.take(rows)
    assert taken.to_lists() == [ROWS[row] for row in rows]
    assert taken.take(range(len(rows))).to_lists() == taken.to_lists()


def test_take_refuses_a_row_that_is_not_there() -> None:
    with pytest.raises(IndexError):
        TOKENS.take([4])


def test_pairs_of_neighbours_stand_behind_the_tokens_of_their_row() -> None:
    tokens = Tokens.from_lists([["a", "b", "a"], [], ["b"], ["a", "b"]]).with_pairs()
    assert tokens.to_lists() == [["a", "b", "a", "a b", "b a"], [], ["b"], ["a", "b", "a b"]]
    assert sorted(tokens.vocabulary) == ["a", "a b", "b", "b a"]
    assert Tokens.from_lists([[], []]).with_pairs().to_lists() == [[], []]


def test_values_stay_with_their_tokens() -> None:
    rows = Tokens.from_lists([["a", "b"], ["c"], [], ["b", "c"]])
    valued = replace(rows, values=np.array([0.5, 0.25, 3.0, -2.0, 1.0]))
    taken = valued.take([3, 0])
    assert taken.to_lists() == [["b", "c"], ["a", "b"]]
    assert taken.values is not None
    assert taken.values.tolist() == [-2.0, 1.0, 0.5, 0.25]
    assert rows.take([3, 0]).values is None
