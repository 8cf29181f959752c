"""Search a trial's settings, or thresholds for its scores, with Optuna. Only this folder imports Optuna.

Optuna's storage holds every trial from the moment it is drawn. A search that was cut off goes on where it stopped, and
loses only the trials in flight. MLflow records a run for each search, with the best values; the trial is later run with
these. Each trial of a search of settings is a child run below it.

Without ``OPTUNA_STORAGE`` the storage is a journal file, which is faster than SQLite. With Optuna 5.0.0, two workers
drew 40 trials and reported 30 epochs and a value for each: in 0.8 s with a journal, in 4.8 s with SQLite.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from rarelabels.data.dataset import Dataset
from rarelabels.declare import variants
from rarelabels.declare.trial import Trial
from rarelabels.declare.tuning import ParameterSearch, ThresholdSearch
from rarelabels.errors import MissingDataError, UserError, nearest
from rarelabels.judging import evaluation
from rarelabels.judging.metrics import LOWER_IS_BETTER
from rarelabels.judging.scores import Scores
from rarelabels.judging.settings import ThresholdSpec
from rarelabels.record import connection, opening, queries, reading, writing
from rarelabels.record.connection import is_url
from rarelabels.record.identities import Identity, search_fingerprint
from rarelabels.study import plan, running, selection
from rarelabels.study.progress_display import Progress, Say
from rarelabels.study.selection import Named
from rarelabels.study.tuning.counted_trials import fail_cut_off, taken, wait_for_others
from rarelabels.study.tuning.label_thresholds import search_thresholds
from rarelabels.study.tuning.parameters import attempt, conclude
from rarelabels.study.tuning.searches import Search, load
from rarelabels.study.tuning.storage import answering, once_more, open_storage
from rarelabels.study.workers import Workers

MOST_WEIGHTS, MOST_THRESHOLDS = 20, 100  # most labels whose weights, or thresholds, can be searched


def search(
    wanted: Sequence[Named],
    seeds: tuple[int, ...] | None,
    where: str,
    engine: Workers,
    progress: Progress,
) -> list[Search]:
    """Do the searches that trials declare, until each has its number of trials; return the searches.

    Raises:
        UserError: a declaration has a mistake, which is found before anything is recorded; or the storage or the record
            does not answer.
    """
    identities, labels = _identities(wanted, seeds)
    storage = connection.storage_of_searches(where)
    if is_url(storage):
        open_storage(storage)  # a storage that does not answer is reported before anything is recorded
    elif machines := engine.other_machines():
        raise UserError(
            f"workers on {', '.join(machines)} cannot share a file on this machine ({storage}); set OPTUNA_STORAGE to "
            "a database that they reach, such as postgresql+psycopg://host/optuna"
        )
    searches = _open(identities, labels, where, storage)
    with answering(storage):
        left = [(one, _left(one)) for one in searches]
        unfinished = [(one, count) for one, count in left if count or not _is_concluded(where, one)]
        progress.say(_ahead(one, count) for one, count in left)
        ended = [one for one, _ in unfinished if not one.trial.searches_thresholds]
        with opening.alive(connection.connect(where), [one.record for one in ended]):
            tasks = [one for one, count in unfinished for _ in range(1 if one.trial.searches_thresholds else count)]
            is_well = _run(tasks, where, engine, progress)
            while is_well and (tasks := _given_up(ended)):
                is_well = _run(tasks, where, engine, progress)
            for position, reason in engine.map(functools.partial(_conclude, where), ended, lambda *_: None):
                if reason:
                    progress.failures.append(f"search of {ended[position].title}: {reason}")
        progress.say(f"search of {one.title}: {_found(where, one)}" for one in ended)
    return searches


def results(where: str, searches: Sequence[Search]) -> pd.DataFrame:
    """Return a row for each search that is finished; see ``run_trials.tune``."""
    client, rows = connection.connect(where), []
    for one in searches:
        run = client.run(one.record)
        row: dict[str, object] = {"trial": one.trial.name, "variant": one.identity.variant, "seed": None}
        row |= {"trials": int(run.data.tags["trials"]), "value": run.data.metrics["search/best"]}
        row |= {"found": run.data.tags["found"]}
        if one.trial.searches_thresholds:
            rows.append(row | {"seed": one.identity.seed})
        else:
            rows.append(row | reading.best(client, one.record))
    return pd.DataFrame(rows).astype({"seed": "Int64"})


def _run(tasks: Sequence[Search], where: str, engine: Workers, progress: Progress) -> bool:
    """Do tasks; return whether all went well."""
    progress.begin(len(tasks))
    names = [f"{one.trial.short_name} {number}" for number, one in enumerate(tasks)]
    work = functools.partial(_work, where)
    failed = False
    for position, reason in engine.map(
        work, tasks, lambda i, event: progress.epoch(names[i], event), group=lambda one: one.trial.compiled()
    ):
        why = running.WORKER_DIED if reason is None else reason
        failed |= bool(why)
        progress.end(names[position], f"search of {tasks[position].title}", 1, why)
    return not failed


def _given_up(searches: Sequence[Search]) -> list[Search]:
    """Return each search as often as trials are missing in it, after the trials of other processes have ended."""
    for one in searches:
        wait_for_others(load(one), one.now)
    return [one for one in searches for _ in range(_left(one))]


def _identities(
    wanted: Sequence[Named], seeds: tuple[int, ...] | None
) -> tuple[list[Identity], dict[str, tuple[str, ...]]]:
    """Check that all searches can be done; return them, and their labels by fingerprint."""
    identities: list[Identity] = []
    labels: dict[str, tuple[str, ...]] = {}
    for named in wanted:
        try:
            for label, variant in variants.variants(named.trial):
                tuning = variant.tuning
                searched = (seeds or variant.seeds) if isinstance(tuning, ThresholdSearch) else (None,)
                data = selection.checked(variant, (seeds or variant.seeds)[0])
                _check(variant, data)
                for seed in searched:
                    mark = search_fingerprint(variant, seed, data.digest)
                    plain = selection.identity(variant, label, seed or 0, data.digest, named.overrides)
                    identities.append(replace(plain, fingerprint=mark))
                    labels[mark] = data.labels
        except MissingDataError:
            continue  # ``selection.identify`` reports it
    return identities, labels


def _check(trial: Trial, data: Dataset) -> None:
    """Refuse mistakes that only the data reveal: an unknown metric, a wrong direction, too many labels."""
    tuning, labels = trial.tuning, len(data.labels)
    if isinstance(tuning, ThresholdSearch):
        if labels > MOST_THRESHOLDS:
            raise UserError(
                f"{trial.name}: tuning.kind: {labels} thresholds are too many for a search; allowed up to "
                f"{MOST_THRESHOLDS} labels; the rules per_label and per_label_micro are exact for any number"
            )
        return
    assert isinstance(tuning, ParameterSearch)
    given = data.validation
    part = Scores(given.ids, given.y, np.full(given.y.shape, 0.5), known=given.known)
    known = evaluation.validation_metrics(part, ThresholdSpec(), tuning.metric)
    if tuning.metric not in known:
        near = nearest(tuning.metric, sorted(known)) or f"; there are, for one, {sorted(known)[0]}"
        raise UserError(f"{trial.name}: tuning.metric: no validation metric {tuning.metric!r}{near}")
    lower = tuning.metric.rpartition("/")[2] in LOWER_IS_BETTER
    if lower != (tuning.direction == "minimize"):
        raise UserError(
            f"{trial.name}: tuning.direction: {tuning.metric} is better when {'lower' if lower else 'higher'}; "
            f"use {'minimize' if lower else 'maximize'}"
        )
    if labels > MOST_WEIGHTS and any(variants.is_per_label(trial, key) for key in tuning.space):
        raise UserError(
            f"{trial.name}: tuning.space: a weight for each of {labels} labels is too many for a search; "
            f"allowed up to {MOST_WEIGHTS} labels; search weighting.strength and weighting.scale of pos_weight instead"
        )


def _open(
    identities: Sequence[Identity], labels: Mapping[str, tuple[str, ...]], where: str, storage: str
) -> list[Search]:
    """Open the record of each search. Runs whose process is gone are ended first."""
    client = connection.connect(where)
    searches = []
    for name in sorted({one.trial.study for one in identities}):
        of_study = [one for one in identities if one.trial.study == name]
        experiment = opening.open_experiment(client, name + queries.TUNING)
        queries.end_orphans(client, queries.heads(client, experiment))
        trainings = plan.trained(client, name, selection.recorded(name, where))
        follow = plan.watched(name, of_study)
        for one in of_study:
            seed = one.seed if one.trial.searches_thresholds else None
            record = opening.open_search(client, experiment, one, seed).run_id
            kept = storage if is_url(storage) else str(Path(storage) / f"{one.fingerprint[:16]}{queries.JOURNAL}")
            whole = (run.info.run_id for run in trainings.get(one.training, []) if selection.is_whole(client, run))
            source = next(whole, "")
            watch = follow(one.trial)
            searches.append(Search(one, experiment, record, kept, labels[one.fingerprint], watch, source))
    return searches


def _left(one: Search) -> int:
    """Return how many trials a search lacks, after marking those that were cut off as failed."""
    assert one.trial.tuning is not None
    return max(0, one.trial.tuning.n_trials - once_more(lambda: _counted(one)))


def _counted(one: Search) -> int:
    study = load(one)
    fail_cut_off(study, one.now)
    return len(taken(study))


def _ahead(one: Search, count: int) -> str:
    assert one.trial.tuning is not None
    total = one.trial.tuning.n_trials
    return f"search of {one.title}: {count} of {total} trials to do, {total - count} done before"


def _found(where: str, one: Search) -> str:
    return str(connection.connect(where).run(one.record).data.tags.get("found", "found nothing"))


def _is_concluded(where: str, one: Search) -> bool:
    client = connection.connect(where)
    run = client.run(one.record)
    if run.info.status != "FINISHED" or not selection.is_whole(client, run):
        return False
    return int(run.data.tags.get("trials", 0)) >= once_more(lambda: len(taken(load(one))))


def _work(where: str, one: Search, say: Say) -> str:
    """Do one trial of a search of settings, or a whole search of thresholds; return why it failed, or ""."""
    client = connection.connect(where, writing.PATIENCE)
    if one.trial.searches_thresholds:
        return search_thresholds(client, one, say)
    once_more(lambda: attempt(client, one, say))
    return ""


def _conclude(where: str, one: Search, say: Say) -> str:
    """Record what a search found, unless another process that shares it has done so.

    To record it again would open it again, and that process, which goes on to read it, would find no finished search.
    """
    wait_for_others(load(one), one.now)
    with connection.one_sums_up(where):
        return "" if _is_concluded(where, one) else once_more(lambda: conclude(where, one, say))
