"""A comparison as a DataFrame, and as the table that a notebook shows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from rarelabels.compare.comparison import FLOORS, HEADLINE, Comparison, Row

COLUMNS = ["data", "trial", "overrides", "seeds", "metric", "mean", "low", "high", "tied"]


def frame(comparisons: Sequence[Comparison]) -> pd.DataFrame:
    """Return the headline metrics of all trials and floors: a row for each trial and metric.

    Columns:
        data: the data set; trials with different test rows have different names here.
        trial: its short name with its variant, or ``floor: zeros``, ``floor: ones``, ``floor: prior``.
        overrides: what ``--set`` changed, as text; empty for a trial as declared.
        seeds: how many runs the mean is over; 0 for a floor.
        metric: MLflow's name, ``test/half/macro_f1``.
        mean: over seeds.
        low, high: ends of the 95 % interval over seeds and test rows; missing where there is none.
        tied: whether the trial cannot be told from the best in that metric.
    """
    rows = [row for one in comparisons for row in _rows(one)]
    return pd.DataFrame(rows, columns=COLUMNS)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table for a reader: a row for each trial, a column for each headline metric, numbers as text.

    Args:
        table: columns ``trial, metric, mean, low, high``, and optionally ``tied``. A tied mean gets a star.
    """
    metrics = [metric for metric in HEADLINE if (table["metric"] == metric).any()]
    of = table[table["metric"].isin(metrics)]
    if not len(of):
        return pd.DataFrame()
    ties = of["tied"] if "tied" in of else [False] * len(of)
    cells = [_cell(*cell) for cell in zip(of["mean"], of["low"], of["high"], ties, strict=True)]
    wide = of.assign(cell=cells).pivot_table(
        index="trial", columns="metric", values="cell", aggfunc="first", sort=False
    )
    named = wide.reindex(columns=metrics).fillna("").rename(columns=lambda metric: HEADLINE[metric].replace("\n", " "))
    return named.rename_axis(index=None, columns=None)


def html(table: pd.DataFrame) -> str:
    """Return :func:`shown` as a table of HTML, with each interval below its mean. No formula is read from it."""
    with pd.option_context("display.html.use_mathjax", False, "display.max_colwidth", None):
        page = shown(table).to_html(border=0)
    return page.replace(" (", "<br>(").replace("<td>", '<td style="white-space: nowrap">')


def _rows(comparison: Comparison) -> Iterator[tuple[object, ...]]:
    for row in comparison.all_rows:
        for metric in [metric for metric in HEADLINE if metric in row.values.index]:
            numbers = (float(row.values[end][metric]) for end in ("mean", "low", "high"))
            seeds = len(row.seeds.split())
            yield comparison.data, _name(row), row.overrides, seeds, metric, *numbers, metric in row.tied
    measured = [metric for metric in HEADLINE if any(metric in row.values.index for row in comparison.all_rows)]
    for name in FLOORS if comparison.floors else ():
        for metric in measured:
            if (value := comparison.floor(name, metric)) is not None:
                yield comparison.data, f"floor: {name}", "", 0, metric, value, math.nan, math.nan, False


def _name(row: Row) -> str:
    return f"{row.name} (overridden: {row.overrides})" if row.overrides else row.name


def _cell(mean: float, low: float, high: float, tied: bool) -> str:
    bounds = "" if math.isnan(low) else f" ({low:.3f}–{high:.3f})"
    return f"{mean:.3f}{'*' if tied else ''}{bounds}"
