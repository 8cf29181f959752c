"""The columns and rows of a file, whatever its format."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from rarelabels.data.table import parsing
from small_tables import refused, small, spec, ten


def test_two_columns_of_one_name(tmp_path: Path) -> None:
    expected = "two columns are called 'plot'; rename one of them"
    line = refused(small(tmp_path / "a.csv", ten("plot,tags,plot", row="x,a|b,y")))
    assert line == f"a.csv: {expected}; if that row is data, set dataset.header to false (init: --no-header)"
    columns = [pa.array(["x"] * 10), pa.array(["a|b"] * 10), pa.array(["y"] * 10)]
    pq.write_table(pa.Table.from_arrays(columns, names=["plot", "tags", "plot"]), tmp_path / "a.parquet")
    assert refused(spec(tmp_path / "a.parquet")) == f"a.parquet: {expected}"
    assert len(parsing.parse(small(tmp_path / "b.csv", ten("plot,tags,,", row="x,a|b,,"))).y) == 10
