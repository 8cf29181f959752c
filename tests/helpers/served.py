"""The columns, trials and files of a small study whose models are registered, for the tests of serving."""

from pathlib import Path

import numpy as np
import pandas as pd

from rarelabels.data.table import table_files
from rarelabels.data.table.batch import Batch
from rarelabels.record import connection, reading
from rarelabels.serve import predictor

NUMBER, WEIGHT, TEXT, TAGS = "n° 1", "weight", "what: it says", "tags[]"
INPUTS = [TEXT, TAGS, NUMBER, WEIGHT]


def load(folder: Path) -> predictor.Predictor:
    return predictor.load(folder / "artifacts" / predictor.FOLDER)


def of_file(path: Path, columns: list[str] = INPUTS) -> list[Batch]:
    return list(table_files.batches(path, columns))


def recorded(project, run) -> tuple[np.ndarray, np.ndarray]:
    """Which rows of the file are the test part, and their recorded scores, in that order."""
    client = connection.connect(project.record)
    scored = reading.scores(client, run.info.run_id, "test")
    return np.array([int(name[1:]) for name in scored.ids]), scored.scores


def frame_of(**changed) -> pd.DataFrame:
    row = {TEXT: "dogword1 filler2", TAGS: "Tag 1|t3", NUMBER: 3, WEIGHT: 1.5}
    return pd.DataFrame([row | changed, row])
