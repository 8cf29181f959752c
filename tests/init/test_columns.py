"""The columns of a table: what is given, and what is proposed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rarelabels.data.table import parsing
from rarelabels.errors import UserError
from rarelabels.init import columns
from rarelabels.init.column import Wish
from rarelabels.init.columns import TableColumns
from usual_columns import USUAL, N, cells, prose


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_gives_the_same(find: Callable[..., TableColumns], suffix: str) -> None:
    found = find(USUAL | {"price": cells(lambda i: i * 7 % 31 + 0.5)}, suffix, labels="tags")
    spec = found.spec
    assert (spec.labels.column, spec.labels.separator) == ("tags", "|")
    assert (spec.text, spec.lists, spec.numeric) == (("plot",), (), ("is_a", "is_b", "price"))
    assert (found.rows, found.count, found.guessed_labels, found.unused) == (N, 5, False, {})
    assert len(parsing.parse(spec).labels) == 3


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_columns_of_lists_need_no_separator(find: Callable[..., TableColumns], suffix: str) -> None:
    lists = {name: [cell.split("|") for cell in USUAL["tags"]] for name in ("tags", "more")}
    spec = find({"plot": USUAL["plot"], **lists}, suffix, labels="tags").spec
    assert spec.labels.separator is None
    assert [(one.column, one.separator) for one in spec.lists] == [("more", None)]


def test_what_is_given_is_taken_and_the_rest_is_proposed(find: Callable[..., TableColumns]) -> None:
    given = USUAL | {"title": cells(lambda i: f"the {prose(i)}"), "city": cells(lambda i: ["Rome", "Oslo"][i % 2])}
    found = find(given, labels="tags", text=("plot",), id=None, group="city")
    assert found.spec.text == ("plot",)
    assert found.spec.numeric == ("is_a", "is_b")
    assert found.spec.group == "city"
    assert found.spec.lists == ()
    assert found.unused == {"title": "looks like a column of --text, but --text names others"}


def test_parts_that_are_declared_are_used(find: Callable[..., TableColumns]) -> None:
    parts = cells(lambda i: ("Train", "train", "test", "validation")[i % 4])
    assert find(USUAL | {"fold": parts}, labels="tags").spec.split == "fold"
    two = find(USUAL | {"fold": cells(lambda i: ("train", "test")[i % 2])}, labels="tags").spec
    assert two.split is None


@pytest.mark.parametrize("name", ["id", "film_id", "filmId", "ID", "key"])
def test_an_id_is_found_by_its_name_if_it_names_every_row(find: Callable[..., TableColumns], name: str) -> None:
    assert find(USUAL | {name: cells(lambda i: f"t{i}")}, labels="tags").spec.id == name
    found = find(USUAL | {name: cells(lambda i: f"t{i % 9}")}, labels="tags")
    assert found.spec.id is None
    assert found.unused[name].endswith(f"--group {name}")
    assert "9 values" in found.unused[name]


def test_what_holds_for_the_first_rows_must_hold_for_all(find: Callable[..., TableColumns]) -> None:
    """Beyond the first batch text is sampled, numbers and 0/1 are not."""
    n = parsing.table_files.BATCH_ROWS + 30
    given = {
        "tags": ["a|b", "b"] * (n // 2),
        "flag": [0, 1] * (n // 2 - 1) + [2, 1],
        "number": [i * i for i in range(n - 1)] + ["?"],
        "film_id": [*range(5, n + 4), 5],
    }
    found = find(given, labels="tags")
    assert found.spec.numeric == ("flag",)
    assert f"first row {n}: '?'" in found.unused["number"]
    assert found.spec.id is None


MISTAKES = [
    ({"labels": "tag"}, "--labels: my.csv has no column 'tag'; did you mean 'tags'?; the columns are 'plot', 'tags'"),
    ({"labels": "tags", "text": ("plott",)}, "--text: my.csv has no column 'plott'; did you mean 'plot'?"),
    ({"labels": "tags", "group": "x"}, "--group: my.csv has no column 'x'"),
    ({"labels": "is_a"}, "column 'is_a' of my.csv is 0/1, so it is one label, but at least two labels are needed"),
    ({"labels": "is_a,is_a"}, "two or more different 0/1 columns"),
    ({"labels": "tags", "text": ("tags",)}, "--labels: column 'tags' is given under another option, too"),
    ({"labels": "tags", "text": ("plot",), "lists": ("plot",)}, "--list: column 'plot' is given under --text, too"),
    ({"labels": "tags", "text": ("plot", "plot")}, "--text: column 'plot' is given twice"),
]


@pytest.mark.parametrize(("wish", "text"), MISTAKES)
def test_a_mistake_is_one_line(refused: Callable[..., str], wish: dict[str, Any], text: str) -> None:
    assert text in refused(USUAL, **wish)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"plot,tags\n", "has no rows of data"),
        (b"plot;tags\n" + b"a b;c\n" * 20, "it looks separated by ';'"),
        (b"plot,tags\n" + b"a\n" * 20, "row 1 (line 2): has 1 cells, but the header has 2"),
    ],
)
def test_a_file_that_is_no_table(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "my.csv"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"my\.csv") as caught:
        columns.find(path, Wish(labels="tags"))
    assert said in str(caught.value)


def test_a_file_that_is_not_there_says_which_is_near(tmp_path: Path) -> None:
    (tmp_path / "films.csv").touch()
    with pytest.raises(UserError, match=r"no such file; did you mean 'films\.csv'"):
        columns.find(tmp_path / "film.csv", Wish())


def test_a_name_that_no_file_can_have_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="File name too long"):
        columns.find(tmp_path / f"{'a' * 300}.csv", Wish())


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_numbers_of_which_some_are_missing_are_numbers_and_the_gaps_are_counted(
    find: Callable[..., TableColumns], suffix: str
) -> None:
    mostly_empty = cells(lambda i: float(i * i) if i % 3 == 0 else None)
    found = find(
        USUAL | {"few": cells(lambda i: None if i == 7 else i * i), "most": mostly_empty}, suffix, labels="tags"
    )
    assert found.spec.numeric == ("is_a", "is_b", "few", "most")
    assert found.empty == {"few": 1, "most": 40}
    assert not found.unused
