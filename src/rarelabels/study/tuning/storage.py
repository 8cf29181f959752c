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

AWAY_SECONDS = 600  # a database may be away for so long while a search goes on
TABLE_SECONDS = 20  # another process may take so long to make a database's tables
T = TypeVar("T")
# The storage went away. The second error comes when a transaction is rolled back. The third comes when the storage was
# away for so long that another process has ended this trial.
CUT_OFF = (StorageInternalError, OperationalError, UpdateFinishedTrialError)


def open_storage(url: str, patience: float = 0) -> BaseStorage:
    """Open the storage of the searches, and create it if it does not exist.

    Args:
        url: of a database, or the path of a journal.
        patience: seconds to wait now for a database that is away. Once open, it may be away for ``AWAY_SECONDS``.

    Raises:
        UserError: the storage does not answer, cannot be made, or is damaged.
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
    """Open a database. If another process is just making Optuna's tables, wait until they are made.

    A process opens a database only once. Opened for each trial, it would keep connections each time, and a database has
    about a hundred of them.
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
    """Do something with the storage. Do it a second time if the database went away meanwhile."""
    try:
        return do()
    except CUT_OFF:
        return do()  # with a new connection, which waits until the database is back


def tell(
    study: optuna.Study, optuna_trial: optuna.Trial | int, value: float | None = None, state: TrialState | None = None
) -> None:
    """Report the end of a trial to Optuna. A trial that has already ended stays as it is.

    There are two ways how it may have ended before. Perhaps this process reported it and the answer was lost. Or
    another process ended it, because this process was silent for too long.
    """
    with suppress(UpdateFinishedTrialError):
        once_more(lambda: study.tell(optuna_trial, value, state, skip_if_finished=True))


@contextmanager
def answering(url: str) -> Iterator[None]:
    """Turn the error of a storage that went away for too long into a UserError of one line, while a block runs."""
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
