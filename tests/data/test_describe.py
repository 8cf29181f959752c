"""What was read, in a line."""

from __future__ import annotations

from pathlib import Path

from rarelabels.data import loading
from rarelabels.data.describe import describe, odd_labels
from rarelabels.declare.data import MoviesSpec, ThreadRowsSpec
from rarelabels.declare.table import TableSpec
from small_tables import PLOTS, TAGS, rows_of, spec, write


def test_a_table_is_called_by_its_file(tmp_path: Path) -> None:
    rows = rows_of(plot=PLOTS * 10, tags=TAGS * 10)
    declared: TableSpec = spec(write(tmp_path / "mine.csv", rows))
    data = loading.load(declared, 0)
    assert describe(declared, data) == (
        f"mine.csv: 100 rows ({len(data.train.y)} training, {len(data.validation.y)} validation, 20 test), 4 labels, "
        "37.5% ones, rarest 'd' with 10"
    )


def test_labels_without_a_positive_in_a_part_are_named(own: Path) -> None:
    declared = MoviesSpec(kind="movies", labels=4)
    data = loading.load(declared, 0)
    line = describe(declared, data)
    assert line.startswith("movies: 40 rows (28 training, 4 validation, 8 test), 4 labels, ")
    missing = [label for label, n in zip(data.labels, data.validation.y.sum(axis=0), strict=True) if not n]
    assert ("without a positive in the validation part" in line) == bool(missing)


def test_parts_that_are_the_same_rows_are_counted_once() -> None:
    declared = ThreadRowsSpec(kind="thread_rows")
    line = describe(declared, loading.load(declared, 0))
    assert line == (
        "thread_rows: 7 rows (7 training, validation and test), 3 labels, 57.1% ones, rarest 'first' with 4"
    )


def test_a_cross_validated_part_is_counted_once(own: Path) -> None:
    declared = MoviesSpec(kind="movies", labels=2, validation="cross_validated")
    line = describe(declared, loading.load(declared, 0))
    assert line.startswith("movies: 40 rows (32 cross-validated, 8 test), 2 labels, ")


def test_labels_that_every_row_has_or_that_differ_by_little_are_said() -> None:
    positives = {"everywhere": 9, "Sci-Fi": 3, "sci fi": 2, "sci-fi": 1, "caf\u00e9": 2, "cafe": 1}
    assert list(odd_labels(positives, 9)) == [
        "a label that every row has, so nothing can be learnt of it: 'everywhere'",
        "labels that differ by case, blanks, accents or width only, perhaps one label: 'Sci-Fi' and 'sci-fi', "
        "'caf\u00e9' and 'cafe'",
    ]
    many = {f"{n}{'x' * 90}": 9 for n in range(7)}
    (line,) = odd_labels(many, 9)
    assert line.startswith("7 labels that every row has, so nothing can be learnt of them: '0xxx")
    assert line.endswith("x… and 2 more")
    assert list(odd_labels({"a": 3, "b": 4}, 9)) == []


def test_a_table_with_odd_labels_says_so(tmp_path: Path) -> None:
    rows = rows_of(plot=PLOTS * 10, tags=["Drama|x", "drama|x", "Drama|x", "drama|b|x"] * 25)
    declared: TableSpec = spec(write(tmp_path / "mine.csv", rows))
    line = describe(declared, loading.load(declared, 0))
    assert "; a label that every row has, so nothing can be learnt of it: 'x'; labels that differ by case" in line


def test_how_much_is_known_is_said_and_ones_are_a_share_of_it(tmp_path: Path) -> None:
    flags = {"a": ["", 1, 0, 0, 1] * 20, "b": [1, 0, "", "", 0] * 20}
    labels = {"columns": ("a", "b"), "unknown": ("",)}
    declared: TableSpec = spec(write(tmp_path / "mine.csv", rows_of(plot=PLOTS * 10, **flags)), labels=labels)
    assert "2 labels, 70.0% known, 42.9% ones, rarest 'b' with 20" in describe(declared, loading.load(declared, 0))
