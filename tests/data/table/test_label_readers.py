"""Columns of labels: names in one cell, or a 0/1 column for each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from rarelabels.data.table import label_readers, parsing
from small_tables import NAMES, PLOTS, TAGS, refused, rows_of, same, spec, ten, write


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


UNKNOWN = {"columns": ("a", "b"), "unknown": ("", -1, "U")}


@pytest.mark.parametrize("cells", [("", "-1", " u "), (None, -1, "U"), (float("nan"), -1.0, "-1.0")])
def test_declared_cells_are_not_known(cells: tuple[Any, ...], tmp_path: Path) -> None:
    rows = rows_of(plot=PLOTS, a=[*cells, *[1, 0] * 3, 1], b=[1, 0] * 5)
    path = write(tmp_path / "a.jsonl", rows)
    path.write_text(path.read_text().replace("NaN", "null"))
    read = parsing.parse(spec(path, labels=UNKNOWN))
    assert read.known is not None
    assert read.known[:, 0].tolist() == [False] * 3 + [True] * 7
    assert read.known[:, 1].all()
    assert read.y[:, 0].tolist() == [0, 0, 0, 1, 0, 1, 0, 1, 0, 1]
    assert (read.strata == read.y).all()
    assert read.y.dtype == np.uint8


def test_cells_that_are_not_declared_are_still_refused_and_the_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plot,a,b", row="x,1,0", rows={7: "x,1,?", 8: "x,,1"}))
    line = refused(spec(path, labels=UNKNOWN))
    assert "row 7 (line 8), column 'b': must be 0 or 1 (or no or yes, false or true), for a label; given '?'" in line
    assert "dataset.labels.unknown" in line


def test_where_no_cell_is_unknown_the_table_is_that_without_the_declaration(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, a=[1, 0] * 5, b=[0] * 9 + [1]))
    read = parsing.parse(spec(path, labels=UNKNOWN))
    assert read.known is None
    assert same(read, parsing.parse(spec(path, labels={"columns": ("a", "b")})))


def test_unknown_cells_are_no_rows_of_a_label(tmp_path: Path) -> None:
    rows = rows_of(plot=PLOTS, is_a=[1] * 5 + [""] * 5, is_b=[1, 0] * 5, is_c=[""] * 9 + [1])
    path = write(tmp_path / "a.csv", rows)
    labels = {"prefix": "is_", "unknown": ("",)}
    assert parsing.label_rows(spec(path, labels=labels)) == {"a": 5, "b": 5, "c": 1}
    read = parsing.parse(spec(path, labels=labels | {"min_rows": 2}))
    assert read.labels == ("a", "b")
    assert read.known is not None
    assert read.known.sum(axis=0).tolist() == [5, 10]


NOT = ["b", "", "a", "a|b|c", "", "", "", "d", "", ""]


def test_a_second_column_lists_what_was_not_annotated(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS, open=NOT))
    read = parsing.parse(spec(path, labels=NAMES | {"not_annotated": "open"}))
    assert read.labels == ("c", "a", "b", "d")
    assert read.known is not None
    unknown = [[read.labels[i] for i in np.flatnonzero(~row)] for row in read.known]
    assert unknown == [["b"], [], ["a"], ["c", "a", "b"], [], [], [], ["d"], [], []]
    rare = parsing.parse(spec(path, labels=NAMES | {"not_annotated": "open", "min_rows": 4}))
    assert rare.known is not None
    assert rare.known[7].all()  # d is no label any more


def test_a_second_column_lists_what_was_annotated_and_what_a_row_has_is_known(tmp_path: Path) -> None:
    looked = ["a|b", "", "a", "a|b|c|d", *["c"] * 6]
    path = write(tmp_path / "a.jsonl", rows_of(plot=PLOTS, tags=TAGS, looked=looked))
    read = parsing.parse(spec(path, labels=NAMES | {"annotated": "looked"}))
    assert read.known is not None
    known = [{read.labels[i] for i in np.flatnonzero(row)} for row in read.known]
    assert known[:4] == [{"a", "b", "c"}, {"b"}, {"a", "b", "c"}, {"a", "b", "c", "d"}]
    assert known[6] == {"a", "c", "d"}


def test_a_label_that_a_row_has_cannot_be_unlooked_at(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS, open=[*NOT[:9], "b"]))
    line = refused(spec(path, labels=NAMES | {"not_annotated": "open"}))
    assert line.startswith("a.csv: row 10 has the label 'b' in column 'tags', and column 'open'")


@pytest.mark.parametrize("key", ["annotated", "not_annotated"])
def test_a_name_that_is_no_label_is_a_typing_error(key: str, tmp_path: Path) -> None:
    tags = ["river", "market"] * 5
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=tags, second=["rivr"] + [""] * 9))
    line = refused(spec(path, labels={"column": "tags", key: "second"}))
    assert f"column 'second' (dataset.labels.{key}) names 'rivr', which no row has" in line
    assert "did you mean 'river'?" in line


@pytest.mark.parametrize("key", ["annotated", "not_annotated"])
def test_a_label_that_was_looked_for_and_that_no_row_has_is_none(key: str, tmp_path: Path) -> None:
    second = ["c|glacier", *["c"] * 9]
    path = write(tmp_path / "a.jsonl", rows_of(plot=PLOTS, tags=["a|b"] * 5 + ["a"] * 5, second=second))
    read = parsing.parse(spec(path, labels=NAMES | {key: "second"}))
    assert read.labels == ("a", "b")
    known = np.ones((10, 2), bool)
    if key == "annotated":
        known[5:, 1] = False  # what a row has is known
    assert (known if read.known is None else read.known).tolist() == known.tolist()


def test_a_second_column_that_is_missing_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS))
    assert "'seen' (dataset.labels.annotated)" in refused(spec(path, labels=NAMES | {"annotated": "seen"}))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (NAMES | {"annotated": "x", "not_annotated": "y"}, "not both"),
        (NAMES | {"unknown": ("",)}, "unknown goes with columns or prefix"),
        ({"prefix": "is_", "annotated": "x"}, "annotated goes with column"),
        ({"prefix": "is_", "unknown": ("", 0)}, "0 is a label"),
        ({"prefix": "is_", "unknown": ("True",)}, "'True' is a label"),
        (NAMES | {"annotated": "tags"}, "names a column twice: tags"),
        (NAMES | {"annotated": "plot"}, "names a column twice: plot"),
    ],
)
def test_declarations_that_contradict_each_other(labels: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=said):
        spec(tmp_path / "a.csv", labels=labels)
