"""Gradient-boosted trees on the numbers and categories of a row. scikit-learn fits them, plain arrays hold them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import expit
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # comes with scikit-learn

from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.fitted import OneHot
from rarelabels.data.tokens import Tokens, offsets
from rarelabels.declare.models import GradientBoostingSpec
from rarelabels.errors import UserError
from rarelabels.judging.arrays import Floats
from rarelabels.learn import model_files
from rarelabels.learn.baselines.fitted_baseline import FittedBaseline
from rarelabels.learn.row_weights import of_both

PATIENCE = 10  # a label gets no more trees after so many that do not lower the validation log loss; as scikit-learn
MOST_VALUES = 255  # of a category: scikit-learn has a bit for each, and one bin for what is missing
ROWS_AT_ONCE = 4096  # limits the memory for scoring, which takes a matrix of rows and trees


class LeftOutError(Exception):
    """A run would take longer than its declaration allows. The message says how long."""


@dataclass(frozen=True, eq=False)
class Trees:
    """The trees of all labels, node after node.

    At a node, a row goes left if its number is at most the threshold; at a node that compares a category, if the bit
    of its value's code is set. A row whose number is missing, or whose value the training part does not have, goes left
    if ``missing_left`` is True.

    Attributes:
        feature: (n_nodes,) int32, the column whose number a node compares.
        threshold: (n_nodes,).
        missing_left: (n_nodes,) bool.
        left, right: (n_nodes,) int32, the nodes below, counted from the first node of the tree; for a leaf, itself.
        value: (n_nodes,) what a leaf adds to the logit.
        roots: (n_trees,) int64, the first node of each tree.
        of_label: (n_labels + 1,) int64; label l has the trees ``of_label[l]`` up to ``of_label[l + 1]``.
        prior: (n_labels,) the logit before any tree; infinite for a label that is constant in the training part.
        values: (n_nodes,) int32, the row of ``bits`` by which a node compares a category, -1 for a number; None for
            data without categories.
        bits: (n_rows, 8) uint32, the bits of 256 codes, the lowest first; None for data without categories.
    """

    feature: npt.NDArray[np.int32]
    threshold: Floats
    missing_left: npt.NDArray[np.bool_]
    left: npt.NDArray[np.int32]
    right: npt.NDArray[np.int32]
    value: Floats
    roots: npt.NDArray[np.int64]
    of_label: npt.NDArray[np.int64]
    prior: Floats
    values: npt.NDArray[np.int32] | None = None
    bits: npt.NDArray[np.uint32] | None = None

    @classmethod
    def of(cls, models: list[Any | None], prior: Floats, *, categories: bool = False) -> Trees:
        """Take the trees out of fitted classifiers of scikit-learn. It has no public interface for that.

        Args:
            models: one per label; None for a label that is constant.
            prior: logits before any tree, (n_labels,), used for the constant labels; a model has its own prior.
            categories: whether the models read categories.
        """
        trees = [[step[0].nodes for step in model._predictors] if model else [] for model in models]
        flat = [nodes for of_label in trees for nodes in of_label]
        sizes = np.array([len(nodes) for nodes in flat], np.int64)
        nodes = np.concatenate(flat) if flat else np.empty(0, _NODE)
        itself = np.arange(len(nodes)) - np.repeat(offsets(sizes)[:-1], sizes)
        is_leaf = nodes["is_leaf"].astype(bool)
        priors = [model._baseline_prediction.item() if model else 0.0 for model in models]
        return cls(
            feature=nodes["feature_idx"].astype(np.int32),
            threshold=nodes["num_threshold"].astype(np.float64),
            missing_left=nodes["missing_go_to_left"].astype(bool),
            left=np.where(is_leaf, itself, nodes["left"]).astype(np.int32),
            right=np.where(is_leaf, itself, nodes["right"]).astype(np.int32),
            value=nodes["value"].astype(np.float64),
            roots=offsets(sizes)[:-1],
            of_label=offsets(np.array([len(of_label) for of_label in trees], np.int64)),
            prior=np.where([model is None for model in models], prior, priors),
            **(_bits(models, nodes, sizes) if categories else {}),
        )

    def logits(self, x: Floats) -> Floats:
        """Return the logits, (n, n_labels), for numbers (n, k). The trees are added up in scikit-learn's order."""
        logits = np.tile(self.prior, (len(x), 1))
        for label, (first, last) in enumerate(zip(self.of_label[:-1], self.of_label[1:], strict=True)):
            for start in range(0, len(x), ROWS_AT_ONCE):
                rows = slice(start, start + ROWS_AT_ONCE)
                for values in self._values(self.roots[first:last], x[rows]):
                    logits[rows, label] += values
        return logits

    def _values(self, roots: npt.NDArray[np.int64], x: Floats) -> Floats:
        """Return what each tree adds for each row, (n_trees, n)."""
        nodes = np.tile(roots[:, None], (1, len(x)))
        columns = np.arange(len(x))
        while True:
            numbers = x[columns, self.feature[nodes]]
            is_left = numbers <= self.threshold[nodes]
            if self.values is not None and self.bits is not None:
                at = self.values[nodes]
                is_left[at >= 0] = _has_bit(self.bits[at[at >= 0]], numbers[at >= 0])
            goes_left = np.where(np.isnan(numbers), self.missing_left[nodes], is_left)
            below = roots[:, None] + np.where(goes_left, self.left[nodes], self.right[nodes])
            if np.array_equal(below, nodes):
                return np.asarray(self.value[nodes])
            nodes = below


