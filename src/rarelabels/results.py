"""Read the record: MLflow runs as tidy DataFrames, for the command line, notebooks and reports. Writes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run
from mlflow.exceptions import MlflowException

from rarelabels import thresholds
from rarelabels.calibration import Calibration
from rarelabels.evaluation import CALIBRATION, Scored
from rarelabels.picking import Epochs
from rarelabels.schema import UserError
from rarelabels.thresholds import Rules
from rarelabels.tracking import EPOCHS, ParentKey, parent_key

SCORES, PICKED = "scores", "picked"  # folders of a run: of the epoch that the training kept, and of one picked later
RunKey = tuple[str, str, str, str]  # trial, variant, overrides, fingerprint
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


def finished(found: list[Run]) -> dict[RunKey, list[Run]]:
    """Return the FINISHED runs of trials by trial, variant, overrides and fingerprint, in the order they ended in."""
    by_key: dict[RunKey, list[Run]] = {}
    for run in sorted(found, key=lambda r: (r.info.end_time or 0, r.info.run_id)):
        tags = run.data.tags
        if tags.get("kind") == "run" and run.info.status == "FINISHED":
            key = tags["trial"], tags["variant"], tags["overrides"], tags["fingerprint"]
            by_key.setdefault(key, []).append(run)
    return by_key


def earliest_finished(found: list[Run]) -> dict[RunKey, Run]:
    """Return the runs that count: of those that are the same the one that ended first."""
    return {key: runs[0] for key, runs in finished(found).items()}


def below(found: list[Run]) -> dict[ParentKey, list[Run]]:
    """Return the runs that count of each trial, by its parent's key, by rising seed."""
    made: dict[ParentKey, list[Run]] = {}
    for run in sorted(earliest_finished(found).values(), key=lambda run: int(run.data.tags["seed"])):
        made.setdefault(parent_key(run), []).append(run)
    return made


def parents(found: list[Run]) -> dict[ParentKey, str]:
    """Return the run id of each trial's parent by its key; the earliest counts."""
    ids: dict[ParentKey, str] = {}
    for run in found:
        if run.data.tags.get("kind") == "trial":
            ids.setdefault(parent_key(run), run.info.run_id)
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
    """Return the scores of a part, ``validation`` or ``test``, that the rules of a run are about.

    Those are the stored ones, or what the run's calibration makes of them.
    """
    stored = Scored.from_frame(pd.read_parquet(_artifact(client, run_id, f"{_folder(client, run_id)}/{part}.parquet")))
    if not any(file.path == CALIBRATION for file in client.list_artifacts(run_id)):
        return stored
    calibration = Calibration.from_json(json.loads(_artifact(client, run_id, CALIBRATION).read_text("utf-8")))
    return replace(stored, scores=calibration.apply(stored.scores))


def raw_scores(client: MlflowClient, run_id: str) -> tuple[tuple[str, ...], Scored, Scored]:
    """Return the labels of a run, and its scores of validation and test before any calibration."""
    return _both_parts(client, run_id, _folder(client, run_id))


def trained_scores(client: MlflowClient, run_id: str) -> tuple[tuple[str, ...], Scored, Scored]:
    """Return what :func:`raw_scores` does, of the epoch that the training kept, whichever was picked afterwards."""
    return _both_parts(client, run_id, SCORES)


def epochs(client: MlflowClient, run_id: str) -> Epochs:
    """Return the scores of every epoch of a run's training, which recorded them."""
    trained_by = client.get_run(run_id).data.tags.get("trained_by", run_id)
    try:
        file = _artifact(client, trained_by, EPOCHS)
    except (MlflowException, OSError) as error:
        raise UserError(
            f"run {trained_by}, whose training this one shares, has its {EPOCHS} no more; train again with --force"
        ) from error
    with np.load(file, allow_pickle=False) as stored:
        return Epochs(*(stored[name].astype(np.float64) for name in ("validation", "test", "val_loss")))


def _both_parts(client: MlflowClient, run_id: str, folder: str) -> tuple[tuple[str, ...], Scored, Scored]:
    validation, test = (
        pd.read_parquet(_artifact(client, run_id, f"{folder}/{part}.parquet")) for part in ("validation", "test")
    )
    names = tuple(name.removeprefix("true/") for name in validation.columns if name.startswith("true/"))
    return names, Scored.from_frame(validation), Scored.from_frame(test)


def _folder(client: MlflowClient, run_id: str) -> str:
    """Return where the scores are that the rules of a run are about."""
    files = client.list_artifacts(run_id)
    return PICKED if any(file.path == PICKED for file in files) else SCORES


def train_prevalence(client: MlflowClient, run_id: str) -> npt.NDArray[np.float64]:
    """Return the share of positives of each label in the training part, (n_labels,)."""
    stored = json.loads(_artifact(client, run_id, "data.json").read_text(encoding="utf-8"))
    return np.array(list(stored["prevalence"]["train"].values()), np.float64)


def rules(client: MlflowClient, run_id: str) -> Rules:
    """Return the stored rules."""
    return thresholds.from_json(json.loads(_artifact(client, run_id, "thresholds.json").read_text(encoding="utf-8")))


def searches(found: list[Run]) -> dict[str, Run]:
    """Return the finished searches by their fingerprint; of those that are the same the one with the most trials."""
    searched = [run for run in found if run.data.tags.get("kind") == "search" and run.info.status == "FINISHED"]
    return {run.data.tags["fingerprint"]: run for run in sorted(searched, key=lambda run: int(run.data.tags["trials"]))}


def best(client: MlflowClient, search: str) -> dict[str, Any]:
    """Return the best values that a search of parameters found, by dotted key."""
    stored: dict[str, Any] = json.loads(_artifact(client, search, "best.json").read_text(encoding="utf-8"))
    values: dict[str, Any] = stored["values"]
    return values


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
