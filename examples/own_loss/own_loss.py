"""The declaration of the loss. Rarelabels imports it whenever a command starts, so it imports no Keras at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from rarelabels.declare.own import OwnLoss

if TYPE_CHECKING:
    import numpy.typing as npt


class Squared(OwnLoss):
    """The squared error of each label's probability, mean over labels (Brier 1950): w·y·(1−p)² + (1−y)·p²."""

    kind: Literal["squared"]
    positives: float = Field(1.0, gt=0, description="w, the factor on the term of positives")

    def build(self, prevalence: npt.NDArray[Any]) -> Any:  # noqa: ARG002  every loss is given it, and this one needs none
        """Return the loss for Keras."""
        from own_loss_formula import SquaredError  # imports TensorFlow

        return SquaredError(self.positives)
