"""The figures of the report. Each trial has a small panel, so that even forty trials can be told apart.

Colours are those of ``house_style``. The panels of a figure have the same axes, unless its docstring says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from rarelabels.judging.arrays import Bools, Floats
from rarelabels.judging.scores import Scores
from rarelabels.show.figures import house_style, of_trial
from rarelabels.show.figures.house_style import BLUE, GREY, ORANGE, RED, Drawing, all_drawn, rule_colours

ABREAST = 4
WIDTH, HEIGHT = 2.3, 2.0  # inches of a panel
RECALLS = np.linspace(0.01, 1, 100)  # precision is drawn at these recalls
MANY_LABELS = 100  # with more labels, their dots are small
JUDGED = rule_colours("half", "per_label")


@dataclass(frozen=True, eq=False)
class TrialCurves:
    """Curves of a trial's test scores, for each seed.

    Attributes:
        precision: at ``RECALLS``, (n_seeds, 100), all labels pooled.
        reliability: for each seed, the mean score and the share of true labels of each bin, (2, n_bins).
        prevalence: of all labels pooled.
    """

    precision: Floats
    reliability: tuple[Floats, ...]
    prevalence: float

    @classmethod
    def of(cls, parts: list[Scores]) -> TrialCurves:
        """Return the curves of a trial's test parts, one for each seed."""
        precision = np.stack([precision_at(*part.cells(), RECALLS) for part in parts])
        return cls(precision, tuple(map(of_trial.calibration_points, parts)), float(parts[0].cells()[0].mean()))


def precision_at(y_true: Bools, y_score: Floats, recalls: Floats) -> Floats:
    """Return the precision of the highest threshold that reaches each recall.

    A threshold never separates equal scores.

    Args:
        y_true: (n,), with at least one True.
        y_score: (n,).
        recalls: above 0 up to 1.

    Returns:
        The precision for each recall, in the shape of ``recalls``.
    """
    order = np.argsort(-y_score, kind="stable")
    ordered = y_score[order]
    last = np.flatnonzero(np.append(np.diff(ordered) != 0, True))  # the last place of each distinct score
    hits = np.cumsum(y_true[order], dtype=np.int64)[last]
    reached = np.searchsorted(hits, np.ceil(recalls * hits[-1] - 1e-9))
    return np.asarray(hits[reached] / (last[reached] + 1), np.float64)


def learning_curves(curves: Mapping[str, pd.DataFrame], kept: Mapping[str, list[float]]) -> Figure:
    """Draw training and validation loss of each trial: mean over seeds, band from the lowest to the highest seed.

    The axes of the panels differ, because losses have different scales.

    Args:
        curves: for each trial, columns ``curve, epoch, value``, with a row for each seed and epoch.
        kept: for each trial, the epochs that its seeds kept.
    """

    def draw(axes: Axes, name: str) -> None:
        _bands(axes, curves[name], {"curve/loss": ORANGE, "curve/val_loss": BLUE})
        _mark_kept(axes, kept[name])

    figure = _panels(list(curves), draw, "epoch", "loss", shared=False)
    return _legend(figure, {"training": ORANGE, "validation": BLUE}, {"epochs kept, of each seed": GREY})


def ranking_curves(curves: Mapping[str, pd.DataFrame], kept: Mapping[str, list[float]]) -> Figure:
    """Draw macro average precision on validation after each epoch: mean over seeds and band, other trials in grey.

    Args:
        curves: see :func:`learning_curves`.
        kept: see :func:`learning_curves`.
    """
    metric = "curve/val_macro_average_precision"
    means = {name: of[of["curve"] == metric].groupby("epoch")["value"].mean() for name, of in curves.items() if len(of)}

    def draw(axes: Axes, name: str) -> None:
        for other in means.values():
            axes.plot(other.index, other, color=GREY, linewidth=0.5, alpha=0.35)
        _bands(axes, curves[name], {metric: BLUE})
        _mark_kept(axes, kept[name])

    figure = _panels(list(curves), draw, "epoch", "macro average precision")
    return _legend(figure, {"this trial, on validation": BLUE, "the others": GREY}, {"epochs kept": GREY})


def precision_recall(curves: Mapping[str, TrialCurves]) -> Figure:
    """Draw precision against recall of each trial, labels pooled: mean over seeds and band, other trials in grey."""
    chance = next(iter(curves.values())).prevalence

    def draw(axes: Axes, name: str) -> None:
        for other in curves.values():
            axes.plot(RECALLS, other.precision.mean(axis=0), color=GREY, linewidth=0.5, alpha=0.35)
        precision = curves[name].precision
        axes.fill_between(RECALLS, precision.min(axis=0), precision.max(axis=0), color=BLUE, alpha=0.2, linewidth=0)
        axes.plot(RECALLS, precision.mean(axis=0), color=BLUE, linewidth=1.5)
        axes.axhline(chance, color=RED, linestyle="--", linewidth=0.9)
        axes.set(xlim=(0, 1), ylim=(0, 1.02))

    figure = _panels(list(curves), draw, "recall", "precision")
    return _legend(figure, {"this trial": BLUE, "the others": GREY}, {f"chance: {chance:.3f}": RED}, "--")


