"""Data sets: from a declared ``dataset`` block to three parts of rows with labels and text fields.

One module per kind of data reads a source into a :class:`~rarelabels.datasets.fields.Table`; what follows (checks,
split, summary) is the same for all. The interface of such a module is :class:`_Kind`.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rarelabels.datasets import cache, fields, movies, splits, table, wikipedia_movies
from rarelabels.datasets.fields import Table, Tokens
from rarelabels.schema import DatasetSpec, MoviesSpec, TableSpec, UserError, WikipediaMoviesSpec


@dataclass(frozen=True, eq=False)
class Part:
    """Rows of one part: training, validation or test.

    Attributes:
        ids: (n,) str, the row ids of the source.
        y: (n, n_labels) uint8, multi-hot.
        text: field name to tokens of n rows.
        numeric: (n, k) float64, as in the source, to be standardised on the training part (``fields.Scaler``); (n, 0)
            if not given.
    """

    ids: npt.NDArray[np.str_]
    y: npt.NDArray[np.uint8]
    text: dict[str, Tokens]
    numeric: npt.NDArray[np.float64] = field(default_factory=fields.no_numbers)

    def __post_init__(self) -> None:
        if not self.numeric.shape[1]:
            object.__setattr__(self, "numeric", np.empty((len(self.y), 0)))

    def digest(self) -> str:
        """Return a hash of ids and labels: what is measured on parts with the same one is comparable row by row."""
        rows = "\n".join(self.ids.tolist()).encode("utf-8", "surrogatepass")
        return hashlib.sha256(rows + np.ascontiguousarray(self.y).tobytes()).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set, split.

    Attributes:
        labels: names of the columns of ``y``.
        train, validation, test: the parts; the test part is the same for every seed.
        digest: see :func:`digest`.
        summary: what to record about the parts as they came out, JSON-ready; see :func:`load`.
        numeric: names of the columns of ``Part.numeric``.
        notes: sentences that a reader of a result on these parts must know.
    """

    labels: tuple[str, ...]
    train: Part
    validation: Part
    test: Part
    digest: str
    summary: dict[str, Any]
    numeric: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class _Kind(Protocol):
    """What a module of a kind of data has."""

    VERSION: int
    """Raised whenever the same source is to give another table."""

    def content(self, spec: Any, /) -> str:
        """Return the SHA-256 of the source's content, in hexadecimal."""

    def parse(self, spec: Any, /) -> Table:
        """Read the source."""


def _kind(spec: DatasetSpec) -> _Kind:
    match spec:
        case MoviesSpec():
            return movies
        case WikipediaMoviesSpec():
            return wikipedia_movies
        case TableSpec():
            return table


def load(spec: DatasetSpec, seed: int) -> Dataset:
    """Read, check and split a data set; the parsed table and the split are kept in the cache.

    ``summary`` holds ``rows`` and ``rows_without_labels`` per part, ``prevalence`` and ``labels_without_positives`` per
    part (by name of the label), and ``label_cardinality`` (mean number of labels of a row) per part.

    Raises:
        UserError: the source cannot be read, a label has no positives at all, or there are too few rows.
        MissingDataError: the source is not on this machine; the message says how to get it.
    """
    key = digest(spec)
    data = _table(spec, key)
    split = _split(spec, key, seed, data)
    parts = {name: _part(data, getattr(split, name)) for name in splits.PARTS}
    summary = _summary(data.labels, parts)
    notes = _notes(spec, data.labels, parts)
    return Dataset(labels=data.labels, digest=key, summary=summary, numeric=data.numeric_names, notes=notes, **parts)


def digest(spec: DatasetSpec) -> str:
    """Return the SHA-256 of all that decides the data: the source's content, the spec, the code that reads and splits.

    The seed is not part of it, and neither is the path of a table: the same content elsewhere is the same data. The
    stratifier's release is: another one may part the rows differently.

    Raises:
        UserError: the source cannot be read.
        MissingDataError: the source is not on this machine; the message says how to get it.
    """
    kind = _kind(spec)
    definition = {
        "spec": spec.model_dump(mode="json", exclude={"path"}),
        "parser": kind.VERSION,
        "splits": splits.VERSION,
        "stratifier": version("iterative-stratification"),
    }
    return hashlib.sha256(json.dumps([definition, kind.content(spec)], sort_keys=True).encode()).hexdigest()


def _table(spec: DatasetSpec, key: str) -> Table:
    def build() -> cache.Arrays:
        parsed = _kind(spec).parse(spec)
        if digest(spec) != key:
            raise UserError(f"the source of dataset.kind {spec.kind!r} changed while it was read; try again")
        _check_labels(parsed)
        return parsed.to_arrays()

    return Table.from_arrays(cache.cached(f"{spec.kind}-table", f"{key} layout {fields.LAYOUT}", build))


def _split(spec: DatasetSpec, key: str, seed: int, data: Table) -> splits.Split:
    def build() -> cache.Arrays:
        split = splits.split(data.strata, seed, groups=data.groups, parts=data.parts, validation=spec.validation)
        return {"train": split.train, "validation": split.validation, "test": split.test}

    return splits.Split(**cache.cached(f"{spec.kind}-split-{seed}", f"{key} seed {seed}", build))


def _check_labels(data: Table) -> None:
    empty = [label for label, positives in zip(data.labels, data.y.sum(axis=0), strict=True) if not positives]
    if empty:
        raise UserError(f"dataset: no row has the label {', '.join(map(repr, empty))}; nothing can be learnt about it")


def _part(data: Table, rows: npt.NDArray[np.int64]) -> Part:
    text = {name: tokens.take(rows) for name, tokens in data.text.items()}
    return Part(ids=data.ids[rows], y=data.y[rows], text=text, numeric=data.numeric[rows])


def _notes(spec: DatasetSpec, labels: tuple[str, ...], parts: dict[str, Part]) -> tuple[str, ...]:
    if spec.validation != "last_rows":
        return ()
    train, validation = (parts[name].y.mean(axis=0) for name in ("train", "validation"))
    moved = np.abs(validation - train)
    worst = int(moved.argmax())
    return (
        f"The validation part is the last {len(parts['validation'].ids):,} of the rows outside the test part, in "
        f"the order of the source: a label's share of ones differs from the training part's by {moved.mean():.3f} on "
        f"average, most for {labels[worst]} ({train[worst]:.3f} in training, {validation[worst]:.3f} in validation).",
    )


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
