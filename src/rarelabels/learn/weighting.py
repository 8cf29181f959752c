"""How much positives, labels and rows count in a loss, from the labels of the training part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

import numpy as np
import numpy.typing as npt

from rarelabels.declare.weighting import (
    ClassBalanced,
    ClassWeight,
    FreePosWeight,
    LabelWeights,
    NoWeighting,
    PosWeight,
    SampleWeights,
    WeightingSpec,
)
from rarelabels.errors import UserError

Labels = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]

FEW = 0.1  # share of the rows; where the weights leave fewer in effect, that is worth a warning
TRAINED = np.finfo(np.float32)  # the precision in which weights meet the loss


@dataclass(frozen=True, eq=False)
class Weights:
    """What a loss and ``fit`` need to know about the training labels.

    Attributes:
        prevalence: (n_labels,) float64, share of positives, strictly between 0 and 1.
        positive: (n_labels,) float64, the factor on the positive term of each label; None if positives count once.
        negative: (n_labels,) float64, the factor on the negative term of each label; None if negatives count once.
        rows: (n,) float64, the factor on the loss of each row; None if rows count once.
        facts: numbers about the rows' weights, to be recorded as metrics.
        notes: sentences about the weights, to be read beside the result.
    """

    prevalence: Array
    positive: Array | None = None
    negative: Array | None = None
    rows: Array | None = None
    facts: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class ClassFactors:
    """The factors of a label's 0s and 1s, each (n_labels,) float64."""

    negative: Array
    positive: Array


def weights(spec: WeightingSpec, y_train: Labels, labels: Sequence[str] = ()) -> Weights:
    """Return the weights that ``spec`` declares for the multi-hot labels of the training part, shape (n, n_labels).

    Args:
        spec: the declared block.
        y_train: 0/1, shape (n, n_labels).
        labels: names of the columns, for weights that are declared by name.

    Raises:
        UserError: all row weights are 0, or one is infinite, in the precision that trains; or a weight is declared for
            a column or a label that the data do not have.
    """
    shares = prevalence(y_train)
    match spec:
        case NoWeighting():
            return Weights(shares)
        case PosWeight():
            return Weights(shares, positive=pos_weight(y_train, spec))
        case FreePosWeight():
            return Weights(shares, positive=free_pos_weight(spec, labels))
        case ClassBalanced():
            return Weights(shares, positive=class_balanced(y_train, spec.beta))
        case LabelWeights(form="pair"):
            pair = balanced(y_train)
            return Weights(shares, positive=pair.positive, negative=pair.negative)
        case LabelWeights():
            factor = inverse_frequency(y_train)
            return Weights(shares, positive=factor, negative=factor)
        case SampleWeights():
            rows = sample_weights_product(y_train) if spec.form == "product" else sample_weights_mean(y_train)
            notes = [product_note(rows, y_train.shape[1])] if spec.form == "product" else []
        case ClassWeight():
            table = class_weight_table(spec, y_train)
            rows = table[y_train.argmax(axis=1)]
            notes = class_weight_notes(spec, rows, y_train)
        case _:
            assert_never(spec)
    facts = row_facts(rows)
    if facts["effective_sample_share"] < FEW:
        notes.append(
            f"Few rows decide: the weights leave an effective sample size (Σw)²/Σw² of "
            f"{facts['effective_sample_size']:,.1f} of {len(rows):,} rows ({facts['effective_sample_share']:.1%})."
        )
    return Weights(shares, rows=rows, facts=facts, notes=tuple(notes))


def prevalence(y: Labels) -> Array:
    """Return the share of positives of each label, (n_labels,) float64, with finite log odds.

    A label without positives counts as having one, a label without negatives as having one of those.
    """
    n = len(y)
    positives = np.clip(y.sum(axis=0, dtype=np.int64), min(1, n / 2), max(n - 1, n / 2))
    return np.asarray(positives / n, dtype=np.float64)


# Factors of labels


