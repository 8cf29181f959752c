"""Emoji."""

from __future__ import annotations

from pathlib import Path

from rarelabels.datasets.fields import Table
from rarelabels.schema import EmojiSpec

VERSION = 1
"""Raised whenever the same source is to give another table."""


def content(spec: EmojiSpec) -> str:
    """Return the SHA-256 of the source's content, in hexadecimal."""
    raise NotImplementedError


def parse(spec: EmojiSpec) -> Table:
    """Read the source."""
    raise NotImplementedError


def image_folder(spec: EmojiSpec) -> Path:
    """Return the folder that ``Table.images`` are in."""
    raise NotImplementedError
