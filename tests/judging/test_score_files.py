"""Score files: every format gives the same parts, and no row is in both."""

import numpy as np
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
    assert f"1 of its ids are in {before}, too (9)" in refused(before, after)


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
