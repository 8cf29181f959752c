"""One logistic regression per label, on the TF-IDF of all text fields, standardised numbers and categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import scipy as sp
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.fitted import OneHot, Scaler, Vocabulary
from rarelabels.data.tokens import Tokens
from rarelabels.declare.models import LinearSpec
from rarelabels.errors import UserError
from rarelabels.judging.arrays import Floats
from rarelabels.judging.metrics import macro_average_precision
from rarelabels.learn import model_files
from rarelabels.learn.baselines.fitted_baseline import FittedBaseline
from rarelabels.learn.row_weights import of_both

MOST_JUDGED = 50  # at most so many labels choose a C: with hundreds of labels, each C of a grid would take minutes

Sparse: TypeAlias = "sp.sparse.csr_array[np.float64, tuple[int, int]]"


@dataclass(frozen=True, eq=False)
class Features:
    """Rows of a data set -> the columns that the regressions read.

    The token counts of all fields stand side by side. They are weighted by idf and by the field's factor, and then each
    row is scaled to L2 norm 1 *as a whole*. On the films' validation part (seeds 0 and 1, c = 5) that gives a macro
    average precision of 0.436 and 0.451. If each field is scaled separately, it is 0.427 and 0.430. The order is the
    same for every c from 2 to 40.

    Attributes:
        vocabularies: field name to its vocabulary; the columns have the order of the fields.
        scaler: of the numbers, whose columns come after those of the tokens.
        pairs: the fields in which pairs of neighbouring tokens are counted too.
        field_weights: field name to its factor; a field without an entry has factor 1.
        numeric_weight: factor on the standardised numbers and on categories.
        one_hot: the values of categories, whose columns come last.
    """

    vocabularies: dict[str, Vocabulary]
    scaler: Scaler
    pairs: tuple[str, ...] = ()
    field_weights: Mapping[str, float] = field(default_factory=dict)
    numeric_weight: float = 1.0
    one_hot: OneHot = field(default_factory=OneHot)

    @classmethod
    def fit(cls, spec: LinearSpec, data: Dataset) -> Features:
        """Take vocabularies, means and spreads from the training part.

        Raises:
            UserError: no token is left, and there are no numbers; or a column of numbers has none.
        """
        pairs = data.prose if spec.ngrams == 2 else ()
        vocabularies = {
            name: Vocabulary.fit(tokens, min_rows=spec.min_rows, max_tokens=None)
            for name, tokens in _with_pairs(data.train.text, pairs).items()
        }
        numeric, one_hot = data.train.numeric, OneHot.fit(data.train.categories).times(spec.numeric_weight)
        if not (numeric.shape[1] or one_hot.values or any(vocabulary.tokens for vocabulary in vocabularies.values())):
            rows = len(data.train.y)
            raise UserError(f"model.min_rows: no token occurs in {spec.min_rows} of the {rows} training rows; lower it")
        scaler = Scaler.fit(numeric, data.numeric, may_miss=data.misses_numbers)
        return cls(vocabularies, scaler, pairs, spec.field_weights, spec.numeric_weight, one_hot)

    def of(self, part: Part) -> Sparse:
        """Return (n, n_tokens + n_numeric + n_values) float64."""
        numbers = self.numeric_weight * self.scaler.transform(part.numeric).astype(np.float64)
        columns: Sparse = sp.sparse.csr_array(numbers)
        if self.vocabularies:
            text = tfidf(self.vocabularies, _with_pairs(part.text, self.pairs), self.field_weights)
            columns = sp.sparse.hstack([text, columns], format="csr")
        if self.one_hot.values:
            columns = sp.sparse.hstack([columns, self.one_hot.transform(part.categories)], format="csr")
        return columns

    def to_json(self) -> dict[str, Any]:
        """Return plain lists; floats survive JSON exactly."""
        categories = {"categories": self.one_hot.to_json()} if self.one_hot.values else {}
        return {
            "fields": {name: vocabulary.to_json() for name, vocabulary in self.vocabularies.items()},
            "scaler": self.scaler.to_json(),
            "pairs": self.pairs,
            "field_weights": dict(self.field_weights),
            "numeric_weight": self.numeric_weight,
            **categories,
        }

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Features:
        """Return the features that :meth:`to_json` stored. Version 0.4.2 stored only fields and scaler."""
        return cls(
            {name: Vocabulary.from_json(vocabulary) for name, vocabulary in stored["fields"].items()},
            Scaler.from_json(stored["scaler"]),
            tuple(stored.get("pairs", ())),
            stored.get("field_weights", {}),
            stored.get("numeric_weight", 1.0),
            OneHot.from_json(stored["categories"]) if "categories" in stored else OneHot(),
        )


@dataclass(frozen=True, eq=False)
class Linear(FittedBaseline):
    """One logistic regression per label.

    Attributes:
        features: the columns that the regressions read.
        coefficients: (n_tokens + n_numeric + n_values, n_labels).
        intercepts: (n_labels,). Infinite for a label that is constant in the training part: its score is 0 or 1.
    """

    features: Features
    coefficients: Floats
    intercepts: Floats

    def scores(self, part: Part) -> Floats:
        """Return probabilities, (n, n_labels)."""
        return _scores(self.features.of(part), self.coefficients, self.intercepts)

    def save(self, folder: Path) -> None:
        """Write the model to ``folder``, which is made if it does not exist."""
        preprocessing = {"kind": "linear", "labels": self.labels, **self.features.to_json()}
        model_files.save(folder, preprocessing, {"coefficients": self.coefficients, "intercepts": self.intercepts})

    @classmethod
    def from_files(cls, stored: dict[str, Any], weights: model_files.Arrays) -> Linear:
        """Return the model that :meth:`save` wrote."""
        features = Features.from_json(stored)
        return cls(tuple(stored["labels"]), features, weights["coefficients"], weights["intercepts"])


def fit(spec: LinearSpec, data: Dataset, seed: int) -> Linear:
    """Fit the regressions on the training part; from a grid, choose the C that is best on the validation part.

    The best C has the highest macro average precision. All labels share one C, because a single rare label has too few
    positives for a choice. If there are more than 50 labels, 50 of them choose it; see :func:`judged`.

    Raises:
        UserError: no token is left, and there are no numbers.
    """
    features = Features.fit(spec, data)
    X, y, known, rows = features.of(data.train), data.train.y, data.train.known, of_both(None, data.train.weights)
    if not isinstance(spec.c, tuple):
        return Linear(data.labels, features, *_regressions(spec.c, X, y, known, seed, rows))
    validation, ranked, some = features.of(data.validation), dict[float, float](), judged(y)
    for c in sorted(spec.c):
        fitted = _regressions(c, X, y[:, some], None if known is None else known[:, some], seed, rows)
        ranked[c] = macro_average_precision(data.validation.y_or_nan[:, some], _scores(validation, *fitted))
        if best_c(ranked) == c:  # only the best is kept, because a fit has a number for every token and label
            kept = fitted
    if len(some) < y.shape[1]:
        kept = _regressions(best_c(ranked), X, y, known, seed, rows)
    facts, notes = of_chosen_c(best_c(ranked), spec.c)
    return Linear(data.labels, features, *kept, facts=facts, notes=notes)


def judged(y: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """Return the label columns of ``y``, (n, n_labels), by which a C is chosen: all, or 50 of more.

    The columns are evenly spread over the labels in the order of their frequency, from the rarest to the most common.
    """
    by_frequency = np.argsort(y.sum(axis=0, dtype=np.int64), kind="stable")
    places = np.linspace(0, len(by_frequency) - 1, min(MOST_JUDGED, len(by_frequency))).round().astype(np.int64)
    return np.sort(by_frequency[places])


def best_c(ranked: Mapping[float, float]) -> float:
    """Return the C with the best macro average precision; among equals the smallest C, whose model is simplest."""
    return max(sorted(ranked), key=ranked.__getitem__)


def of_chosen_c(c: float, grid: Sequence[float]) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the facts and notes of a C that was chosen from a grid."""
    ends = {min(grid): "smallest", max(grid): "largest"}
    note = f"C = {c:g} was chosen on validation, the {ends.get(c)} that model.c offers: one beyond it may be better."
    return {"c": c}, (note,) if c in ends else ()


