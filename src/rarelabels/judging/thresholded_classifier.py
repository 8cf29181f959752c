"""A scikit-learn classifier for multi-label data that decides by a rule chosen on cross-validated scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.model_selection import check_cv
from sklearn.utils import _safe_indexing, check_array, check_consistent_length, get_tags, indexable
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from rarelabels.errors import ArgumentError, nearest
from rarelabels.judging.arrays import Floats, known_cells
from rarelabels.judging.rules import choose
from rarelabels.judging.rules.definition import HALF, Rule
from rarelabels.judging.rules.folds import folds
from rarelabels.judging.rules.table import RULES
from rarelabels.judging.settings import ObjectiveSpec, ThresholdSpec, objective_of

PREFIT = "prefit"
METHODS = ("predict_proba", "decision_function")  # the first that the estimator has gives the scores
FAR = 1e12  # beyond all decision values
SPEC = ThresholdSpec()

Truth = NDArray[np.int64]
Split = tuple[NDArray[np.int64], NDArray[np.int64]]


class ThresholdedClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):  # type: ignore[misc]  # of untyped bases
    """Decide the labels of a multi-label classifier by thresholds that are chosen for an objective, not by 0.5.

    The rule is chosen on the scores that each row gets from a fit on the other folds. Then the estimator is fitted on
    all rows. scikit-learn's ``TunedThresholdClassifierCV`` does this for a single label, on a grid; here every label
    has its own threshold, and the choice is exact.

    Args:
        estimator: a classifier for multi-label ``Y`` with ``predict_proba`` (a matrix, or a list with an array for each
            label) or ``decision_function``.
        rule: how scores become labels: the name of a rule that :func:`rarelabels.choose_rules` returns.
        objective: what the thresholds are best for, as for :func:`rarelabels.choose_rules`.
        cv: a number of folds, a splitter of scikit-learn, pairs of row numbers (fit, choose), or "prefit". Over a
            number of folds each label's positives are spread evenly, always in the same way. "prefit" says that
            ``estimator`` is fitted already, on other rows than those that :meth:`fit` is given to choose on.

    Attributes:
        estimator_: the fitted estimator.
        rule_: the chosen rule.
        thresholds_: (n_labels,), on the scale of ``predict_proba``; on that of ``decision_function`` where the
            estimator has no ``predict_proba``. 0 on that scale stands for the probability 0.5.
        classes_: a list with ``array([0, 1])`` for each label, as scikit-learn's ``MultiOutputClassifier`` has it; for
            a single target its two classes.
        n_features_in_: number of features; only where ``estimator_`` has it.
        feature_names_in_: names of the features; only where ``estimator_`` has them.

    Some estimators refuse a label with one class only, such as ``MultiOutputClassifier(LogisticRegression())``. A rare
    label may have one class only in a fold. In that fold such an estimator is fitted without the label, and the label
    scores 0, or 1 where all rows have it. Over all rows a label must have both classes for such an estimator.

    >>> import rarelabels as rl
    >>> from sklearn.datasets import make_multilabel_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.metrics import f1_score
    >>> from sklearn.multiclass import OneVsRestClassifier
    >>> X, Y = make_multilabel_classification(n_samples=2000, n_classes=20, random_state=0)
    >>> plain = OneVsRestClassifier(LogisticRegression())
    >>> X, Y, X_new, Y_new = X[:1000], Y[:1000], X[1000:], Y[1000:]
    >>> round(f1_score(Y_new, plain.fit(X, Y).predict(X_new), average="macro"), 2)
    0.37
    >>> model = rl.ThresholdedClassifier(plain, rule="per_label", cv=5).fit(X, Y)
    >>> round(f1_score(Y_new, model.predict(X_new), average="macro"), 2)
    0.42
    >>> model.thresholds_.shape
    (20,)
    """

    def __init__(
        self, estimator: Any, *, rule: str = "per_label", objective: str | ObjectiveSpec = "f1", cv: Any = 5
    ) -> None:
        self.estimator = estimator
        self.rule = rule
        self.objective = objective
        self.cv = cv

    def fit(self, X: Any, y: Any) -> ThresholdedClassifier:
        """Choose the rule, and fit the estimator unless it is fitted already.

        Args:
            X: what the estimator takes, (n_rows, n_features).
            y: 0/1, (n_rows, n_labels): array, frame or sparse matrix. Or a single target of two classes, (n_rows,).

        Raises:
            ArgumentError: a ``ValueError``: a parameter, or ``y``, is not as described here.
            NotFittedError: ``cv`` is "prefit", and the estimator is not fitted.
        """
        objective, method = objective_of(self.objective), self._method()
        if self.rule not in RULES:
            raise ArgumentError(
                f"rule: allowed {', '.join(map(repr, RULES))}; given {self.rule!r}{nearest(str(self.rule), RULES)}"
            )
        truth, self.classes_ = _truth(y)
        (X,) = indexable(X)
        check_consistent_length(X, truth)
        if isinstance(self.cv, str):
            if self.cv != PREFIT:
                raise ArgumentError(f"cv: allowed a number of folds, a splitter, or 'prefit'; given {self.cv!r}")
            check_is_fitted(self.estimator)
            self.estimator_ = self.estimator
            self._only = np.zeros(truth.shape[1])  # which classes the fit has seen is not known
            scores = _scores(self.estimator, method, X, self._only)
            known = np.ones(len(truth), dtype=bool)
        else:
            scores, known = self._cross_validated(X, truth, method)
            self.estimator_ = _fitted(self.estimator, X, truth)
            self._only = _only_class(truth)
        rules = choose.choose_rules(truth[known], scores[known], min_positives=SPEC.min_positives, objective=objective)
        self.rule_: Rule = rules[self.rule]
        self.thresholds_ = self.rule_.thresholds - _middle(method)
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the labels of each row, 0/1, (n_rows, n_labels); for a single target its classes, (n_rows,)."""
        check_is_fitted(self)
        scores = _scores(self.estimator_, self._method(), X, self._only)
        assigned = self.rule_.assign(scores).astype(np.int64)
        if isinstance(self.classes_, list):
            return assigned
        return np.take(self.classes_, assigned.ravel(), mode="clip")  # of a target of one class, that class

    @available_if(lambda self: hasattr(self.estimator, "predict_proba"))  # type: ignore[untyped-decorator]  # scikit-learn's
    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of each label, (n_rows, n_labels), whatever form the estimator gives it in.

        For a single target these are the probabilities of both classes, (n_rows, 2).
        """
        check_is_fitted(self)
        values = _matrix(self.estimator_, "predict_proba", X, len(self.thresholds_))
        return values if isinstance(self.classes_, list) else np.hstack([1 - values, values])

    @available_if(lambda self: hasattr(self.estimator, "decision_function"))  # type: ignore[untyped-decorator]  # scikit-learn's
    def decision_function(self, X: Any) -> Floats:
        """Return the estimator's decision values, (n_rows, n_labels); for a single target (n_rows,)."""
        check_is_fitted(self)
        values = _matrix(self.estimator_, "decision_function", X, len(self.thresholds_))
        return values if isinstance(self.classes_, list) else values.ravel()

    def __sklearn_tags__(self) -> Any:
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.classifier_tags.multi_class = False
        tags.classifier_tags.multi_label = True
        tags.target_tags.multi_output = True
        tags.input_tags.sparse = inner.input_tags.sparse
        tags.input_tags.allow_nan = inner.input_tags.allow_nan
        return tags

    def _method(self) -> str:
        for method in METHODS:
            if hasattr(self.estimator, method):
                return method
        raise ArgumentError(f"estimator: must have {' or '.join(METHODS)}; given {self.estimator!r}")

    def _cross_validated(self, X: Any, truth: Truth, method: str) -> tuple[Floats, NDArray[np.bool_]]:
        """Return the scores of each row by fits on other rows, and which rows have scores."""
        scores, known = np.zeros(truth.shape), np.zeros(len(truth), dtype=bool)
        for fit, held_out in self._splits(X, truth):
            scores[held_out] = self._fold(_safe_indexing(X, fit), truth[fit], _safe_indexing(X, held_out), method)
            known[held_out] = True
        return scores, known

    def _splits(self, X: Any, truth: Truth) -> Iterator[Split] | Iterable[Split]:
        if not isinstance(self.cv, Integral):
            splits: Iterable[Split] = check_cv(self.cv).split(X, truth)
            return splits
        n_folds = int(self.cv)
        if not 2 <= n_folds <= len(truth):
            raise ArgumentError(f"cv: must be at least 2 folds and at most n_samples = {len(truth)}; given {n_folds}")
        fold = folds(truth, n_folds)
        return ((np.flatnonzero(fold != number), np.flatnonzero(fold == number)) for number in range(n_folds))

    def _fold(self, X: Any, truth: Truth, held_out: Any, method: str) -> Floats:
        """Return the scores of the rows held out by a fit on the others."""
        only = _only_class(truth)
        both = only == 0
        try:
            scores = _scores(_fitted(self.estimator, X, truth), method, held_out, only)
        except ValueError:
            if both.all():
                raise
            # The estimator may refuse labels with a single class. Any other error comes again in the fit below.
            rows = held_out.shape[0] if hasattr(held_out, "shape") else len(held_out)
            scores = np.tile(only > 0 if method == "predict_proba" else FAR * only, (rows, 1)).astype(np.float64)
            if both.any():
                scores[:, both] = _scores(_fitted(self.estimator, X, truth[:, both]), method, held_out, only[both])
        if method == "predict_proba":
            return scores
        # Values far beyond all others would distort thresholds that are means; the ends of the others suffice.
        others = scores[:, both] if both.any() else np.array([0.0, 1.0])
        return np.clip(scores, others.min(), others.max())


