"""What each column beside the labels is: prose, a list, a number, a category, an id, or not used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rarelabels.data.splits import PARTS
from rarelabels.data.table import bracketed
from rarelabels.data.table.cell_values import LARGEST, LIMITS, ONE_NAME, SEPARATORS
from rarelabels.data.table.opening import shown
from rarelabels.declare.table import ListColumn, VectorColumn
from rarelabels.init.column import NEARLY_ALL, Column, Wish
from rarelabels.init.unsegmented import length_in_words, word_count
from rarelabels.init.vector_columns import are_valued_names, are_vectors, first_not_finite

SHORT_WORDS = 4  # an entry of a list has no more words on average
RECURRING = 1.2  # occurrences of each entry between commas: prose has commas too, but its phrases do not come back
REPEATED = 1.25  # rows for each different name
PROSE_WORDS, LONG_PROSE_WORDS = 1.5, 4.0  # words in a cell, on average; long prose is prose however often it comes back
MOST_VALUES, CATEGORY_ROWS, EACH_VALUE = 50, 20, 5  # of a category: values, rows, rows for each value on average
SHARED = 0.5  # of the names of a column are in the lists of another: both hold lists of such names
FEW_NUMBERS = 10  # with fewer filled cells, the training part may have none
_VECTOR = re.compile(r"\s*\[[\s\d.,eE+\-\[\]]*+\]?\s*")
_WITH_UNIT = re.compile(r"[+-]?([$€£¥₹]) ?[+-]?\d[\d.,' ]*|[+-]?\d[\d.,' ]*([$€£¥₹%])")


@dataclass
class Guess:
    """What columns are taken for that the user does not name, and why."""

    text: tuple[str, ...] = ()
    lists: tuple[ListColumn, ...] = ()
    numeric: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    vectors: tuple[VectorColumn, ...] = ()
    id: str | None = None
    unused: dict[str, str] = field(default_factory=dict)
    why: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, columns: dict[str, Column], wish: Wish) -> Guess:
        """Return a guess for each column, and the reason for it."""
        guess = cls()
        alike = _alike(columns)
        for name, column in columns.items():
            if guess.id is None and wish.id is None and column.is_id:
                guess.id = name
                guess.why[name] = "its name says so, and its cells are all different"
                continue
            kind, reason = _kind(column)
            if name in alike and kind in ("categories", "lists", "text"):
                kind, reason = "lists", f"its cells hold the names of {alike[name]}"
            if kind == "numeric" and wish.labels is None and column.is_filled_flags and column.empty:
                kind, reason = "", f"is 0/1, but {_cells(column.empty)} empty: a label or an input? give --labels"
            (guess.why if kind else guess.unused)[name] = reason
            match kind:
                case "text":
                    guess.text += (name,)
                case "lists":
                    like = columns[alike[name]] if name in alike else column
                    guess.lists += (declared_list(column, separator(like.texts)),)
                case "numeric":
                    guess.numeric += (name,)
                case "categories":
                    guess.categories += (name,)
                case "vectors":
                    guess.vectors += (VectorColumn(column=name),)
        return guess


def _alike(columns: dict[str, Column]) -> dict[str, str]:
    """Return column to another column, for columns of single names that are in the lists of the other.

    Example: films with several writers each, and one director each.
    """
    signs = {name: separator(column.texts) for name, column in columns.items() if not column.is_numeric}
    lists = {name: _names(columns[name].texts, sign) for name, sign in signs.items() if sign is not None}
    found: dict[str, str] = {}
    for name, sign in signs.items():
        if sign is not None:
            continue
        for other, names in lists.items():
            own = _names(columns[name].texts, signs[other] or "")
            if own and len(own & names) > SHARED * len(own):
                found[name] = other
                break
    return found


def _names(texts: Sequence[str], sign: str) -> set[str]:
    """Return the different entries of texts."""
    if sign in bracketed.BRACKETS:
        return {entry for text in texts for entry in bracketed.entries(text, sign) or ()}
    return {entry for text in texts for part in text.split(sign) if (entry := part.strip())}


def _kind(column: Column) -> tuple[str, str]:
    """Return the kind and why: ``text``, ``lists``, ``numeric``, ``categories`` or ``vectors``; or none and why not."""
    if column.empty == column.rows:
        return "", "is empty"
    if column.parts:
        return "", _why_no_parts(column.parts)
    if column.names is not None and column.kinds <= {"text", "number"} and not column.is_flags:
        return "", _why_no_id(column)
    if len(column.kinds) > 1:
        return "", f"holds {' and '.join(sorted(column.kinds))}"
    if are_vectors(column.sample):
        if column.empty:
            return "", f"holds vectors, but {_cells(column.empty)} empty"
        if (wrong := first_not_finite(column.sample)) is not None:
            return "", f"holds vectors, but an entry is {shown(wrong)}, and not a finite number{LIMITS}"
        return "vectors", "its cells are lists of numbers, all of one length"
    if are_valued_names(column.sample):
        return "lists", ""
    match next(iter(column.kinds)):
        case "list":
            wrong = next((cell for cell in column.sample if not all(map(_is_name, cell))), None)
            if wrong is not None:
                return "", f"holds lists whose entries are no names: {shown(wrong)}"
            return "lists", "its cells are lists"
        case "number":
            return _kind_of_numbers(column)
        case "text" if column.is_numeric:
            return _kind_of_numbers(column)
        case "text":
            return _kind_of_texts(column)
        case other:
            return "", f"holds neither text nor numbers nor lists, but {other}"


def _why_no_parts(words: dict[str, str]) -> str:
    missing = [part for part in PARTS if part not in words.values()]
    if not missing:
        return f"says {', '.join(sorted(words))}, but another column gives the parts; --split takes it in its place"
    return (
        f"says {' and '.join(sorted(words))}, like a column of parts, but no row is {' or '.join(missing)}; give some "
        "rows each of train, validation and test, or --categories to make it an input"
    )


def _is_name(entry: object) -> bool:
    return entry is None or (isinstance(entry, (str, int)) and not isinstance(entry, bool))


def _why_no_id(column: Column) -> str:
    different = len(column.names or ())
    if different == column.rows:
        return "names every row, like an id; to use it as that, give --id " + column.name
    return (
        f"looks like an id with {different:,} values; if rows with the same value belong together, give --group "
        f"{column.name}"
    )


def _kind_of_numbers(column: Column) -> tuple[str, str]:
    if column.not_numbers:
        return (
            "",
            f"holds numbers, but {_cells(column.not_numbers)} {_no_number(column)}, first {column.first_not_number}",
        )
    if column.missing and column.rows - column.missing < FEW_NUMBERS:
        return "", f"holds numbers, but only {column.rows - column.missing} in {column.rows:,} rows"
    if column.low == column.high:
        return "", f"is {column.low:g} in every row{' that is not empty' if column.missing else ''}"
    if column.counts_rows:
        return "", "counts the rows"
    return "numeric", f"{'all filled' if column.missing else 'all'} cells are numbers"


def _no_number(column: Column) -> str:
    return f"beyond {LARGEST:g}" if column.too_large == column.not_numbers else "no number"


def _cells(count: int) -> str:
    return "1 cell is" if count == 1 else f"{count:,} cells are"


def _kind_of_texts(column: Column) -> tuple[str, str]:
    texts = column.texts
    different = set(texts)
    if len(different) == 1 and len(texts) > 1 and not column.empty:
        return "", f"is {shown(texts[0])} in every row"
    found = separator(texts)
    if found not in bracketed.BRACKETS and any(map(bracketed.is_quoted_list, texts)):
        other = next((text for text in texts if not bracketed.is_quoted_list(text)), texts[0])
        return "", f"holds lists in brackets beside other texts, as {shown(other)}; write all cells in one way"
    if is_vector(texts):
        return "", f"holds lists in brackets that are no names, {shown(texts[0])}"
    if deep := bracketed.not_of_names(texts):
        return "", f"holds lists of lists, or objects, and no lists of names: {shown(deep)}"
    if unit := _unit(texts):
        return "", f"holds numbers with {unit!r}, which is no part of a number: {shown(texts[0])}; take the sign out"
    if found in bracketed.BRACKETS:
        return "lists", f"its cells are lists in {found}"
    if found is not None:
        return "lists", "short names that come back"
    words = sum(map(word_count, texts)) / len(texts)
    if words < LONG_PROSE_WORDS and _is_category(column):
        return "categories", f"at most {MOST_VALUES} values, each in many rows"
    if words < LONG_PROSE_WORDS and len(texts) / len(different) >= REPEATED:
        return "lists", "its values come back"
    if words >= PROSE_WORDS:
        return "text", f"{words:.1f} words in a cell on average"
    return "", f"holds another text in nearly every row, but no prose: {shown(texts[0])}"


def _is_category(column: Column) -> bool:
    """Whether a column has few different values, and each in several rows."""
    texts = [text.strip() for text in column.texts]
    different = len(set(texts))
    return column.rows >= CATEGORY_ROWS and different <= min(MOST_VALUES, len(texts) / EACH_VALUE)


def is_vector(texts: Sequence[str]) -> bool:
    """Whether cells are lists of numbers, or lists of lists, in square brackets."""
    return bool(texts) and all(_VECTOR.fullmatch(text) for text in texts)


def _unit(texts: Sequence[str]) -> str:
    """Return the sign that stands before or after the numbers of nearly all texts; empty if there is none."""
    found = Counter(match.group(1) or match.group(2) for text in texts if (match := _WITH_UNIT.fullmatch(text.strip())))
    unit, count = max(found.items(), key=lambda item: item[1], default=("", 0))
    return unit if count >= NEARLY_ALL * len(texts) else ""


def declared_list(column: Column, sign: str | None = None) -> ListColumn:
    """Return how a column of lists is declared. ``ONE_NAME`` is declared if a sign occurs that separates nothing.

    Args:
        column: the column.
        sign: the separator, if it is known.
    """
    texts = column.texts
    found = sign or separator(texts)
    if found is None and any(one in text for text in texts for one in SEPARATORS):
        found = ONE_NAME
    return ListColumn(column=column.name, separator=found)


def separator(texts: Iterable[str]) -> str | None:
    """Return the separator between the entries of texts; None if each text is one entry.

    A sign separates entries if the parts between it are short, and there are fewer different parts than different
    texts, as with tags. It also does if the parts are short and most texts hold it; a comma only if the parts come
    back in other texts. Lists in brackets have their brackets in its place.
    """
    filled = [text for text in texts if text.strip()]
    if brackets := bracketed.recognised(filled):
        return brackets
    different = len(set(filled))
    found: dict[str, int] = {}
    for sign in SEPARATORS:
        holding = sum(sign in text for text in filled)
        if not holding:
            continue
        entries = [entry for text in filled for part in text.split(sign) if (entry := part.strip())]
        if not entries or sum(map(length_in_words, entries)) > SHORT_WORDS * len(entries):
            continue
        names = len(set(entries))
        in_most = holding > len(filled) / 2
        if names < different or (in_most and (sign != "," or len(entries) >= RECURRING * names)):
            found[sign] = holding
    return max(found, key=found.__getitem__, default=None)
