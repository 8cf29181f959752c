"""A console for tables. Without a terminal, it is so wide that nothing is cut."""

from __future__ import annotations

from rich.console import Console

WIDE = 10_000  # columns of the console if there is no terminal


def open_console() -> Console:
    """Return a console that prints text as it is. Rich reads ``[linear]`` as a style and ``:cat:`` as an emoji."""
    console = Console(highlight=False, markup=False, emoji=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, emoji=False, width=WIDE)
