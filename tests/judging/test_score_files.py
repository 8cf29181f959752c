"""Score files: every format gives the same parts, and every mistake is one line that names file and place."""

import gzip
import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rarelabels.errors import UserError
from rarelabels.judging import score_files

LABELS = ("Drama", "Sci-Fi, Fantasy", "a/b.c")
ENDINGS = (".parquet", ".csv", ".csv.gz", ".CSV", ".Csv.GZ", ".PARQUET")
NAMED = re.escape("true/<label> and score/<label>")


def table(n=4, labels=LABELS, seed=0, ids=None) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    truths = pd.DataFrame(rng.integers(0, 2, (n, len(labels))), columns=labels).add_prefix("true/")
    scores = pd.DataFrame(rng.random((n, len(labels))), columns=labels).add_prefix("score/")
    frame = truths.join(scores)
    return frame if ids is None else frame.assign(id=ids)


def write(path: Path, frame: pd.DataFrame) -> Path:
    if path.suffix.lower() == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False, compression="gzip" if path.suffix.lower() == ".gz" else None)
    return path


def refused(validation, test, only=()) -> str:
    with pytest.raises(UserError) as error:
        score_files.read(validation, test, only)
    message = str(error.value)
    assert "\n" not in message
    return message


# What is read


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("ids", [["a", "x y", "é", "7"], ["7", "007", "1e3", "0.50"]])
def test_every_format_gives_the_same_part(tmp_path, ending, ids):
    frame = table(ids=ids)
    frame["comment"] = "other columns are ignored"
    parts = score_files.read(None, write(tmp_path / f"scores{ending}", frame))
    assert (parts.labels, parts.validation, parts.unnamed) == (LABELS, None, ())
    assert parts.test.ids.tolist() == ids
    np.testing.assert_array_equal(parts.test.y, frame.filter(regex="^true/"))
    np.testing.assert_array_equal(parts.test.scores, frame.filter(regex="^score/"))


@pytest.mark.parametrize("kind", [bool, "uint8", "float32", "Int64", "boolean"])
def test_truths_of_every_number_type_are_read(tmp_path, kind):
    frame = table()
    typed = frame.astype({f"true/{label}": kind for label in LABELS})
    parts = score_files.read(None, write(tmp_path / "scores.parquet", typed))
    np.testing.assert_array_equal(parts.test.y, frame.filter(regex="^true/"))


def test_columns_are_aligned_by_name_whatever_their_order(tmp_path):
    validation, test = table(6, seed=1), table(5, seed=2)
    shuffled = validation[np.random.default_rng(0).permutation(validation.columns)]
    other = test[[f"{what}/{label}" for label in reversed(LABELS) for what in ("score", "true")]]
    parts = score_files.read(write(tmp_path / "v.csv", shuffled), write(tmp_path / "t.parquet", other))
    assert parts.labels == LABELS[::-1]
    for part, frame in ((parts.validation, validation), (parts.test, test)):
        for column, label in enumerate(parts.labels):
            np.testing.assert_array_equal(part.y[:, column], frame[f"true/{label}"])
            np.testing.assert_array_equal(part.scores[:, column], frame[f"score/{label}"])


def test_asked_labels_are_picked_in_their_order(tmp_path):
    # The validation file has another label, which does not matter where the labels are named.
    validation, test = table(labels=(*LABELS, "more"), seed=1), table(seed=2)
    paths = write(tmp_path / "v.csv", validation), write(tmp_path / "t.csv", test)
    parts = score_files.read(*paths, only=["a/b.c", "Drama"])
    assert parts.labels == ("a/b.c", "Drama")
    np.testing.assert_array_equal(parts.validation.scores, validation[["score/a/b.c", "score/Drama"]])
    np.testing.assert_array_equal(parts.test.y, test[["true/a/b.c", "true/Drama"]])