def tfidf(
    vocabularies: Mapping[str, Vocabulary], text: Mapping[str, Tokens], weights: Mapping[str, float] | None = None
) -> Sparse:
    """Return the TF-IDF of several fields side by side, (n, n_tokens), each row of L2 norm 1 (0 without known tokens).

    Args:
        vocabularies: by field.
        text: by field.
        weights: field to a factor on its columns, before a row is scaled; a field without an entry has factor 1.

    Raises:
        KeyError: ``text`` lacks a field of ``vocabularies``.
    """
    from sklearn.preprocessing import normalize  # takes a second to import, and only the linear model needs it

    factors = weights or {}
    counts = sp.sparse.hstack(
        [vocabulary.counts(text[field]) for field, vocabulary in vocabularies.items()], format="csr"
    )
    idf = np.concatenate([factors.get(field, 1.0) * vocabulary.idf for field, vocabulary in vocabularies.items()])
    counts.data *= idf[counts.indices]
    return normalize(counts, copy=False)  # type: ignore[no-any-return]  # scikit-learn is untyped


def _with_pairs(text: Mapping[str, Tokens], pairs: Sequence[str]) -> dict[str, Tokens]:
    return {name: tokens.with_pairs() if name in pairs else tokens for name, tokens in text.items()}


def _scores(X: Sparse, coefficients: Floats, intercepts: Floats) -> Floats:
    return np.asarray(sp.special.expit(X @ coefficients + intercepts))


def _regressions(
    c: float,
    X: Sparse,
    y: npt.NDArray[np.uint8],
    known: npt.NDArray[np.bool_] | None,
    seed: int,
    weights: Floats | None,
) -> tuple[Floats, Floats]:
    """Return coefficients, (n_columns, n_labels), and intercepts, (n_labels,); each label is fitted on its known rows.

    A label that is known in no row counts as one that no row has. ``weights`` are of rows, (n,).
    """
    coefficients, intercepts = np.zeros((X.shape[1], y.shape[1])), np.zeros(y.shape[1])
    # More BLAS threads change the last bits, and on a busy machine cost ten times the time.
    with threadpool_limits(1, user_api="blas"):
        for label in range(y.shape[1]):
            rows = slice(None) if known is None else np.flatnonzero(known[:, label])
            of_rows = X if known is None else X[rows]
            weighed = None if weights is None else weights[rows]
            coefficients[:, label], intercepts[label] = _fit_label(c, of_rows, y[rows, label], seed, weighed)
    return coefficients, intercepts


def _fit_label(c: float, X: Sparse, y: npt.NDArray[np.uint8], seed: int, rows: Floats | None) -> tuple[Floats, float]:
    """Return coefficients and intercept of one label. For a constant label, they give a constant score, 0 or 1."""
    if not y.any() or y.all():
        return np.zeros(X.shape[1]), np.inf if y.any() else -np.inf
    # Of the deterministic solvers, liblinear (primal) is the fastest here: 1 s for 17 labels; lbfgs takes 2.4 s.
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=c, solver="liblinear", max_iter=1000, random_state=seed)
    model.fit(X, y, sample_weight=rows)
    return model.coef_[0], float(model.intercept_[0])
