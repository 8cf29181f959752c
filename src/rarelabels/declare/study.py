"""The file of a study: its hypotheses, what they advise, bounds, the search that its trials share."""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from rarelabels import packages
from rarelabels.declare import own_measures
from rarelabels.declare.tuning import SearchMetric
from rarelabels.judging.rules.table import RULES, SEARCHED_RULES, SET_RULES
from rarelabels.spec import DISTINCT, Count, Name, Spec

BOUND_ROUNDING = 1e-9  # a bound that is met exactly is possible
_OF_OTHERS = map(re.escape, packages.names(own_measures.RULES))
_MEASURED = "|".join((*RULES, *SEARCHED_RULES, *SET_RULES, *_OF_OTHERS, "ranking"))
TestMetric = Annotated[str, Field(pattern=rf"^test/({_MEASURED})/\w+$")]
Sentence = Annotated[str, Field(min_length=10, description="one sentence")]
Outcome = Literal["higher", "lower", "equal", "undecided"]
ASKS_THE_READER = "look at the sign of the difference"  # `init` of 0.4.2 wrote it; now each sign has its sentence


class Advice(Spec):
    """What a reader should do: a sentence for each outcome of ``trial`` beside ``against``.

    ``equal`` is also said where a claimed difference is refuted and the opposite one is not shown. ``upheld`` and
    ``refuted`` are the keys of 0.4.2: they are said where the outcome has no sentence of its own.
    """

    about: Literal["metric", "loss", "weights", "threshold"]
    higher: Sentence | None = None
    lower: Sentence | None = None
    equal: Sentence | None = None
    undecided: Sentence | None = None
    upheld: Sentence | None = None
    refuted: Sentence | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not any((self.higher, self.lower, self.equal, self.undecided, self.upheld, self.refuted)):
            raise ValueError("needs a sentence for at least one of higher, lower, equal and undecided")
        return self


class Hypothesis(Spec):
    """A claim of a thread, declared before the first full run, about ``metric`` of ``trial`` minus ``against``'s."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    claim: Annotated[str, Field(min_length=10, description="one sentence")]
    source: str = Field(description="where the claim was made")
    trial: str = Field(description="short name of a trial of this study; for a variant, with its value: x loss.gamma=2")
    against: str = Field(description="short name of the trial or floor that it is compared with")
    metric: TestMetric
    against_metric: TestMetric | None = Field(
        None,
        description="the metric of against, if it is another one, as when a trial is compared with itself "
        "under another rule",
    )
    direction: Literal["greater", "less", "equal"]
    margin: Annotated[float, Field(ge=0)] = Field(description="the difference that matters in practice")
    after_a_look: bool = Field(
        False, description="true: it was declared after someone had looked at a run of trial or against"
    )
    advice: Advice | None = None

    @property
    def at_half(self) -> frozenset[str]:
        """The sides, ``trial`` or ``against``, whose metric is about decisions at 0.5.

        Empty where a trial is compared with itself: that is one model under two rules, and about neither alone.
        """
        sides = {"trial": self.metric, "against": self.against_metric or self.metric}
        are_two = self.trial != self.against
        return frozenset(side for side, metric in sides.items() if are_two and metric.startswith("test/half/"))

    @property
    def expectation(self) -> str:
        """The expected result: which trials, which metric, and how they differ."""
        trials = dict.fromkeys([self.trial, self.against])
        metrics = dict.fromkeys([self.metric, self.against_metric or self.metric])
        short = (name.removeprefix("test/") for name in metrics)
        differ = {"greater": "higher by more than", "less": "lower by more than", "equal": "equal within"}
        margin = f"{differ[self.direction]} {self.margin:g}"
        return f"{' against '.join(trials)}: {' against '.join(short)}, {margin}"


class Bound(Spec):
    """What two numbers reported of the same rows say of each other, whatever the data.

    A label on the wrong side of 0.5 costs at least ln 2, so the share of wrong labels is at most mean binary
    cross-entropy / ln 2: a loss of 0.3 allows at most 43.3 % wrong labels. A wrong row has at least one wrong label, so
    the share of wrong rows is at most ``labels`` times that of wrong labels: a binary accuracy of 0.98 on 3 labels
    allows at most 6 % wrong rows.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]
    source: str = Field(description="where the numbers were reported")
    binary_accuracy: Annotated[float, Field(ge=0, le=1)]
    loss: Annotated[float, Field(ge=0)] | None = Field(
        None, description="mean binary cross-entropy over rows and labels, beside the binary accuracy"
    )
    labels: Count | None = None
    subset_accuracy: Annotated[float, Field(ge=0, le=1)] | None = Field(
        None,
        description="share of rows with every label right, beside the binary accuracy; labels says how many "
        "labels there are",
    )

    @model_validator(mode="after")
    def _one_other_number(self) -> Bound:
        if (self.loss is None) == (self.subset_accuracy is None) or (self.subset_accuracy is None) != (
            self.labels is None
        ):
            raise ValueError("needs either loss, or subset_accuracy and labels")
        return self

    @property
    def least(self) -> float:
        """The lowest binary accuracy that the loss allows, or subset accuracy that the binary accuracy allows."""
        if self.loss is not None:
            return max(0.0, 1 - self.loss / math.log(2))
        assert self.labels is not None
        return max(0.0, 1 - self.labels * (1 - self.binary_accuracy))

    def verdict(self) -> str:
        """Say in one sentence whether the two numbers can go together."""
        if self.loss is not None:
            given, forced = self.binary_accuracy, f"a loss of {self.loss:g} forces a binary accuracy"
            impossible = "which cannot be binary accuracy at 0.5 on the same rows"
        else:
            assert self.subset_accuracy is not None
            given = self.subset_accuracy
            forced = f"a binary accuracy of {self.binary_accuracy:g} on {self.labels} labels forces a subset accuracy"
            impossible = "which cannot be the subset accuracy of the same decisions on the same rows"
        possible = given >= self.least - BOUND_ROUNDING
        return (
            f"{self.source}: {forced} of at least {self.least:.4f}; reported is {given:g}, "
            f"{'which is possible' if possible else impossible}"
        )


