"""One file of scores: what is not what its name says, and columns that are missing or twice there."""

import gzip
import io
import re
import zipfile

import numpy as np
import pandas as pd
import pytest

from rarelabels.judging import score_files, score_tables
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
        (
            "t.csv",
            b"true/\xff,score/\xff\n1,0.5\n",
            "the names of its columns are not UTF-8 text; save the file as UTF-8",
        ),
        (
            "t.csv",
            TEXT + b'1,0,1,"0.5,0.5,0.5\n',
            "line 6: a quoted cell must end with one quote before a comma or the end",
        ),
        ("t.csv", TEXT.replace(b"\n", b'\n"1"', 1), "line 2: a quoted cell must end with one quote"),
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


def with_line_breaks(n):
    """A table whose ids, and a column of text, hold line breaks, commas and quotes, as RFC 4180 has them."""
    rng = np.random.default_rng(5)
    words = np.array(["a\nb", 'he said "no",\r\n', "\n\n", "", "plain", "x,y"])
    frame = table(n, ids=[f"row\n{number}" for number in range(n)])
    return frame.assign(text=words[rng.integers(0, len(words), n)], last="\n")[["text", *frame.columns, "last"]]


@pytest.mark.parametrize("block", [512, score_tables.ROW])
@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
@pytest.mark.parametrize("n", [7, 20_000])
def test_line_breaks_in_cells_at_every_size(tmp_path, monkeypatch, n, ending, block):
    """The larger file has more than 1 MiB, the block that Arrow parses at once unless told otherwise."""
    monkeypatch.setattr(score_tables, "ROW", block)
    frame = with_line_breaks(n)
    path = write(tmp_path / f"t{ending}", frame)
    assert ending != ".csv" or (path.stat().st_size > 2**20) == (n > 7)
    part = score_files.read(None, path).test
    assert part.ids.tolist() == frame["id"].tolist()
    np.testing.assert_array_equal(part.scores, frame.filter(regex="^score/"))


@pytest.mark.parametrize("n", [7, 60_000])
@pytest.mark.parametrize("column", ["id", "true/Drama", "score/Drama", "note"])
def test_types_that_differ_between_the_beginning_and_the_end(tmp_path, monkeypatch, n, column):
    monkeypatch.setattr(score_tables, "ROW", 4096)
    last = {"id": "x1", "true/Drama": "1.0", "score/Drama": "2.5e-1", "note": "words"}[column]
    frame = table(n, ids=range(5, n + 5)).assign(note=1)
    frame[column] = [*(["0"] * (n - 1) if column != "id" else map(str, range(n - 1))), last]
    part = score_files.read(None, write(tmp_path / "t.csv", frame)).test
    assert (part.ids[-1], part.y[-1, 0], part.scores[-1, 0]) == (
        str(frame["id"].iloc[-1]),
        float(frame["true/Drama"].iloc[-1]),
        float(frame["score/Drama"].iloc[-1]),
    )


def test_a_row_that_is_longer_than_any_may_be(tmp_path, monkeypatch):
    monkeypatch.setattr(score_tables, "ROW", 256)
    path = write(tmp_path / "t.csv", table(3).assign(note="x" * 300))
    assert "a row is longer than" in refused(None, path)


def test_other_columns_need_not_be_readable(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"note,true/a,score/a,true/b,score/b\n\xe9t\xe9,1,0.5,0,0.25\n")
    assert score_files.read(None, path).test.scores.tolist() == [[0.5, 0.25]]


def test_gzip_of_several_members_is_one_file(tmp_path):
    head, tail = TEXT[:100], TEXT[100:]
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(head) + gzip.compress(tail))
    assert len(score_files.read(None, tmp_path / "t.csv.gz").test.y) == 4


def test_names_that_differ_by_the_blanks_before_them_only(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("true/a, true/a,score/a,true/b,score/b\n1,1,0.5,0,0.2\n")
    assert "columns must differ; given more than once: 'true/a'" in refused(None, path)


@pytest.mark.parametrize("row_group_size", [3, 1 << 20])
def test_row_groups_with_categories_of_their_own(tmp_path, row_group_size):
    """Each group of rows has its own dictionary, as files have that are written piece by piece."""
    frame = table(300, ids=pd.Categorical([f"r{row % 150} {row}" for row in range(300)]))
    given = frame.astype({column: "category" for column in frame.columns if column != "id"})
    given.to_parquet(tmp_path / "t.parquet", index=False, row_group_size=row_group_size)
    part = score_files.read(None, tmp_path / "t.parquet").test
    assert part.ids.tolist() == frame["id"].tolist()
    np.testing.assert_array_equal(part.scores, frame.filter(regex="^score/"))
    np.testing.assert_array_equal(part.y, frame.filter(regex="^true/"))
