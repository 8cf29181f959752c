"""Classifiers of scikit-learn by name, on the columns that the linear model reads. Their models are not stored."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

from rarelabels.data.dataset import Dataset, Part
from rarelabels.declare.models import SklearnSpec
from rarelabels.errors import UserError, first_line, nearest
from rarelabels.judging.arrays import Floats, Integers
from rarelabels.learn import model_files
from rarelabels.learn.baselines.fitted_baseline import FittedBaseline
from rarelabels.learn.baselines.linear import Features
from rarelabels.learn.row_weights import of_both

MOST_CELLS = 250_000_000  # of a dense matrix: 2 GB
DECISIONS = (
    "Scores are decision values d as 1/(1 + exp(-d)), for {estimator} estimates no probabilities: they rank, and 0.5 "
    "is its own decision; thresholds: {{calibration: platt}} makes them probabilities."
)


@dataclass(frozen=True, eq=False)
class SklearnModel(FittedBaseline):
    """Fitted classifiers of scikit-learn.

    Attributes:
        spec: as declared.
        features: make the columns that the classifiers read.
        constant: (n_labels,) the score of each label that is constant in the training part; NaN for the others.
        models: one for each of the other labels; or one for all of them.
    """

    spec: SklearnSpec
    features: Features
    constant: Floats
    models: tuple[Any, ...]

    def scores(self, part: Part) -> Floats:
        """Return scores from 0 to 1, (n, n_labels).

        Raises:
            UserError: the classifier gives a score that is not finite.
        """
        scores = np.tile(self.constant, (len(part.ids), 1))
        columns = _columns(self.features, part, dense=_needs_dense(self.spec))
        learnt = np.flatnonzero(np.isnan(self.constant))
        with threadpool_limits(1):
            if len(self.models) == len(learnt):
                for label, model in zip(learnt.tolist(), self.models, strict=True):
                    scores[:, label] = _scores(model, columns, 1)[:, 0]
            else:
                scores[:, learnt] = _scores(self.models[0], columns, len(learnt))
        if not np.isfinite(scores).all():
            raise UserError(
                f"model.estimator {self.spec.estimator}: gives scores that are not finite; take other "
                "parameters, or another estimator"
            )
        return scores

    def save(self, folder: Path) -> None:
        """Write what was declared to ``folder``: the classifiers themselves are not stored."""
        declared = {"estimator": self.spec.estimator, "parameters": self.spec.parameters}
        model_files.save(folder, {"kind": "sklearn", "labels": self.labels, **declared}, {})


def check(spec: SklearnSpec, data: Dataset) -> None:
    """Refuse parameters that the classifier does not have, and data that it cannot read.

    Raises:
        UserError: a parameter is unknown or has a value that is not allowed; the classifier gives no scores, takes no
            weights of rows, or reads no negative numbers.
    """
    estimator = _estimator(spec, 0)
    if not (hasattr(estimator, "predict_proba") or hasattr(estimator, "decision_function")):
        raise UserError(
            f"model.estimator {spec.estimator}: gives neither probabilities nor decision values; take another "
            "estimator, such as LogisticRegression"
        )
    if data.train.weights is not None and not _takes_weights(estimator):
        raise UserError(
            f"model.estimator {spec.estimator}: takes no weights of rows, and dataset.weight declares some; leave "
            "dataset.weight out of this trial, or take another estimator"
        )
    if _tags(estimator).input_tags.positive_only and data.numeric:
        raise UserError(
            f"model.estimator {spec.estimator}: reads no negative numbers, but standardised numbers are negative; "
            "leave numeric columns out of this trial's data"
        )


def fit(spec: SklearnSpec, data: Dataset, seed: int) -> SklearnModel:
    """Fit one classifier for all labels if the class can have several and all cells are known, else one for each.

    Each is fitted on the known rows of its label. A label that is constant there gets a constant score, 0 or 1.

    Raises:
        UserError: see :func:`check` and ``linear.Features.fit``; or a dense matrix would not fit into memory.
    """
    features, learnt = Features.fit(spec, data), data.train.not_constant
    y = data.train.y.astype(np.int64)  # RidgeClassifier writes -1 into it
    columns = _columns(features, data.train, dense=_needs_dense(spec))
    samples: list[tuple[Integers | slice, Any]]  # rows and columns of the labels
    if data.train.known is None and len(learnt) > 1 and _tags(_estimator(spec, seed)).classifier_tags.multi_label:
        samples = [(slice(None), learnt)]
    else:
        samples = [(data.train.rows_of(label), label) for label in learnt.tolist()]
    weights = of_both(None, data.train.weights)
    with threadpool_limits(1), warnings.catch_warnings(record=True) as caught:  # as many threads, the same bits
        warnings.simplefilter("always")
        models = tuple(
            _estimator(spec, seed).fit(
                columns if isinstance(rows, slice) else columns[rows],
                y[rows][:, label],
                **({} if weights is None else {"sample_weight": weights[rows]}),
            )
            for rows, label in samples
        )
    notes = [DECISIONS.format(estimator=spec.estimator)] if not hasattr(_estimator(spec, seed), "predict_proba") else []
    notes += [
        f"{spec.estimator}: {line}" for line in dict.fromkeys(str(one.message).partition("\n")[0] for one in caught)
    ][:1]
    constant = np.asarray(y.any(axis=0), dtype=np.float64)
    constant[learnt] = np.nan
    return SklearnModel(data.labels, spec, features, constant, models, notes=tuple(notes))


@lru_cache(maxsize=1)
def classifiers() -> dict[str, type[Any]]:
    """Return scikit-learn's classifiers by name; the first call imports all of scikit-learn, in a second."""
    from sklearn.utils import all_estimators

    return dict(all_estimators(type_filter="classifier"))


