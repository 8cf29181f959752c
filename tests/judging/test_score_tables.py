"""One file of scores: what is not what its name says, and columns that are missing or twice there."""

import gzip
import io
import re
import zipfile

import numpy as np
import pytest

from rarelabels.judging.score_tables import some
from written_scores import LABELS, refused, table, write

NAMED = re.escape("true/<label> and score/<label>")


@pytest.mark.parametrize(
    ("drop", "says"),
    [
        (["true/Drama"], f"each label needs both columns, {NAMED}; score/Drama \\(no true/Drama\\)$"),
        (["score/a/b.c"], r"; true/a/b\.c \(no score/a/b\.c\)$"),
        ([f"true/{one}" for one in LABELS], r"; score/Drama \(no .*\), score/a/b\.c \(no true/a/b\.c\)$"),
        ([f"{what}/{one}" for what in ("true", "score") for one in LABELS], f"no columns {NAMED}; it has 'id', 'note'"),
        ([f"{what}/{one}" for what in ("true", "score") for one in LABELS[1:]], "at least 2 labels; given 'Drama'$"),
    ],
)
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_missing_columns(tmp_path, ending, drop, says):
    frame = table(ids=list("klmn")).assign(note="x")
    path = write(tmp_path / f"t{ending}", frame.drop(columns=drop))
    message = refused(None, path)
    assert message.startswith(f"{path}: ")
    assert re.search(says, message), message


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_a_column_that_is_there_twice(tmp_path, ending):
    frame = table()[["true/Drama", "score/Drama", "true/a/b.c", "score/a/b.c", "score/Drama"]]
    path = write(tmp_path / f"t{ending}", frame)
    assert "columns must differ; given more than once: 'score/Drama'; keep one of each" in refused(None, path)


def test_many_names_are_counted(tmp_path):
    labels = [f"l{number}" for number in range(1007)]
    path = write(tmp_path / "t.parquet", table(1, labels=labels))
    assert refused(None, path, ["?"]).endswith("allowed: 'l0', 'l1', 'l2', 'l3', 'l4' and 1,002 more")


def test_few_names_are_all_shown():
    assert some(["a", "b"]) == "'a', 'b'"
    assert some(list("abcdefg"), "{}") == "a, b, c, d, e and 2 more"


def xlsx() -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
    return memory.getvalue()


def npy() -> bytes:
    memory = io.BytesIO()
    np.save(memory, np.eye(3))
    return memory.getvalue()


def parquet() -> bytes:
    memory = io.BytesIO()
    table().to_parquet(memory)
    return memory.getvalue()


TEXT = table().to_csv(index=False).encode()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("t.csv", parquet(), "is not CSV, as its name says, but Parquet; rename it to end in .parquet"),
        ("t.parquet", TEXT, "is not Parquet, as its name says, but text (CSV?); rename it to end in .csv"),
        ("t.csv", gzip.compress(TEXT, mtime=0), "but gzip-compressed CSV; rename it to end in .csv.gz"),
        ("t.csv.gz", TEXT, "is not gzip-compressed CSV, as its name says, but text (CSV?); rename it to end in .csv"),
        ("t.csv", xlsx(), "but a zip archive (an Excel file, or NumPy's .npz); see `rarelabels judge --help`"),
        ("t.parquet", npy(), "but a NumPy array; see"),
        ("t.csv", b'[{"true/a": 1}]', "but JSON; see"),
        ("t.csv", b'{"true/a": 1}', "but JSON; see"),
        ("t.parquet", b"\x80\x05\x95", "but a pickle; see"),
        ("t.csv", TEXT.decode().encode("utf-16"), "is not CSV, as its name says, but not text; see"),
        ("t.json", b"[]", "unknown kind of file; allowed .parquet, .csv, .csv.gz; this one is JSON; see"),
        ("t", TEXT, "unknown kind of file; allowed .parquet, .csv, .csv.gz; see"),
        ("t.tsv", TEXT, "unknown kind of file; allowed .parquet, .csv, .csv.gz; see"),
        ("t.csv", b"", "is empty"),
        ("t.parquet", b" \n", "is empty"),
        ("t.csv", TEXT.splitlines()[0] + b"\n", "has no rows, only column names"),
        ("t.csv", TEXT + b"1,2\n", "cannot be read as CSV: CSV parse error: Expected 6 columns, got 2"),
        ("t.csv", b"true/\xff,score/\xff\n1,0.5\n", "cannot be read as CSV: 'utf-8' codec can't decode"),
        ("t.parquet", parquet()[:-50], "cannot be read as Parquet: "),
        ("t.csv.gz", gzip.compress(TEXT, mtime=0)[:-20], "cannot be read as gzip-compressed CSV: "),
        ("t.csv", b"true/a;score/a\n1;0,5\n", "columns must be separated by commas; given ';'"),
        (
            "t.csv.gz",
            gzip.compress(b"true/a|score/a\n1|0.5\n", mtime=0),
            "columns must be separated by commas; given '|'",
        ),
        ("t.csv", b"true/a\tscore/a\n1\t0.5\n", "columns must be separated by commas; given '\\t'"),
    ],
)
def test_a_file_that_is_not_what_it_should_be(tmp_path, name, content, says):
    path = tmp_path / name
    path.write_bytes(content)
    message = refused(None, path)
    assert message.startswith(f"{path}: ")
    assert says in message


def test_a_file_that_is_not_there(tmp_path):
    write(tmp_path / "test.parquet", table())
    assert refused(None, tmp_path / "tset.parquet").endswith("there is no such file; did you mean 'test.parquet'?")
    assert refused(None, tmp_path / "gone" / "x.csv").endswith("x.csv: there is no such file")
    assert refused(None, tmp_path).startswith(f"{tmp_path}: is a folder; give a file: .parquet, .csv, .csv.gz")
