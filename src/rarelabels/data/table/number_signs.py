"""How a table writes numbers: the sign before the decimals, and the sign between groups of digits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from rarelabels.declare.table import TableSpec

_ALIKE = str.maketrans({"\u00a0": " ", "\u2009": " ", "\u202f": " ", "\u2019": "'"})  # blanks and apostrophes of print


@dataclass(frozen=True)
class NumberSigns:
    """The signs of a table's numbers.

    Attributes:
        decimal: the sign before the decimals.
        thousands: the sign between groups of digits; None if there is none. A blank stands for every kind of blank.
    """

    decimal: str = "."
    thousands: str | None = None

    @classmethod
    def of(cls, spec: TableSpec) -> NumberSigns:
        """Return the signs that a table declares; ``PLAIN`` itself for those of Python."""
        found = cls(spec.decimal, spec.thousands)
        return PLAIN if found == PLAIN else found

    def plain(self, text: str) -> str:
        """Return a number as Python writes it; an empty text for what is no number in these signs.

        >>> german = NumberSigns(",", ".")
        >>> [german.plain(text) for text in ("1.234.567,5", "0,25", "-7", "0.25", "1,2,3")]
        ['1234567.5', '0.25', '-7', '', '']
        """
        number = text.strip().translate(_ALIKE)
        if not _pattern(self).fullmatch(number):
            return ""
        return number.replace(self.thousands or "", "").replace(self.decimal, ".")


PLAIN = NumberSigns()
DECIMALS = (".", ",")
# In the order in which they are believed, if several read a column: 1,234 is a thousand where all commas stand before
# three digits.
OTHERS = (
    NumberSigns(".", ","),
    NumberSigns(",", None),
    NumberSigns(",", "."),
    NumberSigns(".", " "),
    NumberSigns(",", " "),
    NumberSigns(".", "'"),
    NumberSigns(",", "'"),
)


@cache
def _pattern(signs: NumberSigns) -> re.Pattern[str]:
    whole = r"\d+"
    if signs.thousands:
        sign = re.escape(signs.thousands)
        # Groups of two digits before the last three are Indian: 12,34,567.
        whole = rf"[1-9]\d{{0,2}}(?:{sign}\d{{2,3}})*{sign}\d{{3}}|{whole}"
    decimals = rf"{re.escape(signs.decimal)}\d*"
    return re.compile(rf"[+-]?(?:(?:{whole})(?:{decimals})?|{re.escape(signs.decimal)}\d+)(?:[eE][+-]?\d+)?", re.ASCII)
