"""Texts as numbers of tokens, row after row, and how many rows have each token."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, eq=False)
class Tokens:
    """One text field of n rows: ragged lists of tokens in the order of the text, duplicates kept.

    Row i holds ``vocabulary[ids[indptr[i]:indptr[i + 1]]]``.

    Attributes:
        vocabulary: (n_tokens,) of str objects without repeats: the whole table's tokens, in no meaningful order.
            It is shared by all parts and says nothing about what a model may know.
        indptr: (n + 1,) int64.
        ids: (nnz,) int32.
        values: (nnz,) float64, how much each token counts, not 0; the data give them, so that no idf is needed. A row
            has the largest first, and no token twice. None: each token counts as one.
    """

    vocabulary: npt.NDArray[np.object_]
    indptr: npt.NDArray[np.int64]
    ids: npt.NDArray[np.int32]
    values: npt.NDArray[np.float64] | None = None

    @staticmethod
    def from_lists(rows: Iterable[Iterable[str]]) -> Tokens:
        """Number the tokens of ragged lists; ids follow first appearance. ``rows`` may be a generator."""
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
        values = None if self.values is None else self.values[positions]
        return Tokens(self.vocabulary, indptr, self.ids[positions], values)

    def with_pairs(self) -> Tokens:
        """Return rows that hold each token, and after them each pair of neighbours: ``a, b, c, a b, b c``."""
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
        """Return the rows added so far; no row may be added after this call."""
        vocabulary = np.empty(len(self._known), dtype=object)
        vocabulary[:] = list(self._known)
        return Tokens(vocabulary, np.asarray(self._stops, dtype=np.int64), np.asarray(self._ids, dtype=np.int32))


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

    ``np.unique`` of NumPy 2.4 uses a hash table. That took 10 s for 20 million numbers that are nearly in order, and
    sorting them took 0.2 s.
    """
    ordered = np.sort(numbers)
    is_new = np.ones(len(ordered), dtype=bool)
    is_new[1:] = ordered[1:] != ordered[:-1]
    return ordered[is_new]
