"""Read the results of single runs: curves, scores, rules, summaries. This module writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Set
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from rarelabels import csv_tables
from rarelabels.judging.calibration import Calibration
from rarelabels.judging.evaluation import CALIBRATION
from rarelabels.judging.picking import Epochs
from rarelabels.judging.rules import definition
from rarelabels.judging.rules.definition import Rules
from rarelabels.judging.scores import Scores
from rarelabels.record import run_files
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.record.identities import ParentKey, parent_key
from rarelabels.record.opening import EPOCHS

RARE_LABELS = "rare_labels"  # tag of a trial: why intervals of means over labels are not reliable
SCORES, PICKED = "scores", "picked"  # folders of a run: scores of the epoch that the training kept, or of a picked one
RunKey = tuple[str, str, str, str]  # trial, variant, overrides, fingerprint
KEYS = ["trial", "variant", "seed"]
HEADER = [*KEYS, "overrides", "status", "run_id"]
LABEL = ["label", "positives", "prevalence", "average_precision", "roc_auc"]  # columns that no rule changes
KNOWN = "known"  # a column of labels that are not known in all rows
OF_RULE = ["threshold", "tp", "fp", "fn", "tn", "precision", "recall", "f1"]
ScoredPart = Literal["validation", "test"]
SCORED_PARTS: tuple[ScoredPart, ...] = get_args(ScoredPart)


def runs(found: list[Run]) -> pd.DataFrame:
    """Return one row per run, oldest first: ``trial, variant, seed, overrides, status, run_id``, then all metrics.

    ``overrides`` is what ``--set`` changed, as text; it is empty for a run as declared. Metrics are final values by
    their MLflow names, without curves. A run that did not finish has the metrics that it logged.
    """
    rows = []
    for run in found:
        tags = run.data.tags
        if tags.get("kind") == "run":
            row = {"trial": tags["trial"], "variant": tags["variant"], "seed": int(tags["seed"])}
            row |= {"overrides": tags["overrides"], "status": run.info.status, "run_id": run.info.run_id}
            rows.append(row | {k: v for k, v in run.data.metrics.items() if not k.startswith("curve/")})
    frame = pd.DataFrame(rows, columns=None if rows else HEADER)
    return frame[HEADER + sorted(set(frame.columns) - set(HEADER))]


def finished(found: list[Run]) -> dict[RunKey, list[Run]]:
    """Return the FINISHED runs of trials by trial, variant, overrides and fingerprint, in the order of their end."""
    by_key: dict[RunKey, list[Run]] = {}
    for run in sorted(found, key=lambda r: (r.info.end_time or 0, r.info.run_id)):
        tags = run.data.tags
        if tags.get("kind") == "run" and run.info.status == "FINISHED":
            key = tags["trial"], tags["variant"], tags["overrides"], tags["fingerprint"]
            by_key.setdefault(key, []).append(run)
    return by_key


def earliest_finished(found: list[Run]) -> dict[RunKey, Run]:
    """Return the runs that count: of runs with the same key, only the one that ended first."""
    return {key: runs[0] for key, runs in finished(found).items()}


def below(found: list[Run]) -> dict[ParentKey, list[Run]]:
    """Return the runs of each trial that count, by rising seed; the keys are those of the parent runs."""
    made: dict[ParentKey, list[Run]] = {}
    for run in sorted(earliest_finished(found).values(), key=lambda run: int(run.data.tags["seed"])):
        made.setdefault(parent_key(run), []).append(run)
    return made


def parents(found: list[Run]) -> dict[ParentKey, str]:
    """Return the id of each trial's parent run by its key. Of several parent runs, the first of ``found`` counts."""
    ids: dict[ParentKey, str] = {}
    for run in found:
        if run.data.tags.get("kind") == "trial":
            ids.setdefault(parent_key(run), run.info.run_id)
    return ids


def summed_up(parent: Run, made: Iterable[Run]) -> list[Run]:
    """Return the runs whose summary is on a parent run, by the order of its seeds; ``made`` are the runs that count."""
    of_seed = {run.data.tags["seed"]: run for run in made}
    return [of_seed[seed] for seed in parent.data.tags["seeds"].split() if seed in of_seed]


def curves(client: Client, run_ids: list[str]) -> pd.DataFrame:
    """Return the learning curves of runs: columns ``run_id, curve, epoch, value``."""
    rows = [
        (run_id, point.key, point.step, point.value)
        for run_id in run_ids
        for point in client.read.histories(run_id, "curve/")
    ]
    return pd.DataFrame(rows, columns=["run_id", "curve", "epoch", "value"])