def _bits(models: list[Any | None], nodes: npt.NDArray[Any], sizes: npt.NDArray[np.int64]) -> dict[str, Any]:
    bits = [step[0].raw_left_cat_bitsets for model in models if model for step in model._predictors]
    counts = np.array([len(of_tree) for of_tree in bits], np.int64)
    firsts = np.repeat(offsets(counts)[:-1], sizes)
    is_category = nodes["is_categorical"].astype(bool) & ~nodes["is_leaf"].astype(bool)
    values = np.where(is_category, nodes["bitset_idx"].astype(np.int64) + firsts, -1).astype(np.int32)
    return {"values": values, "bits": np.concatenate([np.empty((0, 8), np.uint32), *bits]).astype(np.uint32)}


def _has_bit(bits: npt.NDArray[np.uint32], codes: Floats) -> npt.NDArray[np.bool_]:
    """Return whether the bit of each code is set, (n,); codes that are NaN give an answer that means nothing."""
    known = np.nan_to_num(codes).astype(np.int64)
    words = bits[np.arange(len(known)), known >> 5]
    return np.asarray((words >> (known & 31).astype(np.uint32)) & 1 == 1)


_NODE = [("feature_idx", "<i8"), ("num_threshold", "<f8"), ("missing_go_to_left", "u1"), ("left", "<u4")]
_NODE += [("right", "<u4"), ("value", "<f8"), ("is_leaf", "u1"), ("is_categorical", "u1"), ("bitset_idx", "<u4")]


@dataclass(frozen=True, eq=False)
class Boosted(FittedBaseline):
    """Boosted trees of each label.

    The fact ``iterations`` is the mean number of trees of a label, over the labels that are not constant in the
    training part.

    Attributes:
        trees: of all labels.
        one_hot: the values of categories, whose codes are the first columns that the trees compare.
    """

    trees: Trees
    one_hot: OneHot = field(default_factory=OneHot)

    @property
    def iterations(self) -> npt.NDArray[np.int64]:
        """The number of trees of each label, (n_labels,)."""
        return np.diff(self.trees.of_label)

    def scores(self, part: Part) -> Floats:
        """Return probabilities, (n, n_labels)."""
        return np.asarray(expit(self.trees.logits(_columns(part, self.one_hot))))

    def save(self, folder: Path) -> None:
        """Write the model to ``folder``, which is made if it does not exist."""
        preprocessing = {"kind": "gradient_boosting", "labels": self.labels, "facts": self.facts}
        preprocessing |= {"categories": self.one_hot.to_json()} if self.one_hot.values else {}
        arrays = {name: array for name, array in vars(self.trees).items() if array is not None}
        model_files.save(folder, preprocessing, arrays)

    @classmethod
    def from_files(cls, stored: dict[str, Any], weights: model_files.Arrays) -> Boosted:
        """Return the model that :meth:`save` wrote."""
        one_hot = OneHot.from_json(stored["categories"]) if "categories" in stored else OneHot()
        return cls(tuple(stored["labels"]), Trees(**weights), one_hot, facts=stored["facts"])


def check_categories(categories: Mapping[str, Tokens]) -> None:
    """Refuse a category with more values than scikit-learn's trees read.

    Args:
        categories: of the training part.

    Raises:
        UserError: a column has more than 255 different values.
    """
    for name, rows in categories.items():
        if (different := len(np.unique(rows.ids))) > MOST_VALUES:
            raise UserError(
                f"dataset.categories: column {name!r} has {different:,} different values in the training part, and "
                f"model.kind 'gradient_boosting' reads at most {MOST_VALUES}; leave it out of this trial's data, or "
                "declare it under dataset.text or dataset.lists and use linear"
            )


def _columns(part: Part, one_hot: OneHot) -> Floats:
    """Return the columns that trees compare, (n, n_categories + k): codes, NaN if unknown, and numbers."""
    if not one_hot.values:
        return part.numeric
    codes = one_hot.codes(part.categories).astype(np.float64)
    return np.hstack([np.where(codes < 0, np.nan, codes), part.numeric])


