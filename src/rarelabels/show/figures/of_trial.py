"""Figures of one trial: learning curves, precision and recall, confusion, reliability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rarelabels.declare.models import SET_HEADS
from rarelabels.judging import metrics
from rarelabels.judging.arrays import Bools, Floats
from rarelabels.judging.scores import Scores
from rarelabels.show.figures.house_style import (
    BLUE,
    CURVES_ABREAST,
    FAINTEST,
    GREY,
    ORANGE,
    RED,
    Drawing,
    all_drawn,
    drawn,
    titled,
)

CONFUSION_ROWS = 40


def loss_unit(params: Mapping[str, str]) -> str:
    """Return the axis label of a trial's loss, which says how the loss is scaled. Most losses are means over labels."""
    if params.get("loss.kind") == "soft_f1":
        return "loss (1 − soft F1 of a batch)"
    if params.get("model.head") in SET_HEADS:
        return "loss (of a row's label set)"
    sums = params.get("loss.kind") == "categorical_ce" or params.get("loss.reduction") == "sum_over_labels"
    return "loss (sum over labels)" if sums else "loss (mean over labels)"


def learning_curves(
    curves: pd.DataFrame, title: str, loss_axis: str, kept: Sequence[float], *, of_a_sample: bool = False
) -> Figure:
    """Draw each curve of training and validation: mean over seeds, band from the lowest to the highest seed.

    A metric with a number for each label is drawn as one thin line per label, on validation only.

    Args:
        curves: columns ``curve, epoch, value``, one row per seed and epoch.
        title: of the figure.
        loss_axis: the axis label of the loss, see :func:`loss_unit`.
        kept: the epochs kept, one per seed.
        of_a_sample: whether watched metrics on training were computed on a sample of the training rows.
    """
    names = sorted({name.removeprefix("curve/").removeprefix("val_").split("/")[0] for name in curves["curve"]})
    names = sorted(names, key=lambda name: (name != "loss", name == "macro_average_precision", name))
    columns = min(len(names), CURVES_ABREAST)
    rows = -(-len(names) // columns)
    figure = Drawing(figsize=(3.6 * columns, 0.5 + 2.9 * rows))
    for position, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, position + 1)
        for prefix, colour, part in (("", ORANGE, "training"), ("val_", BLUE, "validation")):
            values = curves[curves["curve"] == f"curve/{prefix}{name}"].groupby("epoch")["value"]
            if len(values):
                mean = values.mean()
                some = " (sample)" if of_a_sample and part == "training" and name != "loss" else ""
                axes.plot(mean.index, mean, color=colour, label=part + some, marker="o", markersize=3)
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
    titled(figure, title, ": learning curves (band: all seeds; dotted: epochs kept)")
    return figure


def precision_recall(parts: Sequence[Scores], labels: Sequence[str], title: str) -> Figure:
    """Draw the micro-averaged precision-recall curve of each seed, and behind it those of the first seed's labels."""
    figure = Drawing(figsize=(5.2, 4.6))
    axes = figure.subplots()
    first = parts[0]
    for column, _ in enumerate(labels):
        if first.positives[column]:
            precision, recall = precision_recall_curve(*first.of_label(column))
            axes.plot(recall, precision, color=GREY, alpha=0.35, linewidth=0.7)
    for number, part in enumerate(parts):
        precision, recall = precision_recall_curve(*part.cells())
        axes.plot(recall, precision, color=BLUE, linewidth=1.4, label=None if number else "micro average, each seed")
    axes.plot([], [], color=GREY, linewidth=0.7, label=f"single labels ({len(labels)}), first seed")
    prevalence = float(first.cells()[0].mean())
    axes.axhline(prevalence, color=RED, linestyle="--", linewidth=1, label=f"chance: prevalence {prevalence:.3f}")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=drawn(title))
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    return figure


def precision_recall_curve(y_true: Bools, y_score: Floats) -> tuple[Floats, Floats]:
    """Return precision and recall at each distinct score by rising score, then precision 1 at recall 0.

    The numbers are those of scikit-learn, which is not imported.

    Args:
        y_true: (n,), with at least one True.
        y_score: (n,).
    """
    order = np.argsort(y_score, kind="stable")[::-1]
    last = np.append(np.flatnonzero(np.diff(y_score[order])), len(order) - 1)  # the last place of each distinct score
    hits = np.cumsum(y_true[order], dtype=np.float64)[last]
    precision, recall = hits / (1 + last), hits / hits[-1]
    return np.append(precision[::-1], 1.0), np.append(recall[::-1], 0.0)


