"""Which column of a table says how much its rows count in training."""

from __future__ import annotations

from rarelabels.init.column import Column

NAMES = ("sample_weight", "sample_weights", "row_weight", "instance_weight")


def find_weight(columns: dict[str, Column]) -> str | None:
    """Return the column of numbers above 0 that is called as row weights are; a plain ``weight`` may be an input."""
    return next((name for name, one in columns.items() if name.lower() in NAMES and _are_weights(one)), None)


def _are_weights(column: Column) -> bool:
    numbers = column.is_numeric and not column.not_numbers and not column.missing
    return numbers and 0 < column.low < column.high
