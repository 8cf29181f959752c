"""The time of a record, by its own clock. The clocks of machines that write to it may be wrong by hours."""

from __future__ import annotations

import time
from collections.abc import Callable

ASKED_EVERY = 60.0  # seconds; for so long the two clocks run equally fast
_PASSING = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # a clock that runs while a machine sleeps; never set


class Clock:
    """A clock elsewhere. It is read at most once a minute; in between, this machine's clock measures the time since.

    Args:
        ask: reads the clock: seconds since 1970.
    """

    def __init__(self, ask: Callable[[], float]) -> None:
        self._ask, self._said, self._at = ask, 0.0, float("-inf")

    def now(self) -> float:
        """Return the time of the clock elsewhere, in seconds since 1970."""
        if time.clock_gettime(_PASSING) - self._at > ASKED_EVERY:
            self.says(self._ask())
        return self._said + time.clock_gettime(_PASSING) - self._at

    def says(self, now: float) -> None:
        """Take ``now`` as what the clock elsewhere shows at this moment."""
        self._said, self._at = now, time.clock_gettime(_PASSING)
