"""Parquet files: their rows in batches, and what is damaged."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rarelabels.data.table import parsing
from rarelabels.data.table.batch import BATCH_ROWS
from small_tables import refused, small, spec


def parquet_bytes() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"plot": ["x"] * 10, "tags": ["a|b"] * 10}), sink)
    return sink.getvalue()


def test_a_parquet_file_cut_short(tmp_path: Path) -> None:
    line = refused(small(tmp_path / "a.parquet", parquet_bytes()[:-20]))
    assert line.startswith("a.parquet: cannot be read, or is damaged: ")


@pytest.mark.parametrize("n", [12, 3 * BATCH_ROWS])
def test_a_long_file_is_read_as_a_short_one(n: int, tmp_path: Path) -> None:
    """Later row groups have line breaks, gaps and other texts; decimals are numbers."""
    late = n - 5
    plots = [f"word {i}" for i in range(late)] + [f"line {i}\nend" for i in range(late, n)]
    numbers = [*map(Decimal, range(late)), None, *(Decimal(i) + Decimal("0.25") for i in range(late + 1, n))]
    columns = {"plot": plots, "tags": ["a|b"] * late + ["a"] * 5, "x": numbers}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet", row_group_size=max(n // 7, 5))
    read = parsing.parse(spec(tmp_path / "a.parquet", numeric=("x",)))
    np.testing.assert_array_equal(read.numeric[:, 0], [np.nan if one is None else float(one) for one in numbers])
    assert read.text["plot"].to_lists()[-1] == ["line", str(n - 1), "end"]
    assert read.y.sum(axis=0).tolist() == [n, late]
