"""What may be declared: frozen models of a trial and of a study, and every rule about their values.

Nothing here reads a file or imports TensorFlow. ``config`` turns YAML into these models.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class UserError(Exception):
    """A mistake the user can mend: the message is all they need. The command line prints it and exits with 2."""


@dataclass(frozen=True)
class Contradiction:
    """Declared values that exclude each other: their dotted keys and the reason."""

    keys: tuple[str, ...]
    reason: str


class ContradictionError(ValueError):
    """All contradictions of one trial; config adds in which file each of the values stands."""

    def __init__(self, found: list[Contradiction]) -> None:
        super().__init__("; ".join(one.reason for one in found))
        self.found = found


class Spec(BaseModel):
    """Base of every declared block: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)


Probability = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


# Data


class MoviesSpec(Spec):
    """The films of bokeh_sampledata: genres from cast, title, features and reviews."""

    kind: Literal["movies"]
    labels: Annotated[int, Field(ge=2, le=21, description="how many of the most frequent genres are labels")] = 17


DatasetSpec = MoviesSpec  # a union discriminated by kind from the second kind on


# Models


class FloorSpec(Spec):
    """A predictor that learns nothing from the inputs."""

    kind: Literal["floor"]
    predicts: Literal["zeros", "ones", "prior"] = Field(
        description="no label, every label, or each label's prevalence in the training part"
    )


class LinearSpec(Spec):
    """One-vs-rest logistic regression on TF-IDF of all text fields; no TensorFlow."""

    kind: Literal["linear"]
    c: Positive = Field(5.0, description="inverse strength of the L2 penalty")
    min_rows: Count = Field(2, description="a token must occur in that many training rows")


class TextBagSpec(Spec):
    """One embedding per text field, pooled over its tokens, concatenated, then dense: the movie thread's network."""

    kind: Literal["text_bag"]
    pooling: Literal["tfidf", "mean", "max"] = Field(
        "tfidf", description="tfidf: idf-weighted, L2-normalised sum; mean and max are masked"
    )
    width: Count = Field(32, description="columns of each embedding")
    hidden: tuple[Count, ...] = Field((), description="widths of the dense ReLU layers before the output")
    wide: bool = Field(False, description="add a linear path from the TF-IDF of the tokens straight to the logits")
    min_rows: Count = Field(2, description="a token must occur in that many training rows")
    max_tokens: Count = Field(20_000, description="rows of each embedding table; rarer tokens are dropped")
    max_length: Count = Field(32, description="tokens kept of each field of a row")
    head: Literal["sigmoid", "softmax"] = Field("sigmoid", description="how logits become scores")


ModelSpec = Annotated[FloorSpec | LinearSpec | TextBagSpec, Field(discriminator="kind")]
NETWORKS = ("text_bag",)


# Losses and weights. Formulas: losses.py


class BinaryCrossentropy(Spec):
    """Binary cross-entropy, mean over labels and rows."""

    kind: Literal["bce"]
    form: Literal["shipped", "textbook"] = Field(
        "shipped", description="with a softmax head: what Keras trains (the sigmoid form), or the printed formula"
    )


class WeightedBinaryCrossentropy(Spec):
    """Binary cross-entropy whose positive term carries the pos_weight of the ``weighting`` block."""

    kind: Literal["weighted_bce"]


class BinaryFocal(Spec):
    """Focal loss (Lin et al. 2017) on each label."""

    kind: Literal["binary_focal"]
    gamma: Annotated[float, Field(ge=0)] = 2.0
    alpha: Probability | None = Field(None, description="weight of positives; negatives carry 1 - alpha")
    reduction: Literal["mean", "sum_over_labels"] = Field(
        "mean", description="sum_over_labels: the scale of TensorFlow Addons, as many times larger as there are labels"
    )


class CategoricalCrossentropy(Spec):
    """Categorical cross-entropy, sum over labels."""

    kind: Literal["categorical_ce"]
    form: Literal["shipped", "textbook"] = Field(
        "shipped", description="what Keras 3 trains whatever the head, or the printed formula with its own gradient"
    )
    targets: Literal["multi_hot", "normalised"] = Field("multi_hot", description="normalised: 1/k for k labels")


LossSpec = Annotated[
    BinaryCrossentropy | WeightedBinaryCrossentropy | BinaryFocal | CategoricalCrossentropy,
    Field(discriminator="kind"),
]


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


WeightingSpec = Annotated[NoWeighting | PosWeight, Field(discriminator="kind")]


# Training and thresholds


class TrainingSpec(Spec):
    """How long and how a network is trained; the same for all trials of a study unless the trial is about that."""

    epochs: Count
    batch_size: Count
    optimizer: Literal["adam"] = "adam"
    learning_rate: Positive
    keep: Literal["best", "last"] = Field(
        "best", description="the epoch kept: best validation macro average precision, or the last"
    )


class ThresholdSpec(Spec):
    """How scores become labels; every rule is always computed."""

    min_positives: Count = Field(
        5, description="per_label: a label with fewer validation positives takes the global threshold"
    )


Watch = Literal["binary_accuracy", "categorical_accuracy", "auc"]

