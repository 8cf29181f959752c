"""Text that is written without blanks between its words: Chinese, Japanese, Thai, Lao, Khmer, Burmese."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rarelabels.declare.table import TextTokens

LETTERS_OF_WORD = 2  # as many such letters are counted as one word
NGRAMS = (2, 4)  # proposed for such text
_WITHOUT_BLANKS = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff]"
)
_LETTER = re.compile(r"[^\W\d_]")


def word_count(text: str) -> float:
    """Return how many words a text has that hold a letter; two letters of a script without blanks are one word.

    >>> word_count("The end, 2001"), word_count("男家古夜中日")
    (2.0, 3.0)
    """
    rest = _WITHOUT_BLANKS.sub(" ", text)
    of_letters = sum(bool(_LETTER.search(word)) for word in rest.split())
    return of_letters + len(_WITHOUT_BLANKS.findall(text)) / LETTERS_OF_WORD


def length_in_words(text: str) -> float:
    """Return how many words a text has, with or without letters, as :func:`word_count` counts them.

    >>> length_in_words("The end, 2001")
    3.0
    """
    return len(_WITHOUT_BLANKS.sub(" ", text).split()) + len(_WITHOUT_BLANKS.findall(text)) / LETTERS_OF_WORD


def lacks_blanks(texts: Sequence[str]) -> bool:
    """Whether most letters of some texts are of scripts that are written without blanks between words."""
    letters = sum(len(_LETTER.findall(text)) for text in texts)
    return 2 * sum(len(_WITHOUT_BLANKS.findall(text)) for text in texts) > letters


def proposed_tokens(columns: dict[str, Sequence[str]]) -> tuple[TextTokens, ...]:
    """Return how columns of prose are to be cut whose texts, given by column, are written without blanks."""
    found = [name for name, texts in columns.items() if lacks_blanks(texts)]
    return tuple(TextTokens(column=name, of="characters", ngrams=NGRAMS) for name in found)
