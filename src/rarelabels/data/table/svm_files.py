"""Sparse text files, as libsvm and the repositories of extreme classification have them.

A line is a row: its labels with commas between them, then ``index:value`` for each feature that is not 0. A line of
three whole numbers may come first: rows, features, labels. A row without labels begins with a blank.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rarelabels.data.table.cell_values import LARGEST, LIMITS
from rarelabels.data.table.opening import opened, readable, shown
from rarelabels.errors import UserError

LABELS, FEATURES = "labels", "features"  # what the two columns of such a file are called
COLUMNS = (LABELS, FEATURES)
LAYOUT = "labels with commas between them, then index:value for each feature: 3,17 1:0.5 8:2"


@dataclass(frozen=True)
class SvmRow:
    """A row: its line, its labels, and the value of each feature that is not 0, by the feature's number."""

    line: int
    labels: list[str]
    features: dict[str, float]

    def cell(self, column: str) -> list[str] | dict[str, float]:
        """Return the cell of one of ``COLUMNS``."""
        return self.labels if column == LABELS else self.features


def svm_rows(path: Path) -> Iterator[SvmRow]:
    """Yield the rows of a file; blank lines at its end are none.

    Raises:
        UserError: a row is not laid out as the module says, or there are more or fewer rows than the first line says.
    """
    declared, row, blank = None, 0, 0
    with readable(path), opened(path) as file:
        for line, raw in enumerate(file, 1):
            text = _text(path, line, raw)
            if line == 1 and (declared := _header(text)) is not None:
                continue
            if not text:
                blank += 1
                continue
            for missed in range(blank):  # rows with neither labels nor features
                yield SvmRow(line - blank + missed, [], {})
            row, blank = row + blank + 1, 0
            yield _row(f"{path}: row {row} (line {line})", line, text)
    if declared is not None and row < declared <= row + blank:
        yield from (SvmRow(0, [], {}) for _ in range(declared - row))
        row = declared
    if declared not in (None, row):
        raise UserError(f"{path}: its first line says {declared:,} rows, but it has {row:,}; is it cut off?")


def _text(path: Path, line: int, raw: bytes) -> str:
    """Return a line without its comment; a tab is a blank."""
    try:
        text = raw.decode("utf-8-sig" if line == 1 else "utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{path}: line {line}: is not UTF-8 text; save the file as UTF-8") from None
    return text.partition("#")[0].rstrip().replace("\t", " ")


def _header(text: str) -> int | None:
    """Return the number of rows if a line is ``rows features labels``."""
    words = text.split()
    return int(words[0]) if len(words) == 3 and all(word.isdecimal() for word in words) else None


def _row(where: str, line: int, text: str) -> SvmRow:
    # A row without labels begins with a blank, or with its first feature.
    head, _, rest = text.partition(" ") if ":" not in text.partition(" ")[0] else ("", "", text)
    labels = [label for label in head.strip().split(",") if label]
    return SvmRow(line, labels, _features(where, rest))


def _features(where: str, text: str) -> dict[str, float]:
    words = text.replace(":", " : ").split()
    indices, colons, values = words[::3], words[1::3], words[2::3]
    try:
        numbers = np.array(values, dtype=np.float64)
    except ValueError:
        raise _refused(where, text) from None
    if "_" in text or len(words) % 3 or colons != [":"] * len(indices) or not all(map(str.isdecimal, indices)):
        raise _refused(where, text)
    right = np.abs(numbers) <= LARGEST
    if not right.all():
        first = int(right.argmin())
        limits = LIMITS if np.isfinite(numbers[first]) else ""
        raise UserError(f"{where}: a value must be a finite number{limits}; given {values[first]}")
    names = [str(int(index)) for index in indices]
    features = dict(zip(names, numbers.tolist(), strict=True))
    if len(features) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UserError(f"{where}: gives feature {twice} twice; leave one of its values out")
    return features


def _refused(where: str, text: str) -> UserError:
    return UserError(f"{where}: must be {LAYOUT}; given {shown(text.strip())}")
