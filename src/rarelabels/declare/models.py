"""The ``model`` block: one class for each kind of model."""

from __future__ import annotations

from math import isfinite
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from rarelabels.spec import DISTINCT, LATER, OPEN, Count, Positive, Spec


class FloorSpec(Spec):
    """A predictor that learns nothing from the inputs."""

    kind: Literal["floor"]
    predicts: Literal["zeros", "ones", "prior", "label_set"] = Field(
        description="zeros: no label; ones: every label; prior: each label's prevalence in the training part; "
        "label_set: the most frequent label set there"
    )

    @property
    def decides(self) -> bool:
        """Whether it assigns labels rather than scores, so that no threshold changes its decisions."""
        return self.predicts != "prior"


NumericWeight = Annotated[
    float,
    Field(
        description="factor on the standardised numbers of a row, whose norm is about the square root of their count"
    ),
]


class FeaturesSpec(Spec):
    """What the models on TF-IDF, numbers and categories declare of these columns."""

    min_rows: Count = Field(2, description="a token must occur in that many training rows")
    ngrams: Annotated[Literal[1, 2], LATER] = Field(
        1, description="2: pairs of neighbouring tokens, too; only in fields of prose, for lists have no order"
    )
    field_weights: Annotated[dict[str, Annotated[float, Field(ge=0)]], LATER] = Field(
        {},
        description="factor on the TF-IDF columns of each named field, before a row is scaled to norm 1; "
        "other fields have 1",
    )
    numeric_weight: Annotated[NumericWeight, Field(ge=0), LATER] = 1.0


class LinearSpec(FeaturesSpec):
    """One-vs-rest logistic regression on TF-IDF of all text fields and on standardised numbers; no TensorFlow."""

    kind: Literal["linear"]
    c: Annotated[Positive | Annotated[tuple[Positive, ...], Field(min_length=2)], DISTINCT] = Field(
        5.0,
        description="inverse strength of the L2 penalty. From a list, the value with the best macro average "
        "precision on validation is chosen for all labels. If there are more than 50 labels, 50 of "
        "all frequencies choose it; with validation: cross_validated all choose it, by their "
        "out-of-fold scores",
    )


# Classifiers of scikit-learn that need no other estimator, and read TF-IDF. Its own list of all takes a second to make.
Classifier = Literal[
    "AdaBoostClassifier",
    "BaggingClassifier",
    "BernoulliNB",
    "CalibratedClassifierCV",
    "ComplementNB",
    "DecisionTreeClassifier",
    "DummyClassifier",
    "ExtraTreeClassifier",
    "ExtraTreesClassifier",
    "GaussianNB",
    "GaussianProcessClassifier",
    "GradientBoostingClassifier",
    "HistGradientBoostingClassifier",
    "KNeighborsClassifier",
    "LabelPropagation",
    "LabelSpreading",
    "LinearDiscriminantAnalysis",
    "LinearSVC",
    "LogisticRegression",
    "LogisticRegressionCV",
    "MLPClassifier",
    "MultinomialNB",
    "NearestCentroid",
    "NuSVC",
    "Perceptron",
    "QuadraticDiscriminantAnalysis",
    "RadiusNeighborsClassifier",
    "RandomForestClassifier",
    "RidgeClassifier",
    "RidgeClassifierCV",
    "SGDClassifier",
    "SVC",
]


