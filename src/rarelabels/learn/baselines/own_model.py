"""Models of other packages. They are fitted and scored here, and not stored."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rarelabels.data.dataset import Dataset, Part
from rarelabels.declare.own import OwnModel
from rarelabels.errors import UserError
from rarelabels.judging.arrays import Floats
from rarelabels.learn import model_files
from rarelabels.learn.baselines.fitted_baseline import FittedBaseline


@dataclass(frozen=True, eq=False)
class FittedOwn(FittedBaseline):
    """A fitted model of another package.

    Attributes:
        spec: as declared.
        model: what its ``fit`` returned.
    """

    spec: OwnModel
    model: Any

    def scores(self, part: Part) -> Floats:
        """Return probabilities, (n, n_labels).

        Raises:
            UserError: the model returns something else.
        """
        scores = np.asarray(self.model.scores(part), dtype=np.float64)
        expected = len(part.ids), len(self.labels)
        if scores.shape != expected:
            raise UserError(f"model.kind {self.spec.kind!r}: its scores must have shape {expected}; got {scores.shape}")
        if not ((scores >= 0) & (scores <= 1)).all():
            raise UserError(
                f"model.kind {self.spec.kind!r}: its scores must be probabilities, from 0 to 1; got "
                f"{scores.min():g} to {scores.max():g}"
            )
        return scores

    def save(self, folder: Path) -> None:
        """Write what was declared to ``folder``."""
        model_files.save(folder, {"kind": "own", "labels": self.labels, "declared": self.spec.defined()}, {})


def fit(spec: OwnModel, data: Dataset, seed: int) -> FittedOwn:
    """Fit a model of another package on the training part."""
    return FittedOwn(data.labels, spec, spec.fit(data, seed))
