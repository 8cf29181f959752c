"""Files that are missing, of another kind than their name says, or damaged."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from rarelabels.data.table import parsing
from rarelabels.errors import UserError
from small_tables import refused, small, spec, ten


def test_a_missing_file_with_the_nearest_one(tmp_path: Path) -> None:
    (tmp_path / "films.csv").write_text(ten())
    assert refused(spec(tmp_path / "film.csv")).startswith("film.csv: there is no such file; did you mean 'films.csv'?")
    for use in (parsing.content, parsing.parse):
        with pytest.raises(UserError, match="there is no such file; a path is relative to the YAML file"):
            use(spec(tmp_path / "nowhere" / "x.csv"))


def test_a_folder_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "a.csv").mkdir()
    for use in (parsing.content, parsing.parse):
        with pytest.raises(UserError, match=r"a\.csv: cannot be read, or is damaged: Is a directory"):
            use(spec(tmp_path / "a.csv"))


@pytest.mark.parametrize("name", ["a.xlsx", "a.txt", "a.json", "a", "a.parquet.gz", "a.gz"])
def test_an_unknown_ending(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(ten())
    line = refused(spec(tmp_path / name))
    assert line == (
        f"{name}: unknown kind of table; allowed a name that ends in "
        ".csv, .csv.gz, .tsv, .tsv.gz, .jsonl, .jsonl.gz, .parquet, .svm, .svm.gz, .arff, .arff.gz"
    )


def parquet_bytes() -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.table({"plot": ["x"] * 10, "tags": ["a|b"] * 10}), sink)
    return sink.getvalue()


def zip_bytes() -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        file.writestr("xl/workbook.xml", "<x/>")
    return sink.getvalue()


JSON_LINES = '{"plot": "x", "tags": "a|b"}\n' * 10


@pytest.mark.parametrize(
    ("name", "content", "holds"),
    [
        ("a.csv", parquet_bytes(), "a Parquet file"),
        ("a.jsonl", parquet_bytes(), "a Parquet file"),
        ("a.csv", gzip.compress(ten().encode(), mtime=0), "gzip-compressed data"),
        ("a.parquet", gzip.compress(ten().encode(), mtime=0), "gzip-compressed data"),
        ("a.tsv", zip_bytes(), "an Excel workbook or another zip archive"),
        ("a.parquet", zip_bytes(), "an Excel workbook or another zip archive"),
        ("a.parquet", ten().encode(), "text"),
        ("a.parquet", JSON_LINES.encode(), "JSON"),
        ("a.csv", JSON_LINES.encode(), "JSON"),
        ("a.csv", b'[{"plot": "x"}]', "one JSON array"),
        ("a.jsonl", b'\xef\xbb\xbf [\n {"plot": "x"}]', "one JSON array"),
        ("a.jsonl", b"<!DOCTYPE html><p>404", "a web page or XML"),
        ("a.csv", ten().encode("utf-16"), "UTF-16 text"),
        ("a.csv", b"plot,tags\n\0\1\2", "binary data"),
        ("a.csv.gz", gzip.compress(parquet_bytes(), mtime=0), "a Parquet file"),
    ],
)
def test_a_file_that_is_not_what_its_name_says(name: str, content: bytes, holds: str, tmp_path: Path) -> None:
    line = refused(small(tmp_path / name, content))
    assert line.startswith(f"{name}: holds {holds}, but its name says ")
    assert "rename it, or save the table as" in line


def test_a_name_that_promises_gzip(tmp_path: Path) -> None:
    line = refused(small(tmp_path / "a.csv.gz", ten()))
    assert line == "a.csv.gz: holds text, but its name says that it is gzipped; rename it"


@pytest.mark.parametrize("name", ["a.csv.gz", "a.jsonl.gz"])
def test_a_gzip_file_cut_short(name: str, tmp_path: Path) -> None:
    words = " ".join(map(str, np.random.default_rng(0).integers(0, 10**9, 5000)))
    content = ten(row=f"{words},a|b") if "csv" in name else json.dumps({"plot": words, "tags": "a|b"})
    line = refused(small(tmp_path / name, gzip.compress(content.encode())[:-2000]))
    assert line.startswith(f"{name}: cannot be read, or is damaged: Compressed file ended")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b""),
        ("a.csv", b"\n\n"),
        ("a.jsonl", b""),
        ("a.jsonl", b"\n \n"),
        ("a.parquet", b""),
        ("a.csv.gz", b""),
    ],
)
def test_an_empty_file(name: str, content: bytes, tmp_path: Path) -> None:
    assert refused(small(tmp_path / name, content)) == f"{name}: is empty; a table needs columns and rows"
