"""Weights of rows, and sentences and facts about them."""

from __future__ import annotations

import numpy as np

from rarelabels.declare.weighting import ClassWeight
from rarelabels.errors import UserError
from rarelabels.judging.arrays import Floats
from rarelabels.learn.label_arrays import Known, Labels
from rarelabels.learn.label_weights import balanced, positives_at_least_one

TRAINED = np.finfo(np.float32)  # the precision in which weights multiply the loss


def sample_weights_product(y: Labels) -> Floats:
    """Return the weights of scikit-learn's ``compute_sample_weight("balanced", y)``: a product over the labels.

    Each label contributes a factor, the ``balanced`` weight of the row's 0 or 1. Example: a rare label is in 10 of
    1,000 rows, and a common label in 500. Then a row with both weighs 50 · 1, and a row with neither 0.505 · 1. The
    products are not scaled, because the movie thread trained with them as they are.

    Returns:
        (n,) float64; 0 where the product is too small for float64.
    """
    factors = balanced(y)
    if_zero, if_one = np.log(factors.negative), np.log(factors.positive)
    with np.errstate(over="ignore"):  # row_facts refuses infinite weights
        return np.asarray(np.exp(if_zero.sum() + y @ (if_one - if_zero)), dtype=np.float64)


def sample_weights_mean(y: Labels, known: Known = None) -> Floats:
    """Return the mean over labels of the ``balanced`` weight of the row's 0 or 1.

    Example: a rare label is in 10 of 1,000 rows, and a common label in 500. Then a row with both weighs (50 + 1) / 2.
    For each label, the mean over the rows is 1. So the mean of these weights is 1, and the scale of the loss stays.

    With ``known``, the mean is over the known labels of a row. A row without any weighs 1; it has nothing to weigh.

    Returns:
        (n,) float64.
    """
    factors = balanced(y, known)
    positive = y @ (factors.positive - factors.negative)
    if known is None:
        return np.asarray((factors.negative.sum() + positive) / y.shape[1], dtype=np.float64)
    count = known.sum(axis=1)
    mean = (known @ factors.negative + positive) / np.maximum(count, 1)
    return np.asarray(np.where(count == 0, 1.0, mean), dtype=np.float64)


def declared_weights(weights: Floats) -> Floats:
    """Return the weights that the data declare for the rows of the training part, scaled to a mean of 1.

    So the scale of the loss stays, and the strength of penalties beside it, whatever the unit of the weights is.

    >>> declared_weights(np.array([2.0, 6.0]))
    array([0.5, 1.5])

    Args:
        weights: (n,) above 0.
    """
    return np.asarray(weights / weights.mean(), dtype=np.float64)


def of_both(by_labels: Floats | None, declared: Floats | None) -> Floats | None:
    """Return the weight of each training row: that of its labels times the one that the data declare, scaled.

    Args:
        by_labels: (n,) from ``weighting``; None for none.
        declared: (n,) from ``dataset.weight``, not scaled; None for none.
    """
    if declared is None:
        return by_labels
    return declared_weights(declared) if by_labels is None else by_labels * declared_weights(declared)


def class_weight_table(spec: ClassWeight, y: Labels) -> Floats:
    """Return the weight of each column, (n_labels,) float64: the declared weight, else 1.0, as in Keras.

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


def row_facts(rows: Floats) -> dict[str, float]:
    """Return facts about row weights.

    - ``effective_sample_size``: (Σw)²/Σw², between 1 and n. A weighted mean of the rows varies as much as a plain mean
      of so many rows (Kish 1965). Weights 3, 1, 1, 1 leave 36/12 = 3 of 4 rows.
    - ``effective_sample_share``: that size as a share of the rows, here 0.75.
    - ``weight_ratio``: the largest weight divided by the smallest that is not 0.
    - ``mean_row_weight``: the scale of the loss, because Keras divides the weighted losses by the number of rows.

    Raises:
        UserError: all weights are 0, or a weight is infinite, in float32, in which networks train.
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


def product_note(rows: Floats, n_labels: int) -> str:
    """Return a sentence on the spread of the products and the effect of their scale."""
    vanish = int((rows < TRAINED.tiny).sum())
    return (
        f"scikit-learn's compute_sample_weight multiplies the balanced weights of all {n_labels} labels: rows weigh "
        f"from {rows.min():.3g} to {rows.max():.3g}, {rows.mean():.3g} on average"
        + (f", and {vanish:,} of {len(rows):,} rows weigh 0 in float32" if vanish else "")
        + ". Keras divides the weighted losses by the number of rows, so that the scale acts like a learning rate."
    )


def class_weight_notes(spec: ClassWeight, rows: Floats, y: Labels) -> list[str]:
    """Return sentences on how Keras applies class weights to these rows."""
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
