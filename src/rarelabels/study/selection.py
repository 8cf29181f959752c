"""From names to runs: named trials, their variants and seeds, on data that this machine has."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rarelabels.data import loading
from rarelabels.data.dataset import Dataset
from rarelabels.data.describe import describe
from rarelabels.declare import variants
from rarelabels.declare.data import DatasetSpec
from rarelabels.declare.find import load_many
from rarelabels.declare.models import NetworkSpec
from rarelabels.declare.trial import Trial
from rarelabels.errors import MissingDataError, NotSearchedError, UserError
from rarelabels.learn import preprocessing, weighting
from rarelabels.learn.baselines import baseline
from rarelabels.record import connection, damage, queries, reading, run_files
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.record.identities import Identity, fingerprints, search_fingerprint
from rarelabels.record.reading import RunKey

IsKnown = Callable[[Sequence[Identity]], bool]
NOTHING_SAID: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Named:
    """A trial with its overrides applied.

    Attributes:
        trial: with the overrides.
        overrides: the overrides as text; empty if they do not change this trial.
    """

    trial: Trial
    overrides: str


@dataclass(frozen=True)
class Selection:
    """The runs of named trials.

    Attributes:
        identities: the runs.
        skipped: why trials were skipped, by name: their data are not here, or their search is not finished.
        data: a line for each data set that was loaded.
    """

    identities: list[Identity]
    skipped: dict[str, str]
    data: list[str]


class Searches:
    """The searches of a record. Those of a study are read once, when its first tuned trial needs them."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._of_study: dict[str, dict[str, Run]] = {}

    def find(self, trial: Trial, variant: str, seed: int | None, digest: str) -> Run:
        """Return the run of a trial's search.

        Args:
            trial: declares a search.
            variant: of the trial.
            seed: of a search of thresholds; None for a search of settings, which has no seed.
            digest: of the data.

        Raises:
            NotSearchedError: the search is not recorded, or does not have all its trials yet.
        """
        if trial.study not in self._of_study:
            self._of_study[trial.study] = reading.searches(recorded(trial.study + queries.TUNING, self._where))
        search = self._of_study[trial.study].get(search_fingerprint(trial, seed, digest))
        done = int(search.data.tags["trials"]) if search else 0
        assert trial.tuning is not None
        if search is None or done < trial.tuning.n_trials:
            so_far = f"its search has {done} of {trial.tuning.n_trials} trials" if done else "not searched yet"
            so_far += f" ({variant})" if variant else ""
            raise NotSearchedError(f"{so_far}; `rarelabels run {trial.name}` searches")
        return search

    def best(self, search: Run) -> dict[str, object]:
        """Return the best values of a search of settings, by dotted key.

        Raises:
            NotSearchedError: the file with the best values is damaged.
        """
        try:
            return reading.best(connection.connect(self._where), search.info.run_id)
        except run_files.DamagedError as error:
            raise NotSearchedError(str(error)) from error


def identify(
    names: Sequence[str],
    overrides: Mapping[str, object],
    seeds: tuple[int, ...] | None = None,
    is_known: IsKnown = lambda _: False,
) -> Selection:
    """Return every run of the named trials: trials × variants × seeds.

    A trial is skipped if its data are not here, or if it declares a search that is not finished. A tuned trial has the
    best values of its search. Each data set is loaded once here, before anything is recorded. That fills the cache, and
    a mistake in the data is reported at once.

    Args:
        names: of trials, of studies, or paths.
        overrides: values by dotted key.
        seeds: used instead of the declared seeds.
        is_known: returns whether the runs of a trial were made before; the data of such a trial need no check and are
            not loaded.

    Raises:
        UserError: see ``find.load_many``, ``loading.load``, ``preprocessing.check``, ``baseline.check`` and
            ``weighting.weights``.
        MissingDataError, NotSearchedError: all trials are skipped.
    """
    return identify_trials(load(names, overrides), seeds, is_known, Searches(connection.uri()))


def identify_trials(
    declared: Sequence[Named], seeds: tuple[int, ...] | None, is_known: IsKnown, searches: Searches
) -> Selection:
    """Return every run of declared trials, and why others are skipped; see :func:`identify`."""
    identities: list[Identity] = []
    skipped: dict[str, UserError] = {}
    read: dict[str, str] = {}
    for named in declared:
        for label, variant in variants.variants(named.trial):
            try:
                identities += _runs(variant, label, seeds, named.overrides, read, searches, is_known)
            except (MissingDataError, NotSearchedError) as error:
                skipped[" ".join(filter(None, [named.trial.name, label]))] = error
    if skipped and not identities:
        name, reason = next(iter(skipped.items()))
        raise reason if isinstance(reason, MissingDataError) else NotSearchedError(f"{name}: {reason}")
    return Selection(identities, {name: reason_of(name, error) for name, error in skipped.items()}, list(read.values()))


