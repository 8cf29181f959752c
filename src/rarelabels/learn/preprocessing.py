"""Rows of a data set -> arrays that a network takes: token ids per text field and standardised numbers.

Everything is fitted on the training part; what is fitted goes with the weights, as JSON.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.fitted import Scaler, Vocabulary
from rarelabels.data.tokens import Tokens
from rarelabels.declare.data import Backbone
from rarelabels.declare.models import (
    SET_HEADS,
    LastBlockSpec,
    MlpSpec,
    NetworkSpec,
    TextBagSpec,
)
from rarelabels.declare.training import TrainingSpec
from rarelabels.errors import UserError
from rarelabels.learn.memory import machine_bytes
from rarelabels.learn.output_layer import OutputLayer, in_words, short
from rarelabels.learn.powerset import SeenSets

Inputs = dict[str, npt.NDArray[Any]]

NUMERIC = "numeric"
LENGTH_STEP = 8
MOMENTS = {"adam": 2, "adamw": 2, "sgd": 0}  # numbers that the optimizer keeps of each weight; sgd one with momentum
TABLE_STEP = 1024  # embedding tables are padded to a multiple, so that the seeds of a trial share one compiled network


@dataclass(frozen=True)
class Field:
    """What a network needs to know of a text field: rows of its embedding table, and tokens kept of a row."""

    table_rows: int
    length: int


@dataclass(frozen=True)
class Shape:
    """What a network is built for: text fields, numbers of a row, labels, label sets, whose last block it trains."""

    fields: tuple[Field, ...]
    n_numeric: int
    n_labels: int
    n_sets: int | None = None
    backbone: Backbone | None = None

    @property
    def n_outputs(self) -> int:
        """Columns of the logits: one for each label, or for each label set."""
        return self.n_labels if self.n_sets is None else self.n_sets


@dataclass(frozen=True)
class Unscaled:
    """Numbers that go into the network as they are, for it has weights that were trained on such."""

    columns: int

    def transform(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """Return (n, columns) float32."""
        return x.astype(np.float32)

    def to_json(self) -> dict[str, int]:
        """Return how many there are."""
        return {"columns": self.columns}


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """Vocabularies by text field, the fields' lengths, how numbers are scaled, and whether tokens are weighed."""

    vocabularies: dict[str, Vocabulary]
    fields: tuple[Field, ...]
    scaler: Scaler | Unscaled
    weighs: bool = False
    _made: WeakKeyDictionary[Part, Inputs] = field(init=False, default_factory=WeakKeyDictionary, repr=False)

    @classmethod
    def fit(cls, spec: NetworkSpec, train: Part) -> Preprocessing:
        """Fit on the training part what the network of ``spec`` reads."""
        if isinstance(spec, LastBlockSpec):
            return cls({}, (), Unscaled(train.numeric.shape[1]))
        if isinstance(spec, MlpSpec):
            return cls({}, (), Scaler.fit(train.numeric))
        vocabularies = {
            name: Vocabulary.fit(tokens, min_rows=spec.min_rows, max_tokens=spec.max_tokens)
            for name, tokens in train.text.items()
        }
        fields = tuple(
            Field(_table_rows(vocabulary, spec.max_tokens), _length(train.text[name], spec.max_length))
            for name, vocabulary in vocabularies.items()
        )
        scaler = Scaler.fit(train.numeric)
        if not isinstance(spec, TextBagSpec):
            return cls(vocabularies, fields, scaler)
        return cls(vocabularies, fields, scaler.times(spec.numeric_weight), spec.is_linear)

    @property
    def n_numeric(self) -> int:
        """Numbers of a row."""
        return self.scaler.columns if isinstance(self.scaler, Unscaled) else len(self.scaler.mean)

    def shape(self, n_labels: int, backbone: Backbone | None = None) -> Shape:
        """Return what a network on these inputs is built for; ``backbone``: whose last block it trains further."""
        return Shape(self.fields, self.n_numeric, n_labels, backbone=backbone)

    def inputs(self, part: Part) -> Inputs:
        """Return ``text_<i>``, (n, length) int32, for the i-th text field, and ``numeric``, (n, k) float32, if k > 0.

        Tokens that are weighed come with ``text_<i>_weights``; see :func:`weighed`.

        Fields are numbered because a column's name may hold what Keras allows in no name. The inputs of a part are made
        once: it is trained on, looked at after every epoch, and scored at the end.
        """
        if part not in self._made:
            inputs: Inputs = {
                f"text_{i}": vocabulary.pad(part.text[name], of.length)
                for i, ((name, vocabulary), of) in enumerate(zip(self.vocabularies.items(), self.fields, strict=True))
            }
            if self.weighs:
                inputs |= weighed(inputs, [vocabulary.idf for vocabulary in self.vocabularies.values()])
            self._made[part] = inputs | ({NUMERIC: self.scaler.transform(part.numeric)} if self.n_numeric else {})
        return self._made[part]

    def to_json(self) -> dict[str, Any]:
        """Return plain lists; floats survive JSON exactly."""
        fields = {
            name: {"table_rows": field.table_rows, "length": field.length, **vocabulary.to_json()}
            for (name, vocabulary), field in zip(self.vocabularies.items(), self.fields, strict=True)
        }
        stored = {"fields": fields, "scaler": self.scaler.to_json()}
        return stored | ({"weighs": True} if self.weighs else {})

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Preprocessing:
        """Return what :meth:`to_json` stored."""
        vocabularies = {name: Vocabulary.from_json(field) for name, field in stored["fields"].items()}
        fields = tuple(Field(field["table_rows"], field["length"]) for field in stored["fields"].values())
        scaler = stored["scaler"]
        scaled = Unscaled(**scaler) if "columns" in scaler else Scaler.from_json(scaler)
        return cls(vocabularies, fields, scaled, stored.get("weighs", False))


