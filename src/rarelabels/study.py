"""Many runs: plan, skip what is finished, hand the rest to the engine, sum up each trial."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from rarelabels import (
    baselines,
    comparison,
    competence,
    config,
    datasets,
    findings,
    measured_trials,
    preprocessing,
    ranking,
    results,
    runner,
    summary,
    tracking,
    weighting,
    winner,
)
from rarelabels.comparison import Comparison
from rarelabels.datasets import Dataset
from rarelabels.findings import Finding
from rarelabels.measured_trials import MeasuredTrial
from rarelabels.progress import Progress, counted, duration
from rarelabels.ranking import Ranking
from rarelabels.results import RunKey
from rarelabels.runner import Ended, Task
from rarelabels.schema import (
    VECTORS,
    DatasetSpec,
    MissingDataError,
    MulanSpec,
    NetworkSpec,
    NotSearchedError,
    Study,
    TableSpec,
    ThreadRowsSpec,
    Trial,
    UserError,
)
from rarelabels.summary import SummaryTask
from rarelabels.tracking import Client, Identity, ParentKey, Run
from rarelabels.workers import Workers

IsKnown = Callable[[Sequence[Identity]], bool]

NOTHING_TOLD: Mapping[str, str] = MappingProxyType({})
ROUNDS = 3  # in which trials are summed up that others change at the same time
WORKER_DIED = "its worker died again and again (out of memory?)"


@dataclass(frozen=True)
class Named:
    """A trial as it is to run, and how overrides change it, as text; empty where they do not."""

    trial: Trial
    overrides: str


@dataclass(frozen=True)
class Asked:
    """What is asked for: the runs, why trials are left out for want of data or a search, by name; lines on the data."""

    identities: list[Identity]
    skipped: dict[str, str]
    data: list[str]


@dataclass(frozen=True)
class Plan:
    """What has to be done for one study.

    Attributes:
        study: its name.
        experiment: MLflow's id.
        identities: the runs that are asked for.
        runs: all that are recorded.
        tasks: ahead.
        finished: how many of the runs are.
        seconds: that the tasks may take.
        lost: a line for each run that is done again because its files are damaged.
    """

    study: str
    experiment: str
    identities: list[Identity]
    runs: list[Run]
    tasks: list[Task]
    finished: int
    seconds: float | None
    lost: Sequence[str] = ()


class Searches:
    """The searches in a record, read once for each study that has a tuned trial."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._of_study: dict[str, dict[str, Run]] = {}

    def find(self, trial: Trial, variant: str, seed: int | None, digest: str) -> Run:
        """Return the run of a trial's search; of a seed, where thresholds are searched.

        Raises:
            NotSearchedError: there is none, or it has not all its trials yet.
        """
        if trial.study not in self._of_study:
            self._of_study[trial.study] = results.searches(recorded(trial.study + tracking.TUNING, self._where))
        found = self._of_study[trial.study].get(tracking.search_fingerprint(trial, seed, digest))
        done = int(found.data.tags["trials"]) if found else 0
        assert trial.tuning is not None
        if found is None or done < trial.tuning.n_trials:
            so_far = f"its search has {done} of {trial.tuning.n_trials} trials" if done else "not searched yet"
            so_far += f" ({variant})" if variant else ""
            raise NotSearchedError(f"{so_far}; `rarelabels run {trial.name}` searches")
        return found

    def best(self, search: Run) -> dict[str, object]:
        """Return the best values of a search of parameters, by dotted key.

        Raises:
            NotSearchedError: they are lost.
        """
        try:
            return results.best(tracking.connect(self._where), search.info.run_id)
        except tracking.DamagedError as error:
            raise NotSearchedError(str(error)) from error


def identify(
    names: Sequence[str],
    overrides: Mapping[str, object],
    seeds: tuple[int, ...] | None = None,
    is_known: IsKnown = lambda _: False,
) -> Asked:
    """Return every run that is asked for: trials × variants × seeds, but for trials whose data are not here.

    Each data set is loaded once here, before anything is recorded: its mistakes are the user's, and it fills the cache.
    A trial that was tuned is run as its search left it; one whose search is not finished is left out.

    Args:
        names: of trials, of studies, or paths.
        overrides: by dotted key.
        seeds: other than declared.
        is_known: whether the runs of a trial are known to suit their data, which are not loaded then.

    Raises:
        UserError: see ``config.load_many``, ``datasets.load``, ``preprocessing.check``, ``baselines.check`` and
            ``weighting.weights``.
        MissingDataError, NotSearchedError: no trial is left.
    """
    return _identify(load(names, overrides), seeds, is_known, Searches(tracking.uri()))


