"""JSON Lines: a line for each row."""

from __future__ import annotations

from pathlib import Path

import pytest

from small_tables import refused, small

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
