"""The record of a metric."""

from rarelabels.judging.metrics.metric import Metric


def test_what_is_better_when_lower_is_marked_with_an_arrow() -> None:
    assert Metric(name="loss", words="a loss", lower_is_better=True).shown == "↓ a loss"
    assert Metric(name="share", words="a share").shown == "a share"


def test_unless_it_is_said_a_metric_is_a_share_that_no_calibration_flatters() -> None:
    metric = Metric(name="share", words="a share")
    assert (metric.lower_is_better, metric.highest, metric.is_of_calibration) == (False, 1.0, False)