def _identify(declared: Sequence[Named], seeds: tuple[int, ...] | None, is_known: IsKnown, searches: Searches) -> Asked:
    identities: list[Identity] = []
    skipped: dict[str, UserError] = {}
    read: dict[str, str] = {}
    for named in declared:
        for label, variant in config.variants(named.trial):
            try:
                identities += _runs(variant, label, seeds, named.overrides, read, searches, is_known)
            except (MissingDataError, NotSearchedError) as error:
                skipped[" ".join(filter(None, [named.trial.name, label]))] = error
    if skipped and not identities:
        name, reason = next(iter(skipped.items()))
        raise reason if isinstance(reason, MissingDataError) else NotSearchedError(f"{name}: {reason}")
    return Asked(identities, {name: _reason(name, error) for name, error in skipped.items()}, list(read.values()))


def _reason(name: str, error: UserError) -> str:
    return str(error).removeprefix(f"{name}: ")


def by_reason(skipped: Mapping[str, str]) -> list[str]:
    """Say why trials are left out, a line for each reason."""
    names: dict[str, list[str]] = {}
    for name, reason in skipped.items():
        names.setdefault(reason, []).append(name)
    return [f"{', '.join(having)}: {reason}" for reason, having in names.items()]


def load(names: Sequence[str], overrides: Mapping[str, object]) -> list[Named]:
    """Return every named trial.

    Raises:
        UserError: see ``config.load_many``.
    """
    declared = config.load_many(names)
    asked = config.load_many(names, overrides) if overrides else declared
    text = " ".join(f"{key}={json.dumps(value)}" for key, value in overrides.items())

    def what(trial: Trial) -> object:
        return trial.definition(), trial.dataset, trial.tuning

    return [
        Named(trial, text if what(trial) != what(plain) else "") for trial, plain in zip(asked, declared, strict=True)
    ]


def _runs(
    trial: Trial,
    variant: str,
    seeds: tuple[int, ...] | None,
    changed: str,
    read: dict[str, str],
    searches: Searches,
    is_known: IsKnown,
) -> list[Identity]:
    seeds, declared = seeds or trial.seeds, trial
    digest = _digest(trial.dataset)
    found = {}
    if trial.tuning:
        searched_by_seed = trial.searches_thresholds
        found = {seed: searches.find(trial, variant, seed if searched_by_seed else None, digest) for seed in seeds}
        if not searched_by_seed:
            trial = config.with_values(trial, searches.best(found[seeds[0]]))
    by_seed = {seed: search.info.run_id for seed, search in found.items()}
    identities = with_seeds(trial, variant, seeds, digest, changed, by_seed)
    if not is_known(identities):
        read[digest] = describe(trial.dataset, checked(declared, seeds[0]))
    return identities


def done_before(studies: Sequence[str], where: str, *, force: bool = False) -> IsKnown:
    """Return what tells whether all runs of a trial are finished, and whole, so that nothing of it is left to do."""
    found: dict[RunKey, list[Run]] = {}
    for study in () if force else studies:
        found |= results.finished(recorded(study, where))
    client = tracking.connect(where) if found else None

    def is_done(one: Identity) -> bool:
        return client is not None and any(is_whole(client, run) for run in found.get(_key(one), ()))

    return lambda runs: all(map(is_done, runs))


def is_whole(client: Client, run: Run) -> bool:
    """Return whether a run has all its files, as far as that is seen without reading the large ones."""
    return not tracking.faults(client, run, deep=False)


def _key(one: Identity) -> RunKey:
    return one.trial.name, one.variant, one.overrides, one.fingerprint


def with_seeds(
    trial: Trial,
    variant: str,
    seeds: Sequence[int],
    digest: str,
    changed: str,
    searches: Mapping[int, str] | None = None,
) -> list[Identity]:
    """Return which runs a trial with some seeds is, on data with that digest; ``searches`` that tuned it by seed."""
    prints = tracking.fingerprints(trial, seeds, digest)
    return [
        Identity(
            trial,
            variant,
            seed,
            definition=prints.definition,
            fingerprint=prints.runs[seed],
            training=prints.trainings[seed],
            overrides=changed,
            search=(searches or {}).get(seed, ""),
        )
        for seed in seeds
    ]


