"""What the figures of calibration, thresholds and rules contain; how they look is looked at, not tested."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.special import expit
from sklearn.metrics import precision_recall_curve

from rarelabels.judging import metrics, threshold_study
from rarelabels.judging.scores import Scores
from rarelabels.show.figures import of_search, of_study, of_thresholds, of_trial


def scored(n: int, seed: int, slope: float = 1.0) -> Scores:
    rng = np.random.default_rng(seed)
    z = rng.normal([-4.0, -2.0], 1.5, (n, 2))
    return Scores(np.arange(n).astype(str), (rng.random(z.shape) < expit(z)).astype(np.uint8), expit(slope * z))


def legend(axes: Axes | Figure) -> list[str]:
    boxes = axes.legends if isinstance(axes, Figure) else [axes.get_legend()]
    return [text.get_text() for box in boxes for text in box.get_texts()]


def texts(axes: Axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


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


def test_f1_theory_has_a_point_for_each_label_and_seed(saved) -> None:
    table = threshold_study.f1_theory([scored(2000, 3), scored(2000, 4)], [0, 1], ("rare", "common"))
    figure = saved(of_thresholds.f1_theory(table, "a trial"))
    for axes in figure.axes:
        assert sum(len(line.get_xdata()) for line in axes.lines if line.get_marker() == "o") == len(table) == 4
    assert "as the theory says" in legend(figure)


def test_winners_curse_says_how_many_positives_are_enough(saved) -> None:
    """Shares 0.5, 0.96, 0.8, 0.95, 0.99: near the oracle for good from 5 positives on, not from 2."""
    sizes, shares = [1, 2, 3, 5, 10], [0.5, 0.96, 0.8, 0.95, 0.99]
    rows = [(n, label, 0.9, share * 0.5, 0.5, 0.1) for n, share in zip(sizes, shares, strict=True) for label in (0, 1)]
    columns = ["positives", "label", "f1_chosen", "f1_test", "f1_oracle", "f1_all_ones"]
    figure = saved(of_thresholds.winners_curse(pd.DataFrame(rows, columns=columns), "a trial"))
    left, right = figure.axes
    assert "reached from 5 positives on" in legend(right)
    assert [tick.get_text() for tick in left.get_xticklabels()] == [f"{n}\n(2)" for n in sizes]
    mean = next(line for line in right.lines if line.get_label() == "mean of labels and draws")
    np.testing.assert_allclose(mean.get_ydata(), shares)
    floor = next(line for line in right.lines if line.get_label() == "every row assigned")
    np.testing.assert_allclose(floor.get_ydata(), 0.2)


def test_winners_curse_never_enough_says_nothing(saved) -> None:
    table = pd.DataFrame(
        {"positives": [1], "label": [0], "f1_chosen": 1.0, "f1_test": 0.1, "f1_oracle": 0.5, "f1_all_ones": 0.1}
    )
    assert not any("reached" in text for text in legend(saved(of_thresholds.winners_curse(table, "x")).axes[1]))


def test_winners_curse_of_a_real_table(saved) -> None:
    table = threshold_study.winners_curse(scored(1500, 5), scored(1500, 6), draws=5, seed=0)
    saved(of_thresholds.winners_curse(table, "a trial"))


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


def search_of(states: list[str]) -> pd.DataFrame:
    """Trials of a search with two keys; those that did not finish have no value."""
    values = [0.4 + place / 100 if state == "COMPLETE" else np.nan for place, state in enumerate(states)]
    numbers = np.arange(len(states))
    return pd.DataFrame(
        {"number": numbers, "value": values, "state": states, "params_a": numbers + 1.0, "params_b.c": numbers / 9}
    )


def test_search_history_has_every_trial_and_the_best_so_far(saved) -> None:
    table = search_of(["COMPLETE", "PRUNED", "COMPLETE", "FAIL"])
    axes = saved(of_search.search_history(table, "macro_f1", "a trial", lower_is_better=False)).axes[0]
    lines = {line.get_label(): line for line in axes.lines}
    assert lines["finished"].get_xdata().tolist() == [0, 2]
    assert lines["best so far"].get_ydata().tolist() == pytest.approx([0.4, 0.42])
    assert lines["pruned"].get_xdata().tolist() == [1]
    assert lines["failed"].get_xdata().tolist() == [3]
    lower = saved(of_search.search_history(table, "brier", "a trial", lower_is_better=True)).axes[0].lines[0]
    assert lower.get_ydata().tolist() == pytest.approx([0.4, 0.4])


def test_slices_have_a_panel_for_each_key_and_importances_a_bar(saved) -> None:
    table = search_of(["COMPLETE", "COMPLETE", "PRUNED"])
    figure = saved(of_search.slices(table, {"a": True, "b.c": False}, "macro_f1", "a trial"))
    assert [axes.get_xlabel() for axes in figure.axes[:2]] == ["a", "b.c"]
    assert [axes.get_xscale() for axes in figure.axes[:2]] == ["log", "linear"]
    assert all(len(axes.collections[0].get_offsets()) == 2 for axes in figure.axes[:2])
    axes = saved(of_search.importances({"a": 0.3, "b.c": 0.7}, "macro_f1", "a trial")).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.3, 0.7]


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
