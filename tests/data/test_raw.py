"""Raw rows become the inputs that training read of the same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rarelabels.data import raw
from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.sources import movies
from rarelabels.data.table import parsing
from rarelabels.data.table.batch import Batch, RawColumn
from rarelabels.declare.data import MoviesSpec, SimulatedSpec
from rarelabels.errors import UserError
from small_tables import PLOTS, PRICES, TAGS, rows_of, spec, write


def test_what_has_no_raw_rows_says_which_kinds_have() -> None:
    with pytest.raises(UserError) as error:
        raw.checked(SimulatedSpec(kind="simulated"))
    assert str(error.value) == (
        "dataset.kind 'simulated' has no columns in which new rows could be sent to "
        "its model; allowed: table, movies, xed, mulan"
    )


def test_rows_of_a_table_are_read_as_in_training(tmp_path: Path) -> None:
    declared = spec(write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS, price=PRICES)), numeric=("price",))
    described = raw.describe(declared)
    assert described == raw.Raw((RawColumn("plot", "text"), RawColumn("price", "number")), "", "|")
    cells = {"plot": PLOTS, "price": [str(price) for price in PRICES]}
    part = raw.part(declared, described.columns, Batch(Path("new.csv"), 1, 10, None, cells))
    read = parsing.parse(declared)
    assert part.text["plot"].to_lists() == read.text["plot"].to_lists()
    assert np.array_equal(part.numeric, read.numeric)
    assert part.ids.tolist() == [str(row) for row in range(1, 11)]
    assert part.y.shape == (10, 0)


def test_images_are_named_below_the_folder_of_the_new_rows(tmp_path: Path) -> None:
    for name in ("a.png", "later/b.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"\x89PNG")
    table = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS, photo=["a.png"] * 10))
    declared = spec(table, images={"column": "photo"}, backbone={"kind": "vgg19"})
    described = raw.describe(declared)
    assert described.columns == (RawColumn("plot", "text"), RawColumn("photo", "image"))
    assert raw.examples(declared, described.columns)["photo"] == ["a.png"] * 3
    batch = Batch(Path("new.csv"), 1, 2, None, {"plot": ["x", "y"], "photo": ["b.png", "b.png"]})
    part = raw.part(declared, described.columns, batch, tmp_path / "later")
    assert part.images is not None
    assert part.images.tolist() == ["b.png", "b.png"]
    with pytest.raises(UserError, match=r"new\.csv: row 1, column 'photo': there is no image 'b\.png' in "):
        raw.part(declared, described.columns, batch, tmp_path)
    with pytest.raises(UserError, match=r"new\.csv: column 'photo' names image files, and no folder is given"):
        raw.part(declared, described.columns, batch)


def test_no_new_images_go_through_weights_of_a_file_that_the_model_does_not_hold(tmp_path: Path) -> None:
    declared = spec(tmp_path / "a.csv", images={"column": "photo"}, backbone={"kind": "vgg19", "file": "my.h5"})
    with pytest.raises(UserError, match=r"dataset\.backbone\.file: a registered model does not hold this file"):
        raw.checked(declared)


def test_examples_are_the_first_rows_with_numbers_as_numbers(tmp_path: Path) -> None:
    declared = spec(write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS, price=PRICES)), numeric=("price",))
    examples = raw.examples(declared, raw.describe(declared).columns)
    assert examples == {"plot": PLOTS[:3], "price": [1.5, -2.0, 0.0]}


def test_films_are_read_as_in_training(own: Path) -> None:
    declared = MoviesSpec(kind="movies", labels=2)
    columns = raw.describe(declared).columns
    rows = movies.raw_rows(declared, 40)
    part = raw.part(
        declared, columns, Batch(Path("new.csv"), 1, 40, None, {one.name: rows[one.name] for one in columns})
    )
    read = movies.parse(declared)
    assert {name: tokens.to_lists() for name, tokens in part.text.items()} == {
        name: tokens.to_lists() for name, tokens in read.text.items()
    }


def gaps(numeric: list[list[float]]) -> Dataset:
    one = Part(np.array(["1", "2", "3"]), np.ones((3, 2), np.uint8), {}, np.array(numeric))
    return Dataset(("a", "b"), one, one, one, "digest", {}, numeric=("price", "year"))


def test_medians_of_the_training_part_stand_in_for_what_a_new_row_misses() -> None:
    described = raw.with_medians(raw.Raw(()), gaps([[1, 9], [2, 7], [6, 8]]), by_itself=False)
    assert described.medians == {"price": 2.0, "year": 8.0}
    batch = Batch(Path("new.csv"), 1, 2, None, {"price": ["", "4"], "year": ["5", "NaN"]})
    new = Part(np.array(["1", "2"]), np.empty((2, 0), np.uint8), {}, np.array([[np.nan, 5], [4, np.nan]]))
    assert raw.filled_in(described, ("price", "year"), new, batch).numeric.tolist() == [[2, 5], [4, 8]]
    # A model that has seen missing numbers, or reads them as they are, gets them.
    data = gaps([[1, 9], [np.nan, 7], [6, 8]])
    for left in (
        raw.with_medians(raw.Raw(()), data, by_itself=False),
        raw.with_medians(described, data, by_itself=True),
    ):
        np.testing.assert_array_equal(raw.filled_in(left, ("price", "year"), new, batch).numeric, new.numeric)
    with pytest.raises(UserError) as error:
        raw.filled_in(raw.Raw(()), ("price", "year"), new, batch)
    assert str(error.value) == (
        "new.csv: row 1, column 'price': must be a number; given an empty cell; the model was registered before "
        "numbers could be missing: fill it in, or register the model anew with `rarelabels best`"
    )


def test_an_example_may_miss_a_number(tmp_path: Path) -> None:
    rows = rows_of(plot=PLOTS, tags=TAGS, price=["", "nan", *PRICES[2:]])
    declared = spec(write(tmp_path / "a.csv", rows), numeric=("price",))
    assert raw.examples(declared, raw.describe(declared).columns)["price"] == [None, None, 0.0]


def test_categories_of_new_rows_are_read_as_in_training(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=TAGS, maker=["x", "y"] * 5))
    declared = spec(path, categories=("maker",))
    columns = raw.describe(declared).columns
    assert columns == (RawColumn("plot", "text"), RawColumn("maker", "text"))
    batch = Batch(Path("new.csv"), 1, 3, None, {"plot": ["a", "b", "c"], "maker": [" y", "", "z"]})
    assert raw.part(declared, columns, batch).categories["maker"].to_lists() == [["y"], [""], ["z"]]


def test_new_rows_have_the_signs_and_brackets_of_the_training_data(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("1.234,5;['a', 'b'];x|y\n" * 12)
    declared = spec(
        path,
        labels={"column": "3", "separator": "|"},
        text=(),
        lists=({"column": "2", "separator": "[]"},),
        numeric=("1",),
        delimiter=";",
        decimal=",",
        thousands=".",
        header=False,
    )
    described = raw.describe(declared)
    assert described == raw.Raw((RawColumn("2", "text"), RawColumn("1", "number")), "", "|")
    assert raw.examples(declared, described.columns) == {"2": ["['a', 'b']"] * 3, "1": [1234.5] * 3}
    cells = {"1": ["1.234,5", 0.5, None], "2": ["['a']", "", "[]"]}
    part = raw.part(declared, described.columns, Batch(Path("input"), 1, 3, None, cells))
    np.testing.assert_array_equal(part.numeric[:, 0], [1234.5, 0.5, np.nan])
    assert part.text["2"].to_lists() == [["a"], [], []]


def test_labels_in_brackets_have_no_separator_to_be_written_with(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", rows_of(plot=PLOTS, tags=["{a,b}", *["{a}"] * 9]))
    assert raw.describe(spec(path, labels={"column": "tags", "separator": "{}"})).separator == ""
