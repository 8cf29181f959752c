"""How CSV files are written: recognised, declared, and read alike whether they are short or long."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from rarelabels.data.table import parsing, table_files
from rarelabels.data.table.batch import BATCH_ROWS
from rarelabels.data.table.dialect import Dialect, looks_like_data, recognise
from small_tables import refused, spec

SHORT, LONG = 12, 3 * BATCH_ROWS


def content(rows: list[list[str]], delimiter: str) -> str:
    sink = io.StringIO()
    csv.writer(sink, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
    return sink.getvalue()


@pytest.mark.parametrize("name", ["a.csv", "a.tsv"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_the_delimiter_is_recognised(name: str, delimiter: str, mark: str, tmp_path: Path) -> None:
    path = tmp_path / name
    rows = [["plot", "tags", "size"], *[[f"a, b; c\n{i}", "x", f"{i},5"] for i in range(20)]]
    path.write_text(mark + content(rows, delimiter), encoding="utf-8", newline="")
    own = {"a.csv": ",", "a.tsv": "\t"}[name]
    found = recognise(path)
    assert found == Dialect(None if delimiter == own else delimiter)
    assert table_files.column_names(path, found) == ("plot", "tags", "size")


def test_without_a_header_decimal_commas_are_no_delimiters(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1,5;2,5\n" * 20)
    assert recognise(path, header=False) == Dialect(";", header=False)
    assert recognise(path, ",", header=False).delimiter is None


def test_utf_16_is_recognised_by_its_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_bytes(content([["plot", "tags"], *[["été", "a|b"]] * 12], "\t").encode("utf-16"))
    assert recognise(path) == Dialect(encoding="utf-16")
    read = parsing.parse(spec(path, encoding="utf-16"))
    assert read.text["plot"].to_lists() == [["été"]] * 12
    assert "or set dataset.encoding to utf-16" in refused(spec(path))


def test_a_row_that_is_too_wide_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("plot,tags\n" + "x,a|b\n" * 12 + "x,a,b\n")
    assert recognise(path) == Dialect()
    assert "row 13 (line 14): has 3 cells, but the header has 2; put quotes" in refused(spec(path))


def test_a_long_row_that_is_cut_is_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("plot;tags\n" + f'"{"word, " * 10_000}";a|b\n' * 12)
    assert recognise(path) == Dialect(";")


@pytest.mark.parametrize("n", [SHORT, LONG])
@pytest.mark.parametrize("first", [0, 1])
def test_a_first_column_without_a_name_is_skipped(n: int, first: int, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("plot,tags\n" + "".join(f"{i + first},w{i},{'ab'[i % 2]}\n" for i in range(n)))
    assert recognise(path) == Dialect(index=True)
    read = parsing.parse(spec(path, labels={"column": "tags"}, index=True))
    assert read.text["plot"].to_lists()[-1] == [f"w{n - 1}"]
    assert "if each row begins with its number" in refused(spec(path))
    path.write_text("plot,tags\n" + "".join(f"w{i},{'ab'[i % 2]}\n" for i in range(n)))
    assert parsing.parse(spec(path, labels={"column": "tags"}, index=True)).text["plot"].to_lists()[0] == ["w0"]


def test_rows_that_end_with_a_delimiter_have_no_index(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("plot,tags\n" + "".join(f"w{i},a,\n" for i in range(12)))
    assert recognise(path) == Dialect()
    assert "if each ends with ',', end the header with it, too" in refused(spec(path))


def made(n: int) -> list[dict[str, Any]]:
    """Rows whose first block has whole numbers and short texts only."""
    late = max(n - 5, n // 2)
    return [
        {
            "plot": f'line {i}\r\nand "another"; more' if i >= late else f"word {i}",
            "tags": "a|é" if i % 2 else "é",
            "size": f"{i},25" if i >= late else str(i),
            "flag": ("no", "yes")[i % 3 == 0],
        }
        for i in range(n)
    ]


@pytest.mark.parametrize("n", [SHORT, LONG])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_a_long_file_is_read_as_a_short_one(n: int, encoding: str, tmp_path: Path) -> None:
    rows = made(n)
    path = tmp_path / "a.csv"
    path.write_bytes(content([list(rows[0]), *(list(row.values()) for row in rows)], ";").encode(encoding))
    assert n == SHORT or path.stat().st_size > 2**19
    read = parsing.parse(spec(path, numeric=("size",), delimiter=";", decimal=",", encoding=encoding))
    assert read.labels == ("é", "a")
    assert read.y[:, 1].tolist() == [i % 2 for i in range(n)]
    assert np.array_equal(read.numeric[:, 0], [float(row["size"].replace(",", ".")) for row in rows])
    assert read.text["plot"].to_lists()[-1] == ["line", str(n - 1), "and", "another", "more"]


@pytest.mark.parametrize("n", [SHORT, LONG])
def test_without_a_header_columns_are_numbered_and_no_row_is_lost(n: int, tmp_path: Path) -> None:
    path = tmp_path / "a.tsv"
    path.write_text("".join(f"w{i}\ta|b\n" for i in range(n)))
    declared = {"labels": {"column": "2", "separator": "|"}, "text": ("1",), "header": False}
    read = parsing.parse(spec(path, **declared))
    assert read.text["1"].to_lists()[0] == ["w0"]
    assert len(read.y) == n
    path.write_text(path.read_text() + "x\n")
    assert refused(spec(path, **declared)).startswith(f"a.tsv: row {n + 1} (line {n + 1}): has 1 cells, but the first ")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"delimiter": ";;"}, "must be one sign"),
        ({"delimiter": '"'}, "must be one sign"),
        ({"encoding": "nonsense"}, "'nonsense' is no encoding of text"),
        ({"encoding": "zlib"}, "'zlib' is no encoding of text"),
        ({"decimal": ",", "thousands": ","}, "must be different signs"),
        ({"decimal": "x"}, "decimal"),
    ],
)
def test_what_no_file_can_be_written_in(wrong: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match=said):
        spec(tmp_path / "a.csv", **wrong)


def test_defaults_are_no_part_of_what_is_declared(tmp_path: Path) -> None:
    """So declarations of before keep their fingerprints."""
    new = {"delimiter", "encoding", "header", "index", "decimal", "thousands"}
    assert not new & set(spec(tmp_path / "a.csv").content())
    assert new & set(spec(tmp_path / "a.csv", delimiter=";").content()) == {"delimiter"}


@pytest.mark.parametrize(
    ("names", "cells", "found"),
    [
        (["plot", "tags"], {"plot": ["a b"], "tags": ["c"]}, ""),
        (["the old house by the river", "c"], {}, "the old house by the river"),
        (["r1", "c"], {"r1": ["r2", "r3"], "c": ["d", "c", ""]}, "c"),
        (["4", "1", "2"], {"4": ["4.5"], "1": ["1"], "2": ["7"]}, "1"),
        (["0", "1", "2"], {"0": ["4.5"], "1": ["1"], "2": ["7"]}, ""),  # names that pandas gives
        (["0", "1", "2"], {"0": ["4.5"], "1": ["8"], "2": ["7"]}, ""),
    ],
)
def test_a_first_row_that_looks_like_data(names: list[str], cells: dict[str, list[str]], found: str) -> None:
    assert looks_like_data(names, cells) == found


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
def test_the_line_for_excel_is_no_header(delimiter: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    rows = [["plot", "tags"], *[["x", "a|b"]] * 12]
    path.write_text(f"sep={delimiter}\r\n{content(rows, delimiter)}", newline="")
    found = recognise(path)
    assert found == Dialect(None if delimiter == "," else delimiter)
    assert table_files.column_names(path, found) == ("plot", "tags")
    read = parsing.parse(spec(path, delimiter=found.delimiter))
    assert read.text["plot"].to_lists() == [["x"]] * 12


def test_a_given_delimiter_is_taken_without_a_header_too(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1,5;2,5\n" * 20)
    assert recognise(path, ";", header=False).delimiter == ";"
    assert recognise(path, "|").delimiter == "|"