def _truth(y: Any) -> tuple[Truth, list[NDArray[Any]] | NDArray[Any]]:
    """Return 0/1, (n_rows, n_labels), and the classes: a list of [0, 1] per label, or those of a single target."""
    if y is None:
        raise ArgumentError("y: fit requires y to be passed, but the target y is None; give 0/1, (n_rows, n_labels)")
    dense = y.toarray() if hasattr(y, "toarray") else y
    if known_cells(dense) is not None:
        raise ArgumentError(
            "y: has labels that are not known (NaN), but estimators of scikit-learn learn from 0 and 1 alone; give the "
            "rows in which all labels are known, or fit an estimator for each label on its known rows, and choose the "
            "thresholds of their scores with rarelabels.choose_rules, which takes NaN"
        )
    array = check_array(dense, dtype=None, ensure_2d=False, allow_nd=True, input_name="y")
    if array.ndim == 1:
        kind = type_of_target(array, input_name="y", raise_unknown=True)
        if kind != "binary":
            raise ArgumentError(
                f"y: must be 0/1, (n_rows, n_labels), or a single target of two classes. Only binary classification is "
                f"supported. Unknown label type: {kind}"
            )
        classes = np.unique(array)
        return (array == classes[-1]).astype(np.int64).reshape(-1, 1), classes
    if array.ndim != 2:
        raise ArgumentError(f"y: must have shape (n_rows, n_labels); given {array.shape}")
    if not (right := np.isin(array, (0, 1))).all():
        raise ArgumentError(f"y: must be 0 or 1, (n_rows, n_labels); given {array[~right].tolist()[0]!r}")
    return array.astype(np.int64), [np.array([0, 1]) for _ in range(array.shape[1])]


