"""How much memory there is, and how much of it this process has taken, as Linux counts it."""

from __future__ import annotations

import ctypes
import gc
import os
from contextlib import suppress
from pathlib import Path

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
_PEAK_RESIDENT = "5"  # what resets the high-water mark: man 5 proc_pid_clear_refs
_KIB = 1024
_CGROUP = Path("/sys/fs/cgroup/memory.max")


class Peak:
    """How far the process's resident memory rises from here on.

    What earlier work has freed is given back to the system first. What the process holds, TensorFlow's own half
    gigabyte and the programs that earlier trainings compiled, is not counted: which those are depends on the order of
    the runs.
    """

    def __init__(self) -> None:
        gc.collect()
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        try:
            _CLEAR.write_text(_PEAK_RESIDENT, encoding="ascii")
            self._before = _mark()
        except OSError:
            self._before = None

    def bytes(self) -> int | None:
        """Return the rise; None where it cannot be told."""
        now = _mark()
        return None if self._before is None or now is None else now - self._before

    def facts(self) -> dict[str, float]:
        """Return ``memory_rise_bytes``, or nothing where it cannot be told."""
        return {} if (rise := self.bytes()) is None else {"memory_rise_bytes": rise}


def _mark() -> int | None:
    """Return the high-water mark of the resident memory; None where it cannot be read."""
    with suppress(OSError):
        for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * _KIB
    return None


def machine_bytes() -> int | None:
    """Return the memory of this machine, or of the container this runs in; None where neither can be told."""
    limits = []
    with suppress(AttributeError, OSError, ValueError):  # not on this system
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):  # no container, or one without a limit
        limits.append(int(_CGROUP.read_text(encoding="ascii")))
    return min(limits, default=None)
