"""Score files: every format gives the same parts, and no row is in both."""

import csv
import gzip
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from rarelabels.judging import score_files
from written_scores import LABELS, refused, table, write

ENDINGS = (".parquet", ".csv", ".csv.gz", ".CSV", ".Csv.GZ", ".PARQUET")


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


def test_the_same_rows_twice(tmp_path):
    path, again = write(tmp_path / "t.csv", table()), write(tmp_path / "again.parquet", table())
    (tmp_path / "link.csv").symlink_to(path)
    for other in (path, tmp_path / "link.csv", again):
        message = refused(path, other)
        assert message.startswith(f"{other}: has the same rows as {path}, but ")
        assert message.endswith("give two different parts, or only this file")


def test_rows_in_both_parts(tmp_path):
    before = write(tmp_path / "v.csv", table(ids=["a", "b", "c", "d"]))
    after = write(tmp_path / "t.parquet", table(seed=1, ids=["x", "d", "y", "a"]))
    assert refused(before, after).startswith(
        f"{after}: 2 of its ids are in {before}, too (d, a), but no row may both choose"
    )


def test_ids_are_compared_as_text(tmp_path):
    before = write(tmp_path / "v.csv", table(ids=[17, 5, 9, 2]))
    after = write(tmp_path / "t.parquet", table(seed=1, ids=[3, 9, 8, 7]))
    assert f"1 of its ids is in {before}, too (9)" in refused(before, after)


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        ([1000.0, 1001.0, 7.0, 8.0], ".parquet"),
        ([1000.0, 1001.0, 7.0, 8.0], ".csv"),
        ([" 1000", "1001 ", " 7", " 8"], ".csv"),
        ([" 1000", "1001", "x", "y"], ".parquet"),
        (np.array([1000, 1001, 7, 8], np.float32), ".parquet"),
        (pd.Series([1000, 1001, 7, 8], dtype="Int64"), ".parquet"),
        (pd.Categorical(["1000", "1001", "x", "y"]), ".parquet"),
        ([Decimal("1000.0"), Decimal("1001.0"), Decimal(7), Decimal(8)], ".parquet"),
        ([b"1000", b"1001", b"x", b"y"], ".parquet"),
    ],
)
def test_the_same_id_is_seen_whatever_its_type(tmp_path, after, kind):
    before = write(tmp_path / "v.parquet", table(ids=[1001, 1000, 5, 6]))
    path = write(tmp_path / f"t{kind}", table(seed=1, ids=after))
    assert f"2 of its ids are in {before}, too (1000, 1001)" in refused(before, path)


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
def test_blanks_byte_marks_and_line_ends_around_names_and_values_do_not_count(tmp_path, ending):
    text = "\ufeff id , true/a, score/a, true/b, score/b\r\n x, 1, 0.5, 0,.25 \r\ny , 0,1e-1, 1, 1\r\n"
    path = tmp_path / f"t{ending}"
    path.write_bytes(gzip.compress(text.encode()) if ending == ".csv.gz" else text.encode())
    parts = score_files.read(None, path)
    assert (parts.labels, parts.unnamed, parts.test.ids.tolist()) == (("a", "b"), (), ["x", "y"])
    np.testing.assert_array_equal(parts.test.scores, [[0.5, 0.25], [0.1, 1]])


NAMES = (
    "1.0",
    "1",
    "0010",
    "NA",
    "null",
    "None",
    "true",
    "1e5",
    " x",
    "x ",
    "é",
    "a\nb",
    "a\rb",
    'say "x"',
    "x,y",
    "#N/A",
)


@pytest.mark.parametrize("ending", [".parquet", ".csv", ".csv.gz"])
def test_labels_and_ids_are_text_in_every_file(tmp_path, ending):
    """Labels and ids that look like numbers, missing values, or the syntax of CSV are themselves."""
    ids = [name.strip() for name in NAMES]
    ids[NAMES.index("x ")] = "another x"
    frame = table(len(NAMES), labels=NAMES, ids=ids)
    path = tmp_path / f"t{ending}"
    if ending == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False, quoting=csv.QUOTE_NONNUMERIC)
    parts = score_files.read(None, path)
    assert parts.labels == NAMES
    assert parts.test.ids.tolist() == frame["id"].tolist()


def test_other_labels_in_the_other_part(tmp_path):
    before = write(tmp_path / "v.csv", table(labels=("a", "b", "x")))
    after = write(tmp_path / "t.csv", table(labels=("b", "a", "y", "z")))
    assert refused(before, after) == (
        f"{after}: must have the labels of {before}; only in {after}: 'y', 'z'; only in {before}: 'x'; "
        "name the labels that both have with --labels"
    )


def test_parts_may_have_different_lengths(tmp_path):
    parts = score_files.read(write(tmp_path / "v.csv", table(9)), write(tmp_path / "t.csv", table(2, seed=1)))
    assert (parts.validation.y.shape, parts.test.y.shape) == ((9, 3), (2, 3))


def test_what_is_known_is_aligned_with_its_labels(tmp_path):
    validation, test = table(6, seed=1), table(5, seed=2)
    validation.loc[2, "true/a/b.c"] = None
    reversed_labels = [f"{what}/{label}" for label in reversed(LABELS) for what in ("score", "true")]
    parts = score_files.read(
        write(tmp_path / "v.csv", validation), write(tmp_path / "t.parquet", test[reversed_labels])
    )
    assert np.argwhere(~parts.validation.known).tolist() == [[2, parts.labels.index("a/b.c")]]
    assert parts.test.known is None
