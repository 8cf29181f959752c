"""Search a trial's settings, or thresholds for its scores, with Optuna: the only module that imports it.

Optuna's storage holds every trial from the moment it is asked for, so that a search that is cut off goes on where it
stopped and loses the trials in flight alone. The record in MLflow holds what came of it: one run for each search, below
it one for each trial that trains, and in it the best values, with which ``study`` runs the trial.

Without ``OPTUNA_STORAGE`` the storage is a journal file: two workers asked, reported 30 epochs of and told 40 trials in
0.8 s with it, in 4.8 s with SQLite (Optuna 5.0.0).
"""

from __future__ import annotations

import functools
import json
import os
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import fmean
from typing import Any, assert_never
from urllib.parse import urlsplit

import numpy as np
import optuna
from mlflow import MlflowClient
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.importance import FanovaImportanceEvaluator
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend, JournalFileSymlinkLock
from optuna.trial import FrozenTrial, TrialState

from rarelabels import config, evaluation, metrics, plots, results, runner, study, sweeps, thresholds, tracking
from rarelabels.datasets import Dataset
from rarelabels.engine import Engine
from rarelabels.evaluation import Scored
from rarelabels.problems import nearest
from rarelabels.progress import Progress
from rarelabels.runner import Say
from rarelabels.schema import (
    MedianPruner,
    MissingDataError,
    NoPruner,
    ParameterSearch,
    PrunerSpec,
    SamplerSpec,
    ThresholdSearch,
    TpeSampler,
    Trial,
    UserError,
)
from rarelabels.schema import RandomSampler as RandomSpec
from rarelabels.study import Named
from rarelabels.sweeps import Floats
from rarelabels.thresholds import Rule, Rules
from rarelabels.tracking import Identity, Record

JOURNALS = "optuna"  # a folder, a file in it for each search: to open one is to read it from its beginning
LOCK_SECONDS = 10  # a lock is held for milliseconds: an older one was left by a process that is gone
UNOWNED = timedelta(minutes=1)  # a running trial whose owner did not get to write its name for so long is cut off
MOST_LABELS = 20  # that a search gives a weight each
ENDED = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)


@dataclass(frozen=True)
class Search:
    """One search: of a trial, or a variant of it, and of a seed where thresholds are searched.

    Attributes:
        identity: of the trial before it is tuned, with the fingerprint of the search.
        experiment: MLflow's id of the study's experiment for searches.
        record: MLflow's id of the search's run.
        storage: the journal's path, or a URL.
        labels: of the data.
        watch: what a training follows; see ``study``.
        source: a finished run of the same training, whose scores are searched; "" trains.
    """

    identity: Identity
    experiment: str
    record: str
    storage: str
    labels: tuple[str, ...]
    watch: tuple[str, ...] = ()
    source: str = ""

    @property
    def trial(self) -> Trial:
        """The trial before it is tuned."""
        return self.identity.trial

    @property
    def title(self) -> str:
        """What people call it."""
        seed = f"seed {self.identity.seed}" if self.trial.searches_thresholds else ""
        return " ".join(filter(None, [self.trial.name, self.identity.variant, seed]))

    @property
    def name(self) -> str:
        """What Optuna calls it."""
        return f"rarelabels/{self.title} {self.identity.fingerprint[:12]}"


def search(
    wanted: Sequence[Named],
    seeds: tuple[int, ...] | None,
    where: str,
    engine: Engine,
    progress: Progress,
) -> None:
    """Bring the search of every trial, all of which declare one, to its number of trials.

    Raises:
        UserError: a mistake in a declaration, before anything is recorded; or the storage or the record do not answer.
        MissingDataError: the data of no tuned trial are here.
    """
    identities, labels = _identities(wanted, seeds)
    storage = storage_for(where)
    if _is_url(storage):
        _open_storage(storage)  # a storage that does not answer is better told before anything is recorded
    searches = _open(identities, labels, where, storage)
    left = [(one, _left(one)) for one in searches]
    unfinished = [(one, count) for one, count in left if count or not _is_concluded(where, one)]
    tasks = [one for one, count in unfinished for _ in range(1 if one.trial.searches_thresholds else count)]
    progress.say(_ahead(one, count) for one, count in left)
    progress.begin(len(tasks))
    names_of = [f"{one.trial.short_name} {number}" for number, one in enumerate(tasks)]
    work = functools.partial(_work, where)
    for position, reason in engine.map(work, tasks, lambda i, event: progress.epoch(names_of[i], event)):
        one = tasks[position]
        progress.end(names_of[position], f"search of {one.title}", 1, study.WORKER_DIED if reason is None else reason)
    ended = [one for one, _ in unfinished if not one.trial.searches_thresholds]
    for position, reason in engine.map(functools.partial(_conclude, where), ended, lambda *_: None):
        if reason:
            progress.failures.append(f"search of {ended[position].title}: {reason}")


