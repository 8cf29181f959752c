"""Inputs that give a label away: its name in a text, a word or an entry that goes with it, a number that orders it.

A leak is a suspicion and no proof: a text may hold a label's name because the label was made from the text. The user
has to say whether the input will be there when the model is used.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import sparse
from scipy.stats import rankdata

from rarelabels.data.tokens import Tokens, different, document_frequency
from rarelabels.data.unsplit import Table

COMMON = 0.2  # at least this share of the rows with a label hold its name
LIFT = 3.0  # and they hold it at least so many times as often as the others
MIN_HOLDING = 5  # at least so many rows hold the name or the token: fewer may be chance
NEARLY_ALL = 0.95  # of the rows with a label hold the token, and of the rows with the token have the label
ORDERED = 0.99  # ROC AUC

_WORD = re.compile(r"[^\W_]+")

Matrix = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Leak:
    """One label that one column gives away.

    Attributes:
        label: its name.
        column: the column.
        what: the word or the entry; empty for a number.
        with_label: which share of the rows with the label hold ``what``.
        without: which share of the other rows hold it.
        auc: for a column of numbers, its ROC AUC for the label, or that of its negative if higher.
    """

    label: str
    column: str
    what: str = ""
    with_label: float = 0.0
    without: float = 0.0
    auc: float = 0.0


def find(data: Table, lists: Sequence[str]) -> list[Leak]:
    """Return the leaks, the clearest first; ``lists`` are the fields whose tokens are whole names, beside categories.

    In a field two things are leaks: the words of a label's name in this order, in upper or lower case; and a single
    token that nearly all rows with a label hold, and nearly no other rows.
    """
    found: dict[tuple[str, str], Leak] = {}
    names = {*lists, *data.categories}
    for column, tokens in (data.text | data.categories).items():
        named = _names_in_lists(data, column, tokens) if column in names else _names_in_text(data, column, tokens)
        for leak in (*named, *_tokens(data, column, tokens)):
            found.setdefault((leak.label, column), leak)
    for leak in _numbers(data):
        found[leak.label, leak.column] = leak
    return sorted(found.values(), key=lambda leak: (-leak.auc, leak.without - leak.with_label, leak.label))


def _names_in_text(data: Table, column: str, tokens: Tokens) -> Iterator[Leak]:
    number = {word: i for i, word in enumerate(tokens.vocabulary.tolist())}
    rows = np.repeat(np.arange(len(tokens)), tokens.lengths)
    phrases = searched(data.labels)
    first = np.zeros(len(number), dtype=bool)
    first[[number[words[0]] for words in phrases.values() if words[0] in number]] = True
    begins = np.flatnonzero(first[tokens.ids]) if len(number) else np.empty(0, np.int64)
    begins = begins[np.argsort(tokens.ids[begins], kind="stable")]  # the places of one word stand together
    for place, label in enumerate(data.labels):
        words = phrases.get(label, ())
        if not words or any(word not in number for word in words):
            continue
        low, high = np.searchsorted(tokens.ids[begins], [number[words[0]], number[words[0]] + 1])
        matches = begins[low:high]
        for step, word in enumerate(words[1:], start=1):
            matches = matches[matches + step < len(tokens.ids)]
            matches = matches[(tokens.ids[matches + step] == number[word]) & (rows[matches + step] == rows[matches])]
        yield from _named(data, place, column, " ".join(words), np.unique(rows[matches]))


def searched(labels: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return label to the words that are looked for in a text: for ``is_sci_fi`` these are sci, fi.

    Labels without a word are left out. So is a first word that all labels share, such as ``is``.
    """
    words = {label: tuple(_WORD.findall(label.lower())) for label in labels}
    firsts = {parts[:1] for parts in words.values()}
    if len(firsts) == 1 and len(labels) > 1 and all(len(parts) > 1 for parts in words.values()):
        words = {label: parts[1:] for label, parts in words.items()}
    return {label: parts for label, parts in words.items() if parts}


