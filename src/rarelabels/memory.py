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
    """The high-water mark of the process's resident memory from here on.

    All of the process counts, TensorFlow's own half gigabyte too. What earlier work of the process has freed is given
    back to the system first; the programs that it has compiled stay.
    """

    def __init__(self) -> None:
        gc.collect()
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL("libc.so.6").malloc_trim(0)
        try:
            _CLEAR.write_text(_PEAK_RESIDENT, encoding="ascii")
            self._is_reset = True
        except OSError:
            self._is_reset = False

    def bytes(self) -> int | None:
        """Return the mark; None where it cannot be reset or read."""
        with suppress(OSError):
            for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines() if self._is_reset else ():
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * _KIB
        return None

    def facts(self) -> dict[str, float]:
        """Return ``peak_memory_bytes``, or nothing where it cannot be told."""
        return {} if (peak := self.bytes()) is None else {"peak_memory_bytes": peak}


def machine_bytes() -> int | None:
    """Return the memory of this machine, or of the container this runs in; None where neither can be told."""
    limits = []
    with suppress(AttributeError, OSError, ValueError):  # not on this system
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    with suppress(OSError, ValueError):  # no container, or one without a limit
        limits.append(int(_CGROUP.read_text(encoding="ascii")))
    return min(limits, default=None)
