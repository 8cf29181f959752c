"""Figures. Colours are Okabe and Ito's, which colour-blind readers can tell apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from rarelabels import metrics
from rarelabels.evaluation import Scored
from rarelabels.schema import SET_HEADS

Floats = NDArray[np.float64]

BLUE, ORANGE, GREEN, PINK, SKY, RED = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
GREY = "#777777"
CONFUSION_ROWS = 40
CURVES_ABREAST = 4
FAINTEST = 1e-5  # the lowest score on logarithmic axes
NEAR_ORACLE = 0.95  # the share of the oracle's F1 that counts as enough
VERDICTS = {"upheld": (BLUE, "o"), "refuted": (RED, "X"), "undecided": (GREY, "s")}
SMALL = 0.05  # the difference up to which the axis of verdicts is linear
RULE_COLOURS = {"half": ORANGE, "global": SKY, "per_label": BLUE, "oracle": GREY}


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG; ``savefig`` would draw it twice."""
    figure.set_dpi(120)
    FigureCanvasAgg(figure).print_png(path)  # type: ignore[no-untyped-call]  # matplotlib has no types for it


@contextmanager
def or_told(failures: list[str], what: str) -> Iterator[None]:
    """Let what cannot be drawn cost nothing but itself: a line in ``failures`` says why."""
    try:
        yield
    except Exception as error:
        failures.append(f"{what}: not drawn: {type(error).__name__}: {(str(error).splitlines() or [''])[0]}")


def loss_unit(params: Mapping[str, str]) -> str:
    """Return how a trial's loss is scaled, for the axis: most are means over labels, the exceptions must say so."""
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

    A metric with a number for each label is drawn as one thin line per label, of validation alone.

    Args:
        curves: columns ``curve, epoch, value``, one row per seed and epoch.
        title: of the figure.
        loss_axis: what the loss is.
        kept: the epochs kept, one per seed.
        of_a_sample: whether what is watched of the training part is watched on some of its rows.
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
    figure.suptitle(f"{title}: learning curves (band: all seeds; dotted: epochs kept)", fontsize=10)
    return figure


def precision_recall(parts: Sequence[Scored], labels: Sequence[str], title: str) -> Figure:
    """Draw the micro-averaged precision-recall curve of each seed, and of the first seed's labels behind it."""
    figure = Figure(figsize=(5.2, 4.6), layout="constrained")
    axes = figure.subplots()
    first = parts[0]
    for column, _ in enumerate(labels):
        if first.y[:, column].any():
            precision, recall = precision_recall_curve(first.y[:, column], first.scores[:, column])
            axes.plot(recall, precision, color=GREY, alpha=0.35, linewidth=0.7)
    for number, part in enumerate(parts):
        precision, recall = precision_recall_curve(part.y.ravel(), part.scores.ravel())
        axes.plot(recall, precision, color=BLUE, linewidth=1.4, label=None if number else "micro average, each seed")
    axes.plot([], [], color=GREY, linewidth=0.7, label=f"single labels ({len(labels)}), first seed")
    prevalence = float(first.y.mean())
    axes.axhline(prevalence, color=RED, linestyle="--", linewidth=1, label=f"chance: prevalence {prevalence:.3f}")
    axes.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02), title=title)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8, loc="upper right")
    return figure


def precision_recall_curve(y_true: NDArray[np.uint8], y_score: Floats) -> tuple[Floats, Floats]:
    """Return precision and recall at each distinct score from the least, then (1, 0): scikit-learn's, without it.

    Args:
        y_true: 0/1, (n,), with a 1.
        y_score: (n,).
    """
    order = np.argsort(y_score, kind="stable")[::-1]
    last = np.append(np.flatnonzero(np.diff(y_score[order])), len(order) - 1)  # of each run of equal scores
    hits = np.cumsum(y_true[order], dtype=np.float64)[last]
    precision, recall = hits / (1 + last), hits / hits[-1]
    return np.append(precision[::-1], 1.0), np.append(recall[::-1], 0.0)


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
    offsets = np.linspace(-0.24, 0.24, len(RULE_COLOURS))
    for (rule, colour), offset in zip(RULE_COLOURS.items(), offsets, strict=True):
        label = f"{rule} (a bound)" if rule == "oracle" else rule
        dots(left, table, trials, f"test/{rule}/macro_f1", colour, offset, label)
    ranking = "test/ranking/macro_average_precision"
    dots(right, table, trials, ranking, GREEN, 0.0, "macro average precision")
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


