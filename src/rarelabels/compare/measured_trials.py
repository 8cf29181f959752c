"""The trials of a study as they were measured: what verdicts and competence are judged by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import get_args

import pandas as pd

from rarelabels.compare import symptoms
from rarelabels.declare.models import NetworkSpec
from rarelabels.record import reading
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.record.identities import ParentKey, parent_key
from rarelabels.record.opening import HYPOTHESIS

NETWORKS = {kind for model in get_args(NetworkSpec) for kind in get_args(model.model_fields["kind"].annotation)}


@dataclass(frozen=True, eq=False)
class MeasuredTrial:
    """A trial as it was measured.

    Attributes:
        seeds: those it was run with; ``missing`` are declared and not run.
        test_part: digest of the test rows; only trials with the same rows and seeds are paired.
        means: each metric, mean over seeds.
        replicates: a column per metric, a row per draw.
        known: of each run, the digest of each hypothesis as it was declared when the run was made, by name.
        model: its ``model.kind``.
        symptoms: what its trainings suffer from; see ``symptoms.of``.
    """

    seeds: tuple[int, ...]
    missing: tuple[int, ...]
    test_part: str
    means: Mapping[str, float]
    replicates: pd.DataFrame
    known: Sequence[Mapping[str, str]] = ()
    model: str = ""
    symptoms: tuple[str, ...] = ()

    @property
    def is_network(self) -> bool:
        """Whether TensorFlow trained it."""
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
        names: the parents that count, with what hypotheses call them.
        seeds: those that are declared, by name; of a name that is not there, those it was run with.
        metrics: those to read of the replicates.
    """
    wanted, made, found = set(metrics), reading.below(list(runs)), {}
    for run in runs:
        tags = run.data.tags
        if tags.get("kind") != "trial" or "summed_up" not in tags or (name := names.get(parent_key(run))) is None:
            continue
        table = reading.summary(client, run)
        done = tuple(int(seed) for seed in tags["seeds"].split())
        known = [
            {key.removeprefix(HYPOTHESIS): text for key, text in one.data.tags.items() if key.startswith(HYPOTHESIS)}
            for one in made.get(parent_key(run), [])
        ]
        found[name] = MeasuredTrial(
            done,
            tuple(sorted(set(seeds.get(name, done)) - set(done))),
            tags["test_part"],
            dict(zip(table["metric"], table["mean"], strict=True)),
            reading.replicates(client, run, wanted),
            known,
            run.data.params.get("model.kind", ""),
            symptoms.recorded(run),
        )
    return found
