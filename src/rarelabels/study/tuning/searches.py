"""One search: where Optuna keeps it, how trials are drawn, and which of them count."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, assert_never

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from rarelabels.declare.trial import Trial
from rarelabels.declare.tuning import MedianPruner, NoPruner, ParameterSearch, PrunerSpec, SamplerSpec, TpeSampler
from rarelabels.declare.tuning import RandomSampler as RandomSpec
from rarelabels.errors import UserError, without_password
from rarelabels.record import (
    bounds,  # noqa: F401  of Optuna's connections, too: to import it is to set them
    lease,
)
from rarelabels.record.client import reader
from rarelabels.record.connection import is_url
from rarelabels.record.identities import Identity
from rarelabels.study.tuning.journal import Journal

UNOWNED_SECONDS = 10  # a running trial whose owner does not write its name while one looks so long is cut off
AWAY_SECONDS = 600  # that a database may be away while a search goes on
TABLE_SECONDS = 20  # that another process may take to make a database's tables
SILENT_SECONDS = AWAY_SECONDS + 2 * lease.RENEWED_EVERY  # then others do not wait for a process any more
_UNOWNED: dict[tuple[int, datetime | None], float] = {}  # trials: when this process first saw that nobody owns them
T = TypeVar("T")
Now = Callable[[], float]
# The storage went away (the second is raised when a transaction is rolled back), or for so long that others gave up.
CUT_OFF = (StorageInternalError, OperationalError, UpdateFinishedTrialError)
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

    def now(self) -> float:
        """Return the time by the clock of the storage: of a file's machine, or of a database's."""
        return reader(self.storage).now() if is_url(self.storage) else time.time()


# Which trials count


def beat(trial: optuna.Trial, now: Now) -> None:
    """Say that this process runs a trial and is alive; ``now`` is the clock of the storage."""
    trial.set_user_attr("owner", lease.owner())
    trial.set_user_attr("alive", now())


def is_cut_off(trial: FrozenTrial, now: Now) -> bool:
    """Return whether a trial that has not ended never will: its process is gone, or on another machine and silent.

    When it began is written by the clock of its machine, which may be wrong: how long nobody owns it is seen here.
    """
    owner, alive = trial.user_attrs.get("owner"), trial.user_attrs.get("alive")
    if owner is None or alive is None:
        since = _UNOWNED.setdefault((trial.number, trial.datetime_start), time.monotonic())
        return time.monotonic() - since > UNOWNED_SECONDS
    return lease.is_gone(owner) or now() - float(alive) > SILENT_SECONDS


@contextmanager
def in_flight(asked_of: optuna.Study, asked: optuna.Trial, now: Now) -> Iterator[None]:
    """Beat for a trial while the block runs; tell it as failed, without a reason: as cut off, if the block raises.

    This process may live on, and whoever waits for the trial would take it for one in flight.
    """
    try:
        once_more(lambda: beat(asked, now))
        with lease.renewed(lambda: beat(asked, now)):
            yield
    except BaseException:
        with suppress(Exception):  # the storage may be what it died of; then others wait
            tell(asked_of, asked, state=TrialState.FAIL)
        raise


def fail_cut_off(asked: optuna.Study, now: Now) -> None:
    """Tell the trials that never will end as failed; without a reason they do not count."""
    while any("alive" not in one.user_attrs and not is_cut_off(one, now) for one in _running(asked)):
        time.sleep(0.1)  # it has just begun, or its process is gone
    for trial in _running(asked):
        if is_cut_off(trial, now):
            tell(asked, trial.number, state=TrialState.FAIL)


def _running(asked: optuna.Study) -> list[FrozenTrial]:
    return asked.get_trials(deepcopy=False, states=(TrialState.RUNNING,))


def taken(asked: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that count: ended ones but for those that were cut off, and those in flight."""
    states = (*ENDED, TrialState.RUNNING)
    found = asked.get_trials(deepcopy=False, states=states)
    return [trial for trial in found if trial.state != TrialState.FAIL or "reason" in trial.user_attrs]


def finished(asked: optuna.Study) -> list[FrozenTrial]:
    """Return the trials that were trained to their end."""
    return asked.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def wait_for_others(asked_of: optuna.Study, now: Now) -> None:
    """Wait while trials of another process, which is alive, are in flight."""
    while any(not is_cut_off(one, now) for one in once_more(lambda: _running(asked_of))):
        time.sleep(1)


# Where they are kept


