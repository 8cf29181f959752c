"""Figures about thresholds: whether the theory of the best F1 holds, and how many positives a threshold needs."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from rarelabels.judging import metrics
from rarelabels.show.figures.house_style import (
    BLUE,
    GREEN,
    GREY,
    NEAR_ORACLE,
    ORANGE,
    RED,
    Drawing,
    enough_positives,
    spread,
    titled,
)


def f1_theory(table: pd.DataFrame, title: str) -> Figure:
    """Draw each label's best threshold against half its best F1, and the F1 with half the best F1 as the threshold.

    Args:
        table: from ``threshold_study.f1_theory``.
        title: of the figure.
    """
    figure = Drawing(figsize=(9.6, 4.9))
    left, right = figure.subplots(1, 2, gridspec_kw={"wspace": 0.08})
    groups = {
        f"{metrics.HEAD} positives or more": (table["positives"] >= metrics.HEAD, BLUE),
        f"{metrics.MEDIUM} to {metrics.HEAD - 1}": (
            table["positives"].between(metrics.MEDIUM, metrics.HEAD - 1),
            GREEN,
        ),
        f"fewer than {metrics.MEDIUM}": (table["positives"] < metrics.MEDIUM, RED),
    }
    for name, (members, colour) in groups.items():
        of = table[members]
        if len(of):
            left.plot(of["f1"] / 2, of["threshold"], "o", color=colour, alpha=0.65, markersize=4.5, label=name)
            right.plot(of["f1"], of["f1_at_half"], "o", color=colour, alpha=0.65, markersize=4.5)
    highest = 1.05 * max(0.5, float(table["threshold"].max()))
    left.plot([0, 0.5], [0, 0.5], color=GREY, linestyle="--", linewidth=1, zorder=0, label="as the theory says")
    right.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, zorder=0)
    left.set(xlabel="half the best F1 of the label", ylabel="its best threshold", xlim=(0, 0.52), ylim=(0, highest))
    right.set(xlabel="F1 at the best threshold", ylabel="F1 at the threshold ½ · best F1", xlim=(0, 1), ylim=(0, 1))
    lost = float((table["f1"] - table["f1_at_half"]).mean())
    left.set_title("if scores are calibrated, the points lie on the line", fontsize=9)
    right.set_title(f"the theory's threshold costs {lost:.3f} F1 on average", fontsize=9)
    for axes in (left, right):
        axes.grid(alpha=0.25)
    figure.legend(frameon=False, fontsize=8.5, loc="outside lower center", ncols=4)
    titled(figure, title, ": validation part, each label and seed")
    return figure


def winners_curse(table: pd.DataFrame, title: str) -> Figure:
    """Draw how much thresholds that are chosen on few positives are overrated, and how good they are on test.

    Bold: mean over labels and draws. Band: from the 10th to the 90th percentile. Thin: the mean of each label. Below
    each number of positives stands the number of labels that have at least so many.

    Args:
        table: from ``threshold_study.winners_curse``.
        title: of the figure.
    """
    table = table.assign(
        flattery=table["f1_chosen"] - table["f1_test"],
        share=table["f1_test"] / table["f1_oracle"],
        floor=table["f1_all_ones"] / table["f1_oracle"],
    )
    figure = Drawing(figsize=(11, 5.2))
    left, right = figure.subplots(1, 2)
    spread(left, table, "flattery", ORANGE)
    spread(right, table, "share", BLUE)
    by_size = table.groupby("positives")
    sizes = by_size["label"].nunique()
    right.plot(
        sizes.index, by_size["floor"].mean(), color=RED, linestyle="--", linewidth=1.2, label="every row assigned"
    )
    left.axhline(0, color=GREY, linewidth=1)
    right.axhline(NEAR_ORACLE, color=GREY, linestyle=":", linewidth=1.2, label=f"{NEAR_ORACLE * 100:.0f} % of the best")
    enough = enough_positives(by_size["share"].mean())
    if enough is not None:
        right.axvline(enough, color=GREEN, linewidth=1.5, label=f"reached from {enough:,} positives on")
    for axes in (left, right):
        axes.set_xscale("log")
        axes.set_xticks(list(sizes.index), [f"{size:,}\n({labels})" for size, labels in sizes.items()], fontsize=8)
        axes.minorticks_off()
        axes.set_xlabel("validation positives of the label (labels that have as many)")
        axes.grid(alpha=0.25)
        axes.legend(frameon=False, fontsize=8.5, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    left.set_ylabel("F1 on the rows that chose it, minus F1 on test")
    right.set_ylabel("F1 on test, as a share of the best possible there")
    right.set_ylim(0, 1.02)
    titled(figure, title, ": how many positives does a threshold need?")
    return figure
