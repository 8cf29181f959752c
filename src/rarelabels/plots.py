"""Figures. Colours are Okabe and Ito's, which colour-blind readers can tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.metrics import precision_recall_curve

from rarelabels.evaluation import Scored

BLUE, ORANGE, GREEN, PINK, SKY, RED = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
GREY = "#777777"
CONFUSION_ROWS = 40
CURVES_ABREAST = 4
RULES = {"half": ORANGE, "global": SKY, "per_label": BLUE, "oracle": GREY}


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG."""
    FigureCanvasAgg(figure)
    figure.savefig(path, dpi=120)


def loss_unit(params: Mapping[str, str]) -> str:
    """Return how a trial's loss is scaled, for the axis: most are means over labels, the exceptions must say so."""
    if params.get("loss.kind") == "soft_f1":
        return "loss (1 − soft F1 of a batch)"
    sums = params.get("loss.kind") == "categorical_ce" or params.get("loss.reduction") == "sum_over_labels"
    return "loss (sum over labels)" if sums else "loss (mean over labels)"


def learning_curves(curves: pd.DataFrame, title: str, loss_axis: str, kept: Sequence[float]) -> Figure:
    """Draw each curve of training and validation: mean over seeds, band from the lowest to the highest seed.

    A metric with a number for each label is drawn as one thin line per label, of validation alone.

    Args:
        curves: columns ``curve, epoch, value``, one row per seed and epoch.
        title: of the figure.
        loss_axis: what the loss is.
        kept: the epochs kept, one per seed.
    """
    names = sorted({name.removeprefix("curve/").removeprefix("val_").split("/")[0] for name in curves["curve"]})
    names = sorted(names, key=lambda name: (name != "loss", name == "macro_average_precision", name))
    columns = min(len(names), CURVES_ABREAST)
    rows = -(-len(names) // columns)
    figure = Figure(figsize=(3.6 * columns, 0.5 + 2.9 * rows), layout="constrained")
    for position, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, position + 1)
        for prefix, colour, part in (("", ORANGE, "training"), ("val_", BLUE, "validation")):
            values = curves[curves["curve"] == f"curve/{prefix}{name}"].groupby("epoch")["value"]
            if len(values):
                mean = values.mean()
                axes.plot(mean.index, mean, color=colour, label=part, marker="o", markersize=3)
                axes.fill_between(mean.index, values.min(), values.max(), color=colour, alpha=0.2, linewidth=0)
        vector = curves[curves["curve"].str.startswith(f"curve/val_{name}/")]
        for number, (_, one) in enumerate(vector.groupby("curve")):
            mean = one.groupby("epoch")["value"].mean()
            label = None if number else f"validation, {vector['curve'].nunique()} labels"
            axes.plot(mean.index, mean, color=BLUE, linewidth=0.8, alpha=0.6, label=label)
        for epoch in sorted(set(kept)):
            axes.axvline(epoch, color=GREY, linewidth=0.8, linestyle=":")
        axes.set(xlabel="epoch", ylabel=loss_axis if name == "loss" else name.replace("_", " "))
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=8)
    figure.suptitle(f"{title}: learning curves (band: all seeds; dotted: epochs kept)", fontsize=10)
    return figure


def precision_recall(parts: Sequence[Scored], labels: Sequence[str], title: str) -> Figure:
    """Draw the micro-averaged precision-recall curve of each seed, and of the first seed's labels behind it."""
    figure = Figure(figsize=(5.2, 4.6), layout="constrained")
    axes = figure.subplots()
    first = parts[0]
    for column, _ in enumerate(labels):
        if first.y[:, column].any():
            precision, recall, _ = precision_recall_curve(first.y[:, column], first.scores[:, column])
            axes.plot(recall, precision, color=GREY, alpha=0.35, linewidth=0.7)
    for number, part in enumerate(parts):
        precision, recall, _ = precision_recall_curve(part.y.ravel(), part.scores.ravel())
        axes.plot(recall, precision, color=BLUE, linewidth=1.4, label=None if number else "micro average, each seed")
    axes.plot([], [], color=GREY, linewidth=0.7, label=f"single labels ({len(labels)}), first seed")
    prevalence = float(first.y.mean())
    axes.axhline(prevalence, color=RED, linestyle="--", linewidth=1, label=f"chance: prevalence {prevalence:.3f}")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=title)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    return figure


