"""Data sets: from a declared ``dataset`` block to three parts of rows with labels and text fields.

One module per kind of data reads a source into a :class:`~rarelabels.datasets.fields.Table`; what follows (checks,
split, summary) is the same for all.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.datasets import cache, fields, movies, splits
from rarelabels.datasets.fields import Table, Tokens
from rarelabels.schema import DatasetSpec, UserError


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of one part: training, validation or test.

    Attributes:
        ids: (n,) str, the row ids of the source.
        y: (n, n_labels) uint8, multi-hot.
        text: field name to tokens of n rows.
    """

    ids: npt.NDArray[np.str_]
    y: npt.NDArray[np.uint8]
    text: dict[str, Tokens]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, split.

    Attributes:
        labels: names of the columns of ``y``.
        train, validation, test: the parts; the test part is the same for every seed.
        digest: see :func:`digest`.
        summary: what to record about the parts as they came out, JSON-ready; see :func:`load`.
    """

    labels: tuple[str, ...]
    train: Part
    validation: Part
    test: Part
    digest: str
    summary: dict[str, Any]


def load(spec: DatasetSpec, seed: int) -> Dataset:
    """Read, check and split a data set; the parsed table and the split are kept in the cache.

    ``summary`` holds ``rows`` and ``rows_without_labels`` per part, ``prevalence`` and ``labels_without_positives`` per
    part (by name of the label), and ``label_cardinality`` (mean number of labels of a row) per part.

    Raises:
        UserError: the source cannot be read, a label has no positives at all, or there are too few rows.
    """
    key = digest(spec)
    table = _table(spec, key)
    split = _split(spec, key, seed, table)
    parts = {name: _part(table, getattr(split, name)) for name in ("train", "validation", "test")}
    return Dataset(labels=table.labels, digest=key, summary=_summary(table.labels, parts), **parts)


def digest(spec: DatasetSpec) -> str:
    """Return the SHA-256 of all that decides the data: the source's content, the spec, the code that reads and splits.

    The seed is not part of it. The stratifier's release is: another one may part the rows differently.

    Raises:
        UserError: the source cannot be read.
    """
    definition = {
        "spec": spec.model_dump(mode="json"),
        "parser": movies.VERSION,
        "splits": splits.VERSION,
        "stratifier": version("iterative-stratification"),
    }
    path = movies.source()
    try:
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"{path}: the source of dataset.kind {spec.kind!r} cannot be read: {error.strerror}") from error
    return hashlib.sha256(json.dumps([definition, content], sort_keys=True).encode()).hexdigest()


def _table(spec: DatasetSpec, key: str) -> Table:
    def build() -> cache.Arrays:
        table = movies.parse(movies.source(), spec)
        _check_labels(table)
        return table.to_arrays()

    return Table.from_arrays(cache.cached(f"{spec.kind}-table", f"{key} layout {fields.LAYOUT}", build))


def _split(spec: DatasetSpec, key: str, seed: int, table: Table) -> splits.Split:
    def build() -> cache.Arrays:
        split = splits.split(table.strata, seed, groups=table.groups)
        return {"train": split.train, "validation": split.validation, "test": split.test}

    return splits.Split(**cache.cached(f"{spec.kind}-split-{seed}", f"{key} seed {seed}", build))


def _check_labels(table: Table) -> None:
    empty = [label for label, positives in zip(table.labels, table.y.sum(axis=0), strict=True) if not positives]
    if empty:
        raise UserError(f"dataset: no row has the label {', '.join(map(repr, empty))}; nothing can be learnt about it")


def _part(table: Table, rows: npt.NDArray[np.int64]) -> Part:
    text = {field: tokens.take(rows) for field, tokens in table.text.items()}
    return Part(ids=table.ids[rows], y=table.y[rows], text=text)


def _summary(labels: tuple[str, ...], parts: dict[str, Part]) -> dict[str, Any]:
    y = {name: part.y for name, part in parts.items()}
    return {
        "rows": {name: len(rows) for name, rows in y.items()},
        "rows_without_labels": {name: int((~rows.any(axis=1)).sum()) for name, rows in y.items()},
        "label_cardinality": {name: float(rows.sum(axis=1).mean()) for name, rows in y.items()},
        "prevalence": {name: dict(zip(labels, rows.mean(axis=0).tolist(), strict=True)) for name, rows in y.items()},
        "labels_without_positives": {
            name: [label for label, positives in zip(labels, rows.sum(axis=0), strict=True) if not positives]
            for name, rows in y.items()
        },
    }