def reliability(curves: Mapping[str, TrialCurves]) -> Figure:
    """Draw the share of true labels against the score, in 15 bins of equal mass, on logarithmic axes.

    A bin without a true label lies on the lower edge.
    """
    points = [of for one in curves.values() for of in one.reliability]
    least = max(house_style.FAINTEST, 0.7 * min(float(of.min(where=of > 0, initial=1)) for of in points))

    def draw(axes: Axes, name: str) -> None:
        axes.plot([least, 1], [least, 1], color=GREY, linestyle="--", linewidth=0.9)
        for of in curves[name].reliability:
            score, true = np.maximum(of, least)
            axes.plot(score, true, "o-", color=BLUE, markersize=2.2, linewidth=0.8, alpha=0.7)
        axes.set(xscale="log", yscale="log", xlim=(least, 1), ylim=(least, 1.1))

    figure = _panels(list(curves), draw, "mean score of the bin", "share of true labels")
    return _legend(figure, {"each seed": BLUE}, {"scores that mean what they say": GREY}, "--")


def f1_by_positives(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """Draw F1 of each label, mean over seeds, at 0.5 and with its own threshold, against its positives on test.

    Args:
        tables: for each trial, a row for each label. Columns: ``positives``, and F1 under ``half`` and ``per_label`` if
            the trial has these rules.
    """

    def draw(axes: Axes, name: str) -> None:
        table = tables[name]
        size, alpha = (1.6, 0.35) if len(table) > MANY_LABELS else (3.2, 0.8)
        for rule in [rule for rule in JUDGED if rule in table]:
            x, y = table["positives"], table[rule]
            axes.plot(x, y, "o", color=JUDGED[rule], markersize=size, alpha=alpha, markeredgewidth=0)
        axes.set(xscale="log", ylim=(-0.03, 1.03))
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3), numticks=6))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axes.xaxis.set_minor_formatter(NullFormatter())

    figure = _panels(list(tables), draw, "positives of the label on test", "F1 of the label")
    return _legend(figure, {"at 0.5": ORANGE, "with its own threshold": BLUE}, {}, marker="o")


def _panels(names: list[str], draw: Callable[[Axes, str], None], x: str, y: str, *, shared: bool = True) -> Figure:
    """Draw a panel for each name, ``ABREAST`` in a row."""
    columns = min(len(names), ABREAST)
    rows = -(-len(names) // columns)
    figure = Drawing(figsize=(max(WIDTH * columns, 4.6), 0.75 + HEIGHT * rows))
    panels = np.atleast_1d(figure.subplots(rows, columns, sharex=shared, sharey=shared, squeeze=False)).ravel()
    for axes, name, title in zip(panels, names, all_drawn(names), strict=False):
        draw(axes, name)
        # With a given height, a title is not laid out again each time. But an axis of losses may have an exponent
        # where the title is, so the title must move.
        axes.set_title(title, fontsize=8, pad=3, y=1.0 if shared else None)
        axes.tick_params(labelsize=7, labelbottom=True)
        axes.grid(alpha=0.25)
    for axes in panels[len(names) :]:
        axes.set_axis_off()
    figure.supxlabel(x, fontsize=9)
    figure.supylabel(y, fontsize=9)
    return figure


def _bands(axes: Axes, curves: pd.DataFrame, drawn: Mapping[str, str]) -> None:
    for curve, colour in drawn.items():
        values = curves[curves["curve"] == curve].groupby("epoch")["value"]
        if len(values):
            axes.fill_between(values.mean().index, values.min(), values.max(), color=colour, alpha=0.2, linewidth=0)
            axes.plot(values.mean().index, values.mean(), color=colour, linewidth=1.4)


def _mark_kept(axes: Axes, epochs: list[float]) -> None:
    for epoch in sorted(set(epochs)):
        axes.axvline(epoch, color=GREY, linewidth=0.8, linestyle=":")


def _legend(
    figure: Figure, lines: Mapping[str, str], marks: Mapping[str, str], style: str = ":", *, marker: str = ""
) -> Figure:
    """Put one legend above all panels: ``lines`` as solid lines, or as markers, then ``marks`` in ``style``."""
    axes = figure.axes[0]
    handles = [
        axes.plot([], [], linestyle="none" if marker else "-", marker=marker, color=colour, label=name)[0]
        for name, colour in lines.items()
    ]
    handles += [axes.plot([], [], style, color=colour, label=name)[0] for name, colour in marks.items()]
    figure.legend(handles=handles, frameon=False, fontsize=8, ncols=len(handles), loc="outside upper center")
    return figure
