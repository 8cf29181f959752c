"""The metrics and threshold rules of other packages that a trial declares by name; ``packages`` finds them.

An entry point in the group ``rarelabels.metrics`` names a ``rarelabels.judging.metrics.own.OwnMetric``, one in
``rarelabels.rules`` a ``rarelabels.judging.rules.own.OwnRule``. An installed package changes nothing by itself: a trial
declares what it wants by ``own_metrics`` and ``thresholds.own_rules``. Only then is its module imported.
``examples/own_metric_and_rule`` is such a package.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from rarelabels import packages
from rarelabels.errors import UserError
from rarelabels.judging.rules import table

if TYPE_CHECKING:  # they import NumPy, which takes a third of a command's start
    from rarelabels.declare.trial import Trial
    from rarelabels.judging.metrics.own import OwnMetric
    from rarelabels.judging.own import Own

METRICS, RULES = "rarelabels.metrics", "rarelabels.rules"
RANKING = "ranking"
IN_PLACE_OF_A_RULE = (RANKING, "count", "uncalibrated")  # what stands in a recorded name where a rule does


def of(trial: Trial) -> Own:
    """Return the metrics and rules of other packages that a trial declares.

    Raises:
        UserError: one of them cannot be used.
    """
    from rarelabels.judging.own import NOTHING_OWN, Own
    from rarelabels.judging.rules.own import OwnRule

    if not (trial.own_metrics or trial.thresholds.own_rules):
        return NOTHING_OWN
    rules = (packages.record(RULES, name, OwnRule) for name in trial.thresholds.own_rules)
    return Own(
        tuple(metric(name) for name in trial.own_metrics),
        tuple(replace(rule, package=str(package)) for rule, package in rules),
    )


def metric(name: str) -> OwnMetric:
    """Return the metric of another package that has this name.

    Raises:
        UserError: there is none, or it cannot be used.
    """
    from rarelabels.judging.metrics.own import OwnMetric

    found, package = packages.record(METRICS, name, OwnMetric)
    return replace(found, package=str(package))


def installed_metrics(names: Collection[str]) -> tuple[OwnMetric, ...]:
    """Return those of these metrics that installed packages bring: a record may be read where they are not installed.

    Raises:
        UserError: one of them cannot be used.
    """
    return tuple(metric(name) for name in names if name in packages.names(METRICS))


def versions(trial: Trial) -> dict[str, str]:
    """Return the packages of the metrics and rules that a trial declares, by name their versions."""
    return packages.versions(METRICS, trial.own_metrics) | packages.versions(RULES, trial.thresholds.own_rules)


def problems(trial: Trial) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with the metrics and rules that a trial declares: the dotted key, and the reason."""
    from rarelabels.judging.rules.own import OwnRule

    for name in trial.own_metrics:
        if name in _our_metrics():
            yield "own_metrics", f"{name!r} is a metric of Rarelabels, which is always measured; leave it out"
            continue
        try:
            metric(name)
        except UserError as error:
            yield "own_metrics", str(error)
    for name in trial.thresholds.own_rules:
        if name in table.BY_NAME or name in IN_PLACE_OF_A_RULE:
            yield "thresholds.own_rules", f"{name!r} is a name of Rarelabels; a rule needs another one"
            continue
        try:
            packages.record(RULES, name, OwnRule)
        except UserError as error:
            yield "thresholds.own_rules", str(error)


def unmeasured(trial: Trial, recorded: str) -> str:
    """Say why a metric of a trial cannot decide a hypothesis, as far as other packages are concerned; else empty.

    Args:
        trial: one side of the hypothesis.
        recorded: name of the metric: ``test/half/macro_f1``.
    """
    _, rule, name = recorded.split("/")
    if rule not in (*table.BY_NAME, RANKING, *trial.thresholds.own_rules):
        return f"{trial.short_name} has no rule {rule!r}; name it in its thresholds.own_rules"
    if name not in packages.names(METRICS) or name in _our_metrics():
        return ""
    if name not in trial.own_metrics:
        return f"{trial.short_name} has no metric {name!r}; name it in its own_metrics"
    try:
        found = metric(name)
    except UserError as error:
        return str(error)
    if (rule == RANKING) != (found.measures == "scores"):
        place = RANKING if found.measures == "scores" else "<rule>"
        return f"{name!r} is a metric of {found.measures}; use test/{place}/{name}"
    if found.influence is None:
        return (
            f"{name!r} has no interval, for {found.package} gives no influences; a hypothesis is decided by an interval"
        )
    return ""


def _our_metrics() -> Collection[str]:
    from rarelabels.judging.metrics.table import BY_NAME

    return BY_NAME