def reason_of(name: str, error: UserError) -> str:
    """Return why a trial is skipped, without its name."""
    return str(error).removeprefix(f"{name}: ")


def by_reason(skipped: Mapping[str, str]) -> list[str]:
    """Return a line for each reason why trials are skipped, with their names."""
    names: dict[str, list[str]] = {}
    for name, reason in skipped.items():
        names.setdefault(reason, []).append(name)
    return [f"{', '.join(having)}: {reason}" for reason, having in names.items()]


def load(names: Sequence[str], overrides: Mapping[str, object]) -> list[Named]:
    """Return every named trial.

    Raises:
        UserError: see ``find.load_many``.
    """
    declared = load_many(names)
    changed = load_many(names, overrides) if overrides else declared
    text = " ".join(f"{key}={json.dumps(value)}" for key, value in overrides.items())

    def what(trial: Trial) -> object:
        return trial.definition(), trial.dataset, trial.tuning

    return [
        Named(trial, text if what(trial) != what(plain) else "") for trial, plain in zip(changed, declared, strict=True)
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
    searched: dict[int, Run] = {}
    if trial.tuning:
        searched_by_seed = trial.searches_thresholds
        searched = {seed: searches.find(trial, variant, seed if searched_by_seed else None, digest) for seed in seeds}
        if not searched_by_seed:
            trial = variants.with_values(trial, searches.best(searched[seeds[0]]))
    by_seed = {seed: search.info.run_id for seed, search in searched.items()}
    identities = with_seeds(trial, variant, seeds, digest, changed, by_seed)
    if not is_known(identities):
        read[digest] = describe(trial.dataset, checked(declared, seeds[0]))
    return identities


def done_before(studies: Sequence[str], where: str, *, force: bool = False) -> IsKnown:
    """Return a function that tells whether all runs of a trial are finished and have all their files.

    With ``force`` the function is always False.
    """
    finished: dict[RunKey, list[Run]] = {}
    for study in () if force else studies:
        finished |= reading.finished(recorded(study, where))
    client = connection.connect(where) if finished else None

    def is_done(one: Identity) -> bool:
        return client is not None and any(is_whole(client, run) for run in finished.get(run_key(one), ()))

    return lambda runs: all(map(is_done, runs))


def is_whole(client: Client, run: Run) -> bool:
    """Return whether a run has all its files; the contents of large ones are not read."""
    return not damage.faults(client, run, deep=False)


def run_key(one: Identity) -> RunKey:
    """Return the key that a recorded run shares with this run if it is the same run."""
    return one.trial.name, one.variant, one.overrides, one.fingerprint


def with_seeds(
    trial: Trial,
    variant: str,
    seeds: Sequence[int],
    digest: str,
    changed: str,
    searches: Mapping[int, str] | None = None,
) -> list[Identity]:
    """Return the runs of a trial, one for each seed.

    Args:
        trial: with its overrides and its tuned values.
        variant: what it varies, as text; empty if nothing is varied.
        seeds: of the runs.
        digest: of the data.
        changed: the overrides as text.
        searches: the ids of the searches that tuned the trial, by seed.
    """
    prints = fingerprints(trial, seeds, digest)
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
    """Return the run of a trial with one seed."""
    return with_seeds(trial, variant, [seed], digest, changed)[0]


def recorded(study: str, where: str, *, with_metrics: bool = False) -> list[Run]:
    """Return all recorded runs of a study, oldest first. To read their metrics too takes long.

    Raises:
        UserError: the record does not answer.
    """
    if not connection.is_begun(where):
        return []
    client = connection.connect(where)
    experiment = queries.find_experiment(client, study)
    if experiment is None:
        return []
    return queries.all_runs(client, experiment) if with_metrics else queries.heads(client, experiment)


def checked(trial: Trial, seed: int) -> Dataset:
    """Check that a trial can run on its data, and return the data.

    Raises:
        UserError: the trial cannot run on them; the message names it.
    """
    data = _data(trial.dataset, seed)
    try:
        if isinstance(trial.model, NetworkSpec):
            preprocessing.check(trial.model, data)
            preprocessing.check_output(trial.model, trial.training, data)
        else:
            baseline.check(trial.model, data)
        weighting.of_training(trial.weighting, data)
    except UserError as error:
        raise UserError(f"{trial.name}: {error}") from error
    return data


@functools.lru_cache(maxsize=64)
def _digest(spec: DatasetSpec) -> str:
    return loading.digest(spec)


@functools.lru_cache(maxsize=1)
def _data(spec: DatasetSpec, seed: int) -> Dataset:
    return loading.load(spec, seed)
