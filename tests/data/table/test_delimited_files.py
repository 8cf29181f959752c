"""CSV and TSV: rows with other widths, and quotes that do not close."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarelabels.data.table.batch import BATCH_ROWS
from small_tables import refused, small, ten


@pytest.mark.parametrize(("row", "has"), [("x", 1), ("x,a,b", 3)])
def test_a_row_with_too_few_or_too_many_cells(row: str, has: int, tmp_path: Path) -> None:
    text = ten(rows={1: '"x\ny",a', 3: "\nx,a", 7: row})  # a line break in a cell, and a blank line
    assert refused(small(tmp_path / "a.csv", text)) == (
        f"a.csv: row 7 (line 10): has {has} cells, but the header has 2; put quotes around a cell that holds ',' "
        "or a line break"
    )


def test_a_row_beyond_the_first_batch_is_named(tmp_path: Path) -> None:
    n = BATCH_ROWS
    text = "plot,tags\n" + "x,a|b\n" * n + "x\n"
    assert refused(small(tmp_path / "a.csv", text)).startswith(f"a.csv: row {n + 1} (line {n + 2}): has 1 cells")


def test_a_quote_that_is_never_closed(tmp_path: Path) -> None:
    line = refused(small(tmp_path / "a.csv", ten(rows={4: 'x,"a|b'})))
    assert line.startswith("a.csv: row 4 (line 5): a quote that opens a cell is never closed")
    line = refused(small(tmp_path / "a.csv", ten('"plot,tags')))
    assert line.startswith("a.csv: the header (line 1): a quote that opens a cell is never closed")


def test_text_after_a_quote(tmp_path: Path) -> None:
    line = refused(small(tmp_path / "a.csv", ten(rows={4: '"say "no"",a'})))
    assert line.startswith("a.csv: row 4 (line 5): text follows the closing quote of a cell")
