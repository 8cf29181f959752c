"""Preprocessing fitted on the training part: vocabularies, medians, means, spreads and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import scipy as sp

from rarelabels.data.tokens import Tokens, document_frequency
from rarelabels.errors import UserError


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The tokens of one field that a model knows, fitted on the training part only.

    Attributes:
        tokens: by falling document frequency, ties by the token's text. The id of ``tokens[i]`` is i + 1; 0 is padding.
        idf: (len(tokens),) float64, ln((1 + n) / (1 + df)) + 1 for n rows of which df hold the token: the smooth idf of
            scikit-learn's ``TfidfTransformer``. A token of 1 of 3 rows has 1 + ln 2 = 1.693. It is 1 for tokens whose
            values are given with the data.
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
        idf = np.log((1 + n) / (1 + frequency[kept])) + 1
        return cls(tuple(tokens.vocabulary[kept].tolist()), idf if tokens.values is None else np.ones(len(kept)))

    def pad(self, tokens: Tokens, max_length: int) -> npt.NDArray[np.int32]:
        """Return (n, max_length) ids: the first ``max_length`` known tokens of each row, filled up with 0s."""
        rows, ids, _ = self._known(tokens)
        return _padded(rows, ids, len(tokens), max_length)

    def pad_values(self, tokens: Tokens, max_length: int) -> npt.NDArray[np.float64] | None:
        """Return (n, max_length) values at the places of :meth:`pad`, 0 as padding; None if tokens have no values."""
        rows, _, values = self._known(tokens)
        return None if tokens.values is None else _padded(rows, values, len(tokens), max_length)

    def counts(self, tokens: Tokens) -> sp.sparse.csr_array[np.float64, tuple[int, int]]:
        """Return (n, len(tokens)) float64: how often each known token occurs in each row; column i is ``tokens[i]``.

        Values that the data give take the place of counts.
        """
        rows, ids, values = self._known(tokens)
        shape = (len(tokens), len(self.tokens))
        return sp.sparse.csr_array((values, (rows.astype(np.int32), ids - 1)), shape=shape)

    def to_json(self) -> dict[str, Any]:
        """Return plain lists; floats survive JSON exactly."""
        return {"tokens": list(self.tokens), "idf": self.idf.tolist()}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Vocabulary:
        """Return what :meth:`to_json` stored."""
        return cls(tuple(stored["tokens"]), np.array(stored["idf"], dtype=np.float64))

    def _known(self, tokens: Tokens) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.float64]]:
        """Return row, vocabulary's id (from 1) and value of every known token, in the order of the text."""
        id_of = pd.Index(self.tokens, dtype=object).get_indexer(pd.Index(tokens.vocabulary, dtype=object)) + 1
        ids = id_of.astype(np.int32)[tokens.ids]
        known = ids > 0
        values = np.ones(np.count_nonzero(known)) if tokens.values is None else tokens.values[known]
        return np.repeat(np.arange(len(tokens)), tokens.lengths)[known], ids[known], values


def _padded(rows: npt.NDArray[np.int64], of: npt.NDArray[Any], n: int, max_length: int) -> npt.NDArray[Any]:
    """Return (n, max_length): the first ``max_length`` entries of each row, filled up with 0s; ``rows`` ascend."""
    counts = np.bincount(rows, minlength=n)
    column = np.arange(len(of)) - np.repeat(np.cumsum(counts) - counts, counts)
    fits = column < max_length
    padded = np.zeros((n, max_length), dtype=of.dtype)
    padded[rows[fits], column[fits]] = of[fits]
    return padded


