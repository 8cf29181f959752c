"""The ``loss`` block: one class for each loss. Their formulas are in ``learn.loss_formulas``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from rarelabels.declare.models import ModelSpec, RegularisedSpec
from rarelabels.declare.own import OwnLoss
from rarelabels.declare.own_kinds import with_own
from rarelabels.spec import LATER, Count, Positive, Probability, Spec


class BinaryCrossentropy(Spec):
    """Binary cross-entropy, mean over labels and rows."""

    kind: Literal["bce"]
    form: Literal["shipped", "textbook"] = Field(
        "shipped",
        description="with a softmax head. shipped: what Keras trains, which is the sigmoid form; "
        "textbook: the printed formula",
    )
    label_smoothing: Annotated[
        float, Field(ge=0, lt=1, description="targets are y * (1 - this) + this / 2, as Keras smooths them"), LATER
    ] = 0.0


class WeightedBinaryCrossentropy(Spec):
    """Binary cross-entropy whose terms carry the factors of the ``weighting`` block."""

    kind: Literal["weighted_bce"]


class BinaryFocal(Spec):
    """Focal loss (Lin et al. 2017) on each label."""

    kind: Literal["binary_focal"]
    gamma: Annotated[float, Field(ge=0)] = 2.0
    alpha: Probability | None = Field(None, description="weight of positives; negatives have the weight 1 - alpha")
    reduction: Literal["mean", "sum_over_labels"] = Field(
        "mean", description="sum_over_labels: the scale of TensorFlow Addons, as many times larger as there are labels"
    )


class CategoricalCrossentropy(Spec):
    """Categorical cross-entropy, sum over labels."""

    kind: Literal["categorical_ce"]
    form: Literal["shipped", "textbook"] = Field(
        "shipped",
        description="shipped: what Keras 3 trains under every head; textbook: the printed formula with "
        "its own gradient",
    )
    targets: Literal["multi_hot", "normalised"] = Field(
        "multi_hot", description="normalised: each label of a row with k labels has the target 1/k"
    )


class Asymmetric(Spec):
    """Asymmetric loss (Ridnik et al. 2021): focal with its own gamma for negatives, which are shifted too."""

    kind: Literal["asymmetric"]
    gamma_positive: Annotated[float, Field(ge=0)] = 1.0
    gamma_negative: Annotated[float, Field(ge=0)] = 4.0
    shift: Annotated[float, Field(ge=0, lt=1, description="negatives with a lower probability cost nothing")] = 0.05


class DistributionBalanced(Spec):
    """Rebalanced weights and negative-tolerant regularisation (Wu et al. 2020)."""

    kind: Literal["distribution_balanced"]
    alpha: Annotated[float, Field(ge=0, description="added to every smoothed weight")] = 0.1
    beta: Positive = Field(10.0, description="steepness of the smoothing")
    mu: Annotated[float, Field(ge=0, description="ratio at which the smoothing is steepest")] = 0.2
    kappa: Annotated[
        float,
        Field(ge=0, description="how far a label's log odds move its logits; the authors' code divides it by lambda"),
    ] = 0.05
    negative_scale: Positive = Field(2.0, description="lambda: how much more tolerant the loss is of negatives")


class LogitAdjusted(Spec):
    """Binary cross-entropy of z + tau * log odds of the prevalence; predicts with z alone (Menon et al. 2021)."""

    kind: Literal["logit_adjusted"]
    tau: Positive = 1.0


class Hill(Spec):
    """For zeros that may be missed positives: a negative costs (lambda - p) * p^2, a positive focal loss with a margin.

    Zhang et al. (2021), arXiv 2112.07368.
    """

    kind: Literal["hill"]
    lamb: Annotated[
        float,
        Field(
            ge=1, description="lambda: the greater it is, the harder a negative with a high probability is pulled down"
        ),
    ] = 1.5
    margin: Annotated[float, Field(ge=0, description="is subtracted from the logits of positives")] = 1.0
    gamma: Annotated[float, Field(ge=0)] = 2.0


class SelfPacedCorrection(Spec):
    """For zeros that may be missed positives: those with a probability above tau become positives (SPLC).

    The loss is focal with a margin for positives. Zhang et al. (2021), arXiv 2112.07368.
    """

    kind: Literal["splc"]
    tau: Probability = Field(0.6, description="a negative with a higher probability is taken for a positive")
    correct_from: Count = Field(2, description="the first epoch with corrections")
    margin: Annotated[float, Field(ge=0, description="is subtracted from the logits of positives")] = 1.0
    gamma: Annotated[float, Field(ge=0)] = 2.0


class Hamming(Spec):
    """Expected share of wrong labels if each is drawn with its probability: y(1-p) + (1-y)p, mean over labels."""

    kind: Literal["hamming"]


class SoftF1(Spec):
    """1 - macro F1 of the batch, with probabilities for decisions."""

    kind: Literal["soft_f1"]


OurLosses = (
    BinaryCrossentropy
    | WeightedBinaryCrossentropy
    | BinaryFocal
    | CategoricalCrossentropy
    | Asymmetric
    | DistributionBalanced
    | LogitAdjusted
    | Hill
    | SelfPacedCorrection
    | Hamming
    | SoftF1
)
if TYPE_CHECKING:
    LossSpec = OurLosses | OwnLoss
else:
    LossSpec = with_own(OurLosses, "rarelabels.losses", OwnLoss)


def without_numbers(loss: LossSpec) -> LossSpec:
    """Return the part of a loss that is compiled into a network. The loss's numbers are variables there.

    Whether a focal loss has an alpha is compiled, so its value is replaced by a fixed one and None stays.
    """
    match loss:
        case BinaryFocal():
            return loss.model_copy(update={"gamma": 1.0, "alpha": None if loss.alpha is None else 0.5})
        case LogitAdjusted():
            return LogitAdjusted(kind="logit_adjusted")
        case _:
            return loss


def without_strength(model: ModelSpec) -> ModelSpec:
    """Return the part of a model that is compiled: the strength of its penalty and its first biases are set later."""
    if isinstance(model, RegularisedSpec):
        return model.model_copy(update={"l2": 1.0 if model.l2 else 0.0, "bias": "zeros"})
    return model


def needs_sigmoid(loss: LossSpec) -> bool:
    """Return whether a loss is for independent labels."""
    return loss.needs_sigmoid if isinstance(loss, OwnLoss) else loss.kind in NEEDS_SIGMOID


NEEDS_SIGMOID = (
    "weighted_bce",
    "asymmetric",
    "distribution_balanced",
    "logit_adjusted",
    "hill",
    "splc",
    "hamming",
    "soft_f1",
)
