"""The time of a record: by its own clock, for those of the machines that write to it may be wrong by hours."""

from __future__ import annotations

import time
from collections.abc import Callable

ASKED_EVERY = 60.0  # seconds; the two clocks run alike for so long
_PASSING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while a machine sleeps; nobody sets it


class Clock:
    """A clock elsewhere. It is read once a minute, and followed by this machine's clock in between.

    Args:
        ask: reads it: seconds since 1970.
    """

    def __init__(self, ask: Callable[[], float]) -> None:
        self._ask, self._said, self._at = ask, 0.0, float("-inf")

    def now(self) -> float:
        """Return its time now."""
        if time.clock_gettime(_PASSING) - self._at > ASKED_EVERY:
            self.says(self._ask())
        return self._said + time.clock_gettime(_PASSING) - self._at

    def says(self, now: float) -> None:
        """Set the time that it shows at this moment."""
        self._said, self._at = now, time.clock_gettime(_PASSING)