def dots(
    axes: Axes, table: pd.DataFrame, trials: Sequence[str], metric: str, colour: str, offset: float, label: str
) -> None:
    """Draw a metric of each trial with its interval, a row for each trial, moved down by ``offset``."""
    rows = table[(table["metric"] == metric) & table["trial"].isin(list(trials))]
    rows = rows.set_index("trial").reindex(list(trials))
    y = np.arange(len(trials)) + offset
    axes.hlines(y, rows["low"], rows["high"], color=colour, linewidth=1.6, alpha=0.7)
    axes.plot(rows["mean"], y, "o", color=colour, markersize=4.5, label=label)


def reliability(parts: Sequence[Scored], before: Sequence[Scored] | None, title: str) -> Figure:
    """Draw how often labels are true against the score they were given, all labels pooled, a line for each seed.

    The bins are the 15 of equal mass of the expected calibration error. With rare labels nearly all of them hold tiny
    scores, so the same points stand twice: on plain and on logarithmic axes, where a bin without a positive is drawn
    as a triangle on the lower edge, and a score below 1e-5 on the left one.

    Args:
        parts: one for each seed.
        before: the same before calibration, drawn behind; None if nothing was calibrated.
        title: of the figure.
    """
    figure = Figure(figsize=(9.6, 5.8), layout="constrained")
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
            here = (frequency == 0) == never
            panels[1].plot(right[here], height[here], marker, color=colour, markersize=4)
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
    figure.suptitle(f"{title}: reliability", fontsize=10)
    return figure


