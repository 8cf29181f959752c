"""A metric of assigned labels, with an interval, and a metric of scores, without one."""

from __future__ import annotations

from typing import Any

import numpy as np

from rarelabels.judging.metrics.own import OwnMetric

MISSED, FALSE_ALARM = 5.0, 1.0


def cost_of_rows(truth: Any, assigned: Any) -> Any:
    """Return what the wrong labels of each row cost, (n,).

    Both arrays are False where a label is not known, so that such a label costs nothing.
    """
    return MISSED * (truth & ~assigned).sum(axis=1) + FALSE_ALARM * (assigned & ~truth).sum(axis=1)


def mean_cost(truth: Any, assigned: Any, known: Any) -> float:  # noqa: ARG001  every metric is given all three
    """Return the mean cost of a row."""
    return float(cost_of_rows(truth, assigned).mean())


def influence_on_mean_cost(truth: Any, assigned: Any, known: Any) -> Any:  # noqa: ARG001  every metric is given all three
    """Return by how much the mean changes as each row counts more, (n,)."""
    costs = cost_of_rows(truth, assigned)
    return (costs - costs.mean()) / len(costs)


def one_error(truth: Any, scores: Any, known: Any) -> float:
    """Return the share of rows whose highest-scored known label is wrong (Schapire and Singer 2000)."""
    rows = known.any(axis=1)
    highest = np.where(known, scores, -np.inf).argmax(axis=1)
    return float((~truth[np.arange(len(truth)), highest])[rows].mean())


ERROR_COST = OwnMetric(
    name="error_cost",
    words="cost of errors a row",
    lower_is_better=True,
    highest=None,
    of=mean_cost,
    influence=influence_on_mean_cost,
)
ONE_ERROR = OwnMetric(name="one_error", words="one-error", lower_is_better=True, measures="scores", of=one_error)
