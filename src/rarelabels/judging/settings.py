"""What may be declared of judging: objectives, how thresholds are chosen, by what an epoch is picked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from rarelabels.spec import Count, Positive, Spec


class FBeta(Spec):
    """(1 + beta²) tp / ((1 + beta²) tp + beta² fn + fp); beta > 1 weighs recall more, 1 is F1."""

    kind: Literal["f_beta"]
    beta: Positive = 1.0


class Jaccard(Spec):
    """tp / (tp + fp + fn)."""

    kind: Literal["jaccard"]


class BalancedAccuracy(Spec):
    """Mean of the shares of positives and of negatives that are right."""

    kind: Literal["balanced_accuracy"]


class CostMatrix(Spec):
    """What each cell of the confusion matrix costs; the least total is best."""

    kind: Literal["cost"]
    false_positive: float = 1.0
    false_negative: float = 1.0
    true_positive: float = 0.0
    true_negative: float = 0.0

    @model_validator(mode="after")
    def _errors_cost_more(self) -> CostMatrix:
        if self.false_positive <= self.true_negative or self.false_negative <= self.true_positive:
            raise ValueError("a wrong label must cost more than a right one of the same truth")
        return self


ObjectiveSpec = Annotated[FBeta | Jaccard | BalancedAccuracy | CostMatrix, Field(discriminator="kind")]
F1 = FBeta(kind="f_beta")


class ThresholdSpec(Spec):
    """How scores become labels; every rule is always computed."""

    min_positives: Count = Field(
        5, description="per_label: a label with fewer validation positives takes the global threshold"
    )
    objective: ObjectiveSpec = Field(F1, description="what the thresholds per label, and the oracle, are best for")
    calibration: Literal["none", "temperature", "platt"] = Field(
        "none",
        description="fitted on validation before any threshold: one temperature for all logits, or a slope and an "
        "intercept for each label",
    )


# By what a run may pick its epoch on validation, all decided at 0.5; f1_none is a vector, so each label picks its own.
PickedBy = Literal[
    "val_loss", "binary_accuracy", "auc", "f1_micro", "f1_macro", "f1_weighted", "f1_samples", "f1_none", "last"
]
