"""The interface of a fitted model, network or baseline, for the other rooms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import Field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from rarelabels.data.dataset import Part
from rarelabels.judging.arrays import Floats

OnEpoch = Callable[[int, dict[str, float]], None]  # takes the epoch, counted from 1, and its curves


class Fitted(Protocol):
    """A fitted model, a frozen dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the labels, in the order of the columns."""

    @property
    def facts(self) -> dict[str, float]:
        """Numbers about how the training went, by name."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences that a reader of a result must know."""

    @property
    def epochs(self) -> dict[str, npt.NDArray[Any]] | None:
        """Scores after every epoch, or None if they are not kept; see ``training.FittedNetwork``."""

    def scores(self, part: Part, /) -> Floats:
        """Return probabilities, (n, n_labels)."""

    def label_sets(self, part: Part, /) -> npt.NDArray[np.uint8] | None:
        """Return each row's most likely label set, (n, n_labels) 0/1; None if the model scores single labels."""

    def save(self, folder: Path, /) -> None:
        """Write the model to ``folder``, which is made if it does not exist."""
