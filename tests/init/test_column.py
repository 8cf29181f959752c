"""What the cells of one column have in common."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rarelabels.data.table.batch import Batch
from rarelabels.data.table.number_signs import NumberSigns
from rarelabels.errors import UserError
from rarelabels.init import column
from rarelabels.init.column import Column


def seen(name: str, *batches: list[Any]) -> Column:
    looked, first = Column(name), 1
    for cells in batches:
        looked.add(Batch(Path("a.csv"), first, len(cells), None, {name: cells}))
        first += len(cells)
    return looked


@pytest.mark.parametrize(
    ("cells", "is_flags"),
    [
        (["0", "1", "1"], True),
        ([True, False, True], True),
        (["0.0", "1.0", "1"], True),
        (["0", "1", ""], False),
        (["0", "1", "2"], False),
        ([["0"], ["1"], ["1"]], False),
    ],
)
def test_flags(cells: list[Any], is_flags: bool) -> None:
    assert seen("a", cells).is_flags is is_flags


def test_flags_and_numbers_are_so_over_all_batches() -> None:
    assert not seen("a", ["0", "1"], ["0", "x"]).is_flags
    numbers = seen("a", ["2", "4"], ["x", "8"])
    assert (numbers.is_numeric, numbers.not_numbers, numbers.first_not_number) == (True, 1, "row 3: 'x'")
    assert (numbers.low, numbers.high) == (2, 8)
    assert not seen("a", ["x", "y"], ["1"]).is_numeric


@pytest.mark.parametrize(
    ("name", "cells", "is_id"),
    [
        ("id", ["a", "b", "c"], True),
        ("filmId", [1, 2, 3], True),
        ("film_id", ["a", "a", "b"], False),
        ("title", ["a", "b", "c"], False),
        ("id", ["a", "b", "c" * 201], False),
    ],
)
def test_an_id_is_called_so_and_names_every_row(name: str, cells: list[Any], is_id: bool) -> None:
    assert seen(name, cells).is_id is is_id


def test_numbers_that_count_the_rows() -> None:
    assert seen("n", [0, 1], [2, 3]).counts_rows
    assert seen("n", [1, 2], [3, 4]).counts_rows
    assert not seen("n", [1, 2], [3, 5]).counts_rows


def test_parts_are_said_in_every_row() -> None:
    assert seen("split", ["train", " Test ", "validation"]).says_parts
    assert not seen("split", ["train", "test", "train"]).says_parts
    assert not seen("split", ["train", "", "validation", "test"]).says_parts


def test_an_unknown_column_is_told_with_the_nearest_and_the_first_of_all() -> None:
    with pytest.raises(UserError) as error:
        column.unknown_column(Path("a.csv"), [f"column{i}" for i in range(40)], "--text", "colum0")
    assert str(error.value).startswith(
        "--text: a.csv has no column 'colum0'; did you mean 'column0'?; the columns are "
    )
    assert str(error.value).endswith("'column29' and 10 more")


@pytest.mark.parametrize(
    ("cells", "parts"),
    [
        (["Train", "val", "test"], {"Train": "train", "val": "validation", "test": "test"}),
        (["train", "test", "train"], {"train": "train", "test": "test"}),
        (["train", "train"], {}),
        (["train", "plane"], {}),
        (["train", "", "test"], {}),
        ([["train"], ["test"]], {}),
    ],
)
def test_words_for_parts(cells: list[Any], parts: dict[str, str]) -> None:
    assert seen("x", cells).parts == parts
    assert seen("x", cells[:1] * 9_000, cells[1:]).parts == parts


@pytest.mark.parametrize(
    ("cells", "word"), [(["no", "YES"], "YES"), (["n", "y"], "y"), (["f", "t"], "t"), ([0, 1], ""), (["true", "0"], "")]
)
def test_the_word_for_one(cells: list[Any], word: str) -> None:
    assert seen("x", cells).is_flags
    assert seen("x", cells).word_of_one == word


def test_decimals_are_numbers_and_too_large_ones_are_counted() -> None:
    assert seen("x", [Decimal("1.5"), Decimal(2)]).kinds == {"number"}
    large = seen("x", ["1e300", "-1e300", "3"])
    assert (large.is_numeric, large.not_numbers, large.too_large) == (True, 2, 2)


def test_numbers_in_other_signs_are_counted() -> None:
    looked = seen("x", ["1", "2"], ["3,5", "4,5"])
    assert looked.others == 2
    assert looked.is_read_by(NumberSigns(","))
    assert not looked.is_read_by(NumberSigns(".", ","))
    assert not seen("x", ["a", "b,c"]).is_read_by(NumberSigns(","))