def scores(client: Client, run_id: str, part: str) -> Scores:
    """Return the scores to which the rules of a run are applied, for a part: ``validation`` or ``test``.

    They are the stored scores, after calibration if the run has a calibration.
    """
    there = run_files.file_names(client, run_id)
    stored = Scores.from_frame(run_files.read(client, run_id, f"{_folder(there)}/{part}.parquet", pd.read_parquet))
    if CALIBRATION not in there:
        return stored
    calibration = Calibration.from_json(run_files.read(client, run_id, CALIBRATION, _json))
    return replace(stored, scores=calibration.apply(stored.scores))


def raw_scores(client: Client, run_id: str) -> tuple[tuple[str, ...], Scores, Scores]:
    """Return the labels of a run, and its validation and test scores before any calibration."""
    return _both(client, run_id, _folder(run_files.file_names(client, run_id)))


def trained_scores(client: Client, run_id: str) -> tuple[tuple[str, ...], Scores, Scores]:
    """Return labels and scores as :func:`raw_scores` does, but always those of the epoch that the training kept."""
    return _both(client, run_id, SCORES)


def epochs(client: Client, run_id: str) -> Epochs:
    """Return the scores of every epoch of a run's training. The training must have recorded them."""

    def read(file: Path) -> Epochs:
        with np.load(file, allow_pickle=False) as stored:
            return Epochs.of(stored)

    trained_by = client.run(run_id).data.tags.get("trained_by", run_id)
    return run_files.read(client, trained_by, EPOCHS, read)


def stored_scores(folder: Path) -> tuple[tuple[str, ...], Scores, Scores]:
    """Return the labels, and the validation and test scores, that ``scores.save_scores`` wrote to a folder.

    Metrics are always computed from scores that were read from a file. The last bits of a mean depend on the memory
    layout of an array, so scores that were never written could give slightly different metrics.
    """
    return _parts(*(pd.read_parquet(folder / f"{part}.parquet") for part in SCORED_PARTS))


def _both(client: Client, run_id: str, folder: str) -> tuple[tuple[str, ...], Scores, Scores]:
    return _parts(
        *(run_files.read(client, run_id, f"{folder}/{part}.parquet", pd.read_parquet) for part in SCORED_PARTS)
    )


def _parts(validation: pd.DataFrame, test: pd.DataFrame) -> tuple[tuple[str, ...], Scores, Scores]:
    names = tuple(name.removeprefix("true/") for name in validation.columns if name.startswith("true/"))
    return names, Scores.from_frame(validation), Scores.from_frame(test)


def _folder(names: Set[str]) -> str:
    """Return the folder of the scores to judge: ``picked`` if the run has it, else ``scores``.

    Args:
        names: of the run's files and folders.
    """
    return PICKED if PICKED in names else SCORES


def train_prevalence(client: Client, run_id: str) -> npt.NDArray[np.float64]:
    """Return the share of positives of each label in the training part, (n_labels,)."""
    stored = run_files.read(client, run_id, "data.json", _json)
    return np.array(list(stored["prevalence"]["train"].values()), np.float64)


def rules(client: Client, run_id: str) -> Rules:
    """Return the stored threshold rules of a run."""
    return definition.from_json(run_files.read(client, run_id, "thresholds.json", _json))


def searches(found: list[Run]) -> dict[str, Run]:
    """Return the finished searches by fingerprint; of searches with the same fingerprint, the one with most trials."""
    searched = [run for run in found if run.data.tags.get("kind") == "search" and run.info.status == "FINISHED"]
    return {run.data.tags["fingerprint"]: run for run in sorted(searched, key=lambda run: int(run.data.tags["trials"]))}


def best(client: Client, search: str) -> dict[str, Any]:
    """Return the best values of a search of settings, by dotted key."""
    values: dict[str, Any] = run_files.read(client, search, "best.json", _json)["values"]
    return values


def labels(client: Client, run_id: str) -> tuple[str, ...]:
    """Return the names of the labels of a run."""
    return tuple(per_label(client, run_id)["label"])


def per_label(client: Client, run_id: str) -> pd.DataFrame:
    """Return the per-label table of a run; see ``label_table.per_label``."""

    return run_files.read(client, run_id, "per_label.csv", _read_table)


def summary(client: Client, parent: Run) -> pd.DataFrame:
    """Return a trial's aggregate: columns ``metric, mean, low, high``; empty if the trial has none yet."""
    return _frame_or_empty(client, parent, "summary.csv", _read_table)


def _frame_or_empty(client: Client, run: Run, name: str, read: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
    if run.data.tags.get("summed_up") is None:
        return pd.DataFrame()
    return run_files.read(client, run.info.run_id, name, read, run.data.tags)


def _read_table(file: Path) -> pd.DataFrame:
    return csv_tables.read(file, names=("label", "metric"))


def _json(file: Path) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return stored
