"""What columns are taken for, on small files of every kind."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from rarelabels.data.table import parsing
from rarelabels.errors import UserError
from rarelabels.init import columns
from rarelabels.init.column import Wish
from rarelabels.init.columns import Found
from rarelabels.init.input_columns import separator

N = 60
COLOURS = ("red", "blue", "green")
WORDS = ["a", "house", "by", "the", "river", "where", "old", "trees", "grow", "and", "nobody", "comes"]


def prose(row: int) -> str:
    return " ".join(random.Random(row).choices(WORDS, k=8))


def cells(make: Callable[[int], Any]) -> list[Any]:
    return [make(row) for row in range(N)]


USUAL: dict[str, list[Any]] = {
    "plot": cells(prose),
    "tags": cells(lambda i: "|".join(random.Random(i).sample(COLOURS, 2))),
    "is_a": cells(lambda i: i % 2),
    "is_b": cells(lambda i: int(i % 3 == 0)),
}


def write(path: Path, columns: dict[str, list[Any]]) -> Path:
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    match path.suffix:
        case ".parquet":
            pd.DataFrame(columns).to_parquet(path)
        case ".jsonl":
            path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        case _:
            with path.open("w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, list(columns), delimiter="\t" if path.suffix == ".tsv" else ",")
                writer.writeheader()
                writer.writerows(rows)
    return path


@pytest.fixture
def find(tmp_path: Path) -> Callable[..., Found]:
    def found(given: dict[str, list[Any]], suffix: str = ".csv", **wish: Any) -> Found:
        return columns.find(write(tmp_path / f"my{suffix}", given), Wish(**wish))

    return found


@pytest.fixture
def refused(find: Callable[..., Found], tmp_path: Path) -> Callable[..., str]:
    def message(given: dict[str, list[Any]], **wish: Any) -> str:
        with pytest.raises(UserError) as caught:
            find(given, **wish)
        text = str(caught.value).replace(str(tmp_path / "my.csv"), "my.csv")
        assert "\n" not in text
        return text

    return message


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_every_format_gives_the_same(find: Callable[..., Found], suffix: str) -> None:
    found = find(USUAL | {"price": cells(lambda i: i * 7 % 31 + 0.5)}, suffix, labels="tags")
    spec = found.spec
    assert (spec.labels.column, spec.labels.separator) == ("tags", "|")
    assert (spec.text, spec.lists, spec.numeric) == (("plot",), (), ("is_a", "is_b", "price"))
    assert (found.rows, found.columns, found.guessed_labels, found.unused) == (N, 5, False, {})
    assert len(parsing.parse(spec).labels) == 3


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_columns_of_lists_need_no_separator(find: Callable[..., Found], suffix: str) -> None:
    lists = {name: [cell.split("|") for cell in USUAL["tags"]] for name in ("tags", "more")}
    spec = find({"plot": USUAL["plot"], **lists}, suffix, labels="tags").spec
    assert spec.labels.separator is None
    assert [(one.column, one.separator) for one in spec.lists] == [("more", None)]


def test_labels_that_nobody_named_are_all_0_1_columns_and_said_to_be_a_guess(find: Callable[..., Found]) -> None:
    found = find(USUAL)
    assert found.spec.labels.prefix == "is_"
    assert found.guessed_labels
    other = find({"plot": USUAL["plot"], "a": USUAL["is_a"], "b": USUAL["is_b"]})
    assert other.spec.labels.columns == ("a", "b")
    assert other.guessed_labels


def test_a_shared_beginning_is_a_prefix_only_up_to_a_sign(find: Callable[..., Found]) -> None:
    found = find({"plot": USUAL["plot"], "comedy": USUAL["is_a"], "cosy": USUAL["is_b"]})
    assert found.spec.labels.columns == ("comedy", "cosy")


@pytest.mark.parametrize(
    ("asked", "form"),
    [
        ("is_*", {"prefix": "is_"}),
        ("is_b,is_a", {"columns": ("is_b", "is_a")}),
        ('is_a, "is_b"', {"columns": ("is_a", "is_b")}),
        ("tags", {"column": "tags", "separator": "|"}),
    ],
)
def test_labels_as_asked(find: Callable[..., Found], asked: str, form: dict[str, Any]) -> None:
    labels = find(USUAL, labels=asked).spec.labels
    assert labels.model_dump(exclude_none=True, exclude={"min_rows"}) == form


def test_a_column_whose_name_has_a_comma_or_a_star_is_that_column(find: Callable[..., Found]) -> None:
    for name in ("a,b", "tags*"):
        assert find({"plot": USUAL["plot"], name: USUAL["tags"]}, labels=name).spec.labels.column == name


def test_what_is_given_is_taken_and_the_rest_is_proposed(find: Callable[..., Found]) -> None:
    given = USUAL | {"title": cells(lambda i: f"the {prose(i)}"), "city": cells(lambda i: ["Rome", "Oslo"][i % 2])}
    found = find(given, labels="tags", text=("plot",), id=None, group="city")
    assert found.spec.text == ("plot",)
    assert found.spec.numeric == ("is_a", "is_b")
    assert found.spec.group == "city"
    assert found.spec.lists == ()
    assert found.unused == {"title": "could be of --text too, which names others"}


def test_parts_that_are_declared_are_used(find: Callable[..., Found]) -> None:
    parts = cells(lambda i: ("Train", "train", "test", "validation")[i % 4])
    assert find(USUAL | {"fold": parts}, labels="tags").spec.split == "fold"
    two = find(USUAL | {"fold": cells(lambda i: ("train", "test")[i % 2])}, labels="tags").spec
    assert two.split is None


@pytest.mark.parametrize("name", ["id", "film_id", "filmId", "ID", "key"])
def test_an_id_is_found_by_its_name_if_it_names_every_row(find: Callable[..., Found], name: str) -> None:
    assert find(USUAL | {name: cells(lambda i: f"t{i}")}, labels="tags").spec.id == name
    found = find(USUAL | {name: cells(lambda i: f"t{i % 9}")}, labels="tags")
    assert found.spec.id is None
    assert found.unused[name].endswith(f"--group {name}")
    assert "9 things" in found.unused[name]


@pytest.mark.parametrize(
    ("reason", "make"),
    [
        ("is empty", lambda i: ""),
        ("is 5 in every row", lambda i: 5),
        ("is 'x' in every row", lambda i: "x"),
        ("counts the rows", lambda i: i),
        ("holds numbers, but 1 cell is empty; fill in what is to be used", lambda i: "" if i == 7 else i * i),
        ("holds numbers, but 2 cells are none, first row 8: '?'", lambda i: "?" if i in (7, 9) else i * i),
        ("holds something else in nearly every row, and no prose: 'x0'", lambda i: f"x{i}"),
        ("holds lists as Python writes them, \"['a0']\"; write them as a|b", lambda i: f"['a{i}']"),
    ],
)
def test_why_a_column_is_not_used(find: Callable[..., Found], reason: str, make: Callable[[int], Any]) -> None:
    assert find(USUAL | {"x": cells(make)}, labels="tags").unused == {"x": reason}


def test_cells_that_are_no_text_numbers_or_lists_are_not_used(find: Callable[..., Found]) -> None:
    odd = {"when": [{"a": 1}] * N, "mixed": cells(lambda i: i if i % 2 else "x"), "deep": [[["a"]]] * N}
    found = find(USUAL | odd, ".jsonl", labels="tags")
    assert set(found.unused) == set(odd)
    assert found.unused["mixed"] == "holds number and text"


def test_what_holds_for_the_first_rows_must_hold_for_all(find: Callable[..., Found]) -> None:
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


@pytest.mark.parametrize(
    ("sign", "texts"),
    [
        ("|", ["a|b", "b", "a", "b|c"]),
        (",", ["1, 4, 7", "2", "1", "4, 2", "7", "2, 1"]),
        (";", ["Carol Reed; Ann Lee", "Bob Roy; Cy Young", "Di Ho; Ed Wu"]),  # none comes back, but no prose has it
        (",", ["Rome, Italy", "Oslo, Norway", "Milan, Italy", "Turin, Italy", "Bergen, Norway", "Pisa, Italy"]),
        (None, ["Rome", "Oslo", "Rome"]),
        (None, ["The end, again, and over", "No, I am not", "Well, a house by the river"]),
        (None, ["Good, the Bad, The", "Alien", "Godfather, The", "Heat", "Up"]),  # titles
        (None, []),
    ],
)
def test_separator(sign: str | None, texts: list[str]) -> None:
    assert separator(texts) == sign


def test_a_separator_that_parts_nothing_is_said_to_be_none(find: Callable[..., Found]) -> None:
    """Else the reader of tables would take the names apart, or refuse them."""
    cities = cells(lambda i: ("Washington, D.C.", "Rome", "Oslo", "Bern")[i % 4])
    (city,) = find(USUAL | {"city": cities}, labels="tags").spec.lists
    assert (city.column, city.separator) == ("city", "none")


MISTAKES = [
    ({"labels": "tag"}, "--labels: my.csv has no column 'tag'; did you mean 'tags'?; the columns are 'plot', 'tags'"),
    ({"labels": "tags", "text": ("plott",)}, "--text: my.csv has no column 'plott'; did you mean 'plot'?"),
    ({"labels": "tags", "group": "x"}, "--group: my.csv has no column 'x'"),
    ({"labels": "is_a"}, "column 'is_a' of my.csv is 0/1, so it is one label, and at least two are needed"),
    ({"labels": "is_a,is_a"}, "two or more different 0/1 columns"),
    ({"labels": "tags", "text": ("tags",)}, "--labels: column 'tags' is given under another option too"),
    ({"labels": "tags", "text": ("plot",), "lists": ("plot",)}, "--list: column 'plot' is given under --text too"),
    ({"labels": "tags", "text": ("plot", "plot")}, "--text: column 'plot' is given twice"),
]


@pytest.mark.parametrize(("wish", "text"), MISTAKES)
def test_a_mistake_is_one_line(refused: Callable[..., str], wish: dict[str, Any], text: str) -> None:
    assert text in refused(USUAL, **wish)


def test_without_a_guess_the_columns_are_listed(refused: Callable[..., str]) -> None:
    said = refused({"plot": USUAL["plot"], "tags": USUAL["tags"], "is_a": USUAL["is_a"]})
    assert "--labels" in said
    assert "'is_a' alone" in said
    assert said.endswith("the columns are 'plot', 'tags', 'is_a'")


def test_without_an_input_it_says_why(refused: Callable[..., str]) -> None:
    said = refused({"is_a": USUAL["is_a"], "is_b": USUAL["is_b"]})
    assert "all 0/1 columns were taken for labels" in said
    said = refused({"tags": USUAL["tags"], "n": cells(lambda i: i)}, labels="tags")
    assert "column 'n' counts the rows" in said


def test_labels_as_python_writes_lists_are_refused(refused: Callable[..., str]) -> None:
    lists = [str(cell.split("|")) for cell in USUAL["tags"]]
    assert "lists as Python writes them" in refused({"plot": USUAL["plot"], "tags": lists}, labels="tags")


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
