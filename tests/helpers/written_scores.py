"""Small files of scores in every format, and the line that refuses one."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rarelabels.errors import UserError
from rarelabels.judging import score_files

LABELS = ("Drama", "Sci-Fi, Fantasy", "a/b.c")


def table(n=4, labels=LABELS, seed=0, ids=None) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    truths = pd.DataFrame(rng.integers(0, 2, (n, len(labels))), columns=labels).add_prefix("true/")
    scores = pd.DataFrame(rng.random((n, len(labels))), columns=labels).add_prefix("score/")
    frame = truths.join(scores)
    return frame if ids is None else frame.assign(id=ids)


def write(path: Path, frame: pd.DataFrame) -> Path:
    if path.suffix.lower() == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_csv(path, index=False, compression="gzip" if path.suffix.lower() == ".gz" else None)
    return path


def refused(validation, test, only=()) -> str:
    with pytest.raises(UserError) as error:
        score_files.read(validation, test, only)
    message = str(error.value)
    assert "\n" not in message
    return message
