"""What the figures about thresholds contain; how they look is looked at, not tested."""

from __future__ import annotations

import numpy as np
import pandas as pd

from drawn import legend, scored
from rarelabels.judging import threshold_study
from rarelabels.show.figures import of_thresholds


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
