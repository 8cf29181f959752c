"""JSON Lines: a line for each row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rarelabels.data.table import parsing
from rarelabels.data.table.batch import BATCH_ROWS
from small_tables import refused, small, spec, write

JSON_LINES = '{"plot": "x", "tags": "a|b"}\n' * 10


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("plot,a|b", "must be one JSON object; given 'plot,a|b"),
        ('{"plot": "x", "tags"}', "must be one JSON object; given"),
        ('["x", "a|b"]', "must be one JSON object, {column: value, ...}; given ['x', 'a|b']"),
        ("null", "must be one JSON object, {column: value, ...}; given None"),
        ('{"plot": "x", "plot": "y"}', "(a key is given twice)"),
        ("[" * 100_000, "must be one JSON object; given"),
    ],
)
def test_a_line_that_is_no_json_object(text: str, says: str, tmp_path: Path) -> None:
    lines = JSON_LINES.splitlines()
    line = refused(small(tmp_path / "a.jsonl", "\n".join([*lines[:2], "", text, *lines])))
    assert line.startswith("a.jsonl: row 3 (line 4): ")
    assert says in line


@pytest.mark.parametrize("n", [12, 3 * BATCH_ROWS])
def test_a_long_file_is_read_as_a_short_one(n: int, tmp_path: Path) -> None:
    """Later blocks have other types, line breaks and keys."""
    late = n - 5
    rows: list[dict[str, Any]] = [{"plot": f"word {i}", "tags": ["a", "b"], "x": i} for i in range(late)]
    rows += [{"plot": f"line {i}\nend", "tags": ["a"], "x": f"{i}.5", "new": [i]} for i in range(late, n)]
    read = parsing.parse(spec(write(tmp_path / "a.jsonl", rows), labels={"column": "tags"}, numeric=("x",)))
    assert read.numeric[:, 0].tolist() == [*range(late), *(i + 0.5 for i in range(late, n))]
    assert read.text["plot"].to_lists()[-1] == ["line", str(n - 1), "end"]
    assert read.y.sum(axis=0).tolist() == [n, late]
