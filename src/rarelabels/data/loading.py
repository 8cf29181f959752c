"""Data sets: from a declared ``dataset`` block to three parts of rows with labels and text fields.

Each kind of data has a module, in ``sources`` or ``table``, that reads it into a
:class:`~rarelabels.data.unsplit.Table`. The next steps (checks, split, summary) are the same for all kinds. The
interface of such a module is :class:`_Kind`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rarelabels import cache
from rarelabels.data import hiding, splits, stratification, unsplit
from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.sources import (
    backbone_files,
    deepfashion,
    emoji,
    movies,
    mulan,
    own,
    simulated,
    thread_rows,
    wikipedia_movies,
    xed,
)
from rarelabels.data.table import image_files, parsing
from rarelabels.data.unsplit import Table
from rarelabels.declare.data import (
    DatasetSpec,
    DeepFashionSpec,
    EmojiSpec,
    MoviesSpec,
    MulanSpec,
    SimulatedSpec,
    ThreadRowsSpec,
    WikipediaMoviesSpec,
    XedSpec,
    backbone_of,
)
from rarelabels.declare.own import OwnData
from rarelabels.declare.table import ImageColumn, TableSpec
from rarelabels.errors import UserError

REPEATED = (
    "Each seed has another test part (test: repeated), and its test rows train in other seeds. A winner chosen on "
    "validation looks a little too good on test, because validation rows of one seed are test rows of others."
)


class _Kind(Protocol):
    """The interface of a module that reads one kind of data."""

    VERSION: int
    """To be increased whenever the same source gives another table."""

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
            return parsing
        case XedSpec():
            return xed
        case MulanSpec():
            return mulan
        case ThreadRowsSpec():
            return thread_rows
        case SimulatedSpec():
            return simulated
        case EmojiSpec():
            return emoji
        case DeepFashionSpec():
            return deepfashion
        case OwnData():
            return own.Source.of(spec)


def _image_folder(spec: DatasetSpec) -> Path | None:
    match spec:
        case EmojiSpec():
            return emoji.image_folder(spec)
        case DeepFashionSpec():
            return deepfashion.image_folder(spec)
        case TableSpec(images=ImageColumn()):
            return image_files.folder(spec)
        case _:
            return None


def _prose(spec: DatasetSpec) -> tuple[str, ...]:
    match spec:
        case TableSpec(text=columns, tokens=tokens):
            return tuple(name for name in columns if name not in {one.column for one in tokens})
        case MoviesSpec():
            return ("title",)
        case WikipediaMoviesSpec():
            return "title", "plot"
        case XedSpec():
            return ("sentence",)
        case _:
            return ()


def load(spec: DatasetSpec, seed: int) -> Dataset:
    """Read, check and split a data set; the parsed table and the split are kept in the cache.

    ``spec.train_fraction`` and ``spec.hide`` are applied after the split, so that all of them share one table and one
    split. Labels that are not known are 0 in the stratification: rows are stratified over known positives.

    ``summary`` holds ``rows`` and ``rows_without_labels`` per part, ``prevalence`` and ``labels_without_positives`` per
    part (by name of the label), and ``label_cardinality`` (mean number of labels of a row) per part. Where some labels
    are not known, ``known`` is the share of known cells per part and label, a prevalence is a share of the known rows
    (0 if there are none), and the other numbers are of known labels.

    Raises:
        UserError: the source cannot be read, a label has no positives at all, there are too few rows, or the source
            declares its parts where the spec asks for the last rows.
        MissingDataError: the source is not on this machine; the message says how to get it.
    """
    whole = _whole(spec)
    source = _kind(spec).content(whole)
    key = _digest(whole, source)
    data = _table(whole, key)
    split = _split(whole, key, seed, data)
    parts = {name: _part(data, getattr(split, name)) for name in splits.PARTS}
    if spec.hide:
        which = hiding.hidden(spec.hide, data.y, seed)
        for name in ("train", "validation"):
            parts[name] = hiding.hide(spec.hide, parts[name], which[getattr(split, name)])
    if spec.train_fraction < 1:
        parts["train"] = parts["train"].take(splits.fraction(len(split.train), spec.train_fraction, seed))
    return Dataset(
        labels=data.labels,
        digest=_digest(spec, source),
        summary=_summary(data.labels, parts),
        numeric=data.numeric_names,
        notes=_notes(spec, data.labels, parts),
        folds=split.folds,
        image_folder=_image_folder(spec),
        prose=_prose(spec),
        **parts,
    )


def digest(spec: DatasetSpec) -> str:
    """Return the SHA-256 of all that decides the data: the source's content, the spec, the code that reads and splits.

    The seed is not part of it, and neither is the path of a table, or of a backbone's weights: the same content
    elsewhere is the same data.

    Raises:
        UserError: the source cannot be read.
        MissingDataError: the source is not on this machine; the message says how to get it.
    """
    return _digest(spec, _kind(spec).content(_whole(spec)))


def _whole(spec: DatasetSpec) -> DatasetSpec:
    """Return the spec of the data with all training rows and labels, as the cache keeps them."""
    return spec.model_copy(update={"train_fraction": 1.0, "hide": None})


def _digest(spec: DatasetSpec, source: str) -> str:
    definition = {
        "spec": spec.content(),
        "parser": _kind(spec).VERSION,
        "splits": splits.VERSION,
        "stratifier": stratification.AS_IN_RELEASE,
    }
    if backbone := backbone_of(spec):
        definition["features"] = [backbone_files.VERSION, backbone_files.content(backbone)]
    return hashlib.sha256(json.dumps([definition, source], sort_keys=True).encode()).hexdigest()


def _table(spec: DatasetSpec, key: str) -> Table:
    def build() -> cache.Arrays:
        parsed = _kind(spec).parse(spec)
        if digest(spec) != key:
            raise UserError(f"the source of dataset.kind {spec.kind!r} changed while it was read; try again")
        _check_labels(parsed)
        return parsed.to_arrays()

    return Table.from_arrays(cache.cached(f"{spec.kind}-table", f"{key} layout {unsplit.LAYOUT}", build))


def _split(spec: DatasetSpec, key: str, seed: int, data: Table) -> splits.Split:
    for part, value in (("validation", "last_rows"), ("test", "repeated")):
        if data.parts is not None and getattr(spec, part) == value:
            raise UserError(
                f"dataset.{part}: {value} has no effect on dataset.kind {spec.kind!r}: its source says which rows are "
                f"the {part} part; leave dataset.{part} out"
            )

    def build() -> cache.Arrays:
        if isinstance(spec, ThreadRowsSpec):
            split = splits.same_rows(len(data.y))
        else:
            split = splits.split(
                data.strata,
                seed,
                groups=data.groups,
                parts=data.parts,
                validation=spec.validation,
                test=spec.test,
            )
        folds = {} if split.folds is None else {"folds": split.folds}
        return {"train": split.train, "validation": split.validation, "test": split.test} | folds

    return splits.Split(**cache.cached(f"{spec.kind}-split-{seed}", f"{key} seed {seed}", build))


def _check_labels(data: Table) -> None:
    empty = [label for label, positives in zip(data.labels, data.y.sum(axis=0), strict=True) if not positives]
    if empty:
        raise UserError(f"dataset: no row has the label {', '.join(map(repr, empty))}; nothing can be learnt about it")


def _part(data: Table, rows: npt.NDArray[np.int64]) -> Part:
    whole = Part(
        data.ids,
        data.y,
        data.text,
        data.numeric,
        data.images,
        data.groups,
        data.categories,
        known=data.known,
        weights=data.weights,
    )
    return whole.take(rows)


def _notes(spec: DatasetSpec, labels: tuple[str, ...], parts: dict[str, Part]) -> tuple[str, ...]:
    if isinstance(spec, ThreadRowsSpec):
        return ("Training, validation and test part are the same seven rows: this measures memory, nothing else.",)
    repeated = (REPEATED,) if spec.test == "repeated" else ()
    weighed = (_weighed(spec.weight, parts["train"]),) if isinstance(spec, TableSpec) and spec.weight else ()
    return (*repeated, *_of_unknown(labels, parts), *weighed, *_of_last_rows(spec, labels, parts))


def _of_unknown(labels: tuple[str, ...], parts: dict[str, Part]) -> Iterator[str]:
    shares = {name: part.known for name, part in parts.items() if part.known is not None and not part.known.all()}
    if not shares:
        return
    least = np.min([known.mean(axis=0) for known in shares.values()], axis=0)
    called = {"train": "training"}
    of_parts = ", ".join(f"{known.mean():.1%} of the {called.get(name, name)} part" for name, known in shares.items())
    yield (
        f"Not all labels are known: {of_parts}. The least known label is {labels[int(least.argmin())]} "
        f"({least.min():.1%}). Trainings and metrics use known cells alone."
    )


def _of_last_rows(spec: DatasetSpec, labels: tuple[str, ...], parts: dict[str, Part]) -> Iterator[str]:
    if spec.validation != "last_rows":
        return
    train, validation = (parts[name].prevalence for name in ("train", "validation"))
    moved = np.abs(validation - train)
    worst = int(moved.argmax())
    yield (
        f"The validation part is the last {len(parts['validation'].ids):,} of the rows outside the test part, in "
        f"the order of the source: a label's share of ones differs from the training part's by {moved.mean():.3f} on "
        f"average, most for {labels[worst]} ({train[worst]:.3f} in training, {validation[worst]:.3f} in validation)."
    )


def _weighed(column: str, train: Part) -> str:
    """Return the sentence about the row weights that a column declares."""
    assert train.weights is not None
    scaled = train.weights / train.weights.mean()
    size = scaled.sum() ** 2 / (scaled**2).sum()
    return (
        f"Training weighs rows by the column {column!r}, scaled to a mean of 1: from {scaled.min():.3g} to "
        f"{scaled.max():.3g}, which leaves an effective sample size (Σw)²/Σw² of {size:,.1f} of {len(scaled):,} rows. "
        "Thresholds, metrics and intervals count every row as one."
    )


def _summary(labels: tuple[str, ...], parts: dict[str, Part]) -> dict[str, Any]:
    y = {name: part.y for name, part in parts.items()}
    known = {name: part.known.mean(axis=0).tolist() for name, part in parts.items() if part.known is not None}
    shares = {name: dict(zip(labels, of_part, strict=True)) for name, of_part in known.items()}
    return ({"known": shares} if shares else {}) | {
        "rows": {name: len(rows) for name, rows in y.items()},
        "rows_without_labels": {name: int((~rows.any(axis=1)).sum()) for name, rows in y.items()},
        "label_cardinality": {name: float(rows.sum(axis=1).mean()) for name, rows in y.items()},
        "prevalence": {name: dict(zip(labels, part.prevalence.tolist(), strict=True)) for name, part in parts.items()},
        "labels_without_positives": {
            name: [label for label, positives in zip(labels, rows.sum(axis=0), strict=True) if not positives]
            for name, rows in y.items()
        },
    }
