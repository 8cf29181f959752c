"""The time of a record: by its own clock, for those of the machines that write to it may be wrong by hours."""

from __future__ import annotations

import time
from collections.abc import Callable

ASKED_EVERY = 60.0  # seconds; so long the time passes here as it does there
_PASSING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while a machine sleeps; nobody sets it


class Clock:
    """A clock elsewhere, which is asked now and then.

    Args:
        ask: returns what it says: seconds since 1970.
    """

    def __init__(self, ask: Callable[[], float]) -> None:
        self._ask, self._said, self._at = ask, 0.0, float("-inf")

    def now(self) -> float:
        """Return what it says now."""
        if time.clock_gettime(_PASSING) - self._at > ASKED_EVERY:
            self.says(self._ask())
        return self._said + time.clock_gettime(_PASSING) - self._at

    def says(self, now: float) -> None:
        """Take note of what it said at this moment."""
        self._said, self._at = now, time.clock_gettime(_PASSING)