def identity(trial: Trial, variant: str, seed: int, digest: str, changed: str) -> Identity:
    """Return which run a trial with one seed is."""
    return with_seeds(trial, variant, [seed], digest, changed)[0]


def run(asked: Asked, where: str, engine: Workers, progress: Progress, *, force: bool = False) -> None:
    """Do all runs that are not finished, then sum up their trials; ``progress`` is told of failures.

    Raises:
        UserError: the record does not answer.
    """
    client = tracking.connect(where)
    if delivered := tracking.deliver_left(client, where, tracking.outboxes(where)):
        progress.say([f"the results of {counted(delivered, 'run')} waited on disk and are now in the record"])
    progress.say(asked.data)
    studies = sorted({identity.trial.study for identity in asked.identities})
    plans = [_plan(client, study, [i for i in asked.identities if i.trial.study == study], force) for study in studies]
    tasks = [task for plan in plans for task in plan.tasks]
    progress.say(line for plan in plans for line in (*plan.lost, _ahead(plan, engine.count)))
    progress.begin(sum(len(task.runs) for task in tasks))
    work = functools.partial(_run_task, where)
    names = [f"{task.runs[0][0].trial.short_name} seed {task.runs[0][0].seed}" for task in tasks]
    for position, outcome in engine.map(
        work,
        tasks,
        lambda i, event: progress.epoch(names[i], event),
        group=lambda task: task.runs[0][0].trial.compiled(),
    ):
        runs = tasks[position].runs
        ended = ", ".join(" ".join(filter(None, [one.trial.name, one.variant, f"seed {one.seed}"])) for one, _ in runs)
        outcome = outcome or Ended(WORKER_DIED)
        progress.end(names[position], ended, len(runs), outcome.failure, outcome.left_out)
    for plan in plans:
        if _sum_up(client, plan, where, engine, progress):
            progress.failures += _record_comparison(client, plan, where)


def _ahead(plan: Plan, workers: int) -> str:
    """Say how many runs there are and, if earlier runs tell, how long they will take."""
    runs, trainings = sum(len(task.runs) for task in plan.tasks), sum(not task.source for task in plan.tasks)
    shared = f" ({counted(trainings, 'training')}: trials that differ only in what they watch or in rules share one)"
    line = f"{plan.study}: {counted(runs, 'run')} to do{shared if trainings < runs else ''}"
    line += f", {plan.finished} finished before"
    if plan.seconds:
        line += f"; about {duration(plan.seconds / min(workers, len(plan.tasks)))} on {counted(workers, 'worker')}"
    return line


def recorded(study: str, where: str, *, with_metrics: bool = False) -> list[Run]:
    """Return all recorded runs of a study, oldest first; with their metrics it takes long.

    Raises:
        UserError: the record does not answer.
    """
    if not tracking.is_begun(where):
        return []
    client = tracking.connect(where)
    experiment = tracking.find_experiment(client, study)
    if experiment is None:
        return []
    return tracking.all_runs(client, experiment) if with_metrics else tracking.heads(client, experiment)


def compare(
    study: str, where: str, asked: Sequence[Identity], told: Mapping[str, str] = NOTHING_TOLD
) -> list[Comparison]:
    """Compare the trials of a study: those declared in its folder, and those ``asked`` for from elsewhere.

    Of a study without a folder here, all that is recorded is compared; of a trial whose data are not here (any more),
    what was recorded last. Why trials are left out is not said again where it is among what was ``told``, by name. See
    ``comparison.compare``.
    """
    runs = recorded(study, where)
    declared = _declared(study, where, runs, asked)
    untold = {name: reason for name, reason in declared.skipped.items() if told.get(name) != reason}
    return _compare(runs, replace(declared, skipped=untold), where)


@dataclass(frozen=True)
class _Declared:
    """The trials of a study as they stand: the runs that can be told, parents by key of others; why, by name."""

    identities: list[Identity]
    others: list[ParentKey]
    skipped: dict[str, str]


