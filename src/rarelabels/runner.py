"""One run: load, weigh, fit, score, choose, measure, record. The order of the steps and nothing else."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rarelabels import baselines, config, datasets, evaluation, powerset, results, tracking, weighting
from rarelabels.datasets import Dataset, Part
from rarelabels.evaluation import Objective, Scored
from rarelabels.schema import Trial, UserError
from rarelabels.tracking import Identity, Record
from rarelabels.weighting import Weights

Say = Callable[[dict[str, Any]], None]
OnEpoch = Callable[[int, dict[str, float]], None]


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
    data, weights = load(trial, seed)
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

    fitted = fit(trial, seed, data, weights, watch, on_epoch)
    train = Scored(data.train.ids, data.train.y, fitted.scores(data.train))
    validation, test = (scored(fitted, part) for part in (data.validation, data.test))
    facts = {f"training/{name}": value for name, value in getattr(fitted, "facts", {}).items()}
    record.metrics(facts | evaluation.gap(train, test))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        evaluation.save_scores(folder, data.labels, validation, test)
        (folder / "data.json").write_text(json.dumps(data.summary, indent=1, ensure_ascii=False), encoding="utf-8")
        fitted.save(folder / "model")
        record.metrics({"training/compressed_bytes": (folder / "model" / "weights.npz").stat().st_size})
        record.files(folder)


def scored(fitted: Any, part: Part) -> Scored:
    """Return a part with the scores of a fitted model and, if it knows label sets, each row's most likely one."""
    label_sets = getattr(fitted, "label_sets", None)
    return Scored(part.ids, part.y, fitted.scores(part), label_sets(part) if label_sets else None)


def judge(identity: Identity, record: Record) -> None:
    """Choose the rules from the recorded validation scores, and measure both parts under each."""
    client, run_id = record.client, record.run_id
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


def load(trial: Trial, seed: int) -> tuple[Dataset, Weights]:
    """Return the data of a trial, split with a seed, and the weights of its training part."""
    data = datasets.load(trial.dataset, seed)
    return data, weighting.weights(trial.weighting, data.train.y, data.labels)


def fit(
    trial: Trial,
    seed: int,
    data: Dataset,
    weights: Weights,
    watch: tuple[str, ...],
    on_epoch: OnEpoch,
    objective: Objective | None = None,
) -> Any:
    """Train what the trial declares; see ``training.fit`` and ``baselines.fit``."""
    if not trial.is_network:
        return baselines.fit(trial, data, seed)
    from rarelabels import training  # TensorFlow takes seconds to import, and only networks need it

    return training.fit(trial, data, weights, seed, watch, on_epoch, objective)
