"""The losses of the suite for any Keras model. Each is a ``keras.losses.Loss`` of 0/1 labels and logits.

The last layer of the model must have no activation; scores are the sigmoid of its output. Each loss takes
``reduction``, ``name`` and ``dtype`` like Keras's own losses, and sample weights weigh its rows. A model is saved
together with its compiled loss. ``keras.saving.load_model`` knows the losses once ``rl.losses`` has been imported. The
studies train with the same classes. The formulas are in ``loss_formulas``. With ``unknown=True``, labels that are NaN
or negative are not known, and left out; see ``LogitLoss``.

>>> import keras, rarelabels as rl
>>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
>>> model.compile("adam", loss=rl.losses.Asymmetric(gamma_negative=4))
"""

from __future__ import annotations

from typing import Any, assert_never

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.declare import losses as declared
from rarelabels.declare.models import SET_HEADS
from rarelabels.declare.own import OwnLoss
from rarelabels.errors import UserError
from rarelabels.learn import loss_formulas
from rarelabels.learn.keras_backend import keras, tf
from rarelabels.learn.logit_loss import LogitLoss, option, per_label, scalar
from rarelabels.learn.loss_formulas import Tensor
from rarelabels.learn.weighting import Weights

__all__ = [
    "Asymmetric",
    "BinaryCrossentropy",
    "BinaryFocal",
    "CategoricalCrossentropy",
    "DistributionBalanced",
    "Hamming",
    "Hill",
    "LogitAdjusted",
    "SelfPacedCorrection",
    "SoftF1",
    "WeightedBinaryCrossentropy",
]


def __dir__() -> list[str]:
    return __all__


HEADS, FORMS = ("sigmoid", "softmax"), ("shipped", "textbook")
_serialisable = keras.saving.register_keras_serializable(package="rarelabels")


@_serialisable
class BinaryCrossentropy(LogitLoss):
    """Binary cross-entropy, mean over labels: −y log p − (1−y) log(1−p).

    With ``head="softmax"`` and ``form="textbook"``, p is the softmax of the logits. Otherwise p is their sigmoid, as in
    Keras, which trains with the sigmoid under either activation.

    Args:
        head: how logits become scores, ``"sigmoid"`` or ``"softmax"``.
        form: ``"shipped"``, the formula that Keras trains, or ``"textbook"``, the printed formula.
        label_smoothing: ε, from 0 to below 1; targets are y·(1−ε) + ε/2.
        **keras_arguments: ``reduction``, ``name``, ``dtype``; and ``unknown``, with a sigmoid head.

    Raises:
        UserError: an argument is not allowed.

    >>> import rarelabels as rl
    >>> round(float(rl.losses.BinaryCrossentropy()([[1.0, 0.0]], [[0.0, 0.0]])), 4)
    0.6931
    >>> round(float(rl.losses.BinaryCrossentropy(unknown=True)([[1.0, float("nan")]], [[0.0, 5.0]])), 4)
    0.6931
    """

    takes_unknown = True

    def __init__(
        self, head: str = "sigmoid", form: str = "shipped", label_smoothing: float = 0.0, **keras_arguments: Any
    ) -> None:
        super().__init__(**keras_arguments)
        self.settings = {"head": option(self, "head", head, HEADS), "form": option(self, "form", form, FORMS)}
        if label_smoothing != 0:
            self.settings["label_smoothing"] = float(scalar(self, "label_smoothing", label_smoothing, below=1))
        if self.unknown and head == "softmax":
            raise UserError("BinaryCrossentropy: unknown: must be False with head='softmax', whose labels compete")

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (batch,)."""
        y, z, known = self.cells(y_true, y_pred)
        if smoothing := self.settings.get("label_smoothing"):
            y = loss_formulas.smoothed(y, smoothing)
        if (self.settings["head"], self.settings["form"]) == ("softmax", "textbook"):
            return loss_formulas.softmax_binary_crossentropy(y, z)
        return loss_formulas.binary_crossentropy(y, z, known)


@_serialisable
class WeightedBinaryCrossentropy(LogitLoss):
    """Binary cross-entropy with factors on each label's positives and negatives; mean over labels.

    Args:
        pos_weight: factor on the term of positives, a number or (n_labels,); see ``rl.pos_weight``.
        negative_weight: factor on the term of negatives, a number or (n_labels,).
        **keras_arguments: ``reduction``, ``name``, ``dtype``, ``unknown``.

    Raises:
        UserError: a weight is negative or not finite.

    >>> import rarelabels as rl
    >>> round(float(rl.losses.WeightedBinaryCrossentropy([3.0, 1.0])([[1.0, 0.0]], [[0.0, 0.0]])), 4)  # 2 ln 2
    1.3863
    """

    takes_unknown = True

    def __init__(self, pos_weight: ArrayLike, negative_weight: ArrayLike = 1.0, **keras_arguments: Any) -> None:
        super().__init__(**keras_arguments)
        self.numbers = {
            "pos_weight": per_label(self, "pos_weight", pos_weight),
            "negative_weight": per_label(self, "negative_weight", negative_weight),
        }

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (batch,)."""
        y, z, known = self.cells(y_true, y_pred)
        factors = self.number("pos_weight", z), self.number("negative_weight", z)
        return loss_formulas.weighted_binary_crossentropy(y, z, *factors, known)