def _declared(
    study: str, where: str, runs: Sequence[Run], asked: Sequence[Identity], root: Path = config.EXPERIMENTS
) -> _Declared:
    folder = root / study
    found = _Declared([i for i in asked if i.trial.study == study and not i.overrides], [], {})
    latest = {key[:2]: key for key in results.parents([run for run in runs if not run.data.tags.get("overrides")])}
    if not folder.is_dir():
        found.others.extend(results.parents(list(runs)))
        return found
    searches, done = Searches(where), set(results.finished(list(runs)))

    def is_known(asked_for: Sequence[Identity]) -> bool:
        return any(_key(one) in done for one in asked_for)

    for path in config.find([study], root):
        trial = config.load_trial(path)
        try:
            asked_for = _identify([Named(trial, "")], None, is_known, searches)
            found.identities.extend(asked_for.identities)
            found.skipped.update(asked_for.skipped)
        except NotSearchedError as error:  # what an earlier search found is not this trial's
            found.skipped[trial.name] = _reason(trial.name, error)
        except UserError as error:
            found.others.extend(key for (name, _), key in latest.items() if name == trial.name)
            found.skipped[trial.name] = _reason(trial.name, error)
    return found


def verdicts(study: str, where: str, root: Path = config.EXPERIMENTS) -> list[Finding]:
    """Return what became of the hypotheses of a study, as its folder in ``root`` declares them.

    See ``findings.decide``.

    Raises:
        UserError: the record does not answer, or ``study.yaml`` is wrong.
    """
    stated = config.load_study(root / study)
    if stated is None or not stated.hypotheses:
        return []
    runs = recorded(study, where)
    measured = _measured(stated, _declared(study, where, runs, [], root), runs, where)
    return findings.decide(stated.hypotheses, measured, stated.baselines, stated.competence_margin)


@dataclass(frozen=True)
class Conclusions:
    """What follows from what was measured.

    Attributes:
        findings: what became of the hypotheses.
        warnings: what a reader must know of the networks before any advice.
        winner: which trial to use; see ``winner.lines``.
    """

    findings: list[Finding]
    warnings: list[str]
    winner: list[str]


def conclude(study: str, where: str) -> Conclusions:
    """Return what follows from what was measured of a study: its winner, its verdicts, and what speaks against them.

    Raises:
        UserError: the record does not answer, or ``study.yaml`` is wrong.
    """
    runs = recorded(study, where, with_metrics=True)
    declared = _declared(study, where, runs, [])
    stated = config.load_study(config.EXPERIMENTS / study) or Study(title=study, question="", thread="")
    measured = _measured(stated, declared, runs, where)
    given = measured, stated.baselines, stated.competence_margin
    return Conclusions(
        findings.decide(stated.hypotheses, *given),
        competence.warnings(*given),
        _winner(stated, declared, runs, where) if runs else [],
    )


def _winner(stated: Study, declared: _Declared, runs: Sequence[Run], where: str) -> list[str]:
    """Say which trial to use on the test rows that most trials have, and on others on which a baseline was run."""
    client, chosen, names = tracking.connect(where), ranking.chosen_by(ranking.DEFAULT), _names(declared)
    told: list[str] = []
    for number, identities in enumerate(_by_test_rows(declared.identities, runs)):
        has_baseline = any(competence.is_baseline(names[one.parent_key], stated.baselines) for one in identities)
        if number and not has_baseline:
            continue
        try:
            ranked = ranking.rank(client, runs, identities, names, [], chosen)
        except UserError as error:
            told.append(f"No trial is named the winner: {error}")
        else:
            told += winner.lines(client, runs, ranked, stated.baselines)
    return told


def _by_test_rows(identities: Sequence[Identity], runs: Sequence[Run]) -> list[list[Identity]]:
    """Return the runs that are asked for by the test rows of those that are finished, most trials first.

    Those of a trial of which no run is finished are left out.
    """
    found = results.finished(list(runs))
    part_of = {one.parent_key: found[_key(one)][0].data.tags["test_part"] for one in identities if _key(one) in found}
    parts: dict[str, list[Identity]] = {}
    for one in identities:
        if one.parent_key in part_of:
            parts.setdefault(part_of[one.parent_key], []).append(one)
    return sorted(parts.values(), key=lambda of: -len({one.parent_key for one in of}))


def _measured(stated: Study, declared: _Declared, runs: Sequence[Run], where: str) -> dict[str, MeasuredTrial]:
    names = _names(declared)
    seeds: dict[str, list[int]] = {}
    for identity in declared.identities:
        seeds.setdefault(names[identity.parent_key], []).append(identity.seed)
    wanted = findings.metrics(stated.hypotheses)
    return measured_trials.read(tracking.connect(where), runs, names, seeds, wanted) if runs else {}


