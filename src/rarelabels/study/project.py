"""Where the project is: the folder with ``experiments/``, and the record of its runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

from rarelabels.record import connection, database, queries

RECORD = Path("runs") / "mlflow.db"


def tracking_uri() -> str:
    """Return the record's URI: ``MLFLOW_TRACKING_URI``, else that of the nearest ``runs/mlflow.db``.

    The search goes from the current folder upwards.
    """
    return os.environ.get("MLFLOW_TRACKING_URI") or f"{database.SQLITE}{_nearest(RECORD) / RECORD}"


def experiments() -> Path:
    """Return the nearest folder ``experiments/``, from the current folder upwards."""
    return _nearest(Path("experiments")) / "experiments"


@contextmanager
def entered() -> Iterator[None]:
    """Make the project's folder the current folder while the block runs.

    It is the nearest folder with ``experiments/``, from the current folder upwards. A notebook often lies below it.
    """
    with chdir(experiments().parent):
        yield


def record_here() -> str:
    """Mark the runs that were cut off in the record of the current folder, and return the record's URI.

    Raises:
        UserError: the record does not answer.
    """
    where = connection.uri()
    queries.end_cut_off(where)
    return where


def _nearest(name: Path) -> Path:
    """Return the nearest folder that holds ``name``, from the current folder upwards; else the current folder."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / name).exists()), here)