@_serialisable
class BinaryFocal(LogitLoss):
    """Focal loss (Lin et al. 2017): (1−p_t)^γ · BCE, where p_t is the predicted probability of the true target.

    Args:
        gamma: γ, 0 or more; with 0 it is binary cross-entropy.
        alpha: factor on positives; the factor on negatives is 1 − alpha. With None, both factors are 1.
        over_labels: ``"mean"``, or ``"sum"``, which has the scale of TensorFlow Addons.
        **keras_arguments: ``reduction`` (over rows), ``name``, ``dtype``, ``unknown``.

    Raises:
        UserError: an argument is not allowed.

    >>> import rarelabels as rl
    >>> round(float(rl.losses.BinaryFocal(gamma=2.0)([[1.0]], [[0.0]])), 4)  # ln 2 / 4
    0.1733
    """

    takes_unknown = True

    def __init__(
        self, gamma: float = 2.0, alpha: float | None = None, over_labels: str = "mean", **keras_arguments: Any
    ) -> None:
        super().__init__(**keras_arguments)
        self.settings = {"alpha": None, "over_labels": option(self, "over_labels", over_labels, ("mean", "sum"))}
        self.numbers = {"gamma": scalar(self, "gamma", gamma)}
        if alpha is not None:
            positives = scalar(self, "alpha", alpha, above=0, below=1)
            self.numbers |= {"alpha": positives, "others": 1 - positives}

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (batch,)."""
        y, z, known = self.cells(y_true, y_pred)
        alpha = (self.number("alpha", z), self.number("others", z)) if "alpha" in self.numbers else None
        return loss_formulas.binary_focal(y, z, self.number("gamma", z), alpha, self.settings["over_labels"], known)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the loss, as JSON has them."""
        return {name: value for name, value in super().get_config().items() if name != "others"}


@_serialisable
class CategoricalCrossentropy(LogitLoss):
    """Categorical cross-entropy of multi-hot rows, sum over labels. The labels of a row compete.

    Args:
        head: how logits become scores, ``"sigmoid"`` or ``"softmax"``; it matters only for ``textbook``.
        form: ``"shipped"``, with Keras's gradient softmax(z) − y; or ``"textbook"``, with the formula's own gradient.
        targets: ``"multi_hot"``; or ``"normalised"``, 1/k for each of a row's k labels.
        **keras_arguments: ``reduction``, ``name``, ``dtype``.

    Raises:
        UserError: an argument is not allowed.

    >>> import rarelabels as rl
    >>> round(float(rl.losses.CategoricalCrossentropy()([[1.0, 1.0, 0.0]], [[0.0, 0.0, 0.0]])), 4)  # 2 · ln 3
    2.1972
    """

    def __init__(
        self, head: str = "softmax", form: str = "shipped", targets: str = "multi_hot", **keras_arguments: Any
    ) -> None:
        super().__init__(**keras_arguments)
        self.settings = {"head": option(self, "head", head, HEADS), "form": option(self, "form", form, FORMS)}
        self.settings["targets"] = option(self, "targets", targets, ("multi_hot", "normalised"))

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (batch,)."""
        y, z = self.checked(y_true, y_pred)
        head, form = self.settings["head"], self.settings["form"]
        if self.settings["targets"] == "normalised":
            return loss_formulas.normalised_categorical_crossentropy(y, z, head, form)
        return loss_formulas.categorical_crossentropy(y, z, head, form)


@_serialisable
class Asymmetric(LogitLoss):
    """Asymmetric loss (Ridnik et al. 2021): focal loss with another γ and a shift for negatives; mean over labels.

    Args:
        gamma_positive: γ₊, 0 or more.
        gamma_negative: γ₋, 0 or more.
        shift: m, from 0 to below 1; a negative whose probability is below the shift costs nothing.
        **keras_arguments: ``reduction``, ``name``, ``dtype``, ``unknown``.

    Raises:
        UserError: an argument is not allowed.

    >>> import rarelabels as rl
    >>> round(float(rl.losses.Asymmetric()([[1.0, 0.0]], [[0.0, 0.0]])), 4)  # (0.3466 + 0.0245) / 2
    0.1855
    """

    takes_unknown = True

    def __init__(
        self, gamma_positive: float = 1.0, gamma_negative: float = 4.0, shift: float = 0.05, **keras_arguments: Any
    ) -> None:
        super().__init__(**keras_arguments)
        self.settings = {
            "gamma_positive": float(scalar(self, "gamma_positive", gamma_positive)),
            "gamma_negative": float(scalar(self, "gamma_negative", gamma_negative)),
            "shift": float(scalar(self, "shift", shift, below=1)),
        }

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (batch,)."""
        y, z, known = self.cells(y_true, y_pred)
        return loss_formulas.asymmetric(y, z, **self.settings, known=known)


