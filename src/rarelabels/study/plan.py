"""The tasks of a study: which runs are not finished, and how long they may take."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from rarelabels.compare import lateness
from rarelabels.declare import declarations, find, own_measures, study_files
from rarelabels.declare.training import VECTORS
from rarelabels.declare.trial import Trial
from rarelabels.errors import counted
from rarelabels.record import damage, opening, queries, reading, run_files
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.record.identities import Identity
from rarelabels.study.progress_display import duration
from rarelabels.study.runner import Task
from rarelabels.study.selection import is_whole, run_key


@dataclass(frozen=True)
class Plan:
    """The tasks of one study.

    Attributes:
        study: its name.
        experiment: MLflow's id.
        identities: the runs that were named.
        runs: all recorded runs of the study.
        tasks: for the named runs that are not finished.
        finished: how many of the named runs are finished.
        seconds: estimated time of the tasks on one worker; None if no earlier run gives an estimate.
        lost: a line for each run that is repeated because its files are damaged.
    """

    study: str
    experiment: str
    identities: list[Identity]
    runs: list[Run]
    tasks: list[Task]
    finished: int
    seconds: float | None
    lost: Sequence[str] = ()


def seconds_ahead(plan: Plan, workers: int) -> str:
    """Return a line on how many runs there are to do and, by earlier runs, how long they will take."""
    runs, trainings = sum(len(task.runs) for task in plan.tasks), sum(not task.source for task in plan.tasks)
    shared = f" ({counted(trainings, 'training')}: trials that differ only in what they watch or in rules share one)"
    line = f"{plan.study}: {counted(runs, 'run')} to do{shared if trainings < runs else ''}"
    line += f", {plan.finished} finished before"
    if plan.seconds:
        line += f"; about {duration(plan.seconds / min(workers, len(plan.tasks)))} on {counted(workers, 'worker')}"
    return line


def make_plan(client: Client, study: str, identities: list[Identity], force: bool) -> Plan:
    """Plan the named runs of a study that are not finished, or all if ``force``.

    Runs whose files are damaged are marked as failed first.
    """
    experiment = opening.open_experiment(client, study)
    runs = queries.heads(client, experiment)
    queries.end_orphans(client, runs)
    if lost := _give_up_damaged(client, runs, identities):
        runs = queries.heads(client, experiment)
    finished = {} if force else reading.finished(runs)
    trainings = {} if force else trained(client, study, runs)
    parents = reading.parents(runs)
    watch, hypotheses = watched(study, identities), _hypotheses(study)
    missing: dict[str, list[Identity]] = {}  # by training, because the runs that share a training are one task
    for identity in identities:
        same = finished.get(run_key(identity), [])
        if not any(_has_curves(run, identity.trial) for run in same):
            missing.setdefault(identity.training, []).append(identity)
            if identity.parent_key not in parents:
                parents[identity.parent_key] = opening.open_parent(client, experiment, identity).run_id
    ahead, by_id = [], {run.info.run_id: run for run in [*runs, *chain.from_iterable(trainings.values())]}
    for training, sharing in missing.items():
        trials = [one.trial for one in sharing]
        sources = (run for run in trainings.get(training, []) if _is_source(client, run, trials, by_id))
        source = next((run.info.run_id for run in sources), "")
        pairs = tuple((one, parents[one.parent_key]) for one in sharing)
        own = frozenset(one for trial in trials for one in own_measures.versions(trial).items())
        ahead.append(Task(experiment, pairs, watch(sharing[0].trial), hypotheses, source, own))
    done = len(identities) - sum(map(len, missing.values()))
    return Plan(study, experiment, identities, runs, ahead, done, _expected_seconds(runs, ahead), lost)


def _give_up_damaged(client: Client, runs: list[Run], identities: Iterable[Identity]) -> list[str]:
    """Mark the named runs with damaged files as failed; return a line for each such run."""
    finished, lines = reading.finished(runs), []
    for run in [run for identity in identities for run in finished.get(run_key(identity), ())]:
        if wrong := damage.faults(client, run, deep=False):
            damage.condemn(client, run, wrong)
            damaged = "; ".join(f"{path} {what}" for path, what in wrong.items())
            lines.append(f"{run_files.called(run.data.tags, run.info.run_id)}: {damaged}; it is done again")
    return lines


def trained(client: Client, study: str, runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Return the finished runs by the fingerprint of their training: oldest first, but runs of searches last."""
    tuning = queries.find_experiment(client, study + queries.TUNING)
    searched = queries.heads(client, tuning, "search") if tuning else []
    by_training: dict[str, list[Run]] = {}
    for run in [*runs, *searched]:
        if run.info.status == "FINISHED" and "training" in run.data.tags:
            by_training.setdefault(run.data.tags["training"], []).append(run)
    return by_training


def watched(study: str, identities: Sequence[Identity]) -> Callable[[Trial], tuple[str, ...]]:
    """Return a function that names the metrics which the training of a trial follows each epoch.

    A training follows every metric that any trial of the study watches. The trials of a study are those in its folder
    and the named ones. There is one exception: a metric with a number for each label is followed only in the trainings
    of trials that watch it.
    """
    files = find.find([study]) if (study_files.EXPERIMENTS / study).is_dir() else []
    trials = [declarations.load_trial(path) for path in files] + [identity.trial for identity in identities]

    same = Trial.training_definition

    def follow(trial: Trial) -> tuple[str, ...]:
        by_twins = {metric for other in trials if same(other) == same(trial) for metric in other.watch}
        return tuple(sorted({metric for other in trials for metric in other.watch} - set(VECTORS) | by_twins))

    return follow


def _hypotheses(study: str) -> dict[str, str]:
    """Return the hash of each hypothesis of a study, by its name, as it is declared now."""
    declared = declarations.load_study(study_files.EXPERIMENTS / study)
    return {one.name: lateness.digest(one) for one in (declared.hypotheses if declared else ())}


def _is_source(client: Client, run: Run, trials: Sequence[Trial], by_id: Mapping[str, Run]) -> bool:
    """Return whether a finished run of the same training has every file that the trials need."""
    if not all(_has_curves(run, trial) for trial in trials) or not is_whole(client, run):
        return False
    if not any(trial.picked_by for trial in trials):
        return True
    made = by_id.get(run.data.tags.get("trained_by", run.info.run_id))  # only the run that trained has every epoch
    if made is None or opening.EPOCHS in damage.faults(client, made, deep=False):
        return False
    folder = run_files.local_folder(made)
    return folder is None or (folder / opening.EPOCHS).is_file()


def _has_curves(run: Run, trial: Trial) -> bool:
    return set(trial.watch) <= set(run.data.tags.get("watched", "").split())


def _expected_seconds(runs: Iterable[Run], tasks: Iterable[Task]) -> float | None:
    """Estimate the seconds of training ahead, by runs of the same trial, else of any trial; None if no run trained."""
    took: dict[str, list[float]] = {}
    for run in runs:
        tags = run.data.tags
        if tags.get("kind") == "run" and run.info.status == "FINISHED" and "trained_by" not in tags:
            took.setdefault(run.data.tags["trial"], []).append(((run.info.end_time or 0) - run.info.start_time) / 1000)
    if not took:
        return None
    mean = {trial: sum(seconds) / len(seconds) for trial, seconds in took.items()}
    anyone = sum(mean.values()) / len(mean)
    return sum(mean.get(task.runs[0][0].trial.name, anyone) for task in tasks if not task.source)