@dataclass(frozen=True, eq=False)
class Scaler:
    """Mean and spread of numeric columns, and what stands in for missing numbers; fitted on the training part only.

    A missing number becomes the median of its column. Each column that misses a number in the training part gets a
    further column, after all others, that is 1 where the number is missing and 0 elsewhere; it is not standardised.

    Attributes:
        mean: (k + m,) float64, for k columns of which m get a further one.
        std: (k + m,) float64, the standard deviation over n rows (not n - 1); 1 for a constant column, which so
            becomes 0.
        medians: (k,) float64, of the numbers that are not missing; None for data that miss none.
        flagged: (m,) the columns that get a further one, by their number.
    """

    mean: npt.NDArray[np.float64]
    std: npt.NDArray[np.float64]
    medians: npt.NDArray[np.float64] | None = None
    flagged: tuple[int, ...] = ()

    @classmethod
    def fit(cls, x: npt.NDArray[np.float64], names: Sequence[str] = (), *, may_miss: bool = False) -> Scaler:
        """Take median, mean and standard deviation of each column.

        >>> Scaler.fit(np.array([[1.0], [np.nan], [5.0], [3.0]]), may_miss=True).transform(np.array([[np.nan]]))
        array([[0., 1.]], dtype=float32)

        Args:
            x: (n, k), of the training part.
            names: of the columns, for the message.
            may_miss: whether numbers are missing, here or in another part; medians are kept then.

        Raises:
            UserError: a column has no number in the training part, or numbers too large to be added up.
        """
        if not may_miss:
            return cls(*_mean_and_std(x, names))
        missing = np.isnan(x)
        for place in np.flatnonzero(missing.all(axis=0)).tolist():
            raise UserError(
                f"dataset.numeric: column {names[place] if names else place!r} has no number in the {len(x):,} rows of "
                "the training part; at least one is needed; fill some in, or take the column out of dataset.numeric"
            )
        medians, flagged = np.nanmedian(x, axis=0), np.flatnonzero(missing.any(axis=0))
        mean, std = _mean_and_std(np.where(missing, medians, x), names)
        flags = len(flagged)
        return cls(
            np.concatenate([mean, np.zeros(flags)]),
            np.concatenate([std, np.ones(flags)]),
            medians,
            tuple(flagged.tolist()),
        )

    def times(self, factor: float) -> Scaler:
        """Return a scaler that gives ``factor`` times the numbers of this one."""
        return replace(self, std=self.std / factor)

    def transform(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """Return (x - mean) / std as (n, k + m) float32; 3 becomes 1.0 where the training part held 1 and 3."""
        if self.medians is not None:
            missing = np.isnan(x)
            x = np.hstack([np.where(missing, self.medians, x), missing[:, list(self.flagged)]])
        return ((x - self.mean) / self.std).astype(np.float32)

    def to_json(self) -> dict[str, list[float]]:
        """Return plain lists; floats survive JSON exactly. Medians are left out where no number is missing."""
        stored = {"mean": self.mean.tolist(), "std": self.std.tolist()}
        return (
            stored
            if self.medians is None
            else stored | {"medians": self.medians.tolist(), "flagged": list(self.flagged)}
        )

    @classmethod
    def from_json(cls, stored: dict[str, list[float]]) -> Scaler:
        """Return what :meth:`to_json` stored."""
        mean, std = (np.array(stored[key], dtype=np.float64) for key in ("mean", "std"))
        if "medians" not in stored:
            return cls(mean, std)
        return cls(mean, std, np.array(stored["medians"], dtype=np.float64), tuple(map(int, stored["flagged"])))


@dataclass(frozen=True, eq=False)
class OneHot:
    """The values of columns of categories, fitted on the training part only: each is a column of zeros and ones.

    A value that the training part does not have is all zeros. An empty cell is a value like any other.

    Attributes:
        values: column name to its values, by falling number of rows, ties by name.
        height: what stands in place of one.
    """

    values: dict[str, tuple[str, ...]] = field(default_factory=dict)
    height: float = 1.0

    @classmethod
    def fit(cls, categories: Mapping[str, Tokens]) -> OneHot:
        """Take the values of each column.

        >>> one_hot = OneHot.fit({"colour": Tokens.from_lists([["red"], [""], ["red"]])})
        >>> one_hot.transform({"colour": Tokens.from_lists([["red"], [""], ["blue"]])}).toarray()
        array([[1., 0.],
               [0., 1.],
               [0., 0.]], dtype=float32)

        Args:
            categories: column name to the value of each row of the training part, its only token.
        """
        known = {name: Vocabulary.fit(rows, min_rows=1, max_tokens=None) for name, rows in categories.items()}
        return cls({name: vocabulary.tokens for name, vocabulary in known.items()})

    @property
    def width(self) -> int:
        """The number of columns of zeros and ones."""
        return sum(map(len, self.values.values()))

    def times(self, height: float) -> OneHot:
        """Return columns of zeros and ``height`` in place of one."""
        return replace(self, height=height)

    def codes(self, categories: Mapping[str, Tokens]) -> npt.NDArray[np.int64]:
        """Return the place of each row's value among the values of its column, (n, n_columns); -1 if unknown."""
        places = []
        for name, values in self.values.items():
            rows = categories[name]
            of_vocabulary = pd.Index(values, dtype=object).get_indexer(pd.Index(rows.vocabulary, dtype=object))
            places.append(of_vocabulary.astype(np.int64)[rows.ids])
        return np.column_stack(places)

    def transform(self, categories: Mapping[str, Tokens]) -> sp.sparse.csr_array[np.float32, tuple[int, int]]:
        """Return (n, width) float32, columns in the order of ``values``."""
        codes = self.codes(categories)
        firsts = np.cumsum([0, *map(len, self.values.values())])[:-1]
        rows, columns = np.nonzero(codes >= 0)
        places = (codes + firsts)[rows, columns].astype(np.int32)  # scikit-learn's regressions take no others
        ones = np.full(len(rows), self.height, dtype=np.float32)
        return sp.sparse.csr_array((ones, (rows.astype(np.int32), places)), shape=(len(codes), self.width))

    def to_json(self) -> dict[str, Any]:
        """Return plain lists."""
        return {"values": {name: list(values) for name, values in self.values.items()}, "height": self.height}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> OneHot:
        """Return what :meth:`to_json` stored."""
        return cls({name: tuple(values) for name, values in stored["values"].items()}, stored["height"])


def _mean_and_std(
    x: npt.NDArray[np.float64], names: Sequence[str]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    with np.errstate(over="ignore", invalid="ignore"):
        # A constant column is found by its range: rounding can leave it a standard deviation of 1e-17.
        constant = np.ptp(x, axis=0) == 0
        mean, std = x.mean(axis=0), np.where(constant, 1.0, x.std(axis=0))
    for place in np.flatnonzero(~np.isfinite(mean + std)).tolist():
        row = int(np.abs(x[:, place]).argmax())
        raise UserError(
            f"dataset.numeric: column {names[place] if names else place!r} holds {x[row, place]:g}, and numbers so "
            "large have no finite mean and spread; give the column in another unit, or take it out of dataset.numeric"
        )
    return mean, std
