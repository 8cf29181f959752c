"""The seven rows of the three-classes thread: every label set but the empty one.

The thread shows no inputs. Here each row has a column that is 1 in this row alone. So a network can learn the seven
rows by heart and nothing else, and the thread's numbers can be checked on the rows that it shows.
"""

from __future__ import annotations

import hashlib

import numpy as np

from rarelabels.data.unsplit import Table
from rarelabels.declare.data import ThreadRowsSpec

VERSION = 1
"""To be increased whenever the same source gives another table."""

LABELS = ("first", "second", "third")
ROWS = ("100", "010", "001", "110", "101", "011", "111")
"""The rows as the thread lists them; each is its own id."""


def content(_spec: ThreadRowsSpec) -> str:
    """Return the SHA-256 of the rows, in hexadecimal."""
    return hashlib.sha256(" ".join(ROWS).encode()).hexdigest()


def parse(_spec: ThreadRowsSpec) -> Table:
    """Return the seven rows; their columns of numbers are (7, 7), 1 on the diagonal."""
    y = np.array([[int(label) for label in row] for row in ROWS], dtype=np.uint8)
    return Table(
        ids=np.array(ROWS, dtype=np.str_),
        labels=LABELS,
        y=y,
        strata=y,
        groups=None,
        text={},
        numeric=np.eye(len(ROWS)),
        numeric_names=tuple(f"is_{row}" for row in ROWS),
    )
