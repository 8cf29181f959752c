"""What each column beside the labels is: prose, a list, a number, a category, an id, or not used."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rarelabels.data.table.cell_values import ONE_NAME, SEPARATORS
from rarelabels.data.table.opening import shown
from rarelabels.declare.data import ListColumn, VectorColumn
from rarelabels.init.column import Column, Wish
from rarelabels.init.unsegmented import length_in_words, word_count
from rarelabels.init.vector_columns import are_valued_names, are_vectors

SHORT_WORDS = 4  # an entry of a list has no more words on average
RECURRING = 1.2  # occurrences of each entry between commas: prose has commas too, but its phrases do not come back
REPEATED = 1.25  # rows for each different name
PROSE_WORDS, LONG_PROSE_WORDS = 1.5, 4.0  # words in a cell, on average; long prose is prose however often it comes back
MOST_VALUES, CATEGORY_ROWS, EACH_VALUE = 50, 20, 5  # of a category: values, rows, rows for each value on average
FEW_NUMBERS = 10  # with fewer filled cells, the training part may have none


@dataclass
class Guess:
    """What columns are taken for that the user does not name."""

    text: tuple[str, ...] = ()
    lists: tuple[ListColumn, ...] = ()
    numeric: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    vectors: tuple[VectorColumn, ...] = ()
    id: str | None = None
    unused: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, columns: dict[str, Column], wish: Wish) -> Guess:
        """Return a guess for each column. If the user names columns of a kind, no other column is of that kind."""
        guess = cls()
        for name, column in columns.items():
            if guess.id is None and wish.id is None and column.is_id:
                guess.id = name
                continue
            kind, reason = _kind(column)
            if kind == "numeric" and wish.labels is None and column.flags is not None and column.empty:
                kind, reason = "", f"is 0/1, but {_cells(column.empty)} empty: a label or an input? give --labels"
            if getattr(wish, kind, ()):
                option = "--list" if kind == "lists" else f"--{kind}"
                kind, reason = "", f"looks like a column of {option}, but {option} names others"
            match kind:
                case "text":
                    guess.text += (name,)
                case "lists":
                    guess.lists += (declared_list(column),)
                case "numeric":
                    guess.numeric += (name,)
                case "categories":
                    guess.categories += (name,)
                case "vectors":
                    guess.vectors += (VectorColumn(column=name),)
                case _:
                    guess.unused[name] = reason
        return guess


def _kind(column: Column) -> tuple[str, str]:
    """Return the kind, ``text``, ``lists``, ``numeric``, ``categories`` or ``vectors``; or no kind and the reason."""
    if column.empty == column.rows:
        return "", "is empty"
    if column.names is not None and column.kinds <= {"text", "number"} and not column.is_flags:
        return "", _why_no_id(column)
    if len(column.kinds) > 1:
        return "", f"holds {' and '.join(sorted(column.kinds))}"
    if are_vectors(column.sample):
        return ("", f"holds vectors, but {_cells(column.empty)} empty") if column.empty else ("vectors", "")
    if are_valued_names(column.sample):
        return "lists", ""
    match next(iter(column.kinds)):
        case "list":
            wrong = next((cell for cell in column.sample if not all(map(_is_name, cell))), None)
            return ("lists", "") if wrong is None else ("", f"holds lists whose entries are no names: {shown(wrong)}")
        case "number" | "text" if column.is_numeric:
            return _kind_of_numbers(column)
        case "text":
            return _kind_of_texts(column)
        case other:
            return "", f"holds neither text nor numbers nor lists, but {other}"


def _is_name(entry: object) -> bool:
    return entry is None or (isinstance(entry, (str, int)) and not isinstance(entry, bool))


def _why_no_id(column: Column) -> str:
    different = len(column.names or ())
    if different == column.rows:
        return "names every row, like an id; to use it as that, give --id {column.name}"
    return (
        f"looks like an id with {different:,} values; if rows with the same value belong together, give --group "
        f"{column.name}"
    )


def _kind_of_numbers(column: Column) -> tuple[str, str]:
    if column.not_numbers:
        return "", f"holds numbers, but {_cells(column.not_numbers)} no number, first {column.first_not_number}"
    if column.missing and column.rows - column.missing < FEW_NUMBERS:
        return "", f"holds numbers, but only {column.rows - column.missing} in {column.rows:,} rows"
    if column.low == column.high:
        return "", f"is {column.low:g} in every row{' that is not empty' if column.missing else ''}"
    return ("", "counts the rows") if column.counts_rows else ("numeric", "")


def _cells(count: int) -> str:
    return "1 cell is" if count == 1 else f"{count:,} cells are"


def _kind_of_texts(column: Column) -> tuple[str, str]:
    texts = column.texts
    different = set(texts)
    if len(different) == 1 and len(texts) > 1 and not column.empty:
        return "", f"is {shown(texts[0])} in every row"
    if is_python_list(texts):
        return "", f"holds lists as Python writes them, {shown(texts[0])}; write them as a|b"
    if separator(texts) is not None:
        return "lists", ""
    words = sum(map(word_count, texts)) / len(texts)
    if words < LONG_PROSE_WORDS and _is_category(column):
        return "categories", ""
    if words < LONG_PROSE_WORDS and len(texts) / len(different) >= REPEATED:
        return "lists", ""
    if words >= PROSE_WORDS:
        return "text", ""
    return "", f"holds another text in nearly every row, but no prose: {shown(texts[0])}"


def _is_category(column: Column) -> bool:
    """Whether a column has few different values, and each in several rows."""
    texts = [text.strip() for text in column.texts]
    different = len(set(texts))
    return column.rows >= CATEGORY_ROWS and different <= min(MOST_VALUES, len(texts) / EACH_VALUE)


def is_python_list(texts: Sequence[str]) -> bool:
    """Whether cells are lists as Python or JSON writes them: ``['a', 'b']``."""
    bare = [text.strip() for text in texts]
    return bool(bare) and all(text.startswith("[") and text.endswith("]") for text in bare)


def declared_list(column: Column) -> ListColumn:
    """Return how a column of lists is declared. ``ONE_NAME`` is declared if a sign occurs that separates nothing."""
    texts = column.texts
    found = separator(texts)
    if found is None and any(one in text for text in texts for one in SEPARATORS):
        found = ONE_NAME
    return ListColumn(column=column.name, separator=found)


def separator(texts: Iterable[str]) -> str | None:
    """Return the separator between the entries of texts; None if each text is one entry.

    A sign separates entries if the parts between it are short, and there are fewer different parts than different
    texts, as with tags. It also does if the parts are short and most texts hold it; a comma only if the parts come
    back in other texts.
    """
    filled = [text for text in texts if text.strip()]
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
