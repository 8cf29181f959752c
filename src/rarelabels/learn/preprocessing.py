"""From rows of a data set to the inputs of a network: token ids for each text field, numbers, one-hot categories.

All preprocessing is fitted on the training part. It is saved as JSON beside the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.fitted import OneHot, Scaler, Vocabulary
from rarelabels.data.tokens import Tokens
from rarelabels.declare.backbones import Backbone
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
MOMENTS = {"adam": 2, "adamw": 2, "sgd": 0}  # numbers that an optimizer keeps for each weight; sgd with momentum: 1
TABLE_STEP = 1024  # embedding tables are padded to a multiple, so that the seeds of a trial share one compiled network


@dataclass(frozen=True)
class Field:
    """The sizes of a text field: the rows of its embedding table, and the most tokens of a row of data."""

    table_rows: int
    length: int


@dataclass(frozen=True)
class Shape:
    """The sizes for which a network is built.

    Attributes:
        fields: the text fields.
        n_numeric: numbers of a row.
        n_labels: the number of labels.
        n_sets: the number of label sets; None if the head scores single labels.
        backbone: whose last block the network trains further; None if it trains none.
    """

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
    """Numbers that go into the network unscaled, because its pretrained weights expect that."""

    columns: int

    def transform(self, x: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
        """Return (n, columns) float32."""
        return x.astype(np.float32)

    def to_json(self) -> dict[str, int]:
        """Return the number of columns."""
        return {"columns": self.columns}


@dataclass(frozen=True, eq=False)
class Preprocessing:
    """The fitted preprocessing of a network.

    Attributes:
        vocabularies: by text field.
        fields: the sizes of the text fields.
        scaler: scales the numbers, or leaves them as they are.
        weighs: whether tokens get TF-IDF weights, see :func:`weighed`.
        one_hot: the values of categories; their columns come after the numbers.
    """

    vocabularies: dict[str, Vocabulary]
    fields: tuple[Field, ...]
    scaler: Scaler | Unscaled
    weighs: bool = False
    one_hot: OneHot = field(default_factory=OneHot)
    _made: WeakKeyDictionary[Part, Inputs] = field(init=False, default_factory=WeakKeyDictionary, repr=False)

    @classmethod
    def fit(
        cls, spec: NetworkSpec, train: Part, numeric: Sequence[str] = (), *, may_miss: bool = False
    ) -> Preprocessing:
        """Fit the preprocessing for the network of ``spec`` on the training part.

        Args:
            spec: the declared network.
            train: the training part.
            numeric: the names of its numbers, for messages.
            may_miss: whether numbers are missing in any part.

        Raises:
            UserError: a column of numbers has none in the training part.
        """
        if isinstance(spec, LastBlockSpec):
            return cls({}, (), Unscaled(train.numeric.shape[1]))
        scaler, one_hot = Scaler.fit(train.numeric, numeric, may_miss=may_miss), OneHot.fit(train.categories)
        if isinstance(spec, MlpSpec):
            return cls({}, (), scaler, one_hot=one_hot)
        vocabularies = {
            name: Vocabulary.fit(tokens, min_rows=spec.min_rows, max_tokens=spec.max_tokens)
            for name, tokens in train.text.items()
        }
        fields = tuple(
            Field(_table_rows(vocabulary, spec.max_tokens), _length(train.text[name], spec.max_length))
            for name, vocabulary in vocabularies.items()
        )
        if not isinstance(spec, TextBagSpec):
            return cls(vocabularies, fields, scaler, one_hot=one_hot)
        weight = spec.numeric_weight
        return cls(vocabularies, fields, scaler.times(weight), spec.is_linear, one_hot.times(weight))

    @property
    def n_numeric(self) -> int:
        """Numbers of a row, with the columns that say which of them are missing, and those of categories."""
        numbers = self.scaler.columns if isinstance(self.scaler, Unscaled) else len(self.scaler.mean)
        return numbers + self.one_hot.width

    def shape(self, n_labels: int, backbone: Backbone | None = None) -> Shape:
        """Return the sizes of a network on these inputs; it trains the last block of ``backbone`` further, if given."""
        return Shape(self.fields, self.n_numeric, n_labels, backbone=backbone)

    def inputs(self, part: Part) -> Inputs:
        """Return ``text_<i>``, (n, length) int32, for the i-th text field, and ``numeric``, (n, k) float32, if k > 0.

        Weighted tokens also have ``text_<i>_weights``; see :func:`weighed`.

        Fields are numbered, because the name of a column may have characters that Keras forbids in names. The inputs of
        a part are made once and kept, because they are used for training, after every epoch, and for the final scores.
        """
        if part not in self._made:
            inputs: Inputs = {
                f"text_{i}": vocabulary.pad(part.text[name], size.length)
                for i, ((name, vocabulary), size) in enumerate(zip(self.vocabularies.items(), self.fields, strict=True))
            }
            if self.weighs:
                idf = [vocabulary.idf for vocabulary in self.vocabularies.values()]
                inputs |= weighed(inputs, idf, self._values(part))
            self._made[part] = inputs | ({NUMERIC: self._numbers(part)} if self.n_numeric else {})
        return self._made[part]

    def _values(self, part: Part) -> list[npt.NDArray[np.float64] | None]:
        return [
            vocabulary.pad_values(part.text[name], size.length)
            for (name, vocabulary), size in zip(self.vocabularies.items(), self.fields, strict=True)
        ]

    def _numbers(self, part: Part) -> npt.NDArray[np.float32]:
        numbers = self.scaler.transform(part.numeric)
        if not self.one_hot.values:
            return numbers
        return np.hstack([numbers, self.one_hot.transform(part.categories).toarray()])

    def to_json(self) -> dict[str, Any]:
        """Return plain lists; floats survive JSON exactly."""
        fields = {
            name: {"table_rows": field.table_rows, "length": field.length, **vocabulary.to_json()}
            for (name, vocabulary), field in zip(self.vocabularies.items(), self.fields, strict=True)
        }
        stored = {"fields": fields, "scaler": self.scaler.to_json()}
        stored |= {"categories": self.one_hot.to_json()} if self.one_hot.values else {}
        return stored | ({"weighs": True} if self.weighs else {})

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Preprocessing:
        """Return the preprocessing that :meth:`to_json` stored."""
        vocabularies = {name: Vocabulary.from_json(field) for name, field in stored["fields"].items()}
        fields = tuple(Field(field["table_rows"], field["length"]) for field in stored["fields"].values())
        scaler = stored["scaler"]
        scaled = Unscaled(**scaler) if "columns" in scaler else Scaler.from_json(scaler)
        one_hot = OneHot.from_json(stored["categories"]) if "categories" in stored else OneHot()
        return cls(vocabularies, fields, scaled, stored.get("weighs", False), one_hot)


def weighed(
    fields: Inputs,
    idf: Sequence[npt.NDArray[np.float64]],
    values: Sequence[npt.NDArray[np.float64] | None] | None = None,
) -> Inputs:
    """Return the TF-IDF of tokens as weights. Each row, with all its fields, has L2 norm 1, as in ``linear.tfidf``.

    Args:
        fields: name to ids, (n, length), 0 is padding.
        idf: of each field, (n_tokens,); the idf of id i is at i - 1.
        values: of each field, (n, length), what each token counts in place of how often it occurs; None: that.

    Returns:
        ``<name>_weights``, (n, length) float32, for each field. If a row has a token several times, its first place has
        the weight of all, and the other places have weight 0. Padding has weight 0.
    """
    weights = [
        (_counts(ids) if value is None else value) * np.concatenate([[0.0], of])[ids]
        for ids, of, value in zip(fields.values(), idf, values or [None] * len(fields), strict=True)
    ]
    norm = np.sqrt(sum((of * of).sum(axis=1) for of in weights))
    scale = np.divide(1.0, norm, out=np.zeros_like(norm), where=norm > 0)[:, None]
    return {f"{name}_weights": (of * scale).astype(np.float32) for name, of in zip(fields, weights, strict=True)}


def _counts(ids: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """Return how often the token at each place occurs in its row, (n, length); 0 at all but the token's first place."""
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
    """Refuse a network that could not read the data, or would ignore their text.

    Images count as numbers, because their backbone turns them into numbers.

    Raises:
        UserError: ``mlp`` has neither numbers nor images to read, or would ignore text; ``last_block`` has no images;
            another network has no text.
    """
    images = data.train.images is not None
    if isinstance(spec, LastBlockSpec):
        if not (images or data.numeric):  # numbers, if the backbone has already replaced the images
            raise UserError("model.kind 'last_block' reads images, but the dataset has none; use another model")
        return
    if isinstance(spec, MlpSpec) and not (images or data.numeric or data.train.categories):
        raise UserError(
            "model.kind 'mlp' reads numbers and categories, but the dataset names no column of either; use text_bag"
        )
    if isinstance(spec, MlpSpec) and data.train.text:
        fields = ", ".join(data.train.text)
        raise UserError(
            f"model.kind 'mlp' reads numbers and categories alone and would ignore {fields}; use text_bag, or "
            "leave them out"
        )
    valued = [name for name, tokens in data.train.text.items() if tokens.values is not None]
    if valued and not (isinstance(spec, TextBagSpec) and spec.is_linear):
        raise UserError(
            f"model.kind {spec.kind!r} would ignore the values that the entries of {', '.join(valued)} have; use "
            "linear, or text_bag with width: 0 and wide: true"
        )
    if not isinstance(spec, MlpSpec) and images and not data.train.text:
        raise UserError(
            f"model.kind {spec.kind!r} reads text, but the dataset has images; use mlp, which reads the numbers that "
            "dataset.backbone makes of them"
        )
    if not isinstance(spec, MlpSpec) and not data.train.text:
        raise UserError(f"model.kind {spec.kind!r} reads text, but the dataset has no text or list column; use mlp")


