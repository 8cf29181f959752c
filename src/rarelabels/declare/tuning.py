"""The ``tuning`` block: what Optuna searches, between which values, by which metric, and how."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from rarelabels.spec import DISTINCT, LATER, Count, Spec


class Range(Spec):
    """The values of one key in a search: from ``low`` to ``high``, or ``choices``."""

    low: float | None = None
    high: float | None = None
    log: bool = Field(False, description="search the logarithm")
    choices: tuple[bool | int | float | str, ...] | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Range:
        if self.choices is not None:
            if (self.low, self.high, self.log) != (None, None, False):
                raise ValueError("takes low and high, or choices, not both")
            if len(set(self.choices)) < 2 or len(set(self.choices)) < len(self.choices):
                raise ValueError("choices needs at least two different values")
        elif self.low is None or self.high is None:
            raise ValueError("needs low and high, or choices")
        elif not self.low < self.high:
            raise ValueError(f"is empty: low must be less than high; given {self.low:g} and {self.high:g}")
        elif self.log and self.low <= 0:
            raise ValueError(f"log needs a low above 0; given {self.low:g}")
        return self


class TpeSampler(Spec):
    """Optuna's tree-structured Parzen estimator; every argument is written out, so that no release changes it."""

    kind: Literal["tpe"]
    n_startup_trials: Count = Field(description="how many trials are drawn at random first")
    n_ei_candidates: Count = Field(description="how many candidates are drawn for each trial")
    multivariate: bool = Field(description="model the keys together")
    constant_liar: bool = Field(
        description="count unfinished trials as bad ones, so that workers try different settings"
    )
    seed: Annotated[int, Field(ge=0)]


class RandomSampler(Spec):
    """Every trial is drawn at random."""

    kind: Literal["random"]
    seed: Annotated[int, Field(ge=0)]


SamplerSpec = Annotated[TpeSampler | RandomSampler, Field(discriminator="kind")]


class NoPruner(Spec):
    """Every trial is trained to its end."""

    kind: Literal["none"]


class MedianPruner(Spec):
    """Stops a trial whose best epoch so far is worse than the median of the earlier trials at the epoch it has reached.

    Only while it trains with its first seed: those epochs are the same rows and the same start for every trial.
    """

    kind: Literal["median"]
    n_startup_trials: Annotated[int, Field(ge=0)] = Field(description="how many of the first trials are never stopped")
    n_warmup_epochs: Annotated[int, Field(ge=0)] = Field(
        description="no trial is stopped in so many of its first epochs"
    )


PrunerSpec = Annotated[NoPruner | MedianPruner, Field(discriminator="kind")]
TEST_IS_NO_OBJECTIVE = (
    "the test part is touched once, at the end, and nothing is tuned on it; use a validation metric, such as "
    "validation/ranking/macro_average_precision"
)
IN_SAMPLE_REASON = (
    "those thresholds were chosen on the rows that score them, which flatters rare labels; use {}, where they are "
    "chosen on the other folds"
)


def _honest(metric: str) -> str:
    part, _, rest = metric.partition("/")
    rule, _, name = rest.partition("/")
    if part == "test":
        raise ValueError(f"is a test metric: {TEST_IS_NO_OBJECTIVE}")
    if part == "validation" and name and rule not in ("half", "ranking", "count"):
        raise ValueError("is in-sample: " + IN_SAMPLE_REASON.format(f"crossfit/{rest}"))
    if not name or part not in ("validation", "crossfit") or rule == "count":
        raise ValueError("allowed validation/half/…, validation/ranking/… or crossfit/<rule>/…")
    return metric


SearchMetric = Annotated[
    str,
    AfterValidator(_honest),
    Field(description="validation/half/…, validation/ranking/… or crossfit/<rule>/…"),
]
FOR_HALF = "validation/half/macro_f1"
SEARCHED_FOR_HALF = "searched for half"  # the name of the variant that is searched for it


def is_calibrated_in_sample(metric: str) -> bool:
    """Return whether a calibration, which is fitted on validation, flatters a validation metric.

    >>> [is_calibrated_in_sample(f"validation/{name}") for name in ("ranking/brier", "half/macro_f1", "ranking/lrap")]
    [True, True, False]
    """
    from rarelabels.judging.metrics.table import OF_CALIBRATION  # imports NumPy, which no other declaration waits for

    within_half = metric.startswith("validation/half/")
    return within_half or metric in {f"validation/ranking/{name}" for name in OF_CALIBRATION}


class ParameterSearch(Spec):
    """Optuna searches keys of the trial: each of its trials trains; the best is run over all seeds."""

    kind: Literal["parameters"]
    space: Annotated[dict[str, Range], Field(min_length=1)] = Field(
        description="dotted keys of the trial, each with its values; weighting.weights is searched for each label "
        "by itself"
    )
    metric: SearchMetric
    direction: Literal["maximize", "minimize"]
    n_trials: Count
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1), DISTINCT] = Field(
        description="each of Optuna's trials trains with all of these, and is judged by the mean"
    )
    sampler: SamplerSpec
    pruner: PrunerSpec
    also_for_half: Annotated[bool, LATER] = Field(
        False, description=f"search a second time, for {FOR_HALF}; the result is the variant '{SEARCHED_FOR_HALF}'"
    )


class ThresholdSearch(Spec):
    """Optuna searches a threshold for each label on the validation scores of each seed; nothing is trained for it.

    Beside what it finds (``searched``) stands what coordinate ascent finds from the same start (``ascent``).
    """

    kind: Literal["thresholds"]
    metric: Literal["macro_f1", "samples_f1", "subset_accuracy"]
    n_trials: Count
    warm_start: bool = Field(description="true: begin with the exact thresholds per label; false: with the global one")
    sampler: SamplerSpec


TuningSpec = Annotated[ParameterSearch | ThresholdSearch, Field(discriminator="kind")]
