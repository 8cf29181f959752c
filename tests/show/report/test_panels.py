"""The curves that the report's panels draw have the right numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import precision_recall_curve

from odd_names import ODD
from rarelabels.judging.scores import Scores
from rarelabels.show.report import panels


@pytest.mark.parametrize("levels", [3, 50, 100_000])
def test_precision_at_a_recall_is_scikit_learns(levels: int) -> None:
    random = np.random.default_rng(levels)
    y = (random.random(500) < 0.1).astype(np.uint8)
    scores = random.integers(0, levels, 500) / levels + 0.1 * y
    recalls = np.array([0.01, 0.3, 0.5, 0.999, 1.0])
    precision, recall, _ = precision_recall_curve(y, scores)
    expected = [precision[np.flatnonzero(recall >= wanted - 1e-9).max()] for wanted in recalls]
    np.testing.assert_allclose(panels.precision_at(y, scores, recalls), expected)


def test_curves_of_two_seeds_have_a_row_each() -> None:
    random = np.random.default_rng(0)
    y = (random.random((60, 4)) < 0.3).astype(np.uint8)
    parts = [Scores(np.arange(60), y, random.random((60, 4))) for _ in range(2)]
    drawn = panels.TrialCurves.of(parts)
    assert drawn.precision.shape == (2, len(panels.RECALLS))
    np.testing.assert_allclose(drawn.precision[:, -1], y.mean(), atol=0.05)  # to find all is to take nearly all
    assert [bins.shape for bins in drawn.reliability] == [(2, 15), (2, 15)]
    assert drawn.prevalence == y.mean()


def test_what_is_not_known_is_in_no_curve() -> None:
    random = np.random.default_rng(0)
    y, scores, known = random.random((80, 4)) < 0.3, random.random((80, 4)), random.random((80, 4)) < 0.6
    drawn = panels.TrialCurves.of([Scores.from_arrays(np.where(known, y, np.nan), scores)])
    same = panels.TrialCurves.of([Scores.from_arrays(y[known][:, None], scores[known][:, None])])
    np.testing.assert_array_equal(drawn.precision, same.precision)
    np.testing.assert_array_equal(drawn.reliability[0], same.reliability[0])
    assert drawn.prevalence == same.prevalence == y[known].mean()


def test_four_panels_are_abreast_and_the_rest_of_a_row_is_empty() -> None:
    tables = {f"trial {n}": pd.DataFrame({"positives": [3, 30], "half": [0.2, n / 10]}) for n in range(5)}
    figure = panels.f1_by_positives(tables)
    assert len(figure.axes) == 8
    assert [axes.get_title() for axes in figure.axes if axes.axison] == list(tables)
    assert figure.axes[4].lines[0].get_ydata().tolist() == [0.2, 0.4]
    assert len({round(axes.get_position().y0, 3) for axes in figure.axes}) == 2


def test_a_learning_curve_is_the_mean_of_seeds_and_has_a_mark_for_each_epoch_that_was_kept() -> None:
    points = [("curve/loss", 1, 0.4), ("curve/loss", 1, 0.6), ("curve/loss", 2, 0.1), ("curve/loss", 2, 0.2)]
    curves = pd.DataFrame(points, columns=["curve", "epoch", "value"])
    (axes,) = panels.learning_curves({"a trial": curves}, {"a trial": [2, 1, 2]}).axes
    mean, *kept = [line for line in axes.lines if len(line.get_xdata())]
    np.testing.assert_allclose(mean.get_ydata(), [0.5, 0.15])
    assert [line.get_xdata()[0] for line in kept] == [1, 2]


def test_panels_of_odd_names_have_titles_that_differ(saved) -> None:
    curves = pd.DataFrame([("curve/loss", 1, 0.5), ("curve/loss", 2, 0.4)], columns=["curve", "epoch", "value"])
    figure = saved(panels.learning_curves(dict.fromkeys(ODD, curves), {name: [1.0] for name in ODD}))
    titles = [axes.get_title() for axes in figure.axes[: len(ODD)]]
    assert titles[0] == r"\$x_1\$"
    assert len(set(titles)) == len(ODD)