def _fitted(estimator: Any, X: Any, truth: Truth) -> Any:
    """Return a fitted copy; a single label is given as scikit-learn wants it, (n_rows,)."""
    return clone(estimator).fit(X, truth.ravel() if truth.shape[1] == 1 else truth)


def _middle(method: str) -> float:
    """Return what is added to scores so that rules, to which 0.5 is the middle, can be chosen on them."""
    return 0.0 if method == "predict_proba" else HALF


def _only_class(truth: Truth) -> Floats:
    """Return for each label 0 if there are rows with it and without it, -1 if no row has it, 1 if all rows have it."""
    return np.where(truth.min(axis=0) < truth.max(axis=0), 0.0, 2.0 * truth[0] - 1)


def _scores(estimator: Any, method: str, X: Any, only: Floats) -> Floats:
    """Return the scores that rules look at, (n_rows, n_labels): probabilities, or decision values plus 0.5.

    If a label had one class only in the fit, scikit-learn's ``OneVsRestClassifier`` gives this class in place of
    decision values. A threshold below 0 would assign a label whose only class is 0. So its values are put beyond all
    others.
    """
    values = _matrix(estimator, method, X, len(only))
    return values if method == "predict_proba" else np.where(only == 0, values, FAR * only) + HALF


def _matrix(estimator: Any, method: str, X: Any, n_labels: int) -> Floats:
    """Return a method's values of class 1 of each label, (n_rows, n_labels)."""
    given = getattr(estimator, method)(X)
    if isinstance(given, list):  # forests and MultiOutputClassifier: for each label, (n_rows, n_classes)
        columns = [_of_class_1(one, classes) for one, classes in zip(given, estimator.classes_, strict=True)]
        values = np.column_stack(columns)
    elif n_labels == 1:  # as of a binary classifier: (n_rows,) or (n_rows, n_classes)
        values = np.asarray(given)
        values = (values if values.ndim == 1 else _of_class_1(values, estimator.classes_)).reshape(-1, 1)
    else:
        values = np.asarray(given)
    if values.ndim != 2 or values.shape[1] != n_labels:
        raise ArgumentError(
            f"estimator: its {method} must give a column for each of {n_labels:,} labels; it gives {values.shape}"
        )
    return values.astype(np.float64)


def _of_class_1(values: Floats, classes: Any) -> Floats:
    """Return the column of class 1; zeros where the fit saw no class 1."""
    column: Floats = values[:, -1] if len(classes) == values.shape[1] and classes[-1] == 1 else np.zeros(len(values))
    return column
