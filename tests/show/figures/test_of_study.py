"""What the figures of a study contain; how they look is looked at, not tested."""

from __future__ import annotations

import numpy as np
import pandas as pd

from drawn import legend, texts
from odd_names import ODD
from rarelabels.show.figures import of_study


def test_rule_table_has_a_cell_for_each_trial_and_rule_and_a_row_for_each_floor(saved) -> None:
    trials, rules = [f"trial_{n}" for n in range(37)], ["half", "per_label", "per_label_crossfit", "oracle"]
    rows = [(trial, rule, 0.4, 0.375, 0.425) for trial in trials for rule in rules]
    rows.remove(("trial_3", "half", 0.4, 0.375, 0.425))
    rows += [(f"floor: {name}", "half", value, np.nan, np.nan) for name, value in (("zeros", 0.0), ("ones", 0.183))]
    table = pd.DataFrame(rows, columns=["trial", "rule", "mean", "low", "high"])
    axes = saved(of_study.rule_table(table, ["floor: zeros", "floor: ones"], "films")).axes[0]
    found = texts(axes)
    assert found.count("0.400") == found.count("0.375 – 0.425") == 37 * 4 - 1
    assert found.count("–") == 1 + 2 * 3
    assert {"0.000", "0.183"} <= set(found)
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [*trials, "floor: zeros", "floor: ones"]
    headings = [tick.get_text() for tick in axes.get_xticklabels()]
    assert headings == ["half\n(0.5)", "per label", "per label\ncrossfit", "oracle\n(a bound)"]


def test_half_by_theory_has_a_row_for_each_trial(saved) -> None:
    table = pd.DataFrame(
        {
            "trial": ["pos_weight", "focal_alpha"],
            "threshold": [0.1, 0.75],
            "predicted": [0.4, 0.13],
            "measured": [0.39, 0.14],
            "low": [0.37, 0.12],
            "high": [0.41, 0.16],
            "plain": [0.25, 0.25],
        }
    )
    figure = saved(of_study.half_by_theory(table, "films"))
    assert "theory" in figure.get_suptitle()
    axes = figure.axes[0]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == [
        "pos_weight  (q = 0.100)",
        "focal_alpha  (q = 0.750)",
    ]
    measured, predicted, plain = axes.lines
    assert measured.get_xdata().tolist() == [0.39, 0.14]
    assert predicted.get_xdata().tolist() == [0.4, 0.13]
    assert plain.get_xdata().tolist() == [0.25, 0.25]
    assert len(legend(axes)) == 3


def test_verdicts_draw_each_difference_over_what_was_claimed(saved) -> None:
    rows = [
        *(("better", "greater", 0.02, "upheld", 0.3, 0.1, 0.5), ("worse", "less", 0.02, "refuted", 0.04, 0.03, 0.05)),
        *(
            ("same", "equal", 0.01, "undecided", 0.0, -0.02, 0.02),
            ("not_run", "equal", 0.01, "undecided", *[np.nan] * 3),
        ),
    ]
    columns = ["name", "direction", "margin", "verdict", "value", "low", "high"]
    axes = saved(of_study.verdicts(pd.DataFrame(rows, columns=columns), "a study")).axes[0]
    assert legend(axes) == ["upheld: 1", "refuted: 1", "undecided: 2"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["better", "worse", "same", "not run"]
    reach = 1.15 * 0.5
    claimed = [(bar.get_x(), bar.get_x() + bar.get_width()) for bar in axes.patches]
    expected = [(0.02, reach), (-reach, -0.02), (-0.01, 0.01), (-0.01, 0.01)]
    np.testing.assert_allclose(claimed, expected)
    assert [segment[:, 0].tolist() for segment in axes.collections[0].get_segments()] == [[0.1, 0.5]]


def test_verdicts_of_a_study_that_is_not_run(saved) -> None:
    row = {"name": "a", "direction": "equal", "margin": 0.01, "verdict": "undecided", "value": np.nan}
    saved(of_study.verdicts(pd.DataFrame([row | {"low": np.nan, "high": np.nan}]), "a study"))


def test_the_comparison_has_a_row_for_each_trial_a_dot_for_each_rule_and_the_best_floor(saved) -> None:
    metrics = [f"test/{rule}/macro_f1" for rule in ("half", "global", "per_label", "oracle")]
    metrics.append("test/ranking/macro_average_precision")
    rows = [
        (trial, metric, base + place / 10, base, 1.0)
        for trial, base in (("bce", 0.1), ("focal", 0.2))
        for place, metric in enumerate(metrics)
    ]
    table = pd.DataFrame(rows, columns=["trial", "metric", "mean", "low", "high"])
    left, right = saved(of_study.comparison(table, {metrics[0]: 0.15}, "films")).axes
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["bce", "focal"]
    dots = [line.get_xdata().tolist() for line in left.lines if line.get_marker() == "o"]
    np.testing.assert_allclose(dots, [[0.1, 0.2], [0.2, 0.3], [0.3, 0.4], [0.4, 0.5]])
    np.testing.assert_allclose(right.lines[0].get_xdata(), [0.5, 0.6])
    assert [line.get_xdata()[0] for line in left.lines if line.get_label() == "best floor"] == [0.15]
    assert "best floor" not in legend(right)


def test_trials_of_any_name_have_a_row(saved) -> None:
    metrics = ("test/half/macro_f1", "test/ranking/macro_average_precision")
    rows = [(trial, metric, 0.5, 0.4, 0.6) for trial in ODD for metric in metrics]
    table = pd.DataFrame(rows, columns=["trial", "metric", "mean", "low", "high"])
    figure = saved(of_study.comparison(table, {}, "cost $x^{$"))
    assert len(figure.axes[0].get_yticklabels()) == len(ODD)
    cells = pd.DataFrame({"trial": ODD, "rule": "half", "mean": 0.5, "low": 0.4, "high": 0.6})
    assert len(saved(of_study.rule_table(cells, [], "cost $x^{$")).axes[0].get_yticklabels()) == len(ODD)
