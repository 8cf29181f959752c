"""Metrics of other packages: their record, and their values and influences, checked whenever they are computed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from rarelabels.errors import UserError, failure
from rarelabels.judging.arrays import Array, Bools, Floats, unchangeable
from rarelabels.judging.metrics.metric import Metric
from rarelabels.judging.scores import Scores

ROUNDING = 1e-6  # a value this far beyond its range is in it; influences whose sum is this share of them add up to 0


@dataclass(frozen=True, kw_only=True)
class OwnMetric(Metric):
    """The record of a metric of another package; entry points in the group ``rarelabels.metrics`` name such records.

    Both functions take three arrays of shape (n, n_labels), which they cannot change: the truth, True or False; what is
    measured; and which cells are known. Truth and assigned labels are False where a label is not known, scores are
    what the model says.

    >>> import numpy as np
    >>> missed = OwnMetric(
    ...     name="missed",
    ...     words="missed positives a row",
    ...     lower_is_better=True,
    ...     highest=None,
    ...     of=lambda truth, assigned, known: (truth & ~assigned).sum() / len(truth),
    ... )
    >>> part = Scores.from_arrays([[1, 0], [1, 1]], [[0.9, 0.2], [0.4, 0.7]])
    >>> values((missed,), part, part.scores >= 0.5)
    {'missed': 0.5}

    Attributes:
        of: the value; NaN where it is undefined.
        measures: ``decisions`` (assigned labels, True or False, under every rule) or ``scores`` (probabilities).
        influence: of each row on the value, (n,): its derivative by the weight of the row, all weights being 1. They
            add up to 0. For a mean over rows it is (value of the row - mean) / n. None: the metric has no interval,
            and no hypothesis can be about it.
        package: name and version of the package; set when its entry point is read.
    """

    of: Callable[[Bools, Any, Bools], float]
    measures: Literal["decisions", "scores"] = "decisions"
    influence: Callable[[Bools, Any, Bools], Floats] | None = None
    package: str = ""


def values(own: Iterable[OwnMetric], part: Scores, measured: Array) -> dict[str, float]:
    """Return the values of metrics by name; one that is undefined is left out.

    Args:
        own: the metrics.
        part: the rows.
        measured: their assigned labels or their probabilities, as the metrics need them, (n, n_labels).

    Raises:
        UserError: a metric fails, or its value is not in its range; the message names its package.
    """
    found = {metric.name: _value(metric, part, measured) for metric in own}
    return {name: value for name, value in found.items() if not np.isnan(value)}


def influences(own: Iterable[OwnMetric], part: Scores, measured: Array) -> dict[str, Floats]:
    """Return the influence of each row on metrics by name, each (n,); 0 where a metric is undefined.

    A metric without a function for it is left out. Arguments and errors as for :func:`values`.
    """
    return {metric.name: _influence(metric, part, measured) for metric in own if metric.influence}


def _value(metric: OwnMetric, part: Scores, measured: Array) -> float:
    given = _called(metric, metric.of, part, measured)
    try:
        value = float(given)
    except (TypeError, ValueError):
        raise _wrong(metric, f"gave {_short(given)}; its value must be a number") from None
    low = -np.inf if metric.lowest is None else metric.lowest
    high = np.inf if metric.highest is None else metric.highest
    if np.isinf(value) or not (np.isnan(value) or low - ROUNDING <= value <= high + ROUNDING):
        raise _wrong(metric, f"gave {value:g}; its range is {low:g} to {high:g}")
    return value


def _influence(metric: OwnMetric, part: Scores, measured: Array) -> Floats:
    n_rows = len(part.truth)
    if np.isnan(_value(metric, part, measured)):
        return np.zeros(n_rows)
    assert metric.influence is not None
    given = _called(metric, metric.influence, part, measured)
    try:
        found = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        raise _wrong(metric, f"gave {_short(given)} as influences; they must be numbers") from None
    if found.shape != (n_rows,):
        raise _wrong(metric, f"gave influences of shape {found.shape}; they must be one for each row, {(n_rows,)}")
    if not np.isfinite(found).all():
        raise _wrong(metric, "gave influences that are not finite")
    if abs(found.sum()) > ROUNDING * max(1.0, float(np.abs(found).sum())):
        raise _wrong(metric, f"gave influences that add up to {found.sum():g}; they must add up to 0")
    return found


def _called(metric: OwnMetric, function: Callable[..., Any], part: Scores, measured: Array) -> Any:
    truth = part.truth
    cells = part.counted(measured) if metric.measures == "decisions" else measured.astype(np.float64)
    known = np.ones(truth.shape, dtype=bool) if part.known is None else part.known
    try:
        return function(*map(unchangeable, (truth, cells, known)))
    except Exception as error:  # whatever a stranger's function raises
        raise _wrong(metric, f"failed: {failure(error)}") from error


def _wrong(metric: OwnMetric, what: str) -> UserError:
    return UserError(f"{metric.package or 'another package'}: its metric {metric.name!r} {what}")


def _short(given: object) -> str:
    text = repr(given).partition("\n")[0]
    return text if len(text) <= 60 else f"{text[:57]}..."
