"""A terminal for tables: wide enough where there is none."""

from __future__ import annotations

from rich.console import Console

WIDE = 10_000  # without a terminal nothing is cut


def open_console() -> Console:
    """Return a console that prints text as it is: ``[linear]`` is a list of a reader's YAML, and no style."""
    console = Console(highlight=False, markup=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, width=WIDE)
