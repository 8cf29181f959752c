"""What a table is like, counted against pandas and by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rarelabels.data import splits
from rarelabels.data.table import parsing
from rarelabels.errors import UserError
from rarelabels.init.column import Wish
from rarelabels.init.look import MIN_LABEL_ROWS, VALIDATION_SHARE, look
from rarelabels.judging.settings import ThresholdSpec

REPOSITORY = Path(__file__).parents[2]
FILMS = REPOSITORY / "docs" / "your_table.csv"


def write(path: Path, **columns: list[object]) -> Path:
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def flags(n: int, *positives: int) -> dict[str, list[object]]:
    """Columns a, b, ... with so many ones each, spread over the rows."""
    rng = np.random.default_rng(0)
    return {
        name: (rng.permutation(n) < ones).astype(int).tolist() for name, ones in zip("abcdef", positives, strict=False)
    }


def plots(n: int) -> list[object]:
    return [f"the film number{row} of all" for row in range(n)]


def test_the_films_are_counted_as_pandas_counts_them() -> None:
    found = look(FILMS, Wish(labels="genres"))
    genres = pd.read_csv(FILMS)["genres"].str.get_dummies("|")
    rows = genres.sum()
    assert found.rows == len(genres)
    assert found.positives == rows[rows >= MIN_LABEL_ROWS].to_dict()
    assert found.too_rare == rows[rows < MIN_LABEL_ROWS].to_dict()
    kept = genres[list(found.positives)].sum(axis=1)
    assert found.cardinality == pytest.approx(kept.mean())
    assert found.without_labels == (kept == 0).sum()
    assert found.spec.labels.min_rows == MIN_LABEL_ROWS
    assert set(found.few) == {name for name, n in found.positives.items() if n < 50}
    assert parsing.parse(found.spec).labels == tuple(found.positives)
    assert list(found.positives.values()) == sorted(found.positives.values(), reverse=True)


def test_the_least_rows_of_a_label_leave_some_in_every_part(tmp_path: Path) -> None:
    """What the constant is for: most splits of a label with so many rows have it in all three parts."""
    n = 1_000
    found = look(write(tmp_path / "my.csv", plot=plots(n), **flags(n, MIN_LABEL_ROWS, 300)), Wish())
    data = parsing.parse(found.spec)
    parts = [splits.split(data.strata, seed) for seed in range(5)]
    rare = data.y[:, data.labels.index("a")]
    assert min(rare[rows].sum() for split in parts for rows in (split.train, split.validation, split.test)) >= 1
    shares = [len(split.validation) / n for split in parts]
    assert np.mean(shares) == pytest.approx(VALIDATION_SHARE, abs=0.005)
    assert found.few == ("a",)
    assert ThresholdSpec().min_positives > VALIDATION_SHARE * MIN_LABEL_ROWS


def test_a_label_that_no_row_has_is_too_rare(tmp_path: Path) -> None:
    found = look(write(tmp_path / "my.csv", plot=plots(200), **flags(200, 100, 60, 0)), Wish())
    assert found.too_rare == {"c": 0}
    assert list(found.positives) == ["a", "b"]
    assert len(parsing.parse(found.spec).labels) == 2


def test_without_rare_labels_none_is_left_out(tmp_path: Path) -> None:
    found = look(write(tmp_path / "my.csv", plot=plots(200), **flags(200, 100, 60)), Wish())
    assert found.spec.labels.min_rows == 1


@pytest.mark.parametrize("ones", [(100, 19), (19, 19), (0, 0)])
def test_two_labels_must_have_enough_rows(tmp_path: Path, ones: tuple[int, int]) -> None:
    with pytest.raises(UserError, match="at least two labels must have 20 rows each") as caught:
        look(write(tmp_path / "my.csv", plot=plots(200), **flags(200, *ones)), Wish())
    assert f"'a' {ones[0]}" in str(caught.value)


def test_repeated_inputs_are_counted_as_the_models_see_them(tmp_path: Path) -> None:
    texts = plots(100)
    texts[10] = texts[20] = texts[30] = "Same  words"
    texts[40] = "same words!"
    texts[50] = texts[51] = "another film of two"
    texts[60] = texts[61] = ""
    columns = flags(100, 50, 40)
    columns["a"][10:41:10], columns["b"][10:41:10] = [1, 1, 1, 0], [0, 0, 0, 0]
    columns["a"][50:52], columns["b"][50:52] = [1, 1], [0, 0]
    repeats = look(write(tmp_path / "my.csv", plot=texts, **columns), Wish()).repeats
    assert (repeats.rows, repeats.inputs, repeats.other_labels, repeats.apart, repeats.empty) == (6, 2, 4, 6, 2)
    # Numbers are inputs too: what differs in one is no repeat.
    years = [float(row * row) for row in range(100)]
    repeats = look(write(tmp_path / "numbers.csv", plot=texts, year=years, **columns), Wish()).repeats
    assert (repeats.rows, repeats.empty) == (0, 0)


def test_rows_of_one_group_stay_together_and_of_two_do_not(tmp_path: Path) -> None:
    texts = plots(100)
    texts[10] = texts[11] = "one film"
    texts[20] = texts[21] = "another film"
    groups = [f"g{row // 2}" for row in range(100)]  # rows 10 and 11, and 20 and 21
    given = {"plot": texts, "maker": groups, **flags(100, 50, 40)}
    assert look(write(tmp_path / "kept.csv", **given), Wish(group="maker")).repeats.apart == 0
    groups[21] = "alone"
    repeats = look(write(tmp_path / "torn.csv", **given), Wish(group="maker")).repeats
    assert (repeats.rows, repeats.apart) == (4, 2)


def test_declared_parts_are_counted_and_not_guessed(tmp_path: Path) -> None:
    parts = ["train"] * 70 + ["validation"] * 10 + ["test"] * 20
    columns = flags(100, 50, 40)
    columns["b"] = [1] * 40 + [0] * 60
    found = look(write(tmp_path / "my.csv", plot=plots(100), part=parts, **columns), Wish())
    assert found.missing == {"validation": ("b",), "test": ("b",)}
    in_validation = sum(columns["a"][70:80])
    assert found.few == (("a", "b") if in_validation < 5 else ("b",))


def test_too_few_groups_are_refused(tmp_path: Path) -> None:
    given = {"plot": plots(100), "maker": [f"g{row % 9}" for row in range(100)], **flags(100, 50, 40)}
    with pytest.raises(UserError, match="too few groups to split: allowed 10 or more; given 9"):
        look(write(tmp_path / "my.csv", **given), Wish(group="maker"))


def test_the_length_that_most_rows_do_not_exceed(tmp_path: Path) -> None:
    texts = ["a b c"] * 97 + ["w " * 500] * 3
    found = look(
        write(tmp_path / "my.csv", plot=texts, year=list(range(7, 107)), **flags(100, 50, 40)), Wish(text=("plot",))
    )
    assert found.lengths == {"plot": 3}


def test_rows_that_miss_the_same_numbers_repeat_and_a_row_without_any_is_empty(tmp_path: Path) -> None:
    years: list[Any] = [float(row * row) for row in range(100)]
    pages: list[Any] = [float(row % 7 + row) for row in range(100)]
    years[3] = years[4] = years[5] = pages[5] = ""
    pages[3] = pages[4]
    found = look(write(tmp_path / "my.csv", year=years, pages=pages, **flags(100, 50, 40)), Wish())
    assert (found.repeats.rows, found.repeats.inputs, found.repeats.empty) == (2, 1, 1)


def test_a_number_that_is_far_out_is_named(tmp_path: Path) -> None:
    """Standardised, all other numbers of its column are as good as equal."""
    draw = np.random.default_rng(0)
    out, usual = draw.uniform(0, 1, 300).round(3).tolist(), draw.normal(0, 1, 300).round(3).tolist()
    out[41] = 1e9
    found = look(write(tmp_path / "my.csv", out=out, usual=usual, **flags(300, 150, 90)), Wish())
    assert found.far_out == ("out: 1e+09 in row 42",)
