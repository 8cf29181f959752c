"""What the figures share: colours of rules, files, intervals, and a line for a figure that cannot be drawn."""

from __future__ import annotations

import ast
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from PIL import Image

import rarelabels
from drawn import legend
from odd_names import ODD
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


def shown(name: str) -> str:
    """What matplotlib draws of a text, or an error where it would read it as a formula."""
    text, is_formula = Text(text=house_style.drawn(name))._preprocess_math(house_style.drawn(name))
    assert is_formula is False
    return text


@pytest.mark.parametrize("name", ODD)
def test_a_name_is_drawn_as_it_is(name: str) -> None:
    assert shown(name).strip() == (name if len(name) <= house_style.LONGEST else "x" * 39 + "…")


def test_names_that_are_cut_stay_different() -> None:
    drawn = house_style.all_drawn(ODD)
    assert len(set(drawn)) == len(ODD)
    assert max(map(len, drawn)) <= house_style.LONGEST + 1  # a blank before _hidden, or a stroke before a dollar
    assert house_style.all_drawn(["b", "b"]) == ["b #0", "b #1"]


def test_a_legend_has_a_name_that_begins_with_a_stroke(saved) -> None:
    figure = house_style.Drawing(figsize=(6, 5))
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], label=house_style.drawn("_hidden"))
    axes.legend()
    assert [text.strip() for text in legend(axes)] == ["_hidden"]
    saved(figure)


def test_a_figure_does_not_depend_on_the_users_settings_and_warns_of_nothing(saved) -> None:
    with matplotlib.rc_context({"text.usetex": True, "text.parse_math": False}), warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = house_style.Drawing(figsize=(6, 5))
        axes = figure.subplots()
        axes.set(xscale="log", xlim=(1e-5, 1), title=house_style.drawn("cost $x^{$ 猫"))
        saved(figure)
    assert axes.get_xticklabels()[2].get_text().startswith("$\\mathdefault{10^")
    assert not any(text.get_usetex() for text in figure.findobj(Text))


def test_a_long_title_leaves_room_for_what_follows() -> None:
    figure = house_style.Drawing(figsize=(8, 3))
    house_style.titled(figure, "x" * 300, ": search history")
    title = figure.get_suptitle()
    assert title.endswith("x…: search history")
    assert len(title) == 8 * house_style.SIGNS_AN_INCH


def test_every_figure_is_a_drawing() -> None:
    source = Path(rarelabels.__file__).parent
    plain = [
        str(path.relative_to(source))
        for path in source.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Figure"
    ]
    assert plain == []
