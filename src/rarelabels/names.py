"""Names that people give, made fit for places with their own rules: a line of text, a figure, MLflow.

A name stays as it is in everything that is read again (files, tags, messages that quote it). It is only made fit where
it is shown, or where a place does not take it. Names that would become the same are told apart.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

ELLIPSIS = "…"
LONGEST_METRIC = 200  # characters of a label in a metric's name; MLflow takes 250, with curve/val_f1_none_half/
_NOT_OF_MLFLOW = re.compile(r"[^\w\-. :]")  # a slash is allowed, but begins a section
_LINE_ENDS = ("Zl", "Zp")  # Unicode's categories of signs that end a line
_ACCENTS = 200  # Unicode's combining class of an accent, and above; lower ones are parts of letters: か and が differ
_UNSEEN = ("Cc", "Cs", "Cn", *_LINE_ENDS)  # control characters, lone surrogates, no characters
_TURNS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # these change the order of what follows


def one_line(name: str) -> str:
    r"""Return a name as a line that can be printed: blanks and line breaks as one blank, control characters as codes.

    >>> one_line("two\nlines"), one_line("\x1b[31mred")
    ('two lines', '\\x1b[31mred')
    """
    line = " ".join(name.split())
    return line if line.isprintable() else "".join(map(_printable, line))


def _printable(sign: str) -> str:
    return ascii(sign)[1:-1] if unicodedata.category(sign) in _UNSEEN or sign in _TURNS else sign


def shortened(name: str, longest: int) -> str:
    """Return a name of at most ``longest`` characters: a longer one loses its end.

    >>> shortened("Documentary", 8)
    'Documen…'
    """
    return name if len(name) <= longest else name[: longest - 1].rstrip() + ELLIPSIS


def some(names: Sequence[str], form: str = "{!r}", most: int = 5) -> str:
    """Return the first few names as one text, with commas; of the others only the number is given.

    >>> some(["Drama", "Western", "War"], most=2)
    "'Drama', 'Western' and 1 more"

    Args:
        names: in the order in which they are shown.
        form: how each is shown.
        most: how many are shown.
    """
    shown = ", ".join(form.format(name) for name in names[:most])
    return shown + (f" and {len(names) - most:,} more" if len(names) > most else "")


def separated(text: str) -> list[str]:
    """Return names between commas or line breaks, without blanks around them; as in CSV, one may be in quotes.

    >>> separated('a, "b, c"')
    ['a', 'b, c']
    """
    lines = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    return [name.strip() for line in lines for name in line]


def told_apart(names: Sequence[str], longest: int, mark: str = "_") -> list[str]:
    """Return names that are all different: equal or empty ones get ``mark`` and a number, first that of their place.

    Args:
        names: of at most ``longest`` characters.
        longest: characters of a returned name.
        mark: stands before the number.

    >>> told_apart(["a_b", "a_b", "a_b_1"], 10)
    ['a_b_0', 'a_b_4', 'a_b_1']
    """
    alike = Counter(names)
    taken = {name for name in names if name and alike[name] == 1}
    apart = []
    for place, name in enumerate(names):
        if not name or alike[name] > 1:
            name = _free(name, place, len(names), longest, mark, taken)
            taken.add(name)
        apart.append(name)
    return apart


def _free(name: str, number: int, step: int, longest: int, mark: str, taken: set[str]) -> str:
    while True:
        end = f"{mark}{number}"
        numbered = name[: longest - len(end)] + end
        if numbered not in taken:
            return numbered
        number += step


def of_metrics(labels: Sequence[str]) -> list[str]:
    """Return the name of each label in names of MLflow's metrics: signs that MLflow refuses are underscores.

    >>> of_metrics(["Sci-Fi", "a/b", "a&b", "a_b_1"])
    ['Sci-Fi', 'a_b_5', 'a_b_2', 'a_b_1']
    """
    plain = [_NOT_OF_MLFLOW.sub("_", label).strip(". ")[:LONGEST_METRIC].strip(". ") for label in labels]
    return told_apart(plain, LONGEST_METRIC)


def with_digest(text: str, longest: int) -> str:
    """Return a text of at most ``longest`` characters: the end of a longer one is its digest, so that texts differ.

    >>> with_digest("x" * 30, 20)
    'xxxxxxxxxxx…666a596d'
    """
    if len(text) <= longest:
        return text
    return f"{text[: longest - 9]}{ELLIPSIS}{digest_of(text)}"


def digest_of(text: str) -> str:
    """Return eight hexadecimal digits that tell a text from others.

    >>> digest_of("a:b")
    '6783a31e'
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def alike(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return groups of names that differ by case, blanks, accents or width only.

    >>> alike(["Sci-Fi", "sci-fi", "Drama", "Café", "CAFE "])
    [('Sci-Fi', 'sci-fi'), ('Café', 'CAFE ')]
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(_bare(name), []).append(name)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def _bare(name: str) -> str:
    """Return a name without case, blanks, accents and width."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", name).casefold())
    letters = "".join(sign for sign in parts if unicodedata.combining(sign) < _ACCENTS and not sign.isspace())
    return letters or name
