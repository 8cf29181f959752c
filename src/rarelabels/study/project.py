"""Where the project is: the folder with ``experiments/``, and the record of its runs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import chdir, contextmanager
from pathlib import Path

from rarelabels.record import connection, database, queries

RECORD = Path("runs") / "mlflow.db"


def tracking_uri() -> str:
    """Return where the record is: ``MLFLOW_TRACKING_URI``, else the nearest ``runs/mlflow.db``, from here upwards."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"{database.SQLITE}{_nearest(RECORD) / RECORD}"


def experiments() -> Path:
    """Return the nearest folder ``experiments/``, from here upwards."""
    return _nearest(Path("experiments")) / "experiments"


@contextmanager
def entered() -> Iterator[None]:
    """Work in the nearest folder that holds ``experiments/``, from here upwards: a notebook lies in one below it."""
    with chdir(experiments().parent):
        yield


def record_here() -> str:
    """Return where the record of this folder is. Runs that were cut off are marked in it first.

    Raises:
        UserError: the record does not answer.
    """
    where = connection.uri()
    queries.end_cut_off(where)
    return where


def _nearest(name: Path) -> Path:
    """Return the nearest folder that holds ``name``, from the current one upwards; the current one if none does."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / name).exists()), here)