@_serialisable
class DistributionBalanced(LogitLoss):
    """Rebalanced weights and negative-tolerant regularisation (Wu et al. 2020), mean over labels.

    Args:
        prevalence: share of positives of each label in the training part, (n_labels,); see ``rl.prevalence``.
        alpha: added to every smoothed weight, 0 or more.
        beta: steepness of the smoothing, above 0.
        mu: the ratio at which the smoothing is steepest, 0 or more.
        kappa: factor on a label's log odds, which are added to its logits; 0 or more.
        negative_scale: λ, above 0; the greater it is, the sooner the pull on negatives fades.
        **keras_arguments: ``reduction``, ``name``, ``dtype``, ``unknown``.

    Raises:
        UserError: an argument is not allowed.

    >>> import rarelabels as rl
    >>> round(float(rl.losses.DistributionBalanced([0.5, 0.1])([[0.0, 1.0]], [[0.0, 0.0]])), 4)
    0.5161
    """

    takes_unknown = True

    def __init__(
        self,
        prevalence: ArrayLike,
        alpha: float = 0.1,
        beta: float = 10.0,
        mu: float = 0.2,
        kappa: float = 0.05,
        negative_scale: float = 2.0,
        **keras_arguments: Any,
    ) -> None:
        super().__init__(**keras_arguments)
        self.numbers = {"prevalence": per_label(self, "prevalence", prevalence, shares=True)}
        self.settings = {
            "alpha": float(scalar(self, "alpha", alpha)),
            "beta": float(scalar(self, "beta", beta, above=0)),
            "mu": float(scalar(self, "mu", mu)),
            "kappa": float(scalar(self, "kappa", kappa)),
            "negative_scale": float(scalar(self, "negative_scale", negative_scale, above=0)),
        }

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (batch,)."""
        y, z, known = self.cells(y_true, y_pred)
        return loss_formulas.distribution_balanced(y, z, self.number("prevalence", z), **self.settings, known=known)


@_serialisable
class LogitAdjusted(LogitLoss):
    """Binary cross-entropy of z + τ·log(π/(1−π)), mean over labels (Menon et al. 2021). Scores are σ(z).

    Args:
        prevalence: π, share of positives of each label in the training part, (n_labels,); see ``rl.prevalence``.
        tau: τ, above 0.
        **keras_arguments: ``reduction``, ``name``, ``dtype``, ``unknown``.

    Raises:
        UserError: an argument is not allowed.

    >>> import rarelabels as rl
    >>> round(float(rl.losses.LogitAdjusted([0.1])([[1.0]], [[0.0]])), 4)  # ln 10
    2.3026
    """

    takes_unknown = True

    def __init__(self, prevalence: ArrayLike, tau: float = 1.0, **keras_arguments: Any) -> None:
        super().__init__(**keras_arguments)
        self.numbers = {
            "prevalence": per_label(self, "prevalence", prevalence, shares=True),
            "tau": scalar(self, "tau", tau, above=0),
        }

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (batch,)."""
        y, z, known = self.cells(y_true, y_pred)
        return loss_formulas.logit_adjusted(y, z, self.number("prevalence", z), self.number("tau", z), known)


