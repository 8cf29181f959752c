"""One run: load, weigh, fit, score, choose, measure, record. The order of the steps and nothing else."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rarelabels import config, evaluation, fitting, picking, powerset, results, tracking
from rarelabels.evaluation import Scored
from rarelabels.schema import Trial, UserError
from rarelabels.tracking import Identity, Record

Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Task:
    """One training and the runs to record it as: trials that differ only in what they watch or in rules share it.

    Attributes:
        experiment: MLflow's id.
        runs: each with the id of its parent run.
        watch: what is followed each epoch; see ``study``.
        hypotheses: name to hash, of those declared when the task was planned.
        source: a finished run of the same training to record again, instead of training.
    """

    experiment: str
    runs: tuple[tuple[Identity, str], ...]
    watch: tuple[str, ...]
    hypotheses: dict[str, str]
    source: str = ""


def run(task: Task, where: str, say: Say) -> str:
    """Do a task and record it; a failure is recorded too, and its reason returned rather than raised ("": none)."""
    client = tracking.connect(where)
    source, failures = task.source, []
    for identity, parent in task.runs:
        record = tracking.start(client, task.experiment, identity, parent, task.hypotheses)
        try:
            record.params(config.flat(identity.trial) | {"seed": identity.seed})
            record.text("trial.yaml", config.dump(identity.trial))
            train_or_copy(identity, source, task.watch, record, say)
            source = source or record.run_id
            judge(identity, record)
        except Exception as error:  # whatever a run dies of, it is that run's own failure
            reason = failure(error)
            record.fail(reason)
            if not source:  # the training failed, which the others share
                return reason
            failures.append(f"{identity.trial.name}: {reason}")
            continue
        record.finish()
    return "; ".join(failures)


def failure(error: Exception) -> str:
    """Return what a run died of, in one line."""
    return f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"


def train_or_copy(identity: Identity, source: str, watch: tuple[str, ...], record: Record, say: Say) -> None:
    """Record a training: curves, facts, weights, and the scores of validation and test, which nothing measures yet."""
    if source:
        tracking.copy_training(record.client, source, record)
        return
    trial, seed = identity.trial, identity.seed
    data, weights = fitting.load(trial, seed)
    if tracking.training_fingerprint(trial, seed, data.digest) != identity.training:
        raise UserError("the data changed after this run was planned; call the same command again")
    record.tags({"watched": " ".join(watch), "test_part": data.test.digest()})
    record.data(trial.dataset.kind, data.digest, data.summary)
    record.notes([*data.notes, *weights.notes])
    known = weights.facts | powerset.facts(data.train.y, data.test.y)
    record.metrics({f"training/{name}": value for name, value in known.items()})

    def on_epoch(epoch: int, curves: dict[str, float]) -> None:
        record.curve(epoch, curves)
        say({"epoch": epoch, "epochs": trial.training.epochs, "loss": curves["loss"]})

    data = fitting.with_features(trial.dataset, data)
    fitted, validation = fitting.fit(trial, seed, data, weights, watch, on_epoch)
    train, test = Scored(data.train.ids, data.train.y, fitted.scores(data.train)), Scored.of(fitted, data.test)
    facts = {f"training/{name}": value for name, value in getattr(fitted, "facts", {}).items()}
    record.metrics(facts | evaluation.gap(train, test))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        evaluation.save_scores(folder / "scores", data.labels, validation, test)
        if epochs := getattr(fitted, "epochs", None):
            np.savez_compressed(folder / tracking.EPOCHS, allow_pickle=False, **epochs)
        (folder / "data.json").write_text(json.dumps(data.summary, indent=1, ensure_ascii=False), encoding="utf-8")
        fitted.save(folder / "model")
        record.metrics({"training/compressed_bytes": (folder / "model" / "weights.npz").stat().st_size})
        record.files(folder)


def judge(identity: Identity, record: Record) -> None:
    """Choose the rules from the recorded validation scores, and measure both parts under each."""
    client, run_id = record.client, record.run_id
    if identity.trial.picked_by:
        pick(identity.trial, record)
    labels, validation, test = results.raw_scores(client, run_id)
    searched = results.rules(client, identity.search) if identity.trial.searches_thresholds else {}
    floors = evaluation.floors(results.train_prevalence(client, run_id))
    spec = identity.trial.thresholds
    measured = evaluation.evaluate(labels, validation, test, floors, spec, searched)
    honest = evaluation.crossfit_metrics(validation.y, validation.scores, spec)
    kept = {name: value for name, value in honest.items() if name.endswith(evaluation.KEPT)}
    record.metrics(measured.metrics | kept)
    with tempfile.TemporaryDirectory() as name:
        measured.save(Path(name))
        record.files(Path(name))


def pick(trial: Trial, record: Record) -> None:
    """Record the scores of the epoch that watching one metric would have kept; the rules are about those."""
    labels, validation, test = results.trained_scores(record.client, record.run_id)
    assert trial.picked_by is not None
    picked = picking.pick(trial.picked_by, results.epochs(record.client, record.run_id), validation, test)
    with tempfile.TemporaryDirectory() as name:
        evaluation.save_scores(Path(name, results.PICKED), labels, picked.validation, picked.test)
        record.files(Path(name))
    record.metrics({"picked/epoch": float(picked.epochs.mean())})
    record.tags({"model_is_judged": "no: the weights are those of the epoch that training.keep names"})
