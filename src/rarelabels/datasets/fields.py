"""Text fields as ids: the tokens of a whole table, and the vocabulary that a training part fits on them.

A table is tokenised once (:class:`Tokens`); every split then only picks rows. What may depend on the training part
alone, the vocabulary and its idf, is a :class:`Vocabulary`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

LAYOUT = 1
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
    def from_lists(rows: Sequence[Sequence[str]]) -> Tokens:
        """Number the tokens of ragged lists; ids follow first appearance."""
        known: dict[str, int] = {}
        ids = [known.setdefault(token, len(known)) for token in chain.from_iterable(rows)]
        vocabulary = np.empty(len(known), dtype=object)
        vocabulary[:] = list(known)
        indptr = np.concatenate(([0], np.cumsum([len(row) for row in rows], dtype=np.int64)))
        return Tokens(vocabulary, indptr.astype(np.int64), np.array(ids, dtype=np.int32))

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
        indptr = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)))
        # The k-th token of a taken row lies at its old start + k, and k is the new position minus the new start.
        positions = np.repeat(self.indptr[rows] - indptr[:-1], lengths) + np.arange(indptr[-1])
        return Tokens(self.vocabulary, indptr, self.ids[positions])

    def to_lists(self) -> list[list[str]]:
        """Return the tokens as text, the inverse of :meth:`from_lists`; for tests and for looking at the data."""
        words = self.vocabulary[self.ids].tolist()
        return [words[start:stop] for start, stop in zip(self.indptr[:-1], self.indptr[1:], strict=True)]


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
        frequency = _document_frequency(tokens)
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

    def counts(self, tokens: Tokens) -> sparse.csr_array[np.float64, tuple[int, int]]:
        """Return (n, len(tokens)) float64: how often each known token occurs in each row; column i is ``tokens[i]``."""
        rows, ids = self._known(tokens)
        shape = (len(tokens), len(self.tokens))
        return sparse.csr_array((np.ones(len(ids)), (rows.astype(np.int32), ids - 1)), shape=shape)

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


def _document_frequency(tokens: Tokens) -> npt.NDArray[np.int64]:
    """In how many rows each token of the table's vocabulary occurs, (n_tokens,)."""
    size = len(tokens.vocabulary)
    rows = np.repeat(np.arange(len(tokens)), tokens.lengths)
    once_per_row = np.unique(rows * size + tokens.ids)
    return np.bincount(once_per_row % max(size, 1), minlength=size).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Table:
    """A data set before it is split.

    Attributes:
        ids: (n,) str, one per row.
        labels: names of the columns of ``y``.
        y: (n, n_labels) uint8.
        strata: (n, m) uint8, what the split is stratified by: *all* labels of the source. The parts so stay the same
            when a trial asks for fewer labels.
        groups: (n,) int64; rows of one group (near-duplicates) stay in one part. None: no two rows belong together.
        text: field name to tokens of n rows.
    """

    ids: npt.NDArray[np.str_]
    labels: tuple[str, ...]
    y: npt.NDArray[np.uint8]
    strata: npt.NDArray[np.uint8]
    groups: npt.NDArray[np.int64] | None
    text: dict[str, Tokens]

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return the table as named arrays without objects, to be stored; ``LAYOUT`` numbers the form."""
        arrays: dict[str, npt.NDArray[Any]] = {
            "ids": self.ids,
            "labels": np.array(self.labels, dtype=np.str_),
            "y": self.y,
            "strata": self.strata,
        }
        if self.groups is not None:
            arrays["groups"] = self.groups
        for field, tokens in self.text.items():
            arrays[f"text/{field}/indptr"], arrays[f"text/{field}/ids"] = tokens.indptr, tokens.ids
            arrays[f"text/{field}/letters"], arrays[f"text/{field}/letter_counts"] = _packed(tokens.vocabulary)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> Table:
        """Return the table that :meth:`to_arrays` took apart."""
        text = {}
        for field in [name.split("/")[1] for name in arrays if name.endswith("/indptr")]:
            vocabulary = _unpacked(arrays[f"text/{field}/letters"], arrays[f"text/{field}/letter_counts"])
            text[field] = Tokens(vocabulary, arrays[f"text/{field}/indptr"], arrays[f"text/{field}/ids"])
        labels = tuple(arrays["labels"].tolist())
        return cls(arrays["ids"], labels, arrays["y"], arrays["strata"], arrays.get("groups"), text)


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
