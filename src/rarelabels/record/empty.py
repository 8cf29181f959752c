"""A new local record, copied from an empty record in the cache, because MLflow takes seconds to make its tables."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from contextlib import closing
from pathlib import Path

import numpy as np

from rarelabels import cache, whole_files
from rarelabels.errors import UserError
from rarelabels.record.database import SQLITE

_DEFAULT = "update experiments set artifact_location = ?, creation_time = ?, last_update_time = ?"


def put(place: Path) -> None:
    """Write an empty record to a new file, as MLflow would.

    If the cache cannot be used, nothing is written, and MLflow makes the tables later.
    """
    from mlflow import __version__

    try:
        stored = cache.cached("record", f"mlflow {__version__}", _made_by_mlflow)["database"]
    except UserError:
        return
    now = int(1000 * time.time())
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(stored.tobytes())
        with database:
            # The only row is MLflow's default experiment, to which its own functions log if no experiment is named.
            database.execute(_DEFAULT, ((place.parent / "artifacts" / "0").as_uri(), now, now))
        whole_files.write(place, database.serialize())


def _made_by_mlflow() -> cache.Arrays:
    from mlflow import MlflowClient

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "mlflow.db")
        MlflowClient(f"{SQLITE}{place}").search_experiments(max_results=1)
        with closing(sqlite3.connect(place)) as database:
            return {"database": np.frombuffer(database.serialize(), np.uint8)}
