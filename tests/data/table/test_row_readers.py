"""Columns that say of each row what it is called, which group and which part it belongs to."""

from __future__ import annotations

from pathlib import Path

import pytest

from rarelabels.data.table import parsing
from small_tables import PLOTS, TAGS, refused, rows_of, spec, write


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_an_id_given_twice(suffix: str, tmp_path: Path) -> None:
    ids = ["u", "v", "w", "v", "x", "y", "z", "w", "v", "t"]
    path = write(tmp_path / f"a.{suffix}", rows_of(plot=PLOTS, tags=TAGS, key=ids))
    assert refused(spec(path, id="key")) == (
        f"a.{suffix}: column 'key': row 4 has the id 'v' of row 2 (3 rows repeat an id); make ids unique, "
        "or leave dataset.id out"
    )


@pytest.mark.parametrize(("cell", "given"), [(" ", "an empty cell"), ("x" * 201, "one of 201 characters")])
def test_an_id_that_is_empty_or_endless(cell: str, given: str, tmp_path: Path) -> None:
    ids = [*"abcdefgh", cell, "j"]
    path = write(tmp_path / "a.tsv", rows_of(key=ids, plot=["x"] * 10, tags=TAGS))
    line = refused(spec(path, id="key"))
    assert line.startswith(f"a.tsv: row 9 (line 10), column 'key': an id must have 1 to 200 characters; given {given}")


PARTS = ["train"] * 6 + ["validation"] * 2 + ["test"] * 2


def test_a_group_in_two_declared_parts(tmp_path: Path) -> None:
    who = ["p1", "p2", "p3", "p3", "", "p4", "p2", "", "p3", ""]
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS, part=PARTS, who=who))
    assert refused(spec(path, split="part", group="who")) == (
        "a.csv: column 'who': group 'p2' is in two declared parts, train (row 2) and validation (row 7); "
        "2 of 4 groups are; keep the rows of a group in one part"
    )
    write(path, rows_of(plot=PLOTS, tags=TAGS, part=PARTS, who=[*"aabbcc", "", "", "d", "d"]))
    assert parsing.parse(spec(path, split="part", group="who")).parts is not None


@pytest.mark.parametrize(
    ("word", "near"),
    [("vali", "valid"), ("validate", "validation"), ("trainning", "training"), ("tset", "test"), ("", "")],
)
def test_a_part_of_another_name(word: str, near: str, tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv",
        rows_of(key=list(range(10)), plot=["x"] * 10, tags=TAGS, part=[*PARTS[:6], word, *PARTS[7:]]),
    )
    hint = f"; did you mean {near!r}?" if near else ""
    given = repr(word) if word else "an empty cell"
    assert refused(spec(path, split="part")) == (
        f"a.csv: row 7 (line 8), column 'part': allowed train, validation, test (or training, val, valid, dev, "
        f"testing); given {given}{hint}"
    )


def test_a_part_without_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS, part=["train"] * 7 + ["TEST"] * 3))
    assert refused(spec(path, split="part")) == (
        "a.csv: column 'part': no row is declared validation; each of train, validation, test needs rows; "
        "given 7 train, 3 test"
    )


@pytest.mark.parametrize(
    ("cell", "given"), [("0", "'0'"), ("-1", "'-1'"), ("", "an empty cell"), ("inf", "'inf'"), ("much", "'much'")]
)
def test_a_weight_must_be_a_number_above_0(cell: str, given: str, tmp_path: Path) -> None:
    weights = ["1", "0.5", cell, *["2"] * 7]
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS, w=weights))
    assert refused(spec(path, weight="w")) == (
        f"a.csv: row 3 (line 4), column 'w': a weight must be a finite number above 0; given {given}; mend "
        "it; leave out rows that must not count"
    )
    path = write(tmp_path / "a.csv", rows_of(plot=["x"] * 10, tags=TAGS, w=["1", "0.5", "1e-3", *["2"] * 7]))
    read = parsing.parse(spec(path, weight="w"))
    assert read.weights is not None
    assert read.weights.tolist() == [1, 0.5, 1e-3, *[2] * 7]
    assert read.numeric.shape == (10, 0)


def test_weights_whose_sum_would_be_infinite_are_refused(tmp_path: Path) -> None:
    """All others would weigh nothing."""
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS, w=["1e308", *["1e150"] * 9]))
    assert "a weight must be a finite number above 0 and at most 1e+150; given '1e308'" in refused(
        spec(path, weight="w")
    )
