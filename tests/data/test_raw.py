"""Raw rows become the inputs that training read of the same rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rarelabels.data import raw
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
