"""Fonts for signs that matplotlib's own font lacks, such as those of Chinese, Japanese and Hindi."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

OWN = "DejaVu Sans"  # comes with matplotlib, and has 5,900 signs
FOR_BOXES = "Last Resort"  # a font with a box for every sign
REGULAR = 400  # weight
NO_SHAPE = ("Cc", "Cf", "Mn", "Zs")  # Unicode's categories of signs that need no shape of their own
ASCII = 128


def more(text: str) -> list[str]:
    """Return the families of the fonts that have those signs of a text which the usual font lacks."""
    found = (_family_with(sign) for sign in _lacking(text))
    return list(dict.fromkeys(family for family in found if family))


def without(text: str) -> str:
    """Return the signs of a text that no installed font has, each once: figures show boxes for them."""
    return "".join(sign for sign in _lacking(text) if not _family_with(sign))


def _lacking(text: str) -> list[str]:
    others = dict.fromkeys(sign for sign in text if ord(sign) >= ASCII)
    return [sign for sign in others if unicodedata.category(sign) not in NO_SHAPE and not _has(_usual(), sign)]


def _has(font: FT2Font, sign: str) -> bool:
    return font.get_char_index(ord(sign)) != 0


@lru_cache(maxsize=1)
def _usual() -> FT2Font:
    return font_manager.get_font(font_manager.findfont(OWN))


@lru_cache(maxsize=4096)
def _family_with(sign: str) -> str:
    return next((family for family, font in _regular() if _has(font, sign)), "")


@lru_cache(maxsize=1)
def _regular() -> tuple[tuple[str, FT2Font], ...]:
    """Return the installed upright fonts that can be drawn in any size, by family."""
    fonts: dict[str, FT2Font] = {}
    for entry in sorted(font_manager.fontManager.ttflist, key=lambda one: (one.name, one.fname)):
        is_regular = entry.style == "normal" and entry.weight in (REGULAR, "normal", "regular")
        if is_regular and entry.name not in fonts and FOR_BOXES not in entry.name:
            try:
                font = FT2Font(entry.fname)
            except (OSError, RuntimeError):  # deleted, or damaged
                continue
            if font.scalable:  # fonts of coloured pictures are not
                fonts[entry.name] = font
    return tuple(fonts.items())
