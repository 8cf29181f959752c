"""Which process works on a run, and how long other processes believe that it is alive.

The process that works on a run is its owner. If the owner runs on this machine, its process id and start time show
whether it is gone. If it runs elsewhere, only its lease shows it: an owner renews its lease while it lives.

Host names do not show whether a process is on this machine: two machines or two containers may have the same name. The
boot id of the machine does and, on Linux, the namespace of process ids. The clocks of machines may be wrong, so a lease
is written and judged by the clock of the record.
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

SECONDS = 300.0  # a machine without network for a shorter time keeps its runs
RENEWED_EVERY = 60.0


def owner() -> str:
    """Return a name for this process: host, process id, start time, and the place where the id is valid.

    The start time is needed because process ids are used again.
    """
    return f"{socket.gethostname()} {os.getpid()} {_began(os.getpid())} {_where()}"


def is_gone(who: str) -> bool:
    """Return whether a process of this machine has ended; False for a process elsewhere.

    Args:
        who: the process, as :func:`owner` names it. Names in records of version 0.4.2 have no place; then the host name
            decides whether the process is of this machine.
    """
    host, pid, began, place = (*who.split(" "), *[""] * 4)[:4]
    is_here = place == _where() if place else host == socket.gethostname()
    return is_here and pid.isdigit() and _began(int(pid)) != began


def until(now: float) -> str:
    """Return the end of a lease that begins now, by the clock of the record: seconds since 1970."""
    return f"{now + SECONDS:.0f}"


def is_over(who: str, end: str, now: Callable[[], float]) -> bool:
    """Return whether a run will never end, because its process is gone or its lease has run out.

    Args:
        who: the process, see :func:`owner`; empty if it is unknown.
        end: the end of the lease, see :func:`until`; empty for a run without a lease, which then never runs out.
        now: returns the time by the clock of the record; called only if the lease decides.
    """
    return is_gone(who) or (bool(end) and now() > float(end))


@contextmanager
def renewed(renew: Callable[[], object]) -> Iterator[None]:
    """Call ``renew`` every minute while the block runs, in another thread.

    A renewal that fails is ignored, because the record may be away for a while. The next renewal tries again.
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
        done.set()  # the thread is not joined: it may be waiting for a record that is away


@lru_cache(maxsize=1)
def _where() -> str:
    """Return a name for the place where process ids are valid: this boot and, on Linux, the namespace of ids."""
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
