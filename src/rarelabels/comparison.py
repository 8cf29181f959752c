"""The comparison of a study's trials: headline numbers with intervals, floors beside them, and what is tied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run

from rarelabels import metrics, results, statistics
from rarelabels.tracking import ParentKey

# The columns of the table, with what they are called there.
HEADLINE = {
    "test/half/binary_accuracy": "binary accuracy\nat 0.5",
    "test/half/subset_accuracy": "subset accuracy\nat 0.5",
    "test/half/macro_f1": "macro-F1\nat 0.5",
    "test/global/macro_f1": "macro-F1\nglobal threshold",
    "test/per_label/macro_f1": "macro-F1\nper label",
    "test/global/micro_f1": "micro-F1\nglobal threshold",
    "test/ranking/macro_average_precision": "macro average\nprecision",
}
FLOORS = ("zeros", "ones", "prior")


@dataclass(frozen=True)
class Row:
    """One trial (or variant): its aggregate, and the headline metrics in which it cannot be told from the best."""

    name: str
    seeds: str
    overrides: str
    values: pd.DataFrame  # indexed by metric: mean, low, high
    tied: frozenset[str] = frozenset()

    def mean(self, metric: str) -> float:
        """Return the mean over seeds; 0 where it is undefined."""
        return float(self.values["mean"].to_dict().get(metric, 0.0))


@dataclass(frozen=True)
class Comparison:
    """All trials of a study that have a result, overridden ones apart; floors by name and metric."""

    rows: list[Row]
    overridden: list[Row]
    floors: dict[str, dict[str, float]]
    missing: list[str]

    def long(self) -> pd.DataFrame:
        """Return columns ``trial, metric, mean, low, high`` of the declared trials."""
        frames = [row.values.reset_index().assign(trial=row.name) for row in self.rows]
        columns = ["trial", "metric", "mean", "low", "high"]
        return pd.concat(frames)[columns] if frames else pd.DataFrame(columns=columns)

    def best_floors(self) -> dict[str, float]:
        """Return the best floor's value of each test metric that floors have."""
        best: dict[str, float] = {}
        for name, column in (("half", HEADLINE), ("ranking", HEADLINE)):
            for metric in column:
                if metric.startswith(f"test/{name}/"):
                    values = [v for floor in self.floors if (v := self.floor(floor, metric)) is not None]
                    best |= {metric: max(values)} if values else {}
        return best

    def floor(self, name: str, metric: str) -> float | None:
        """Return a floor's value of a test metric; None for rules that a floor has no thresholds for."""
        _, rule, short = metric.split("/")
        return self.floors[name].get(short) if rule in ("half", "ranking") else None


def compare(client: MlflowClient, runs: Sequence[Run], declared: Mapping[ParentKey, str]) -> Comparison:
    """Compare the trials of a study.

    Args:
        client: of the record.
        runs: all runs of the study's experiment.
        declared: the parents of the declarations as they stand, with what to call them.
    """
    parents = [run for run in runs if run.data.tags.get("kind") == "trial" and "summed_up" in run.data.tags]
    by_key = {(run.data.tags["trial"], run.data.tags["variant"], run.data.tags["definition"]): run for run in parents}
    names = {key: name for key, name in declared.items() if key in by_key}
    rows = [_row(client, by_key[key], name) for key, name in names.items()]
    replicates = {name: results.replicates(client, by_key[key]) for key, name in names.items()}
    others = [run for run in parents if run.data.tags["overrides"]]
    overridden = [_row(client, run, run.data.tags["trial"].split("/")[1]) for run in others]
    floors: dict[str, dict[str, float]] = {}
    for run in (by_key[key] for key in names):
        floors = floors or {name: _floor(run, name) for name in FLOORS}
    rows.sort(key=lambda row: row.mean("test/ranking/macro_average_precision"), reverse=True)
    missing = [name for key, name in declared.items() if key not in by_key]
    return Comparison(_marked(rows, replicates), overridden, floors, missing)


def _row(client: MlflowClient, parent: Run, name: str) -> Row:
    table = results.summary(client, parent).set_index("metric")
    return Row(name, parent.data.tags["seeds"], parent.data.tags["overrides"], table)


def _floor(run: Run, name: str) -> dict[str, float]:
    prefix = f"floor/{name}/"
    return {key.removeprefix(prefix): value for key, value in run.data.metrics.items() if key.startswith(prefix)}


def _marked(rows: list[Row], replicates: Mapping[str, pd.DataFrame]) -> list[Row]:
    """Mark ties with the best among the trials that have the most common set of seeds: only those are paired."""
    if not rows:
        return rows
    seeds = pd.Series([row.seeds for row in rows]).mode()[0]
    paired = [row for row in rows if row.seeds == seeds]
    tied: dict[str, set[str]] = {row.name: set() for row in rows}
    for metric in HEADLINE:
        having = [row for row in paired if metric in replicates[row.name]]
        if not having:
            continue
        points = {row.name: row.mean(metric) for row in having}
        drawn = {row.name: replicates[row.name][metric].to_numpy() for row in having}
        higher = metric.rpartition("/")[2] not in metrics.LOWER_IS_BETTER
        for name in statistics.not_worse_than_best(points, drawn, higher):
            tied[name].add(metric)
    return [Row(r.name, r.seeds, r.overrides, r.values, frozenset(tied[r.name])) for r in rows]