def rank(study: str, where: str, metric: str) -> Ranking:
    """Rank the trials of a study as they stand by a validation metric; see ``ranking.rank``.

    Raises:
        UserError: the record does not answer, the metric is none to choose by, or no trial can be ranked.
    """
    chosen = ranking.chosen_by(metric)
    runs = recorded(study, where, with_metrics=True)
    if not runs:
        raise UserError(f"nothing is recorded of {study} yet; `rarelabels run {study}` runs it")
    declared = _declared(study, where, runs, [])
    client = tracking.connect(where)
    return ranking.rank(client, runs, declared.identities, _names(declared), by_reason(declared.skipped), chosen)


def _names(declared: _Declared) -> dict[ParentKey, str]:
    """Return what the trials of a study are called in it, with their variant."""
    keys = [*declared.others, *(identity.parent_key for identity in declared.identities)]
    return {key: " ".join(filter(None, [key[0].split("/")[1], key[1]])) for key in keys}


def _name(key: ParentKey) -> str:
    """Return what a trial is called, with its variant and overrides."""
    return " ".join(filter(None, [*key[:2], f"({key[3]})" if key[3] else ""]))


def _compare(runs: Sequence[Run], declared: _Declared, where: str) -> list[Comparison]:
    client = tracking.connect(where) if runs else None
    return comparison.compare(client, runs, _names(declared), by_reason(declared.skipped))


def _record_comparison(client: Client, plan: Plan, where: str) -> list[str]:
    """Put the comparison of the whole study, as it stands now, on its own run; return what could not be drawn."""
    from rarelabels import study_record  # matplotlib takes a second to import: only drawing needs it

    runs = recorded(plan.study, where)
    declared = _declared(plan.study, where, runs, plan.identities)
    compared = [one for one in _compare(runs, declared, where) if one.rows]
    if not compared:  # overridden trials alone
        return []
    return study_record.record_comparison(client, plan.experiment, plan.study, compared, runs, declared.identities)


def _plan(client: Client, study: str, identities: list[Identity], force: bool) -> Plan:
    experiment = tracking.open_experiment(client, study)
    runs = tracking.heads(client, experiment)
    tracking.end_orphans(client, runs)
    if lost := _give_up_damaged(client, runs, identities):
        runs = tracking.heads(client, experiment)
    finished = {} if force else results.finished(runs)
    trainings = {} if force else trained(client, study, runs)
    parents = results.parents(runs)
    watch, hypotheses = watched(study, identities), _hypotheses(study)
    missing: dict[str, list[Identity]] = {}  # by training: the runs that share one are one task
    for identity in identities:
        same = finished.get(_key(identity), [])
        if not any(_has_curves(run, identity.trial) for run in same):
            missing.setdefault(identity.training, []).append(identity)
            if identity.parent_key not in parents:
                parents[identity.parent_key] = tracking.open_parent(client, experiment, identity).run_id
    ahead, by_id = [], {run.info.run_id: run for run in [*runs, *chain.from_iterable(trainings.values())]}
    for training, sharing in missing.items():
        trials = [one.trial for one in sharing]
        sources = (run for run in trainings.get(training, []) if _is_source(client, run, trials, by_id))
        source = next((run.info.run_id for run in sources), "")
        pairs = tuple((one, parents[one.parent_key]) for one in sharing)
        ahead.append(Task(experiment, pairs, watch(sharing[0].trial), hypotheses, source))
    done = len(identities) - sum(map(len, missing.values()))
    return Plan(study, experiment, identities, runs, ahead, done, _expected_seconds(runs, ahead), lost)


def _give_up_damaged(client: Client, runs: list[Run], identities: Iterable[Identity]) -> list[str]:
    """Mark the finished runs that are asked for and have damaged files as failed; return a line for each."""
    finished, lines = results.finished(runs), []
    for run in [run for identity in identities for run in finished.get(_key(identity), ())]:
        if wrong := tracking.faults(client, run, deep=False):
            tracking.condemn(client, run, wrong)
            told = "; ".join(f"{path} {what}" for path, what in wrong.items())
            lines.append(f"{tracking.called(run.data.tags, run.info.run_id)}: {told}; it is done again")
    return lines


