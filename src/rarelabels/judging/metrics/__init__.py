"""What is measured: scores or assigned labels, and the truth, to ``{metric: value}``.

Which labels a macro or weighted mean covers depends on the truth alone: those with at least one positive in the part
(and, for ROC AUC, one negative). Whatever was predicted, every trial of a study averages the same labels; one predicted
nowhere has precision 0. Micro and samples means and Hamming loss cover all labels and rows, and 0/0 counts 0. On what
is covered every number equals scikit-learn's. A metric that covers nothing is left out, so values are always finite;
``counts`` says how much is undefined.

- ``metric``: the record of a metric. ``table``: all records, by name. ``measure``: the values of all of them.
- ``decided_rows``, ``averages``: of assigned labels: means over rows; precision, recall and F1 from counts.
- ``ranked_rows``, ``curves``, ``ece``: of scores: means over rows; areas under curves; calibration.
- ``means``: weighted means that leave out what is undefined. ``label_table``: a row for each label.

A metric is added by a record in the file of its kind: evaluation, bootstrap, tables and searches read the records.
"""

from rarelabels.judging.metrics.averages import HEAD, MEDIUM, precision_recall_f1
from rarelabels.judging.metrics.ece import CALIBRATION_BINS, calibration_bins, calibration_edges
from rarelabels.judging.metrics.measure import (
    counts,
    decision_metrics,
    macro_average_precision,
    measure_decisions,
    measure_rankings,
    ranking_metrics,
)
from rarelabels.judging.metrics.table import BY_NAME, LOWER_IS_BETTER

__all__ = ["BY_NAME", "CALIBRATION_BINS", "HEAD", "LOWER_IS_BETTER", "MEDIUM", "calibration_bins", "calibration_edges"]
__all__ += ["counts", "decision_metrics", "macro_average_precision", "measure_decisions", "measure_rankings"]
__all__ += ["precision_recall_f1", "ranking_metrics"]
