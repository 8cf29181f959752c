"""The ``training`` block, and what may be watched while a network trains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from rarelabels.spec import LATER, Count, Positive, Spec

THREADS = 1  # TensorFlow's threads in one process: runs are spread over processes


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

    epochs: Count | None = Field(None, description="how many passes over the training rows; or declare steps")
    steps: Annotated[Count | None, LATER] = Field(
        None, description="in place of epochs: how many steps the optimizer takes at most"
    )
    evaluate_every: Annotated[Count | None, LATER] = Field(
        None,
        description="with steps: how many steps make an epoch, after which validation is scored; null: "
        "those of a pass over the rows",
    )
    patience: Annotated[Count | None, LATER] = Field(
        None, description="training ends after so many epochs in which validation macro average precision has not risen"
    )
    batch_size: Count
    optimizer: Literal["adam", "adamw", "sgd"] = "adam"
    learning_rate: Positive
    momentum: Annotated[float, Field(ge=0, lt=1, description="for optimizer sgd")] = 0.0
    weight_decay: Annotated[float, Field(ge=0, description="for optimizer adamw")] = 0.0
    pruning: Pruning | None = None
    keep: Literal["best", "last"] = Field(
        "best",
        description="the epoch that is kept. best: that with the best validation macro average precision; "
        "last: the last",
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
            raise ValueError(f"evaluate_every must be at most steps, {self.steps}; given {self.evaluate_every}")
        if self.epochs is not None and self.evaluate_every is not None:
            raise ValueError("evaluate_every goes with steps; epochs are passes over the rows")
        return self

    def compiled(self) -> TrainingSpec:
        """Return the part that is compiled into a network; the learning rate is a variable there."""
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

        A pass over the rows has whole batches only.
        """
        of_pass = n_rows // min(self.batch_size, n_rows)
        if self.steps is None:
            assert self.epochs is not None
            return Schedule(of_pass, self.epochs)
        steps = min(self.evaluate_every or of_pass, self.steps)
        return Schedule(steps, self.steps // steps)

    def of_length(self, count: int) -> TrainingSpec:
        """Return a training of ``count`` epochs, each as long as here, that does not end early and keeps the last."""
        length = {"epochs": count, "steps": None}
        if self.evaluate_every is not None:
            length = {"steps": count * self.evaluate_every}
        return self.model_copy(update={**length, "patience": None, "keep": "last"})


Watch = Literal[
    "binary_accuracy", "categorical_accuracy", "auc", "f1_none", "f1_micro", "f1_none_half", "f1_micro_half"
]
VECTORS = ("f1_none", "f1_none_half")  # watched metrics that give a number for each label
BARE_ACCURACY = (
    "'accuracy' is not a metric here: on multi-hot labels Keras turns it into argmax agreement, which depends on the "
    "order of the columns. Say binary_accuracy (share of labels right) or categorical_accuracy (argmax agreement)"
)
