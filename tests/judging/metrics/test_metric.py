"""The record of a metric."""

import numpy as np

from rarelabels.judging.metrics.metric import Metric, weights_of_rows


def test_what_is_better_when_lower_is_marked_with_an_arrow() -> None:
    assert Metric(name="loss", words="a loss", lower_is_better=True).shown == "↓ a loss"
    assert Metric(name="share", words="a share").shown == "a share"


def test_unless_it_is_said_a_metric_is_a_share_that_no_calibration_flatters() -> None:
    metric = Metric(name="share", words="a share")
    assert (metric.lower_is_better, metric.highest, metric.is_of_calibration) == (False, 1.0, False)


def test_a_row_weighs_as_much_as_its_known_labels_in_metrics_of_cells_alone() -> None:
    of_cells, of_rows = Metric(name="cells", words="", is_of_cells=True), Metric(name="rows", words="")
    weights = weights_of_rows([of_cells, of_rows], np.array([[True, False], [True, True], [False, False]]))
    assert {name: values.tolist() for name, values in weights.items()} == {"cells": [1, 2, 0]}
    assert weights_of_rows([of_cells, of_rows], None) == {}
