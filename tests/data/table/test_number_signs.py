"""Numbers with other signs than Python's."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from rarelabels.data.table.number_signs import OTHERS, PLAIN, NumberSigns
from small_tables import spec


@pytest.mark.parametrize(
    ("signs", "text", "plain"),
    [
        (NumberSigns(","), "20,87", "20.87"),
        (NumberSigns(","), " -0,5 ", "-0.5"),
        (NumberSigns(","), "0.5", ""),
        (NumberSigns(","), "1.234,5", ""),
        (NumberSigns(","), "1,5e3", "1.5e3"),
        (NumberSigns(",", "."), "1.234.567,89", "1234567.89"),
        (NumberSigns(",", "."), "12.34", ""),
        (NumberSigns(".", ","), "1,001", "1001"),
        (NumberSigns(".", ","), "0,123", ""),  # nobody begins a group with zero
        (NumberSigns(".", ","), "1001", "1001"),
        (NumberSigns(".", ","), "12,34,567.5", "1234567.5"),  # Indian
        (NumberSigns(".", ","), "1,2", ""),
        (NumberSigns(",", " "), "1\u00a0234,5", "1234.5"),
        (NumberSigns(",", " "), "1\u202f234", "1234"),
        (NumberSigns(".", "'"), "1\u2019234.5", "1234.5"),
        (NumberSigns(","), "1,", "1."),
        (NumberSigns(","), ",", ""),
        (NumberSigns(","), "", ""),
        (NumberSigns(","), "1_000", ""),
        (NumberSigns(","), "inf", ""),
    ],
)
def test_a_number_by_hand(signs: NumberSigns, text: str, plain: str) -> None:
    assert signs.plain(text) == plain


def test_what_python_writes_in_groups_is_read_back() -> None:
    draw = random.Random(0)
    for _ in range(500):
        number = round(draw.uniform(-1, 1) * 10 ** draw.randint(0, 9), 3)
        for signs in (PLAIN, *OTHERS):
            swap = str.maketrans({",": signs.thousands or "", ".": signs.decimal})
            assert float(signs.plain(f"{number:,.3f}".translate(swap))) == number


def test_a_long_cell_takes_no_longer_than_its_length() -> None:
    for signs in OTHERS:
        assert signs.plain(f"{'1' * 100_000}x") == ""
        assert signs.plain("1,23" * 50_000 + "x") == ""


def test_what_declares_nothing_is_read_as_ever(tmp_path: Path) -> None:
    assert NumberSigns.of(spec(tmp_path / "a.csv")) is PLAIN
    assert NumberSigns.of(spec(tmp_path / "a.csv", decimal=",", thousands=".")) == NumberSigns(",", ".")
