"""The facts of a table: how many rows have each label, which rows repeat, what may give labels away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.data import splits
from rarelabels.data.table import parsing
from rarelabels.data.table.opening import shown
from rarelabels.data.unsplit import Table
from rarelabels.declare.table import TableSpec
from rarelabels.errors import UserError
from rarelabels.init import leaks
from rarelabels.init.column import Wish
from rarelabels.init.columns import TableColumns, find
from rarelabels.init.leaks import Leak
from rarelabels.judging.settings import ThresholdSpec

MIN_LABEL_ROWS = 20
"""Rows that a label needs to be used. Of 20 rows the parts get 14 : 2 : 4. With fewer, the validation part may have no
row with the label, and the label's test metrics depend on three rows or fewer."""

VALIDATION_SHARE = (1 - splits.TEST_SHARE) * splits.VALIDATION_SHARE  # of all rows, a tenth
HARDLY = 1e-3  # of a standard deviation, between the 5th and the 95th percentile: most rows are as good as equal
LONG = 95  # a percentile of the lengths of rows


@dataclass(frozen=True)
class Repeats:
    """Rows with the same inputs as another row. Inputs are compared as models see them, with words in lower case.

    Attributes:
        rows: how many rows have the inputs of another.
        inputs: how many different inputs these rows have.
        other_labels: how many of these rows have inputs that do not always have the same labels.
        apart: how many of these rows may be split from each other: no group and no declared part keeps them together.
        empty: rows without any word, entry or number.
    """

    rows: int
    inputs: int
    other_labels: int
    apart: int
    empty: int


