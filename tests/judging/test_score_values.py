"""The values of a file of scores: every number type is read, and a wrong one is named with its place."""

import re

import numpy as np
import pandas as pd
import pytest

from rarelabels.judging import score_files
from rarelabels.judging.score_values import counts_rows, row_numbers, shown
from written_scores import LABELS, refused, table, write


@pytest.mark.parametrize("kind", [bool, "uint8", "float32", "Int64", "boolean"])
def test_truths_of_every_number_type_are_read(tmp_path, kind):
    frame = table()
    typed = frame.astype({f"true/{label}": kind for label in LABELS})
    parts = score_files.read(None, write(tmp_path / "scores.parquet", typed))
    np.testing.assert_array_equal(parts.test.y, frame.filter(regex="^true/"))


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


def test_ids_that_count_the_rows_from_0_or_1_only_count():
    assert counts_rows(row_numbers(3))
    assert counts_rows(np.array(["0", "1", "2"]))
    assert not counts_rows(np.array(["2", "3", "4"]))
    assert not counts_rows(np.array(["1", "3", "2"]))


def test_a_number_is_quoted_shortly():
    assert [shown(value) for value in (0.1234567, 2.0, np.nan)] == ["0.123457", "2", "nothing (an empty cell or NaN)"]