def test_what_is_wrong_with_a_label_that_is_not_asked_for_does_not_matter(tmp_path):
    frame = table().assign(**{"score/Drama": np.nan})
    path = write(tmp_path / "t.csv", frame)
    assert "score/Drama, row 1" in refused(None, path)
    assert score_files.read(None, path, LABELS[1:]).labels == LABELS[1:]


@pytest.mark.parametrize(("ids", "unnamed"), [(None, True), ([0, 1, 2, 3], True), ([1, 2, 3, 4], True), (4, False)])
def test_ids_that_only_count_rows_name_nothing(tmp_path, ids, unnamed):
    ids = [f"r{row}" for row in range(ids)] if isinstance(ids, int) else ids
    path = write(tmp_path / "t.csv", table(ids=ids))
    other = write(tmp_path / "v.csv", table(seed=1, ids=["a", "b", "c", "d"]))
    assert score_files.read(other, path).unnamed == ((path,) if unnamed else ())
    # Counted in both files the ids are equal, and yet the rows are others.
    counted = write(tmp_path / "c.csv", table(seed=2, ids=[0, 1, 2, 3]))
    assert counted in score_files.read(counted, path).unnamed


def test_scores_at_both_ends_are_probabilities(tmp_path):
    frame = table().assign(**{"score/Drama": [0, 1, 0.0, 1.0]})
    assert score_files.read(None, write(tmp_path / "t.csv", frame)).test.scores[:, 0].tolist() == [0, 1, 0, 1]


def test_a_column_that_looks_whole_at_first_is_read_to_its_end(tmp_path):
    n = 60_000  # more than the block from which Arrow infers a column's type
    frame = table(n, labels=("a", "b"))
    frame["score/a"] = pd.Series([*["0"] * (n - 1), "0.25"])
    assert score_files.read(None, write(tmp_path / "t.csv", frame)).test.scores[-1, 0] == 0.25
    frame.loc[n - 1, "score/a"] = "oops"
    message = refused(None, write(tmp_path / "u.csv", frame))
    assert message.endswith("u.csv: score/a, row 60,000: must be a number; given 'oops'")


# Mistakes in values


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("true/Drama", 2, "must be 0 or 1; given 2"),
        ("true/Drama", 0.5, "must be 0 or 1; given 0.5"),
        ("true/Drama", -1, "must be 0 or 1; given -1"),
        ("true/Drama", 2**60 + 1, "must be 0 or 1; given 1.15292e+18"),
        ("true/Drama", None, "must be 0 or 1; given nothing (an empty cell or NaN)"),
        ("true/Drama", "yes", "must be a number; given 'yes'"),
        ("score/a/b.c", None, "must be a probability, from 0 to 1; given nothing (an empty cell or NaN)"),
        ("score/a/b.c", np.inf, "must be a probability, from 0 to 1; given inf"),
        ("score/a/b.c", -np.inf, "must be a probability, from 0 to 1; given -inf"),
        ("score/a/b.c", 1.5, "from 0 to 1; given 1.5; are these logits? give probabilities: 1 / (1 + exp(-logit))"),
        ("score/a/b.c", -0.1, "from 0 to 1; given -0.1; are these logits? give probabilities: 1 / (1 + exp(-logit))"),
        ("score/a/b.c", "0,5", "must be a number; given '0,5'"),
    ],
)
@pytest.mark.parametrize("ids", [None, ["k", "l", "m", "n"]])
def test_a_wrong_value_is_named_with_its_place(tmp_path, ending, column, value, says, ids):
    frame = table(ids=ids)
    values = frame[column].tolist()
    values[2] = value
    if isinstance(value, str):
        values = [str(one) for one in values]
    path = write(tmp_path / f"t{ending}", frame.assign(**{column: values}))
    message = refused(None, path)
    assert message.startswith(f"{path}: {column}, row 3" + (": " if ids is None else " (id m): "))
    assert message.endswith(says)


