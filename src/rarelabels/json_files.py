"""JSON as it is stored: text that every reader of JSON takes, which has no NaN and no infinity."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path


def text(content: object, indent: int | None = None) -> str:
    """Return content as JSON; names keep their letters.

    >>> text({"é": [1, 0.5]})
    '{"é": [1, 0.5]}'

    Raises:
        ValueError: a number is not finite; the message says where it is.
    """
    try:
        return json.dumps(content, indent=indent, ensure_ascii=False, allow_nan=False)
    except ValueError as error:
        found = next(_not_finite(content), None)
        if found is None:
            raise
        raise ValueError(f"{found[0]}: must be a finite number; got {found[1]}") from error


def write(path: Path, content: object, indent: int | None = None) -> None:
    """Write content as JSON; see :func:`text`. Nothing is written if it cannot be JSON."""
    try:
        path.write_text(text(content, indent), encoding="utf-8")
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from error


def _not_finite(content: object, above: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(content, float) and not math.isfinite(content):
        yield above or "the number", content
    elif isinstance(content, Mapping):
        for key, value in content.items():
            yield from _not_finite(value, f"{above}/{key}".lstrip("/"))
    elif isinstance(content, list | tuple):
        for place, value in enumerate(content):
            yield from _not_finite(value, f"{above}/{place}".lstrip("/"))