@_serialisable
class Hill(LogitLoss):
    """Focal loss with a margin for positives, (λ−p)·p² for negatives; mean over labels (Zhang et al. 2021).

    It is made for labels whose zeros may be positives that nobody annotated: a negative with a high probability pulls
    less than one in the middle.

    Args:
        lamb: λ, 1 or more.
        margin: m, which is subtracted from the logits of positives; 0 or more.
        gamma: γ of the positives' focal loss, 0 or more.
        **keras_arguments: ``reduction``, ``name``, ``dtype``, ``unknown``.

    Raises:
        UserError: an argument is not allowed.

    >>> import rarelabels as rl
    >>> round(float(rl.losses.Hill()([[1.0, 0.0]], [[0.0, 0.0]])), 4)  # (0.7019 + 0.25) / 2
    0.4759
    """

    takes_unknown = True

    def __init__(self, lamb: float = 1.5, margin: float = 1.0, gamma: float = 2.0, **keras_arguments: Any) -> None:
        super().__init__(**keras_arguments)
        if lamb < 1:
            raise UserError(f"Hill: lamb: must be 1 or more, so that no negative has a loss below 0; got {lamb!r}")
        self.settings = {
            "lamb": float(scalar(self, "lamb", lamb)),
            "margin": float(scalar(self, "margin", margin)),
            "gamma": float(scalar(self, "gamma", gamma)),
        }

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (batch,)."""
        y, z, known = self.cells(y_true, y_pred)
        return loss_formulas.hill(y, z, **self.settings, known=known)


@_serialisable
class SelfPacedCorrection(LogitLoss):
    """SPLC (Zhang et al. 2021): from an epoch on, a negative with a high probability is taken for a positive.

    The loss is focal, with a margin for positives; mean over labels. Let Keras tell it the epoch:
    ``model.fit(..., callbacks=[loss.callback()])``. Without that, it stays in epoch 1.

    Args:
        tau: τ, between 0 and 1; a negative above this probability is taken for a positive.
        correct_from: the first epoch with corrections, counted from 1.
        margin: m, which is subtracted from the logits of positives; 0 or more.
        gamma: γ of the focal loss, 0 or more.
        **keras_arguments: ``reduction``, ``name``, ``dtype``, ``unknown``.

    Raises:
        UserError: an argument is not allowed.

    >>> import rarelabels as rl
    >>> loss = rl.losses.SelfPacedCorrection(correct_from=2)
    >>> round(float(loss([[0.0]], [[2.0]])), 4)  # 0.8808² · 2.1269
    1.6501
    >>> loss.begin_epoch(2)
    >>> round(float(loss([[0.0]], [[2.0]])), 4)  # 0.1192² · 0.1269
    0.0018
    """

    takes_unknown = True

    def __init__(
        self,
        tau: float = 0.6,
        correct_from: int = 2,
        margin: float = 1.0,
        gamma: float = 2.0,
        **keras_arguments: Any,
    ) -> None:
        super().__init__(**keras_arguments)
        self.settings = {
            "tau": float(scalar(self, "tau", tau, above=0, below=1)),
            "correct_from": int(scalar(self, "correct_from", correct_from, above=0)),
            "margin": float(scalar(self, "margin", margin)),
            "gamma": float(scalar(self, "gamma", gamma)),
        }
        self.numbers = {"corrects": np.float64(self.settings["correct_from"] <= 1)}

    def begin_epoch(self, epoch: int) -> None:
        """Correct labels from the epoch ``correct_from`` on."""
        corrects = np.float64(epoch >= self.settings["correct_from"])
        if isinstance(self.numbers["corrects"], tf.Variable):
            self.numbers["corrects"].assign(corrects)
        else:
            self.numbers["corrects"] = corrects

    def callback(self) -> Any:
        """Return a callback for Keras's ``fit`` that tells this loss when an epoch begins."""
        self.make_variables()  # a compiled step reads a variable anew in each epoch
        return keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, _: self.begin_epoch(epoch + 1))

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (batch,)."""
        y, z, known = self.cells(y_true, y_pred)
        settings = {name: value for name, value in self.settings.items() if name != "correct_from"}
        return loss_formulas.self_paced_correction(y, z, self.number("corrects", z), **settings, known=known)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the loss, as JSON has them."""
        return {name: value for name, value in super().get_config().items() if name != "corrects"}