def calibration_points(part: Scored) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Return mean score and share of true labels of each bin that holds any, shape (2, bins)."""
    bins = metrics.calibration_bins(part.scores.ravel(), metrics.calibration_edges(part.scores))
    size, scores, true = (
        np.bincount(bins, weights=values, minlength=metrics.CALIBRATION_BINS)
        for values in (np.ones(bins.size), part.scores.ravel(), part.y.ravel())
    )
    return np.stack([scores, true])[:, size > 0] / size[size > 0]


def _calibration_text(parts: Sequence[Scored]) -> str:
    measured = [metrics.ranking_metrics(part.y, part.scores) for part in parts]
    brier, error = (float(np.mean([values[name] for values in measured])) for name in ("brier", "ece"))
    return f"Brier {brier:.4f}, ECE {error:.4f}"


def f1_theory(table: pd.DataFrame, title: str) -> Figure:
    """Draw each label's best threshold against half its best F1, and what half the best F1 gives as a threshold.

    Args:
        table: from ``threshold_study.f1_theory``.
        title: of the figure.
    """
    figure = Figure(figsize=(9.6, 4.9), layout="constrained")
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
    figure.suptitle(f"{title}: validation part, each label and seed", fontsize=10)
    return figure


def winners_curse(table: pd.DataFrame, title: str) -> Figure:
    """Draw what thresholds chosen on few positives promise too much, and what they are worth on test.

    Bold: mean over labels and draws; band: from their 10th to their 90th percentile; thin: the mean of each label.
    Below each number of positives stands how many labels have as many.

    Args:
        table: from ``threshold_study.winners_curse``.
        title: of the figure.
    """
    table = table.assign(
        flattery=table["f1_chosen"] - table["f1_test"],
        share=table["f1_test"] / table["f1_oracle"],
        floor=table["f1_all_ones"] / table["f1_oracle"],
    )
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    _spread(left, table, "flattery", ORANGE)
    _spread(right, table, "share", BLUE)
    by_size = table.groupby("positives")
    sizes = by_size["label"].nunique()
    right.plot(
        sizes.index, by_size["floor"].mean(), color=RED, linestyle="--", linewidth=1.2, label="every row assigned"
    )
    left.axhline(0, color=GREY, linewidth=1)
    right.axhline(NEAR_ORACLE, color=GREY, linestyle=":", linewidth=1.2, label=f"{NEAR_ORACLE * 100:.0f} % of the best")
    enough = _enough(by_size["share"].mean())
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
    figure.suptitle(f"{title}: how many positives does a threshold need?", fontsize=10)
    return figure


def _spread(axes: Axes, table: pd.DataFrame, column: str, colour: str) -> None:
    for _, one in table.groupby("label"):
        mean = one.groupby("positives")[column].mean()
        axes.plot(mean.index, mean, color=GREY, linewidth=0.7, alpha=0.5)
    values = table.groupby("positives")[column]
    mean = values.mean()
    axes.plot(mean.index, mean, "o-", color=colour, linewidth=2, markersize=5, label="mean of labels and draws")
    low, high = values.quantile(0.1), values.quantile(0.9)
    axes.fill_between(mean.index, low, high, color=colour, alpha=0.18, linewidth=0, label="10 to 90 %")


def _enough(share: pd.Series[float]) -> int | None:
    """Return the first number of positives from which on the mean share stays near the oracle, if there is one."""
    below = share.index[share < NEAR_ORACLE]
    left = share.index[share.index > below.max()] if len(below) else share.index
    return int(left.min()) if len(left) else None


def rule_table(table: pd.DataFrame, floors: Sequence[str], title: str) -> Figure:
    """Draw macro-F1 of every trial (rows) under every rule (columns), with its 95 % interval below each value.

    Args:
        table: columns ``trial, rule, mean, low, high``; trials and rules in the order in which they first come. What
            has no interval, like a floor, has NaN.
        floors: which of the trials are floors, drawn below a line; they come last.
        title: of the figure.
    """
    trials, rules = list(dict.fromkeys(table["trial"])), list(dict.fromkeys(table["rule"]))
    cells = {name: table.set_index(["trial", "rule"])[name].unstack() for name in ("mean", "low", "high")}
    mean, low, high = (cells[name].reindex(index=trials, columns=rules).to_numpy() for name in ("mean", "low", "high"))
    figure = Figure(figsize=(2.8 + 1.05 * len(rules), 1.5 + 0.4 * len(trials)), layout="constrained")
    axes = figure.subplots()
    # squared, for under a good rule all trials are close, and their differences are what is looked for
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
    names = [
        f"{rule}\n(a bound)" if rule == "oracle" else rule.replace("_", " ", 1).replace("_", "\n") for rule in rules
    ]
    axes.set_xticks(range(len(rules)), names, fontsize=8.5)
    axes.set_yticks(range(len(trials)), trials, fontsize=8.5)
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    axes.hlines(np.arange(len(trials) - 1) + 0.5, -0.5, len(rules) - 0.5, color="white", linewidth=1)
    if floors:
        axes.axhline(len(trials) - len(floors) - 0.5, color="black", linewidth=1.5)
    if "oracle" in rules:
        place = rules.index("oracle")
        axes.vlines([place - 0.5, place + 0.5], -0.5, len(trials) - 0.5, color=RED, linestyle="--", linewidth=1.2)
    figure.suptitle(
        f"{title}: macro-F1 on test by loss and threshold rule (small: 95 % interval; darker is better)", fontsize=10
    )
    return figure


def half_by_theory(table: pd.DataFrame, title: str) -> Figure:
    """Draw what theory predicts a trial scores at 0.5, beside what it scored.

    The prediction knows nothing of the trial but its loss: it takes the scores of plain binary cross-entropy and cuts
    them at the true probability at which the trial's own scores would cross 0.5.

    Args:
        table: columns ``trial, threshold`` (that true probability, mean over labels), ``predicted, measured``,
            ``low, high`` (of the measured) and ``plain`` (binary cross-entropy at 0.5); one row for each trial.
        title: of the figure.
    """
    names = [f"{row.trial}  (q = {row.threshold:.3f})" for row in table.itertuples()]
    y = np.arange(len(table))
    figure = Figure(figsize=(8.8, 1.7 + 0.42 * len(table)), layout="constrained")
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
    figure.suptitle(f"{title}: what theory makes of the scores of plain binary cross-entropy", fontsize=10)
    return figure


def verdicts(table: pd.DataFrame, title: str) -> Figure:
    """Draw the difference that each hypothesis is about, with its interval, over what was claimed of it.

    A claim is upheld where the whole interval lies on its shaded part, and refuted where all of it lies outside. The
    axis is logarithmic beyond ±0.05. What could not be measured has its name alone.

    Args:
        table: from ``findings.long``.
        title: of the figure.
    """
    y = np.arange(len(table))
    figure = Figure(figsize=(9.6, 1.5 + 0.3 * len(table)), layout="constrained")
    axes = figure.subplots()
    reach = 1.15 * max(float(np.nanmax(table[["low", "high"]].abs().to_numpy(), initial=0)), table["margin"].max(), 0.1)
    for place, direction, margin in zip(y, table["direction"], table["margin"], strict=True):
        claimed = {"greater": (margin, reach), "less": (-reach, -margin), "equal": (-margin, margin)}
        low, high = claimed[direction]
        axes.barh(place, high - low, left=low, height=0.8, color=SKY, alpha=0.28, linewidth=0)
    for verdict, (colour, marker) in VERDICTS.items():
        own = table["verdict"] == verdict
        axes.hlines(y[own], table.loc[own, "low"], table.loc[own, "high"], color=colour, linewidth=2)
        label = f"{verdict}: {own.sum()}"
        axes.plot(table.loc[own, "value"], y[own], marker, color=colour, markersize=6, linestyle="none", label=label)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_xscale("symlog", linthresh=SMALL)
    ticks = [tick for tick in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if tick < reach]
    ticks = [*(-tick for tick in reversed(ticks)), 0.0, *ticks]
    axes.set_xticks(ticks, [f"{tick:+g}".replace("-", "−") if tick else "0" for tick in ticks], fontsize=8.5)
    axes.minorticks_off()
    axes.set(xlim=(-reach, reach), ylim=(len(table) - 0.4, -0.6), xlabel="difference (shaded: what was claimed)")
    axes.set_yticks(y, [str(name).replace("_", " ") for name in table["name"]], fontsize=8.5)
    axes.grid(alpha=0.25, axis="x")
    axes.legend(frameon=False, fontsize=8.5, loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=3)
    figure.suptitle(f"{title}: declared hypotheses, with intervals that hold together at 95 %", fontsize=10)
    return figure


def search_history(trials: pd.DataFrame, metric: str, title: str, *, lower_is_better: bool) -> Figure:
    """Draw the value of every trial of a search and the best so far; pruned and failed ones as ticks below.

    Args:
        trials: columns ``number, value, state``.
        metric: what was searched for.
        title: of the figure.
        lower_is_better: of the metric.
    """
    trials = trials.sort_values("number")
    done = trials[trials["state"] == "COMPLETE"]
    figure = Figure(figsize=(8, 4.2), layout="constrained")
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
    axes.set(xlabel="trial, in the order asked for", ylabel=metric)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False, fontsize=8.5, ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    figure.suptitle(f"{title}: search history", fontsize=10)
    return figure


def importances(values: Mapping[str, float], metric: str, title: str) -> Figure:
    """Draw how much of a search's variance each key explains, the most important at the top."""
    names = sorted(values, key=values.__getitem__)
    figure = Figure(figsize=(7.5, 1.4 + 0.34 * len(names)), layout="constrained")
    axes = figure.subplots()
    axes.barh(names, [values[name] for name in names], color=BLUE)
    for place, name in enumerate(names):
        axes.text(values[name], place, f" {values[name]:.2f}", va="center", fontsize=8.5)
    axes.set(xlabel=f"share of the variance of {metric} that the key explains (fANOVA)")
    axes.set_xlim(0, 1.15 * max(values.values()))
    axes.grid(alpha=0.25, axis="x")
    figure.suptitle(f"{title}: importance of each key", fontsize=10)
    return figure