class SharedSearch(Spec):
    """The search that every network of a study gets where each is tuned. ``each_tuned.space`` says of which keys."""

    trainings: Count = Field(12, description="how many settings each search tries; pruned ones count, too")
    seeds: Count = Field(
        1,
        description="each setting is trained with so many of the declared seeds, from the first on, and judged "
        "by the mean",
    )
    metric: SearchMetric = "crossfit/per_label/macro_f1"


COMPETENCE_MARGIN = 0.01


class StudySpec(Spec):
    """A folder of trials that answers one thread.

    Where each network is tuned, a hypothesis about 0.5 is judged on trials that were searched for macro-F1 at 0.5, as
    variants of their own. Every other one is judged on trials that were searched for ``search.metric``, and so is one
    that compares two rules of one trial.
    """

    title: str
    question: str
    thread: str
    protocol: Literal["same_settings", "each_tuned"] = Field(
        "same_settings",
        description="each_tuned: the settings of every network are searched before it is run, with the same "
        "budget for all",
    )
    search: SharedSearch | None = Field(None, description="the search of every network, with protocol: each_tuned")
    trials_of: Annotated[str, Field(pattern=r"^[^/.][^/]*$")] | None = Field(
        None, description="name of another study, whose trials are also the trials of this study"
    )
    trials: Annotated[tuple[Name, ...], DISTINCT] = Field(
        (), description="with trials_of: the short names of the trials that are taken; empty: all that can be searched"
    )
    baselines: tuple[str, ...] = Field((), description="short names of the trials that a network must keep up with")
    competence_margin: Annotated[float, Field(ge=0)] = Field(
        COMPETENCE_MARGIN,
        description="a network keeps up if its macro average precision on test is at most this much below the "
        "best baseline",
    )
    hypotheses: tuple[Hypothesis, ...] = ()
    bounds: tuple[Bound, ...] = ()

    @property
    def shared_search(self) -> SharedSearch | None:
        """The search that every network gets; None where all have the same settings."""
        return (self.search or SharedSearch()) if self.protocol == "each_tuned" else None

    @model_validator(mode="after")
    def _nothing_without_effect(self) -> Self:
        if self.search and self.protocol != "each_tuned":
            raise ValueError("search has no effect with protocol: same_settings; use each_tuned")
        if self.trials and self.trials_of is None:
            raise ValueError("trials needs trials_of, which names the study of these trials")
        return self

    @field_validator("hypotheses", "bounds")
    @classmethod
    def _unique(cls, value: tuple[Hypothesis | Bound, ...]) -> tuple[Hypothesis | Bound, ...]:
        names = [one.name for one in value]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"names must differ; more than once: {', '.join(twice)}")
        return value