def pos_weight(y: Labels, spec: PosWeight) -> Array:
    """Return scale * (negatives / positives) ** strength of each label, at most ``spec.cap``.

    One positive in five rows weighs 4 at strength 1, and 2 at strength 0.5: the square root halves the pull in logits.
    A label without positives counts as having one, so that its weight stays finite; it has no positive to apply it to.
    A label without negatives has weight 0 (unless strength is 0): it is constant, and nothing needs to be told apart.

    Args:
        y: 0/1, shape (n, n_labels).
        spec: strength, scale and cap.

    Returns:
        (n_labels,) float64.
    """
    positives = positives_at_least_one(y)
    ratio = (len(y) - positives) / positives
    weight = spec.scale * ratio**spec.strength
    return np.asarray(np.minimum(weight, np.inf if spec.cap is None else spec.cap), dtype=np.float64)


def free_pos_weight(spec: FreePosWeight, labels: Sequence[str]) -> Array:
    """Return the declared factor of each label, (n_labels,) float64; 1 where none is declared.

    Raises:
        UserError: a weight is declared for a label that the data do not have.
    """
    if unknown := [name for name in spec.weights if name not in labels]:
        raise UserError(
            f"weighting.weights: the data have no label {', '.join(map(repr, unknown))}; there are: {', '.join(labels)}"
        )
    return np.array([spec.weights.get(label, 1.0) for label in labels], dtype=np.float64)


def class_balanced(y: Labels, beta: float) -> Array:
    """Return (1 − β) / (1 − β^positives) of each label, scaled to mean 1: the inverse of its effective number of rows.

    The factors go from 1 for β → 0 to inverse frequency for β → 1. Labels with 1 and 3 positives have, at β = 0.5,
    1 and 4/7, scaled 14/11 and 8/11. A label without positives counts as having one.

    Source: Cui et al. (2019), "Class-balanced loss based on effective number of samples".
    """
    # 1 − β^n by expm1, for β^n is 1 to the last digits when β is
    factor = (1 - beta) / -np.expm1(positives_at_least_one(y) * np.log(beta))
    return np.asarray(factor / factor.mean(), dtype=np.float64)


def inverse_frequency(y: Labels) -> Array:
    """Return 1 / positives of each label, scaled to mean 1. A label without positives counts as having one.

    Labels with 1 and 3 positives weigh 1.5 and 0.5.
    """
    factor = 1 / positives_at_least_one(y)
    return np.asarray(factor / factor.mean(), dtype=np.float64)


def balanced(y: Labels) -> ClassFactors:
    """Return n / (2 * rows of that class) for the 0s and for the 1s of each label, as scikit-learn balances one column.

    Two positives in ten rows weigh 2.5 each and the negatives 0.625: both classes then weigh 5, and a row 1 on average.
    A constant label weighs 1, as in scikit-learn: there is nothing to balance. So does the class it lacks, which may
    occur in the validation part.
    """
    n = len(y)
    positives = y.sum(axis=0, dtype=np.int64)
    negatives = n - positives
    constant = (positives == 0) | (negatives == 0)
    return ClassFactors(
        negative=np.where(constant, 1.0, n / (2 * np.maximum(negatives, 1))),
        positive=np.where(constant, 1.0, n / (2 * np.maximum(positives, 1))),
    )


def positives_at_least_one(y: Labels) -> npt.NDArray[np.int64]:
    """Return how many rows have each label, (n_labels,), and 1 for a label that none has."""
    return np.asarray(np.maximum(y.sum(axis=0, dtype=np.int64), 1))


# Factors of rows


def sample_weights_product(y: Labels) -> Array:
    """Return what scikit-learn's ``compute_sample_weight("balanced", y)`` gives: the product over a row's labels.

    Each column contributes the ``balanced`` weight of the 0 or 1 that the row has there. With a rare label in 10 of
    1,000 rows and a common one in 500, a row with both weighs 50 · 1, a row with neither 0.505 · 1. Nothing is scaled:
    this is what the movie thread trained with.

    Returns:
        (n,) float64, 0 where the product is smaller than float64 holds.
    """
    factors = balanced(y)
    if_zero, if_one = np.log(factors.negative), np.log(factors.positive)
    with np.errstate(over="ignore"):  # row_facts refuses what is infinite
        return np.asarray(np.exp(if_zero.sum() + y @ (if_one - if_zero)), dtype=np.float64)


