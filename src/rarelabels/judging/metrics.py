"""What is measured: scores or assigned labels, and the truth, to ``{metric: value}``.

Which labels a macro or weighted mean covers depends on the truth alone: those with at least one positive in the part
(and, for ROC AUC, one negative). Whatever was predicted, every trial of a study averages the same labels; one predicted
nowhere has precision 0. Micro and samples means and Hamming loss cover all labels and rows, and 0/0 counts 0. On what
is covered every number equals scikit-learn's. A metric that covers nothing is left out, so values are always finite;
:func:`counts` says how much is undefined.

The parts that ``statistics`` repeats for reweighted rows are public: :func:`label_averages`, :func:`row_means`,
:func:`curve_areas`, :func:`calibration_error`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from rarelabels.judging.arrays import Array, Bools, Floats, Integers, multi_hot
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.scores import Scores
from rarelabels.judging.sweeps.ordered import Ordered, order_cells

DEPTHS = (1, 3, 5)
CALIBRATION_BINS = 15
HEAD, MEDIUM = 100, 10  # positives a label needs to be in the group; fewer than MEDIUM: tail
SCORES_AT_ONCE = 200_000  # what fits the processor cache
LABELS_AT_ONCE = 64


@dataclass(frozen=True, eq=False)
class PositiveRanks:
    """Where the positives of one label stand among its negatives; all that a ranking metric needs.

    Attributes:
        hits: positives at each distinct score of a positive, highest first, shape (g,).
        above: negatives with a higher score, shape (g,).
        upto: negatives with the same or a higher score, shape (g,).
        negatives: how many there are.
    """

    hits: NDArray[np.int64]
    above: NDArray[np.int64]
    upto: NDArray[np.int64]
    negatives: int


def decision_metrics(y_true: ArrayLike, y_pred: ArrayLike, *, positives: ArrayLike | None = None) -> dict[str, float]:
    """Return how good the assigned labels are.

    - ``binary_accuracy`` (share of labels right), ``hamming_loss`` (1 minus it), ``subset_accuracy`` (share of rows
      with every label right), ``samples_jaccard``: all rows and labels.
    - ``{micro,macro,weighted,samples}_{precision,recall,f1}``: macro and weighted over labels with a positive.
    - ``{head,medium,tail}_{precision,recall,f1}``: the labels with at least 100, 10 to 99 and under 10 positives, their
      counts pooled like micro; a group without labels is left out.

    Rows 100, 011, 101 assigned 101, 011, 001 have binary accuracy 7/9 and subset accuracy 1/3.

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_pred: 0/1, shape (n, n_labels).
        positives: positives per label that decide head, medium and tail, shape (n_labels,); those of ``y_true`` unless
            the rows are a resample of a part whose groups are to stay.

    Raises:
        ValueError: shapes differ, or values other than 0 and 1.

    Source: scikit-learn's ``precision_recall_fscore_support``, ``hamming_loss``, ``accuracy_score``, ``jaccard_score``
    with ``zero_division=0``.
    """
    truth, assigned = multi_hot(y_true, "y_true"), multi_hot(y_pred, "y_pred")
    if truth.shape != assigned.shape:
        raise ValueError(f"y_pred: must have the shape of y_true, {truth.shape}; got {assigned.shape}")
    return measure_decisions(truth, assigned, None if positives is None else np.asarray(positives))


def measure_decisions(truth: Bools, assigned: Bools, positives: Array | None = None) -> dict[str, float]:
    """Return how good assigned labels are; see :func:`decision_metrics`."""
    actual = truth.sum(axis=0)
    averages = label_averages(
        true_positives=(truth & assigned).sum(axis=0),
        predicted=assigned.sum(axis=0),
        actual=actual,
        positives=actual if positives is None else positives,
    )
    return _defined(_plain_row_means(decision_rows(truth, assigned)) | averages)


def ranking_metrics(y_true: ArrayLike, y_score: ArrayLike) -> dict[str, float]:
    """Return how good the scores are before any threshold.

    - ``{micro,macro}_average_precision``, ``{micro,macro}_roc_auc``: equal scores count as one step of the curve.
      Macro: labels with a positive; ROC AUC also needs a negative.
    - ``lrap``: rows with a label. ``ranking_loss``: rows with a label and a missing one. ``coverage``: all rows, and a
      row without labels counts 0. Ties count against the prediction.
    - ``categorical_accuracy``: share of rows whose first label is the one with the highest score, which is what Keras
      makes of ``accuracy``. It depends on the order of the columns; here to be compared, not to be trusted.
    - ``precision_at_k`` for k = 1, 3, 5 up to the number of labels: share of the k highest-scored labels that are
      right; among equal scores the expected share, so the order of the columns does not matter.
    - ``brier``, ``log_loss``: mean over rows and labels; probabilities are clipped by the float64 epsilon.
    - ``ece``: expected calibration error, 15 bins of equal mass over all labels pooled; ``macro_ece``: mean over labels
      with a positive of each label's own. Equal scores share a bin.

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_score: probabilities, shape (n, n_labels).

    Raises:
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is outside [0, 1].

    Source: scikit-learn's ``average_precision_score``, ``roc_auc_score``, ``label_ranking_average_precision_score``,
    ``label_ranking_loss``, ``coverage_error``, ``brier_score_loss`` and ``log_loss``; Naeini, Cooper and Hauskrecht
    (2015) for the calibration error, Nguyen and O'Connor (2015) for equal-mass bins.
    """
    return measure_rankings(Scores.from_arrays(y_true, y_score))


def measure_rankings(part: Scores) -> dict[str, float]:
    """Return how good scores are before any threshold; see :func:`ranking_metrics`."""
    part.must_be_probabilities()
    truth, scores = part.truth, part.scores
    covered: Bools = np.any(truth, axis=0)
    pooled = _rankings(part.pooled())  # before the labels: two orders at once take more memory
    per_label = _label_rankings(part)
    values = _plain_row_means(ranking_rows(truth, scores)) | {
        "micro_average_precision": pooled["average_precision"][0],
        "micro_roc_auc": pooled["roc_auc"][0],
        "macro_average_precision": mean_over(per_label["average_precision"], covered),
        "macro_roc_auc": mean_over(per_label["roc_auc"], covered & ~truth.all(axis=0)),
        "ece": pooled["ece"][0],
        "macro_ece": mean_over(per_label["ece"], covered),
    }
    return _defined(values)


def macro_average_precision(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Return the macro average precision alone, as in :func:`ranking_metrics`; NaN if no label has a positive."""
    part = Scores.from_arrays(y_true, y_score)
    part.must_be_probabilities()
    covered: Bools = np.any(part.truth, axis=0)
    values = [
        _average_precision(ranks.hits, ranks.upto)
        for ordered in part.by_label
        for ranks in rank_positives(ordered, ordered.positive_places())
    ]
    return float(mean_over(np.array(values), covered))


