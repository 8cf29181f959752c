"""Figures of a study: the comparison, losses by threshold rules, the theory of 0.5, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from rarelabels.judging.rules.table import BY_NAME, known
from rarelabels.show.figures.house_style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    RED,
    RULE_COLOURS,
    SKY,
    Drawing,
    all_drawn,
    dots,
    titled,
)

VERDICTS = {"upheld": (BLUE, "o"), "refuted": (RED, "X"), "undecided": (GREY, "s")}
SMALL = 0.05  # up to this difference, the axis of verdicts is linear


def comparison(table: pd.DataFrame, floors: Mapping[str, float], title: str) -> Figure:
    """Draw macro-F1 under each rule and macro average precision of all trials, with their 95 % intervals.

    Args:
        table: columns ``trial, metric, mean, low, high``.
        floors: metric name to the best floor's value, drawn as a line.
        title: of the figure.
    """
    trials = list(dict.fromkeys(table["trial"]))
    figure = Drawing(figsize=(11, 1.4 + 0.36 * len(trials)))
    left, right = figure.subplots(1, 2, sharey=True)
    offsets = np.linspace(-0.24, 0.24, len(RULE_COLOURS))
    for (rule, colour), offset in zip(RULE_COLOURS.items(), offsets, strict=True):
        dots(left, table, trials, f"test/{rule}/macro_f1", colour, offset, BY_NAME[rule].label)
    ranking = "test/ranking/macro_average_precision"
    dots(right, table, trials, ranking, GREEN, 0.0, "macro average precision")
    for axes, metric in ((left, "test/half/macro_f1"), (right, ranking)):
        if metric in floors:
            axes.axvline(floors[metric], color=RED, linestyle="--", linewidth=1, label="best floor")
        axes.grid(alpha=0.25, axis="x")
        axes.legend(frameon=False, fontsize=8, ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1.0))
        axes.set_xlim(left=0)
    left.set(yticks=range(len(trials)), yticklabels=all_drawn(trials), xlabel="macro-F1 on test, by threshold rule")
    left.set_ylim(len(trials) - 0.4, -0.6)
    right.set(xlabel="macro average precision on test")
    titled(figure, title)
    return figure


def rule_table(table: pd.DataFrame, floors: Sequence[str], title: str) -> Figure:
    """Draw macro-F1 of every trial (rows) under every rule (columns), with its 95 % interval below each value.

    Args:
        table: columns ``trial, rule, mean, low, high``. Trials and rules keep the order in which they first occur. A
            value without an interval, such as that of a floor, has NaN for its ends.
        floors: the trials that are floors. They must come last, and are drawn below a line.
        title: of the figure.
    """
    trials, rules = list(dict.fromkeys(table["trial"])), list(dict.fromkeys(table["rule"]))
    cells = {name: table.set_index(["trial", "rule"])[name].unstack() for name in ("mean", "low", "high")}
    mean, low, high = (cells[name].reindex(index=trials, columns=rules).to_numpy() for name in ("mean", "low", "high"))
    figure = Drawing(figsize=(2.8 + 1.05 * len(rules), 1.5 + 0.4 * len(trials)))
    axes = figure.subplots()
    # squared, because under a good rule all trials are close, and readers look for the differences
    shade = PowerNorm(2, vmin=0, vmax=max(float(np.nanmax(mean)), 1e-9))
    axes.imshow(mean, cmap="Blues", aspect="auto", norm=shade)
    for (row, column), value in np.ndenumerate(mean):
        ink = "white" if shade(value) > 0.6 else "black"
        number = "–" if np.isnan(value) else f"{value:.3f}"
        place = row if np.isnan(low[row, column]) else row - 0.14
        axes.text(column, place, number, ha="center", va="center", fontsize=9, color=ink)
        if not np.isnan(low[row, column]):
            ends = f"{low[row, column]:.3f} – {high[row, column]:.3f}"
            axes.text(column, row + 0.24, ends, ha="center", va="center", fontsize=6.5, color=ink)
    names = [known(rule).header for rule in rules]
    axes.set_xticks(range(len(rules)), names, fontsize=8.5)
    axes.set_yticks(range(len(trials)), all_drawn(trials), fontsize=8.5)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    axes.hlines(np.arange(len(trials) - 1) + 0.5, -0.5, len(rules) - 0.5, color="white", linewidth=1)
    if floors:
        axes.axhline(len(trials) - len(floors) - 0.5, color="black", linewidth=1.5)
    for place in (place for place, rule in enumerate(rules) if known(rule).chosen_on == "test"):
        axes.vlines([place - 0.5, place + 0.5], -0.5, len(trials) - 0.5, color=RED, linestyle="--", linewidth=1.2)
    titled(figure, title, ": macro-F1 on test by loss and threshold rule (small: 95 % interval; darker is better)")
    return figure


def half_by_theory(table: pd.DataFrame, title: str) -> Figure:
    """Draw the macro-F1 at 0.5 that theory predicts for each trial, beside the measured macro-F1.

    The prediction needs only the trial's loss. It takes the scores of plain binary cross-entropy. Their threshold is
    the true probability for which a score of 0.5 stands under the trial's loss.

    Args:
        table: columns ``trial, threshold`` (that true probability, mean over labels), ``predicted, measured``,
            ``low, high`` (of ``measured``) and ``plain`` (binary cross-entropy at 0.5); one row for each trial.
        title: of the figure.
    """
    trials = all_drawn([str(trial) for trial in table["trial"]])
    names = [f"{trial}  (q = {q:.3f})" for trial, q in zip(trials, table["threshold"], strict=True)]
    y = np.arange(len(table))
    figure = Drawing(figsize=(8.8, 1.7 + 0.42 * len(table)))
    axes = figure.subplots()
    axes.hlines(y, table["low"], table["high"], color=BLUE, linewidth=2, alpha=0.6)
    axes.plot(table["measured"], y, "o", color=BLUE, markersize=6, label="measured at 0.5, with its 95 % interval")
    predicted = "predicted: plain scores, cut where theory says"
    axes.plot(table["predicted"], y, "D", color=ORANGE, fillstyle="none", mew=1.8, markersize=9, label=predicted)
    axes.plot(table["plain"], y, "|", color=GREY, markersize=14, markeredgewidth=2, label="plain scores, cut at 0.5")
    axes.set(
        yticks=y,
        yticklabels=names,
        xlabel="macro-F1 on test (q: the true probability that 0.5 stands for)",
        ylim=(len(table) - 0.4, -0.6),
    )
    axes.set_xlim(left=0)
    axes.grid(alpha=0.25, axis="x")
    axes.legend(frameon=False, fontsize=8.5, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3)
    titled(figure, title, ": what theory makes of the scores of plain binary cross-entropy")
    return figure


def verdicts(table: pd.DataFrame, title: str) -> Figure:
    """Draw the measured difference of each hypothesis with its interval. The claimed differences are shaded.

    A claim is upheld if the whole interval lies inside the shaded part, and refuted if it lies outside. The axis is
    logarithmic beyond ±0.05. Of a hypothesis that could not be measured, only the name is shown.

    Args:
        table: from ``verdicts.long``.
        title: of the figure.
    """
    y = np.arange(len(table))
    figure = Drawing(figsize=(9.6, 1.5 + 0.3 * len(table)))
    axes = figure.subplots()
    reach = 1.15 * max(float(np.nanmax(table[["low", "high"]].abs().to_numpy(), initial=0)), table["margin"].max(), 0.1)
    for place, direction, margin in zip(y, table["direction"], table["margin"], strict=True):
        claimed = {"greater": (margin, reach), "less": (-reach, -margin), "equal": (-margin, margin)}
        low, high = claimed[direction]
        axes.barh(place, high - low, left=low, height=0.8, color=SKY, alpha=0.28, linewidth=0)
    for verdict, (colour, marker) in VERDICTS.items():
        with_verdict = table["verdict"] == verdict
        axes.hlines(
            y[with_verdict], table.loc[with_verdict, "low"], table.loc[with_verdict, "high"], color=colour, linewidth=2
        )
        label = f"{verdict}: {with_verdict.sum()}"
        axes.plot(
            table.loc[with_verdict, "value"],
            y[with_verdict],
            marker,
            color=colour,
            markersize=6,
            linestyle="none",
            label=label,
        )
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_xscale("symlog", linthresh=SMALL)
    ticks = [tick for tick in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if tick < reach]
    ticks = [*(-tick for tick in reversed(ticks)), 0.0, *ticks]
    axes.set_xticks(ticks, [f"{tick:+g}".replace("-", "−") if tick else "0" for tick in ticks], fontsize=8.5)
    axes.minorticks_off()
    axes.set(xlim=(-reach, reach), ylim=(len(table) - 0.4, -0.6), xlabel="difference (shaded: what was claimed)")
    axes.set_yticks(y, all_drawn([str(name).replace("_", " ") for name in table["name"]]), fontsize=8.5)
    axes.grid(alpha=0.25, axis="x")
    axes.legend(frameon=False, fontsize=8.5, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3)
    titled(figure, title, ": declared hypotheses, each with the interval that decided")
    return figure
