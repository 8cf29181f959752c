"""The figure of a judgement: ranking, calibration, and the F1 of each label under each rule."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from rarelabels.judging.evaluation import Evaluation
from rarelabels.judging.scores import Scores
from rarelabels.show.figures.house_style import BLUE, FAINTEST, GREY, RED, RULE_COLOURS, Drawing, all_drawn
from rarelabels.show.figures.of_trial import calibration_points, precision_recall_curve

NAMED_LABELS = 30  # if there are more labels, each is a dot without a name
LONGEST = 24  # characters; a longer name of a label is cut
MARKERS = {"half": "o", "global": "s", "per_label": "D"}
SMALL = {"fontsize": 8.5, "frameon": False}


def judgement(measured: Evaluation) -> Figure:
    """Draw precision and recall, reliability, and the F1 of each label under each rule.

    Precision, recall and reliability are of all labels pooled. The figure does not need pyplot: a notebook shows it,
    and ``savefig`` writes it.
    """
    labels = min(len(measured.labels), NAMED_LABELS)
    figure = Drawing(figsize=(10.4, max(6.4, 1.6 + 0.26 * labels)))
    grid = figure.add_gridspec(2, 2, width_ratios=(1, 1.25), wspace=0.06, hspace=0.08)
    _precision_recall(figure.add_subplot(grid[0, 0]), measured)
    _reliability(figure.add_subplot(grid[1, 0]), measured.test)
    _f1(figure.add_subplot(grid[:, 1]), measured)
    return figure


def _precision_recall(axes: Axes, measured: Evaluation) -> None:
    truth, scores = measured.test.cells()
    prevalence = float(truth.mean())
    if prevalence:
        precision, recall = precision_recall_curve(truth, scores)
        axes.plot(recall, precision, color=BLUE, linewidth=1.5, label="scores, at every threshold", zorder=1)
    axes.axhline(prevalence, color=RED, linestyle="--", linewidth=1, label=f"chance: {prevalence:.3f}", zorder=0)
    for rule, marker in MARKERS.items():
        if rule in measured.rules:
            at = [measured.metrics[f"test/{rule}/micro_{what}"] for what in ("recall", "precision")]
            axes.plot(*at, marker, color=RULE_COLOURS[rule], markeredgecolor="black", markersize=7, label=rule)
    axes.set(
        xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=f"Ranking: {_pooled(measured.test)}"
    )
    _finish(axes)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0.1), **SMALL)


def _reliability(axes: Axes, test: Scores) -> None:
    score, true = calibration_points(test)
    filled = true > 0
    least = max(FAINTEST, 0.7 * min(score.min(), true[filled].min(initial=1)))
    axes.plot([least, 1], [least, 1], color=GREY, linestyle="--", linewidth=1, label="scores that mean what they say")
    height, right = np.maximum(true, least), np.maximum(score, least)
    axes.plot(right, height, "-", color=BLUE, linewidth=1)
    axes.plot(right[filled], height[filled], "o", color=BLUE, markersize=4.5, label="15 bins of equal mass")
    if not filled.all():
        axes.plot(right[~filled], height[~filled], "v", color=BLUE, markersize=4.5, label="a bin without a true label")
    axes.set(xscale="log", yscale="log", xlim=(least, 1), ylim=(0.9 * least, 1.1))
    axes.set_title(f"Calibration: {_pooled(test)}")
    axes.set(xlabel="mean score of the bin", ylabel="share of true labels")
    _finish(axes)
    axes.legend(loc="upper left", **SMALL)


def _pooled(test: Scores) -> str:
    return "all labels pooled" if test.known is None else f"all labels pooled, {100 * test.known_share:.3g} % known"


def _f1(axes: Axes, measured: Evaluation) -> None:
    table = measured.per_label
    f1 = pd.DataFrame({rule: _f1_of(table, rule) for rule in (*MARKERS, "oracle") if rule in measured.rules})
    has_positives = table["positives"] > 0
    order = table[has_positives].sort_values("positives", kind="stable").index
    if len(order) <= NAMED_LABELS:
        _by_name(axes, table.loc[order], f1.loc[order])
    else:
        _by_positives(axes, table.loc[order], f1.loc[order])
    left_out = "" if has_positives.all() else f" ({(~has_positives).sum():,} without a positive left out)"
    axes.set_title(f"Decisions: F1 of each label{left_out}", fontsize=10)
    _finish(axes)


def _by_name(axes: Axes, table: pd.DataFrame, f1: pd.DataFrame) -> None:
    """Draw a row for each label, the most frequent on top."""
    rows = np.arange(len(table))
    axes.hlines(rows, f1.min(axis=1), f1.max(axis=1), color=GREY, linewidth=0.8, alpha=0.6, zorder=0)
    axes.plot(f1["oracle"], rows, "|", color=GREY, markersize=11, markeredgewidth=1.6, label="oracle, a bound")
    for rule, marker in MARKERS.items():
        if rule in f1:
            axes.plot(f1[rule], rows, marker, color=RULE_COLOURS[rule], markersize=5.5, label=rule)
    labels = all_drawn([str(label) for label in table["label"]], LONGEST)
    names = [f"{label} ({n:,})" for label, n in zip(labels, table["positives"], strict=True)]
    axes.set(yticks=rows, yticklabels=names, xlim=(-0.02, 1.02), ylim=(-0.7, len(table) - 0.3))
    axes.set_xlabel("F1 on the test part; in brackets: positives there")
    axes.legend(loc="lower right", **SMALL)


def _by_positives(axes: Axes, table: pd.DataFrame, f1: pd.DataFrame) -> None:
    """Draw a dot for each label's F1 at 0.5 and with its own threshold, against the label's positives."""
    for rule in ("half", "per_label") if "per_label" in f1 else ("half",):
        colour = RULE_COLOURS[rule]
        axes.plot(table["positives"], f1[rule], MARKERS[rule], color=colour, markersize=4, alpha=0.6, label=rule)
    axes.set(xscale="log", ylim=(-0.02, 1.02), xlabel="positives of the label in the test part", ylabel="F1")
    axes.legend(loc="lower right", **SMALL)


def _f1_of(table: pd.DataFrame, rule: str) -> pd.Series[float]:
    hits = 2 * table[f"{rule}/tp"]
    return hits / (hits + table[f"{rule}/fp"] + table[f"{rule}/fn"]).clip(lower=1)


def _finish(axes: Axes) -> None:
    axes.title.set_fontsize(10)
    axes.tick_params(labelsize=8.5)
    axes.grid(alpha=0.25)
