"""The columns of a table before it is split, and what a training part fits on them.

A table is tokenised once (:class:`Tokens`); every split then only picks rows. What may depend on the training part
alone is a :class:`Vocabulary` (the tokens and their idf) or a :class:`Scaler` (mean and spread of numbers).
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy as sp

LAYOUT = 4
"""Raised whenever the arrays of a stored :class:`Table` are to be read in another way."""


@dataclass(frozen=True, eq=False)
class Tokens:
    """One text field of n rows: ragged lists of tokens in the order of the text, duplicates kept.

    Row i holds ``vocabulary[ids[indptr[i]:indptr[i + 1]]]``.

    Attributes:
        vocabulary: (n_tokens,) of str objects without repeats: the whole table's tokens, in no meaningful order.
            It is shared by all parts and says nothing about what a model may know.
        indptr: (n + 1,) int64.
        ids: (nnz,) int32.
    """

    vocabulary: npt.NDArray[np.object_]
    indptr: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int32]

    @staticmethod
    def from_lists(rows: Iterable[Iterable[str]]) -> Tokens:
        """Number the tokens of ragged lists; ids follow first appearance. Rows may be made while they are read."""
        numbering = Numbering()
        for row in rows:
            numbering.add(row)
        return numbering.tokens()

    def __len__(self) -> int:
        return len(self.indptr) - 1

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of tokens of each row, (n,)."""
        return np.diff(self.indptr)

    def take(self, rows: npt.ArrayLike) -> Tokens:
        """Return the given rows, in that order; ``rows`` are row numbers from 0, not a mask."""
        rows = np.asarray(rows, dtype=np.int64)
        lengths = self.lengths[rows]
        indptr = offsets(lengths)
        # The k-th token of a taken row lies at its old start + k, and k is the new position minus the new start.
        positions = np.repeat(self.indptr[rows] - indptr[:-1], lengths) + np.arange(indptr[-1])
        return Tokens(self.vocabulary, indptr, self.ids[positions])

    def with_pairs(self) -> Tokens:
        """Return rows that hold each token, and behind them each pair of neighbours: ``a, b, c, a b, b c``."""
        size, row_of = len(self.vocabulary), np.repeat(np.arange(len(self)), self.lengths)
        first = np.flatnonzero(row_of[1:] == row_of[:-1])  # the next token is of the same row
        numbers = self.ids[first].astype(np.int64) * size + self.ids[first + 1]
        kinds = different(numbers)
        ids = np.concatenate([self.ids, size + np.searchsorted(kinds, numbers)])
        in_order = np.argsort(np.concatenate([row_of, row_of[first]]), kind="stable")
        indptr = offsets(self.lengths + np.maximum(self.lengths - 1, 0))
        words = self.vocabulary[kinds // max(size, 1)] + " " + self.vocabulary[kinds % max(size, 1)]
        return Tokens(np.concatenate([self.vocabulary, words]), indptr, ids[in_order].astype(np.int32))

    def to_lists(self) -> list[list[str]]:
        """Return the tokens as text, the inverse of :meth:`from_lists`; for tests and for looking at the data."""
        words = self.vocabulary[self.ids].tolist()
        return [words[start:stop] for start, stop in zip(self.indptr[:-1], self.indptr[1:], strict=True)]


class Numbering:
    """Numbers tokens row by row and keeps four bytes of each, so that the text itself need not be kept."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._ids = array("i")
        self._stops = array("q", [0])

    def add(self, row: Iterable[str]) -> None:
        """Append a row of tokens."""
        known = self._known
        self._ids.extend([known.setdefault(token, len(known)) for token in row])
        self._stops.append(len(self._ids))

    def tokens(self) -> Tokens:
        """Return the rows added so far; add no more after it."""
        vocabulary = np.empty(len(self._known), dtype=object)
        vocabulary[:] = list(self._known)
        return Tokens(vocabulary, np.asarray(self._stops, dtype=np.int64), np.asarray(self._ids, dtype=np.int32))


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The tokens of one field that a model knows, fitted on the training part only.

    Attributes:
        tokens: by falling document frequency, ties by the token's text. The id of ``tokens[i]`` is i + 1; 0 is padding.
        idf: (len(tokens),) float64, ln((1 + n) / (1 + df)) + 1 for n rows of which df hold the token: the smooth idf of
            scikit-learn's ``TfidfTransformer``. A token of 1 of 3 rows has 1 + ln 2 = 1.693.
    """

    tokens: tuple[str, ...]
    idf: npt.NDArray[np.float64]

    @classmethod
    def fit(cls, tokens: Tokens, *, min_rows: int, max_tokens: int | None) -> Vocabulary:
        """Keep the tokens that at least ``min_rows`` rows hold, the ``max_tokens`` most frequent of them at most."""
        n = len(tokens)
        frequency = document_frequency(tokens)
        kept = np.flatnonzero(frequency >= max(min_rows, 1))
        kept = kept[np.argsort(tokens.vocabulary[kept])]
        kept = kept[np.argsort(-frequency[kept], kind="stable")][:max_tokens]
        return cls(tuple(tokens.vocabulary[kept].tolist()), np.log((1 + n) / (1 + frequency[kept])) + 1)

    def pad(self, tokens: Tokens, max_length: int) -> npt.NDArray[np.int32]:
        """Return (n, max_length) ids: the first ``max_length`` known tokens of each row, filled up with 0s."""
        rows, ids = self._known(tokens)
        counts = np.bincount(rows, minlength=len(tokens))
        column = np.arange(len(ids)) - np.repeat(np.cumsum(counts) - counts, counts)
        fits = column < max_length
        padded = np.zeros((len(tokens), max_length), dtype=np.int32)
        padded[rows[fits], column[fits]] = ids[fits]
        return padded

    def counts(self, tokens: Tokens) -> sp.sparse.csr_array[np.float64, tuple[int, int]]:
        """Return (n, len(tokens)) float64: how often each known token occurs in each row; column i is ``tokens[i]``."""
        rows, ids = self._known(tokens)
        shape = (len(tokens), len(self.tokens))
        return sp.sparse.csr_array((np.ones(len(ids)), (rows.astype(np.int32), ids - 1)), shape=shape)

    def to_json(self) -> dict[str, Any]:
        """Return plain lists; floats survive JSON exactly."""
        return {"tokens": list(self.tokens), "idf": self.idf.tolist()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Vocabulary:
        """Return what :meth:`to_json` stored."""
        return cls(tuple(stored["tokens"]), np.array(stored["idf"], dtype=np.float64))

    def _known(self, tokens: Tokens) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32]]:
        """Row number and own id (from 1) of every known token, in the order of the text."""
        own = pd.Index(self.tokens, dtype=object).get_indexer(pd.Index(tokens.vocabulary, dtype=object)) + 1
        ids = own.astype(np.int32)[tokens.ids]
        known = ids > 0
        return np.repeat(np.arange(len(tokens)), tokens.lengths)[known], ids[known]


