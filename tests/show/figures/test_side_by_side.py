"""What the figures across trials contain; how they look is looked at, not tested."""

from __future__ import annotations

import numpy as np
import pandas as pd

from drawn import legend
from odd_names import ODD
from rarelabels.show.figures import side_by_side


def losses(**by_head: list[float]) -> list[tuple[str, int, float]]:
    return [(head, epoch, value) for head, values in by_head.items() for epoch, value in enumerate(values, 1)]


def test_heads_says_which_trainings_are_one(saved) -> None:
    rows = [("bce", *point) for point in losses(sigmoid=[0.5, 0.4], softmax=[0.5, 0.4])]
    rows += [("cce", *point) for point in losses(sigmoid=[0.5, 0.4], softmax=[0.5, 0.4 + 1e-9])]
    rows += [("textbook", *point) for point in losses(softmax=[0.7, 0.6])]
    figure = saved(side_by_side.heads(pd.DataFrame(rows, columns=["loss", "head", "epoch", "value"]), "films"))
    verdicts = [axes.get_title().splitlines()[-1] for axes in figure.axes]
    assert verdicts == ["identical", "different", "one head alone"]
    assert [line.get_ydata().tolist() for line in figure.axes[0].lines] == [[0.5, 0.4], [0.5, 0.4]]


def test_picked_says_what_each_choice_costs(saved) -> None:
    table = pd.DataFrame(
        {"macro_f1": [0.5, 0.4, 0.45], "log_loss": [0.3, 0.2, 0.25]}, index=["f1_macro", "val_loss", "auc"]
    )
    figure = saved(side_by_side.picked(table, ["log_loss"], "films"))
    told = [text.get_text() for text in figure.axes[0].texts]
    assert told[:4] == ["0.500", "best", "0.300", "+0.100"]
    assert told[4:8] == ["0.400", "−0.100", "0.200", "best"]
    assert told[8:] == ["0.450", "−0.050", "0.250", "+0.050"]


def test_sweep_has_a_panel_for_each_metric_and_a_line_for_each_trial(saved) -> None:
    rows = [
        {"trial": trial, "value": value, "metric": metric, "mean": value * scale, "low": np.nan, "high": np.nan}
        for trial, scale in (("sigmoid", 1.0), ("powerset", 2.0))
        for value in (17.0, 3.0, 8.0)
        for metric in ("a", "b")
    ]
    names = {"a": "subset accuracy", "b": "parameters"}
    figure = saved(side_by_side.sweep(pd.DataFrame(rows), "dataset.labels", names, ["b"], "powerset"))
    assert [axes.get_title() for axes in figure.axes] == list(names.values())
    assert [axes.get_yscale() for axes in figure.axes] == ["linear", "log"]
    for axes in figure.axes:
        assert [line.get_xdata().tolist() for line in axes.lines] == [[3, 8, 17], [3, 8, 17]]
        assert [line.get_ydata().tolist() for line in axes.lines] == [[3, 8, 17], [6, 16, 34]]


def test_by_cardinality_has_a_row_for_each_trial_and_a_column_for_each_number_of_true_labels(saved) -> None:
    rows = [("softmax", 1, 70, 0.9, 0.8), ("softmax", 3, 5, 0.33, 0.0), ("sigmoid", 1, 70, 0.8, 0.7)]
    table = pd.DataFrame([*rows, ("sigmoid", 3, 5, 0.9, 0.75)], columns=["trial", "true", "rows", "recall", "right"])
    axes = saved(side_by_side.by_cardinality(table, "films")).axes[0]
    told = [text.get_text() for text in axes.texts]
    assert told == [
        "0.90",
        "all right 0.80",
        "0.33",
        "all right 0.00",
        "0.80",
        "all right 0.70",
        "0.90",
        "all right 0.75",
    ]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1 true\n(70 rows)", "3 true\n(5 rows)"]


def test_groups_has_a_panel_for_each_group_that_there_is(saved) -> None:
    rows = [
        (trial, f"test/{rule}/{group}_f1", 0.2, 0.1, 0.3)
        for trial in ("bce", "focal")
        for rule in side_by_side.GROUP_RULES
        for group in ("tail", "medium")
    ]
    table = pd.DataFrame(rows, columns=["trial", "metric", "mean", "low", "high"])
    figure = saved(side_by_side.groups(table, {"tail": 850, "medium": 131}, "emoji"))
    assert [axes.get_title() for axes in figure.axes] == ["tail", "medium"]
    assert figure.axes[0].get_xlabel() == "F1 on test, pooled over 850 labels"
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["bce", "focal"]


def test_trials_of_any_name_have_a_line_in_a_legend_and_a_row(saved) -> None:
    rows = [(trial, value, "m", 0.5, 0.4, 0.6) for trial in ODD for value in (1.0, 2.0)]
    table = pd.DataFrame(rows, columns=["trial", "value", "metric", "mean", "low", "high"])
    figure = saved(side_by_side.sweep(table, "dataset.$x^{$", {"m": "the metric"}, (), "odd"))
    assert len(legend(figure)) == len(ODD)
    by_size = pd.DataFrame({"trial": ODD, "true": 1, "rows": 9, "recall": 0.5, "right": 0.5})
    assert len(saved(side_by_side.by_cardinality(by_size, "odd")).axes[0].get_yticklabels()) == len(ODD)
