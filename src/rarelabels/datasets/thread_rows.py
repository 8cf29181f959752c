"""The seven rows of the three-classes thread."""

from __future__ import annotations

from rarelabels.datasets.fields import Table
from rarelabels.schema import ThreadRowsSpec

VERSION = 1
"""Raised whenever the same source is to give another table."""


def content(spec: ThreadRowsSpec) -> str:
    """Return the SHA-256 of the source's content, in hexadecimal."""
    raise NotImplementedError


def parse(spec: ThreadRowsSpec) -> Table:
    """Read the source."""
    raise NotImplementedError
