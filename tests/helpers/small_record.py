"""A record of small runs in this process: 300 simulated rows, three labels, a net without hidden layers or a floor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rarelabels.data import loading
from rarelabels.declare.trial import Trial
from rarelabels.record import connection, opening, queries, reading
from rarelabels.record.entities import Run
from rarelabels.record.identities import Identity
from rarelabels.study import runner, selection
from rarelabels.study.runner import Task

SIMULATED = {"kind": "simulated", "rows": 300, "labels": 3, "features": 4}
TRIAL: dict[str, Any] = {
    "question": "Does it come out as declared?",
    "thread": "none of them",
    "dataset": SIMULATED,
    "model": {"kind": "mlp", "hidden": []},
    "loss": {"kind": "bce"},
    "weighting": {"kind": "none"},
    "training": {"epochs": 4, "batch_size": 50, "learning_rate": 0.05},
    "thresholds": {"min_positives": 5},
    "seeds": [0],
}


class Record:
    """A record of its own, and the runs of tasks in it."""

    def __init__(self, folder: Path) -> None:
        self.where = f"sqlite:///{folder / 'mlflow.db'}"
        self.client = connection.connect(self.where)
        self.experiment = opening.open_experiment(self.client, "tests")

    def run(self, *trials: Trial, source: str = "") -> list[Run]:
        """Do one task: the trials share its training."""
        return self.task([self.identity(trial) for trial in trials], source)

    def do(self, identities: list[Identity]) -> None:
        """Do a task for each training."""
        for training in dict.fromkeys(one.training for one in identities):
            self.task([one for one in identities if one.training == training])

    def task(self, identities: list[Identity], source: str = "") -> list[Run]:
        there = reading.parents(queries.all_runs(self.client, self.experiment))
        parents = [
            there.get(one.parent_key) or opening.open_parent(self.client, self.experiment, one).run_id
            for one in identities
        ]
        task = Task(self.experiment, tuple(zip(identities, parents, strict=True)), (), {}, source)
        assert runner.run(task, self.where, lambda _: None) == runner.Ended()
        found = queries.all_runs(self.client, self.experiment, "run")
        by_print = {run.data.tags["fingerprint"]: run for run in found}
        return [by_print[one.fingerprint] for one in identities]

    def family(self, one: Identity) -> tuple[str, tuple[str, ...]]:
        """The parent of a trial, and its runs."""
        runs = queries.all_runs(self.client, self.experiment)
        parent = reading.parents(runs)[one.parent_key]
        children = [run.info.run_id for run in runs if run.data.tags.get(opening.PARENT) == parent]
        return parent, tuple(children)

    @staticmethod
    def identity(trial: Trial) -> Identity:
        return selection.identity(trial, "", 0, loading.digest(trial.dataset), "")

    def files(self, run: Run, folder: str) -> set[str]:
        return {Path(file.path).name for file in self.client.list_artifacts(run.info.run_id, folder)}


def trial(name: str, **blocks: Any) -> Trial:
    changed = {key: TRIAL[key] | value if isinstance(value, dict) else value for key, value in blocks.items()}
    return Trial.model_validate({"name": f"tests/{name}", **TRIAL, **changed})


def floor(name: str, predicts: str = "prior", **blocks: Any) -> Trial:
    """A trial that learns nothing, so that no test waits for TensorFlow."""
    declared = trial(name, **blocks).model_dump() | {"model": {"kind": "floor", "predicts": predicts}}
    return Trial.model_validate(declared)