@_serialisable
class Hamming(LogitLoss):
    """y(1−p) + (1−y)p, mean over labels: the expected share of wrong labels if they are drawn with their probabilities.

    Args:
        **keras_arguments: ``reduction``, ``name``, ``dtype``, ``unknown``.

    >>> import rarelabels as rl
    >>> float(rl.losses.Hamming()([[1.0, 0.0]], [[0.0, 0.0]]))
    0.5
    """

    takes_unknown = True

    def __init__(self, **keras_arguments: Any) -> None:
        super().__init__(**keras_arguments)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (batch,)."""
        return loss_formulas.hamming(*self.cells(y_true, y_pred))


@_serialisable
class SoftF1(LogitLoss):
    """1 − macro F1 of the batch, with probabilities in place of decisions. All rows of a batch have the same loss.

    A row of sample weight 2 counts as two rows in the F1.

    Args:
        **keras_arguments: ``reduction``, ``name``, ``dtype``, ``unknown``.

    >>> import rarelabels as rl
    >>> float(rl.losses.SoftF1()([[1.0], [0.0]], [[0.0], [0.0]]))
    0.5
    """

    takes_unknown = True

    def __init__(self, **keras_arguments: Any) -> None:
        super().__init__(**keras_arguments)

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Return the loss. Row weights, (batch,), are used inside the F1."""
        return super().__call__(y_true if sample_weight is None else (y_true, sample_weight), y_pred)

    def call(self, y_true: Tensor | tuple[Tensor, Tensor], y_pred: Tensor) -> Tensor:
        """Return the loss of the batch for each row, (batch,). ``y_true`` is labels, or labels and row weights."""
        labels, rows = y_true if isinstance(y_true, tuple) else (y_true, None)
        y, z, known = self.cells(labels, y_pred)
        return loss_formulas.soft_f1(y, z, rows, known)


class LabelSetCrossentropy(LogitLoss):
    """Categorical cross-entropy of label sets, from each row's class, (batch,), and logits, (batch, n_sets)."""

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Return the mean of the rows' weighted losses.

        Keras's own method would make the classes float32, in which only whole numbers up to 2^24 are exact.
        """
        values = self.call(y_true, y_pred)
        return tf.reduce_mean(values if sample_weight is None else values * sample_weight)

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        """Return the loss of each row, (batch,)."""
        return loss_formulas.label_set_crossentropy(y_true, y_pred)


def build(spec: declared.LossSpec, head: str, weights: Weights, *, unknown: bool = False) -> LogitLoss:
    """Return the loss that ``spec`` declares for logits of a net with this ``head``.

    Args:
        spec: the declared loss.
        head: how the net's logits become scores; see ``models.Head``.
        weights: the numbers that the loss needs from the labels of the training part.
        unknown: whether labels may be unknown: NaN, or negative.

    Raises:
        UserError: labels may be unknown, and the loss needs all of them.
    """
    loss = _build(spec, head, weights)
    return loss.with_unknown() if unknown else loss


def _build(spec: declared.LossSpec, head: str, weights: Weights) -> LogitLoss:
    if head in SET_HEADS:  # the schema allows no other loss with them
        return LabelSetCrossentropy()
    match spec:
        case declared.BinaryCrossentropy():
            return BinaryCrossentropy(head, spec.form, spec.label_smoothing)
        case declared.WeightedBinaryCrossentropy():
            ones = np.ones_like(weights.prevalence)
            positive = ones if weights.positive is None else weights.positive
            negative = ones if weights.negative is None else weights.negative
            return WeightedBinaryCrossentropy(positive, negative)
        case declared.BinaryFocal():
            over_labels = "mean" if spec.reduction == "mean" else "sum"
            return BinaryFocal(spec.gamma, spec.alpha, over_labels)
        case declared.CategoricalCrossentropy():
            return CategoricalCrossentropy(head, spec.form, spec.targets)
        case declared.Asymmetric():
            return Asymmetric(spec.gamma_positive, spec.gamma_negative, spec.shift)
        case declared.DistributionBalanced():
            settings = spec.alpha, spec.beta, spec.mu, spec.kappa, spec.negative_scale
            return DistributionBalanced(weights.prevalence, *settings)
        case declared.LogitAdjusted():
            return LogitAdjusted(weights.prevalence, spec.tau)
        case declared.Hill():
            return Hill(spec.lamb, spec.margin, spec.gamma)
        case declared.SelfPacedCorrection():
            return SelfPacedCorrection(spec.tau, spec.correct_from, spec.margin, spec.gamma)
        case declared.Hamming():
            return Hamming()
        case declared.SoftF1():
            return SoftF1()
        case OwnLoss():
            return _own(spec, weights)
        case _:
            assert_never(spec)


def _own(spec: OwnLoss, weights: Weights) -> LogitLoss:
    made = spec.build(weights.prevalence)
    if not isinstance(made, LogitLoss):
        raise UserError(
            f"loss.kind {spec.kind!r}: its build must return a rarelabels.learn.logit_loss.LogitLoss; got a "
            f"{type(made).__name__}"
        )
    return made
