"""Every metric of assigned labels or of scores, by name; and how much of a part is undefined."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.judging.arrays import Array, Bools, Floats, checked_known, multi_hot, with_known
from rarelabels.judging.metrics.averages import LabelCounts, averages
from rarelabels.judging.metrics.curves import CURVE_METRICS, areas
from rarelabels.judging.metrics.decided_rows import DECIDED_ROW_METRICS, decided_rows
from rarelabels.judging.metrics.ece import CALIBRATION_METRICS, calibration_error, surplus_of_bins
from rarelabels.judging.metrics.means import defined, mean_over, plain_row_means
from rarelabels.judging.metrics.metric import weights_of_rows
from rarelabels.judging.metrics.ranked_rows import RANKED_ROW_METRICS, ranked_rows
from rarelabels.judging.scores import Scores
from rarelabels.judging.sweeps.ordered import Ordered


def decision_metrics(y_true: ArrayLike, y_pred: ArrayLike, *, positives: ArrayLike | None = None) -> dict[str, float]:
    """Return how good the assigned labels are.

    - ``binary_accuracy`` (share of labels right), ``hamming_loss`` (1 minus it), ``subset_accuracy`` (share of rows
      with every label right), ``samples_jaccard``: all rows and labels.
    - ``{micro,macro,weighted,samples}_{precision,recall,f1}``: macro and weighted over labels with a positive.
    - ``{head,medium,tail}_{precision,recall,f1}``: the labels with at least 100, 10 to 99 and under 10 positives, their
      counts pooled like micro; a group without labels is left out.

    A label that is not known, NaN in ``y_true``, counts nowhere. Binary accuracy and Hamming loss are shares of the
    known cells. The numbers of a label are those of the rows in which it is known. A mean over rows covers the rows
    with a known label, and each row counts as if it had no other labels than the known ones.

    Rows 100, 011, 101 assigned 101, 011, 001 have binary accuracy 7/9 and subset accuracy 1/3.

    >>> found = decision_metrics([[1, 0, 0], [0, 1, 1], [1, 0, 1]], [[1, 0, 1], [0, 1, 1], [0, 0, 1]])
    >>> round(found["binary_accuracy"], 3), round(found["subset_accuracy"], 3), found["micro_f1"]
    (0.778, 0.333, 0.8)

    Args:
        y_true: 0/1, shape (n, n_labels); NaN where it is not known.
        y_pred: 0/1, shape (n, n_labels).
        positives: the positives of each label, which decide head, medium and tail, shape (n_labels,). By default those
            of ``y_true``; for a resample of a part, give those of the part, so that the groups stay.

    Raises:
        ValueError: shapes differ, or values other than 0 and 1.

    Source: scikit-learn's ``precision_recall_fscore_support``, ``hamming_loss``, ``accuracy_score``, ``jaccard_score``
    with ``zero_division=0``.
    """
    filled, known = with_known(y_true)
    truth, assigned = multi_hot(filled, "y_true"), multi_hot(y_pred, "y_pred")
    known = None if known is None else checked_known(known, truth)
    if truth.shape != assigned.shape:
        raise ValueError(f"y_pred: must have the shape of y_true, {truth.shape}; got {assigned.shape}")
    return measure_decisions(truth, assigned, None if positives is None else np.asarray(positives), known)


def measure_decisions(
    truth: Bools, assigned: Bools, positives: Array | None = None, known: Bools | None = None
) -> dict[str, float]:
    """Return how good assigned labels are; see :func:`decision_metrics`.

    ``truth`` is False where a label is not known; ``known`` is None if all are.
    """
    actual, counted = truth.sum(axis=0), assigned if known is None else assigned & known
    counts = LabelCounts(
        true_positives=(truth & counted).sum(axis=0),
        predicted=counted.sum(axis=0),
        actual=actual,
        positives=actual if positives is None else positives,
    )
    rows = decided_rows(truth, counted, known)
    return defined(plain_row_means(rows, weights_of_rows(DECIDED_ROW_METRICS, known)) | averages(counts))


def ranking_metrics(y_true: ArrayLike, y_score: ArrayLike) -> dict[str, float]:
    """Return how good the scores are before any threshold.

    - ``{micro,macro}_average_precision``, ``{micro,macro}_roc_auc``: equal scores count as one step of the curve.
      Macro: labels with a positive; ROC AUC also needs a negative.
    - ``lrap``: over rows with a label. ``ranking_loss``: over rows that have a label and lack another. ``coverage``:
      over all rows; a row without labels counts 0. Ties count against the prediction.
    - ``categorical_accuracy``: share of rows whose first label is the one with the highest score. Keras computes this
      for ``accuracy``. It depends on the order of the columns: it is here for comparison, and not to be trusted.
    - ``precision_at_k`` for k = 1, 3, 5 up to the number of labels: share of the k highest-scored labels that are
      right. Equal scores count by their expected share, so the order of the columns does not matter.
    - ``brier``, ``log_loss``: mean over rows and labels; probabilities are clipped by the float64 epsilon.
    - ``ece``: expected calibration error, 15 bins of equal mass over all labels pooled; ``macro_ece``: the mean
      of the error of each label, over labels with a positive. Equal scores share a bin.

    A label that is not known, NaN in ``y_true``, counts nowhere, as in :func:`decision_metrics`. A row's known labels
    are ranked as if it had no others. Rows with fewer than k known labels are left out of ``precision_at_k``.

    >>> round(ranking_metrics([[1, 0], [0, 1], [0, 0]], [[0.9, 0.1], [0.3, 0.2], [0.4, 0.6]])["macro_roc_auc"], 3)
    0.75

    Args:
        y_true: 0/1, shape (n, n_labels); NaN where it is not known.
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
    part = part.as_probabilities()
    pooled = _of_groups(part.pooled())  # before the labels: two orders at once take more memory
    of_labels = label_rankings(part)
    rows, weights = ranked_rows(part.truth, part.scores, part.known), weights_of_rows(RANKED_ROW_METRICS, part.known)
    values = plain_row_means(rows, weights)
    for curve in CURVE_METRICS:
        values[curve.name] = pooled[curve.area][0]
        if curve.covers:
            values[curve.name] = mean_over(of_labels[curve.area], curve.covers(part.positives, part.n_known))
    for error in CALIBRATION_METRICS:
        values[error.name] = pooled["ece"][0] if error.is_pooled else mean_over(of_labels["ece"], part.positives > 0)
    return defined(values)


