"""Who runs a run, and until when others take its word for it.

A process that this one could see is known to be gone by its id and beginning; of any other only its lease tells, which
it renews while it lives. Names of hosts tell nothing: two machines may have the same, and so may two containers. What
tells is the boot of the machine, and on Linux the namespace of process ids. Clocks of machines tell nothing either: a
lease is written and judged by the clock of the record.
"""

from __future__ import annotations

import os
import platform
import socket
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from subprocess import run as run_command

SECONDS = 300.0  # a machine whose network is away for less keeps its runs
RENEWED_EVERY = 60.0


def owner() -> str:
    """Name this process: host, process id, when the process began (ids are used again), and where its id is one."""
    return f"{socket.gethostname()} {os.getpid()} {_began(os.getpid())} {_where()}"


def is_gone(who: str) -> bool:
    """Return whether a process whose id means something here, as :func:`owner` names it, has ended.

    Of names that records of 0.4.2 hold, without a place, the host is believed.
    """
    host, pid, began, place = (*who.split(" "), *[""] * 4)[:4]
    is_here = place == _where() if place else host == socket.gethostname()
    return is_here and pid.isdigit() and _began(int(pid)) != began


def until(now: float) -> str:
    """Return the end of a lease that begins now, by the clock of the record: seconds since 1970."""
    return f"{now + SECONDS:.0f}"


def is_over(who: str, end: str, now: Callable[[], float]) -> bool:
    """Return whether what ``who`` runs never ends: its process is gone, or on another machine and silent.

    Args:
        who: see :func:`owner`; empty if nobody knows.
        end: see :func:`until`; empty of what was recorded without one, which only a process that is gone ends.
        now: tells the time by the clock of the record; it is asked where only the lease tells.
    """
    return is_gone(who) or (bool(end) and now() > float(end))


@contextmanager
def renewed(renew: Callable[[], object]) -> Iterator[None]:
    """Call ``renew`` every minute while the block runs, in another thread.

    A renewal that fails is left to the next one: the record may be away for a while.
    """
    done = threading.Event()

    def go_on() -> None:
        while not done.wait(RENEWED_EVERY):
            with suppress(Exception):
                renew()

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()  # not joined: a renewal under way may wait for a record that is away


@lru_cache(maxsize=1)
def _where() -> str:
    """Name what process ids are ids in: this boot of this machine and, in a container, its own processes."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').readlink().name}"
    except OSError:  # not Linux
        import psutil

        return f"{uuid.getnode():x}/{psutil.boot_time():.0f}"


def _began(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        if platform.system() == "Linux":
            return "gone"
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        return run_command(command, capture_output=True, text=True).stdout.strip() or "gone"
    state, *others = stat.rpartition(")")[2].split()
    return "gone" if state in "ZX" else others[18]  # a zombie has ended; else its start in ticks since boot
