"""The memory of this machine, and the peak memory of this process as Linux counts it."""

from __future__ import annotations

import ctypes
import gc
import os
from contextlib import suppress
from pathlib import Path

_CLEAR, _STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
_PEAK_RESIDENT = "5"  # resets the high-water mark: man 5 proc_pid_clear_refs
_KIB = 1024
_CGROUP = Path("/sys/fs/cgroup/memory.max")


class Peak:
    """Measures how far the process's resident memory rises from the moment when the object is made.

    First, memory that earlier work has freed is given back to the system. Memory that the process already holds is not
    counted: TensorFlow's own half gigabyte, and programs that earlier trainings compiled. It depends on the order of
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
        """Return the rise in bytes; None if the system does not tell it."""
        now = _mark()
        return None if self._before is None or now is None else now - self._before

    def facts(self) -> dict[str, float]:
        """Return ``memory_rise_bytes``; empty if the system does not tell it."""
        return {} if (rise := self.bytes()) is None else {"memory_rise_bytes": rise}


def _mark() -> int | None:
    """Return the high-water mark of the resident memory, in bytes; None if it cannot be read."""
    with suppress(OSError):
        for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * _KIB
    return None


def machine_bytes() -> int | None:
    """Return the memory of this machine in bytes, or the limit of this container if it is lower; None if unknown."""
    limits = []
    with suppress(AttributeError, OSError, ValueError):  # not every system has these names
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):  # no container, or a container without a limit
        limits.append(int(_CGROUP.read_text(encoding="ascii")))
    return min(limits, default=None)
