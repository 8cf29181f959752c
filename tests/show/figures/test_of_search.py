"""What the figures of a search contain; how they look is looked at, not tested."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from odd_names import FORMULAS, ODD
from rarelabels.show.figures import of_search


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


def test_keys_of_any_name_have_a_bar_and_an_axis(saved) -> None:
    saved(of_search.importances(dict.fromkeys(ODD, 0.1), "macro_f1", "cost $x^{$"))
    trials = search_of(["COMPLETE"] * 2).assign(**{f"params_{name}": 1.0 for name in FORMULAS})
    figure = saved(of_search.slices(trials, dict.fromkeys(FORMULAS, False), "macro_f1", "cost $x^{$"))
    assert figure.axes[1].get_xlabel() == r"cost \$x^{\$"
