"""Many runs: plan, skip what is finished, hand the rest to the engine, sum up each trial."""

from __future__ import annotations

import functools
import hashlib
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Run

from rarelabels import comparison, config, datasets, plots, preprocessing, results, runner, summary, tracking, weighting
from rarelabels.comparison import Comparison
from rarelabels.datasets import Dataset
from rarelabels.engine import Engine
from rarelabels.progress import Progress
from rarelabels.runner import Task
from rarelabels.schema import VECTORS, DatasetSpec, MissingDataError, NetworkSpec, TableSpec, Trial, UserError
from rarelabels.summary import SummaryTask
from rarelabels.tracking import Identity, ParentKey

WORKER_DIED = "its worker died again and again (out of memory?)"


@dataclass(frozen=True)
class Asked:
    """What is asked for: the runs, why which trials are left out for want of their data, and what the data are.

    The last two are lines to print.
    """

    identities: list[Identity]
    skipped: list[str]
    data: list[str]


@dataclass(frozen=True)
class Plan:
    """What has to be done for one study: tasks ahead, runs already finished, and the seconds the tasks may take."""

    study: str
    experiment: str
    identities: list[Identity]
    tasks: list[Task]
    finished: int
    seconds: float | None


def identify(names: Sequence[str], overrides: Mapping[str, object], seeds: tuple[int, ...] | None = None) -> Asked:
    """Return every run that is asked for: trials × variants × seeds, but for trials whose data are not here.

    Each data set is loaded once here, before anything is recorded: its mistakes are the user's, and it fills the cache.

    Raises:
        UserError: see ``config.load_many``, ``datasets.load``, ``preprocessing.check`` and ``weighting.weights``.
        MissingDataError: the data of no trial are here.
    """
    declared = config.load_many(names)
    asked = config.load_many(names, overrides) if overrides else declared
    text = " ".join(f"{key}={json.dumps(value)}" for key, value in overrides.items())
    identities: list[Identity] = []
    skipped: dict[str, MissingDataError] = {}
    read: dict[str, str] = {}
    for trial, plain in zip(asked, declared, strict=True):
        changed = text if (trial.definition(), trial.dataset) != (plain.definition(), plain.dataset) else ""
        try:
            identities += [
                one for label, variant in config.variants(trial) for one in _runs(variant, label, seeds, changed, read)
            ]
        except MissingDataError as error:
            skipped[trial.name] = error
    if skipped and not identities:
        raise next(iter(skipped.values()))
    return Asked(identities, [f"{name}: {error}" for name, error in skipped.items()], list(read.values()))


def _runs(
    trial: Trial, variant: str, seeds: tuple[int, ...] | None, changed: str, read: dict[str, str]
) -> list[Identity]:
    seeds = seeds or trial.seeds
    data = _checked(trial, seeds[0])
    digest = data.digest
    read[digest] = _describe(trial.dataset, data)
    definition = tracking.fingerprint(trial, None, digest)
    return [
        Identity(trial, variant, seed, definition, tracking.fingerprint(trial, seed, digest), changed) for seed in seeds
    ]


def run(identities: Sequence[Identity], where: str, engine: Engine, progress: Progress, *, force: bool = False) -> None:
    """Do all runs that are not finished, then sum up their trials; ``progress`` is told of failures.

    Raises:
        UserError: the record does not answer.
    """
    client = tracking.connect(where)
    studies = sorted({identity.trial.study for identity in identities})
    plans = [_plan(client, study, [i for i in identities if i.trial.study == study], force) for study in studies]
    tasks = [task for plan in plans for task in plan.tasks]
    progress.begin(plans, engine.count)
    work = functools.partial(_run_task, where)
    for position, reason in engine.map(work, tasks, lambda i, event: progress.epoch(tasks[i], event)):
        progress.end(tasks[position], WORKER_DIED if reason is None else reason)
    for plan in plans:
        if _sum_up(client, plan, where, engine, progress):
            _record_comparison(client, plan, where)


def recorded(study: str, where: str) -> list[Run]:
    """Return all recorded runs of a study, oldest first.

    Raises:
        UserError: the record does not answer.
    """
    if not tracking.is_begun(where):
        return []
    client = tracking.connect(where)
    experiment = tracking.find_experiment(client, study)
    return tracking.all_runs(client, experiment) if experiment else []


