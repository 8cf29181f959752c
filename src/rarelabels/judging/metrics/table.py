"""The record of every metric."""

from __future__ import annotations

from rarelabels.judging.metrics.averages import COUNT_METRICS
from rarelabels.judging.metrics.curves import CURVE_METRICS
from rarelabels.judging.metrics.decided_rows import DECIDED_ROW_METRICS
from rarelabels.judging.metrics.ece import CALIBRATION_METRICS
from rarelabels.judging.metrics.metric import Metric
from rarelabels.judging.metrics.ranked_rows import RANKED_ROW_METRICS

DECISION_METRICS: tuple[Metric, ...] = (*DECIDED_ROW_METRICS, *COUNT_METRICS)
RANKING_METRICS: tuple[Metric, ...] = (*RANKED_ROW_METRICS, *CURVE_METRICS, *CALIBRATION_METRICS)
BY_NAME = {metric.name: metric for metric in (*DECISION_METRICS, *RANKING_METRICS)}
LOWER_IS_BETTER = frozenset(name for name, metric in BY_NAME.items() if metric.lower_is_better)
OF_CALIBRATION = tuple(name for name, metric in BY_NAME.items() if metric.is_of_calibration)