def counts(y_true: ArrayLike) -> dict[str, int]:
    """Return how much of ``y_true``, 0/1 of shape (n, n_labels), is undefined and left out of some metric.

    ``labels_without_positives`` (left out of every macro and weighted mean), ``labels_without_negatives`` (of ROC AUC),
    ``rows_without_labels`` (of LRAP and ranking loss), ``rows_with_all_labels`` (of ranking loss).
    """
    truth = multi_hot(y_true, "y_true")
    return {
        "labels_without_positives": int((~truth.any(axis=0)).sum()),
        "labels_without_negatives": int(truth.all(axis=0).sum()),
        "rows_without_labels": int((~truth.any(axis=1)).sum()),
        "rows_with_all_labels": int(truth.all(axis=1).sum()),
    }


def per_label(
    y_true: ArrayLike,
    y_score: ArrayLike,
    rules: Mapping[str, Rule],
    labels: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Return one row per label: how frequent, how well ranked, and its confusion matrix under each rule.

    Args:
        y_true: 0/1, shape (n, n_labels).
        y_score: probabilities, shape (n, n_labels).
        rules: each with thresholds of shape (n_labels,).
        labels: names; column numbers by default.

    Returns:
        Columns ``label``, ``positives``, ``prevalence``, ``average_precision`` and ``roc_auc`` (missing where
        undefined), then for each rule ``<rule>/threshold``, ``tp``, ``fp``, ``fn``, ``tn``, ``precision``, ``recall``
        and ``f1``, all with the prefix.

    Raises:
        ValueError: shapes differ, ``y_true`` is not 0/1, or a score is outside [0, 1].
    """
    return tabulate(Scores.from_arrays(y_true, y_score), rules, labels)


def tabulate(part: Scores, rules: Mapping[str, Rule], labels: Sequence[str] | None = None) -> pd.DataFrame:
    """Return one row per label; see :func:`per_label`."""
    part.must_be_probabilities()
    truth, scores = part.truth, part.scores
    n_rows, n_labels = truth.shape
    actual = truth.sum(axis=0)
    rankings = _label_rankings(part)
    columns: dict[str, object] = {
        "label": list(range(n_labels) if labels is None else labels),
        "positives": actual,
        "prevalence": actual / n_rows,
        "average_precision": rankings["average_precision"],
        "roc_auc": rankings["roc_auc"],
    }
    for name, rule in rules.items():
        assigned = rule.assign(scores)
        hits, predicted = (truth & assigned).sum(axis=0), assigned.sum(axis=0)
        cells = {"tp": hits, "fp": predicted - hits, "fn": actual - hits, "tn": n_rows - predicted - actual + hits}
        block = {"threshold": rule.thresholds, **cells} | precision_recall_f1(hits, predicted, actual)
        columns |= {f"{name}/{column}": values for column, values in block.items()}
    return pd.DataFrame(columns)


def precision_recall_f1(true_positives: Array, predicted: Array, actual: Array) -> dict[str, Floats]:
    """Return precision, recall and F1 of each cell; 0/0 counts 0."""
    return {
        "precision": _ratio(true_positives, predicted),
        "recall": _ratio(true_positives, actual),
        "f1": _ratio(2 * true_positives, predicted + actual),
    }


def label_averages(true_positives: Array, predicted: Array, actual: Array, positives: Array) -> dict[str, Floats]:
    """Return micro, macro, weighted, head, medium and tail precision, recall and F1, each of shape (...).

    The counts have shape (..., n_labels), leading axes being resamples; ``positives``, which decides head, medium and
    tail, has shape (n_labels,). Macro and weighted are NaN where no label has a positive.
    """
    covered, total = actual > 0, actual.sum(axis=-1)
    averages = {}
    for name, values in precision_recall_f1(true_positives, predicted, actual).items():
        averages[f"macro_{name}"] = mean_over(values, covered)
        averages[f"weighted_{name}"] = _ratio((values * actual).sum(axis=-1), total, undefined=np.nan)
    pools = {
        "micro": np.ones(positives.shape, dtype=bool),
        "head": positives >= HEAD,
        "medium": (positives >= MEDIUM) & (positives < HEAD),
        "tail": positives < MEDIUM,
    }
    for pool, members in pools.items():
        if members.any():
            sums = (cells[..., members].sum(axis=-1) for cells in (true_positives, predicted, actual))
            averages |= {f"{pool}_{name}": values for name, values in precision_recall_f1(*sums).items()}
    return averages


def mean_over(values: Array, covered: Bools) -> Floats:
    """Return the mean over the covered labels of the last axis; NaN where none is covered."""
    return _ratio(np.where(covered, values, 0.0).sum(axis=-1), covered.sum(axis=-1), undefined=np.nan)


def decision_rows(truth: Bools, assigned: Bools) -> dict[str, Floats]:
    """Return the decision metrics that are means over rows, one value per row, each of shape (n,)."""
    n_labels = truth.shape[1]
    hits, predicted, actual = (np.count_nonzero(cells, axis=1) for cells in (truth & assigned, assigned, truth))
    wrong = predicted + actual - 2 * hits
    samples = precision_recall_f1(hits, predicted, actual)
    return {
        "binary_accuracy": (n_labels - wrong) / n_labels,
        "hamming_loss": wrong / n_labels,
        "subset_accuracy": (wrong == 0).astype(np.float64),
        "samples_jaccard": _ratio(hits, predicted + actual - hits),
        **{f"samples_{name}": values for name, values in samples.items()},
    }


def ranking_rows(truth: Bools, scores: Array) -> dict[str, Floats]:
    """Return the ranking metrics that are means over rows, each of shape (n,); NaN where a row is left out."""
    step = max(1, SCORES_AT_ONCE // truth.shape[1])
    blocks = [
        _ranking_row_block(truth[start : start + step], scores[start : start + step])
        for start in range(0, len(truth), step)
    ]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _ranking_row_block(truth: Bools, given: Array) -> dict[str, Floats]:
    scores = given.astype(np.float64)
    n_rows, n_labels = truth.shape
    ordered = order_cells(truth, given)
    places = ordered.positive_places()
    n_right = np.count_nonzero(truth, axis=1)
    has_labels = n_right > 0
    bounds = np.append(0, np.cumsum(n_right))
    row = np.repeat(np.arange(n_rows), n_right)
    keys = ordered.keys.reshape(-1)[places]
    is_first = np.ones(len(places), dtype=bool)
    is_first[1:] = (keys[1:] != keys[:-1]) | (row[1:] != row[:-1])
    # Of each right label: labels with the same or a higher score, and how many of them are right.
    first = np.maximum.accumulate(np.where(is_first, np.arange(len(places)), 0))
    reached = (row + 1) * n_labels - places[first]
    found = bounds[row + 1] - first
    precision, misordered = (
        np.bincount(row, weights=of_label, minlength=n_rows) for of_label in (found / reached, reached - found)
    )
    coverage = np.zeros(n_rows)
    coverage[has_labels] = reached[bounds[:-1][has_labels]]  # of its lowest right label
    rows = {
        "categorical_accuracy": (truth.argmax(axis=1) == scores.argmax(axis=1)).astype(np.float64),
        "lrap": _ratio(precision, n_right, undefined=np.nan),
        "coverage": coverage,
        "ranking_loss": _ratio(misordered, n_right * (n_labels - n_right), undefined=np.nan),
        "brier": ((scores - truth) ** 2).mean(axis=1),
        "log_loss": _log_loss(truth, scores).mean(axis=1),
    }
    return rows | {f"precision_at_{depth}": _precision_at(depth, ordered) for depth in DEPTHS if depth <= n_labels}


def _precision_at(depth: int, ordered: Ordered) -> Floats:
    """Expected share of right labels among the ``depth`` highest, equal scores in random order."""
    n_labels = ordered.keys.shape[1]
    one = ordered.keys.dtype.type(1)
    highest = ordered.keys[:, n_labels - depth :]
    values: Floats = np.count_nonzero((highest & one) == 0, axis=1) / depth
    if depth == n_labels:
        return values
    # Where equal scores are on both sides of the cut
    tied = np.flatnonzero(highest[:, 0] >> one == ordered.keys[:, n_labels - depth - 1] >> one)
    right, levels = (ordered.keys[tied] & one) == 0, ordered.keys[tied] >> one
    last = levels[:, n_labels - depth, np.newaxis]
    surely, maybe = levels > last, levels == last
    seats = depth - np.count_nonzero(surely, axis=1)
    share = _ratio(np.count_nonzero(right & maybe, axis=1), np.count_nonzero(maybe, axis=1))
    values[tied] = (np.count_nonzero(right & surely, axis=1) + seats * share) / depth
    return values


def _log_loss(truth: Bools, scores: Floats) -> Floats:
    epsilon = np.finfo(np.float64).eps
    losses: Floats = -np.log(np.clip(np.where(truth, scores, 1 - scores), epsilon, 1 - epsilon))
    return losses


def row_means(rows: Mapping[str, Floats], weights: Floats) -> dict[str, Floats]:
    """Return the weighted mean over the rows that are not NaN, under every column of ``weights``.

    ``rows`` are of shape (n,), ``weights`` (n, n_resamples), the means (n_resamples,); NaN where no row is covered.
    """
    values = np.stack(list(rows.values()))
    left_out = np.isnan(values)
    some = left_out.any(axis=1)
    totals = np.tile(weights.sum(axis=0), (len(values), 1))
    totals[some] = (~left_out[some]).astype(np.float64) @ weights
    means = _ratio(np.where(left_out, 0.0, values) @ weights, totals, undefined=np.nan)
    return dict(zip(rows, means, strict=True))


def _plain_row_means(rows: Mapping[str, Floats]) -> dict[str, Floats]:
    weights = np.ones((len(next(iter(rows.values()))), 1))
    return {name: means[0] for name, means in row_means(rows, weights).items()}


def rank_positives(ordered: Ordered, places: Integers) -> list[PositiveRanks]:
    """Return for each group of cells, a label's or all, where its positives stand among its negatives.

    No ranking metric changes between two negatives.

    Args:
        ordered: the cells.
        places: its ``positive_places()``.
    """
    n_groups, n = ordered.keys.shape
    keys = ordered.keys.reshape(-1)
    bounds = np.searchsorted(places, np.arange(n_groups + 1) * n)
    own = keys[places]
    begins = np.ones(len(places) + 1, dtype=bool)  # another score, or another group
    begins[1:-1] = own[1:] != own[:-1]
    begins[bounds] = True
    first = np.flatnonzero(begins)
    hits, first = np.diff(first), first[:-1]
    start = places[first]
    group = start // n
    end = (group + 1) * n
    upto = end - start - (bounds[group + 1] - first)
    # Negatives with the same score follow its positives.
    follows = np.minimum(start + hits, keys.size - 1)
    tied = (start + hits < end) & (keys[follows] == own[first] + keys.dtype.type(1))
    above = upto.copy()
    higher = ordered.places_above(group[tied], keys[follows[tied]])
    above[tied] -= higher - follows[tied]
    ends = np.searchsorted(group, np.arange(n_groups + 1))
    ranks = []
    for (a, b), positives in zip(itertools.pairwise(ends), np.diff(bounds), strict=True):
        of_hits, of_above, of_upto = (counts[a:b][::-1].copy() for counts in (hits, above, upto))
        ranks.append(PositiveRanks(of_hits, of_above, of_upto, n - int(positives)))
    return ranks


def label_columns(truth: Bools, scores: Array) -> Iterator[tuple[Bools, Array]]:
    """Yield truth and scores of each label, shape (n,) and contiguous, copying a few labels at a time."""
    for start in range(0, truth.shape[1], LABELS_AT_ONCE):
        block = slice(start, start + LABELS_AT_ONCE)
        yield from zip(np.ascontiguousarray(truth[:, block].T), np.ascontiguousarray(scores[:, block].T), strict=True)


def curve_areas(hits: Array, above: Array, upto: Array, negatives: Array) -> tuple[Floats, Floats]:
    """Return average precision and area under the ROC curve, each of shape (...); NaN where undefined.

    Args:
        hits: positives at each distinct score of a positive, highest first, shape (g, ...); other axes: resamples.
        above: negatives with a higher score, shape (g, ...).
        upto: negatives with the same or a higher score, shape (g, ...).
        negatives: all negatives, shape (...).
    """
    pairs_won = (hits * (negatives - (above + upto) / 2)).sum(axis=0)
    roc_auc = _ratio(pairs_won, hits.sum(axis=0) * np.asarray(negatives), undefined=np.nan)
    return _average_precision(hits, upto), roc_auc


def _average_precision(hits: Array, upto: Array) -> Floats:
    found = np.cumsum(hits, axis=0, dtype=np.float64)
    precision = found / np.maximum(found + upto, 1)  # counts: below 1 is 0 of 0
    return _ratio((hits * precision).sum(axis=0), hits.sum(axis=0), undefined=np.nan)


def _areas(ranks: PositiveRanks) -> tuple[Floats, Floats]:
    return curve_areas(ranks.hits, ranks.above, ranks.upto, np.asarray(ranks.negatives))


def calibration_bins(scores: Array, edges: Array) -> NDArray[np.intp]:
    """Return the bin of each score, 0 to 14; equal scores share one."""
    return np.searchsorted(edges, scores, side="right")


def calibration_edges(scores: Array) -> Array:
    """Return the 14 edges that cut the sorted scores into 15 bins of equal mass, ties apart."""
    ordered = np.sort(scores, axis=None)
    return ordered[np.arange(1, CALIBRATION_BINS) * ordered.size // CALIBRATION_BINS]


def calibration_error(surplus: Array, total: ArrayLike) -> Floats:
    """Return the expected calibration error, shape (...): the bins' share-weighted |frequency − mean score|.

    Args:
        surplus: sum of truth minus score over each bin, shape (bins, ...).
        total: scores in all bins, shape (...).
    """
    error: Floats = np.abs(surplus).sum(axis=0) / total
    return error


def _label_rankings(part: Scores) -> dict[str, Floats]:
    blocks = [_rankings(ordered) for ordered in part.by_label]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _rankings(ordered: Ordered) -> dict[str, Floats]:
    """Return average precision, ROC AUC and calibration error of each group of cells."""
    places = ordered.positive_places()
    areas = np.array([_areas(ranks) for ranks in rank_positives(ordered, places)])
    errors = calibration_error(_surplus(ordered, places), ordered.keys.shape[1])
    return {"average_precision": areas[:, 0], "roc_auc": areas[:, 1], "ece": errors}


def _surplus(ordered: Ordered, positive_places: Integers) -> Floats:
    """Return truth minus score, summed over each bin of equal mass of each group, shape (bins, groups)."""
    n_groups, n = ordered.keys.shape
    edges = np.arange(n_groups)[:, np.newaxis] * n + np.arange(CALIBRATION_BINS) * n // CALIBRATION_BINS
    starts = ordered.first_places_of_equals(edges.reshape(-1))
    hits = np.diff(np.searchsorted(positive_places, np.append(starts, ordered.keys.size)))
    surplus: Floats = (hits - ordered.sums_from(starts)).reshape(n_groups, CALIBRATION_BINS).T
    return surplus


def _ratio(numerator: Array, denominator: Array, undefined: float = 0.0) -> Floats:
    numerator, denominator = np.broadcast_arrays(numerator, denominator)
    quotient = np.full(numerator.shape, undefined)
    np.divide(numerator, denominator, out=quotient, where=denominator != 0)
    return quotient


def _defined(values: Mapping[str, Floats]) -> dict[str, float]:
    return {name: float(value) for name, value in values.items() if not np.isnan(value)}
