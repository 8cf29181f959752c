"""Which part each row is in, as a table: so that another program trains and scores the same rows."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from rarelabels import csv_tables, whole_files
from rarelabels.data import loading
from rarelabels.data.dataset import Dataset
from rarelabels.declare import variants
from rarelabels.declare.data import DatasetSpec
from rarelabels.declare.trial import Trial
from rarelabels.errors import UserError

ENDINGS = (".csv", ".parquet")


def of_trials(trials: Sequence[Trial], seeds: Sequence[int] | None = None) -> pd.DataFrame:
    """Return the rows of the data that trials share, in every part of every seed.

    The columns are ``id`` (text), ``part`` (train, validation, test) and ``seed``. With ``validation: cross_validated``
    the training rows are the validation rows, too: they are in the part train once, and a column ``fold`` says in which
    fold. Their validation scores are to come from a model of the other folds.

    Args:
        trials: at least one.
        seeds: all that any trial declares, if None.

    Raises:
        UserError: the trials declare different data, or the data cannot be read.
        MissingDataError: the data are not here.
    """
    spec = _shared(trials)
    wanted = seeds or sorted({seed for trial in trials for seed in trial.seeds})
    return pd.concat([_of_seed(loading.load(spec, seed), seed) for seed in wanted], ignore_index=True)


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table to a .csv or .parquet file.

    Raises:
        UserError: another ending, or the file cannot be written.
    """
    if path.suffix not in ENDINGS:
        raise UserError(f"--output: allowed a file that ends in {' or '.join(ENDINGS)}; given {path}")
    try:
        if path.suffix == ".csv":
            whole_files.write(path, csv_tables.text(table).encode("utf-8", "surrogatepass"))
        else:
            content = io.BytesIO()
            table.to_parquet(content, index=False)
            whole_files.write(path, content.getvalue())
    except OSError as error:
        raise UserError(f"--output: {path}: cannot be written: {error.strerror or error}") from error


def _shared(trials: Sequence[Trial]) -> DatasetSpec:
    """Return the data that all trials declare."""
    by_data: dict[str, list[str]] = {}
    specs: list[DatasetSpec] = []
    for trial in trials:
        for label, variant in variants.variants(trial):
            by_data.setdefault(variant.dataset.model_dump_json(), []).append(f"{trial.name} {label}".strip())
            specs.append(variant.dataset)
    if len(by_data) > 1:
        firsts = ", ".join(names[0] for names in list(by_data.values())[:5])
        raise UserError(
            f"the trials declare {len(by_data)} different blocks of data, for example those of {firsts}; name "
            "trials with the same block, or override the key that differs with --set"
        )
    return specs[0]


def _of_seed(data: Dataset, seed: int) -> pd.DataFrame:
    names = ("train", "validation", "test") if data.folds is None else ("train", "test")
    parts = [pd.DataFrame({"id": getattr(data, name).ids.astype(object), "part": name}) for name in names]
    if data.folds is not None:
        parts[0]["fold"] = data.folds
    table = pd.concat(parts, ignore_index=True).assign(seed=seed)
    return table.astype({"id": str} | ({"fold": "Int64"} if data.folds is not None else {}))