def document_frequency(tokens: Tokens) -> npt.NDArray[np.int64]:
    """Return in how many rows each token of the table's vocabulary occurs, (n_tokens,)."""
    size = len(tokens.vocabulary)
    rows = np.repeat(np.arange(len(tokens)), tokens.lengths)
    once_per_row = different(rows * size + tokens.ids)
    return np.bincount(once_per_row % max(size, 1), minlength=size).astype(np.int64)


def offsets(lengths: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return where each piece begins if pieces lie one after another, and where the last one ends, (n + 1,)."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])


def different(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the different numbers in order, as ``np.unique`` does.

    NumPy 2.4 has a hash table for that, which took 10 s where sorting 20 million numbers that nearly are in order took
    0.2 s.
    """
    ordered = np.sort(numbers)
    is_new = np.ones(len(ordered), dtype=bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_new]


@dataclass(frozen=True, eq=False)
class Scaler:
    """Mean and spread of numeric columns, fitted on the training part only.

    Attributes:
        mean: (k,) float64.
        std: (k,) float64, the standard deviation over n rows (not n - 1); 1 for a constant column, which so becomes 0.
    """

    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]

    @classmethod
    def fit(cls, x: npt.NDArray[np.float64]) -> Scaler:
        """Take mean and standard deviation of each column of ``x``, (n, k)."""
        # A constant column is found by its range: rounding can leave it a standard deviation of 1e-17.
        constant = np.ptp(x, axis=0) == 0
        return cls(x.mean(axis=0), np.where(constant, 1.0, x.std(axis=0)))

    def times(self, factor: float) -> Scaler:
        """Return a scaler that gives ``factor`` times the numbers of this one."""
        return Scaler(self.mean, self.std / factor)

    def transform(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """Return (x - mean) / std as (n, k) float32; 3 is 1.0 where the training part held 1 and 3."""
        return ((x - self.mean) / self.std).astype(np.float32)

    def to_json(self) -> dict[str, list[float]]:
        """Return plain lists; floats survive JSON exactly."""
        return {"mean": self.mean.tolist(), "std": self.std.tolist()}

    @classmethod
    def from_json(cls, stored: dict[str, list[float]]) -> Scaler:
        """Return what :meth:`to_json` stored."""
        return cls(np.array(stored["mean"], dtype=np.float64), np.array(stored["std"], dtype=np.float64))


def no_numbers() -> npt.NDArray[np.float64]:
    """Return (0, 0) float64: the numeric columns of data that have none, before the number of rows is known."""
    return np.empty((0, 0))


def multi_hot(rows: Sequence[Sequence[str]]) -> tuple[list[str], npt.NDArray[np.uint8]]:
    """Return the names by falling number of rows, ties by name, and (n, n_names) uint8: which row has which."""
    frequency = Counter(chain.from_iterable(set(row) for row in rows))
    names = sorted(frequency, key=lambda name: (-frequency[name], name))
    column = {name: i for i, name in enumerate(names)}
    y = np.zeros((len(rows), len(names)), dtype=np.uint8)
    for number, row in enumerate(rows):
        y[number, [column[name] for name in row]] = 1
    return names, y


@dataclass(frozen=True, eq=False)
class Table:
    """A data set before it is split.

    Attributes:
        ids: (n,) str, one per row.
        labels: names of the columns of ``y``.
        y: (n, n_labels) uint8.
        strata: (n, m) uint8, what the split is stratified by: all genres of the films, so that their parts stay
            the same when a trial asks for fewer; of a table its labels, for its tags may be without end.
        groups: (n,) int64; rows of one group (near-duplicates) stay in one part. None: no two rows belong together.
        text: field name to tokens of n rows.
        numeric: (n, k) float64, finite, as in the source; (n, 0) if not given.
        numeric_names: names of the columns of ``numeric``.
        parts: (n,) uint8, the declared part of each row as its place in ``splits.PARTS``. None: the rows are yet to be
            split.
        images: (n,) str, the file of each row's image, below a folder that the kind of data knows. None: no images.
    """

    ids: npt.NDArray[np.str_]
    labels: tuple[str, ...]
    y: npt.NDArray[np.uint8]
    strata: npt.NDArray[np.uint8]
    groups: npt.NDArray[np.int64] | None
    text: dict[str, Tokens]
    numeric: npt.NDArray[np.float64] = field(default_factory=no_numbers)
    numeric_names: tuple[str, ...] = ()
    parts: npt.NDArray[np.uint8] | None = None
    images: npt.NDArray[np.str_] | None = None

    def __post_init__(self) -> None:
        if not self.numeric_names:
            object.__setattr__(self, "numeric", np.empty((len(self.y), 0)))

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the table as named arrays without objects, to be stored; ``LAYOUT`` numbers the form."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "ids": self.ids,
            "labels": np.array(self.labels, dtype=np.str_),
            "y": self.y,
            "fields": np.array(tuple(self.text), dtype=np.str_),
            "numeric": self.numeric,
            "numeric_names": np.array(self.numeric_names, dtype=np.str_),
        }
        # Strata are often the labels themselves: of 289,222 rows with 1,000 labels that is 0.3 GB not stored twice.
        strata = None if self.strata is self.y else self.strata
        optional = {"strata": strata, "groups": self.groups, "parts": self.parts, "images": self.images}
        arrays |= {name: array for name, array in optional.items() if array is not None}
        # By number: a field may be called anything, the file of an array may not.
        for i, tokens in enumerate(self.text.values()):
            arrays[f"text/{i}/indptr"], arrays[f"text/{i}/ids"] = tokens.indptr, tokens.ids
            arrays[f"text/{i}/letters"], arrays[f"text/{i}/letter_counts"] = _packed(tokens.vocabulary)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> Table:
        """Return the table that :meth:`to_arrays` took apart."""
        text = {}
        for i, name in enumerate(arrays["fields"].tolist()):
            vocabulary = _unpacked(arrays[f"text/{i}/letters"], arrays[f"text/{i}/letter_counts"])
            text[name] = Tokens(vocabulary, arrays[f"text/{i}/indptr"], arrays[f"text/{i}/ids"])
        return cls(
            ids=arrays["ids"],
            labels=tuple(arrays["labels"].tolist()),
            y=arrays["y"],
            strata=arrays.get("strata", arrays["y"]),
            groups=arrays.get("groups"),
            text=text,
            numeric=arrays["numeric"],
            numeric_names=tuple(arrays["numeric_names"].tolist()),
            parts=arrays.get("parts"),
            images=arrays.get("images"),
        )


def _packed(words: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """One run of UTF-8 letters and the length of each word: a fixed width would make one long word cost for all."""
    letters = "".join(words).encode("utf-8", "surrogatepass")
    return np.frombuffer(letters, dtype=np.uint8), np.array([len(word) for word in words], dtype=np.int64)


def _unpacked(letters: npt.NDArray[np.uint8], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    text = letters.tobytes().decode("utf-8", "surrogatepass")
    stops = np.cumsum(counts).tolist()
    words = np.empty(len(counts), dtype=object)
    words[:] = [text[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]
    return words
