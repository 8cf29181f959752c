"""How scores become labels: exact F1 sweeps on validation, and the rules chosen by them.

A label is assigned where ``score >= threshold``, so equal scores are always on the same side. Thresholds are float64
and lie strictly above the next lower score: in the middle of the gap, or on the upper score when there is no float
between the two. ``NEVER`` and ``ALWAYS`` lie beyond every probability; for other scores they are moved further out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array: TypeAlias = NDArray[Any]
Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]

# A NumPy scalar and not a Python float: NumPy rounds a Python float to float32 before comparing float32 scores with it.
Threshold: TypeAlias = np.float64

HALF = 0.5
NEVER = 2.0
ALWAYS = -1.0
LABELS_AT_ONCE = 64


class UndefinedLabel(ValueError):  # noqa: N818 - it names what is wrong
    """A label without positives: every threshold has F1 0, so none is best."""


@dataclass(frozen=True, eq=False)
class Rule:
    """One way to turn scores into labels.

    Attributes:
        name: ``half``, ``global``, ``per_label`` or ``oracle``.
        thresholds: one per label, shape (n_labels,).
        fallbacks: labels whose threshold is not the rule's own choice, because it had too few positives to choose.
    """

    name: str
    thresholds: Floats
    fallbacks: int

    def assign(self, y_score: ArrayLike) -> Bools:
        """Return the labels assigned to ``y_score``; see :func:`assign`."""
        return assign(y_score, self.thresholds)


Rules: TypeAlias = dict[str, Rule]


@dataclass(frozen=True, eq=False)
class Sweep:
    """The best F1 of every label.

    Attributes:
        thresholds: shape (n_labels,); "never" where undefined.
        f1: the F1 reached on the swept rows, shape (n_labels,); 0 where undefined.
        defined: whether the label has a positive, shape (n_labels,).
    """

    thresholds: Floats
    f1: Floats
    defined: Bools


@dataclass(frozen=True, eq=False)
class PositiveRanks:
    """Where the positives of one label stand among its negatives; all a ranking metric or an F1 sweep needs.

    Attributes:
        scores: the distinct scores of the positives, highest first, shape (g,).
        hits: positives at each of these scores, shape (g,).
        above: negatives with a higher score, shape (g,).
        upto: negatives with the same or a higher score, shape (g,).
        negatives: the scores of all negatives, lowest first.
    """

    scores: Array
    hits: NDArray[np.int64]
    above: NDArray[np.int64]
    upto: NDArray[np.int64]
    negatives: Array


def assign(y_score: ArrayLike, thresholds: ArrayLike) -> Bools:
    """Return ``y_score >= thresholds``, compared in float64, shape (n, n_labels).

    ``thresholds`` may come from JSON: compared bare, float32 scores would round them first and could change sides.
    """
    labels: Bools = np.asarray(y_score) >= np.asarray(thresholds, dtype=np.float64)
    return labels


def best_f1_threshold(y_true: ArrayLike, y_score: ArrayLike) -> Threshold:
    """Return the threshold with the highest F1 of one label.

    Every distinct score is a candidate, so the maximum is exact: O(n log n) for the sort, O(n) after it. Of several
    thresholds with the same F1, the highest gap is taken (fewest labels assigned), and in it the middle.
    Scores 0.9, 0.7, 0.2 of a positive, a positive and a negative give 0.45.

    Args:
        y_true: 0/1, shape (n,).
        y_score: any real scores, shape (n,); higher means more likely positive.

    Raises:
        UndefinedLabel: no positives in ``y_true``; F1 has no maximum to choose.
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.

    Source: Lipton, Elkan and Naryanaswamy (2014), "Optimal thresholding of classifiers to maximize F1".
    """
    truth, scores = checked(y_true, y_score, ndim=1)
    if not truth.any():
        raise UndefinedLabel(f"y_true: no positives among {truth.size} rows; F1 has no maximum to choose")
    return Threshold(_best_cut(rank_positives(truth, scores))[0])


def best_f1_thresholds(y_true: ArrayLike, y_score: ArrayLike) -> Sweep:
    """Return for every label what :func:`best_f1_threshold` returns for one.

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_score: any real scores, shape (n, n_labels).

    Raises:
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.
    """
    truth, scores = checked(y_true, y_score, ndim=2)
    thresholds, f1 = np.empty(truth.shape[1]), np.zeros(truth.shape[1])
    defined: Bools = np.any(truth, axis=0)
    for label, (column, column_scores) in enumerate(label_columns(truth, scores)):
        if defined[label]:
            thresholds[label], f1[label] = _best_cut(rank_positives(column, column_scores))
        else:
            thresholds[label] = _beyond_highest(float(column_scores.max()))
    return Sweep(thresholds, f1, defined)


def best_micro_f1_threshold(y_true: ArrayLike, y_score: ArrayLike) -> Threshold:
    """Return the one threshold, common to all labels, with the highest micro-F1.

    Exact: micro-F1 is the F1 of all (row, label) pairs taken as one label.

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_score: any real scores, shape (n, n_labels).

    Raises:
        UndefinedLabel: no positives in ``y_true`` at all.
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.
    """
    truth, scores = checked(y_true, y_score, ndim=2)
    if not truth.any():
        raise UndefinedLabel(f"y_true: no positives in {truth.shape[1]} labels; micro-F1 has no maximum to choose")
    return Threshold(_best_cut(rank_positives(truth, scores))[0])


def choose_rules(y_val: ArrayLike, s_val: ArrayLike, *, min_positives: int) -> Rules:
    """Return the rules ``half``, ``global`` and ``per_label``, chosen on the validation part alone.

    - ``half``: 0.5 for every label.
    - ``global``: the best common threshold for micro-F1. Without a positive in the whole part there is none: 0.5, and
      every label counts as a fallback.
    - ``per_label``: the best threshold of each label. A label with fewer than ``min_positives`` positives, or none,
      takes the global one and counts as a fallback.

    Args:
        y_val: 0/1, shape (n, n_labels).
        s_val: scores, shape (n, n_labels).
        min_positives: positives a label needs for a threshold of its own.

    Raises:
        ValueError: shapes differ, ``y_val`` is not 0/1, or a score is not finite.
    """
    truth, scores = checked(y_val, s_val, ndim=2)
    n_labels = truth.shape[1]
    undefined = not truth.any()
    common = HALF if undefined else float(best_micro_f1_threshold(truth, scores))
    sweep = best_f1_thresholds(truth, scores)
    own = sweep.defined & (truth.sum(axis=0) >= min_positives)
    chosen = [
        Rule("half", np.full(n_labels, HALF), fallbacks=0),
        Rule("global", np.full(n_labels, common), fallbacks=n_labels if undefined else 0),
        Rule("per_label", np.where(own, sweep.thresholds, common), fallbacks=int((~own).sum())),
    ]
    return {rule.name: rule for rule in chosen}


def oracle(y_test: ArrayLike, s_test: ArrayLike) -> Rule:
    """Return the best threshold of each label on the very rows that score it: a bound, never a result.

    A label without positives takes "never" and counts as a fallback. Shapes and errors as :func:`choose_rules`.
    """
    sweep = best_f1_thresholds(y_test, s_test)
    return Rule("oracle", sweep.thresholds, fallbacks=int((~sweep.defined).sum()))


def rank_positives(truth: Bools, scores: Array) -> PositiveRanks:
    """Return where the positives stand among the negatives.

    Only the negatives are sorted in full, by value: no index array, and for rare positives little more than the cost of
    ``numpy.sort``. Cuts between two negatives need no look: they are never best, and no metric changes there.

    Args:
        truth: any shape; all entries are taken as one label.
        scores: the shape of ``truth``.
    """
    ascending, hits = np.unique(scores[truth], return_counts=True)
    negatives = scores[~truth]
    negatives.sort()
    distinct = ascending[::-1]
    return PositiveRanks(
        scores=distinct,
        hits=hits[::-1].astype(np.int64),
        above=negatives.size - np.searchsorted(negatives, distinct, side="right"),
        upto=negatives.size - np.searchsorted(negatives, distinct, side="left"),
        negatives=negatives,
    )


def label_columns(truth: Bools, scores: Array) -> Iterator[tuple[Bools, Array]]:
    """Yield truth and scores of each label, shape (n,) and contiguous, copying a few labels at a time."""
    for start in range(0, truth.shape[1], LABELS_AT_ONCE):
        block = slice(start, start + LABELS_AT_ONCE)
        yield from zip(np.ascontiguousarray(truth[:, block].T), np.ascontiguousarray(scores[:, block].T), strict=True)


def multi_hot(labels: ArrayLike, name: str, *, ndim: int = 2) -> Bools:
    """Return ``labels`` as booleans.

    Raises:
        ValueError: empty, another number of dimensions than ``ndim``, or values other than 0 and 1; says ``name``.
    """
    array = np.asarray(labels)
    if array.ndim != ndim or array.size == 0:
        shape = "(n,)" if ndim == 1 else "(n, n_labels)"
        raise ValueError(f"{name}: must have shape {shape} and not be empty; got {array.shape}")
    if array.dtype == np.bool_:
        return array
    ones: Bools = array == 1
    if not (ones | (array == 0)).all():
        raise ValueError(f"{name}: must be 0 or 1; got {array[~(ones | (array == 0))].flat[0]!r}")
    return ones


def checked(y_true: ArrayLike, y_score: ArrayLike, *, ndim: int) -> tuple[Bools, Array]:
    """Return ``y_true`` as booleans and ``y_score`` as floats of its own precision.

    Raises:
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is not finite.
    """
    truth, scores = multi_hot(y_true, "y_true", ndim=ndim), np.asarray(y_score)
    if scores.dtype.kind != "f":
        scores = scores.astype(np.float64)
    if scores.shape != truth.shape:
        raise ValueError(f"y_score: must have the shape of y_true, {truth.shape}; got {scores.shape}")
    # The largest float is refused with infinity: "never" must be finite and above every score.
    if not -sys.float_info.max < float(scores.min()) <= float(scores.max()) < sys.float_info.max:
        raise ValueError("y_score: must be finite; got NaN or infinity (did the training diverge?)")
    return truth, scores


def _best_cut(ranks: PositiveRanks) -> tuple[float, float]:
    """Return the best threshold and its F1; scores run downwards, so argmax takes the highest of equals."""
    true_positives = np.cumsum(ranks.hits)
    f1 = 2 * true_positives / (true_positives + ranks.upto + true_positives[-1])
    best = int(np.argmax(f1))
    lowest_assigned = float(ranks.scores[best])
    left_out = ranks.negatives.size - int(ranks.upto[best])
    # The next lower score is a negative's: a positive that comes before any further negative only raises F1.
    threshold = _beyond_lowest(lowest_assigned)
    if left_out:
        threshold = _between(float(ranks.negatives[left_out - 1]), lowest_assigned)
    return threshold, float(f1[best])


def _between(lower: float, upper: float) -> float:
    middle = lower / 2 + upper / 2  # halved first: the sum of two large scores could overflow
    return middle if lower < middle <= upper else upper


def _beyond_highest(score: float) -> float:
    return max(NEVER, float(np.nextafter(score, np.inf)))


def _beyond_lowest(score: float) -> float:
    return min(ALWAYS, float(np.nextafter(score, -np.inf)))
