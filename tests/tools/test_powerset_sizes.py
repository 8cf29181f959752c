"""The page about output layers: what it says, by hand, and that it is up to date."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import powerset_sizes
from rarelabels.data.dataset import Dataset

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_in_docs_is_up_to_date() -> None:
    assert (DOCS / powerset_sizes.PAGE).read_text("utf-8") == powerset_sizes.page(), "run `make powerset-sizes`"
    assert f"]({powerset_sizes.FIGURE})" in powerset_sizes.page()
    assert (DOCS / powerset_sizes.FIGURE).stat().st_size > 10_000


def test_what_gives_out_and_where() -> None:
    found = powerset_sizes.limits()
    assert list(found.values()) == sorted(found.values())
    by_hand = {
        "training rows of the films": 14,  # 8,192 and 16,384
        "float32 no longer": 25,  # 2^24 itself is exact
        "label sets than a signed 32-bit index": 31,
        "float64 no longer": 54,
        "label sets than a signed 64-bit index": 63,
        "on 16 hidden units: more weights than a signed 32-bit": 27,  # 2^4 · 2^27
        "on 512 hidden units: more weights than a signed 32-bit": 22,
        "on 16 hidden units: to train it takes more than 24.0 GiB": 25,  # (17 · 16 + 2 · 128 · 4) · 2^25 = 40.5 GiB
        "on 512 hidden units: to train it takes more than 24.0 GiB": 22,
        "on 16 hidden units: its parameters": 29,  # 68 · 2^28 = 17 GiB
        "on 512 hidden units: its parameters": 24,
    }
    assert len(found) == len(by_hand)
    for words, labels in by_hand.items():
        assert [n for what, n in found.items() if words in what] == [labels], words
    with pytest.raises(StopIteration):
        powerset_sizes.first(lambda n: n, 1000)


def test_rows_of_the_table() -> None:
    lines = powerset_sizes.page().splitlines()
    assert "| 17 | 289 | 1.1 KiB | 131,072 | 2,228,224 | 8.5 MiB | 162.0 MiB |" in lines
    assert sum(line.startswith("| 17 |") for line in lines) == 2
    assert any(line.startswith("| 1,000 | 17,000 | 66.4 KiB | 1.07e+301 | 1.82e+302 |") for line in lines)


def test_the_rows_of_the_films_are_as_many(films: Dataset) -> None:
    assert len(films.train.y) == powerset_sizes.TRAINING_ROWS


def test_the_figure_draws_numbers_that_are_finite(tmp_path: Path) -> None:
    assert np.isfinite(powerset_sizes.table()["power"]).all()
    powerset_sizes.write(tmp_path)
    assert (tmp_path / powerset_sizes.FIGURE).stat().st_size > 10_000