def _estimator(spec: SklearnSpec, seed: int) -> Any:
    """Return a classifier that is not fitted, its parameters checked.

    Raises:
        UserError: the installed scikit-learn has no such class, the class no such parameter, or a value is not allowed.
    """
    if spec.estimator not in classifiers():
        raise UserError(
            f"model.estimator: the installed scikit-learn has no {spec.estimator}; take another estimator, or upgrade "
            "scikit-learn"
        )
    estimator = classifiers()[spec.estimator]()
    known = list(estimator.get_params(deep=False))
    for name in spec.parameters:
        if name not in known:
            hint = nearest(name, known) or f"; allowed: {', '.join(one for one in known if one != 'random_state')}"
            raise UserError(f"model.parameters.{name}: {spec.estimator} has no such parameter{hint}")
    seeded = {"random_state": seed} if "random_state" in known else {}
    estimator.set_params(**spec.parameters, **seeded)
    try:
        estimator._validate_params()  # scikit-learn calls it first in fit; no public function does it without fitting
    except ValueError as error:
        raise UserError(f"model.parameters: {first_line(error)}") from error
    return estimator


def _takes_weights(estimator: Any) -> bool:
    from sklearn.utils.validation import has_fit_parameter

    return bool(has_fit_parameter(estimator, "sample_weight"))


def _tags(estimator: Any) -> Any:
    from sklearn.utils import get_tags

    return get_tags(estimator)


def _needs_dense(spec: SklearnSpec) -> bool:
    return not _tags(_estimator(spec, 0)).input_tags.sparse


def _columns(features: Features, part: Part, *, dense: bool) -> Any:
    """Return the columns of a part, (n, n_columns), sparse or dense."""
    columns = features.of(part)
    if not dense:
        return columns
    cells = columns.shape[0] * columns.shape[1]
    if cells > MOST_CELLS:
        raise UserError(
            f"model.kind 'sklearn': this estimator reads no sparse matrix, and a dense one of {columns.shape[0]:,} "
            f"rows and {columns.shape[1]:,} columns would take {cells * 8 / 1e9:.0f} GB; raise model.min_rows, or use "
            "an estimator that reads sparse ones, such as LogisticRegression or RandomForestClassifier"
        )
    return columns.toarray()


def _scores(model: Any, columns: Any, n_labels: int) -> Floats:
    """Return the scores of a fitted classifier, (n, n_labels): probabilities of 1, or squashed decision values."""
    if not hasattr(model, "predict_proba"):
        return np.asarray(expit(np.asarray(model.decision_function(columns), np.float64).reshape(-1, n_labels)))
    found = model.predict_proba(columns)
    if isinstance(found, list):  # of each label the probabilities of 0 and 1
        return np.column_stack([of_label[:, 1] for of_label in found]).astype(np.float64)
    probabilities = np.asarray(found, np.float64)
    return probabilities[:, [1]] if n_labels == 1 and probabilities.shape[1] == 2 else probabilities