BARE_ACCURACY = (
    "'accuracy' is not a metric here: on multi-hot labels Keras turns it into argmax agreement, which depends on the "
    "order of the columns. Say binary_accuracy (share of labels right) or categorical_accuracy (argmax agreement)"
)


class Trial(Spec):
    """One declared experiment. ``name`` is its path below ``experiments/`` without ``.yaml``; config sets it."""

    name: Annotated[str, Field(pattern=r"^[^/]+/[^/]+$")]
    question: Annotated[str, Field(min_length=10)]
    thread: Annotated[str, Field(min_length=3, description="the thread and the place in it, or 'beyond the threads'")]
    dataset: DatasetSpec
    model: ModelSpec
    loss: LossSpec
    weighting: WeightingSpec
    training: TrainingSpec
    thresholds: ThresholdSpec
    watch: tuple[Watch, ...] = Field((), description="curves the thread's author looked at; no effect on the numbers")
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]
    vary: dict[str, tuple[Any, ...]] | None = Field(
        None, description="one dotted key and its values: a sweep of variants of this trial"
    )

    @property
    def study(self) -> str:
        """The folder of the trial."""
        return self.name.split("/")[0]

    @property
    def short_name(self) -> str:
        """The name without its study."""
        return self.name.split("/")[1]

    @property
    def is_network(self) -> bool:
        """Whether TensorFlow trains it."""
        return self.model.kind in NETWORKS

    def definition(self) -> dict[str, Any]:
        """What can change the numbers of a run, besides data, seed and versions: the declared part of a fingerprint.

        Prose, ``watch`` and ``seeds`` are left out, and so are the blocks that a floor or the linear model ignores.
        """
        parts = {"dataset", "model", "thresholds"} | ({"loss", "weighting", "training"} if self.is_network else set())
        return self.model_dump(mode="json", include=parts)

    @field_validator("watch", mode="before")
    @classmethod
    def _no_bare_accuracy(cls, value: Any) -> Any:
        given = value if isinstance(value, (list, tuple)) else [value]
        if "accuracy" in given or "acc" in given:
            raise ValueError(BARE_ACCURACY)
        return value

    @field_validator("watch", "seeds")
    @classmethod
    def _no_repeats(cls, value: tuple[Any, ...]) -> tuple[Any, ...]:
        if len(set(value)) < len(value):
            raise ValueError("lists something twice")
        return value

    @field_validator("vary")
    @classmethod
    def _one_dimension(cls, value: dict[str, tuple[Any, ...]] | None) -> dict[str, tuple[Any, ...]] | None:
        if value is not None and (len(value) != 1 or not next(iter(value.values()))):
            raise ValueError("takes exactly one dotted key with at least one value")
        return value

    @model_validator(mode="after")
    def _no_contradictions(self) -> Trial:
        if found := list(self._contradictions()):
            raise ContradictionError(found)
        return self

    def _contradictions(self) -> Iterator[Contradiction]:
        weighted_loss = self.loss.kind == "weighted_bce"
        if weighted_loss != (self.weighting.kind == "pos_weight"):
            yield Contradiction(
                ("loss.kind", "weighting.kind"),
                f"loss.kind {self.loss.kind!r} with weighting.kind {self.weighting.kind!r}: "
                "weighted_bce and pos_weight need each other",
            )
        if isinstance(self.model, TextBagSpec):
            if weighted_loss and self.model.head == "softmax":
                yield Contradiction(
                    ("loss.kind", "model.head"),
                    "loss.kind 'weighted_bce' with model.head 'softmax': pos_weight weighs independent labels, "
                    "which a softmax does not have; use head: sigmoid",
                )
            return
        if self.loss.kind != "bce":
            yield Contradiction(
                ("loss.kind", "model.kind"),
                f"loss.kind {self.loss.kind!r} has no effect on model.kind {self.model.kind!r}; use bce",
            )
        if self.watch:
            yield Contradiction(
                ("model.kind", "watch"), f"model.kind {self.model.kind!r} has no epochs to watch; set watch: []"
            )


# Studies


class Hypothesis(Spec):
    """A claim of a thread, declared before the first full run, about ``metric`` of ``trial`` minus ``against``'s."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    claim: Annotated[str, Field(min_length=10, description="one sentence")]
    source: str = Field(description="where the claim stands")
    trial: str = Field(description="short name of a trial of this study")
    against: str = Field(description="short name of the trial, or floor, it is compared with")
    metric: Annotated[str, Field(pattern=r"^test/(half|global|per_label|ranking)/\w+$")]
    direction: Literal["greater", "less", "equal"]
    margin: Annotated[float, Field(ge=0)] = Field(description="the difference that matters in practice")


class Study(Spec):
    """A folder of trials that answers one thread."""

    title: str
    question: str
    thread: str
    hypotheses: tuple[Hypothesis, ...] = ()

    @field_validator("hypotheses")
    @classmethod
    def _unique(cls, value: tuple[Hypothesis, ...]) -> tuple[Hypothesis, ...]:
        names = [h.name for h in value]
        if len(set(names)) < len(names):
            raise ValueError("two hypotheses share a name")
        return value
