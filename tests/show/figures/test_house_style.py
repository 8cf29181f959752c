"""What the figures share: colours of rules, files, intervals, and a line for a figure that cannot be drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from rarelabels.show.figures import house_style


def test_each_rule_on_a_figure_has_a_colour_of_its_own() -> None:
    colours = house_style.RULE_COLOURS
    assert list(colours) == ["half", "global", "per_label", "oracle"]
    assert len(set(colours.values())) == 4
    assert set(colours.values()) <= set(house_style.COLOURS.values())


def test_a_figure_is_written_with_120_dots_an_inch(tmp_path: Path) -> None:
    house_style.save(Figure(figsize=(2, 1)), tmp_path / "figure.png")
    with Image.open(tmp_path / "figure.png") as written:
        assert (written.format, written.size) == ("PNG", (240, 120))


def test_what_cannot_be_drawn_is_a_line_and_what_follows_is_done() -> None:
    failures: list[str] = []
    with house_style.or_reported(failures, "the first"):
        raise ValueError("no room\nfor it")
    with house_style.or_reported(failures, "the second"):
        pass
    assert failures == ["the first: not drawn: ValueError: no room"]


def test_an_interrupt_is_no_figure_that_cannot_be_drawn() -> None:
    with pytest.raises(KeyboardInterrupt), house_style.or_reported([], "the first"):
        raise KeyboardInterrupt


def test_dots_leave_a_row_for_a_trial_without_the_metric() -> None:
    rows = [("b", "f1", 0.4, 0.3, 0.5), ("a", "f1", 0.2, 0.1, 0.3), ("a", "other", 0.9, 0.9, 0.9)]
    table = pd.DataFrame(rows, columns=["trial", "metric", "mean", "low", "high"])
    axes = Figure().subplots()
    house_style.dots(axes, table, ["a", "gone", "b"], "f1", house_style.BLUE, 0.1, "F1")
    (drawn,) = axes.lines
    np.testing.assert_array_equal(drawn.get_xdata(), [0.2, np.nan, 0.4])
    np.testing.assert_allclose(drawn.get_ydata(), [0.1, 1.1, 2.1])
    segments = [of for of in axes.collections[0].get_segments() if of.size and np.isfinite(of).all()]
    np.testing.assert_allclose([of[:, 0] for of in segments], [[0.1, 0.3], [0.3, 0.5]])


def test_a_spread_is_the_mean_of_all_rows_and_each_labels_own() -> None:
    table = pd.DataFrame({"label": [0, 0, 1, 1], "positives": [1, 2, 1, 2], "share": [0.2, 0.6, 0.4, 1.0]})
    axes = Figure().subplots()
    house_style.spread(axes, table, "share", house_style.BLUE)
    first, second, mean = axes.lines
    assert [line.get_ydata().tolist() for line in (first, second)] == [[0.2, 0.6], [0.4, 1.0]]
    assert mean.get_ydata().tolist() == pytest.approx([0.3, 0.8])
    edge = axes.collections[0].get_paths()[0].vertices[:, 1]  # of two rows, 10 % of the way between them
    assert (edge.min(), edge.max()) == pytest.approx((0.22, 0.96))


@pytest.mark.parametrize(
    ("shares", "enough"),
    [
        ([0.5, 0.96, 0.8, 0.95, 0.99], 5),  # 2 are near the oracle by chance: 3 are not
        ([0.95, 0.99, 1.0, 1.0, 1.0], 1),
        ([0.5, 0.6, 0.7, 0.8, 0.9], None),
    ],
)
def test_positives_are_enough_from_where_the_share_stays_near_one(shares: list[float], enough: int | None) -> None:
    assert house_style.enough_positives(pd.Series(shares, index=[1, 2, 3, 5, 10])) == enough
