"""Figures of a search: its history, the importance of each key, and slices."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rarelabels.show.figures.house_style import (
    BLUE,
    CURVES_ABREAST,
    GREY,
    ORANGE,
    RED,
    Drawing,
    all_drawn,
    drawn,
    titled,
)


def search_history(trials: pd.DataFrame, metric: str, title: str, *, lower_is_better: bool) -> Figure:
    """Draw the value of every trial of a search, and the best value so far. Pruned and failed trials are ticks below.

    Args:
        trials: columns ``number, value, state``.
        metric: the objective of the search.
        title: of the figure.
        lower_is_better: whether lower values of the metric are better.
    """
    trials = trials.sort_values("number")
    done = trials[trials["state"] == "COMPLETE"]
    figure = Drawing(figsize=(8, 4.2))
    axes = figure.subplots()
    best = done["value"].cummin() if lower_is_better else done["value"].cummax()
    axes.step(done["number"], best, where="post", color=ORANGE, linewidth=1.8, label="best so far")
    axes.plot(done["number"], done["value"], "o", color=BLUE, markersize=5, alpha=0.8, label="finished")
    for state, colour in (("PRUNED", GREY), ("FAIL", RED)):
        ended = trials.loc[trials["state"] == state, "number"]
        if len(ended):
            place = np.full(len(ended), 0.02)
            name = "pruned" if state == "PRUNED" else "failed"
            axes.plot(
                *(ended, place), "|", color=colour, markersize=9, label=name, transform=axes.get_xaxis_transform()
            )
    axes.set(xlabel="trial, in the order of their start", ylabel=metric)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8.5, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    titled(figure, title, ": search history")
    return figure


def importances(values: Mapping[str, float], metric: str, title: str) -> Figure:
    """Draw the share of the objective's variance that each key explains, with the most important key at the top."""
    names = sorted(values, key=values.__getitem__)
    figure = Drawing(figsize=(7.5, 1.4 + 0.34 * len(names)))
    axes = figure.subplots()
    axes.barh(range(len(names)), [values[name] for name in names], color=BLUE)
    axes.set_yticks(range(len(names)), all_drawn(names))
    for place, name in enumerate(names):
        axes.text(values[name], place, f" {values[name]:.2f}", va="center", fontsize=8.5)
    axes.set(xlabel=f"share of the variance of {metric} that the key explains (fANOVA)")
    axes.set_xlim(0, 1.15 * max(values.values()))
    axes.grid(alpha=0.25, axis="x")
    titled(figure, title, ": importance of each key")
    return figure


def slices(trials: pd.DataFrame, scales: Mapping[str, bool], metric: str, title: str) -> Figure:
    """Draw the value of every finished trial against each key. Later trials are darker.

    Args:
        trials: columns ``number, value, state`` and ``params_<key>``.
        scales: from each key to whether its axis is logarithmic.
        metric: the objective of the search.
        title: of the figure.
    """
    done = trials[trials["state"] == "COMPLETE"]
    columns = min(len(scales), CURVES_ABREAST)
    rows = -(-len(scales) // columns)
    figure = Drawing(figsize=(3.3 * columns + 0.8, 0.6 + 2.7 * rows))
    panels = [figure.add_subplot(rows, columns, place + 1) for place in range(len(scales))]
    for axes, (key, is_log) in zip(panels, scales.items(), strict=True):
        points = axes.scatter(
            *(done[f"params_{key}"], done["value"]), c=done["number"], cmap="viridis_r", s=22, edgecolors="none"
        )
        axes.set(xlabel=drawn(key), xscale="log" if is_log else "linear")
        axes.grid(alpha=0.25)
    for axes in panels[::columns]:
        axes.set_ylabel(metric.rpartition("/")[2])
    figure.colorbar(points, ax=panels, label="trial", shrink=0.8)
    titled(figure, title, f": {metric} against each key")
    return figure