def weighed(fields: Inputs, idf: Sequence[npt.NDArray[np.float64]]) -> Inputs:
    """Return the TF-IDF of tokens as weights: all fields side by side, each row of L2 norm 1, as ``linear.tfidf``.

    Args:
        fields: name to ids, (n, length), 0 is padding.
        idf: of each field, (n_tokens,); that of id i is at i - 1.

    Returns:
        ``<name>_weights``, (n, length) float32, for each field. The first of equal tokens of a row has the weight of
        all, the others 0; so has padding.
    """
    weights = [_counts(ids) * np.concatenate([[0.0], of])[ids] for ids, of in zip(fields.values(), idf, strict=True)]
    norm = np.sqrt(sum((of * of).sum(axis=1) for of in weights))
    scale = np.divide(1.0, norm, out=np.zeros_like(norm), where=norm > 0)[:, None]
    return {f"{name}_weights": (of * scale).astype(np.float32) for name, of in zip(fields, weights, strict=True)}


def _counts(ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return how often the token at each place is in its row, (n, length); 0 for all but the first of equal ones."""
    order = np.argsort(ids, axis=1, kind="stable")
    ordered = np.take_along_axis(ids, order, axis=1)
    is_first = np.ones(ids.shape, dtype=bool)
    is_first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
    starts = np.flatnonzero(is_first)
    lengths = np.zeros(ids.size, dtype=np.int64)
    lengths[starts] = np.diff(starts, append=ids.size)
    counts = np.zeros(ids.shape, dtype=np.int64)
    np.put_along_axis(counts, order, lengths.reshape(ids.shape), axis=1)
    return counts


def check(spec: NetworkSpec, data: Dataset) -> None:
    """Refuse a network that could read nothing of the data, or would ignore its text.

    Images count as numbers, which their backbone makes of them.

    Raises:
        UserError: no numbers for ``mlp`` and no images that a backbone makes numbers of, or text that it would ignore;
            no images for ``last_block``; no text for the others.
    """
    images = data.train.images is not None
    if isinstance(spec, LastBlockSpec):
        if not (images or data.numeric):  # a backbone has made numbers of the images where it has run already
            raise UserError("model.kind 'last_block' reads images, but the dataset has none; use another model")
        return
    if isinstance(spec, MlpSpec) and not (images or data.numeric):
        raise UserError("model.kind 'mlp' reads numbers, but dataset.numeric names no column; use text_bag")
    if isinstance(spec, MlpSpec) and data.train.text:
        fields = ", ".join(data.train.text)
        raise UserError(
            f"model.kind 'mlp' reads numbers alone and would ignore {fields}; use text_bag, or leave them out"
        )
    if not isinstance(spec, MlpSpec) and images and not data.train.text:
        raise UserError(
            f"model.kind {spec.kind!r} reads text, but the dataset has images; use mlp, which reads the numbers that "
            "dataset.backbone makes of them"
        )
    if not isinstance(spec, MlpSpec) and not data.train.text:
        raise UserError(f"model.kind {spec.kind!r} reads text, but the dataset has no text or list column; use mlp")


def check_output(spec: NetworkSpec, training: TrainingSpec, data: Dataset) -> None:
    """Refuse a network over label sets whose output layer this machine cannot hold while it trains; nothing is built.

    Raises:
        UserError: weights, their gradient and moments, and the logits of a batch take more than there is.
    """
    if spec.head not in SET_HEADS:
        return
    labels, seen = len(data.labels), SeenSets.of(data.train.y).count
    layer = OutputLayer(_width(spec, data), 1 << labels if spec.head == "powerset" else seen)
    moments = 1 if training.momentum else MOMENTS[training.optimizer]
    parts = layer.training_bytes(min(training.batch_size, len(data.train.y)), moments)
    there = machine_bytes()
    if there is None or sum(parts.values()) <= there:
        return
    columns = f"2^{labels} = {short(layer.columns)}" if spec.head == "powerset" else f"{seen:,}"
    beyond = " (no 64-bit index counts them)" if layer.columns >= 2**63 else ""
    made_up = ", ".join(f"{name} {in_words(size)}" for name, size in parts.items() if size)
    others = f"model.head seen_sets ({seen:,} columns here), " if spec.head == "powerset" else ""
    raise UserError(
        f"model.head {spec.head!r} with {labels:,} labels needs an output layer of {columns} columns{beyond}: "
        f"at least {in_words(sum(parts.values()))} to train it ({made_up}), and this machine has {in_words(there)}; "
        f"use {others}model.head sigmoid, fewer labels or a smaller training.batch_size"
    )


def _width(spec: NetworkSpec, data: Dataset) -> int:
    """Columns of what goes into the output layer."""
    if spec.hidden:
        return spec.hidden[-1]
    numbers, fields = int(data.train.numeric.shape[1]), len(data.train.text)
    match spec:
        case MlpSpec():
            return numbers
        case LastBlockSpec():
            return 0  # known once the block is built: the biases alone are counted
        case _:
            return fields * spec.vector + numbers


def _table_rows(vocabulary: Vocabulary, max_tokens: int) -> int:
    """Rows of an embedding table: padding, the tokens, and room up to the next step."""
    return min(-(-(len(vocabulary.tokens) + 1) // TABLE_STEP) * TABLE_STEP, max_tokens + 1)


def _length(tokens: Tokens, max_length: int) -> int:
    """Tokens kept of a field: those of the longest training row, rounded up, for shorter padding is faster."""
    return min(-(-max(1, int(tokens.lengths.max())) // LENGTH_STEP) * LENGTH_STEP, max_length)
