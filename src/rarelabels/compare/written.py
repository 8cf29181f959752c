"""Numbers as they are written for a reader."""

from __future__ import annotations


def number(value: float | None) -> str:
    """Return a number with three decimals and a true minus; a dash where there is none.

    >>> number(0.4386), number(-0.02), number(None), number(float("nan"))
    ('0.439', '−0.020', '–', '–')
    """
    return "–" if value is None or value != value else f"{value:.3f}".replace("-", "−")


def signed(value: float) -> str:
    """Return a difference with three decimals and its sign.

    >>> signed(0.0126), signed(-0.2)
    ('+0.013', '−0.200')
    """
    return f"{value:+.3f}".replace("-", "−")
