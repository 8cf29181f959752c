"""The base class of all losses in ``losses``: it reads logits, checks its inputs, and can change its numbers."""

from __future__ import annotations

from numbers import Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from rarelabels.errors import UserError
from rarelabels.learn.keras_backend import keras, tf
from rarelabels.learn.loss_formulas import Tensor


class LogitLoss(keras.losses.Loss):  # type: ignore[misc]  # keras is untyped
    """A loss of 0/1 labels and logits, both of shape (batch, n_labels).

    A subclass returns the loss of each row, (batch,), from ``call``; Keras weighs the rows and reduces.

    With ``unknown=True``, a label that is negative or NaN is not known. It adds nothing to the loss, and its logit has
    the gradient 0. The loss is the mean over the known cells of a batch: each row's sum over its known labels is
    divided by their mean number in a row.

    Attributes:
        takes_unknown: whether losses of this class can leave out cells; if so, they read them by :meth:`cells`.
        unknown: whether a label may be unknown.
        numbers: from a name to a number, or an array (n_labels,), that the formula reads at each call. After
            :meth:`make_variables` these are variables, so that one compiled network serves many values.
        settings: the other arguments of the loss. They are constants of a compiled network.
    """

    takes_unknown = False

    def __init__(
        self,
        *,
        from_logits: bool = True,
        unknown: bool = False,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        if from_logits is not True:
            raise UserError(
                f"{type(self).__name__}: from_logits: must be True, for this loss reads logits; got "
                f"{from_logits!r}; let the last layer have no activation, and take the sigmoid of what the model "
                "predicts"
            )
        if unknown and not self.takes_unknown:
            raise UserError(f"{type(self).__name__}: unknown: must be False, for this loss needs every label of a row")
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.unknown = bool(unknown)
        self.numbers, self.settings = dict[str, Any](), dict[str, Any]()

    def __call__(self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None) -> Tensor:
        """Return the reduced loss, as Keras calls it.

        Raises:
            UserError: the model ends in a sigmoid or softmax, so that the loss would apply a second sigmoid.
        """
        if hasattr(y_pred, "_keras_logits"):  # Keras marks the outputs of its sigmoid and softmax so
            raise UserError(
                f"{type(self).__name__}: reads logits, but the last layer of the model has an activation; let it "
                "have none (activation=None), and take the sigmoid of what the model predicts"
            )
        return super().__call__(y_true, y_pred, sample_weight)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the loss, as values for JSON."""
        numbers = {name: np.asarray(value).tolist() for name, value in self.numbers.items()}
        unknown = {"unknown": True} if self.unknown else {}
        return super().get_config() | {"from_logits": True} | unknown | self.settings | numbers  # type: ignore[no-any-return]  # as above

    def with_unknown(self) -> Self:
        """Return the same loss for labels that may be unknown.

        Raises:
            UserError: this loss needs every label of a row.
        """
        return type(self).from_config(self.get_config() | {"unknown": True})  # type: ignore[no-any-return]  # as above

    def begin_epoch(self, epoch: int) -> None:
        """Take note that an epoch begins, counted from 1. Most losses are the same in every epoch."""

    def make_variables(self) -> None:
        """Turn the numbers into variables. :meth:`take` can change these without another compilation."""
        self.numbers = {
            name: tf.Variable(value, dtype=self.dtype, trainable=False) for name, value in self.numbers.items()
        }

    def take(self, other: LogitLoss) -> None:
        """Give the variables the numbers of another loss of this class."""
        for name, variable in self.numbers.items():
            variable.assign(other.numbers[name])

    def number(self, name: str, z: Tensor) -> Tensor:
        """Return a number as a tensor with the precision of the logits."""
        return tf.convert_to_tensor(self.numbers[name], z.dtype)

    def cells(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return labels and logits as :meth:`checked`, and which cells are known, 0/1; None if all are.

        Unknown cells have label 0 and logit 0, whatever was given, so that nothing depends on their logits.
        """
        y, z = self.checked(y_true, y_pred)
        if not self.unknown:
            return y, z, None
        known = y >= 0  # False for NaN
        y, z = (tf.where(known, values, tf.zeros_like(values)) for values in (y, z))
        return y, z, tf.cast(known, z.dtype)

    def checked(self, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        """Return labels and logits as tensors.

        Raises:
            UserError: labels and logits do not both have shape (batch, n_labels), or a number has the wrong shape.
        """
        name = type(self).__name__
        y, z = tf.convert_to_tensor(y_true), tf.convert_to_tensor(y_pred)
        if z.shape.rank not in (None, 2) or not y.shape.is_compatible_with(z.shape):
            raise UserError(
                f"{name}: labels and logits must both have shape (batch, n_labels); got {_shape(y)} and {_shape(z)}"
            )
        for key, value in self.numbers.items():
            n = np.prod(value.shape)
            if n > 1 and z.shape.rank == 2 and z.shape[1] not in (None, n):
                raise UserError(f"{name}: {key}: must be 1 number or 1 for each of the {z.shape[1]} labels; got {n}")
        return y, z


def scalar(loss: LogitLoss, name: str, value: float, *, above: float | None = None, below: float = np.inf) -> Any:
    """Check a number of a loss and return it as float64.

    It must be 0 or more, or greater than ``above`` if that is given; and it must be less than ``below``.

    Raises:
        UserError: ``value`` is no such number.
    """
    if isinstance(value, Real) and (value >= 0 if above is None else value > above) and value < below:
        return np.float64(value)
    low = "0 or more" if above is None else f"above {above:g}"
    high = " and finite" if below == np.inf else f" and below {below:g}"
    raise UserError(f"{type(loss).__name__}: {name}: must be {low}{high}; got {value!r}")


def per_label(loss: LogitLoss, name: str, values: ArrayLike, *, shares: bool = False) -> Any:
    """Check one number, or one for each label, and return it as float64, shape () or (n_labels,).

    Numbers must be finite and 0 or more; ``shares`` must be strictly between 0 and 1.

    Raises:
        UserError: a value is out of its range, or the shape is wrong.
    """
    array = np.asarray(values, dtype=np.float64)
    wrong = ~((array > 0) & (array < 1)) if shares else ~((array >= 0) & (array < np.inf))
    if array.ndim > 1 or array.size == 0 or wrong.any():
        got = f"shape {array.shape}" if array.ndim > 1 or array.size == 0 else f"{float(array[wrong].flat[0])!r}"
        allowed = "above 0 and below 1 (rl.prevalence returns such numbers)" if shares else "finite and 0 or more"
        raise UserError(f"{type(loss).__name__}: {name}: must be a number, or 1 for each label, {allowed}; got {got}")
    return array


def option(loss: LogitLoss, name: str, value: str, allowed: tuple[str, ...]) -> str:
    """Check a setting that must be one of a few words, and return it.

    Raises:
        UserError: ``value`` is none of the ``allowed`` words.
    """
    if value not in allowed:
        raise UserError(f"{type(loss).__name__}: {name}: must be {' or '.join(map(repr, allowed))}; got {value!r}")
    return value


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape)) if tensor.shape.rank is not None else "an unknown shape"
