"""Whether networks keep up with the baselines of their study. If not, verdicts on losses are about bad training."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rarelabels.compare.measured_trials import MeasuredTrial

RANKS = "test/ranking/macro_average_precision"
VALIDATED = "validation/ranking/macro_average_precision"
CALLED = {"linear": "logistic regression", "gradient_boosting": "gradient boosting"}
WHAT_TO_DO = (
    "train longer, tune the learning rate and L2, declare `protocol: each_tuned`, or use the baseline and no network"
)


@dataclass(frozen=True)
class Competence:
    """A network compared with the best baseline by macro average precision on test, network minus baseline.

    Attributes:
        network: name of the network's trial.
        baseline: name of the baseline with the best average precision on test, among those with the same test rows,
            seeds and hidden labels.
        called: the baseline's kind in words, or its name.
        value: the difference, mean over seeds.
        low, high: its paired 95 % interval.
        margin: the difference by which a network may lie behind.
    """

    network: str
    baseline: str
    called: str
    value: float
    low: float
    high: float
    margin: float

    @property
    def is_lacking(self) -> bool:
        """Whether the network lies more than the margin behind."""
        return self.value < -self.margin

    @property
    def behind(self) -> str:
        """A phrase on how much worse the network is; it says "may be" if the interval reaches 0."""
        return f"{self.network} {self._worse('is')}"

    def warning(self) -> str:
        """Return the warning that a reader of the study must see first, if this is the study's best network."""
        return (
            f"The networks here {self._worse('are')}: what follows about losses is about badly trained nets. The best "
            f"of them is {self.network}, the baseline {self.baseline}. What to do: {WHAT_TO_DO}."
        )

    def _worse(self, verb: str) -> str:
        return (
            f"{'may be' if self.high >= 0 else verb} worse than {self.called} by {-self.value:.2f} "
            f"({_number(-self.high)} to {_number(-self.low)}) of macro average precision"
        )


def is_baseline(name: str, baselines: Iterable[str]) -> bool:
    """Return whether a trial, or a variant of a trial, is a baseline. ``baselines`` has names without variants."""
    return any(name == one or name.startswith(f"{one} ") for one in baselines)


def networks(measured: Mapping[str, MeasuredTrial], baselines: Sequence[str]) -> dict[str, MeasuredTrial]:
    """Return the networks that are not baselines, by name."""
    return {
        name: side
        for name, side in measured.items()
        if side.is_network and not is_baseline(name, baselines) and RANKS in side.estimates
    }


def judge(
    name: str, measured: Mapping[str, MeasuredTrial], baselines: Sequence[str], margin: float
) -> Competence | None:
    """Compare a network with the best baseline with the same test rows, seeds and hidden labels.

    The best baseline is chosen on the test part. If it were chosen on validation, a network could pass because
    validation preferred a weaker baseline.

    Args:
        name: of the network.
        measured: the trials, by name.
        baselines: the short names of the baselines.
        margin: the difference by which a network may lie behind.

    Returns:
        The comparison; None if there is no such baseline.
    """
    network = measured[name]
    rivals = {
        one: side
        for one, side in measured.items()
        if is_baseline(one, baselines)
        and one != name
        and (side.test_part, side.seeds, side.hidden) == (network.test_part, network.seeds, network.hidden)
        and RANKS in side.estimates
    }
    if not rivals or RANKS not in network.estimates:
        return None
    best = max(sorted(rivals), key=lambda one: rivals[one].means[RANKS])
    difference = network.estimates[RANKS] - rivals[best].estimates[RANKS]
    low, high = difference.interval()
    return Competence(name, best, CALLED.get(rivals[best].model, best), difference.value, low, high, margin)


def of_study(measured: Mapping[str, MeasuredTrial], baselines: Sequence[str], margin: float) -> list[Competence]:
    """Judge the network of each set of test rows that is best on validation.

    A set of test rows without a comparable baseline is left out.
    """
    parts: dict[str, dict[str, MeasuredTrial]] = {}
    for name, side in networks(measured, baselines).items():
        parts.setdefault(side.test_part, {})[name] = side
    found = []
    for of_part in parts.values():
        best = max(sorted(of_part), key=lambda name: of_part[name].means.get(VALIDATED, float("-inf")))
        found.append(judge(best, measured, baselines, margin))
    return [one for one in found if one is not None]


def warnings(measured: Mapping[str, MeasuredTrial], baselines: Sequence[str], margin: float) -> list[str]:
    """Return the warnings that come before any advice: on networks that lag behind, and on networks not judged."""
    judged = of_study(measured, baselines, margin)
    told = [one.warning() for one in judged if one.is_lacking]
    known = {measured[one.network].test_part for one in judged}
    unknown = [name for name, side in networks(measured, baselines).items() if side.test_part not in known]
    if not unknown:
        return told
    if not baselines:
        reason = "study.yaml names no baselines (`baselines: [linear]`)"
    else:
        same = (
            "test rows, seeds and hidden labels"
            if any(measured[one].hidden for one in unknown)
            else "test rows and seeds"
        )
        reason = f"no baseline ({', '.join(baselines)}) was run with the same {same}"
    return [*told, f"Whether {_some(unknown)} can keep up with a baseline is unknown: {reason}."]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more networks" if len(names) > 4 else ""
    return ", ".join(names[:3] if more else names) + more


def _number(value: float) -> str:
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")  # without the sign of −0.00
