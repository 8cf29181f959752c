"""Parquet files: their rows in batches, and what is damaged."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from small_tables import refused, small


def parquet_bytes() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"plot": ["x"] * 10, "tags": ["a|b"] * 10}), sink)
    return sink.getvalue()


def test_a_parquet_file_cut_short(tmp_path: Path) -> None:
    line = refused(small(tmp_path / "a.parquet", parquet_bytes()[:-20]))
    assert line.startswith("a.parquet: cannot be read, or is damaged: ")