def check_output(spec: NetworkSpec, training: TrainingSpec, data: Dataset) -> None:
    """Refuse a network over label sets if this machine has too little memory to train its output layer.

    Nothing is built for this check.

    Raises:
        UserError: weights, gradients, moments and the logits of a batch need more memory than the machine has.
    """
    if spec.head not in SET_HEADS:
        return
    labels, seen = len(data.labels), SeenSets.of(data.train.y).count
    layer = OutputLayer(_width(spec, data), 1 << labels if spec.head == "powerset" else seen)
    moments = 1 if training.momentum else MOMENTS[training.optimizer]
    parts = layer.training_bytes(min(training.batch_size, len(data.train.y)), moments)
    available = machine_bytes()
    if available is None or sum(parts.values()) <= available:
        return
    columns = f"2^{labels} = {short(layer.columns)}" if spec.head == "powerset" else f"{seen:,}"
    beyond = " (more than a 64-bit index can count)" if layer.columns >= 2**63 else ""
    made_up = ", ".join(f"{name} {in_words(size)}" for name, size in parts.items() if size)
    others = f"model.head seen_sets ({seen:,} columns here), " if spec.head == "powerset" else ""
    raise UserError(
        f"model.head {spec.head!r} with {labels:,} labels needs an output layer of {columns} columns{beyond}: "
        f"at least {in_words(sum(parts.values()))} to train it ({made_up}), and this machine has "
        f"{in_words(available)}; use {others}model.head sigmoid, fewer labels or a smaller training.batch_size"
    )


def _width(spec: NetworkSpec, data: Dataset) -> int:
    """Return the number of inputs of the output layer."""
    if spec.hidden:
        return spec.hidden[-1]
    values = sum(len(np.unique(rows.ids)) for rows in data.train.categories.values())
    numbers, fields = int(data.train.numeric.shape[1]) + values, len(data.train.text)
    match spec:
        case MlpSpec():
            return numbers
        case LastBlockSpec():
            return 0  # unknown until the block is built, so that only biases are counted
        case _:
            return fields * spec.vector + numbers


def _table_rows(vocabulary: Vocabulary, max_tokens: int) -> int:
    """Return the number of rows of an embedding table: padding and tokens, rounded up to the next step."""
    return min(-(-(len(vocabulary.tokens) + 1) // TABLE_STEP) * TABLE_STEP, max_tokens + 1)


def _length(tokens: Tokens, max_length: int) -> int:
    """Return the most tokens of a field: those of the longest training row, rounded up, ``max_length`` at most.

    Less padding is faster.
    """
    return min(-(-max(1, int(tokens.lengths.max())) // LENGTH_STEP) * LENGTH_STEP, max_length)
