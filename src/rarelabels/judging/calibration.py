"""Calibration of scores, fitted on the validation part: scores become probabilities, and their order stays.

Every map is σ(slope · logit(score) + intercept) with a slope above 0, so no label's ranking changes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy as sp
from numpy.typing import ArrayLike

from rarelabels.judging.arrays import Array, Bools, Floats
from rarelabels.judging.scores import Scores

Kind = Literal["temperature", "platt"]

EPSILON = float(np.finfo(np.float64).eps)
HIGHEST, LOWEST = 20.0, -700.0  # logits that calibrated scores may reach: there float64 still tells them apart
MADE_EQUAL = 0.01  # the share of different scores that a temperature may make equal
NEAR = 1e-6  # logits so near 0 that σ is not flat there under any slope
LEAST, MOST = float(np.finfo(np.float64).tiny), 1 - EPSILON / 2  # the scores next to 0 and to 1


@dataclass(frozen=True)
class _Line:
    """σ(slope · logit + intercept)."""

    slope: float
    intercept: float


AS_IT_IS = _Line(1.0, 0.0)


@dataclass(frozen=True, eq=False)
class Calibration:
    """A map of scores for each label.

    Attributes:
        kind: how it was fitted.
        slopes: shape (n_labels,), finite and above 0.
        intercepts: shape (n_labels,), finite.
        unfitted: how many labels keep their scores as they are; see :func:`fit`.
    """

    kind: Kind
    slopes: Floats
    intercepts: Floats
    unfitted: int

    def apply(self, scores: ArrayLike) -> Floats:
        """Return σ(slope · logit(score) + intercept), shape (n, n_labels).

        A calibrated score never depends on other rows. Equal scores stay equal, and no score overtakes another.
        Different scores become equal only where float64 has no room between them: they differ in the last digits, or
        lie very near 1. Scores of exactly 0 and 1 count as the normal float64 numbers next to them, so that no other
        score becomes equal to them.

        Args:
            scores: probabilities, shape (n, n_labels).
        """
        inside = np.clip(np.asarray(scores, dtype=np.float64), LEAST, MOST)
        calibrated = np.asarray(
            sp.special.expit(self.slopes * sp.special.logit(inside) + self.intercepts), dtype=np.float64
        )
        untouched = (self.slopes == 1) & (self.intercepts == 0)  # exactly: logit and σ lose the last digits
        return np.where(untouched, scores, calibrated)

    def to_json(self, labels: Sequence[str]) -> dict[str, Any]:
        """Return the stored form: kind, unfitted, and slope and intercept of each label by name."""
        lines = zip(labels, self.slopes.tolist(), self.intercepts.tolist(), strict=True)
        of_labels = {label: {"slope": slope, "intercept": intercept} for label, slope, intercept in lines}
        return {"kind": self.kind, "unfitted": self.unfitted, "labels": of_labels}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Calibration:
        """Return what :meth:`to_json` stored, its labels in the stored order.

        Earlier versions stored infinite slopes for scores that part positives from negatives; such labels keep their
        scores, as they do now.
        """
        lines = [_finite(_Line(line["slope"], line["intercept"])) for line in stored["labels"].values()]
        lost = lines.count(None) if stored["kind"] == "platt" else len(lines) * (None in lines)
        return _of_lines(stored["kind"], lines, stored["unfitted"] + lost)


def fit(kind: Kind, y_val: ArrayLike, s_val: ArrayLike) -> Calibration:
    """Fit a calibration on the validation part.

    - ``temperature``: one temperature T for all logits, from all rows and labels pooled: slopes 1/T, intercepts 0.
    - ``platt``: a slope and an intercept for each label, by maximum likelihood with Platt's smoothed targets
      (P+1)/(P+2) for the P positives and 1/(N+2) for the N negatives, which keep both finite.

    A label that cannot be fitted keeps its scores and is counted as ``unfitted``. Under ``platt`` that is a label
    without positives, without negatives or with equal scores in all rows. It is also a label whose best slope is not
    above 0. Such scores rank no better than chance: the best map would reverse their order or make them all equal,
    which calibration must not do. Under ``temperature`` all labels are unfitted if every pair of row and label is a
    positive, if none is, or if all scores are equal. Scores that say nothing get a very high temperature, which keeps
    their order. If 0.5 parts the positives from the negatives, or nearly so, the lower the temperature the better, and
    the lowest would make all scores 0 and 1. A temperature under which more than a hundredth of this part's different
    scores would become equal is raised until the highest has a log-odds of 20, two billionths below 1, or to 1.

    For fitting, scores are clipped to the float64 epsilon and 1 minus it, so that a single positive with the score 0
    does not decide the fit.

    Args:
        kind: see above.
        y_val: 0/1, shape (n, n_labels); NaN where it is not known: such cells do not count.
        s_val: probabilities, shape (n, n_labels).

    Raises:
        ValueError: shapes differ, ``y_val`` is not 0/1, or a score is outside [0, 1].

    Source: Guo et al. (2017), "On calibration of modern neural networks"; Platt (1999), "Probabilistic outputs for
    support vector machines". Both as scikit-learn's ``CalibratedClassifierCV`` fits them.
    """
    return fit_to(kind, Scores.from_arrays(y_val, s_val))


def fit_to(kind: Kind, validation: Scores) -> Calibration:
    """Fit a calibration on the validation part; see :func:`fit`."""
    validation = validation.as_probabilities()
    n_labels = validation.truth.shape[1]
    if kind == "temperature":
        line = _fit_line("temperature", *validation.cells())
        common = line or AS_IT_IS
        return Calibration(kind, np.full(n_labels, common.slope), np.zeros(n_labels), 0 if line else n_labels)
    lines = [_fit_line("sigmoid", *validation.of_label(label)) for label in range(n_labels)]
    return _of_lines(kind, lines, lines.count(None))


def _of_lines(kind: Kind, lines: Sequence[_Line | None], unfitted: int) -> Calibration:
    kept = [line or AS_IT_IS for line in lines]
    slopes, intercepts = (
        np.array([getattr(line, name) for line in kept], np.float64) for name in ("slope", "intercept")
    )
    return Calibration(kind, slopes, intercepts, unfitted)


def _finite(line: _Line) -> _Line | None:
    """Return a line that float64 can hold, and that keeps the order of scores; else None."""
    return line if 0 < line.slope < np.inf and np.isfinite(line.intercept) else None


def _fit_line(method: Literal["temperature", "sigmoid"], truth: Bools, scores: Array) -> _Line | None:
    """Return the line that calibrates scores, or None where none can be fitted; truth and scores of shape (n,)."""
    logits = np.asarray(sp.special.logit(np.clip(scores.astype(np.float64), EPSILON, 1 - EPSILON)), dtype=np.float64)
    if truth.all() or not truth.any() or logits.min() == logits.max():
        return None
    # scikit-learn takes a second to import, and most runs calibrate nothing
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.calibration import CalibratedClassifierCV

    class Logits(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn is untyped
        """A classifier that learns nothing: its decision function is its one feature."""

        def fit(self, X: Floats, y: Floats) -> Logits:  # noqa: ARG002 - scikit-learn gives both
            self.classes_ = np.unique(y)
            return self

        def decision_function(self, X: Floats) -> Floats:
            return X[:, 0]

        def predict(self, X: Floats) -> Bools:
            return X[:, 0] >= 0

    rows = np.arange(len(truth))
    model = CalibratedClassifierCV(Logits(), method=method, cv=[(rows, rows)], ensemble=False)
    model.fit(logits[:, None], truth.astype(np.int64))
    line = _read_line(model, centre=float(logits.mean()), reach=float(logits.std()))
    if method == "sigmoid":
        return line
    line = line or _read_line(model, centre=0.0, reach=NEAR)
    return line and _Line(_keeping_order(line.slope, logits), 0.0)


def _keeping_order(slope: float, logits: Floats) -> float:
    """Return a slope, or a lower one if it makes too many scores equal that differ; see :func:`fit`."""
    different = np.unique(logits)
    if np.unique(sp.special.expit(slope * different)).size >= (1 - MADE_EQUAL) * different.size:
        return slope
    lowest, highest = float(different[0]), float(different[-1])
    above = HIGHEST / highest if highest > 0 else np.inf
    below = LOWEST / lowest if lowest < 0 else np.inf
    return min(slope, max(1.0, min(above, below)))


def _read_line(model: Any, centre: float, reach: float) -> _Line | None:
    """Return the line of a fitted calibration. It is read near the fitted logits, because σ is flat far from them."""
    at = np.array([centre - reach, centre + reach])
    low, high = sp.special.logit(model.predict_proba(at[:, None])[:, 1]).tolist()
    slope = (high - low) / (2 * reach)
    return _finite(_Line(slope, (low + high) / 2 - slope * centre))
