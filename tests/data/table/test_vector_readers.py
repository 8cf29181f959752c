"""A column of vectors becomes numbers, and a wrong cell is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarelabels.data.table.batch import Batch
from rarelabels.data.table.vector_readers import Vectors
from rarelabels.errors import UserError


def batch(cells: list[Any], first: int = 1) -> Batch:
    return Batch(Path("a.jsonl"), first, len(cells), None, {"embedding": cells})


def read(*batches: Batch, length: int | None = None) -> Vectors:
    reader = Vectors("embedding", length)
    for one in batches:
        reader.add(one)
    return reader


def test_lists_arrays_and_json_are_the_same_numbers() -> None:
    rows = [[0.5, -1.0, 3.0], [1e-3, 2.0, 0.0]]
    for cells in (rows, [np.array(row) for row in rows], list(np.array(rows)), [str(row) for row in rows]):
        np.testing.assert_array_equal(read(batch(cells)).numbers(), rows)
    assert read(batch(rows)).names() == ["embedding[0]", "embedding[1]", "embedding[2]"]


def test_whole_numbers_and_fractions_may_stand_in_one_column_and_batches_follow_each_other() -> None:
    draw = np.random.default_rng(0)
    numbers = draw.integers(-3, 3, (50, 4)).astype(float)
    cells = [[int(one) if draw.random() < 0.5 else one for one in row] for row in numbers.tolist()]
    reader = read(batch(cells[:20]), batch([]), batch(cells[20:], 21))
    np.testing.assert_array_equal(reader.numbers(), numbers)


def test_single_precision_stays_what_it_is() -> None:
    numbers = np.random.default_rng(1).normal(size=(5, 3)).astype(np.float32)
    np.testing.assert_array_equal(read(batch(list(numbers))).numbers(), numbers)


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        (None, "must be a vector, a list of numbers; given an empty cell; fill it in, or leave the row out"),
        ("", "must be a vector, a list of numbers; given an empty cell"),
        (float("nan"), "must be a vector, a list of numbers; given an empty cell"),
        ("half", "must be a vector, a list of numbers; given 'half'"),
        ("[0.5, ", "must be a vector, a list of numbers; given '[0.5, '"),
        (0.5, "must be a vector, a list of numbers; given 0.5"),
        ([0.5], "the vector has 1 numbers, but the one of row 1 has 2; all must have the same length"),
        ([], "the vector has 0 numbers, but the one of row 1 has 2"),
        ([0.5, None], "entry 2 of the vector is None, and not a finite number from -1e+150 to 1e+150"),
        ([float("nan"), 1.0], "entry 1 of the vector is nan, and not a finite number"),
        ([1.0, float("inf")], "entry 2 of the vector is inf"),
        ([1.0, -1e151], "entry 2 of the vector is -1e+151"),
        (["0.5", 1.0], "entry 1 of the vector is '0.5'"),
        ([10**400, 1.0], "entry 1 of the vector is 1000000000"),
        ([[0.5], [1.0]], "entry 1 of the vector is [0.5]"),
    ],
)
def test_a_wrong_cell_is_named_wherever_it_stands(cell: Any, says: str) -> None:
    good = [[0.5, 1.0]] * 3
    with pytest.raises(UserError) as first:
        read(batch([*good, cell]))
    assert str(first.value).startswith(f"a.jsonl: row 4, column 'embedding': {says}")
    with pytest.raises(UserError) as later:
        read(batch(good), batch([cell, *good], 4))
    assert str(later.value) == str(first.value)


def test_a_model_knows_the_length() -> None:
    with pytest.raises(UserError, match="has 2 numbers, but those the model was trained on have 3"):
        read(batch([[1.0, 2.0]]), length=3)
    assert read(length=3).numbers().shape == (0, 3)


def test_the_first_row_must_have_a_vector() -> None:
    with pytest.raises(UserError, match="row 1, column 'embedding': must be a vector"):
        read(batch([[], [1.0]]))