def storage_for(where: str) -> str:
    """Return where searches are kept: ``OPTUNA_STORAGE``, else a folder beside a local record, else in ``runs/``."""
    if url := os.environ.get("OPTUNA_STORAGE"):
        return url
    local = where.startswith(tracking.SQLITE)
    return str((Path(where.removeprefix(tracking.SQLITE)).parent if local else Path("runs").resolve()) / JOURNALS)


# Planning


def _identities(
    wanted: Sequence[Named], seeds: tuple[int, ...] | None
) -> tuple[list[Identity], dict[str, tuple[str, ...]]]:
    """Return what is to be searched, once all of it can be, and the labels by fingerprint."""
    identities: list[Identity] = []
    labels: dict[str, tuple[str, ...]] = {}
    missing: list[MissingDataError] = []
    for named in wanted:
        try:
            for label, variant in config.variants(named.trial):
                tuning = variant.tuning
                own = (seeds or variant.seeds) if isinstance(tuning, ThresholdSearch) else (None,)
                data = study.checked(variant, (seeds or variant.seeds)[0])
                if isinstance(tuning, ParameterSearch):
                    _check(variant, tuning, data)
                for seed in own:
                    mark = tracking.search_fingerprint(variant, seed, data.digest)
                    plain = study.identity(variant, label, seed or 0, data.digest, named.overrides)
                    identities.append(replace(plain, fingerprint=mark))
                    labels[mark] = data.labels
        except MissingDataError as error:
            missing.append(error)
    if missing and not identities:
        raise missing[0]
    return identities, labels


def _check(trial: Trial, tuning: ParameterSearch, data: Dataset) -> None:
    """Refuse what only the data can tell: a metric that does not exist, its direction, weights for too many labels."""
    part = Scored(data.validation.ids, data.validation.y, np.full(data.validation.y.shape, 0.5))
    known = evaluation.validation_metrics(part, trial.thresholds)
    if tuning.metric not in known:
        near = nearest(tuning.metric, sorted(known)) or f"; there are, for one, {sorted(known)[0]}"
        raise UserError(f"{trial.name}: tuning.metric: no validation metric {tuning.metric!r}{near}")
    lower = tuning.metric.rpartition("/")[2] in metrics.LOWER_IS_BETTER
    if lower != (tuning.direction == "minimize"):
        raise UserError(
            f"{trial.name}: tuning.direction: {tuning.metric} is better when {'lower' if lower else 'higher'}; "
            f"use {'minimize' if lower else 'maximize'}"
        )
    if len(data.labels) > MOST_LABELS and any(config.is_per_label(trial, key) for key in tuning.space):
        raise UserError(
            f"{trial.name}: tuning.space: a weight for each of {len(data.labels)} labels is too many for a search; "
            f"allowed up to {MOST_LABELS} labels; search weighting.strength and weighting.scale of pos_weight instead"
        )


def _open(
    identities: Sequence[Identity], labels: Mapping[str, tuple[str, ...]], where: str, storage: str
) -> list[Search]:
    """Open the record of each search, and end what a process that is gone left running in it."""
    client = tracking.connect(where)
    searches = []
    for name in sorted({one.trial.study for one in identities}):
        own = [one for one in identities if one.trial.study == name]
        experiment = tracking.open_experiment(client, name + tracking.TUNING)
        tracking.end_orphans(client, tracking.all_runs(client, experiment))
        trainings = study.trained(client, name, study.recorded(name, where))
        follow = study.watched(name, own)
        for one in own:
            seed = one.seed if one.trial.searches_thresholds else None
            record = tracking.open_search(client, experiment, one, seed)
            source = trainings.get(one.training)
            searches.append(
                Search(
                    one,
                    experiment,
                    record.run_id,
                    storage if _is_url(storage) else str(Path(storage) / f"{one.fingerprint[:16]}.journal"),
                    labels[one.fingerprint],
                    watch=follow(one.trial),
                    source=source.info.run_id if source else "",
                )
            )
    return searches


