"""The columns of a table: what is given, and what is proposed."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rarelabels.data.table import parsing
from rarelabels.data.table.batch import BATCH_ROWS
from rarelabels.errors import UserError
from rarelabels.init import columns
from rarelabels.init.column import Wish
from rarelabels.init.columns import TableColumns
from usual_columns import USUAL, N, cells, prose, write


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
    assert found.spec.text == ("plot", "title")
    assert (found.why["plot"], found.why["title"]) == ("as --text says", "9.0 words in a cell on average")
    assert found.spec.numeric == ("is_a", "is_b")
    assert found.spec.group == "city"
    assert found.spec.lists == ()
    assert found.unused == {}


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
    n = BATCH_ROWS + 30
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
    ({"labels": "is_a\nis_c"}, "--labels: my.csv has no column 'is_c'; did you mean 'is_b'?"),
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
        (b"plot;tags\n" + b"a b;c\n" * 19 + b"a\n", "it looks separated by ';'"),
        (
            b"My films\n\nplot,tags\n" + b"a,b\n" * 20,
            "the header has 1; if the first line is a title or a comment, take it",
        ),
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


@pytest.mark.parametrize(
    ("columns", "signs"),
    [
        ({"x": lambda i: f"{i},{i % 7 + 1}"}, (",", None)),
        ({"x": lambda i: f"{i + 1},{i % 9}05"}, (".", ",")),
        ({"x": lambda i: f"{i + 1},{i % 9}05", "y": lambda i: f"{i},5"}, (",", None)),  # a column that decides for both
        ({"x": lambda i: f"{i + 1}.305,{i % 7}"}, (",", ".")),
        ({"x": lambda i: f"{i + 1}.305", "y": lambda i: f"{i},5"}, (",", ".")),
        ({"x": lambda i: f"{i + 1}\u00a0305,{i % 7}"}, (",", " ")),
        ({"x": lambda i: f"{i + 1}'305.5"}, (".", "'")),
        ({"x": lambda i: f"{i}.{i % 7}"}, (".", None)),
        ({"x": lambda i: "" if i == 7 else f"{i},{i % 7 + 1}"}, (",", None)),
    ],
)
def test_signs_of_numbers_are_recognised(
    find: Callable[..., TableColumns], columns: dict[str, Callable[[int], str]], signs: tuple[str, str | None]
) -> None:
    found = find(USUAL | {name: cells(make) for name, make in columns.items()}, labels="tags")
    assert (found.spec.decimal, found.spec.thousands) == signs
    assert found.spec.numeric == ("is_a", "is_b", *columns)
    assert parsing.parse(found.spec).numeric.shape == (N, 2 + len(columns))


def test_a_decimal_sign_that_is_given_decides(find: Callable[..., TableColumns]) -> None:
    given = USUAL | {"x": cells(lambda i: f"{i + 1},{i % 9}05")}
    assert find(given, labels="tags", decimal=",").spec.thousands is None
    assert find(given, labels="tags", decimal=".").spec.thousands == ","


def test_weights_tell_the_signs_of_numbers_too(find: Callable[..., TableColumns]) -> None:
    found = find(USUAL | {"w": cells(lambda i: f"{i},{i % 7 + 1}")}, labels="tags", weight="w")
    assert found.spec.decimal == ","
    assert parsing.parse(found.spec).weights is not None


def test_a_column_with_the_other_decimal_sign_is_told(find: Callable[..., TableColumns]) -> None:
    given = USUAL | {"x": cells(lambda i: f"{i},{i % 7 + 1}"), "y": cells(lambda i: f"{i * i}.75")}
    found = find(given, labels="tags")
    assert found.spec.numeric == ("is_a", "is_b", "x")
    assert found.unused == {"y": "holds numbers, but not with ',' before the decimals as other columns do"}


def test_one_odd_cell_changes_no_signs(find: Callable[..., TableColumns]) -> None:
    found = find(USUAL | {"x": cells(lambda i: "12,5" if i == 7 else f"{i}.5")}, labels="tags")
    assert (found.spec.decimal, found.unused) == (
        ".",
        {"x": "holds numbers, but 1 cell is no number, first row 8: '12,5'"},
    )


@pytest.mark.parametrize("n", [60, 3 * BATCH_ROWS])
def test_decimals_that_begin_late_are_numbers(find: Callable[..., TableColumns], n: int) -> None:
    numbers = [str(i) if i < n - 20 else f"{i},5" for i in range(n)]
    found = find({"tags": ["a|b", "b"] * (n // 2), "x": numbers}, labels="tags").spec
    assert (found.numeric, found.decimal) == (("x",), ",")


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_rows_without_a_filled_cell_are_told(find: Callable[..., TableColumns], suffix: str) -> None:
    """Their labels would not be known, and ids would not name every row."""
    empty = {name: [*values, None, None] for name, values in USUAL.items()}
    found = find(empty, suffix, labels="is_*")
    assert found.hint == f"; rows without a filled cell: 2, first row {N + 1}; they count, so take them out"
    gaps = {
        name: [None if i == place else cell for i, cell in enumerate(USUAL[name])] for place, name in enumerate(USUAL)
    }
    assert not find(gaps, suffix, labels="is_*").hint


def test_labels_that_are_numbers_with_a_comma_stay_names(find: Callable[..., TableColumns]) -> None:
    spec = find({"plot": USUAL["plot"], "codes": cells(lambda i: f"{i % 3},{3 + i % 2}")}, labels="codes").spec
    assert (spec.labels.separator, spec.decimal) == (",", ".")


PART_WORDS = ("Training", "train", "val", "valid", "dev", "Testing", "test")


@pytest.mark.parametrize("name", ["split", "set", "x"])
def test_other_words_for_the_parts(find: Callable[..., TableColumns], name: str) -> None:
    found = find(USUAL | {name: cells(lambda i: PART_WORDS[i % len(PART_WORDS)])}, labels="tags")
    assert found.spec.split == name
    assert found.why[name].startswith("Testing is test, Training is train, dev is validation")
    parts = parsing.parse(found.spec).parts
    assert parts is not None
    assert parts[:7].tolist() == [0, 0, 1, 1, 1, 2, 2]


def test_parts_that_lack_one_are_no_input(find: Callable[..., TableColumns]) -> None:
    found = find(USUAL | {"set": cells(lambda i: ("train", "test")[i % 2])}, labels="tags")
    assert (found.spec.split, found.spec.categories) == (None, ())
    assert "no row is validation" in found.unused["set"]
    found = find(USUAL | {"stage": cells(lambda i: ("train", "plane")[i % 2])}, labels="tags")
    assert found.spec.categories == ("stage",)


def test_the_column_of_parts_is_given(find: Callable[..., TableColumns]) -> None:
    words = cells(lambda i: ("train", "val", "test")[i % 3])
    found = find(USUAL | {"old": words, "new": words}, labels="tags", split="new")
    assert found.spec.split == "new"
    assert found.unused == {
        "old": "says test, train, val, but another column gives the parts; --split takes it in its place"
    }


@pytest.mark.parametrize("separator", [", ", ",", ":"])
def test_the_separator_of_a_list_is_given(find: Callable[..., TableColumns], separator: str) -> None:
    found = find(USUAL | {"by": cells(lambda i: f"a{i % 7}{separator}b")}, labels="tags", lists=(f"by:{separator}",))
    assert [(one.column, one.separator) for one in found.spec.lists] == [("by", separator)]
    assert found.why["by"] == "as --list says"


def test_columns_of_the_same_names_are_alike(find: Callable[..., TableColumns]) -> None:
    """One film has several writers, and each has one director, who may be a writer, too."""
    people = ("A. Birch", "C. Dale", "E. Fell", "G. Hurst")
    written = cells(lambda i: ", ".join(random.Random(i).sample(people, i % 3 + 1)))
    found = find(USUAL | {"written_by": written, "filmed_by": cells(lambda i: people[i % 4])}, labels="tags")
    assert [(one.column, one.separator) for one in found.spec.lists] == [("written_by", ","), ("filmed_by", ",")]
    assert found.why["filmed_by"] == "its cells hold the names of written_by"
    assert found.spec.categories == ()


def test_how_the_file_is_written_is_declared(tmp_path: Path) -> None:
    path = tmp_path / "my.csv"
    rows = [f"{plot};{tags};{i},5\r\n" for i, (plot, tags) in enumerate(zip(USUAL["plot"], USUAL["tags"], strict=True))]
    path.write_bytes(("\ufeffplot é;tags;size\r\n" + "".join(rows)).encode())
    spec = columns.find(path, Wish(labels="tags")).spec
    assert (spec.delimiter, spec.decimal, spec.text, spec.numeric) == (";", ",", ("plot é",), ("size",))
    path.write_bytes(("plot é;tags;size\r\n" + "".join(rows)).encode("cp1252"))
    with pytest.raises(UserError, match="init: --encoding cp1252"):
        columns.find(path, Wish(labels="tags"))
    assert columns.find(path, Wish(labels="tags", encoding="cp1252")).spec.encoding == "cp1252"
    path.write_text("".join(rows))
    found = columns.find(path, Wish(labels="2", header=False))
    assert (found.spec.header, found.spec.text, found.spec.numeric) == (False, ("1",), ("3",))
    with pytest.raises(UserError, match=r"has no column '2'.* looks like data .*, say --no-header"):
        columns.find(path, Wish(labels="2"))


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"delimiter": "ab"}, "--delimiter: the delimiter must be one sign"),
        ({"encoding": "nonsense"}, "--encoding: 'nonsense' is no encoding of text"),
        ({"encoding": "idna"}, "--encoding: 'idna' is no encoding of text"),
        ({"delimiter": "\udcff"}, r"--delimiter: must be UTF-8 text; given '\udcff'"),
        ({"lists": ("plot:\udcff",)}, r"--list: must be UTF-8 text; given 'plot:\udcff'"),
        ({"decimal": "x"}, "--decimal: allowed . or ,; given 'x'"),
        ({"ignore": ("x",)}, "--ignore: my.csv has no column 'x'"),
        ({"split": "x"}, "--split: my.csv has no column 'x'"),
        ({"ignore": ("plot",), "text": ("plot",)}, "--ignore: column 'plot' is given under --text, too"),
        ({"ignore": ("tags",)}, "--labels: column 'tags' is given under another option, too"),
        ({"lists": ("plot", "plot:;")}, "--list: column 'plot' is given twice"),
    ],
)
def test_a_mistake_about_the_file_is_one_line(refused: Callable[..., str], wish: dict[str, Any], said: str) -> None:
    assert said in refused(USUAL, labels="tags", **wish)


def test_a_table_that_is_no_text_has_no_delimiter(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--delimiter: only a \.csv or \.tsv file"):
        columns.find(write(tmp_path / "my.jsonl", USUAL), Wish(labels="tags", delimiter=";"))
