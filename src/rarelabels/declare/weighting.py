"""The ``weighting`` block: one class for each way to weigh positives, labels or rows. Formulas: ``learn.weighting``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rarelabels.spec import Positive, Probability, Spec


class NoWeighting(Spec):
    """Every label and every row counts the same."""

    kind: Literal["none"]


class PosWeight(Spec):
    """pos_weight of label l = scale * (negatives[l] / positives[l]) ** strength, at most ``cap``.

    Counted in the training part only.
    """

    kind: Literal["pos_weight"]
    strength: Annotated[float, Field(ge=0)] = Field(1.0, description="0: no weighting; 0.5: square root; 1: full ratio")
    scale: Positive = 1.0
    cap: Positive | None = None


class FreePosWeight(Spec):
    """A pos_weight for each label, by its name; one without a name here has 1."""

    kind: Literal["free_pos_weight"]
    weights: dict[str, Positive] = Field(
        {}, description="factor on the positive term of each named label; other labels have 1"
    )


class ClassBalanced(Spec):
    """Factor (1 - beta) / (1 - beta ** positives) on a label's positive term, of mean 1 (Cui et al. 2019)."""

    kind: Literal["class_balanced"]
    beta: Probability = 0.999


class LabelWeights(Spec):
    """Balanced factors on both terms of each label."""

    kind: Literal["label_weights"]
    form: Literal["pair", "factor"] = Field(
        "pair",
        description="pair: rows / (2 * rows of that class) for 0 and for 1, or 1 if a label is constant; "
        "factor: 1 / positives, of mean 1",
    )


class SampleWeights(Spec):
    """A weight for each row, from how frequent its labels are."""

    kind: Literal["sample_weights"]
    form: Literal["product", "mean"] = Field(
        "mean",
        description="the weight of a row is the product or the mean of the balanced weights of its 0s and 1s, one "
        "for each label; product is what scikit-learn's compute_sample_weight('balanced', Y) gives",
    )


class ClassWeight(Spec):
    """What Keras makes of ``fit(class_weight=)`` on multi-hot labels: a row counts as the class of its argmax."""

    kind: Literal["class_weight"]
    weights: dict[Annotated[str, Field(pattern=r"^(0|[1-9]\d*)$")], Positive] | None = Field(
        None,
        description="weight of each column, by its number; other columns have 1; null: rows / (2 * "
        "positives) for every column",
    )
    form: Literal["keras_argmax"] | None = Field(
        None, description="confirms that the weights are meant as Keras reads them"
    )


WeightingSpec = Annotated[
    NoWeighting | PosWeight | FreePosWeight | ClassBalanced | LabelWeights | SampleWeights | ClassWeight,
    Field(discriminator="kind"),
]
LABEL_WEIGHTINGS = ("pos_weight", "free_pos_weight", "class_balanced", "label_weights")
ROW_WEIGHTINGS = ("sample_weights", "class_weight")
ARGMAX_OF_ROW = (
    "Keras takes the argmax of a multi-hot row for its class: {2, 5} counts as class 2, a row without labels as class "
    "0, and the order of the columns changes the model. Use weighting.kind label_weights or pos_weight; to see what "
    "Keras does with it, say weighting.form: keras_argmax"
)
