"""From a text to its tokens: words, neighbouring words, or neighbouring characters of words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from rarelabels.declare.table import TextTokens

Cut = Callable[[str], list[str]]
_WORD = re.compile(r"\w+")
ZERO_WIDTH_SPACE = "\u200b"  # parts words in Thai and Khmer; the other format characters are inside words


class _Signs(dict[int, str]):
    """What each character becomes: itself in a word, a blank between words, nothing for a format character."""

    def __missing__(self, code: int) -> str:
        sign = chr(code)
        category = unicodedata.category(sign)
        if category[0] in "LMN" or sign == "_":
            kept = sign
        else:
            kept = "" if category == "Cf" and sign != ZERO_WIDTH_SPACE else " "
        self[code] = kept
        return kept


_SIGNS = _Signs()


def lower_case_words(text: str) -> list[str]:
    """Return the words of a text, lower-cased, as a column of prose is cut that declares no tokens.

    >>> lower_case_words("The End, again")
    ['the', 'end', 'again']
    """
    return _WORD.findall(text.lower())


def cut(tokens: TextTokens) -> Cut:
    """Return the function that cuts texts into tokens as declared.

    >>> cut(TextTokens(column="plot", of="characters", ngrams=(2, 3)))("男家古 a")
    ['男家', '男家古', '家古', 'a']
    >>> cut(TextTokens(column="plot", of="words", ngrams=(1, 2)))("The End")
    ['the', 'the end', 'end']
    """
    low, high = tokens.ngrams

    def of_characters(text: str) -> list[str]:
        return [word[run] for word in normal_words(text) for run in neighbours(len(word), low, high)]

    def of_words(text: str) -> list[str]:
        words = normal_words(text)
        return [" ".join(words[run]) for run in neighbours(len(words), low, high)]

    return of_characters if tokens.of == "characters" else of_words


def normal_words(text: str) -> list[str]:
    """Return the words of a text in NFKC and lower case. Marks are parts of words, as the vowel signs of Thai are.

    >>> normal_words("ＡＢＣ ﬁn-de-siècle")
    ['abc', 'fin', 'de', 'siècle']
    """
    return unicodedata.normalize("NFKC", text).lower().translate(_SIGNS).split()


def neighbours(n: int, low: int, high: int) -> list[slice]:
    """Return the places of each ``low`` to ``high`` neighbours among ``n`` things, by where they begin.

    If there are fewer than ``low`` things, they are one run.

    >>> ["abc"[run] for run in neighbours(3, 1, 2)]
    ['a', 'ab', 'b', 'bc', 'c']
    """
    if n < low:
        return [slice(0, n)] if n else []
    return [slice(i, i + size) for i in range(n - low + 1) for size in range(low, min(high, n - i) + 1)]