def confusion(table: pd.DataFrame, title: str) -> Figure:
    """Draw the confusion matrix of each label under ``half`` and ``per_label``, a row per label.

    Colour is the share of the label's own 1s (found, missed) or 0s (false alarms, left alone); the text is the count.

    Args:
        table: from ``metrics.per_label``; of more than 40 labels the most frequent are drawn.
        title: of the figure.
    """
    table = table.sort_values("positives", ascending=False, kind="stable").head(CONFUSION_ROWS)
    figure = Figure(figsize=(10, 1.5 + 0.3 * len(table)), layout="constrained")
    cells = {"found": "tp", "missed": "fn", "false alarm": "fp", "left alone": "tn"}
    for axes, rule in zip(figure.subplots(1, 2, sharey=True), ("half", "per_label"), strict=True):
        counts = table[[f"{rule}/{cell}" for cell in cells.values()]].to_numpy(np.float64)
        ones, zeros = counts[:, :2].sum(axis=1, keepdims=True), counts[:, 2:].sum(axis=1, keepdims=True)
        shares = counts / np.maximum(np.hstack([ones, ones, zeros, zeros]), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > 0.6 else "black"
            axes.text(column, row, f"{count:,.0f}", ha="center", va="center", fontsize=8, color=colour)
        axes.set(xticks=range(4), xticklabels=list(cells), yticks=range(len(table)), yticklabels=table["label"])
        axes.set_title(f"{rule}: {'score ≥ 0.5' if rule == 'half' else 'a threshold per label'}", fontsize=9)
        axes.axvline(1.5, color="white", linewidth=3)
    figure.suptitle(f"{title}: test part, confusion matrix of each label", fontsize=10)
    return figure


def comparison(table: pd.DataFrame, floors: Mapping[str, float], title: str) -> Figure:
    """Draw macro-F1 under each rule and macro average precision of all trials, with their 95 % intervals.

    Args:
        table: columns ``trial, metric, mean, low, high``.
        floors: metric name to the best floor's value, drawn as a line.
        title: of the figure.
    """
    trials = list(dict.fromkeys(table["trial"]))
    figure = Figure(figsize=(11, 1.4 + 0.36 * len(trials)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    offsets = np.linspace(-0.24, 0.24, len(RULES))
    for (rule, colour), offset in zip(RULES.items(), offsets, strict=True):
        label = f"{rule} (a bound)" if rule == "oracle" else rule
        _dots(left, table, trials, f"test/{rule}/macro_f1", colour, offset, label)
    ranking = "test/ranking/macro_average_precision"
    _dots(right, table, trials, ranking, GREEN, 0.0, "macro average precision")
    for axes, metric in ((left, "test/half/macro_f1"), (right, ranking)):
        if metric in floors:
            axes.axvline(floors[metric], color=RED, linestyle="--", linewidth=1, label="best floor")
        axes.grid(alpha=0.25, axis="x")
        axes.legend(frameon=False, fontsize=8, ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        axes.set_xlim(left=0)
    left.set(yticks=range(len(trials)), yticklabels=trials, xlabel="macro-F1 on test, by threshold rule")
    left.set_ylim(len(trials) - 0.4, -0.6)
    right.set(xlabel="macro average precision on test")
    figure.suptitle(title, fontsize=10)
    return figure


def _dots(
    axes: Axes, table: pd.DataFrame, trials: Sequence[str], metric: str, colour: str, offset: float, label: str
) -> None:
    rows = table[table["metric"] == metric].set_index("trial").reindex(list(trials))
    y = np.arange(len(trials)) + offset
    axes.hlines(y, rows["low"], rows["high"], color=colour, linewidth=1.6, alpha=0.7)
    axes.plot(rows["mean"], y, "o", color=colour, markersize=4.5, label=label)
