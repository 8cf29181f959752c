"""Figures that compare the trials of a study, each on one question. ``which`` collects their numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rarelabels.show.figures.house_style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    RED,
    SKY,
    Drawing,
    all_drawn,
    dots,
    drawn,
    rule_colours,
    titled,
)

HEAD_LINES = {"sigmoid": (BLUE, "-", 3.2), "softmax": (ORANGE, "--", 1.8)}
TRIAL_COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, RED, GREY)
MARKERS = "osD^vPX"
SWEEPS_ABREAST = 3
WIDE_RANGE = 10  # if the largest value of a sweep is at least so many times the least, the axis is logarithmic
GROUP_RULES = rule_colours("half", "global", "per_label_shrunk", "per_label")


def heads(curves: pd.DataFrame, title: str) -> Figure:
    """Draw the training loss of a sigmoid and of a softmax head for each loss.

    If the lines coincide, the head did not change the training.

    Args:
        curves: columns ``loss, head, epoch, value``, means over seeds. Losses keep the order in which they first occur.
        title: of the figure.
    """
    losses = list(dict.fromkeys(curves["loss"]))
    figure = Drawing(figsize=(1 + 2.9 * len(losses), 3.6))
    for axes, loss in zip(np.atleast_1d(figure.subplots(1, len(losses))), losses, strict=True):
        of = curves[curves["loss"] == loss].pivot_table(index="epoch", columns="head", values="value")
        for head, (colour, style, width) in HEAD_LINES.items():
            if head in of:
                axes.plot(of.index, of[head], style, color=colour, linewidth=width, label=f"{head} head")
        verdict = "one head alone"
        if len(of.columns) > 1:
            verdict = "identical" if of["sigmoid"].equals(of["softmax"].rename("sigmoid")) else "different"
        lines = "\n".join(map(drawn, str(loss).split("\n")))
        axes.set_title(f"{lines}\n{verdict}", fontsize=9)
        axes.set(xlabel="epoch", ylabel="training loss")
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=8)
    titled(figure, title, ": does the head change the training?")
    return figure


def picked(table: pd.DataFrame, lower_is_better: Sequence[str], title: str) -> Figure:
    """Draw the test metrics of the epochs that different watched metrics pick, and what each choice costs.

    Args:
        table: a row for each watched metric that picks an epoch, a column for each metric on test.
        lower_is_better: the columns in which lower values are better.
        title: of the figure.
    """
    sign = np.array([-1.0 if name in lower_is_better else 1.0 for name in table.columns])
    values = table.to_numpy(np.float64)
    costs = np.nanmax(values * sign, axis=0) - values * sign
    figure = Drawing(figsize=(3.2 + 1.15 * len(table.columns), 1.8 + 0.46 * len(table)))
    axes = figure.subplots()
    share = costs / np.maximum(np.nanmax(costs, axis=0), 1e-9)
    axes.imshow(share, cmap="Oranges", aspect="auto", vmin=0, vmax=1.2)
    for (row, column), cost in np.ndenumerate(costs):
        ink = "white" if share[row, column] > 0.8 else "black"
        axes.text(column, row - 0.13, f"{values[row, column]:.3f}", ha="center", va="center", fontsize=9, color=ink)
        text = "best" if cost == 0 else f"{'+' if sign[column] < 0 else '−'}{cost:.3f}"
        axes.text(column, row + 0.24, text, ha="center", va="center", fontsize=7, color=ink)
    axes.set_xticks(
        range(len(table.columns)), [drawn(name).replace("_", "\n", 1) for name in table.columns], fontsize=8.5
    )
    axes.set_yticks(range(len(table)), all_drawn(list(table.index)), fontsize=8.5)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    axes.set_ylabel("watched on validation, to pick the epoch")
    titled(figure, title, ": test, decisions at 0.5; small: what the choice of epoch costs (darker: more)")
    return figure


def sweep(table: pd.DataFrame, key: str, names: Mapping[str, str], logarithmic: Sequence[str], title: str) -> Figure:
    """Draw metrics against the value that trials vary, a line for each trial with its 95 % interval.

    Args:
        table: columns ``trial, value, metric, mean, low, high``; ``low`` and ``high`` are NaN without an interval.
        key: the key that is varied.
        names: from each metric to the title of its panel.
        logarithmic: the metrics that get a logarithmic axis.
        title: of the figure.
    """
    columns = min(len(names), SWEEPS_ABREAST)
    rows = -(-len(names) // columns)
    figure = Drawing(figsize=(4.0 * columns, 0.9 + 3.0 * rows))
    trials = list(dict.fromkeys(table["trial"]))
    lines = all_drawn(trials)
    for place, (metric, name) in enumerate(names.items()):
        axes = figure.add_subplot(rows, columns, place + 1)
        for number, (trial, line) in enumerate(zip(trials, lines, strict=True)):
            of = table[(table["metric"] == metric) & (table["trial"] == trial)].sort_values("value")
            colour, marker = TRIAL_COLOURS[number % len(TRIAL_COLOURS)], MARKERS[number % len(MARKERS)]
            axes.plot(of["value"], of["mean"], marker=marker, color=colour, markersize=5, label=line)
            axes.fill_between(of["value"], of["low"], of["high"], color=colour, alpha=0.18, linewidth=0)
        axes.set(xlabel=drawn(key), title=drawn(name))
        axes.title.set_fontsize(9)
        if metric in logarithmic:
            axes.set_yscale("log")
        if table["value"].min() > 0 and table["value"].max() >= WIDE_RANGE * table["value"].min():
            axes.set_xscale("log")
            axes.minorticks_off()
        axes.set_xticks(sorted(set(table["value"])), [f"{value:g}" for value in sorted(set(table["value"]))])
        axes.grid(alpha=0.25)
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, fontsize=9, loc="outside lower center", ncols=min(len(labels), 5))
    titled(figure, title, " (band: 95 % interval)")
    return figure


def by_cardinality(table: pd.DataFrame, title: str) -> Figure:
    """Draw recall at 0.5, and the share of rows with all labels right, for rows with one, two, three … true labels.

    Args:
        table: columns ``trial, true, rows, recall, right``; a row for each trial and number of true labels.
        title: of the figure.
    """
    trials, numbers = list(dict.fromkeys(table["trial"])), sorted(set(table["true"]))
    cells = {name: table.set_index(["trial", "true"])[name].unstack() for name in ("recall", "right", "rows")}
    recall, right = (cells[name].reindex(index=trials, columns=numbers).to_numpy() for name in ("recall", "right"))
    figure = Drawing(figsize=(3.4 + 1.6 * len(numbers), 1.7 + 0.42 * len(trials)))
    axes = figure.subplots()
    axes.imshow(recall, cmap="Blues", aspect="auto", vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(recall):
        ink = "white" if value > 0.6 else "black"
        axes.text(column, row - 0.13, f"{value:.2f}", ha="center", va="center", fontsize=9, color=ink)
        text = f"all right {right[row, column]:.2f}"
        axes.text(column, row + 0.25, text, ha="center", va="center", fontsize=6.5, color=ink)
    sizes = cells["rows"].max()
    axes.set_xticks(range(len(numbers)), [f"{n} true\n({sizes[n]:,.0f} rows)" for n in numbers], fontsize=8.5)
    axes.set_yticks(range(len(trials)), all_drawn(trials), fontsize=8.5)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    titled(figure, title, ": share of the true labels found at 0.5")
    return figure


def groups(table: pd.DataFrame, sizes: Mapping[str, int], title: str) -> Figure:
    """Draw the pooled F1 of rare, of medium and of frequent labels, for all trials under several rules.

    Args:
        table: columns ``trial, metric, mean, low, high``.
        sizes: from the groups that have labels (``tail``, ``medium``, ``head``) to their number of labels.
        title: of the figure.
    """
    trials = list(dict.fromkeys(table["trial"]))
    figure = Drawing(figsize=(2.5 + 3.2 * len(sizes), 1.6 + 0.36 * len(trials)))
    panels = np.atleast_1d(figure.subplots(1, len(sizes), sharey=True))
    offsets = np.linspace(-0.24, 0.24, len(GROUP_RULES))
    for axes, (group, labels) in zip(panels, sizes.items(), strict=True):
        for (rule, colour), offset in zip(GROUP_RULES.items(), offsets, strict=True):
            dots(axes, table, trials, f"test/{rule}/{group}_f1", colour, offset, rule)
        axes.set(xlabel=f"F1 on test, pooled over {labels} labels", title=group)
        axes.title.set_fontsize(9)
        axes.grid(alpha=0.25, axis="x")
        axes.set_xlim(left=0)
    panels[0].set(yticks=range(len(trials)), yticklabels=all_drawn(trials))
    panels[0].set_ylim(len(trials) - 0.4, -0.6)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, frameon=False, fontsize=8.5, ncols=4, loc="outside lower center")
    titled(figure, title, ": labels with under 10, 10 to 99, and 100 or more positives on test")
    return figure
