"""The aggregate of a trial over its seeds: means, intervals and mean curves, on the parent run."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
import pandas as pd

from rarelabels import __version__, csv_tables
from rarelabels.compare import symptoms
from rarelabels.judging.statistics.estimate import Estimate, interval_of
from rarelabels.judging.statistics.reliability import rare_labels
from rarelabels.record import connection, estimates, reading, run_files, writing
from rarelabels.record.client import Client
from rarelabels.record.entities import Run
from rarelabels.study.progress_display import Say

HOW_INTERVALS_ARE_MADE = "95 %: influence of test rows (by group), variance between seeds, Student's t"
CODE = 7  # raised when what a summary holds changes


@dataclass(frozen=True)
class SummaryTask:
    """The task to sum up a trial.

    Attributes:
        parent: id of its parent run.
        children: ids of its runs that count, by rising seed.
        stamp: of their summary.
        compared: the metrics whose differences tables and verdicts show; their estimates are stored.
    """

    parent: str
    children: tuple[str, ...]
    stamp: str
    compared: frozenset[str] = frozenset()


def stamp(children: Sequence[str]) -> str:
    """Return the stamp of a summary: a hash of its runs and of the version of the code that sums up."""
    return hashlib.sha256(" ".join([__version__, str(CODE), *children]).encode()).hexdigest()[:16]


def sum_up(where: str, task: SummaryTask, _: Say) -> str:
    """Compute and record the summary of a trial. Return which file of its runs is damaged; "" if none is."""
    client = connection.connect(where, writing.PATIENCE)
    parent = writing.Record(client, task.parent)
    children = [client.run(run_id) for run_id in task.children]
    try:
        table, found = aggregate(client, children)
        positives = reading.scores(client, task.children[0], "test").positives
    except run_files.DamagedError as error:
        return str(error)
    curves = reading.curves(client, list(task.children))
    mean = curves.groupby(["curve", "epoch"], as_index=False)["value"].mean()
    limits = table.dropna(subset=["low", "high"]).set_index("metric")[["low", "high"]]
    seeds = " ".join(run.data.tags["seed"] for run in children)
    first = children[0].data.tags
    suffering = symptoms.of(
        [run.data.metrics for run in children], children[0].data.params, curves, _edge(client, first)
    )
    of_files = {
        symptoms.TAG: "\n".join(suffering),
        "seeds": seeds,
        "summed_up": task.stamp,
        "drawn": "",
        "test_part": first["test_part"],
        reading.RARE_LABELS: rare_labels(positives),
        "intervals": HOW_INTERVALS_ARE_MADE,
    }
    with connection.one_sums_up(where):
        # MLflow refuses to change a parameter. Two may differ now: the seed (a tag has all seeds) and a table's path.
        kept = {"seed", *client.run(task.parent).data.params}
        parent.params({key: value for key, value in children[0].data.params.items() if key not in kept})
        parent.curves((str(row.curve), int(row.epoch), float(row.value)) for row in mean.itertuples())
        parent.metrics(dict(zip(table["metric"], table["mean"], strict=True)))
        for end, values in limits.items():
            parent.metrics({f"interval/{metric}_{end}": value for metric, value in values.items()})
        shares = table.set_index("metric")["share_of_seeds"].reindex(sorted(task.compared)).dropna()
        parent.metrics({f"interval/{metric}_share_of_seeds": float(share) for metric, share in shares.items()})
        with parent.folder(of_files) as folder:
            csv_tables.write(folder / "summary.csv", table)
            estimates.store(folder, found, task.compared)
        parent.notes([f"(seed {first['seed']}) {note}" for note in first.get("notes", "").split("\n") if note])
        parent.finish()
    return ""


def _edge(client: Client, tags: Mapping[str, str]) -> str:
    """Return the keys whose best value lies on the edge of its searched range; empty for a trial without a search."""
    edge = client.run(tags["search"]).data.tags.get("edge", "") if tags.get("search") else ""
    return ", ".join(edge.splitlines() if edge.endswith("\n") else edge.split())  # 0.4 put blanks between keys


def aggregate(client: Client, children: list[Run]) -> tuple[pd.DataFrame, dict[str, Estimate]]:
    """Return the summary of a trial's runs, and the estimates behind its intervals by recorded name.

    The summary has columns ``metric, mean, low, high, share_of_seeds``. The interval from ``low`` to ``high`` is over
    seeds and test rows; the last column says how much of its variance comes from the seeds.
    """
    names = sorted({key for run in children for key in run.data.metrics if not key.startswith("curve/")})
    means = {name: fmean(run.data.metrics[name] for run in children if name in run.data.metrics) for name in names}
    found, own = estimates.of_runs(client, children), estimates.own_metrics(children)
    # metrics with an interval first, because MLflow's page shows only the first 500 rows of a table
    rows: list[tuple[str, float, float, float, float]] = []
    for name in sorted(means, key=lambda name: name not in found):
        limits = interval_of(name, found[name], own=own) if name in found else (np.nan, np.nan)
        rows.append((name, means[name], *limits, found[name].share_of_seeds if name in found else np.nan))
    return pd.DataFrame(rows, columns=["metric", "mean", "low", "high", "share_of_seeds"]), found
