"""Single cells as text, names and numbers."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from small_tables import refused, rows_of, small, spec, ten, write

JSON_LINES = '{"plot": "x", "tags": "a|b"}\n' * 10


def test_bytes_that_are_not_utf_8(tmp_path: Path) -> None:
    text = ten(rows={2: "Été,a|b"}).encode("latin-1")
    line = refused(small(tmp_path / "a.csv", text))
    assert line.startswith("a.csv: row 2 (line 3), column 'plot': is not UTF-8 text; given ")
    assert line.endswith(
        "the file is likely cp1252: set dataset.encoding to cp1252 (init: --encoding cp1252), or save the file as UTF-8"
    )
    assert line.isprintable()
    line = refused(small(tmp_path / "a.csv", ten("plot,tags,é", row="x,a|b,1").encode("latin-1")))
    assert "the name of column '\\udce9' is not UTF-8 text" in line
    line = refused(small(tmp_path / "a.jsonl", JSON_LINES.encode() + b'{"plot": "\xe9"}'))
    assert line.startswith("a.jsonl: row 11 (line 11): is not UTF-8 text (byte 11 of the line)")
    line = refused(small(tmp_path / "a.jsonl", JSON_LINES + '{"plot": "\\ud800", "tags": ""}'))
    assert line.startswith("a.jsonl: row 11 (line 11), column 'plot': holds half of a pair of surrogates")
    assert "UTF-8" not in line  # the file is ASCII
    words = pa.array(["x"] * 6 + [b"\xff".decode("latin-1")] + ["x"] * 3).cast(pa.binary()).to_pylist()
    words[6] = b"\xff"
    broken = pa.Array.from_buffers(pa.string(), 10, pa.array(words, pa.binary()).buffers())
    pq.write_table(pa.table({"plot": broken, "tags": ["a|b"] * 10}), tmp_path / "a.parquet")
    line = refused(spec(tmp_path / "a.parquet"))
    assert line == "a.parquet: row 7, column 'plot': is not UTF-8 text; write the column as UTF-8"


@pytest.mark.parametrize(("value", "given"), [(3.5, "3.5"), (["a", "b"], "['a', 'b']"), (True, "True")])
def test_text_that_is_not_text(value: object, given: str, tmp_path: Path) -> None:
    expected = f"column 'plot': must be text; given {given}; write it as text, or declare the column under "
    lines = [{"plot": "x", "tags": "a|b"}] * 6 + [{"plot": value, "tags": "a"}] + [{"plot": "x", "tags": "a|b"}] * 3
    assert refused(spec(write(tmp_path / "a.jsonl", lines))).startswith(f"a.jsonl: row 7 (line 7), {expected}")
    path = write(tmp_path / "a.parquet", rows_of(plot=[None] * 6 + [value] * 4, tags=["a|b"] * 10))
    if value is not True and not isinstance(value, float):  # pandas makes NaN of None beside numbers
        assert refused(spec(path)).startswith(f"a.parquet: row 7, {expected}")
    else:
        assert "column 'plot': must be text" in refused(spec(path))
