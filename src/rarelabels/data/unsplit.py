"""The columns of a table before it is split, each row tokenised once: every split then only picks rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.data.tokens import Tokens

LAYOUT = 4
"""To be increased whenever the arrays of a stored :class:`Table` are read in another way."""


UNKNOWN = 2  # in place of 0 or 1, while labels are read


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


def labels_and_known(
    cells: npt.NDArray[np.uint8],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_] | None]:
    """Return 0/1 labels, 0 where they are unknown, and which are known; None if all are.

    Args:
        cells: 0, 1 or ``UNKNOWN``, (n, n_labels).
    """
    known = cells != UNKNOWN
    return (cells, None) if known.all() else (np.where(known, cells, 0).astype(np.uint8), known)


@dataclass(frozen=True, eq=False)
class Table:
    """A data set before it is split.

    Attributes:
        ids: (n,) str, one per row.
        labels: names of the columns of ``y``.
        y: (n, n_labels) uint8.
        strata: (n, m) uint8, what the split is stratified by. For films that is all genres, so that the parts stay
            the same when a trial asks for fewer labels. For a table it is its labels, as its tags may be too many.
        groups: (n,) int64; rows of one group (near-duplicates) stay in one part. None: no two rows belong together.
        text: field name to tokens of n rows.
        numeric: (n, k) float64, as in the source: finite, or NaN where a table misses a number; (n, 0) if not given.
        numeric_names: names of the columns of ``numeric``.
        parts: (n,) uint8, the declared part of each row as its place in ``splits.PARTS``. None: the rows are yet to be
            split.
        images: (n,) str, the file of each row's image, below a folder that the kind of data knows. None: no images.
        categories: column name to the value of each of n rows, its only token; an empty cell is the value "".
        known: (n, n_labels) bool, True where a cell of ``y`` was annotated; the others are 0. None if all were.
        weights: (n,) float64, how much each row counts in training, above 0. None: all alike.
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
    categories: dict[str, Tokens] = field(default_factory=dict)
    known: npt.NDArray[np.bool_] | None = None
    weights: npt.NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        if not self.numeric_names:
            object.__setattr__(self, "numeric", np.empty((len(self.y), 0)))
        if self.known is not None and self.known.all():
            object.__setattr__(self, "known", None)

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
        optional: dict[str, npt.NDArray[Any] | None] = {"strata": strata, "known": self.known, "weights": self.weights}
        optional |= {"groups": self.groups, "parts": self.parts, "images": self.images}
        arrays |= {name: array for name, array in optional.items() if array is not None}
        if self.categories:
            arrays["categories"] = np.array(tuple(self.categories), dtype=np.str_)
        return arrays | _taken_apart("text", self.text) | _taken_apart("category", self.categories)

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> Table:
        """Return the table that :meth:`to_arrays` took apart."""
        return cls(
            ids=arrays["ids"],
            labels=tuple(arrays["labels"].tolist()),
            y=arrays["y"],
            strata=arrays.get("strata", arrays["y"]),
            groups=arrays.get("groups"),
            text=_put_together("text", arrays["fields"].tolist(), arrays),
            numeric=arrays["numeric"],
            numeric_names=tuple(arrays["numeric_names"].tolist()),
            parts=arrays.get("parts"),
            images=arrays.get("images"),
            categories=_put_together("category", [*map(str, arrays.get("categories", ()))], arrays),
            known=arrays.get("known"),
            weights=arrays.get("weights"),
        )


def _taken_apart(prefix: str, fields: dict[str, Tokens]) -> dict[str, npt.NDArray[Any]]:
    # Fields by number: a field may have any name, the file of an array may not.
    arrays: dict[str, npt.NDArray[Any]] = {}
    for i, tokens in enumerate(fields.values()):
        arrays[f"{prefix}/{i}/indptr"], arrays[f"{prefix}/{i}/ids"] = tokens.indptr, tokens.ids
        arrays |= {} if tokens.values is None else {f"{prefix}/{i}/values": tokens.values}
        arrays[f"{prefix}/{i}/letters"], arrays[f"{prefix}/{i}/letter_counts"] = _packed(tokens.vocabulary)
    return arrays


def _put_together(prefix: str, names: Sequence[str], arrays: dict[str, npt.NDArray[Any]]) -> dict[str, Tokens]:
    fields = {}
    for i, name in enumerate(names):
        vocabulary = _unpacked(arrays[f"{prefix}/{i}/letters"], arrays[f"{prefix}/{i}/letter_counts"])
        indptr, ids, values = (arrays.get(f"{prefix}/{i}/{name_of}") for name_of in ("indptr", "ids", "values"))
        assert indptr is not None
        assert ids is not None
        fields[name] = Tokens(vocabulary, indptr, ids, values)
    return fields


def _packed(words: npt.NDArray[np.object_]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Return the words as one UTF-8 text, and the length of each: a fixed width would be that of the longest word."""
    letters = "".join(words).encode("utf-8", "surrogatepass")
    return np.frombuffer(letters, dtype=np.uint8), np.array([len(word) for word in words], dtype=np.int64)


def _unpacked(letters: npt.NDArray[np.uint8], counts: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
    text = letters.tobytes().decode("utf-8", "surrogatepass")
    stops = np.cumsum(counts).tolist()
    words = np.empty(len(counts), dtype=object)
    words[:] = [text[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]
    return words
