"""What the figures of one trial contain; how they look is looked at, not tested."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from drawn import legend, scored, texts
from odd_names import ODD
from rarelabels.judging import metrics
from rarelabels.judging.scores import Scores
from rarelabels.show.figures import of_trial


def test_reliability_draws_15_bins_of_each_seed_before_and_after(saved) -> None:
    after, before = [scored(900, seed) for seed in (0, 1)], [scored(900, seed, slope=2.0) for seed in (0, 1)]
    figure = saved(of_trial.reliability(after, before, "a trial"))
    curves = [line for line in figure.axes[0].lines if len(line.get_xdata()) == metrics.CALIBRATION_BINS]
    assert len(curves) == 4
    part = after[1]
    score, frequency = curves[-1].get_data()
    gaps = np.abs(frequency - score).mean()  # 1,800 scores in bins of 120
    assert gaps == pytest.approx(metrics.ranking_metrics(part.y, part.scores)["ece"], rel=1e-9)
    assert legend(figure)[0].startswith("before calibration: Brier 0.")
    assert legend(figure)[1].startswith("calibrated: Brier 0.")
    assert figure.axes[1].get_xscale() == "log"


def test_reliability_alone_and_with_a_constant_score(saved) -> None:
    part = scored(300, 2)
    constant = Scores(part.ids, part.y, np.full(part.y.shape, 0.1))
    figure = saved(of_trial.reliability([constant], None, "a floor"))
    assert legend(figure)[0].startswith("scores: Brier")
    assert figure.axes[0].lines[0].get_xdata().tolist() == pytest.approx([0.1])


def test_reliability_of_a_floor_that_predicts_nothing(saved) -> None:
    part = scored(300, 2)
    saved(of_trial.reliability([Scores(part.ids, part.y * 0, np.zeros(part.y.shape))], None, "zeros"))


@pytest.mark.parametrize("levels", [1, 3, 50, 100_000])
def test_the_curve_of_precision_and_recall_is_scikit_learns(levels: int) -> None:
    random = np.random.default_rng(levels)
    y = (random.random(500) < 0.1).astype(np.uint8)
    scores = random.integers(0, levels, 500) / levels
    expected = precision_recall_curve(y, scores)[:2]
    for own, other in zip(of_trial.precision_recall_curve(y, scores), expected, strict=True):
        np.testing.assert_array_equal(own, other)


def test_learning_curves_say_what_is_watched_on_a_sample(saved) -> None:
    rows = [
        (f"curve/{part}{name}", epoch, 0.5) for part in ("", "val_") for name in ("loss", "auc") for epoch in (1, 2)
    ]
    curves = pd.DataFrame(rows, columns=["curve", "epoch", "value"])
    for of_a_sample, of_auc in ((True, "training (sample)"), (False, "training")):
        figure = saved(of_trial.learning_curves(curves, "a trial", "loss", [2], of_a_sample=of_a_sample))
        labels = {axes.get_title() or axes.get_ylabel(): legend(axes) for axes in figure.axes}
        loss, auc = (next(shown for name, shown in labels.items() if key in name) for key in ("loss", "auc"))
        assert "training" in loss
        assert "training (sample)" not in loss
        assert of_auc in auc


@pytest.mark.parametrize(
    ("params", "unit"),
    [
        ({"loss.kind": "bce"}, "loss (mean over labels)"),
        ({"loss.kind": "bce", "loss.reduction": "sum_over_labels"}, "loss (sum over labels)"),
        ({"loss.kind": "categorical_ce", "model.head": "softmax"}, "loss (sum over labels)"),
        ({"loss.kind": "categorical_ce", "model.head": "powerset"}, "loss (of a row's label set)"),
        ({"loss.kind": "soft_f1"}, "loss (1 − soft F1 of a batch)"),
    ],
)
def test_the_axis_says_how_a_loss_is_scaled(params: dict[str, str], unit: str) -> None:
    assert of_trial.loss_unit(params) == unit


def test_precision_and_recall_have_a_line_for_each_seed_and_each_label_that_has_positives(saved) -> None:
    parts = [scored(400, seed) for seed in (0, 1)]
    parts[0] = replace(parts[0], y=parts[0].y * np.array([0, 1], dtype=np.uint8))
    (axes,) = saved(of_trial.precision_recall(parts, ("none", "some"), "a trial")).axes
    assert [len(line.get_xdata()) > 2 for line in axes.lines] == [True] * 3 + [False] * 2  # and two for the legend
    assert legend(axes)[-1] == f"chance: prevalence {parts[0].y.mean():.3f}"
    for line, part in zip(axes.lines[1:3], parts, strict=True):
        area = -np.trapezoid(line.get_ydata(), line.get_xdata())
        assert area == pytest.approx(average_precision_score(part.y.ravel(), part.scores.ravel()), abs=0.02)


def test_single_labels_are_drawn_on_the_rows_in_which_they_are_known(saved) -> None:
    whole = scored(400, 0)
    known = np.random.default_rng(0).random(whole.y.shape) < 0.5
    part = replace(whole, y=whole.y * known, known=known)
    (axes,) = saved(of_trial.precision_recall([part], ("one", "other"), "a trial")).axes
    for label, line in enumerate(axes.lines[:2]):
        precision, recall, _ = precision_recall_curve(
            whole.y[known[:, label], label], whole.scores[known[:, label], label]
        )
        np.testing.assert_allclose(line.get_xydata(), np.column_stack([recall, precision]))


def test_a_confusion_matrix_has_the_counts_of_each_rule_and_the_most_frequent_label_on_top(saved) -> None:
    """The texts are counts; the colours are shares: of 4 positives 3 found, of 96 negatives 24 false alarms."""
    rows = {"rare": (4, 3, 24, 1, 72), "often": (50, 40, 5, 10, 45)}
    names = ("positives", *(f"half/{cell}" for cell in ("tp", "fp", "fn", "tn")))
    table = pd.DataFrame.from_dict(rows, orient="index", columns=list(names)).reset_index(names="label")
    for cell in ("tp", "fp", "fn", "tn"):
        table[f"per_label/{cell}"] = table[f"half/{cell}"] + 1000
    half, own = saved(of_trial.confusion(table, "a trial")).axes
    assert [tick.get_text() for tick in half.get_yticklabels()] == ["often", "rare"]
    assert [tick.get_text() for tick in half.get_xticklabels()] == ["found", "missed", "false alarm", "left alone"]
    assert texts(half) == ["40", "10", "5", "45", "3", "1", "24", "72"]
    assert texts(own)[:2] == ["1,040", "1,010"]
    np.testing.assert_allclose(half.images[0].get_array()[1], [0.75, 0.25, 0.25, 0.75])


def test_of_many_labels_the_most_frequent_are_in_the_confusion_matrix() -> None:
    cells = {f"{rule}/{cell}": 1 for rule in ("half", "per_label") for cell in ("tp", "fp", "fn", "tn")}
    table = pd.DataFrame({"label": [f"l{n}" for n in range(60)], "positives": range(60)} | cells)
    names = [tick.get_text() for tick in of_trial.confusion(table, "a trial").axes[0].get_yticklabels()]
    assert names == [f"l{n}" for n in range(59, 19, -1)]


def test_a_confusion_matrix_of_odd_names_names_each(saved) -> None:
    counts = {f"{rule}/{cell}": 1 for rule in ("half", "per_label") for cell in ("tp", "fp", "fn", "tn")}
    table = pd.DataFrame({"label": ODD, "positives": 2, **counts})
    figure = saved(of_trial.confusion(table, "odd $x^{$/[name]"))
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names[0] == r"\$x_1\$"
    assert len(set(names)) == len(ODD)
