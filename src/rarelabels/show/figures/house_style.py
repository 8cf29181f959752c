"""Colours and parts that several figures share. The colours are Okabe and Ito's, for colour-blind readers too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from rarelabels.errors import failure
from rarelabels.judging.rules.table import BY_NAME

BLUE, ORANGE, GREEN, PINK, SKY, RED = "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00"
GREY = "#777777"
CURVES_ABREAST = 4
FAINTEST = 1e-5  # the lowest score on logarithmic axes
NEAR_ORACLE = 0.95  # F1 is near the oracle's if it is at least this share of it
COLOURS = {"blue": BLUE, "orange": ORANGE, "green": GREEN, "pink": PINK, "sky": SKY, "red": RED, "grey": GREY}


def rule_colours(*rules: str) -> dict[str, str]:
    """Return the colour of each rule, the same in every figure."""
    return {rule: COLOURS[BY_NAME[rule].colour] for rule in rules}


RULE_COLOURS = rule_colours("half", "global", "per_label", "oracle")


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG; ``savefig`` would draw it twice."""
    figure.set_dpi(120)
    FigureCanvasAgg(figure).print_png(path)  # type: ignore[no-untyped-call]  # matplotlib has no types for it


@contextmanager
def or_reported(failures: list[str], what: str) -> Iterator[None]:
    """Catch an error of a block that draws a figure, and add a line with the reason to ``failures``.

    So a figure that cannot be drawn does not stop the others.
    """
    try:
        yield
    except Exception as error:
        failures.append(f"{what}: not drawn: {failure(error)}")


def dots(
    axes: Axes, table: pd.DataFrame, trials: Sequence[str], metric: str, colour: str, offset: float, label: str
) -> None:
    """Draw a metric of each trial with its interval, a row for each trial, moved down by ``offset``."""
    rows = table[(table["metric"] == metric) & table["trial"].isin(list(trials))]
    rows = rows.set_index("trial").reindex(list(trials))
    y = np.arange(len(trials)) + offset
    axes.hlines(y, rows["low"], rows["high"], color=colour, linewidth=1.6, alpha=0.7)
    axes.plot(rows["mean"], y, "o", color=colour, markersize=4.5, label=label)


def spread(axes: Axes, table: pd.DataFrame, column: str, colour: str) -> None:
    """Draw each label's mean in grey, the mean over labels, and the band from the 10th to the 90th percentile."""
    for _, one in table.groupby("label"):
        mean = one.groupby("positives")[column].mean()
        axes.plot(mean.index, mean, color=GREY, linewidth=0.7, alpha=0.5)
    values = table.groupby("positives")[column]
    mean = values.mean()
    axes.plot(mean.index, mean, "o-", color=colour, linewidth=2, markersize=5, label="mean of labels and draws")
    low, high = values.quantile(0.1), values.quantile(0.9)
    axes.fill_between(mean.index, low, high, color=colour, alpha=0.18, linewidth=0, label="10 to 90 %")


def enough_positives(share: pd.Series[float]) -> int | None:
    """Return the least number of positives from which on the mean share of the oracle's F1 stays near 1.

    Args:
        share: mean share of the oracle's F1, indexed by the number of positives.

    Returns:
        None if there is no such number.
    """
    below = share.index[share < NEAR_ORACLE]
    left = share.index[share.index > below.max()] if len(below) else share.index
    return int(left.min()) if len(left) else None
