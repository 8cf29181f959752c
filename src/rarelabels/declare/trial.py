"""A trial: one block of each sort, and the checks of which exclude each other. Nothing here reads a file."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Annotated, Any

from pydantic import Field, field_validator, model_validator

from rarelabels import packages
from rarelabels.declare import own_measures
from rarelabels.declare.contradictions import Contradiction, ContradictionError
from rarelabels.declare.data import DatasetSpec, backbone_of
from rarelabels.declare.losses import (
    CategoricalCrossentropy,
    LossSpec,
    needs_sigmoid,
    without_numbers,
    without_strength,
)
from rarelabels.declare.models import SET_HEADS, FloorSpec, ModelSpec, NetworkSpec, ScoresSpec, SklearnSpec, TextBagSpec
from rarelabels.declare.own import OwnModel
from rarelabels.declare.training import BARE_ACCURACY, TrainingSpec, Watch
from rarelabels.declare.tuning import (
    NoPruner,
    ParameterSearch,
    ThresholdSearch,
    TuningSpec,
    is_calibrated_in_sample,
)
from rarelabels.declare.weighting import (
    ARGMAX_OF_ROW,
    LABEL_WEIGHTINGS,
    ROW_WEIGHTINGS,
    ClassWeight,
    SampleWeights,
    WeightingSpec,
)
from rarelabels.judging.settings import PickedBy, ThresholdSpec
from rarelabels.spec import DISTINCT, LATER, OwnName, Spec


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
    own_metrics: Annotated[
        tuple[OwnName, ...], Field(description="metrics of installed packages, measured beside ours"), DISTINCT, LATER
    ] = ()
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
    def is_scored_elsewhere(self) -> bool:
        """Whether another program made its scores, so that there is no model here."""
        return isinstance(self.model, ScoresSpec)

    @property
    def stores_model(self) -> bool:
        """Whether a run records its model, so that it can be deployed; else only its scores are recorded."""
        return not isinstance(self.model, ScoresSpec | SklearnSpec | OwnModel)

    @property
    def needs_tensorflow(self) -> bool:
        """Whether TensorFlow makes any of its numbers: it trains the network, or turns images into features."""
        return self.is_network or backbone_of(self.dataset) is not None

    @property
    def searches_thresholds(self) -> bool:
        """Whether Optuna searches thresholds for its scores."""
        return isinstance(self.tuning, ThresholdSearch)

    @property
    def packages(self) -> dict[str, str]:
        """The other packages that make its numbers, by name their versions; see ``rarelabels.packages``."""
        return self.training_packages | own_measures.versions(self)

    @property
    def training_packages(self) -> dict[str, str]:
        """The other packages that make its scores, by name their versions."""
        return packages.of(self.dataset, self.model, self.loss)

    def training_definition(self) -> dict[str, Any]:
        """Return what can change the scores of a run, besides data, seed and versions.

        Prose, ``watch`` and ``seeds`` are left out, and so are the blocks that a floor or the linear model ignores.
        """
        parts = {"dataset", "model"} | ({"loss", "weighting", "training"} if self.is_network else set())
        definition = {key: value for key, value in self.defined().items() if key in parts}
        definition["dataset"] = self.dataset.content()
        if isinstance(self.model, ScoresSpec):
            definition["model"] = self.model.content()
        definition["model"].pop("most_seconds", None)  # it decides whether there are scores, not which
        return definition

    def compiled(self) -> Hashable:
        """Return what is compiled into a network: trials for which it is equal can share one network."""
        model = without_strength(self.model).model_dump_json()  # as text, because a mapping in it has no hash
        return self.dataset, model, without_numbers(self.loss), self.training.compiled()

    def definition(self) -> dict[str, Any]:
        """Return what can change a run's numbers, besides data, seed and versions: how it is trained and judged."""
        definition = self.training_definition() | {"thresholds": self.thresholds.defined()}
        if self.decides:  # up to 0.4.2 its thresholds were chosen: all zeros could become all ones
            definition["decides"] = True
        if self.picked_by:
            definition["picked_by"] = self.picked_by
        if self.own_metrics:
            definition["own_metrics"] = list(self.own_metrics)
        if self.searches_thresholds and self.tuning:  # it makes two rules; a search of parameters changes the trial
            definition["tuning"] = self.tuning.defined()
        return definition

    def without_own_measures(self) -> Trial:
        """Return the trial without metrics and rules of other packages, which decide no search."""
        thresholds = self.thresholds.model_copy(update={"own_rules": ()})
        return self.model_copy(update={"own_metrics": (), "thresholds": thresholds})

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
                f"loss.kind {self.loss.kind!r} with weighting.kind {self.weighting.kind!r}: weighted_bce needs one "
                f"of {', '.join(LABEL_WEIGHTINGS)}, and only weighted_bce takes them",
            )
        if isinstance(self.weighting, ClassWeight) and self.weighting.form is None:
            yield Contradiction(("weighting.form",), ARGMAX_OF_ROW)
        yield from self._data_contradictions()
        yield from self._search_contradictions()
        if self.dataset.may_be_unknown:
            yield from self._contradictions_of_unknown(self.dataset.may_be_unknown)
        calibrated, metric = self.thresholds.calibration != "none", getattr(self.tuning, "metric", "")
        if calibrated and is_calibrated_in_sample(metric):
            yield Contradiction(
                ("tuning.metric", "thresholds.calibration"),
                f"tuning.metric {metric!r} with thresholds.calibration {self.thresholds.calibration!r}: the "
                "calibration is fitted on the rows that score it; use crossfit/<rule>/…, where it is fitted on "
                "the other folds, or a ranking metric",
            )
        if isinstance(self.model, ScoresSpec):
            yield from self._scores_contradictions(self.model)
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
        backbone = backbone_of(self.dataset)
        cut = backbone.output if backbone else None
        if (self.model.kind == "last_block") != (cut == "last_block"):
            yield Contradiction(
                ("dataset.kind", "model.kind"),
                f"model.kind {self.model.kind!r} with dataset.backbone.output {cut!r}: both must be last_block, or "
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
                f"picked_by {self.picked_by!r} with tuning: a search judges the epoch that training.keep names; "
                "leave one of them out",
            )
        if self.training.every_epoch and getattr(self.model, "head", "") in SET_HEADS:
            yield Contradiction(
                ("training.every_epoch", "model.head"),
                "training.every_epoch with a head on label sets: each epoch would record scores, but no label "
                "sets; use every_epoch: false",
            )
        if self.dataset.validation == "cross_validated":
            if self.training.every_epoch:
                yield Contradiction(
                    ("training.every_epoch", "dataset.validation"),
                    "training.every_epoch with dataset.validation 'cross_validated': each fold has epochs of its "
                    "own; use every_epoch: false",
                )
            if isinstance(self.tuning, ParameterSearch) and not isinstance(self.tuning.pruner, NoPruner):
                yield Contradiction(
                    ("tuning.pruner.kind", "dataset.validation"),
                    "tuning.pruner with dataset.validation 'cross_validated': there are no scores of all rows before "
                    "the last fold is trained; use pruner: {kind: none}",
                )

    def _search_contradictions(self) -> Iterator[Contradiction]:
        if self.dataset.test == "repeated" and isinstance(self.tuning, ParameterSearch):
            yield Contradiction(
                ("dataset.test", "tuning.kind"),
                "dataset.test 'repeated' with tuning.kind 'parameters': the search would train and choose on rows that "
                "are test rows of other seeds; use test: fixed, or settings that were not searched on these data",
            )

    def _contradictions_of_unknown(self, key: str) -> Iterator[Contradiction]:
        """Yield what needs every label of a row, where some may be unknown by the declaration ``key``."""
        head = getattr(self.model, "head", "sigmoid")
        if head != "sigmoid":
            yield Contradiction(
                ("model.head", key),
                f"model.head {head!r} with {key}: it makes the labels of a row compete, so it needs all of them, and "
                "some are unknown; use head: sigmoid",
            )
        elif self.loss.kind == "categorical_ce":
            yield Contradiction(
                ("loss.kind", key),
                f"loss.kind 'categorical_ce' with {key}: it makes the labels of a row compete, so it needs all of "
                "them, and some are unknown; use bce",
            )
        is_product = isinstance(self.weighting, SampleWeights) and self.weighting.form == "product"
        if self.weighting.kind == "class_weight" or is_product:
            yield Contradiction(
                ("weighting.kind", key),
                f"weighting.kind {self.weighting.kind!r} with {key}: it weighs a row by all its labels, and some are "
                "unknown; use label_weights or pos_weight with loss.kind weighted_bce"
                + (", or form: mean" if is_product else ""),
            )
        if self.watch:
            yield Contradiction(
                ("watch", key),
                f"watch with {key}: Keras's metrics count every label of a row, and some are unknown; set watch: []",
            )

    def _scores_contradictions(self, model: ScoresSpec) -> Iterator[Contradiction]:
        if len(self.seeds) > 1 and not model.is_by_seed and not self.dataset.has_fixed_parts:
            yield Contradiction(
                ("model.validation", "seeds"),
                f"model.kind 'scores' with {len(self.seeds)} seeds: each seed has other training and validation rows, "
                "but model.validation and model.test name one file for all; write {seed} in both paths (in quotes), or "
                "declare seeds: [0], or data whose parts are the same for all seeds (dataset.split, validation: "
                "last_rows)",
            )
        if isinstance(self.tuning, ParameterSearch):
            yield Contradiction(
                ("model.kind", "tuning.kind"),
                "tuning.kind 'parameters' with model.kind 'scores': nothing is trained, so there is nothing to search; "
                "use kind: thresholds, or leave tuning out",
            )

    def _network_contradictions(self, model: NetworkSpec) -> Iterator[Contradiction]:
        training = self.training
        if needs_sigmoid(self.loss) and model.head == "softmax":
            yield Contradiction(
                ("loss.kind", "model.head"),
                f"loss.kind {self.loss.kind!r} with model.head 'softmax': this loss is for independent labels, but "
                "a softmax makes labels compete; use head: sigmoid",
            )
        if model.head in SET_HEADS and self.loss != CategoricalCrossentropy(kind="categorical_ce"):
            yield Contradiction(
                ("loss.kind", "model.head"),
                f"loss.kind {self.loss.kind!r} with model.head {model.head!r}: a row has exactly one label set; "
                f"use loss: {{kind: categorical_ce}} without other keys",
            )
        if model.head in SET_HEADS and isinstance(model, TextBagSpec) and model.wide:
            yield Contradiction(
                ("model.head", "model.wide"),
                f"model.wide with model.head {model.head!r}: the wide path would need a weight for each token and "
                "label set; use wide: false",
            )
        if self.loss.kind == "soft_f1" and self.weighting.kind in ROW_WEIGHTINGS:
            yield Contradiction(
                ("loss.kind", "weighting.kind"),
                f"loss.kind 'soft_f1' with weighting.kind {self.weighting.kind!r}: the F1 of a batch has no rows to "
                "weigh; use weighting none",
            )
        if self.loss.kind == "soft_f1" and getattr(self.dataset, "weight", None) is not None:
            yield Contradiction(
                ("loss.kind", "dataset.weight"),
                "loss.kind 'soft_f1' with dataset.weight: the F1 of a batch has no rows to weigh; leave the weight out",
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
                f"training.pruning.end_epoch {training.pruning.end_epoch} is after the last epoch, training.epochs "
                f"{training.epochs}",
            )
