"""A data set before it is split, as plain arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rarelabels.data import unsplit
from rarelabels.data.tokens import Tokens
from rarelabels.data.unsplit import Table


@pytest.mark.parametrize("groups", [None, np.array([0, 0, 1], dtype=np.int64)])
def test_table_survives_as_plain_arrays(groups: np.ndarray | None) -> None:
    rows = [["a\nb", "c\0", "", "日本 👍🏽"], [], ["\ud800", "a\nb"]]
    y = np.array([[1, 0], [0, 1], [1, 1]], dtype=np.uint8)
    text = {"all/my words": Tokens.from_lists(rows), "": Tokens.from_lists([[], [], []])}
    table = Table(np.array(["1", "22", "3"]), ("Ä", "B"), y, np.eye(3, dtype=np.uint8), groups, text)
    arrays = table.to_arrays()
    assert not any(array.dtype.hasobject for array in arrays.values())
    back = Table.from_arrays(arrays)
    assert {field: tokens.to_lists() for field, tokens in back.text.items()} == {"all/my words": rows, "": [[], [], []]}
    assert back.labels == ("Ä", "B")
    assert back.ids.tolist() == ["1", "22", "3"]
    assert (back.y == y).all()
    assert (back.strata == np.eye(3)).all()
    assert (back.groups is None) if groups is None else (back.groups is not None and (back.groups == groups).all())
    assert back.numeric.shape == (3, 0)
    assert back.numeric_names == ()
    assert back.parts is None


def test_numbers_and_declared_parts_survive_too() -> None:
    x, parts = np.array([[0.1, -1e300], [1 / 3, 5e-324]]), np.array([2, 0], dtype=np.uint8)
    y = np.eye(2, dtype=np.uint8)
    table = Table(np.array(["1", "2"]), ("a", "b"), y, y, None, {}, x, ("a/b", "é"), parts)
    back = Table.from_arrays(table.to_arrays())
    assert (back.numeric == x).all()
    assert back.numeric_names == ("a/b", "é")
    assert back.parts is not None
    assert back.parts.tolist() == [2, 0]
    assert back.text == {}


def test_what_is_known_is_kept_and_where_all_is_nothing_is() -> None:
    cells = np.array([[1, unsplit.UNKNOWN], [0, 1]], np.uint8)
    y, known = unsplit.labels_and_known(cells)
    table = Table(np.array(["a", "b"]), ("x", "y"), y, y, None, {}, known=known)
    again = Table.from_arrays(table.to_arrays())
    assert again.known is not None
    assert again.known.tolist() == [[True, False], [True, True]]
    assert again.y.tolist() == [[1, 0], [0, 1]]
    assert unsplit.labels_and_known(cells & 1)[1] is None
    whole = Table(np.array(["a", "b"]), ("x", "y"), y, y, None, {}, known=np.ones((2, 2), np.bool_))
    assert whole.known is None
    assert "known" not in whole.to_arrays()


def test_values_of_tokens_and_weights_of_rows_survive_too() -> None:
    y = np.eye(2, dtype=np.uint8)
    valued = replace(Tokens.from_lists([["a", "b"], ["b"]]), values=np.array([0.1, -1e300, 1 / 3]))
    text = {"plain": Tokens.from_lists([["x"], []]), "valued": valued}
    table = Table(np.array(["1", "2"]), ("a", "b"), y, y, None, text, weights=np.array([0.1, 3.0]))
    back = Table.from_arrays(table.to_arrays())
    assert back.text["plain"].values is None
    np.testing.assert_array_equal(back.text["valued"].values, valued.values)
    np.testing.assert_array_equal(back.weights, [0.1, 3.0])
