"""One line about the data that were read, which shows a wrong column or separator, and odd labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from rarelabels.data.dataset import Dataset, Part
from rarelabels.declare.data import DatasetSpec, MulanSpec, ThreadRowsSpec
from rarelabels.declare.table import TableSpec
from rarelabels.names import alike, one_line, shortened, some

MANY, LONGEST = 5, 80  # names in a line, and their characters


def describe(spec: DatasetSpec, data: Dataset) -> str:
    """Return one line about the data that were read: what shows a wrong column or separator, and odd labels."""
    of_parts = _each_row_once(spec, data)
    parts = {name: part.y for name, part in of_parts.items()}
    positives = sum(y.sum(axis=0, dtype=np.int64) for y in parts.values())
    rows = sum(map(len, parts.values()))
    rarest = int(np.argmin(positives))
    rare_name = shortened(repr(data.labels[rarest]), LONGEST)
    cells = rows * len(data.labels)
    known = sum(part.y.size * part.known_share for part in of_parts.values()) / cells if data.has_unknown else 1
    line = (
        f"{_source(spec)}: {rows:,} {'rows' if data.train.images is None else 'images'} "
        f"({', '.join(f'{len(y):,} {name}' for name, y in parts.items())}), {len(data.labels):,} labels, "
        f"{f'{known:.1%} known, ' if data.has_unknown else ''}"
        f"{np.sum(positives) / (known * cells):.1%} ones, rarest {rare_name} with "
        f"{positives[rarest]:,}"
    )
    for name, y in parts.items():
        if empty := [label for label, n in zip(data.labels, y.sum(axis=0), strict=True) if not n]:
            some = ", ".join(map(one_line, empty[:MANY]))
            line += f"; without a positive in the {name} part: {len(empty)} labels ({some})"
    counts = dict(zip(data.labels, positives.tolist(), strict=True))
    return "; ".join([line, *odd_labels(counts, rows)])


def odd_labels(positives: Mapping[str, int], rows: int) -> Iterator[str]:
    """Yield what a user should know of labels: which every row has, and which differ by little.

    Args:
        positives: label to the number of rows that have it.
        rows: how many rows there are.
    """
    if everywhere := [label for label, n in positives.items() if n == rows]:
        one = len(everywhere) == 1
        has = "a label that every row has" if one else f"{len(everywhere)} labels that every row has"
        yield f"{has}, so nothing can be learnt of {'it' if one else 'them'}: {_cut(map(repr, everywhere))}"
    if groups := alike(positives):
        several = (" and ".join(map(repr, group)) for group in groups)
        yield f"labels that differ by case, blanks, accents or width only, perhaps one label: {_cut(several)}"


def _cut(texts: Iterable[str]) -> str:
    """Return the first few texts, each cut if it is long."""
    return some([shortened(text, LONGEST) for text in texts], "{}", MANY)


def _source(spec: DatasetSpec) -> str:
    match spec:
        case TableSpec(path=path):
            return Path(path).name
        case MulanSpec(kind=kind, name=name):
            return f"{kind} {name}"
        case other:
            return other.kind


def _each_row_once(spec: DatasetSpec, data: Dataset) -> dict[str, Part]:
    """Return each part by its name; parts with the same rows have one name."""
    if data.folds is not None:
        return {"cross-validated": data.train, "test": data.test}
    if isinstance(spec, ThreadRowsSpec):
        return {"training, validation and test": data.train}
    return {"training": data.train, "validation": data.validation, "test": data.test}
