"""Columns of labels: names in one cell, or a 0/1 column for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rarelabels.data.table import label_readers, parsing
from small_tables import NAMES, PLOTS, TAGS, refused, rows_of, spec, ten, write


@pytest.mark.parametrize(
    "values", [(True, False), (1.0, 0.0), ("1.0", " 0 "), ("TRUE", "false"), ("Yes", "no"), ("t", "f"), ("1,0", "0,0")]
)
def test_what_counts_as_one_and_as_zero(values: tuple[Any, Any], tmp_path: Path) -> None:
    rows = rows_of(plot=PLOTS, a=[values[0], values[1]] * 5, b=[values[1]] * 9 + [values[0]])
    for suffix in ("csv", "jsonl", "parquet"):
        read = parsing.parse(spec(write(tmp_path / f"a.{suffix}", rows), labels={"columns": ("a", "b")}))
        assert read.y[:, 0].tolist() == [1, 0] * 5
        assert read.y[:, 1].tolist() == [0] * 9 + [1]


def test_rare_names_are_no_labels(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS))
    read = parsing.parse(spec(path, labels=NAMES | {"min_rows": 4}))
    assert read.labels == ("c", "a", "b")
    assert read.y[6].tolist() == [1, 1, 0]
    assert read.strata.shape == (10, 3)


def test_whole_numbers_may_be_names_and_nothing_is_none(tmp_path: Path) -> None:
    # pandas turns whole numbers with a gap into floats, and None into NaN.
    rows = rows_of(plot=[None, *PLOTS[1:]], tags=[[1, 3], [3], None, [], *[[3]] * 6], who=[7.0, None, *[8.0] * 8])
    for suffix in ("jsonl", "parquet"):
        read = parsing.parse(spec(write(tmp_path / f"a.{suffix}", rows), labels={"column": "tags"}, group="who"))
        assert read.labels == ("3", "1")
        assert read.y[:4].tolist() == [[1, 1], [1, 0], [0, 0], [0, 0]]
        assert read.text["plot"].to_lists()[0] == []
        assert read.groups is not None
        assert read.groups.tolist() == [0, 1, *[2] * 8]


def test_a_column_of_single_names_needs_no_separator(tmp_path: Path) -> None:
    read = parsing.parse(
        spec(write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=["x"] * 6 + ["y, z"] * 4)), labels={"column": "tags"})
    )
    assert read.labels == ("x", "y, z")


@pytest.mark.parametrize(
    ("cell", "given"), [("2", "'2'"), ("maybe", "'maybe'"), ("", "an empty cell"), ("0.5", "'0.5'"), ("-1", "'-1'")]
)
def test_labels_that_are_not_zero_or_one(cell: str, given: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plot,is_a,is_b", row="x,1,0", rows={7: f"x,1,{cell}"}))
    for labels in ({"columns": ("is_a", "is_b")}, {"prefix": "is_"}):
        line = refused(spec(path, labels=labels))
        must = "must be 0 or 1 (or no or yes, false or true), for a label"
        assert line.startswith(f"a.csv: row 7 (line 8), column 'is_b': {must}; given {given}; mend it, or")
        assert ("if 'is_b' is no label" in line) == ("prefix" in labels)
        assert ("take 'is_b' out of dataset.labels.columns" in line) == ("columns" in labels)
    rows = [{"plot": "x", "is_a": 1, "is_b": 0}] * 9 + [{"plot": "x", "is_a": [1], "is_b": 0}]
    line = refused(spec(write(tmp_path / "a.jsonl", rows), labels={"prefix": "is_"}))
    assert line.startswith("a.jsonl: row 10 (line 10), column 'is_a': must be 0 or 1 ")
    assert "; given [1]; " in line


@pytest.mark.parametrize(
    ("declared", "likely"), [(";", "|"), ("|", ";"), ("|", ","), ("|", "\t"), (" / ", ";"), (None, "|")]
)
def test_a_separator_that_no_cell_has(declared: str | None, likely: str, tmp_path: Path) -> None:
    cells = ["a", "", f"a{likely}b", *[f"b{likely}c"] * 7]
    declared_labels = {"column": "tags"} | ({"separator": declared} if declared else {})
    line = refused(spec(write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=cells)), labels=declared_labels))
    what = f"separator {declared!r} is in none of its" if declared else "has no declared separator; of its"
    # PLOTS has a cell with a line break in row 5, after the first such text in row 3.
    assert line == (
        f"a.csv: column 'tags': {what} 9 texts, {likely!r} is in 8, first in {tmp_path}/a.csv: row 3 (line 4): "
        f"{f'a{likely}b'!r}; set dataset.labels.separator to {likely!r}, or to 'none' "
        "if each text is one name"
    )


def test_a_separator_that_few_cells_have_is_missed_too(tmp_path: Path) -> None:
    tags = ["a", "b", "c", "a;b", "b;c", "a;c", "a", "b", "c", "a;b;c"]
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=tags))
    for declared in ({}, {"separator": "|"}):
        assert "set dataset.labels.separator to ';'" in refused(spec(path, labels={"column": "tags"} | declared))
    one = parsing.parse(spec(path, labels={"column": "tags", "separator": "none"}))
    assert one.labels == ("a", "b", "c", "a;b", "a;b;c", "a;c", "b;c")


def test_columns_without_a_one_can_be_left_out(tmp_path: Path) -> None:
    flags = {"is_a": [1, 1, 0] * 3 + [0], "is_b": [0, 1, 1] * 3 + [0], "is_c": [0] * 10, "is_d": [1] + [0] * 9}
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, **flags))
    assert refused(spec(path, labels={"prefix": "is_"})) == (
        "a.csv: no row has a 1 in 'is_c'; to leave such labels out, say dataset.labels.min_rows: 2"
    )
    read = parsing.parse(spec(path, labels={"prefix": "is_", "min_rows": 2}))
    assert read.labels == ("a", "b")
    assert read.y.sum(axis=0).tolist() == [6, 6]
    assert "at least two labels that 7 rows have" in refused(spec(path, labels={"prefix": "is_", "min_rows": 7}))


def test_a_separator_that_some_cells_have_is_right(tmp_path: Path) -> None:
    tags = ["a;b", *["c, d"] * 9]
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=tags))
    assert parsing.parse(spec(path, labels={"column": "tags", "separator": ";"})).labels == ("c, d", "a", "b")


@pytest.mark.parametrize(
    ("tags", "min_rows", "says"),
    [
        (["a"] * 10, 1, "needs at least two labels; given 'a'"),
        ([""] * 10, 1, "needs at least two labels; given none"),
        (["a|b"] * 2 + ["a"] * 8, 3, "needs at least two labels that 3 rows have (dataset.labels.min_rows); given 'a'"),
    ],
)
def test_fewer_than_two_labels(tags: list[str], min_rows: int, says: str, tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=tags))
    assert refused(spec(path, labels=NAMES | {"min_rows": min_rows})) == f"a.csv: column 'tags': {says}"


def test_more_labels_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_readers, "MAX_LABEL_CELLS", 39)
    assert "4 labels of 10 rows need 0 GB" in refused(spec(write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS))))