def _plain(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters whose lists are tuples; a union of types would give a line for each of them."""
    found = {name: tuple(value) if isinstance(value, list) else value for name, value in parameters.items()}
    for name, value in found.items():
        for one in value if isinstance(value, tuple) else (value,):
            if not isinstance(one, bool | int | float | str | None) or (isinstance(one, float) and not isfinite(one)):
                raise ValueError(f"{name} must be a finite number, text, true, false, null, or a list of these")
    return found


Parameters = Annotated[dict[str, Any], AfterValidator(_plain)]


class SklearnSpec(FeaturesSpec):
    """A classifier of scikit-learn, on the columns that ``linear`` reads: one for all labels if it can, else one each.

    The names of its parameters are checked when the data are, before a run: scikit-learn takes a second to import.
    """

    kind: Literal["sklearn"]
    estimator: Annotated[Classifier, Field(description="the name of the class; it is found in scikit-learn's own list")]
    parameters: Annotated[Parameters, OPEN] = Field(
        {},
        description="arguments of the class by name, without random_state, which is the seed. One that is searched or "
        "varied is declared with a value first; a whole number is searched in whole numbers",
    )

    @model_validator(mode="after")
    def _seeded_by_the_run(self) -> Self:
        if "random_state" in self.parameters:
            raise ValueError("parameters.random_state is the seed of the run, which sets it; leave it out")
        return self


class GradientBoostingSpec(Spec):
    """One scikit-learn HistGradientBoostingClassifier per label on the numbers of a row; no TensorFlow."""

    kind: Literal["gradient_boosting"]
    learning_rate: Positive = 0.1
    max_iter: Count = Field(
        200,
        description="the most trees for a label; its training ends once 10 trees have not lowered its log "
        "loss on validation",
    )
    max_leaf_nodes: Annotated[int, Field(ge=2)] = 31
    l2: Annotated[float, Field(ge=0, description="penalty on the values of leaves")] = 0.0
    most_seconds: Positive = Field(
        180.0,
        description="the most seconds for all labels of a run; one label is timed first, and a run that "
        "would take longer is left out",
    )


ScoreFile = Annotated[
    str,
    Field(
        min_length=1,
        description="a file of scores, .parquet, .csv or .csv.gz, with a column id and a column score/<label> for each "
        "label; relative to the YAML file that names it; {seed} in it stands for the seed",
    ),
]
OF_SEED = "{seed}"  # in the path of a score file


class ScoresSpec(Spec):
    """Scores that another program made for the validation and test rows, joined to them by id; nothing is trained."""

    kind: Literal["scores"]
    validation: ScoreFile
    test: ScoreFile

    @model_validator(mode="after")
    def _seed_in_both(self) -> Self:
        if (OF_SEED in self.validation) != (OF_SEED in self.test):
            raise ValueError("validation and test must both have {seed} in their paths, or neither")
        return self

    @property
    def is_by_seed(self) -> bool:
        """Whether each seed has files of its own."""
        return OF_SEED in self.test

    def files(self, seed: int) -> tuple[Path, Path]:
        """Return the files of the validation and the test part of a seed."""
        return Path(self.validation.replace(OF_SEED, str(seed))), Path(self.test.replace(OF_SEED, str(seed)))

    def content(self) -> dict[str, Any]:
        """Return what the block defines, without paths: the digests of the files say which scores they are."""
        return {"kind": self.kind}


class KnownProbabilitiesSpec(Spec):
    """The probabilities that drew the labels of simulated data: no model can do better."""

    kind: Literal["known_probabilities"]


Head = Annotated[
    Literal["sigmoid", "softmax", "powerset", "seen_sets"],
    Field(
        description="how logits become scores. sigmoid: a probability for each label; softmax: one distribution "
        "over labels; powerset: one over all 2^L label sets; seen_sets: one over the label sets of "
        "the training part. With label sets, the score of a label is the sum over the sets that have "
        "it"
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
        32, description="columns of each embedding; 0: no embedding, only the wide path, which is logistic regression"
    )
    pooling: Literal["tfidf", "mean", "max"] = Field(
        "tfidf", description="tfidf: idf-weighted, L2-normalised sum; mean and max are masked"
    )
    wide: bool = Field(False, description="add a linear path from the TF-IDF of the tokens straight to the logits")
    numeric_weight: Annotated[NumericWeight, Field(gt=0), LATER] = 1.0

    @property
    def is_linear(self) -> bool:
        """Whether the network is logistic regression on the TF-IDF of all fields, each row scaled as a whole."""
        return self.width == 0

    @property
    def vector(self) -> int:
        """The length of the vector that a text field becomes."""
        return self.width

    @model_validator(mode="after")
    def _wide_alone(self) -> Self:
        if self.is_linear and (self.hidden or self.dropout or not self.wide or self.pooling != "tfidf"):
            raise ValueError(
                "width: 0 leaves only the wide path: it needs wide: true and pooling: tfidf, and takes no hidden "
                "layers and no dropout"
            )
        return self


class TextLstmSpec(TextSpec):
    """One embedding and one LSTM per text field; the last states are concatenated, then dense."""

    kind: Literal["text_lstm"]
    units: Count = Field(16, description="size of each LSTM's state")

    @property
    def vector(self) -> int:
        """The length of the vector that a text field becomes."""
        return self.units


class TextCnnSpec(TextSpec):
    """One embedding, one convolution over the tokens and its maximum per text field, concatenated, then dense."""

    kind: Literal["text_cnn"]
    filters: Count = 32
    kernel: Count = Field(3, description="neighbouring tokens that a filter sees")

    @property
    def vector(self) -> int:
        """The length of the vector that a text field becomes."""
        return self.filters


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
    FloorSpec | LinearSpec | SklearnSpec | GradientBoostingSpec | KnownProbabilitiesSpec | ScoresSpec | NetworkSpec,
    Field(discriminator="kind"),
]
