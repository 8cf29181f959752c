"""The weights of positives, labels and rows in a loss, from the labels of the training part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from rarelabels.data.dataset import Dataset
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
from rarelabels.judging.arrays import Floats
from rarelabels.learn.label_arrays import Known, Labels, with_unknown
from rarelabels.learn.label_weights import (
    balanced,
    class_balanced,
    free_pos_weight,
    inverse_frequency,
    pos_weight,
    prevalence,
)
from rarelabels.learn.row_weights import (
    class_weight_notes,
    class_weight_table,
    of_both,
    product_note,
    row_facts,
    sample_weights_mean,
    sample_weights_product,
)

FEW = 0.1  # share of the rows; an effective sample size below it is worth a warning


@dataclass(frozen=True, eq=False)
class Weights:
    """Prevalences and weights from the training labels, for a loss and for ``fit``.

    Attributes:
        prevalence: (n_labels,) float64, share of positives, strictly between 0 and 1.
        positive: (n_labels,) float64, the factor on the positive term of each label; None for no factor.
        negative: (n_labels,) float64, the factor on the negative term of each label; None for no factor.
        rows: (n,) float64, the factor on the loss of each row; None for no factor.
        facts: numbers about the rows' weights, recorded as metrics.
        notes: sentences about the weights that a reader of the results must know.
    """

    prevalence: Floats
    positive: Floats | None = None
    negative: Floats | None = None
    rows: Floats | None = None
    facts: dict[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def of_training(spec: WeightingSpec, data: Dataset) -> Weights:
    """Return the weights that ``spec`` declares for the training part of some data; see :func:`weights`."""
    train = data.train
    return weights(spec, train.y, data.labels, train.known, train.weights)


def weights(
    spec: WeightingSpec,
    y_train: Labels,
    labels: Sequence[str] = (),
    known: Known = None,
    declared: Floats | None = None,
) -> Weights:
    """Return the weights that ``spec`` declares for the multi-hot labels of the training part, shape (n, n_labels).

    Prevalences and weights of labels count rows. Only the factor on the loss of a row has its weight in the data.

    Args:
        spec: the declared block.
        y_train: 0/1, shape (n, n_labels).
        labels: names of the columns, for weights that are declared by name.
        known: (n, n_labels), False for labels that nobody annotated; None if all are known.
        declared: (n,) the weights of the rows in the data, see ``Part.weights``.

    Raises:
        UserError: all row weights are 0, or a row weight is infinite, in float32, in which networks train; or a weight
            is declared for a column or a label that the data do not have.
    """
    found = _by_labels(spec, y_train, labels, known)
    rows = of_both(found.rows, declared)
    if rows is None:
        return found
    facts = row_facts(rows)
    return replace(found, rows=rows, facts=facts, notes=(*found.notes, *_few(facts, len(rows))))


def _few(facts: Mapping[str, float], rows: int) -> Iterator[str]:
    if facts["effective_sample_share"] < FEW:
        yield (
            f"Few rows decide: the weights leave an effective sample size (Σw)²/Σw² of "
            f"{facts['effective_sample_size']:,.1f} of {rows:,} rows ({facts['effective_sample_share']:.1%})."
        )


def _by_labels(spec: WeightingSpec, y_train: Labels, labels: Sequence[str], known: Known) -> Weights:
    seen = with_unknown(y_train, known)
    shares = prevalence(seen)
    match spec:
        case NoWeighting():
            return Weights(shares)
        case PosWeight():
            return Weights(shares, positive=pos_weight(seen, spec.strength, spec.scale, spec.cap))
        case FreePosWeight():
            return Weights(shares, positive=free_pos_weight(spec, labels))
        case ClassBalanced():
            return Weights(shares, positive=class_balanced(y_train, spec.beta))
        case LabelWeights(form="pair"):
            pair = balanced(y_train, known)
            return Weights(shares, positive=pair.positive, negative=pair.negative)
        case LabelWeights():
            factor = inverse_frequency(y_train)
            return Weights(shares, positive=factor, negative=factor)
        case SampleWeights():
            is_product = spec.form == "product"
            rows = sample_weights_product(y_train) if is_product else sample_weights_mean(y_train, known)
            notes = [product_note(rows, y_train.shape[1])] if spec.form == "product" else []
        case ClassWeight():
            table = class_weight_table(spec, y_train)
            rows = table[y_train.argmax(axis=1)]
            notes = class_weight_notes(spec, rows, y_train)
        case _:
            assert_never(spec)
    return Weights(shares, rows=rows, notes=tuple(notes))
