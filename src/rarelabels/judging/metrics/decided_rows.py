"""Metrics of assigned labels that are means over rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rarelabels.judging.arrays import Bools, Floats, Integers
from rarelabels.judging.metrics.averages import precision_recall_f1
from rarelabels.judging.metrics.means import ratio
from rarelabels.judging.metrics.metric import Metric


@dataclass(frozen=True, eq=False)
class DecidedRows:
    """Counts of each row, (n,): its right labels, assigned labels and true labels; and its known labels.

    The last is one number for all rows if all labels are known.
    """

    hits: Integers
    predicted: Integers
    actual: Integers
    n_labels: int | Integers

    @classmethod
    def of(cls, truth: Bools, assigned: Bools, known: Bools | None = None) -> DecidedRows:
        """Return the counts of truth and assigned labels, both of shape (n, n_labels), over the known cells."""
        counted = assigned if known is None else assigned & known
        hits, predicted, actual = (np.count_nonzero(cells, axis=1) for cells in (truth & counted, counted, truth))
        return cls(hits, predicted, actual, truth.shape[1] if known is None else np.count_nonzero(known, axis=1))

    @cached_property
    def wrong(self) -> Integers:
        """How many labels of each row are wrong."""
        return self.predicted + self.actual - 2 * self.hits

    @cached_property
    def samples(self) -> dict[str, Floats]:
        """Precision, recall and F1 of each row."""
        return precision_recall_f1(self.hits, self.predicted, self.actual)


@dataclass(frozen=True, kw_only=True)
class DecidedRowMetric(Metric):
    """The mean over rows of one value per row.

    Attributes:
        of: the values, (n,).
    """

    of: Callable[[DecidedRows], Floats]


DECIDED_ROW_METRICS = (
    DecidedRowMetric(
        name="binary_accuracy",
        words="binary accuracy",
        is_of_cells=True,
        of=lambda rows: (rows.n_labels - rows.wrong) / rows.n_labels,
    ),
    DecidedRowMetric(
        name="hamming_loss",
        words="Hamming loss",
        lower_is_better=True,
        is_of_cells=True,
        of=lambda rows: rows.wrong / rows.n_labels,
    ),
    DecidedRowMetric(
        name="subset_accuracy",
        words="subset accuracy",
        of=lambda rows: (rows.wrong == 0).astype(np.float64),
    ),
    DecidedRowMetric(
        name="samples_jaccard",
        words="samples Jaccard",
        of=lambda rows: ratio(rows.hits, rows.predicted + rows.actual - rows.hits),
    ),
    DecidedRowMetric(name="samples_precision", words="samples precision", of=lambda rows: rows.samples["precision"]),
    DecidedRowMetric(name="samples_recall", words="samples recall", of=lambda rows: rows.samples["recall"]),
    DecidedRowMetric(name="samples_f1", words="samples F1", of=lambda rows: rows.samples["f1"]),
)


def decided_rows(truth: Bools, assigned: Bools, known: Bools | None = None) -> dict[str, Floats]:
    """Return every metric of this kind, one value per row, each of shape (n,); NaN for rows without a known label."""
    if known is None:
        rows = DecidedRows.of(truth, assigned)
        return {metric.name: metric.of(rows) for metric in DECIDED_ROW_METRICS}
    covered = known.any(axis=1)
    rows = DecidedRows.of(truth[covered], assigned[covered], known[covered])
    found = {metric.name: np.full(len(truth), np.nan) for metric in DECIDED_ROW_METRICS}
    for metric in DECIDED_ROW_METRICS:
        found[metric.name][covered] = metric.of(rows)
    return found
