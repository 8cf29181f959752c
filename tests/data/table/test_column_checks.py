"""Columns that a declaration names and the file does not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from small_tables import refused, rows_of, small, spec, ten, write


def test_a_missing_column_with_the_nearest_one(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plott,tags,year", row="x,a|b,1"))
    assert refused(spec(path, numeric=("age",))) == (
        "a.csv: has no column 'plot' (dataset.text; did you mean 'plott'?), 'age' (dataset.numeric); "
        "the columns are 'plott', 'tags', 'year'"
    )
    for key, values in {
        "dataset.lists[0]": {"lists": ({"column": "tag"},)},
        "dataset.id": {"id": "tag"},
        "dataset.group": {"group": "tag"},
        "dataset.split": {"split": "tag"},
        "dataset.labels.column": {"labels": {"column": "tag", "separator": "|"}},
        "dataset.labels.columns": {"labels": {"columns": ("tag", "year")}},
    }.items():
        assert f"'tag' ({key}; did you mean 'tags'?)" in refused(spec(path, **({"text": ("plott",)} | values)))


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_a_missing_column_of_other_formats(suffix: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"a.{suffix}", rows_of(plto=["x"] * 10, tags=["a|b"] * 10))
    assert "has no column 'plot' (dataset.text; did you mean 'plto'?)" in refused(spec(path))


@pytest.mark.parametrize(("name", "other"), [("a.csv", ";"), ("a.csv", "\t"), ("a.tsv", ",")])
def test_a_table_with_another_separator_between_its_cells(name: str, other: str, tmp_path: Path) -> None:
    line = refused(small(tmp_path / name, ten(f"plot{other}tags", row=f"x{other}a|b")))
    assert f"has one column only, {f'plot{other}tags'!r}; it looks separated by {other!r}; " in line
    assert f"set dataset.delimiter to {other!r} (init: --delimiter)" in line


def test_a_prefix_that_too_few_columns_have(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plot,is_a,tags", row="x,1,a|b"))
    assert refused(spec(path, labels={"prefix": "is_"})) == (
        "a.csv: dataset.labels.prefix: at least two columns must begin with 'is_'; given 'is_a'; "
        "the columns are 'plot', 'is_a', 'tags'"
    )
    assert "given none; did you mean 'is_a'?" in refused(spec(path, labels={"prefix": "iss_"}))


def test_a_prefix_that_takes_an_input_for_a_label(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(ten("plot,p_a,p_b,p_", row="x,1,0,1"))
    assert "column 'plot' begins with dataset.labels.prefix 'p', so it is a label, but dataset.text names it, too" in (
        refused(spec(path, labels={"prefix": "p"}))
    )
    assert "column 'p_' is the prefix alone, so its label has no name" in refused(spec(path, labels={"prefix": "p_"}))