def confusion(table: pd.DataFrame, title: str) -> Figure:
    """Draw the confusion matrix of each label under ``half`` and ``per_label``, a row per label.

    The text in a cell is the count. The colour is its share of the label's 1s (found, missed) or 0s (false alarms, left
    alone).

    Args:
        table: from ``label_table.per_label``; if there are more than 40 labels, the most frequent are drawn.
        title: of the figure.
    """
    table = table.sort_values("positives", ascending=False, kind="stable").head(CONFUSION_ROWS)
    figure = Drawing(figsize=(10, 1.5 + 0.3 * len(table)))
    labels = all_drawn([str(label) for label in table["label"]])
    cells = {"found": "tp", "missed": "fn", "false alarm": "fp", "left alone": "tn"}
    for axes, rule in zip(figure.subplots(1, 2, sharey=True), ("half", "per_label"), strict=True):
        counts = table[[f"{rule}/{cell}" for cell in cells.values()]].to_numpy(np.float64)
        ones, zeros = counts[:, :2].sum(axis=1, keepdims=True), counts[:, 2:].sum(axis=1, keepdims=True)
        shares = counts / np.maximum(np.hstack([ones, ones, zeros, zeros]), 1)
        axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
        for (row, column), count in np.ndenumerate(counts):
            colour = "white" if shares[row, column] > 0.6 else "black"
            axes.text(column, row, f"{count:,.0f}", ha="center", va="center", fontsize=8, color=colour)
        axes.set(xticks=range(4), xticklabels=list(cells), yticks=range(len(table)), yticklabels=labels)
        axes.set_title(f"{rule}: {'score ≥ 0.5' if rule == 'half' else 'a threshold per label'}", fontsize=9)
        axes.axvline(1.5, color="white", linewidth=3)
    titled(figure, title, ": test part, confusion matrix of each label")
    return figure


def reliability(parts: Sequence[Scores], before: Sequence[Scores] | None, title: str) -> Figure:
    """Draw the share of true labels against the score, all labels pooled, with a line for each seed.

    The bins are the 15 of equal mass of the expected calibration error. With rare labels, nearly all bins have tiny
    scores. So the same points are drawn twice, on linear and on logarithmic axes. On logarithmic axes, a bin without a
    positive is a triangle on the lower edge, and a score below 1e-5 lies on the left edge.

    Args:
        parts: one for each seed.
        before: the same parts before calibration, drawn behind; None if nothing was calibrated.
        title: of the figure.
    """
    figure = Drawing(figsize=(9.6, 5.8))
    panels = figure.subplots(1, 2)
    groups = [(parts, BLUE, "scores" if before is None else "calibrated")]
    if before is not None:
        groups.insert(0, (before, ORANGE, "before calibration"))
    bins = [(calibration_points(part), colour) for of_seeds, colour, _ in groups for part in of_seeds]
    least = max(FAINTEST, 0.7 * min(float(points.min(where=points > 0, initial=1)) for points, _ in bins))
    for (score, frequency), colour in bins:
        panels[0].plot(score, frequency, "o-", color=colour, markersize=3.5, linewidth=1, alpha=0.8)
        right, height = np.maximum(score, least), np.maximum(frequency, least)
        panels[1].plot(right, height, "-", color=colour, linewidth=1, alpha=0.8)
        for never, marker in ((False, "o"), (True, "v")):
            shown = (frequency == 0) == never
            panels[1].plot(right[shown], height[shown], marker, color=colour, markersize=4)
    for of_seeds, colour, name in groups:
        panels[0].plot([], [], "o-", color=colour, markersize=3.5, label=f"{name}: {_calibration_text(of_seeds)}")
    for axes, low, scale in zip(panels, (0.0, least), ("linear", "log"), strict=True):
        axes.plot([low, 1], [low, 1], color=GREY, linestyle="--", linewidth=1, zorder=0)
        axes.set(xlabel="mean score of the bin", ylabel="share of true labels in the bin")
        axes.set(xscale=scale, yscale=scale, xlim=(low, 1), ylim=(low, 1), box_aspect=1)
        axes.grid(alpha=0.25)
    panels[1].set_title("the same on logarithmic axes", fontsize=9)
    panels[0].set_title("15 bins of equal mass, all labels pooled, each seed", fontsize=9)
    panels[0].plot([], [], color=GREY, linestyle="--", linewidth=1, label="scores that mean what they say")
    figure.legend(frameon=False, fontsize=9, loc="outside lower center", ncols=1)
    titled(figure, title, ": reliability")
    return figure


def calibration_points(part: Scores) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return mean score and share of true labels of each bin that is not empty, shape (2, bins)."""
    truth, given = part.cells()
    bins = metrics.calibration_bins(given, metrics.calibration_edges(given))
    size, scores, true = (
        np.bincount(bins, weights=values, minlength=metrics.CALIBRATION_BINS)
        for values in (np.ones(bins.size), given, truth)
    )
    return np.stack([scores, true])[:, size > 0] / size[size > 0]


def _calibration_text(parts: Sequence[Scores]) -> str:
    measured = [metrics.measure_rankings(part) for part in parts]
    brier, error = (float(np.mean([values[name] for values in measured])) for name in ("brier", "ece"))
    return f"Brier {brier:.4f}, ECE {error:.4f}"