def label_rankings(part: Scores) -> dict[str, Floats]:
    """Return the areas under the curves and the ``ece`` of every label, by name, each (n_labels,)."""
    blocks = [_of_groups(ordered) for ordered in part.by_label]
    return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}


def _of_groups(ordered: Ordered) -> dict[str, Floats]:
    """Return the areas and the calibration error of each group of cells, (groups,); NaN for groups without cells."""
    places = ordered.positive_places()
    errors = calibration_error(surplus_of_bins(ordered, places), ordered.keys.shape[1])
    return areas(ordered, places) | {"ece": errors}


def macro_average_precision(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Return the macro average precision alone, as in :func:`ranking_metrics`; NaN if no label has a positive."""
    part = Scores.from_arrays(y_true, y_score).as_probabilities()
    wanted = ("average_precision",)
    values = [areas(ordered, ordered.positive_places(), wanted)[wanted[0]] for ordered in part.by_label]
    return float(mean_over(np.concatenate(values), part.positives > 0))


def counts(y_true: ArrayLike) -> dict[str, int]:
    """Return how many labels and rows of ``y_true`` some metric leaves out as undefined.

    ``labels_without_positives`` (left out of every macro and weighted mean), ``labels_without_negatives`` (left out
    of macro ROC AUC), ``rows_without_labels`` (of LRAP and ranking loss), ``rows_with_all_labels`` (of ranking loss).
    If a label of a row is not known, also ``rows_without_known_labels`` (left out of every mean over rows) and
    ``labels_without_known_rows`` (of everything); these rows and labels are among the others as well.

    >>> counts([[1, 0], [1, 0]])["labels_without_positives"]
    1

    Args:
        y_true: 0/1, shape (n, n_labels); NaN where it is not known.
    """
    filled, known = with_known(y_true)
    return counts_of(multi_hot(filled, "y_true"), known)


def counts_of(truth: Bools, known: Bools | None) -> dict[str, int]:
    """Return the numbers of :func:`counts`; ``truth`` is False where it is not known, ``known`` None if all is."""
    positive, not_negative = truth, truth if known is None else truth | ~known
    found = {
        "labels_without_positives": ~positive.any(axis=0),
        "labels_without_negatives": not_negative.all(axis=0),
        "rows_without_labels": ~positive.any(axis=1),
        "rows_with_all_labels": not_negative.all(axis=1),
    }
    if known is not None:
        found |= {"rows_without_known_labels": ~known.any(axis=1), "labels_without_known_rows": ~known.any(axis=0)}
    return {name: int(np.count_nonzero(mask)) for name, mask in found.items()}
