"""The seven rows of the three-classes thread."""

from __future__ import annotations

import numpy as np

from rarelabels.data import loading, splits
from rarelabels.data.sources import thread_rows
from rarelabels.declare.data import ThreadRowsSpec

ROWS = ThreadRowsSpec(kind="thread_rows")


def test_the_seven_rows_are_those_of_the_thread_each_with_its_own_input() -> None:
    table = thread_rows.parse(ROWS)
    expected = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 1, 1]]
    assert table.y.tolist() == expected
    assert table.labels == ("first", "second", "third")
    assert (table.numeric == np.eye(7)).all()
    assert table.numeric_names[3] == "is_110"
    assert table.ids[3] == "110"


def test_all_three_parts_are_the_seven_rows_for_every_seed() -> None:
    for seed in (0, 1):
        data = loading.load(ROWS, seed)
        for part in (data.train, data.validation, data.test):
            assert part.ids.tolist() == list(thread_rows.ROWS)
            assert part.numeric.tolist() == np.eye(7).tolist()
        assert data.folds is None
        assert data.notes == (
            "Training, validation and test part are the same seven rows: this measures memory, nothing else.",
        )
        assert data.summary["rows"] == {"train": 7, "validation": 7, "test": 7}


def test_the_content_of_the_seven_rows_stays() -> None:
    assert thread_rows.content(ROWS) == "374272fa31f4ddc871d62c8238461ce317adb013187ae7763be77565fb765b79"
    assert len(loading.digest(ROWS)) == 64


def test_the_same_rows_thrice() -> None:
    found = splits.same_rows(3)
    assert [part.tolist() for part in (found.train, found.validation, found.test)] == [[0, 1, 2]] * 3
    assert found.folds is None