def _names_in_lists(data: Table, column: str, tokens: Tokens) -> Iterator[Leak]:
    entries = tokens.vocabulary.tolist()
    wanted = {" ".join(words): place for place, words in enumerate(map(_words, data.labels)) if words}
    for number, entry in enumerate(entries):
        place = wanted.get(" ".join(_words(entry)))
        if place is not None:
            rows = np.repeat(np.arange(len(tokens)), tokens.lengths)[tokens.ids == number]
            yield from _named(data, place, column, entry, np.unique(rows))


def _words(name: str) -> list[str]:
    return _WORD.findall(name.lower())


def _named(data: Table, place: int, column: str, what: str, rows: npt.NDArray[np.int64]) -> Iterator[Leak]:
    """Yield a leak if many of the rows with the label hold its name, and few of the other rows do."""
    y = data.y[:, place]
    positives, both = int(y.sum(dtype=np.int64)), int(y[rows].sum(dtype=np.int64))
    with_label = both / max(positives, 1)
    without = (len(rows) - both) / max(len(y) - positives, 1)
    if both >= MIN_HOLDING and with_label >= COMMON and with_label >= LIFT * without:
        yield Leak(data.labels[place], column, what, with_label, without)


def _tokens(data: Table, column: str, tokens: Tokens) -> Iterator[Leak]:
    positives = data.y.sum(axis=0, dtype=np.int64)
    frequency = document_frequency(tokens)
    # A token can go with a label only if it is about as frequent: this leaves out most words.
    bounds = np.stack([NEARLY_ALL * positives, positives / NEARLY_ALL])
    ends = np.sort(bounds, axis=1)
    fits = np.searchsorted(ends[0], frequency, "right") > np.searchsorted(ends[1], frequency, "left")
    kept = np.flatnonzero(fits & (frequency >= MIN_HOLDING))
    if not kept.size:
        return
    column_of = np.full(len(frequency), -1)
    column_of[kept] = np.arange(len(kept))
    rows, columns = np.repeat(np.arange(len(tokens)), tokens.lengths), column_of[tokens.ids]
    known = columns >= 0
    cells = different(rows[known] * len(kept) + columns[known])
    shape = (len(tokens), len(kept))
    holds = sparse.csr_array((np.ones(len(cells), np.int64), (cells // len(kept), cells % len(kept))), shape=shape)
    both = sparse.coo_array(sparse.csr_array(data.y.T, dtype=np.int64) @ holds)
    for label, token, count in zip(*both.coords, both.data, strict=True):
        held, have = frequency[kept[token]], positives[label]
        if count >= NEARLY_ALL * held and count >= NEARLY_ALL * have:
            without = (held - count) / max(len(tokens) - have, 1)
            yield Leak(data.labels[label], column, tokens.vocabulary[kept[token]], count / have, without)


def _numbers(data: Table) -> Iterator[Leak]:
    if not data.numeric.shape[1]:
        return
    whole = _counted(data.y)
    for column, everywhere in zip(data.numeric_names, data.numeric.T, strict=True):
        missing = np.isnan(everywhere)
        values, (n, y, positives) = everywhere[~missing], _counted(data.y[~missing]) if missing.any() else whole
        above = y @ rankdata(values) - positives * (positives + 1) / 2  # pairs that stand in the right order
        auc = above / np.maximum(positives * (n - positives), 1)
        for place in np.flatnonzero((np.abs(auc - 0.5) > ORDERED - 0.5) & (positives > 0) & (positives < n)).tolist():
            yield Leak(data.labels[place], column, auc=float(max(auc[place], 1 - auc[place])))


def _counted(y: Matrix) -> tuple[int, Any, npt.NDArray[np.int64]]:
    """Return the number of rows, the labels as a sparse matrix, (n_labels, n), and the positives of each label."""
    return len(y), sparse.csr_array(y.T, dtype=np.float64), y.sum(axis=0, dtype=np.int64)


def by_column(leaks: Sequence[Leak]) -> Mapping[str, list[Leak]]:
    """Return the leaks of each column."""
    columns: dict[str, list[Leak]] = {}
    for leak in leaks:
        columns.setdefault(leak.column, []).append(leak)
    return columns