def trained(client: Client, study: str, runs: Sequence[Run]) -> dict[str, list[Run]]:
    """Return, by fingerprint of the training, the finished runs that hold it, oldest first, then those of searches."""
    tuning = tracking.find_experiment(client, study + tracking.TUNING)
    searched = tracking.heads(client, tuning, "search") if tuning else []
    by_training: dict[str, list[Run]] = {}
    for run in [*runs, *searched]:
        if run.info.status == "FINISHED" and "training" in run.data.tags:
            by_training.setdefault(run.data.tags["training"], []).append(run)
    return by_training


def _run_task(where: str, task: Task, say: runner.Say) -> Ended:
    return runner.run(task, where, say)


def _sum_up(client: Client, plan: Plan, where: str, engine: Workers, progress: Progress) -> bool:
    """Bring each parent's aggregate and figures up to date; return whether the study's own are not any more.

    Workers draw the figures once all trials are summed up. What is summed up is looked at once more: another process
    may have written at the same time, or finished a run meanwhile.
    """
    runs = tracking.heads(client, plan.experiment) if plan.tasks else plan.runs
    tracking.end_orphans(client, runs)
    behind = _behind(client, plan, runs)
    anew, lost = bool(behind.tasks), set[str]()
    for _ in range(ROUNDS):
        progress.say(behind.lines)
        tasks = {name: one for name, one in behind.tasks.items() if name not in lost}
        if not tasks:
            break
        progress.summing(len(tasks))
        names = list(tasks)
        work = functools.partial(summary.sum_up, where)
        for position, reason in engine.map(work, list(tasks.values()), lambda *_: None):
            if reason != "":
                lost.add(names[position])
                progress.failures.append(f"{names[position]}: not summed up: {reason or WORKER_DIED}")
        runs = tracking.heads(client, plan.experiment)
        behind = _behind(client, plan, runs)
    undrawn = list(behind.undrawn.items())
    for position, failures in engine.map(functools.partial(_draw, where), undrawn, lambda *_: None):
        name = undrawn[position][0]
        progress.failures += [f"{name}: not drawn: {WORKER_DIED}"] if failures is None else failures
    own = [run for run in runs if run.data.tags.get("kind") == "study"]
    return anew or any(run.data.tags.get("drawn") == "" or _has_lost_figures(client, run) for run in own)


@dataclass(frozen=True)
class _Behind:
    """The trials, by name, whose summary is not that of their runs, those whose figures are not; what is damaged."""

    tasks: dict[str, SummaryTask]
    undrawn: dict[str, SummaryTask]
    lines: list[str]


def _behind(client: Client, plan: Plan, runs: list[Run]) -> _Behind:
    parents, by_id = results.parents(runs), {run.info.run_id: run for run in runs}
    below, found = results.below(runs), _Behind({}, {}, [])
    for key in dict.fromkeys(identity.parent_key for identity in plan.identities):
        children = tuple(run.info.run_id for run in below.get(key, []))
        parent = by_id.get(parents.get(key, ""))
        if not parent or not children:
            continue
        one, name = SummaryTask(parent.info.run_id, children, summary.stamp(children)), _name(key)
        if (parent.data.tags.get("summed_up"), parent.info.status) != (one.stamp, "FINISHED"):
            found.tasks[name] = one
            continue
        wrong = tracking.faults(client, parent, deep=tracking.local_folder(parent) is not None)
        if summed := [f"{path} {what}" for path, what in wrong.items() if path in tracking.SUMMARY]:
            found.tasks[name] = one
            found.lines.append(f"{name}: {'; '.join(summed)}; its runs are summed up again")
        elif wrong or not _is_drawn(client, parent, one.stamp):
            found.undrawn[name] = one
    return found


def _has_lost_figures(client: Client, study: Run) -> bool:
    return any(not path.endswith(".html") for path in tracking.faults(client, study, deep=False))


def _is_drawn(client: Client, parent: Run, stamp: str) -> bool:
    """Return whether a parent has the figures of its aggregate; those summed up by 0.4.2 were drawn at once."""
    drawn = parent.data.tags.get("drawn")
    return drawn == stamp if drawn is not None else "figures" in tracking.names_there(client, parent.info.run_id)


def _draw(where: str, named: tuple[str, SummaryTask], _: runner.Say) -> list[str]:
    from rarelabels import trial_figures  # matplotlib takes a second to import: only drawing needs it

    return trial_figures.draw(where, *named)


