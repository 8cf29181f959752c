"""Simulated data."""

from __future__ import annotations

from rarelabels.datasets.fields import Table
from rarelabels.schema import SimulatedSpec

VERSION = 1
"""Raised whenever the same source is to give another table."""


def content(spec: SimulatedSpec) -> str:
    """Return the SHA-256 of the source's content, in hexadecimal."""
    raise NotImplementedError


def parse(spec: SimulatedSpec) -> Table:
    """Read the source."""
    raise NotImplementedError
