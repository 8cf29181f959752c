"""How messages call a row and a cell."""

from __future__ import annotations

from pathlib import Path

from rarelabels.data.table.batch import Batch


def test_a_row_is_called_by_its_number_and_its_line_where_there_are_lines() -> None:
    text = Batch(Path("a.csv"), 8193, 2, [8194, 8197], {"age": ["1", "2"]})
    assert text.at(1) == "a.csv: row 8194 (line 8197)"
    assert text.at(0, "age") == "a.csv: row 8193 (line 8194), column 'age'"
    assert Batch(Path("a.parquet"), 1, 1, None, {"age": [1]}).at(0, "age") == "a.parquet: row 1, column 'age'"
