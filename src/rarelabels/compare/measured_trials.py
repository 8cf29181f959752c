"""The measured numbers of a study's trials, from which verdicts and competence are judged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import get_args

from rarelabels.compare import symptoms
from rarelabels.declare.models import NetworkSpec
from rarelabels.judging.statistics.estimate import Estimate
from rarelabels.record import estimates, reading
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.record.identities import ParentKey, parent_key

HIDDEN = "dataset.hide."  # begins the parameters that say how positives are hidden
NETWORKS = {kind for model in get_args(NetworkSpec) for kind in get_args(model.model_fields["kind"].annotation)}


@dataclass(frozen=True, eq=False)
class MeasuredTrial:
    """The measured numbers of a trial.

    Attributes:
        seeds: the seeds that were run.
        missing: the declared seeds that were not run.
        test_part: digest of the test rows; only trials with the same rows and seeds are paired.
        means: the mean over seeds of each metric.
        estimates: of the metrics that decide, by name.
        model: its ``model.kind``.
        symptoms: faults of its trainings; see ``symptoms.of``.
        rare_labels: why intervals of means over labels are not reliable; empty if they are.
        hidden: how positives of the training part are hidden (``dataset.hide``), as text; empty if none are.
    """

    seeds: tuple[int, ...]
    missing: tuple[int, ...]
    test_part: str
    means: Mapping[str, float]
    estimates: Mapping[str, Estimate]
    model: str = ""
    symptoms: tuple[str, ...] = ()
    rare_labels: str = ""
    hidden: str = ""

    @property
    def is_network(self) -> bool:
        """Whether the trial trains a network."""
        return self.model in NETWORKS


def read(
    client: Client,
    runs: Sequence[Run],
    names: Mapping[ParentKey, str],
    seeds: Mapping[str, Sequence[int]],
    metrics: Iterable[str],
) -> dict[str, MeasuredTrial]:
    """Return the trials that were measured, by name.

    Args:
        client: of the record.
        runs: all runs of the study.
        names: from the keys of the parent runs that count to the names that hypotheses use.
        seeds: the declared seeds, by name. A trial without an entry has no missing seeds.
        metrics: the metrics whose estimates are read.
    """
    wanted, made, found, of_trials = set(metrics), reading.below(list(runs)), {}, {}
    for run in runs:
        tags = run.data.tags
        if tags.get("kind") != "trial" or "summed_up" not in tags or (name := names.get(parent_key(run))) is None:
            continue
        table = reading.summary(client, run)
        done = tuple(int(seed) for seed in tags["seeds"].split())
        of_trials[name] = children = reading.summed_up(run, made.get(parent_key(run), []))
        found[name] = MeasuredTrial(
            done,
            tuple(sorted(set(seeds.get(name, done)) - set(done))),
            tags["test_part"],
            dict(zip(table["metric"], table["mean"], strict=True)),
            estimates.of_trial(client, run, children, wanted),
            run.data.params.get("model.kind", ""),
            symptoms.recorded(run),
            tags.get(reading.RARE_LABELS, ""),
            " ".join(f"{key}={value}" for key, value in sorted(run.data.params.items()) if key.startswith(HIDDEN)),
        )
    for part in {trial.test_part for trial in found.values()}:
        on_part = {name: trial.estimates for name, trial in found.items() if trial.test_part == part}
        for name, same in estimates.by_the_same_groups(client, on_part, of_trials).items():
            found[name] = replace(found[name], estimates=same)
    return found
