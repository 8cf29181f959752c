"""The influence of each test row on every metric of a trial: how much the metric changes as the row counts more.

A metric is a function of the weights of the rows, all 1. The influence of a row is the derivative by its weight. The
influences add up to 0, and the sum of their squares is nearly the variance of the metric over test parts of this size:
the infinitesimal jackknife. It costs about as much as the metric itself.

Source: Efron (1982), "The Jackknife, the Bootstrap and Other Resampling Plans", chapter 6.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence

from rarelabels.judging.arrays import Array, Bools, Floats, is_one
from rarelabels.judging.metrics.averages import influences_of_averages
from rarelabels.judging.metrics.curves import CURVE_METRICS, influences_of_curves
from rarelabels.judging.metrics.decided_rows import DECIDED_ROW_METRICS, decided_rows
from rarelabels.judging.metrics.ece import CALIBRATION_METRICS, influences_of_calibration
from rarelabels.judging.metrics.means import influences_of_means
from rarelabels.judging.metrics.metric import Metric, weights_of_rows
from rarelabels.judging.metrics.own import OwnMetric
from rarelabels.judging.metrics.own import influences as influences_of_own
from rarelabels.judging.metrics.ranked_rows import RANKED_ROW_METRICS, ranked_rows
from rarelabels.judging.rules.definition import Rule
from rarelabels.judging.scores import Scores

OF_RANKING = "ranking"


def influences(
    part: Scores,
    rules: Mapping[str, Rule],
    wanted: Collection[str] | None = None,
    own: Sequence[OwnMetric] = (),
) -> dict[str, Floats]:
    """Return the influence of each row on every metric, by recorded name without the part, each (n,).

    It is 0 where a metric is undefined. Thresholds are those that were given: other rows would not change them.

    Args:
        part: truth and probabilities. If it has most likely label sets, they are measured as well.
        rules: by name.
        wanted: the names of the metrics; all, if None.
        own: metrics of other packages.

    Raises:
        ValueError: a score is outside [0, 1].
        UserError: a metric of another package fails.
    """
    part = part.as_probabilities()
    groups = None if wanted is None else {name.partition("/")[0] for name in wanted}
    ranked = None if wanted is None else {name.removeprefix(f"{OF_RANKING}/") for name in wanted}
    found = of_rankings(part, ranked) if groups is None or OF_RANKING in groups else {}
    assigned = {name: rule.assign(part.scores) for name, rule in rules.items() if groups is None or name in groups}
    assigned |= {name: is_one(labels) for name, labels in part.decided.items() if groups is None or name in groups}
    for rule, of_rule in assigned.items():
        found |= {f"{rule}/{name}": values for name, values in of_decisions(part, of_rule).items()}
        found |= _of_own(rule, "decisions", own, part, of_rule, wanted)
    found |= _of_own(OF_RANKING, "scores", own, part, part.scores, wanted)
    return found if wanted is None else {name: found[name] for name in wanted if name in found}


def _of_own(
    rule: str, measures: str, own: Sequence[OwnMetric], part: Scores, measured: Array, wanted: Collection[str] | None
) -> dict[str, Floats]:
    """Return the influences on the metrics of other packages that are wanted."""
    asked = [one for one in own if one.measures == measures and (wanted is None or f"{rule}/{one.name}" in wanted)]
    return {f"{rule}/{name}": values for name, values in influences_of_own(asked, part, measured).items()}


def of_decisions(part: Scores, assigned: Bools) -> dict[str, Floats]:
    """Return the influence of each row on every metric of assigned labels, each (n,)."""
    weights = weights_of_rows(DECIDED_ROW_METRICS, part.known)
    of_means = influences_of_means(decided_rows(part.truth, assigned, part.known), weights)
    return of_means | influences_of_averages(part.truth, part.counted(assigned))


def of_rankings(part: Scores, wanted: Collection[str] | None = None) -> dict[str, Floats]:
    """Return the influence of each row on the metrics of scores, as ``ranking/<metric>``, each (n,).

    Args:
        part: truth and probabilities.
        wanted: the names of the metrics, without ``ranking/``; a kind of metric that has none of them is left out.
    """
    kinds: tuple[tuple[Sequence[Metric], Callable[[Scores], dict[str, Floats]]], ...] = (
        (RANKED_ROW_METRICS, _of_ranked_rows),
        (CURVE_METRICS, influences_of_curves),
        (CALIBRATION_METRICS, influences_of_calibration),
    )
    found: dict[str, Floats] = {}
    for metrics, of_kind in kinds:
        if wanted is None or any(metric.name in wanted for metric in metrics):
            found |= of_kind(part)
    return {f"{OF_RANKING}/{name}": values for name, values in found.items()}


def _of_ranked_rows(part: Scores) -> dict[str, Floats]:
    weights = weights_of_rows(RANKED_ROW_METRICS, part.known)
    return influences_of_means(ranked_rows(part.truth, part.scores, part.known), weights)
