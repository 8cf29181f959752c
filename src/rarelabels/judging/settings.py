"""What may be declared of judging: objectives, how thresholds are chosen, by which metric an epoch is picked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator

from rarelabels.errors import ArgumentError, nearest
from rarelabels.spec import DISTINCT, LATER, Count, OwnName, Positive, Spec


def _first_paragraph(schema: dict[str, Any]) -> None:
    """Keep the first paragraph of a docstring, which an editor of YAML shows."""
    schema["description"] = schema["description"].partition("\n\n")[0]


class Objective(Spec):
    """Base of what thresholds can be best for. In Python ``kind`` goes without saying, in YAML it is written."""

    model_config = ConfigDict(json_schema_extra=_first_paragraph)

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join([type(self).__name__, *map(str, first["loc"])])
            allowed = first["msg"].removeprefix("Value error, ").replace("Input should be", "must be")
            raise ArgumentError(f"{where}: {allowed}; given {first['input']!r}") from None

    # Pydantic's own mark: values from YAML are checked by the fields, strictly, and do not pass through this method.
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # functions declare no such attribute


class FBeta(Objective):
    """(1 + beta²) tp / ((1 + beta²) tp + beta² fn + fp); beta > 1 weighs recall more, 1 is F1.

    Args:
        beta: above 0.

    Raises:
        ArgumentError: beta is not above 0.

    >>> FBeta(2)
    FBeta(beta=2.0)
    """

    kind: Literal["f_beta"] = Field("f_beta", repr=False)
    beta: Positive = 1.0

    def __init__(self, beta: float = 1.0, **values: Any) -> None:
        super().__init__(beta=beta, **values)

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # as in Objective


class Jaccard(Objective):
    """tp / (tp + fp + fn).

    >>> Jaccard()
    Jaccard()
    """

    kind: Literal["jaccard"] = Field("jaccard", repr=False)


class BalancedAccuracy(Objective):
    """Mean of the shares of positives and of negatives that are right.

    >>> BalancedAccuracy()
    BalancedAccuracy()
    """

    kind: Literal["balanced_accuracy"] = Field("balanced_accuracy", repr=False)


class Cost(Objective):
    """What each cell of the confusion matrix costs; the least total is best.

    Args:
        false_positive: of a false alarm; above ``true_negative``.
        false_negative: of a missed positive; above ``true_positive``.
        true_positive: of a positive that is found.
        true_negative: of a negative that is left alone.

    Raises:
        ArgumentError: a wrong label costs no more than a right one of the same truth.

    >>> Cost(false_positive=1, false_negative=20).false_negative
    20.0
    """

    kind: Literal["cost"] = Field("cost", repr=False)
    false_positive: float = 1.0
    false_negative: float = 1.0
    true_positive: float = 0.0
    true_negative: float = 0.0

    @model_validator(mode="after")
    def _errors_cost_more(self) -> Cost:
        if self.false_positive <= self.true_negative or self.false_negative <= self.true_positive:
            raise ValueError(
                "false_positive must cost more than true_negative, and false_negative more than true_positive"
            )
        return self


ObjectiveSpec = Annotated[FBeta | Jaccard | BalancedAccuracy | Cost, Field(discriminator="kind")]
F1 = FBeta(kind="f_beta")


class ThresholdSpec(Spec):
    """How scores become labels; every rule is always computed."""

    min_positives: Count = Field(
        5, description="per_label: a label with fewer validation positives takes the global threshold"
    )
    objective: ObjectiveSpec = Field(
        F1, description="what the threshold of each label is best for, under per_label and oracle"
    )
    calibration: Literal["none", "temperature", "platt"] = Field(
        "none",
        description="fitted on validation before any threshold: one temperature for all logits, or a slope and an "
        "intercept for each label",
    )
    own_rules: Annotated[
        tuple[OwnName, ...], Field(description="rules of installed packages, measured beside ours"), DISTINCT, LATER
    ] = ()


# The metrics by which a run may pick its epoch on validation, all at 0.5. Under f1_none each label picks its own epoch.
PickedBy = Literal[
    "val_loss", "binary_accuracy", "auc", "f1_micro", "f1_macro", "f1_weighted", "f1_samples", "f1_none", "last"
]
OBJECTIVES: dict[str, ObjectiveSpec] = {"f1": F1, "jaccard": Jaccard(), "balanced_accuracy": BalancedAccuracy()}


def objective_of(given: str | ObjectiveSpec) -> ObjectiveSpec:
    """Return the objective of this name; an objective is returned as it is.

    Raises:
        ArgumentError: neither a name of ``OBJECTIVES`` nor an objective.

    >>> objective_of("f1")
    FBeta(beta=1.0)
    """
    if isinstance(given, FBeta | Jaccard | BalancedAccuracy | Cost):
        return given
    if isinstance(given, str) and given in OBJECTIVES:
        return OBJECTIVES[given]
    allowed = f"allowed {', '.join(map(repr, OBJECTIVES))}, or one such as FBeta(2) and Cost(false_negative=20)"
    raise ArgumentError(f"objective: {allowed}; given {given!r}{nearest(str(given), OBJECTIVES)}")
