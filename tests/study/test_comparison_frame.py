"""A comparison as a DataFrame, and as the table that a reader sees."""

from __future__ import annotations

import pandas as pd

from rarelabels.compare.comparison import Comparison, Row
from rarelabels.study import comparison_frame

F1, RANKS = "test/half/macro_f1", "test/ranking/macro_average_precision"


def row(name: str, f1: float, *, overrides: str = "", tied: bool = False) -> Row:
    values = pd.DataFrame({"mean": [f1, 0.5], "low": [f1 - 0.1, float("nan")], "high": [f1 + 0.1, float("nan")]})
    values.index = pd.Index([F1, RANKS], name="metric")
    return Row(name, "0 1 2", overrides, (), values, (), frozenset({F1} if tied else ()))


COMPARED = Comparison(
    "films",
    [row("bce", 0.4, tied=True), row("focal", 0.3)],
    [row("bce", 0.2, overrides="a=1")],
    {"zeros": {"macro_f1": 0.0}, "prior": {"macro_average_precision": 0.2}},
    missing=[],
    skipped=[],
)


def test_a_row_for_each_trial_and_headline_metric_then_floors() -> None:
    frame = comparison_frame.frame([COMPARED])
    assert list(frame.columns) == comparison_frame.COLUMNS
    assert list(dict.fromkeys(frame["trial"])) == [
        "bce",
        "focal",
        "bce (overridden: a=1)",
        "floor: zeros",
        "floor: prior",
    ]
    bce = frame[(frame["trial"] == "bce") & (frame["metric"] == F1)].iloc[0]
    assert (bce["data"], bce["seeds"], bce["mean"], bce["low"], bce["tied"]) == ("films", 3, 0.4, 0.4 - 0.1, True)
    assert frame[frame["trial"] == "floor: prior"][["metric", "mean", "seeds"]].to_numpy().tolist() == [[RANKS, 0.2, 0]]


def test_what_a_reader_sees_has_a_column_for_each_metric_in_words() -> None:
    shown = comparison_frame.shown(comparison_frame.frame([COMPARED]))
    assert list(shown.columns) == ["macro-F1 at 0.5", "macro average precision"]
    assert shown.loc["bce"].tolist() == ["0.400* (0.300–0.500)", "0.500"]
    assert shown.loc["floor: zeros"].tolist() == ["0.000", ""]


def test_in_a_notebook_the_interval_is_below_the_mean() -> None:
    page = comparison_frame.html(comparison_frame.frame([COMPARED]))
    assert ">0.400*<br>(0.300–0.500)</td>" in page
    assert page.count("<tr") == 1 + 5


def test_nothing_to_compare() -> None:
    empty = comparison_frame.frame([])
    assert empty.empty
    assert comparison_frame.shown(empty).empty