def checked(trial: Trial, seed: int) -> Dataset:
    """Return a trial's data, once it is known that the trial can run on them."""
    data = _data(trial.dataset, seed)
    try:
        if isinstance(trial.model, NetworkSpec):
            preprocessing.check(trial.model, data)
            preprocessing.check_output(trial.model, trial.training, data)
        else:
            baselines.check(trial.model, data)
        weighting.weights(trial.weighting, data.train.y, data.labels)
    except UserError as error:
        raise UserError(f"{trial.name}: {error}") from error
    return data


def describe(spec: DatasetSpec, data: Dataset) -> str:
    """Say what was read, so that a wrong column or separator is seen."""
    parts = _each_row_once(spec, data)
    positives = sum(y.sum(axis=0, dtype=np.int64) for y in parts.values())
    rows = sum(map(len, parts.values()))
    rarest = int(np.argmin(positives))
    line = (
        f"{_source(spec)}: {rows:,} {'rows' if data.train.images is None else 'images'} "
        f"({', '.join(f'{len(y):,} {name}' for name, y in parts.items())}), {len(data.labels):,} labels, "
        f"{np.sum(positives) / rows / len(data.labels):.1%} ones, rarest {data.labels[rarest]!r} with "
        f"{positives[rarest]:,}"
    )
    for name, y in parts.items():
        if empty := [label for label, n in zip(data.labels, y.sum(axis=0), strict=True) if not n]:
            line += f"; without a positive in the {name} part: {len(empty)} labels ({', '.join(empty[:5])})"
    return line


def _source(spec: DatasetSpec) -> str:
    match spec:
        case TableSpec(path=path):
            return Path(path).name
        case MulanSpec(kind=kind, name=name):
            return f"{kind} {name}"
        case other:
            return other.kind


def _each_row_once(spec: DatasetSpec, data: Dataset) -> dict[str, npt.NDArray[np.uint8]]:
    """Return the labels of the parts by their name; parts with the same rows are one."""
    if data.folds is not None:
        return {"cross-validated": data.train.y, "test": data.test.y}
    if isinstance(spec, ThreadRowsSpec):
        return {"training, validation and test": data.train.y}
    return {"training": data.train.y, "validation": data.validation.y, "test": data.test.y}


@functools.lru_cache(maxsize=64)
def _digest(spec: DatasetSpec) -> str:
    return datasets.digest(spec)


@functools.lru_cache(maxsize=1)
def _data(spec: DatasetSpec, seed: int) -> Dataset:
    return datasets.load(spec, seed)


def watched(study: str, identities: Sequence[Identity]) -> Callable[[Trial], tuple[str, ...]]:
    """What the training of a trial follows: every number watched in the study, by trials asked for or in its folder.

    A metric that is a vector is followed only for trials that watch it and those that share their training.
    """
    files = config.find([study]) if (config.EXPERIMENTS / study).is_dir() else []
    trials = [config.load_trial(path) for path in files] + [identity.trial for identity in identities]

    same = Trial.training_definition

    def follow(trial: Trial) -> tuple[str, ...]:
        own = {metric for other in trials if same(other) == same(trial) for metric in other.watch}
        return tuple(sorted({metric for other in trials for metric in other.watch} - set(VECTORS) | own))

    return follow


def _hypotheses(study: str) -> dict[str, str]:
    """A hash per hypothesis as it is declared now."""
    declared = config.load_study(config.EXPERIMENTS / study)
    return {one.name: findings.digest(one) for one in (declared.hypotheses if declared else ())}


def _is_source(client: Client, run: Run, trials: Sequence[Trial], by_id: Mapping[str, Run]) -> bool:
    """Return whether a finished run holds all that trials need of their training, which it shares."""
    if not all(_has_curves(run, trial) for trial in trials) or not is_whole(client, run):
        return False
    if not any(trial.picked_by for trial in trials):
        return True
    made = by_id.get(run.data.tags.get("trained_by", run.info.run_id))  # which alone has the scores of every epoch
    if made is None or tracking.EPOCHS in tracking.faults(client, made, deep=False):
        return False
    folder = tracking.local_folder(made)
    return folder is None or (folder / tracking.EPOCHS).is_file()


def _has_curves(run: Run, trial: Trial) -> bool:
    return set(trial.watch) <= set(run.data.tags.get("watched", "").split())


def _expected_seconds(runs: Iterable[Run], tasks: Iterable[Task]) -> float | None:
    """Seconds of training ahead, by what runs of the same trial (else of any trial) took; None if none has trained."""
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
