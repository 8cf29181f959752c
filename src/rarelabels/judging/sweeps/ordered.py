"""Cells in the order of their scores, the cuts between them, and the thresholds that make these cuts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.judging.arrays import Array, Bools, Floats, Integers

# A NumPy scalar and not a Python float: NumPy rounds a Python float to float32 before comparing float32 scores with it.
Threshold: TypeAlias = np.float64
NEVER = 2.0
ALWAYS = -1.0
CELLS_AT_ONCE = 1 << 18  # cells whose keys, and values computed from them, fit the processor's cache
LABELS_AT_ONCE = 16  # the least in a block: one row of it is then a cache line or two, read once
BITS = 7  # of the fraction of a score, by which cells are counted before any is sorted
ROUNDING = 1e-12  # mean F1 that differ by less are taken as equal


class UndefinedLabel(ValueError):  # noqa: N818 - it names what is wrong
    """No positives: every threshold has F1 0, so none is best."""


@dataclass(frozen=True, eq=False)
class Ordered:
    """Groups of cells (a label's, a row's, or all), each in the order of its scores, lowest first.

    Attributes:
        keys: shape (groups, n), rising along a group. The lowest bit is 0 for a positive; the other bits are
            equal for equal scores. So the first positive of a score is also the first of all cells with that score.
        scores: in the same order; None where they can be read from the keys.
        dtype: of the scores.
    """

    keys: Array
    scores: Array | None
    dtype: np.dtype[Any]

    def positives(self) -> Bools:
        """Return which cells are positives, shape (groups, n)."""
        return np.asarray((self.keys & self.keys.dtype.type(1)) == 0)

    def positive_places(self) -> Integers:
        """Return the flat places of the positives, shape (m,)."""
        keys, one = self.keys.reshape(-1), self.keys.dtype.type(1)
        return np.concatenate(
            [
                begin + np.flatnonzero((keys[begin : begin + CELLS_AT_ONCE] & one) == 0)
                for begin in range(0, max(keys.size, 1), CELLS_AT_ONCE)
            ]
        )

    def all_scores(self) -> Array:
        """Return the scores, shape (groups, n)."""
        return _decoded(self.keys, self.dtype) if self.scores is None else self.scores

    def scores_between(self, start: int, end: int) -> Array:
        """Return the scores from one flat place to another."""
        if self.scores is not None:
            return self.scores.reshape(-1)[start:end]
        return _decoded(self.keys.reshape(-1)[start:end], self.dtype)

    def scores_at(self, places: Integers) -> Floats:
        """Return the scores at flat places."""
        if self.scores is not None:
            return self.scores.ravel()[places].astype(np.float64)
        return _decoded(self.keys.ravel()[places], self.dtype).astype(np.float64)

    def lowest(self) -> Floats:
        """Return the lowest score of each group; infinity for groups without cells."""
        if not self.keys.shape[1]:
            return np.full(len(self.keys), np.inf)
        return self.scores_at(np.arange(len(self.keys)) * self.keys.shape[1])

    def highest(self) -> Floats:
        """Return the highest score of each group; -infinity for groups without cells."""
        if not self.keys.shape[1]:
            return np.full(len(self.keys), -np.inf)
        return self.scores_at(np.arange(1, len(self.keys) + 1) * self.keys.shape[1] - 1)

    def first_of_equals(self) -> Integers:
        """Return for each cell the position in its group of the first cell with the same score."""
        levels = self.keys >> self.keys.dtype.type(1)
        first = np.broadcast_to(np.arange(levels.shape[1]), levels.shape).copy()
        first[:, 1:][levels[:, 1:] == levels[:, :-1]] = 0
        return np.maximum.accumulate(first, axis=1)

    def first_places_of_equals(self, places: Integers) -> Integers:
        """Return for each flat place that of the first cell of its group with the same score."""
        n, keys = self.keys.shape[1], self.keys.reshape(-1)
        lowest = keys[places] & ~self.keys.dtype.type(1)
        first = places.copy()
        tied = (places % n > 0) & (keys[places - 1] >= lowest)
        first[tied] = self._searched(places[tied] // n, lowest[tied], "left")
        return first

    def places_above(self, groups: Integers, keys: Array) -> Integers:
        """Return for each key the flat place of the first cell above it in its group.

        Args:
            groups: the group of each key, rising, shape (m,).
            keys: of negatives, shape (m,).
        """
        return self._searched(groups, keys, "right")

    def sums_from(self, starts: Integers) -> Floats:
        """Return the sums of the scores from each flat place to the next one; ``starts`` rise from 0."""
        sums = np.zeros(starts.shape)
        for begin in range(0, self.keys.size, CELLS_AT_ONCE):
            scores = self.scores_between(begin, begin + CELLS_AT_ONCE)
            inside = np.clip(starts - begin, 0, scores.size)
            filled = inside < np.append(inside[1:], scores.size)
            sums[filled] += np.add.reduceat(scores, inside[filled], dtype=np.float64)
        return sums

    def _searched(self, groups: Integers, keys: Array, side: Literal["left", "right"]) -> Integers:
        n, found = self.keys.shape[1], np.empty(groups.shape, dtype=np.int64)
        bounds = np.append(np.flatnonzero(np.diff(groups, prepend=-1)), groups.size)
        for start, end in itertools.pairwise(bounds):
            group = groups[start]
            found[start:end] = group * n + np.searchsorted(self.keys[group], keys[start:end], side=side)
        return found


@dataclass(frozen=True, eq=False)
class Cuts:
    """The cuts of each group that can be best: at every positive, lowest first.

    Of positives with the same score only the first has a cut that a threshold can make. The others leave out true
    positives of that score and nothing else, which lowers every objective: they are never chosen, and need no removal.

    Attributes:
        ordered: the cells.
        places: of the positives, flat, shape (m,).
        hits: positives from there on, shape (m,).
        assigned: cells from there on, shape (m,).
        bounds: where the cuts of each group begin, and where those of the last end, shape (groups + 1,).
        positives: of each group, shape (groups,).
    """

    ordered: Ordered
    places: Integers
    hits: Integers
    assigned: Integers
    bounds: Integers
    positives: Integers

    @property
    def n_rows(self) -> int:
        """Rows that were swept."""
        return int(self.ordered.keys.shape[1])

    def counts(self, chosen: Integers, nothing: Bools) -> tuple[Integers, Integers]:
        """Return hits and assigned of one cut of each group; 0 where ``nothing``."""
        hits, assigned = (np.zeros(nothing.shape, dtype=np.int64) for _ in range(2))
        hits[~nothing], assigned[~nothing] = self.hits[chosen[~nothing]], self.assigned[chosen[~nothing]]
        return hits, assigned

    def thresholds(self, chosen: Integers, nothing: Bools) -> Floats:
        """Return the threshold of one cut of each group; "never" where ``nothing``."""
        thresholds: Floats = beyond_highest(self.ordered.highest())
        upper, lower = self.gap(chosen[~nothing])
        thresholds[~nothing] = threshold(lower, upper)
        return thresholds

    def gap(self, chosen: Integers) -> tuple[Floats, Floats]:
        """Return the lowest score above each cut and the highest below it, -inf where there is none."""
        places: Integers = self.places[chosen]
        below: Floats = np.full(places.shape, -np.inf)
        inside = places % self.n_rows > 0
        below[inside] = self.ordered.scores_at(places[inside] - 1)
        return self.ordered.scores_at(places), below


def labels_in_order(truth: Bools, scores: Array, known: Bools | None = None) -> Iterator[Ordered]:
    """Yield the ordered cells of a few labels at a time; of one at a time, if not all cells are known.

    Args:
        truth: (n, n_labels).
        scores: (n, n_labels).
        known: which cells are known, (n, n_labels), and so are ordered; None: all.
    """
    if known is None:
        for block in slices(truth.shape[1], truth.shape[0]):
            yield order_cells(truth[:, block].T, scores[:, block].T)
        return
    for label in range(truth.shape[1]):
        rows = known[:, label]
        yield order_cells(truth[rows, label][np.newaxis], scores[rows, label][np.newaxis])


def rows_in_order(truth: Bools, scores: Array, known: Bools | None = None) -> Iterator[Ordered]:
    """Yield the ordered cells of some rows at a time; if not all cells are known, of rows with equally many.

    Args:
        truth: (n, n_labels).
        scores: (n, n_labels).
        known: which cells are known, (n, n_labels), and so are ordered; None: all.
    """
    if known is None:
        for block in slices(*truth.shape):
            yield order_cells(truth[block], scores[block])
        return
    for rows in rows_of_each_size(known):
        yield from rows_in_order(*(known_of_rows(cells, known, rows) for cells in (truth, scores)))


def rows_of_each_size(known: Bools) -> Iterator[Integers]:
    """Yield the numbers of the rows that have 1 known cell, then of those that have 2, and so on."""
    n_known = np.count_nonzero(known, axis=1)
    for size in np.unique(n_known[n_known > 0]).tolist():
        yield np.flatnonzero(n_known == size)


def known_of_rows(cells: Array, known: Bools, rows: Integers) -> Array:
    """Return the known cells of rows that have equally many, (rows, known cells of each)."""
    return np.asarray(cells[rows][known[rows]].reshape(len(rows), -1))


def slices(n_groups: int, n: int) -> Iterator[slice]:
    """Yield slices of groups that hold about ``CELLS_AT_ONCE`` cells."""
    step = max(LABELS_AT_ONCE, CELLS_AT_ONCE // n)
    for start in range(0, n_groups, step):
        yield slice(start, start + step)


def find_cuts(ordered: Ordered) -> Cuts:
    """Return the cuts of groups of cells."""
    n_groups, n = ordered.keys.shape
    places = ordered.positive_places()
    ends = np.arange(n_groups + 1) * n
    bounds = np.searchsorted(places, ends)
    positives = np.diff(bounds)
    hits = np.repeat(bounds[1:], positives) - np.arange(places.size)
    assigned = np.repeat(ends[1:], positives) - places
    return Cuts(ordered, places, hits, assigned, bounds, positives)


def order_cells(truth: Bools, scores: Array) -> Ordered:
    """Sort the cells of each group; both arguments have shape (groups, n).

    Read as whole numbers, the bits of floats that are not negative rise with the floats. Their first bit, the sign, is
    not needed: it is shifted out (also that of -0.0). That leaves room for the truth in the last bit, so the sort needs
    no index. If a score is negative, cells are sorted by index.
    """
    if scores.dtype not in (np.float32, np.float64):
        scores = scores.astype(np.float64)
    if scores.size and scores.min() < 0:
        return _order_by_index(truth, scores)
    unsigned = np.dtype(f"u{scores.dtype.itemsize}")
    keys = np.empty(scores.shape, dtype=unsigned)
    np.left_shift(scores.view(unsigned), unsigned.type(1), out=keys)
    keys |= ~truth
    keys.sort(axis=1)
    return Ordered(keys, None, scores.dtype)


def _decoded(keys: Array, dtype: np.dtype[Any]) -> Array:
    """Return the scores that the keys of :func:`order_cells` stand for."""
    scores: Array = (keys >> keys.dtype.type(1)).view(dtype)
    return scores


def _order_by_index(truth: Bools, scores: Array) -> Ordered:
    order = np.argsort(scores, axis=1)
    ordered = np.take_along_axis(scores, order, axis=1)
    keys = np.zeros(scores.shape, dtype=np.int64)
    np.cumsum(ordered[:, 1:] != ordered[:, :-1], axis=1, out=keys[:, 1:])
    keys <<= 1
    keys |= ~np.take_along_axis(truth, order, axis=1)
    keys.sort(axis=1)  # among equal scores positives come first
    return Ordered(keys, ordered, scores.dtype)


def highest_of_each(merits: Array, bounds: Integers) -> tuple[Array, Integers]:
    """Return each group's highest merit and the last place with it, which assigns the fewest; 0 and -1 without cuts."""
    sizes = np.diff(bounds)
    filled = sizes > 0
    best, chosen = np.zeros(sizes.shape, dtype=merits.dtype), np.full(sizes.shape, -1, dtype=np.int64)
    if filled.any():
        best[filled] = np.maximum.reduceat(merits, bounds[:-1][filled])
        places = np.flatnonzero(merits == np.repeat(best, sizes))
        chosen[filled] = places[np.searchsorted(places, bounds[1:][filled]) - 1]
    return best, chosen