@dataclass(frozen=True)
class Look:
    """What ``init`` knows of a table.

    Attributes:
        columns: what its columns are taken for.
        spec: the declaration that is proposed, with ``min_rows``.
        positives: label to the number of rows that have it, for labels with enough rows; most first.
        too_rare: the same for the other labels.
        few: labels with fewer rows in the validation part than a threshold of their own needs.
        missing: declared part to the labels that no row of it has.
        known: label to the number of rows in which it is known, for labels with enough rows; empty if all are known.
        cardinality: the mean number of labels of a row.
        without_labels: how many rows have no label.
        repeats: rows that repeat.
        leaks: what may give labels away.
        lengths: field to the number of words, or entries, that 95 % of the rows do not exceed.
        n_tokens: how many different words and entries of lists the fields have, added up.
        values: column of categories to the number of its different values; an empty cell is one.
        vectors: column of vectors to the length of each.
        valued: the columns of lists whose entries have values.
        far_out: numeric columns in which one number is so far out that the others hardly differ, each with that number.
    """

    columns: TableColumns
    spec: TableSpec
    positives: dict[str, int]
    too_rare: dict[str, int]
    few: tuple[str, ...]
    missing: dict[str, tuple[str, ...]]
    cardinality: float
    without_labels: int
    repeats: Repeats
    leaks: tuple[Leak, ...]
    lengths: dict[str, int]
    n_tokens: int
    values: dict[str, int]
    known: dict[str, int] = field(default_factory=dict)
    far_out: tuple[str, ...] = ()
    vectors: dict[str, int] = field(default_factory=dict)
    valued: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many rows of data the file has."""
        return self.columns.rows


def look(path: Path, wish: Wish) -> Look:
    """Read a table and return the facts that a study on it needs.

    Raises:
        UserError: see :func:`columns.find` and :func:`table.parse`; or fewer than two labels have enough rows.
    """
    columns = find(path, wish)
    rows = parsing.label_rows(columns.spec)
    frequent = {label: n for label, n in rows.items() if n >= MIN_LABEL_ROWS}
    too_rare = {label: n for label, n in rows.items() if n < MIN_LABEL_ROWS}
    if len(frequent) < 2:
        given = ", ".join(f"{shown(label)} {n:,}" for label, n in list(rows.items())[:5])
        raise UserError(
            f"{path}: at least two labels must have {MIN_LABEL_ROWS} rows each, for fewer rows are too few to "
            f"split; given {given or 'no label at all'}{' ...' if len(rows) > 5 else ''}"
        )
    labels = columns.spec.labels.model_copy(update={"min_rows": MIN_LABEL_ROWS if too_rare else 1})
    spec = columns.spec.model_copy(update={"labels": labels})
    data = parsing.parse(spec)
    if data.groups is not None and len(np.unique(data.groups)) < splits.MIN_ROWS:
        raise UserError(
            f"--group: column {spec.group!r} of {path} has too few groups to split: allowed "
            f"{splits.MIN_ROWS} or more; given {len(np.unique(data.groups))}; name another column, or "
            "leave --group out"
        )
    cells = data.y.sum(axis=1, dtype=np.int64)
    return Look(
        columns=columns,
        spec=spec,
        positives=frequent,
        too_rare=too_rare,
        few=_few(data),
        missing=_missing(data),
        cardinality=float(cells.mean()),
        without_labels=int((cells == 0).sum()),
        repeats=_repeats(data),
        leaks=tuple(leaks.find(data, [one.column for one in spec.lists])),
        lengths={name: int(np.percentile(tokens.lengths, LONG)) for name, tokens in data.text.items()},
        n_tokens=sum(len(tokens.vocabulary) for tokens in data.text.values()),
        values={name: len(rows.vocabulary) for name, rows in data.categories.items()},
        known=_known(data),
        valued=tuple(name for name, tokens in data.text.items() if tokens.values is not None),
        vectors={one.name: one.length for one in parsing.raw_columns(spec) if one.holds == "vector"},
        far_out=tuple(_far_out(data)),
    )


def _far_out(data: Table) -> Iterator[str]:
    """Yield the columns in which one number makes up nearly all of the standard deviation, each with that number."""
    for name, values in zip(data.numeric_names, data.numeric.T, strict=True):
        if np.isnan(values).all():
            continue
        low, middle, high = np.nanpercentile(values, (5, 50, 95))
        if 0 < high - low < HARDLY * np.nanstd(values):
            row = int(np.nanargmax(np.abs(values - middle)))
            yield f"{name}: {values[row]:g} in row {row + 1}"


def _known(data: Table) -> dict[str, int]:
    if data.known is None:
        return {}
    return dict(zip(data.labels, data.known.sum(axis=0).tolist(), strict=True))


def _few(data: Table) -> tuple[str, ...]:
    """Return the labels with fewer rows in the validation part than ``min_positives`` of the thresholds.

    Rows of a declared part are counted; otherwise about a tenth of a label's rows is expected there.
    """
    if data.parts is None:
        in_validation = data.y.sum(axis=0, dtype=np.int64) * VALIDATION_SHARE
    else:
        in_validation = data.y[data.parts == splits.PARTS.index("validation")].sum(axis=0, dtype=np.int64)
    few = in_validation < ThresholdSpec().min_positives
    return tuple(label for label, is_few in zip(data.labels, few.tolist(), strict=True) if is_few)


def _missing(data: Table) -> dict[str, tuple[str, ...]]:
    if data.parts is None:
        return {}
    has = {part: data.y[data.parts == place].any(axis=0) for place, part in enumerate(splits.PARTS)}
    missing = {part: tuple(np.array(data.labels, dtype=object)[~known].tolist()) for part, known in has.items()}
    return {part: labels for part, labels in missing.items() if labels}


def _repeats(data: Table) -> Repeats:
    lengths = sum((tokens.lengths for tokens in data.text.values()), np.zeros(len(data.y), np.int64))
    for rows in data.categories.values():
        lengths = lengths + (rows.vocabulary != "")[rows.ids]
    filled = np.flatnonzero((lengths > 0) | ~np.isnan(data.numeric).all(axis=1) | (data.images is not None))
    inputs = _inputs(data)
    numbers = _numbered([inputs[row] for row in filled.tolist()])
    labels = _numbered([row.tobytes() for row in data.y[filled]])
    counts = np.bincount(numbers)
    kept_together = data.groups if data.groups is not None else data.parts
    stays = np.zeros_like(counts) if kept_together is None else _largest(numbers, kept_together[filled])
    return Repeats(
        rows=int(counts[counts > 1].sum()),
        inputs=int((counts > 1).sum()),
        other_labels=int(counts[_largest(numbers, labels) < counts].sum()),
        apart=int(counts[(counts > 1) & (stays < counts)].sum()),
        empty=len(data.y) - len(filled),
    )


def _inputs(data: Table) -> list[bytes]:
    """Return the inputs of each row as bytes, which differ if the inputs differ."""
    fields = [
        (tokens.ids.tobytes(), (tokens.indptr * tokens.ids.itemsize).tolist())
        for tokens in (data.text | data.categories).values()
    ]
    fields += [
        (tokens.values.tobytes(), (tokens.indptr * tokens.values.itemsize).tolist())
        for tokens in data.text.values()
        if tokens.values is not None
    ]
    numeric = data.numeric + 0.0  # turns -0 into 0, which has other bytes
    images = [""] * len(data.y) if data.images is None else data.images.tolist()
    rows = []
    for i in range(len(data.y)):
        parts = [ids[stops[i] : stops[i + 1]] for ids, stops in fields]
        rows.append(
            b"".join([*(len(part).to_bytes(8) + part for part in parts), numeric[i].tobytes(), images[i].encode()])
        )
    return rows


def _numbered(rows: list[bytes]) -> npt.NDArray[np.int64]:
    """Number rows so that the same bytes have the same number, (n,)."""
    known: dict[bytes, int] = {}
    return np.array([known.setdefault(row, len(known)) for row in rows], dtype=np.int64)


def _largest(numbers: npt.NDArray[np.int64], of: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Return for each number how many of its rows have its most frequent value of ``of``."""
    _, of = np.unique(of, return_inverse=True)
    width = int(of.max(initial=0)) + 1
    pairs, counts = np.unique(numbers * width + of, return_counts=True)
    largest = np.zeros(int(numbers.max(initial=-1)) + 1, dtype=np.int64)
    np.maximum.at(largest, pairs // width, counts)
    return largest
