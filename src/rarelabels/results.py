"""Read the record: MLflow runs as tidy DataFrames, for the command line, notebooks and reports. Writes nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run

from rarelabels.evaluation import Scored
from rarelabels.thresholds import Rules, from_json

HEADER = ["trial", "variant", "seed", "status", "run_id"]


def runs(found: list[Run]) -> pd.DataFrame:
    """Return one row per run, oldest first: ``trial, variant, seed, status, run_id``, then every final metric.

    Metrics carry their MLflow names; curves are left out. A run that did not finish has what it logged.
    """
    rows = []
    for run in found:
        tags = run.data.tags
        if tags.get("kind") == "run":
            row = {"trial": tags["trial"], "variant": tags["variant"], "seed": int(tags["seed"])}
            row |= {"status": run.info.status, "run_id": run.info.run_id}
            rows.append(row | {k: v for k, v in run.data.metrics.items() if not k.startswith("curve/")})
    frame = pd.DataFrame(rows, columns=None if rows else HEADER)
    return frame[HEADER + sorted(set(frame.columns) - set(HEADER))]


def earliest_finished(found: list[Run]) -> dict[tuple[str, str, str], Run]:
    """Return the runs that count: per (trial, variant, fingerprint) the FINISHED run that ended first."""
    counted: dict[tuple[str, str, str], Run] = {}
    for run in sorted(found, key=lambda r: (r.info.end_time or 0, r.info.run_id)):
        tags = run.data.tags
        if tags.get("kind") == "run" and run.info.status == "FINISHED":
            counted.setdefault((tags["trial"], tags["variant"], tags["fingerprint"]), run)
    return counted


def parents(found: list[Run]) -> dict[tuple[str, str, str], str]:
    """Return the run id of each trial's parent, by (trial, variant, definition); the earliest counts."""
    ids: dict[tuple[str, str, str], str] = {}
    for run in found:
        if run.data.tags.get("kind") == "trial":
            tags = run.data.tags
            ids.setdefault((tags["trial"], tags["variant"], tags["definition"]), run.info.run_id)
    return ids


def curves(client: MlflowClient, run_ids: list[str]) -> pd.DataFrame:
    """Return the learning curves of runs: columns ``run_id, curve, epoch, value``."""
    rows: list[tuple[str, str, int, float]] = []
    for run_id in run_ids:
        for key in client.get_run(run_id).data.metrics:
            if key.startswith("curve/"):
                rows += [(run_id, key, p.step, p.value) for p in client.get_metric_history(run_id, key)]
    return pd.DataFrame(rows, columns=["run_id", "curve", "epoch", "value"])


def scores(client: MlflowClient, run_id: str, part: str) -> Scored:
    """Return the stored scores of a part, ``validation`` or ``test``."""
    return Scored.from_frame(pd.read_parquet(_artifact(client, run_id, f"scores/{part}.parquet")))


def rules(client: MlflowClient, run_id: str) -> Rules:
    """Return the stored rules, thresholds in the order of the labels."""
    return from_json(json.loads(_artifact(client, run_id, "thresholds.json").read_text(encoding="utf-8")))


def labels(client: MlflowClient, run_id: str) -> tuple[str, ...]:
    """Return the names of the labels of a run."""
    return tuple(per_label(client, run_id)["label"])


def per_label(client: MlflowClient, run_id: str) -> pd.DataFrame:
    """Return the per-label table of a run; see ``metrics.per_label``."""
    return pd.read_csv(_artifact(client, run_id, "per_label.csv"), keep_default_na=False, na_values=[""])


def summary(client: MlflowClient, parent: Run) -> pd.DataFrame:
    """Return a trial's aggregate: columns ``metric, mean, low, high``; empty if the trial has none yet."""
    return _frame_or_empty(client, parent, "summary.csv", pd.read_csv)


def replicates(client: MlflowClient, parent: Run) -> pd.DataFrame:
    """Return a trial's bootstrap replicates: a column per metric, a row per draw (the same draws for all trials)."""
    return _frame_or_empty(client, parent, "bootstrap.parquet", pd.read_parquet)


def _frame_or_empty(client: MlflowClient, run: Run, name: str, read: Any) -> pd.DataFrame:
    if run.data.tags.get("summed_up") is None:
        return pd.DataFrame()
    frame: pd.DataFrame = read(_artifact(client, run.info.run_id, name))
    return frame


def _artifact(client: MlflowClient, run_id: str, path: str) -> Path:
    return Path(client.download_artifacts(run_id, path))