def thresholds_for_counts(ordered: Floats, counts: ArrayLike) -> Floats:
    """Return the threshold of each label that assigns this many rows, and the rows that tie with the last of them.

    For scores 0.9, 0.5, 0.4 that is 0.7 for one row, 0.45 for two, "always" for three and "never" for none.

    Args:
        ordered: the scores of each label, highest first, shape (n, n_labels).
        counts: 0 to n, shape (n_labels,).
    """
    wanted, labels = np.asarray(counts), np.arange(ordered.shape[1])
    upper = ordered[np.maximum(wanted - 1, 0), labels]
    lower = np.where(wanted < len(ordered), ordered[np.minimum(wanted, len(ordered) - 1), labels], -np.inf)
    return np.asarray(np.where(wanted == 0, beyond_highest(upper), threshold(lower, upper)), dtype=np.float64)


def threshold(lower: Any, upper: Any) -> Any:
    """Return thresholds that assign ``upper`` and not ``lower``; "always" where ``lower`` is -inf."""
    middle = lower / 2 + upper / 2  # halved first: the sum of two large scores could overflow
    between = np.where((lower < middle) & (middle <= upper), middle, upper)
    return np.where(np.isneginf(lower), beyond_lowest(upper), between)


def beyond_highest(scores: Any) -> Any:
    """Return ``NEVER``, or the next float above a score where that is higher."""
    return np.maximum(NEVER, np.nextafter(scores, np.inf))


def beyond_lowest(scores: Any) -> Any:
    """Return ``ALWAYS``, or the next float below a score where that is lower."""
    return np.minimum(ALWAYS, np.nextafter(scores, -np.inf))
