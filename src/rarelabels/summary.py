"""The aggregate of a trial over its seeds: means, intervals, mean curves and figures, on the parent run."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import pandas as pd

from rarelabels import __version__, results, statistics, threshold_study, tracking
from rarelabels.runner import Say
from rarelabels.tracking import Client, Run

CURSE_DRAWS = 30
CODE = 5  # raised when what a summary holds changes


@dataclass(frozen=True)
class SummaryTask:
    """The parent run, the runs below it that count (by rising seed), and the stamp of the two."""

    parent: str
    children: tuple[str, ...]
    stamp: str


def stamp(children: list[str]) -> str:
    """Return what tells whether a parent's aggregate is that of these runs."""
    return hashlib.sha256(" ".join([__version__, str(CODE), *children]).encode()).hexdigest()[:16]


def sum_up(where: str, task: SummaryTask, _: Say) -> bool:
    """Compute and record the aggregate of one trial; True, which a worker that dies of it does not return."""
    client = tracking.connect(where, tracking.PATIENCE)
    parent = tracking.Record(client, task.parent)
    children = [client.run(run_id) for run_id in task.children]
    # MLflow lets no parameter change, and seeds may be added: which they are is a tag.
    parent.params({key: value for key, value in children[0].data.params.items() if key != "seed"})
    table, replicates = aggregate(client, children)
    curves = results.curves(client, list(task.children))
    mean = curves.groupby(["curve", "epoch"], as_index=False)["value"].mean()
    parent.curves((str(row.curve), int(row.epoch), float(row.value)) for row in mean.itertuples())
    parent.metrics(dict(zip(table["metric"], table["mean"], strict=True)))
    limits = table.dropna().set_index("metric")[["low", "high"]]
    for end, values in limits.items():
        parent.metrics({f"interval/{metric}_{end}": value for metric, value in values.items()})
    with parent.folder() as folder:
        table.to_csv(folder / "summary.csv", index=False)
        replicates.to_parquet(folder / "bootstrap.parquet", compression="zstd", index=False)
        (folder / "figures").mkdir()
        draw(client, children, curves, folder / "figures")
    seeds = " ".join(run.data.tags["seed"] for run in children)
    first = children[0].data.tags
    parent.tags({"seeds": seeds, "summed_up": task.stamp, "test_part": first["test_part"]})
    parent.notes([f"(seed {first['seed']}) {note}" for note in first.get("notes", "").split("\n") if note])
    parent.finish()
    return True


def aggregate(client: Client, children: list[Run]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return (``metric, mean, low, high`` over seeds and test rows; the bootstrap replicates by recorded name)."""
    names = sorted({key for run in children for key in run.data.metrics if not key.startswith("curve/")})
    means = {name: fmean(run.data.metrics[name] for run in children if name in run.data.metrics) for name in names}
    parts = [results.scores(client, run.info.run_id, "test") for run in children]
    rules = [results.rules(client, run.info.run_id) for run in children]
    draws = statistics.make_draws(len(parts[0].y), len(parts))
    decided = [part.decided for part in parts]
    drawn = statistics.replicates(parts[0].y, [part.scores for part in parts], rules, draws, decided)
    replicates = pd.DataFrame({f"test/{name}": values.astype(np.float32) for name, values in drawn.items()})
    limits = {
        f"test/{name}": statistics.interval_around(means[f"test/{name}"], values, name)
        for name, values in drawn.items()
    }
    # those with an interval first: MLflow's page shows the first 500 rows of a table
    ordered = sorted(means, key=lambda name: name not in limits)
    rows = [(name, means[name], *limits.get(name, (np.nan, np.nan))) for name in ordered]
    return pd.DataFrame(rows, columns=["metric", "mean", "low", "high"]), replicates


def _epoch(run: Run) -> float | None:
    """Return the epoch whose scores are judged: the one picked afterwards, else the one the training kept."""
    epoch: float | None = run.data.metrics.get("picked/epoch", run.data.metrics.get("training/kept_epoch"))
    return epoch


def draw(client: Client, children: list[Run], curves: pd.DataFrame, folder: Path) -> None:
    """Draw the figures of a trial into a folder."""
    from rarelabels import plots  # matplotlib takes a second to import: only drawing needs it

    trial, kept = children[0].data.tags["trial"], [_epoch(run) for run in children]
    if len(curves):
        unit = plots.loss_unit(children[0].data.params)
        epochs = [epoch for epoch in kept if epoch is not None]
        plots.save(plots.learning_curves(curves, trial, unit, epochs), folder / "learning_curves.png")
    seed, first = children[0].data.tags["seed"], children[0].info.run_id
    validations = [results.scores(client, run.info.run_id, "validation") for run in children]
    parts = [results.scores(client, run.info.run_id, "test") for run in children]
    is_calibrated = any(name.startswith("test/uncalibrated/") for name in children[0].data.metrics)
    before = [results.raw_scores(client, run.info.run_id)[2] for run in children] if is_calibrated else None
    labels = results.labels(client, first)
    figures = {
        "precision_recall": plots.precision_recall(parts, labels, trial),
        "confusion": plots.confusion(results.per_label(client, first), f"{trial}, seed {seed}"),
        "reliability": plots.reliability(parts, before, trial),
    }
    seeds = [int(run.data.tags["seed"]) for run in children]
    theory = threshold_study.f1_theory(validations, seeds, labels)
    curse = threshold_study.winners_curse(validations[0], parts[0], draws=CURSE_DRAWS, seed=int(seed))
    if len(theory):  # a label has a positive in validation, and below: also in test
        figures["f1_theory"] = plots.f1_theory(theory, trial)
    if len(curse):
        figures["winners_curse"] = plots.winners_curse(curse, f"{trial}, seed {seed}")
    for name, figure in figures.items():
        plots.save(figure, folder / f"{name}.png")
