"""JSON Lines files, read in batches of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rarelabels.data.table.opening import opened, readable, shown
from rarelabels.errors import UserError, first_line


def json_objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number and the object of each line; blank lines are skipped."""
    with readable(path), opened(path) as file:
        row = 0
        for line, text in enumerate(file, 1):
            if text.strip():
                row += 1
                yield line, _object(f"{path}: row {row} (line {line})", text)


def _object(where: str, text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text.decode("utf-8-sig"), object_pairs_hook=_without_repeats)
    except UnicodeDecodeError as error:
        raise UserError(f"{where}: is not UTF-8 text (byte {error.start + 1} of the line); save it as UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{where}: must be one JSON object; given {shown(text.decode())} ({first_line(error)})"
        ) from None
    if not isinstance(value, dict):
        raise UserError(f"{where}: must be one JSON object, {{column: value, ...}}; given {shown(value)}")
    return value


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise ValueError("a key is given twice")
    return row
