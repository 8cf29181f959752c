"""Metrics: from the truth and scores, or the truth and assigned labels, to ``{metric: value}``.

A macro or weighted mean covers the labels with at least one positive in the part (and, for ROC AUC, one negative). That
depends on the truth alone: every trial of a study averages the same labels, whatever it predicts. A label that is
predicted nowhere has precision 0. Micro and samples means and Hamming loss cover all labels and rows, and 0/0 counts 0.
On the labels and rows it covers, every metric equals scikit-learn's. A metric that covers nothing is left out, so
values are always finite; ``counts`` says how much is undefined. A label of a row that is not known counts nowhere.

- ``metric``: the record of a metric. ``table``: all records. ``measure``: all values. ``own``: those of other packages.
- Metrics of assigned labels: ``decided_rows``, means over rows; ``averages``, precision, recall and F1 from counts.
- Metrics of scores: ``ranked_rows``, means over rows; ``curves``, areas under curves; ``ece``, calibration.
- ``means``: weighted means that leave out what is undefined. ``label_table``: a row for each label.

To add a metric, add a record to the file of its kind: evaluation, intervals, tables and searches read the records.
"""

from rarelabels.judging.metrics.averages import HEAD, MEDIUM, precision_recall_f1
from rarelabels.judging.metrics.ece import CALIBRATION_BINS, calibration_bins, calibration_edges
from rarelabels.judging.metrics.measure import (
    counts,
    counts_of,
    decision_metrics,
    macro_average_precision,
    measure_decisions,
    measure_rankings,
    ranking_metrics,
)
from rarelabels.judging.metrics.table import BY_NAME, LOWER_IS_BETTER

__all__ = ["BY_NAME", "CALIBRATION_BINS", "HEAD", "LOWER_IS_BETTER", "MEDIUM", "calibration_bins", "calibration_edges"]
__all__ += [
    "counts",
    "counts_of",
    "decision_metrics",
    "macro_average_precision",
    "measure_decisions",
    "measure_rankings",
]
__all__ += ["precision_recall_f1", "ranking_metrics"]