def open_storage(url: str, patience: float = 0) -> BaseStorage:
    """Open, and create if need be, what keeps the searches.

    Args:
        url: of a database, or the path of a journal.
        patience: seconds that a database may be away now. Later it may be away for some minutes in any case.

    Raises:
        UserError: it does not answer, cannot be made, or is damaged.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        if is_url(url):
            return _open_database(url, patience)
        Path(url).parent.mkdir(parents=True, exist_ok=True)
        return JournalStorage(Journal(Path(url)))
    except UserError:
        raise
    except Exception as error:
        if not is_url(url):
            raise UserError(f"{url}: the searches cannot be kept there: {error}") from error
        raise _no_answer(url, error) from error


@lru_cache(maxsize=4)
def _open_database(url: str, patience: float) -> RDBStorage:
    """Open a database; where another process is making Optuna's tables at this moment, once it has made them.

    A process opens it once: one opened for each trial keeps connections, of which a database has a hundred.
    """
    began = time.monotonic()
    while True:
        try:
            storage = RDBStorage(url, engine_kwargs={"pool_pre_ping": True})
            event.listen(storage.engine, "do_connect", _connect_patiently)
            return storage
        except (IntegrityError, ProgrammingError):
            if time.monotonic() > began + TABLE_SECONDS:
                raise
        except OperationalError:
            if time.monotonic() > began + patience:
                raise
        time.sleep(1)


def _connect_patiently(dialect: Any, _: Any, arguments: list[Any], named: dict[str, Any]) -> Any:
    """Connect to a database that may be away for a while."""
    until = time.monotonic() + AWAY_SECONDS
    while True:
        try:
            return dialect.connect(*arguments, **named)
        except dialect.loaded_dbapi.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(1)


def once_more(ask: Callable[[], T]) -> T:
    """Ask the storage for something, or tell it, again if its database went away in the middle of it."""
    try:
        return ask()
    except CUT_OFF:
        return ask()  # with a new connection, which waits for it to come back


def tell(
    asked_of: optuna.Study, asked: optuna.Trial | int, value: float | None = None, state: TrialState | None = None
) -> None:
    """Tell what came of a trial; one that was told before, or by another process at this moment, stays as it is.

    The first attempt may have arrived, and its answer been lost; or others thought this process gone.
    """
    with suppress(UpdateFinishedTrialError):
        once_more(lambda: asked_of.tell(asked, value, state, skip_if_finished=True))


@contextmanager
def answering(url: str) -> Iterator[None]:
    """Say in one line that the storage went away for long while a block runs."""
    try:
        yield
    except (*CUT_OFF, SQLAlchemyError) as error:
        raise _no_answer(url, error) from error


def _no_answer(url: str, error: Exception) -> UserError:
    shown = without_password(url)
    if isinstance(error, ImportError):
        return UserError(f"OPTUNA_STORAGE {shown!r}: its driver is not installed; pip install 'psycopg[binary]'")
    return UserError(
        f"OPTUNA_STORAGE {shown!r} does not answer ({type(error).__name__}); start the database, correct the "
        f"variable, or unset it to use a file beside the record"
    )


def load(one: Search, begin: Mapping[str, Any] | None = None) -> optuna.Study:
    """Return Optuna's study of a search, begun if need be, with the declared sampler and pruner.

    Args:
        one: the search.
        begin: parameters that its first trial is to have; see ``SeededByNumber``.
    """
    tuning = one.trial.tuning
    assert tuning is not None
    storage = open_storage(one.storage, AWAY_SECONDS)  # it has answered before
    return once_more(
        lambda: optuna.create_study(
            storage=storage,
            study_name=one.name,
            direction=tuning.direction if isinstance(tuning, ParameterSearch) else "maximize",
            sampler=SeededByNumber(tuning.sampler, one.identity.seed, begin),
            pruner=_pruner(tuning.pruner) if isinstance(tuning, ParameterSearch) else optuna.pruners.NopPruner(),
            load_if_exists=True,
        )
    )


class SeededByNumber(BaseSampler):
    """The declared sampler, seeded anew for each trial by its number; the first trial has given parameters.

    A search that goes on, or that two processes share, would otherwise draw again what it has drawn before. For the
    same reason the given parameters are not put into Optuna's queue: two processes that begin at once would both.
    """

    def __init__(self, spec: SamplerSpec, seed: int, begin: Mapping[str, Any] | None = None) -> None:
        self._spec, self._seed, self._begin = spec, seed, begin or {}
        self._given: Mapping[str, Any] = {}
        self._sampler = _sampler(spec, spec.seed)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Make the sampler of this trial; give it the parameters to begin with unless an earlier one that counts has.

        An earlier trial that is being asked for at this moment has no parameters yet: it will have these.
        """
        earlier = [one for one in taken(study) if one.number < trial.number]
        begin = self._begin.items()
        have = any(all(one.params.get(key, value) == value for key, value in begin) for one in earlier)
        self._given = {} if have else self._begin
        (seed,) = np.random.SeedSequence([self._spec.seed, self._seed, trial.number]).generate_state(1)
        self._sampler = _sampler(self._spec, int(seed))
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """As the sampler does."""
        return {} if self._given else self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """As the sampler does."""
        return {} if self._given else self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Give what is given, or do as the sampler does."""
        if param_name in self._given:
            return self._given[param_name]
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
