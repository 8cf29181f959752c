"""Columns of prose, names and numbers: what a model gets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rarelabels.data.table import parsing
from rarelabels.data.unsplit import Table
from small_tables import PLOTS, TAGS, refused, rows_of, spec, ten, write


@pytest.mark.parametrize(
    ("cell", "given"),
    [(text, repr(text)) for text in ("-inf", "1e999", "cheap", "1_000", "3 EUR", "0x1F", "n/a")],
)
def test_a_number_that_is_none(cell: str, given: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plot,x,y,tags", row="x, 1 ,2,a|b", rows={3: f"x,1,{cell},a", 5: f"x,{cell},{cell},a"}))
    assert refused(spec(path, numeric=("x", "y"))) == (
        f"a.csv: row 3 (line 4), column 'y': {given} is not a finite number; in all 2 in 'y', 1 in 'x'; "
        "write a number, or leave the cell empty if there is none, or take the column out of dataset.numeric"
    )


@pytest.mark.parametrize(
    ("value", "given"),
    [(float("inf"), "inf"), ("x", "'x'"), ([1], "[1]")],
)
def test_a_number_that_is_none_in_other_formats(value: object, given: str, tmp_path: Path) -> None:
    rows = [{"plot": "x", "tags": "a|b", "x": 2}] * 4 + [{"plot": "x", "tags": "a", "x": value}] * 6
    line = refused(spec(write(tmp_path / "a.jsonl", rows), numeric=("x",)))
    assert line.startswith(f"a.jsonl: row 5 (line 5), column 'x': {given} is not a finite number; in all 6 in 'x'")
    if isinstance(value, float):
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")  # pandas would write NaN as null
        line = refused(spec(tmp_path / "a.parquet", numeric=("x",)))
        assert line.startswith(f"a.parquet: row 5, column 'x': {given} is not a finite number; in all 6 in 'x'")


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_a_missing_number_is_nan(suffix: str, tmp_path: Path) -> None:
    cells: list[object] = [1.5, None, 0.0, float("nan"), 4.0, 5.0, None, 7.0, 8.0, 9.0]
    path = tmp_path / f"a.{suffix}"
    if suffix == "parquet":  # pandas would write NaN as null
        rows = [{"plot": "x", "tags": tags, "x": cell} for tags, cell in zip(TAGS, cells, strict=True)]
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        write(path, rows_of(plot=PLOTS, tags=TAGS, x=cells))
    read = parsing.parse(spec(path, numeric=("x",))).numeric
    np.testing.assert_array_equal(read[:, 0], [1.5, np.nan, 0, np.nan, 4, 5, np.nan, 7, 8, 9])
    assert {row.tobytes() for row in read[[1, 3, 6]]} == {np.array([np.nan]).tobytes()}  # one NaN, not several


def test_a_key_or_a_text_may_say_that_a_number_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plot,x,tags", row="x,2,a|b", rows={3: "x, ,a", 5: "x,NaN,a", 7: "x,nan,a"}))
    assert np.isnan(parsing.parse(spec(path, numeric=("x",))).numeric[:, 0]).nonzero()[0].tolist() == [2, 4, 6]


def test_a_separator_that_no_cell_of_a_list_column_has(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, cast=["Ann;Bo"] * 10, tags=TAGS))
    lists = ({"column": "plot", "separator": "|"}, {"column": "cast", "separator": ","})
    assert "set dataset.lists[1].separator to ';'" in refused(spec(path, text=(), lists=lists))


def test_a_comma_inside_a_name_is_no_separator(tmp_path: Path) -> None:
    cities = [f"{name}, France" for name in ("Paris", "Lyon", "Nice", "Brest", "Lille", "Nantes", "Metz", "Reims")]
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, city=[*cities, "Rome, Italy", "Oslo, Norway"], tags=TAGS))
    read = parsing.parse(spec(path, text=(), lists=({"column": "city"},)))
    assert read.text["city"].to_lists()[0] == ["Paris, France"]


def test_a_separator_of_what_is_a_list_already(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", rows_of(plot=PLOTS, tags=[None, *[["a", "b"]] * 9]))
    assert refused(spec(path)) == (
        "a.jsonl: row 2 (line 2), column 'tags': is a list already; leave dataset.labels.separator out"
    )


@pytest.mark.parametrize("entry", [1.5, True, {"name": "a"}, ["a"]])
def test_an_entry_that_is_no_name(entry: object, tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", rows_of(plot=PLOTS, tags=[["a", "b"]] * 9 + [["a", entry]]))
    line = refused(spec(path, labels={"column": "tags"}))
    assert line.startswith("a.jsonl: row 10 (line 10), column 'tags': must be text or a whole number; given ")


@pytest.mark.parametrize("suffix", ["csv", "tsv", "jsonl", "parquet"])
def test_a_category_is_one_value_for_each_row(suffix: str, tmp_path: Path) -> None:
    colours = ["red", " red ", "", "a|b", "Red", "x, y", "red", "", "7", "red"]
    path = write(tmp_path / f"a.{suffix}", rows_of(plot=PLOTS, tags=TAGS, colour=colours))
    read = parsing.parse(spec(path, categories=("colour",)))
    expected = [["red"], ["red"], [""], ["a|b"], ["Red"], ["x, y"], ["red"], [""], ["7"], ["red"]]
    assert read.categories["colour"].to_lists() == expected
    assert list(read.text) == ["plot"]
    assert Table.from_arrays(read.to_arrays()).categories["colour"].to_lists() == expected


def test_whole_numbers_and_nulls_are_values_and_lists_are_not(tmp_path: Path) -> None:
    rows = rows_of(plot=PLOTS, tags=TAGS, size=[1, None, 2.0, "x", 1, 1, 1, 1, 1, 1])
    read = parsing.parse(spec(write(tmp_path / "a.jsonl", rows), categories=("size",)))
    assert read.categories["size"].to_lists()[:5] == [["1"], [""], ["2"], ["x"], ["1"]]
    rows[3]["size"] = ["x", "y"]
    assert refused(spec(write(tmp_path / "a.jsonl", rows), categories=("size",))) == (
        "a.jsonl: row 4 (line 4), column 'size': must be text or a whole number; given ['x', 'y']; write the column as "
        "text"
    )
    assert "'hue' (dataset.categories" in refused(spec(tmp_path / "a.jsonl", categories=("hue",)))


def test_a_list_may_say_what_each_entry_counts(tmp_path: Path) -> None:
    bags = [{"sea": 2, "sky": 0.5, "none": 0, "null": None}, ["sky"], None, {}, "sun", {"sky": -3}, *[[]] * 4]
    path = write(tmp_path / "a.jsonl", rows_of(tags=TAGS, bag=bags))
    tokens = parsing.parse(spec(path, text=(), lists=[{"column": "bag"}])).text["bag"]
    assert tokens.to_lists()[:6] == [["sea", "sky"], ["sky"], [], [], ["sun"], ["sky"]]
    assert tokens.values is not None
    assert tokens.values.tolist() == [2, 0.5, 1, 1, -3]
    write(path, rows_of(tags=TAGS, bag=[["a"], {"sea": "much"}, *[[]] * 8]))
    assert refused(spec(path, text=(), lists=[{"column": "bag"}])) == (
        "a.jsonl: row 2 (line 2), column 'bag': entry 'sea': its value must be a finite number; given 'much'"
    )
    write(path, rows_of(tags=TAGS, bag=[["a"], {"sea": -1e200}, *[[]] * 8]))
    assert refused(spec(path, text=(), lists=[{"column": "bag"}])).endswith(
        "entry 'sea': its value must be a finite number from -1e+150 to 1e+150; given -1e+200"
    )


@pytest.mark.parametrize("cell", ["1e151", "-1.7e308"])
def test_a_number_whose_square_may_be_infinite_is_refused(cell: str, tmp_path: Path) -> None:
    """Its column would silently become 0 when it is standardised."""
    path = tmp_path / "a.csv"
    path.write_text(ten("plot,x,tags", row="x,-1e150,a|b", rows={3: f"x,{cell},a"}))
    assert refused(spec(path, numeric=("x",))).startswith(
        f"a.csv: row 3 (line 4), column 'x': {cell!r} is not a finite number from -1e+150 to 1e+150; in all 1 in 'x'; "
    )


def test_a_number_that_is_too_large_is_told_so_with_other_signs_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plot;x;tags", row="x;1,5;a|b", rows={3: "x;1e200;a"}))
    assert "'1e200' is not a finite number from -1e+150 to 1e+150 with ',' before its decimals; in all 1" in refused(
        spec(path, numeric=("x",), delimiter=";", decimal=",")
    )


def test_a_number_with_other_signs_than_declared_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plot;x;tags", row="x;1.234,5;a|b", rows={3: "x;0.5;a"}))
    assert refused(spec(path, numeric=("x",), delimiter=";", decimal=",", thousands=".")).startswith(
        "a.csv: row 3 (line 4), column 'x': '0.5' is not a finite number with ',' before its decimals and '.' between "
        "groups of digits; in all 1 in 'x'; "
    )


def test_numbers_that_are_no_text_need_no_signs(tmp_path: Path) -> None:
    rows = rows_of(plot=PLOTS, tags=TAGS, x=[0.5, "1,5", 2, None, *[3] * 6])
    read = parsing.parse(spec(write(tmp_path / "a.jsonl", rows), numeric=("x",), decimal=","))
    np.testing.assert_array_equal(read.numeric[:5, 0], [0.5, 1.5, 2, np.nan, 3])


@pytest.mark.parametrize(("brackets", "cell"), [("[]", "['a', 'b']"), ("{}", "{a,b}"), ("<>", "<a><b>")])
def test_lists_in_brackets(brackets: str, cell: str, tmp_path: Path) -> None:
    casts = [cell, "", brackets[:2] if brackets != "<>" else "", *[cell] * 7]
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS, cast=casts))
    lists = ({"column": "cast", "separator": brackets},)
    assert parsing.parse(spec(path, lists=lists)).text["cast"].to_lists()[:4] == [["a", "b"], [], [], ["a", "b"]]
    write(path, rows_of(plot=PLOTS, tags=TAGS, cast=[*casts[:9], "a, b"]))
    assert refused(spec(path, lists=lists)).endswith(
        f"column 'cast': must be a list of names in {brackets} (dataset.lists[0].separator); given 'a, b'"
    )