@pytest.mark.parametrize(
    ("ids", "says"),
    [
        (["k", "l", "k", "n"], "id, row 3: k is the id of row 1 too"),
        (["k", "", "m", "n"], "id, row 2: is empty; give every row an id, or leave the column out"),
        (["k", None, "m", "n"], "id, row 2: is empty"),
    ],
)
@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_wrong_ids(tmp_path, ending, ids, says):
    path = write(tmp_path / f"t{ending}", table(ids=ids))
    assert refused(None, path).startswith(f"{path}: {says}")


def test_numbers_written_as_text_are_not_numbers(tmp_path):
    path = write(tmp_path / "t.parquet", table().astype({"score/Drama": str}))
    assert re.search(r"score/Drama, row 1: must be a number; given '0\.\d+'$", refused(None, path))


# Mistakes in columns


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


@pytest.mark.parametrize(
    ("only", "says"),
    [
        (["Dramma", "a/b.c"], "--labels: 'Dramma' is not a label of {path}; did you mean 'Drama'?"),
        (["zzz", "Drama"], "--labels: 'zzz' is not a label of {path}; allowed: 'Drama', 'Sci-Fi, Fantasy', 'a/b.c'"),
        (["Drama"], "{path}: multi-label scores need at least 2 labels; given 'Drama'"),
    ],
)
def test_wrong_labels_asked_for(tmp_path, only, says):
    path = write(tmp_path / "t.csv", table())
    assert refused(None, path, only) == says.format(path=path)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_a_column_that_is_there_twice(tmp_path, ending):
    frame = table()[["true/Drama", "score/Drama", "true/a/b.c", "score/a/b.c", "score/Drama"]]
    path = write(tmp_path / f"t{ending}", frame)
    assert "columns that are there more than once: 'score/Drama'; keep one of each" in refused(None, path)


def test_many_names_are_counted(tmp_path):
    labels = [f"l{number}" for number in range(1007)]
    path = write(tmp_path / "t.parquet", table(1, labels=labels))
    assert refused(None, path, ["?"]).endswith("allowed: 'l0', 'l1', 'l2', 'l3', 'l4' and 1,002 more")


# Mistakes in files


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


# Mistakes of two files


def test_the_same_rows_twice(tmp_path):
    path, again = write(tmp_path / "t.csv", table()), write(tmp_path / "again.parquet", table())
    (tmp_path / "link.csv").symlink_to(path)
    for other in (path, tmp_path / "link.csv", again):
        message = refused(path, other)
        assert message.startswith(f"{other}: has the same rows as {path}: ")
        assert message.endswith("give two different parts, or this file alone")


def test_rows_in_both_parts(tmp_path):
    before = write(tmp_path / "v.csv", table(ids=["a", "b", "c", "d"]))
    after = write(tmp_path / "t.parquet", table(seed=1, ids=["x", "d", "y", "a"]))
    assert refused(before, after).startswith(f"{after}: 2 of its ids are in {before} too (d, a): no row may choose")


def test_ids_are_compared_as_text(tmp_path):
    before = write(tmp_path / "v.csv", table(ids=[17, 5, 9, 2]))
    after = write(tmp_path / "t.parquet", table(seed=1, ids=[3, 9, 8, 7]))
    assert f"1 of its ids are in {before} too (9)" in refused(before, after)


def test_other_labels_in_the_other_part(tmp_path):
    before = write(tmp_path / "v.csv", table(labels=("a", "b", "x")))
    after = write(tmp_path / "t.csv", table(labels=("b", "a", "y", "z")))
    assert refused(before, after) == (
        f"{after}: must have the labels of {before}; only in {after}: 'y', 'z'; only in {before}: 'x'; "
        "name those of both with --labels"
    )


def test_parts_may_have_different_lengths(tmp_path):
    parts = score_files.read(write(tmp_path / "v.csv", table(9)), write(tmp_path / "t.csv", table(2, seed=1)))
    assert (parts.validation.y.shape, parts.test.y.shape) == ((9, 3), (2, 3))