def compare(study: str, where: str, asked: Sequence[Identity]) -> list[Comparison]:
    """Compare the trials of a study: those declared in its folder, and those ``asked`` for from elsewhere.

    Of a study without a folder here, all that is recorded is compared; of a trial whose data are not here (any more),
    what was recorded last. See ``comparison.compare``.
    """
    runs = recorded(study, where)
    folder = config.EXPERIMENTS / study
    identities = [i for i in asked if i.trial.study == study and not i.overrides]
    latest = {key[:2]: key for key in results.parents([run for run in runs if not run.data.tags.get("overrides")])}
    keys: list[ParentKey] = [] if folder.is_dir() else list(results.parents(runs))
    skipped = []
    for path in config.find([study]) if folder.is_dir() else []:
        trial = config.load_trial(path)
        try:
            identities += identify([str(path)], {}).identities
        except UserError as error:
            keys += [key for (name, _), key in latest.items() if name == trial.name]
            skipped += [f"{trial.name}: {error}"]
    keys += [identity.parent_key for identity in identities]
    names = {key: " ".join(filter(None, [key[0].split("/")[1], key[1]])) for key in keys}
    return comparison.compare(tracking.connect(where) if runs else None, runs, names, skipped)


def _record_comparison(client: MlflowClient, plan: Plan, where: str) -> None:
    """Put the comparison of the whole study, as it stands now, on the study's own run."""
    compared = [one for one in compare(plan.study, where, plan.identities) if one.rows]
    if not compared:  # overridden trials alone
        return
    record = tracking.open_study(client, plan.experiment, plan.study)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pd.concat([one.long() for one in compared]).to_csv(folder / "comparison.csv", index=False)
        for number, one in enumerate(compared):
            title = f"{plan.study} on {one.data}: mean and 95 % interval over seeds and test rows"
            figure = plots.comparison(one.long(), one.best_floors(), title)
            plots.save(figure, folder / f"comparison{f'_{number + 1}' if number else ''}.png")
        record.files(folder)
    record.finish()


def _plan(client: MlflowClient, study: str, identities: list[Identity], force: bool) -> Plan:
    experiment = tracking.open_experiment(client, study)
    runs = tracking.all_runs(client, experiment)
    tracking.end_orphans(client, runs)
    counted = {} if force else results.earliest_finished(runs)
    trainings = {run.data.tags["fingerprint"]: run for run in reversed(counted.values())}
    parents = results.parents(runs)
    watch, hypotheses = _watched(study, identities), _hypotheses(study)
    tasks: dict[str, Task] = {}
    finished = 0
    for identity in identities:
        mark = identity.fingerprint
        done = counted.get((identity.trial.name, identity.variant, mark))
        if done and _has_curves(done, identity.trial):
            finished += 1
            continue
        if identity.parent_key not in parents:
            parents[identity.parent_key] = tracking.open_parent(client, experiment, identity).run_id
        source = trainings.get(mark)
        again = source.info.run_id if source and _has_curves(source, identity.trial) else ""
        task = tasks.get(mark) or Task(experiment, (), watch(identity.trial), hypotheses, again)
        tasks[mark] = replace(task, runs=(*task.runs, (identity, parents[identity.parent_key])))
    ahead = list(tasks.values())
    return Plan(study, experiment, identities, ahead, finished, _expected_seconds(runs, ahead))


def _run_task(where: str, task: Task, say: runner.Say) -> str:
    return runner.run(task, where, say)


