"""Preprocessing fitted on the training part: the vocabulary of a text field, mean and spread of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy as sp

from rarelabels.data.tokens import Tokens, document_frequency


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
        """Return the row and the vocabulary's id (from 1) of every known token, in the order of the text."""
        id_of = pd.Index(self.tokens, dtype=object).get_indexer(pd.Index(tokens.vocabulary, dtype=object)) + 1
        ids = id_of.astype(np.int32)[tokens.ids]
        known = ids > 0
        return np.repeat(np.arange(len(tokens)), tokens.lengths)[known], ids[known]


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
        """Return (x - mean) / std as (n, k) float32; 3 becomes 1.0 where the training part held 1 and 3."""
        return ((x - self.mean) / self.std).astype(np.float32)

    def to_json(self) -> dict[str, list[float]]:
        """Return plain lists; floats survive JSON exactly."""
        return {"mean": self.mean.tolist(), "std": self.std.tolist()}

    @classmethod
    def from_json(cls, stored: dict[str, list[float]]) -> Scaler:
        """Return what :meth:`to_json` stored."""
        return cls(np.array(stored["mean"], dtype=np.float64), np.array(stored["std"], dtype=np.float64))
