"""The values of a file of scores: every number type is read, and a wrong one is named with its place."""

import re
from decimal import Decimal

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
        ("true/Drama", -1, "must be 0 or 1; given -1; if the label is not known here, leave the cell empty"),
        ("true/Drama", 2**60 + 1, "must be 0 or 1; given 1.15292e+18"),
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
    says = r"score/Drama, row 1: must be a number; the column's type is (large_)?string; store the column as numbers"
    assert re.search(says, refused(None, path))


@pytest.mark.parametrize("kind", ["float16", "float32", "Float64", "category", "decimal"])
def test_scores_of_every_number_type_are_read(tmp_path, kind):
    frame = table().round(2)
    given = frame.map(lambda score: Decimal(str(score))) if kind == "decimal" else frame.astype(kind)
    part = score_files.read(None, write(tmp_path / "t.parquet", given)).test
    np.testing.assert_array_equal(part.y, frame.filter(regex="^true/"))
    np.testing.assert_allclose(part.scores, frame.filter(regex="^score/"), atol=5e-4)


@pytest.mark.parametrize(
    ("column", "values", "says"),
    [
        (
            "id",
            [[0], [1], [2], [3]],
            r"id: must be text or numbers; the column is list<\w+: int64>; write each id as one",
        ),
        ("id", [{"a": row} for row in range(4)], r"id: must be text or numbers; the column is struct<a: int64>"),
        ("id", [b"\xff", b"b", b"c", b"d"], "id, row 1: must be text or a number; given bytes that are not UTF-8"),
        ("id", [2.0**60, 1.0, 2.0, 3.0], "id, row 1: is a float, which stands for several whole numbers"),
        ("id", [1.0, np.nan, 2.0, 3.0], "id, row 2: is empty"),
        ("id", [True, False, True, False], "id, row 3: True is the id of row 1 too"),
        ("id", ["a", " ", "c", "d"], "id, row 2: is empty"),
        ("id", ["a", "b", " a", "d"], "id, row 3: a is the id of row 1 too"),
        ("score/Drama", [[0.5]] * 4, r"score/Drama, row 1: must be a number; the column's type is list<\w+: double>"),
        ("score/Drama", pd.date_range("2026-01-01", periods=4), "must be a number; the column's type is timestamp"),
        ("score/Drama", [b"0.5"] * 4, "must be a number; the column's type is binary; store the column as numbers"),
        ("true/Drama", ["1", "0", "1_0", "1"], "true/Drama, row 3: must be a number; given '1_0'"),
    ],
)
def test_a_wrong_type_is_one_line_that_names_it(tmp_path, column, values, says):
    path = write(tmp_path / "t.parquet", table().assign(**{column: values}))
    message = refused(None, path)
    assert message.startswith(f"{path}: {column}")
    assert re.search(says, message), message


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_rounding_errors_of_probabilities_are_0_and_1(tmp_path, ending):
    rounded = [1.0000000000000002, -1e-18, float(np.nextafter(np.float32(1), np.float32(2))), -0.0]
    frame = table().assign(**{"score/Drama": rounded})
    scores = score_files.read(None, write(tmp_path / f"t{ending}", frame)).test.scores[:, 0]
    assert scores.tolist() == [1, 0, 1, 0]
    for wrong, given in ((1.000001, "1.000001"), (-1e-6, "-1e-06")):
        frame.loc[2, "score/Drama"] = wrong
        message = refused(None, write(tmp_path / f"u{ending}", frame))
        assert f"score/Drama, row 3: must be a probability, from 0 to 1; given {given}; are these" in message


def test_a_truth_that_is_nearly_1_is_quoted_as_it_is(tmp_path):
    frame = table().assign(**{"true/Drama": [1, 0, 1.0000000000000002, 1]})
    message = refused(None, write(tmp_path / "t.parquet", frame))
    assert message.endswith("true/Drama, row 3: must be 0 or 1; given 1.0000000000000002")


def test_ids_that_count_the_rows_from_0_or_1_only_count():
    assert counts_rows(row_numbers(3))
    assert counts_rows(np.array(["0", "1", "2"]))
    assert not counts_rows(np.array(["2", "3", "4"]))
    assert not counts_rows(np.array(["1", "3", "2"]))


def test_a_number_is_quoted_shortly():
    assert [shown(value) for value in (0.1234567, 2.0, np.nan)] == ["0.123457", "2", "nothing (an empty cell or NaN)"]


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_an_empty_truth_is_not_known(tmp_path, ending):
    frame = table()
    frame["true/Drama"] = [1, None, 0, None]
    frame["true/a/b.c"] = None  # in a Parquet file a column without a type
    part = score_files.read(None, write(tmp_path / f"t{ending}", frame)).test
    assert part.known.tolist() == [[True, True, False], [False, True, False]] * 2
    assert part.y[:, 0].tolist() == [1, 0, 0, 0]
    assert part.y.dtype == np.uint8
    nothing = frame.assign(**{f"true/{label}": None for label in LABELS})
    assert "is empty, and so is every other truth; give at least one" in refused(
        None, write(tmp_path / f"n{ending}", nothing)
    )
