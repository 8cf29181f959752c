"""Who runs a run, and until when others take its word for it.

A process of this machine is known to be gone by its id and beginning; of one on another machine only its lease tells,
which it renews while it lives.
"""

from __future__ import annotations

import os
import platform
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from subprocess import run as run_command

SECONDS = 300.0  # a machine whose network is away for less keeps its runs
RENEWED_EVERY = 60.0


def owner() -> str:
    """Name this process on this machine: host, process id and when the process began (ids are used again)."""
    return f"{socket.gethostname()} {os.getpid()} {_began(os.getpid())}"


def is_gone(who: str) -> bool:
    """Return whether a process of this machine, as :func:`owner` names it, has ended."""
    host, _, rest = who.partition(" ")
    pid, _, began = rest.partition(" ")
    return host == socket.gethostname() and pid.isdigit() and _began(int(pid)) != began


def until() -> str:
    """Return the end of a lease that begins now: seconds since 1970."""
    return f"{time.time() + SECONDS:.0f}"


def is_over(who: str, end: str) -> bool:
    """Return whether what ``who`` runs never ends: its process is gone, or on another machine and silent.

    Args:
        who: see :func:`owner`; empty if nobody knows.
        end: see :func:`until`; empty of what was recorded without one, which only a process that is gone ends.
    """
    return is_gone(who) or (bool(end) and time.time() > float(end))


@contextmanager
def renewed(renew: Callable[[str], object]) -> Iterator[None]:
    """Call ``renew`` with the end of the lease every minute while the block runs, in another thread.

    A renewal that fails is left to the next one: the record may be away for a while.
    """
    done = threading.Event()

    def go_on() -> None:
        while not done.wait(RENEWED_EVERY):
            with suppress(Exception):
                renew(until())

    thread = threading.Thread(target=go_on, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()  # a renewal under way may wait for a record that is away, and nobody waits for it


def _began(pid: int) -> str:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        if platform.system() == "Linux":
            return "gone"
        command = ["ps", "-o", "lstart=", "-p", str(pid)]
        return run_command(command, capture_output=True, text=True).stdout.strip() or "gone"
    state, *others = stat.rpartition(")")[2].split()
    return "gone" if state in "ZX" else others[18]  # ended, though its parent has not asked; start in ticks since boot
