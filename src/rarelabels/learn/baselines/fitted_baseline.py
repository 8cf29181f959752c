"""The part that all fitted baselines share: label names, facts, notes, and no epochs."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from rarelabels.data.dataset import Part


@dataclass(frozen=True, eq=False)
class FittedBaseline:
    """A baseline that was fitted; see ``fitted_model.Fitted``.

    Attributes:
        labels: names of the labels.
        facts: numbers about the fit, by name.
        notes: sentences that a reader of a result must know.
    """

    labels: tuple[str, ...]
    facts: dict[str, float] = field(default_factory=dict, kw_only=True)
    notes: tuple[str, ...] = field(default=(), kw_only=True)

    @property
    def epochs(self) -> None:
        """A baseline has no epochs."""
        return

    def label_sets(self, part: Part) -> npt.NDArray[np.uint8] | None:  # noqa: ARG002  a subclass reads it
        """Return None, because a baseline scores single labels. A subclass may score label sets."""
        return None