def _sum_up(client: MlflowClient, plan: Plan, where: str, engine: Engine, progress: Progress) -> int:
    """Bring each parent's aggregate up to date with the finished runs below it; return how many were not."""
    runs = tracking.all_runs(client, plan.experiment)
    tracking.end_orphans(client, runs)
    parents, by_id = results.parents(runs), {run.info.run_id: run for run in runs}
    below: dict[ParentKey, list[Run]] = {}
    for counted in results.earliest_finished(runs).values():
        below.setdefault(tracking.parent_key(counted), []).append(counted)
    tasks = []
    for key in dict.fromkeys(identity.parent_key for identity in plan.identities):
        children = sorted(below.get(key, []), key=lambda run: int(run.data.tags["seed"]))
        stamp = summary.stamp([run.info.run_id for run in children])
        if key in parents and children and by_id[parents[key]].data.tags.get("summed_up") != stamp:
            tasks.append(SummaryTask(parents[key], tuple(run.info.run_id for run in children), stamp))
    progress.summing(len(tasks))
    return len(list(engine.map(functools.partial(summary.sum_up, where), tasks, lambda *_: None)))


def _checked(trial: Trial, seed: int) -> Dataset:
    """Return a trial's data, once it is known that the trial can run on them."""
    data = _data(trial.dataset, seed)
    try:
        if isinstance(trial.model, NetworkSpec):
            preprocessing.check(trial.model, data)
        weighting.weights(trial.weighting, data.train.y)
    except UserError as error:
        raise UserError(f"{trial.name}: {error}") from error
    return data


def _describe(spec: DatasetSpec, data: Dataset) -> str:
    """Say what was read, so that a wrong column or separator is seen."""
    parts = {"training": data.train.y, "validation": data.validation.y, "test": data.test.y}
    positives = sum(y.sum(axis=0, dtype=np.int64) for y in parts.values())
    rows = sum(map(len, parts.values()))
    rarest = int(np.argmin(positives))
    source = Path(spec.path).name if isinstance(spec, TableSpec) else spec.kind
    line = (
        f"{source}: {rows:,} rows ({', '.join(f'{len(y):,} {name}' for name, y in parts.items())}), {len(data.labels)} "
        f"labels, {np.sum(positives) / rows / len(data.labels):.1%} ones, rarest {data.labels[rarest]!r} with "
        f"{positives[rarest]:,}"
    )
    for name, y in parts.items():
        if empty := [label for label, n in zip(data.labels, y.sum(axis=0), strict=True) if not n]:
            line += f"; without a positive in the {name} part: {len(empty)} labels ({', '.join(empty[:5])})"
    return line


@functools.lru_cache(maxsize=1)
def _data(spec: DatasetSpec, seed: int) -> Dataset:
    return datasets.load(spec, seed)


def _watched(study: str, identities: Sequence[Identity]) -> Callable[[Trial], tuple[str, ...]]:
    """What the training of a trial follows: every number watched in the study, by trials asked for or in its folder.

    A metric that is a vector is followed only for trials that watch it and those that share their training.
    """
    files = config.find([study]) if (config.EXPERIMENTS / study).is_dir() else []
    trials = [config.load_trial(path) for path in files] + [identity.trial for identity in identities]

    def follow(trial: Trial) -> tuple[str, ...]:
        own = {metric for other in trials if other.definition() == trial.definition() for metric in other.watch}
        return tuple(sorted({metric for other in trials for metric in other.watch} - set(VECTORS) | own))

    return follow


def _hypotheses(study: str) -> dict[str, str]:
    """A hash per hypothesis as it is declared now."""
    declared = config.load_study(config.EXPERIMENTS / study)
    texts = {h.name: h.model_dump_json() for h in (declared.hypotheses if declared else ())}
    return {name: hashlib.sha256(text.encode()).hexdigest()[:12] for name, text in texts.items()}


def _has_curves(run: Run, trial: Trial) -> bool:
    return set(trial.watch) <= set(run.data.tags.get("watched", "").split())


def _expected_seconds(runs: Iterable[Run], tasks: Iterable[Task]) -> float | None:
    """Seconds of work ahead, by what finished runs of the same trial (else of any trial) took; None if none has."""
    took: dict[str, list[float]] = {}
    for run in runs:
        if run.data.tags.get("kind") == "run" and run.info.status == "FINISHED":
            took.setdefault(run.data.tags["trial"], []).append((run.info.end_time - run.info.start_time) / 1000)
    if not took:
        return None
    mean = {trial: sum(seconds) / len(seconds) for trial, seconds in took.items()}
    anyone = sum(mean.values()) / len(mean)
    return sum(mean.get(task.runs[0][0].trial.name, anyone) for task in tasks)
