"""One line about the data that were read, which shows a wrong column or separator."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from rarelabels.data.dataset import Dataset, Part
from rarelabels.declare.data import DatasetSpec, MulanSpec, TableSpec, ThreadRowsSpec


def describe(spec: DatasetSpec, data: Dataset) -> str:
    """Return one line about the data that were read, which shows a wrong column or separator."""
    of_parts = _each_row_once(spec, data)
    parts = {name: part.y for name, part in of_parts.items()}
    positives = sum(y.sum(axis=0, dtype=np.int64) for y in parts.values())
    rows = sum(map(len, parts.values()))
    rarest = int(np.argmin(positives))
    cells = rows * len(data.labels)
    known = sum(part.y.size * part.known_share for part in of_parts.values())
    line = (
        f"{_source(spec)}: {rows:,} {'rows' if data.train.images is None else 'images'} "
        f"({', '.join(f'{len(y):,} {name}' for name, y in parts.items())}), {len(data.labels):,} labels, "
        f"{f'{known / cells:.1%} known, ' if data.has_unknown else ''}{np.sum(positives) / known:.1%} ones, "
        f"rarest {data.labels[rarest]!r} with {positives[rarest]:,}"
    )
    for name, y in parts.items():
        if empty := [label for label, n in zip(data.labels, y.sum(axis=0), strict=True) if not n]:
            line += f"; without a positive in the {name} part: {len(empty)} labels ({', '.join(empty[:5])})"
    return line


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
