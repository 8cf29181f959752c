"""Ids of rows: one form, whatever a cell is; different text stays different, but for blanks."""

from __future__ import annotations

import datetime
import math
import uuid
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from rarelabels.row_ids import as_text, comparable


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (1000, "1000"),
        (1000.0, "1000"),
        ("1000", "1000"),
        (" 1000\t", "1000"),
        (b"1000", "1000"),
        (Decimal("1000.00"), "1000"),
        (np.float32(1000), "1000"),
        (np.int8(7), "7"),
        (2**63 + 1, "9223372036854775809"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (Decimal("1.50"), "1.5"),
        (Decimal("1E+3"), "1000"),
        ("007", "007"),
        ("1e3", "1e3"),
        ("é ü", "é ü"),
        (datetime.date(2026, 11, 30), "2026-11-30"),
        (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
        ((1.0, " a"), "('1', 'a')"),
        (True, "True"),
    ],
)
def test_the_text_of_a_cell(cell: object, text: str) -> None:
    assert as_text(cell) == text


@pytest.mark.parametrize("cell", [None, "", "  ", b" ", math.nan, np.float32("nan"), pd.NA, pd.NaT])
def test_a_missing_id_is_empty(cell: object) -> None:
    assert as_text(cell) == ""


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ([1], "must be text or a number; given a list"),
        ({"a": 1}, "must be text or a number; given a dict"),
        (b"\xff", "must be text or a number; given bytes that are not UTF-8"),
        (2.0**53, "stands for several whole numbers from 9007199254740992 on; given 9007199254740992; write ids as"),
        (-(2.0**60), "is a float"),
    ],
)
def test_what_cannot_be_compared_is_refused(cell: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        as_text(cell)


def test_whole_floats_are_read_up_to_where_they_are_exact() -> None:
    assert as_text(2.0**53 - 1) == str(2**53 - 1)
    with pytest.raises(ValueError, match="from 16777216 on"):
        as_text(2.0**24, exact=2**24)


@pytest.mark.parametrize(
    ("ids", "compared"),
    [
        (["7.0", "12.0"], ["7", "12"]),  # whole numbers that became floats for a gap
        (["7.0", "0.5"], ["7", "0.5"]),  # as a Parquet file of the same floats gives them
        (["1.0", "1.10", "2.00"], ["1", "1.10", "2.00"]),
        (["1.0", "1"], ["1.0", "1"]),  # two names in one file stay two
        (["7.0", "a"], ["7.0", "a"]),
        (["007", "7"], ["007", "7"]),
        ([" x", "y "], ["x", "y"]),
        ([], []),
    ],
)
def test_a_column_in_the_form_that_is_compared(ids: list[str], compared: list[str]) -> None:
    assert comparable(ids).tolist() == compared


def test_different_ids_stay_different() -> None:
    rng = np.random.default_rng(0)
    signs = np.array(list("0179.-ea"))
    for _ in range(300):
        ids = {"".join(rng.choice(signs, rng.integers(1, 6))) for _ in range(5)}
        assert len(set(comparable(ids).tolist())) == len(ids)


def test_a_column_of_floats_is_the_same_from_csv_and_from_memory() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        numbers = np.round(rng.normal(0, 1000, 8), rng.integers(0, 3))
        text = pd.Series(numbers).to_csv(index=False, header=False).split()
        np.testing.assert_array_equal(comparable(text), comparable(map(as_text, numbers.tolist())))
