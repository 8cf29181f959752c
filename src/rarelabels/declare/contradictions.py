"""Declared values that exclude each other, and the error that names them all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Contradiction:
    """Declared values that exclude each other: their dotted keys and the reason."""

    keys: tuple[str, ...]
    reason: str


class ContradictionError(ValueError):
    """All contradictions of one trial; ``problems`` adds which file each of the values stands in."""

    def __init__(self, contradictions: list[Contradiction]) -> None:
        super().__init__("; ".join(one.reason for one in contradictions))
        self.contradictions = contradictions
