"""Where Optuna keeps a search, and what to do when the storage goes away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import optuna
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.trial import TrialState
from sqlalchemy import event
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, SQLAlchemyError

from rarelabels.errors import UserError
from rarelabels.extras import missing
from rarelabels.record.connection import is_url
from rarelabels.study.tuning.journal import Journal

AWAY_SECONDS = 600  # that a database may be away while a search goes on
TABLE_SECONDS = 20  # that another process may take to make a database's tables
T = TypeVar("T")
# The storage went away (the second is raised when a transaction is rolled back), or so long that others gave up.
CUT_OFF = (StorageInternalError, OperationalError, UpdateFinishedTrialError)


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


def once_more(do: Callable[[], T]) -> T:
    """Do something with the storage, once more if its database went away in the middle of it."""
    try:
        return do()
    except CUT_OFF:
        return do()  # with a new connection, which waits for it to come back


def tell(
    study: optuna.Study, optuna_trial: optuna.Trial | int, value: float | None = None, state: TrialState | None = None
) -> None:
    """Report the end of a trial to Optuna; a trial that has ended before stays as it is.

    It may have ended by an attempt of this process whose answer was lost, or by another process that found this one
    silent.
    """
    with suppress(UpdateFinishedTrialError):
        once_more(lambda: study.tell(optuna_trial, value, state, skip_if_finished=True))


@contextmanager
def answering(url: str) -> Iterator[None]:
    """Say in one line that the storage went away for long while a block runs."""
    try:
        yield
    except (*CUT_OFF, SQLAlchemyError) as error:
        raise _no_answer(url, error) from error


def _no_answer(url: str, error: Exception) -> UserError:
    if isinstance(error, ImportError):
        return UserError(missing("psycopg", f"OPTUNA_STORAGE {url!r}"))
    return UserError(
        f"OPTUNA_STORAGE {url!r} does not answer ({type(error).__name__}); start the database, correct the "
        f"variable, or unset it to use a file beside the record"
    )
