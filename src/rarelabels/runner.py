"""One run: load, weigh, fit, score, choose, measure, record. The order of the steps and nothing else."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rarelabels import baselines, config, datasets, evaluation, tracking, weighting
from rarelabels.datasets import Dataset
from rarelabels.evaluation import Scored
from rarelabels.schema import Trial, UserError
from rarelabels.tracking import Identity, Record
from rarelabels.weighting import Weights

Say = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Task:
    """One training and the runs to record it as: trials that differ only in what they watch share it.

    Attributes:
        experiment: MLflow's id.
        runs: each with the id of its parent run.
        watch: what is followed each epoch; see ``study``.
        hypotheses: name to hash, of those declared when the task was planned.
        source: a finished run with the same fingerprint to record again, instead of training.
    """

    experiment: str
    runs: tuple[tuple[Identity, str], ...]
    watch: tuple[str, ...]
    hypotheses: dict[str, str]
    source: str = ""


def run(task: Task, where: str, say: Say) -> str:
    """Do a task and record it; a failure is recorded too, and its reason returned rather than raised ("": none)."""
    client = tracking.connect(where)
    source = task.source
    for identity, parent in task.runs:
        record = tracking.start(client, task.experiment, identity, parent, task.hypotheses)
        try:
            record.params(config.flat(identity.trial) | {"seed": identity.seed})
            record.text("trial.yaml", config.dump(identity.trial))
            if source:
                tracking.copy_run(client, source, record)
            else:
                _fit_and_measure(task, identity, record, say)
        except Exception as error:  # whatever a run dies of, it is that run's own failure
            reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
            record.fail(reason)
            return reason
        record.finish()
        source = source or record.run_id
    return ""


def _fit_and_measure(task: Task, identity: Identity, record: Record, say: Say) -> None:
    trial, seed = identity.trial, identity.seed
    data = datasets.load(trial.dataset, seed)
    if tracking.fingerprint(trial, seed, data.digest) != identity.fingerprint:
        raise UserError("the data changed after this run was planned; call the same command again")
    weights = weighting.weights(trial.weighting, data.train.y)
    record.tags({"watched": " ".join(task.watch), "test_part": data.test.digest()})
    record.data(trial.dataset.kind, data.digest, data.summary)
    record.notes([*data.notes, *weights.notes])
    record.metrics({f"training/{name}": value for name, value in weights.facts.items()})
    fitted = _fit(trial, seed, data, weights, task.watch, record, say)
    train, validation, test = (Scored(p.ids, p.y, fitted.scores(p)) for p in (data.train, data.validation, data.test))
    floors = evaluation.floors(data.train.y)
    result = evaluation.evaluate(data.labels, validation, test, floors, trial.thresholds)
    record.metrics(result.metrics | evaluation.gap(train, test))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        result.save(folder)
        (folder / "data.json").write_text(json.dumps(data.summary, indent=1, ensure_ascii=False), encoding="utf-8")
        (folder / "model").mkdir()
        fitted.save(folder / "model")
        record.metrics({"training/compressed_bytes": (folder / "model" / "weights.npz").stat().st_size})
        record.files(folder)


def _fit(
    trial: Trial, seed: int, data: Dataset, weights: Weights, watch: tuple[str, ...], record: Record, say: Say
) -> Any:
    if not trial.is_network:
        return baselines.fit(trial, data, seed)
    from rarelabels import training  # TensorFlow takes seconds to import, and only networks need it

    def on_epoch(epoch: int, curves: dict[str, float]) -> None:
        record.curve(epoch, curves)
        say({"epoch": epoch, "epochs": trial.training.epochs, "loss": curves["loss"]})

    fitted = training.fit(trial, data, weights, seed, watch, on_epoch)
    record.metrics({f"training/{name}": value for name, value in fitted.facts.items()})
    return fitted
