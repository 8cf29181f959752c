"""Decide which figures across trials a study gets, by its declarations, and collect their recorded numbers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from statistics import fmean

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rarelabels.compare.comparison import Comparison, Row
from rarelabels.declare.losses import BinaryCrossentropy, CategoricalCrossentropy
from rarelabels.declare.models import NetworkSpec
from rarelabels.declare.trial import Trial
from rarelabels.judging import metrics
from rarelabels.judging.rules.definition import HALF
from rarelabels.judging.scores import Scores
from rarelabels.record import reading
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.record.identities import Identity
from rarelabels.record.opening import PARENT
from rarelabels.show.figures import house_style, side_by_side

PICKED_METRICS = (
    *("half/binary_accuracy", "half/subset_accuracy", "half/micro_f1", "half/macro_f1", "half/weighted_f1"),
    *("half/samples_f1", "ranking/macro_roc_auc", "ranking/macro_average_precision", "ranking/log_loss"),
    "per_label/macro_f1",
)
SWEEP_METRICS = {
    "test/half/subset_accuracy": "subset accuracy, marginals at 0.5",
    "test/most_likely_set/subset_accuracy": "subset accuracy, most likely set",
    "test/global_subset/subset_accuracy": "subset accuracy, best common threshold",
    "test/per_label/macro_f1": "macro-F1, a threshold per label",
    "test/ranking/macro_average_precision": "macro average precision",
    "training/output_parameters": "parameters of the output layer",
    "training/seconds_per_epoch": "seconds per epoch",
    "training/memory_rise_bytes": "memory that training takes, bytes",
    "training/unseen_test_share": "test rows whose label set was never seen",
}
LOGARITHMIC = ("training/output_parameters", "training/seconds_per_epoch", "training/memory_rise_bytes")
GROUPS = ("tail", "medium", "head")
FEW_LABELS = 5  # only with at most so many labels are rows grouped by their number of true labels


def figures(
    client: Client,
    study: str,
    compared: Sequence[Comparison],
    runs: Sequence[Run],
    declared: Sequence[Identity],
    failures: list[str],
) -> Iterator[tuple[str, Figure]]:
    """Yield the file name (without ending) and the figure of each question that the study's trials answer.

    Args:
        client: of the record.
        study: its name.
        compared: the comparisons, one for each set of test rows.
        runs: all runs of the study.
        declared: the runs of the trials as they are declared now.
        failures: gets a line for each question whose figures cannot be drawn.
    """
    by_name = {_name(identity): identity for identity in declared}
    for number, one in enumerate(compared):
        suffix = f"_{number + 1}" if number else ""
        title = f"{study} on {one.data}"
        trials = {row.name: by_name[row.name].trial for row in one.rows if row.name in by_name}
        parents = {name: reading.parents(list(runs)).get(by_name[name].parent_key, "") for name in trials}
        with house_style.or_reported(failures, f"{study}: heads{suffix}"):
            for place, curves in enumerate(_heads(client, trials, parents)):
                yield f"heads{suffix}{f'_{place + 1}' if place else ''}", side_by_side.heads(curves, title)
        with house_style.or_reported(failures, f"{study}: picked{suffix}"):
            for place, table in enumerate(_picked(one.rows, trials)):
                lower = [name for name in table.columns if name.rpartition(" ")[2] in metrics.LOWER_IS_BETTER]
                yield f"picked{suffix}{f'_{place + 1}' if place else ''}", side_by_side.picked(table, lower, title)
        with house_style.or_reported(failures, f"{study}: by_cardinality{suffix}"):
            if len(table := _by_cardinality(client, parents, runs)):
                yield f"by_cardinality{suffix}", side_by_side.by_cardinality(table, title)
        with house_style.or_reported(failures, f"{study}: groups{suffix}"):
            if sizes := _group_sizes(client, parents, runs):
                yield f"groups{suffix}", side_by_side.groups(one.long(), sizes, title)
    rows = [row for one in compared for row in one.rows]
    for key, table in _sweeps(rows, by_name):
        file = f"sweep_{key.replace('.', '_')}"
        with house_style.or_reported(failures, f"{study}: {file}"):
            shown = {metric: name for metric, name in SWEEP_METRICS.items() if (table["metric"] == metric).any()}
            yield file, side_by_side.sweep(table, key, shown, LOGARITHMIC, f"{study}: trials that vary {key}")


def _name(identity: Identity) -> str:
    return " ".join(filter(None, [identity.trial.short_name, identity.variant]))


def _but_for(trial: Trial, *blocks: str) -> str:
    """Return the definition of a training without the head and without some blocks, as text to compare."""
    definition = {key: value for key, value in trial.training_definition().items() if key not in blocks}
    definition["model"] = {key: value for key, value in definition["model"].items() if key != "head"}
    return json.dumps(definition, sort_keys=True)


def _heads(client: Client, trials: Mapping[str, Trial], parents: Mapping[str, str]) -> Iterator[pd.DataFrame]:
    """Yield the training losses of each group of trials that differ only in head and cross-entropy.

    A group is left out if it has no loss with both heads.
    """
    alike: dict[str, dict[str, Trial]] = {}
    for name, trial in trials.items():
        plain = trial.weighting.kind == "none" and isinstance(trial.loss, BinaryCrossentropy | CategoricalCrossentropy)
        if plain and isinstance(trial.model, NetworkSpec) and trial.model.head in side_by_side.HEAD_LINES:
            alike.setdefault(_but_for(trial, "loss"), {})[name] = trial
    for group in alike.values():
        heads: dict[str, set[str]] = {}
        for trial in group.values():
            heads.setdefault(_loss(trial), set()).add(getattr(trial.model, "head", ""))
        if all(len(having) < len(side_by_side.HEAD_LINES) for having in heads.values()):
            continue  # no loss with both heads
        points = [
            (_loss(trial), getattr(trial.model, "head", ""), epoch, value)
            for name, trial in group.items()
            for epoch, value in _curve(client, parents[name], "curve/loss").items()
        ]
        yield pd.DataFrame(sorted(points), columns=["loss", "head", "epoch", "value"])


def _curve(client: Client, run_id: str, name: str) -> dict[int, float]:
    """Return the newest value of each epoch. If a trial was summed up again, each epoch has several values."""
    points = client.read.history(run_id, name)
    return {point.step: point.value for point in sorted(points, key=lambda point: point.timestamp)}


def _loss(trial: Trial) -> str:
    loss = trial.loss
    assert isinstance(loss, BinaryCrossentropy | CategoricalCrossentropy)
    kind = "binary" if loss.kind == "bce" else "categorical"
    normalised = isinstance(loss, CategoricalCrossentropy) and loss.targets == "normalised"
    return f"{kind} cross-entropy\n{'targets sum to 1' if normalised else f'as {loss.form}'}"


def _picked(rows: Sequence[Row], trials: Mapping[str, Trial]) -> Iterator[pd.DataFrame]:
    """Yield the test metrics of each group of trials that pick their epochs from the same training: a row per trial."""
    alike: dict[str, list[Row]] = {}
    for row in rows:
        if (trial := trials.get(row.name)) and trial.is_network and trial.training.every_epoch:
            alike.setdefault(json.dumps(trial.training_definition(), sort_keys=True), []).append(row)
    for group in alike.values():
        if len(group) < 2:
            continue
        by_watching = {trials[row.name].picked_by or "macro AP": row for row in group}
        cells = {
            by: {_short(metric): row.mean(f"test/{metric}") for metric in PICKED_METRICS}
            for by, row in sorted(by_watching.items())
        }
        yield pd.DataFrame.from_dict(cells, orient="index")


def _short(metric: str) -> str:
    rule, _, name = metric.partition("/")
    return f"{'per label:' if rule == 'per_label' else ''} {name}".strip()


def _by_cardinality(client: Client, parents: Mapping[str, str], runs: Sequence[Run]) -> pd.DataFrame:
    """Return recall and the share of right rows by trial and number of true labels, mean over seeds.

    The table is empty if there are more than ``FEW_LABELS`` labels.
    """
    names = {parent: name for name, parent in parents.items()}
    found: dict[str, list[Scores]] = {name: [] for name in parents}
    for run in reading.earliest_finished(list(runs)).values():
        if name := names.get(run.data.tags.get(PARENT, "")):
            found[name].append(reading.scores(client, run.info.run_id, "test"))
            if found[name][-1].y.shape[1] > FEW_LABELS:
                return pd.DataFrame()
    rows = [(name, *row) for name, parts in found.items() if parts for row in _found_by_cardinality(parts)]
    return pd.DataFrame(rows, columns=["trial", "true", "rows", "recall", "right"])


def _found_by_cardinality(parts: Sequence[Scores]) -> Iterator[tuple[int, int, float, float]]:
    cardinality = parts[0].truth.sum(axis=1)
    for number in np.unique(cardinality[cardinality > 0]):
        rows = cardinality == number
        decided = [  # seeds may have other test rows
            (part.counted(part.scores >= HALF)[own], part.truth[own])
            for part in parts
            if (own := part.truth.sum(axis=1) == number).any()
        ]
        recall = fmean(float((y & assigned).sum() / y.sum()) for assigned, y in decided)
        right = fmean(float((y == assigned).all(axis=1).mean()) for assigned, y in decided)
        yield int(number), int(rows.sum()), recall, right


def _sweeps(rows: Sequence[Row], by_name: Mapping[str, Identity]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each key that trials vary and whose values are numbers, with the metrics at each value."""
    points: dict[str, list[dict[str, object]]] = {}
    for row in rows:
        identity = by_name.get(row.name)
        key, _, text = identity.variant.partition("=") if identity else ("", "", "")
        try:
            value = float(text)
        except ValueError:
            continue
        assert identity is not None
        for metric in [name for name in SWEEP_METRICS if name in row.values.index]:
            mean, low, high = (float(row.values[end][metric]) for end in ("mean", "low", "high"))
            of = {"trial": identity.trial.short_name, "value": value, "metric": metric}
            points.setdefault(key, []).append(of | {"mean": mean, "low": low, "high": high})
    for key, found in points.items():
        yield key, pd.DataFrame(found)


def _group_sizes(client: Client, parents: Mapping[str, str], runs: Sequence[Run]) -> dict[str, int]:
    """Return the number of labels of each group, rarest group first; empty if no label is rare."""
    wanted = set(parents.values())
    child = next((run for run in runs if run.data.tags.get(PARENT) in wanted and _is_done(run)), None)
    if child is None:
        return {}
    positives = reading.per_label(client, child.info.run_id)["positives"].to_numpy()
    members = (
        positives < metrics.MEDIUM,
        (positives >= metrics.MEDIUM) & (positives < metrics.HEAD),
        positives >= metrics.HEAD,
    )
    sizes = {group: int(np.count_nonzero(of)) for group, of in zip(GROUPS, members, strict=True)}
    return {group: size for group, size in sizes.items() if size} if sizes["tail"] else {}


def _is_done(run: Run) -> bool:
    return bool(run.info.status == "FINISHED" and run.data.tags.get("kind") == "run")
