"""The metrics and rules of other packages that a trial declares, as one thing to hand on."""

from __future__ import annotations

from dataclasses import dataclass

from rarelabels.judging.metrics.own import OwnMetric
from rarelabels.judging.rules.own import OwnRule


@dataclass(frozen=True)
class Own:
    """The metrics and the rules of other packages that are measured beside those of this package.

    Attributes:
        metrics: of assigned labels and of scores.
        rules: chosen on validation.
    """

    metrics: tuple[OwnMetric, ...] = ()
    rules: tuple[OwnRule, ...] = ()

    @property
    def of_decisions(self) -> tuple[OwnMetric, ...]:
        """The metrics of assigned labels."""
        return tuple(one for one in self.metrics if one.measures == "decisions")

    @property
    def of_scores(self) -> tuple[OwnMetric, ...]:
        """The metrics of scores."""
        return tuple(one for one in self.metrics if one.measures == "scores")


NOTHING_OWN = Own()