def sample_weights_mean(y: Labels) -> Array:
    """Return the mean, over a row's labels, of the ``balanced`` weight of the 0 or 1 that the row has there.

    With a rare label in 10 of 1,000 rows and a common one in 500, a row with both weighs (50 + 1) / 2. Every column has
    mean 1 over the rows, so these weights have too, and leave the scale of the loss alone.

    Returns:
        (n,) float64.
    """
    factors = balanced(y)
    total = factors.negative.sum() + y @ (factors.positive - factors.negative)
    return np.asarray(total / y.shape[1], dtype=np.float64)


def class_weight_table(spec: ClassWeight, y: Labels) -> Array:
    """Return the weight of each column, (n_labels,) float64: the declared one, else 1.0, as Keras has it.

    ``balanced`` is n / (2 * positives); a label without positives counts as having one.

    Raises:
        UserError: a weight is declared for a column that the labels do not have.
    """
    n, n_labels = y.shape
    if spec.weights is None:
        return np.asarray(n / (2 * positives_at_least_one(y)), dtype=np.float64)
    table = np.ones(n_labels)
    for key, weight in spec.weights.items():
        if int(key) >= n_labels:
            raise UserError(
                f"weighting.weights: column {key} does not exist: {n_labels} labels are columns 0 to {n_labels - 1}"
            )
        table[int(key)] = weight
    return table


def row_facts(rows: Array) -> dict[str, float]:
    """Return numbers about row weights, which must not all be 0, nor any infinite, in the precision that trains.

    - ``effective_sample_size``: (Σw)²/Σw², between 1 and n: so many equally weighted rows vary as much (Kish 1965).
      Weights 3, 1, 1, 1 leave 36/12 = 3 of 4 rows; ``effective_sample_share`` is then 0.75.
    - ``weight_ratio``: the largest weight over the smallest that is not 0.
    - ``mean_row_weight``: Keras divides the weighted losses by the number of rows, so this scales the loss.

    Raises:
        UserError: see above.
    """
    largest = rows.max()
    if not TRAINED.tiny <= largest <= TRAINED.max:
        raise UserError(
            f"weighting: the largest row weight is {largest:.2g}, too {'small' if largest < 1 else 'large'} for "
            "float32: nothing could be learned; use weighting.form mean for sample_weights, or weighting.kind "
            "pos_weight with loss.kind weighted_bce"
        )
    scaled = rows / largest
    size = float(scaled.sum() ** 2 / (scaled**2).sum())
    return {
        "effective_sample_size": size,
        "effective_sample_share": size / len(rows),
        "weight_ratio": float(largest / rows[rows >= TRAINED.tiny].min()),
        "mean_row_weight": float(rows.mean()),
    }


# What the rows' weights are, in words


def product_note(rows: Array, n_labels: int) -> str:
    """Say how far the products spread and what their scale does."""
    vanish = int((rows < TRAINED.tiny).sum())
    return (
        f"scikit-learn's compute_sample_weight multiplies the balanced weights of all {n_labels} labels: rows weigh "
        f"from {rows.min():.3g} to {rows.max():.3g}, {rows.mean():.3g} on average"
        + (f", and {vanish:,} of {len(rows):,} rows weigh 0 in float32" if vanish else "")
        + ". Keras divides the weighted losses by the number of rows, so that the scale acts like a learning rate."
    )


def class_weight_notes(spec: ClassWeight, rows: Array, y: Labels) -> list[str]:
    """Say in numbers what Keras made of class weights."""
    n, n_labels = y.shape
    labels_of_row = y.sum(axis=1, dtype=np.int64)
    several, empty = int((labels_of_row > 1).sum()), int((labels_of_row == 0).sum())
    notes = [
        "Keras's class_weight takes the argmax of each row for its class: "
        f"{several:,} of {n:,} rows ({several / n:.1%}) have more than one label and count by the first alone; "
        f"{empty:,} rows without labels count as column 0.",
        f"{int((rows != 1).sum()):,} of {n:,} rows weigh other than 1.0.",
    ]
    if spec.weights is not None:
        missing = [column for column in range(n_labels) if str(column) not in spec.weights]
        if missing:
            notes.append(f"Without a key, and so counting 1.0: {spans(missing)}.")
    return notes


def spans(columns: list[int]) -> str:
    """Return ascending column numbers as ``columns 0, 2 to 16``."""
    runs = np.split(np.array(columns), np.flatnonzero(np.diff(columns) > 1) + 1)
    named = [str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs]
    return f"column{'s' if len(columns) > 1 else ''} {', '.join(named)}"