def _left(one: Search) -> int:
    """Return how many trials a search lacks, once trials whose owner is gone are told as failed."""
    asked = _load(one)
    for trial in asked.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if _is_cut_off(trial):
            asked.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)
    assert one.trial.tuning is not None
    return max(0, one.trial.tuning.n_trials - len(_taken(asked)))


def _is_cut_off(trial: FrozenTrial) -> bool:
    owner = trial.user_attrs.get("owner")
    if owner:
        return tracking.is_gone(owner)
    return trial.datetime_start is None or datetime.now() - trial.datetime_start > UNOWNED


def _taken(asked: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that count: ended ones but for those that were cut off, and those in flight."""
    states = (*ENDED, TrialState.RUNNING)
    found = asked.get_trials(deepcopy=False, states=states)
    return [trial for trial in found if trial.state != TrialState.FAIL or "reason" in trial.user_attrs]


def _finished(asked: optuna.Study) -> list[FrozenTrial]:
    return asked.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _ahead(one: Search, count: int) -> str:
    assert one.trial.tuning is not None
    total = one.trial.tuning.n_trials
    return f"search of {one.title}: {count} of {total} trials to do, {total - count} done before"


def _is_concluded(where: str, one: Search) -> bool:
    run = tracking.connect(where).get_run(one.record)
    return run.info.status == "FINISHED" and int(run.data.tags.get("trials", 0)) >= len(_taken(_load(one)))


# Storage


def _open_storage(url: str) -> BaseStorage:
    """Open, and create if need be, what keeps the searches.

    Raises:
        UserError: it does not answer or cannot be made.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        if _is_url(url):
            return RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
        Path(url).parent.mkdir(parents=True, exist_ok=True)
        lock = JournalFileSymlinkLock(url, grace_period=LOCK_SECONDS)
        _drop_half_a_line(Path(url), lock)
        return JournalStorage(JournalFileBackend(url, lock_obj=lock))
    except Exception as error:
        secret = urlsplit(url).password if _is_url(url) else None
        shown = url.replace(secret, "***") if secret else url
        if isinstance(error, ImportError):
            raise UserError(
                f"OPTUNA_STORAGE {shown!r}: its driver is not installed; pip install 'psycopg[binary]'"
            ) from error
        raise UserError(
            f"OPTUNA_STORAGE {shown!r} does not answer ({type(error).__name__}); start the database, correct the "
            f"variable, or unset it to use a file beside the record"
        ) from error


def _is_url(storage: str) -> bool:
    return "://" in storage


def _drop_half_a_line(journal: Path, lock: JournalFileSymlinkLock) -> None:
    """Cut off what a process that was killed, or a full disk, left of a line: Optuna could not read on behind it."""
    if not journal.exists() or _is_whole(journal):
        return
    lock.acquire()
    try:
        if not _is_whole(journal):  # else another process was about to end the line
            written = journal.read_bytes()
            os.truncate(journal, written.rfind(b"\n") + 1)
    finally:
        lock.release()


def _is_whole(journal: Path) -> bool:
    with journal.open("rb") as file:
        if not file.seek(0, os.SEEK_END):
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _load(one: Search) -> optuna.Study:
    tuning = one.trial.tuning
    assert tuning is not None
    return optuna.create_study(
        storage=_open_storage(one.storage),
        study_name=one.name,
        direction=tuning.direction if isinstance(tuning, ParameterSearch) else "maximize",
        sampler=_SeededByNumber(tuning.sampler, one.identity.seed),
        pruner=_pruner(tuning.pruner) if isinstance(tuning, ParameterSearch) else optuna.pruners.NopPruner(),
        load_if_exists=True,
    )


class _SeededByNumber(BaseSampler):
    """The declared sampler, seeded anew for each trial by its number.

    A search that goes on, or that two processes share, would otherwise draw again what it has drawn before.
    """

    def __init__(self, spec: SamplerSpec, seed: int) -> None:
        self._spec, self._seed = spec, seed
        self._sampler = _sampler(spec, spec.seed)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Make the sampler of this trial."""
        (seed,) = np.random.SeedSequence([self._spec.seed, self._seed, trial.number]).generate_state(1)
        self._sampler = _sampler(self._spec, int(seed))
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """As the sampler does."""
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """As the sampler does."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """As the sampler does."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """As the sampler does."""
        self._sampler.after_trial(study, trial, state, values)


def _sampler(spec: SamplerSpec, seed: int) -> BaseSampler:
    match spec:
        case TpeSampler():
            return TPESampler(
                n_startup_trials=spec.n_startup_trials,
                n_ei_candidates=spec.n_ei_candidates,
                multivariate=spec.multivariate,
                constant_liar=spec.constant_liar,
                seed=seed,
            )
        case RandomSpec():
            return RandomSampler(seed=seed)
        case _:
            assert_never(spec)


def _pruner(spec: PrunerSpec) -> optuna.pruners.BasePruner:
    match spec:
        case NoPruner():
            return optuna.pruners.NopPruner()
        case MedianPruner():
            return optuna.pruners.MedianPruner(spec.n_startup_trials, spec.n_warmup_epochs)
        case _:
            assert_never(spec)


# In a worker


def _work(where: str, one: Search, say: Say) -> str:
    """Do one trial of a search of parameters, or a whole search of thresholds; return why it failed, or ""."""
    client = tracking.connect(where)
    if one.trial.searches_thresholds:
        return _search_thresholds(client, one, say)
    _try(client, one, say)
    return ""


def _try(client: MlflowClient, one: Search, say: Say) -> None:
    """Ask for one more trial, train it, and tell what came of it; a failure of its own is part of the search."""
    asked_of, tuning = _load(one), one.trial.tuning
    assert isinstance(tuning, ParameterSearch)
    if len(_taken(asked_of)) >= tuning.n_trials:  # another process was faster
        return
    if not asked_of.get_trials(deepcopy=False):
        asked_of.enqueue_trial(_declared_values(one), skip_if_exists=True)
    asked = asked_of.ask(_distributions(one))
    asked.set_user_attr("owner", tracking.owner())
    if sum(trial.number < asked.number for trial in _taken(asked_of)) >= tuning.n_trials:
        asked_of.tell(asked, state=TrialState.FAIL)  # without a reason: it does not count
        return
    values = _values(one, asked.params)
    record = tracking.start_tried(client, one.experiment, one.record, one.trial, asked.number)
    asked.set_user_attr("run", record.run_id)
    record.params(asked.params)
    try:
        measured = _same(asked_of, asked, tuning) or _measure(one, values, asked, record, say)
        value = measured[tuning.metric]
        record.metrics(measured)
        asked_of.tell(asked, value)
        Record(client, one.record).metrics({"search/value": value}, step=asked.number)
        record.tags({"state": "complete"})
        record.finish()
    except optuna.TrialPruned as pruned:
        asked_of.tell(asked, state=TrialState.PRUNED)
        record.tags({"state": "pruned"})
        record.stop(str(pruned))
    except Exception as error:
        reason = runner.failure(error)
        asked.set_user_attr("reason", reason)
        asked_of.tell(asked, state=TrialState.FAIL)
        record.tags({"state": "failed"})
        record.fail(reason)


def _distributions(one: Search) -> dict[str, BaseDistribution]:
    tuning = one.trial.tuning
    assert isinstance(tuning, ParameterSearch)
    found: dict[str, BaseDistribution] = {}
    for key, values in tuning.space.items():
        if values.choices is not None:
            found[key] = CategoricalDistribution(values.choices)
            continue
        assert values.low is not None
        assert values.high is not None
        if config.is_per_label(one.trial, key):
            found |= {
                f"{key}.{label}": FloatDistribution(values.low, values.high, log=values.log) for label in one.labels
            }
        elif config.is_whole(one.trial, key):
            found[key] = IntDistribution(int(values.low), int(values.high), log=values.log)
        else:
            found[key] = FloatDistribution(values.low, values.high, log=values.log)
    return found


def _values(one: Search, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the trial's keys for Optuna's parameters: those of the labels make one mapping."""
    tuning = one.trial.tuning
    assert isinstance(tuning, ParameterSearch)
    return {
        key: {label: params[f"{key}.{label}"] for label in one.labels}
        if config.is_per_label(one.trial, key)
        else params[key]
        for key in tuning.space
    }


def _declared_values(one: Search) -> dict[str, Any]:
    """Return the trial's own values where the search space has them: the search begins with the declaration."""
    flat = config.flat(one.trial)
    return {
        key: flat[key]
        for key, values in _distributions(one).items()
        if key in flat and flat[key] is not None and values._contains(values.to_internal_repr(flat[key]))
    }


def _same(asked_of: optuna.Study, asked: optuna.Trial, tuning: ParameterSearch) -> dict[str, float]:
    """Return the value of an earlier trial with the same parameters, so that none is trained twice."""
    same = (one for one in _finished(asked_of) if one.params == asked.params)
    return next(({tuning.metric: float(one.values[0])} for one in same), {})


def _measure(
    one: Search, values: Mapping[str, object], asked: optuna.Trial, record: Record, say: Say
) -> dict[str, float]:
    """Train with each seed of the search and return the mean of the validation metrics; test is not looked at.

    Raises:
        TrialPruned: the objective after an epoch is worse than the pruner lets go on.
    """
    tried, tuning = config.with_values(one.trial, values), one.trial.tuning
    assert isinstance(tuning, ParameterSearch)
    measured = []
    for place, seed in enumerate(tuning.seeds):
        data, weights = runner.load(tried, seed)

        def on_epoch(epoch: int, curves: dict[str, float], seed: int = seed, place: int = place) -> None:
            record.metrics({f"curve/seed_{seed}_{name}": value for name, value in curves.items()}, step=epoch)
            say({"epoch": epoch, "epochs": tried.training.epochs, "loss": curves["loss"]})
            if "objective" in curves:
                asked.report(curves["objective"], place * tried.training.epochs + epoch)
                if asked.should_prune():
                    raise optuna.TrialPruned(
                        f"pruned after epoch {epoch} of seed {seed}: {tuning.metric} {curves['objective']:.4f}"
                    )

        validation = data.validation
        objective = None
        if not isinstance(tuning.pruner, NoPruner):
            objective = evaluation.objective(tuning.metric, validation.y, tried.thresholds)
        fitted = runner.fit(tried, seed, data, weights, (), on_epoch, objective)
        part = Scored(validation.ids, validation.y, fitted.scores(validation))
        measured.append(evaluation.validation_metrics(part, tried.thresholds))
    return {name: fmean(one[name] for one in measured) for name in measured[0] if all(name in one for one in measured)}


def _conclude(where: str, one: Search, _: Say) -> str:
    """Record what a search of parameters found, once no other process is at it; return why it found nothing, or ""."""
    client, asked_of, tuning = tracking.connect(where), _load(one), one.trial.tuning
    assert isinstance(tuning, ParameterSearch)
    _wait_for_others(asked_of)
    record = Record(client, one.record)
    record.go_on()
    trials = [trial for trial in _taken(asked_of) if trial.state in ENDED]
    counts = {state.name.lower(): sum(trial.state == state for trial in trials) for state in ENDED}
    if not counts["complete"]:
        reason = next(
            (trial.user_attrs["reason"] for trial in trials if "reason" in trial.user_attrs), "all were pruned"
        )
        record.fail(reason)
        return f"none of its {len(trials)} trials could be finished: {reason}"
    best = asked_of.best_trial
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {"values": _values(one, best.params), "value": best.value, "metric": tuning.metric}
        (folder / "best.json").write_text(
            json.dumps(found | {"number": best.number, **counts}, indent=1, ensure_ascii=False), encoding="utf-8"
        )
        _save_history(asked_of, tuning.metric, one.title, folder)
        record.files(folder)
    record.metrics({"search/best": float(best.values[0]), **{f"search/{state}": n for state, n in counts.items()}})
    told = ", ".join(f"{key} = {_short(value)}" for key, value in best.params.items())
    counted = f"{len(trials)} trials, {counts['pruned']} pruned, {counts['fail']} failed"
    record.tags({"trials": len(trials), "found": f"{told} ({tuning.metric} {best.values[0]:.4f}; {counted})"})
    record.finish()
    return "" if len(trials) >= tuning.n_trials else f"{tuning.n_trials - len(trials)} trials were cut off; call again"


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _wait_for_others(asked_of: optuna.Study) -> None:
    """Wait while trials of another process, which is alive, are in flight."""
    while any(not _is_cut_off(one) for one in asked_of.get_trials(deepcopy=False, states=(TrialState.RUNNING,))):
        time.sleep(1)


def _save_history(asked_of: optuna.Study, metric: str, title: str, folder: Path) -> None:
    """Write ``trials.csv``, and the figures of the search: its history, the importance of each key, and slices."""
    trials = asked_of.trials_dataframe()
    trials.to_csv(folder / "trials.csv", index=False)
    lower = asked_of.direction == optuna.study.StudyDirection.MINIMIZE
    figures = {"history": plots.search_history(trials, metric, title, lower_is_better=lower)}
    space = asked_of.best_trial.distributions
    scales = {key: bool(getattr(values, "log", False)) for key, values in space.items()}
    figures["slices"] = plots.slices(trials, scales, metric, title)
    if trials.loc[trials["state"] == "COMPLETE", "value"].nunique() > 1:  # else there is no variance to explain
        found = optuna.importance.get_param_importances(asked_of, evaluator=FanovaImportanceEvaluator(seed=0))
        figures["importance"] = plots.importances(found, metric, title)
    (folder / "figures").mkdir()
    for name, figure in figures.items():
        plots.save(figure, folder / "figures" / f"{name}.png")


# Thresholds


def _search_thresholds(client: MlflowClient, one: Search, say: Say) -> str:
    """Search thresholds for the scores of one training, which is recorded first, in the search's own run."""
    record, tuning = Record(client, one.record), one.trial.tuning
    assert isinstance(tuning, ThresholdSearch)
    record.go_on()
    try:
        if "trained" not in client.get_run(one.record).data.tags:
            runner.train_or_copy(one.identity, one.source, one.watch, record, say)
            record.tags({"trained": "yes"})
        _, validation, _ = results.raw_scores(client, one.record)
        validation = evaluation.calibrated(validation, one.trial.thresholds)
        asked_of = _load(one)
        facts, rules = _find_thresholds(asked_of, one, tuning, validation)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            stored = thresholds.to_json(rules, one.labels)
            (folder / "thresholds.json").write_text(json.dumps(stored, indent=1, ensure_ascii=False), encoding="utf-8")
            _save_history(asked_of, f"validation {tuning.metric}", one.title, folder)
            record.files(folder)
        record.metrics(facts)
        record.curves(("search/value", trial.number, trial.values[0]) for trial in _finished(asked_of))
        told = (
            "seed {seed}: {trials} trials reach a {metric} of {best:.4f} on validation in {seconds:.1f} s, coordinate "
            "ascent {ascent:.4f} in {ascent_seconds:.3f} s; the exact thresholds per label have {per_label:.4f}"
        )
        numbers = {name.removeprefix("search/"): value for name, value in facts.items()}
        told = told.format(seed=one.identity.seed, trials=tuning.n_trials, metric=tuning.metric, **numbers)
        record.tags({"trials": tuning.n_trials, "found": told})
    except Exception as error:
        reason = runner.failure(error)
        record.fail(reason)
        return reason
    record.finish()
    return ""


def _find_thresholds(
    asked_of: optuna.Study, one: Search, tuning: ThresholdSearch, validation: Scored
) -> tuple[dict[str, float], Rules]:
    """Return what the search, coordinate ascent and the exact sweep reach on validation, at what cost; and rules."""
    y, scores = validation.y, validation.scores
    began = time.monotonic()
    exact = sweeps.best_thresholds(y, scores).thresholds
    swept = time.monotonic()
    common = np.full(len(one.labels), sweeps.best_common_threshold(y, scores, "micro_f1").threshold)
    start = exact if tuning.warm_start else common
    climbing = time.monotonic()
    ascent = sweeps.coordinate_ascent(y, scores, tuning.metric, start)
    climbed = time.monotonic()
    ordered = -np.sort(-scores, axis=0)

    def cut(params: Mapping[str, int]) -> Floats:
        """A parameter is how many rows get the label, plus one: the same steps for rare and frequent labels."""
        return sweeps.thresholds_for_counts(ordered, [params[label] - 1 for label in one.labels])

    def value(found: Floats) -> float:
        return metrics.decision_metrics(y, scores >= found)[tuning.metric]

    if not asked_of.get_trials(deepcopy=False):
        counts = np.count_nonzero(scores >= start, axis=0)
        asked_of.enqueue_trial(dict(zip(one.labels, (counts + 1).tolist(), strict=True)))
    space: dict[str, BaseDistribution] = {label: IntDistribution(1, len(y) + 1, log=True) for label in one.labels}
    while len(_taken(asked_of)) < tuning.n_trials:
        asked = asked_of.ask(space)
        asked.set_user_attr("owner", tracking.owner())
        asked_of.tell(asked, value(cut(asked.params)))
    searched = cut(asked_of.best_trial.params)
    facts = {
        "search/best": value(searched),
        "search/start": value(start),
        "search/ascent": value(ascent.thresholds),
        "search/per_label": value(exact),
        "search/seconds": sum(one.duration.total_seconds() for one in _finished(asked_of) if one.duration),
        "search/ascent_seconds": climbed - climbing,
        "search/per_label_seconds": swept - began,
    }
    found = {"searched": searched, "ascent": ascent.thresholds}
    return facts, {name: Rule(name, chosen, fallbacks=0) for name, chosen in found.items()}
