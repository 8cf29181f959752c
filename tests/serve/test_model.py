"""A registered model in Python: what it takes, and that it gives what the command prints."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from rarelabels.errors import UserError
from rarelabels.serve import deployment
from rarelabels.serve.model import Model
from served import INPUTS, NUMBER, TEXT, load


@pytest.fixture(scope="module")
def model(registered) -> Model:
    return Model(load(registered("bce")[1]))


@pytest.fixture(scope="module")
def rows(project) -> pd.DataFrame:
    return pd.read_csv(project.folder / "my.csv", dtype=str, keep_default_na=False).head(7)


def test_it_gives_the_lines_that_the_command_prints(registered, project, model: Model, rows: pd.DataFrame) -> None:
    rows.to_csv(project.folder / "seven.csv", index=False)
    out, path = io.StringIO(), project.folder / "seven.csv"
    deployment.predict(load(registered("bce")[1]), path, deployment.column_names(path), out)
    printed = pd.read_csv(io.StringIO(out.getvalue()), keep_default_na=False)
    pd.testing.assert_frame_equal(model.predict(rows), printed, check_exact=True, check_dtype=False)


def test_it_says_what_it_is(model: Model) -> None:
    assert repr(model) == "Model(my/bce, rule per_label): 4 columns to 4 labels"
    assert set(model.columns) == set(INPUTS)
    assert set(model.labels) == {"cat, tabby", "dog", "Ünï|code", "rare"}


def test_mappings_are_rows_and_columns_may_be_more_and_in_any_order(model: Model, rows: pd.DataFrame) -> None:
    expected = model.predict(rows)
    pd.testing.assert_frame_equal(model.predict(rows.to_dict("records")), expected)
    pd.testing.assert_frame_equal(model.predict(rows[[*reversed(rows.columns)]].assign(more=1)), expected)


def test_the_index_is_kept_and_rows_without_names_are_numbered(model: Model, rows: pd.DataFrame) -> None:
    some = rows.set_index(pd.Index([*"gfedcba"])).drop(columns="ref")
    answer = model.predict(some)
    assert list(answer.index) == [*"gfedcba"]
    assert list(answer["id"]) == ["1", "2", "3", "4", "5", "6", "7"]
    named = model.predict(rows)
    assert list(named["id"]) == list(rows["ref"])
    np.testing.assert_array_equal(answer.iloc[:, 2:], named.iloc[:, 2:])


def test_no_rows_give_no_rows_under_the_same_columns(model: Model, rows: pd.DataFrame) -> None:
    answer = model.predict(rows.head(0))
    assert len(answer) == 0
    assert list(answer.columns) == list(model.predict(rows).columns)


def test_a_wrong_row_is_one_line(model: Model, rows: pd.DataFrame) -> None:
    with pytest.raises(UserError, match=r"input: has no column 'what: it says', which the model was trained on"):
        model.predict(rows.drop(columns=TEXT))
    with pytest.raises(UserError, match=r"input: row 2, column 'n° 1': 'x' is not a finite number"):
        model.predict(rows.assign(**{NUMBER: ["1", "x", "2", "3", "4", "5", "6"]}))