def _with_codes(data: Dataset) -> tuple[Dataset, OneHot]:
    """Return the data with codes of categories among their numbers, and the values that have these codes."""
    check_categories(data.train.categories)
    one_hot = OneHot.fit(data.train.categories)
    if not one_hot.values:
        return data, one_hot
    train, validation = (replace(part, numeric=_columns(part, one_hot)) for part in (data.train, data.validation))
    return replace(data, train=train, validation=validation), one_hot


def fit(
    spec: GradientBoostingSpec, data: Dataset, seed: int, iterations: npt.NDArray[np.int64] | None = None
) -> Boosted:
    """Fit one classifier per label on the training part, with early stopping on the validation part.

    scikit-learn would hold out a share of the training part for early stopping. That share would have no positive of
    many rare labels. A label that is constant in the training part gets a constant score, 0 or 1. Each label is fitted
    on its known rows; one that is known in no validation row gets all trees.

    Args:
        spec: the declared model.
        data: with numbers or categories.
        seed: used only with more than 200,000 rows; scikit-learn then draws the rows by which it bins the numbers.
        iterations: how many trees each label gets, (n_labels,), at least 1; None stops early on the validation part.

    Raises:
        UserError: a category has too many values, see :func:`check_categories`.
    """
    y = data.train.y
    data, one_hot = _with_codes(data)
    models: list[Any | None] = [None] * y.shape[1]
    for label in data.train.not_constant.tolist():
        most = None if iterations is None else int(iterations[label])
        models[label] = _fit_label(spec, data, label, seed, most, len(one_hot.values))
    trees = Trees.of(models, np.where(y.any(axis=0), np.inf, -np.inf), categories=bool(one_hot.values))
    trained = np.diff(trees.of_label)[np.isfinite(trees.prior)]
    facts = {"iterations": float(trained.mean())} if len(trained) else {}
    full = int((trained == spec.max_iter).sum()) if iterations is None else 0
    note = f"{full} of {len(trained)} labels used all {spec.max_iter} trees of model.max_iter: more may do better."
    return Boosted(data.labels, trees, one_hot, facts=facts, notes=(note,) if full else ())


def check_time(spec: GradientBoostingSpec, data: Dataset, seed: int, trainings: int) -> None:
    """Refuse a run that would take too long, by timing the fit of one label.

    The label is the one of middle frequency among those that are not constant in the training part.

    Args:
        spec: declares how long a run may take.
        data: with numbers.
        seed: of the run.
        trainings: how often all labels are trained in a run.

    Raises:
        LeftOutError: all labels would take longer than declared.
    """
    import sklearn.ensemble  # noqa: F401  imported here, because the import takes a second that must not be timed

    positives, labels = data.train.y.sum(axis=0, dtype=np.int64), data.train.not_constant
    if not len(labels):
        return
    middle = int(labels[np.argsort(positives[labels], kind="stable")][len(labels) // 2])
    data, one_hot = _with_codes(data)
    begin = time.perf_counter()
    _fit_label(spec, data, middle, seed, None, len(one_hot.values))
    seconds = time.perf_counter() - begin
    whole = seconds * len(labels) * trainings
    if whole <= spec.most_seconds:
        return
    times = f" in {trainings} trainings" if trainings > 1 else ""
    raise LeftOutError(
        f"one label took {_duration(seconds)}, {len(labels)} labels{times} would take {_duration(whole)}, "
        f"more than the declared {_duration(spec.most_seconds)} (model.most_seconds)"
    )


def _fit_label(
    spec: GradientBoostingSpec, data: Dataset, label: int, seed: int, iterations: int | None, n_categories: int
) -> Any:
    """Fit the classifier of one label; the first columns of the numbers are codes of categories."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    train, held_out = data.train.rows_of(label), data.validation.rows_of(label)
    y, x, y_val, x_val = (
        data.train.y[train, label],
        data.train.numeric[train],
        data.validation.y[held_out, label],
        data.validation.numeric[held_out],
    )
    stops_early = iterations is None and len(y_val) > 0
    weights = of_both(None, data.train.weights)
    model = HistGradientBoostingClassifier(
        learning_rate=spec.learning_rate,
        max_iter=iterations or spec.max_iter,
        max_leaf_nodes=spec.max_leaf_nodes,
        l2_regularization=spec.l2,
        early_stopping=stops_early,
        n_iter_no_change=PATIENCE,
        categorical_features=list(range(n_categories)) or None,
        random_state=seed,
    )
    validation = {"X_val": x_val, "y_val": y_val} if stops_early else {}
    known = np.where(np.isnan(x).all(axis=0), 0.0, x)  # scikit-learn cannot bin a column that is missing everywhere
    with threadpool_limits(1):  # without a user_api, so that it limits the OpenMP threads of boosting too
        return model.fit(known, y, None if weights is None else weights[train], **validation)


def _duration(seconds: float) -> str:
    return f"{seconds:.2g} s" if seconds < 60 else f"{seconds / 60:,.1f}".removesuffix(".0") + " min"