def slices(trials: pd.DataFrame, scales: Mapping[str, bool], metric: str, title: str) -> Figure:
    """Draw the value of every finished trial against each key; later trials are darker.

    Args:
        trials: columns ``number, value, state`` and ``params_<key>``.
        scales: each key, and whether its axis is logarithmic.
        metric: what was searched for.
        title: of the figure.
    """
    done = trials[trials["state"] == "COMPLETE"]
    columns = min(len(scales), CURVES_ABREAST)
    rows = -(-len(scales) // columns)
    figure = Figure(figsize=(3.3 * columns + 0.8, 0.6 + 2.7 * rows), layout="constrained")
    panels = [figure.add_subplot(rows, columns, place + 1) for place in range(len(scales))]
    for axes, (key, is_log) in zip(panels, scales.items(), strict=True):
        points = axes.scatter(
            *(done[f"params_{key}"], done["value"]), c=done["number"], cmap="viridis_r", s=22, edgecolors="none"
        )
        axes.set(xlabel=key, xscale="log" if is_log else "linear")
        axes.grid(alpha=0.25)
    for axes in panels[::columns]:
        axes.set_ylabel(metric.rpartition("/")[2])
    figure.colorbar(points, ax=panels, label="trial", shrink=0.8)
    figure.suptitle(f"{title}: {metric} against each key", fontsize=10)
    return figure


def output_layers(table: pd.DataFrame, marks: Mapping[str, int], memory: int) -> Figure:
    """Draw the bytes of an output layer's parameters against the number of labels, on a logarithmic axis.

    Left: up to where the last mark is; right: all of it.

    Args:
        table: columns ``head`` (sigmoid or powerset), ``hidden, labels, power``: 10^power bytes, which may be no float.
        marks: what gives out for the softmax over all label sets, and from how many labels on.
        memory: bytes of a machine, drawn as a line.
    """
    figure = Figure(figsize=(11, 5.2), layout="constrained")
    panels = figure.subplots(1, 2)
    most = int(table["labels"].max())
    last_mark = max(marks.values()) + 7
    for axes, last in zip(panels, (last_mark, most), strict=True):
        for (head, hidden), of in table[table["labels"] <= last].groupby(["head", "hidden"], sort=False):
            name = "sigmoid, a column a label" if head == "sigmoid" else "softmax, a column a label set"
            style = "-" if hidden == table["hidden"].min() else "--"
            colour = BLUE if head == "sigmoid" else ORANGE
            axes.plot(of["labels"], of["power"], style, color=colour, label=f"{name}; {hidden} hidden units")
        axes.axhline(np.log10(memory), color=RED, linestyle=":", label=f"{memory / 2**30:.0f} GiB of memory")
        axes.set(xlabel="labels", ylabel="bytes of the output layer's parameters", xlim=(0, last))
        axes.yaxis.set_major_locator(MaxNLocator(integer=True))
        axes.yaxis.set_major_formatter(lambda power, _: f"$10^{{{power:.0f}}}$")
        axes.grid(alpha=0.25)
    for name, labels in marks.items():
        panels[0].axvline(labels, color=GREY, linewidth=0.9)
        words, place = f"{name}: {labels}", panels[0].get_xaxis_transform()
        panels[0].text(labels - 0.4, 0.98, words, transform=place, rotation=90, ha="right", va="top", fontsize=8.5)
    panels[0].set_ylim(top=1.4 * table.loc[table["labels"] <= last_mark, "power"].max())  # room for the words
    panels[0].set_title("grey: what the number of label sets exceeds, and from how many labels on", fontsize=9)
    panels[1].set_title(f"the same up to {most:,} labels", fontsize=9)
    handles, names = panels[0].get_legend_handles_labels()
    figure.legend(handles, names, frameon=False, fontsize=8.5, loc="outside lower center", ncols=3)
    return figure
