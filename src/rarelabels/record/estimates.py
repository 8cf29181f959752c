"""The estimates of a trial's metrics: stored for those that are compared, made from the stored scores for any other.

An estimate is what the interval of a metric, or of a difference, is made from; see ``judging.statistics.estimate``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from pyarrow import parquet

from rarelabels.declare import own_measures
from rarelabels.judging.arrays import Integers
from rarelabels.judging.metrics.own import OwnMetric
from rarelabels.judging.statistics import estimate
from rarelabels.judging.statistics.estimate import Estimate
from rarelabels.record import reading, run_files
from rarelabels.record.client import Client
from rarelabels.record.digests import DIGEST
from rarelabels.record.entities import Run
from rarelabels.record.opening import OWN_METRICS

BY_SEED, INFLUENCE = "by_seed.parquet", "influence.parquet"  # files of a trial's parent run
TEST = "test/"


def of_trial(client: Client, parent: Run, children: Sequence[Run], metrics: Iterable[str]) -> dict[str, Estimate]:
    """Return the estimates of a trial's metrics, by recorded name; a metric without one is left out.

    Estimates that are not stored are made from the scores. That is slower. It is so for metrics that no table compares,
    and for trials that were summed up before estimates were stored.

    Args:
        client: of the record.
        parent: the parent run of the trial.
        children: the runs that it sums up, by rising seed.
        metrics: recorded names, such as ``test/half/macro_f1``.
    """
    wanted = list(dict.fromkeys(metrics))
    found = _stored(client, parent, wanted) if DIGEST + INFLUENCE in parent.data.tags else {}
    lacking = [name for name in wanted if name not in found]
    found |= of_runs(client, children, lacking) if lacking else {}
    return {name: one for name, one in found.items() if one.n_seeds}


def of_runs(
    client: Client, runs: Sequence[Run], metrics: Iterable[str] | None = None, groups: Integers | None = None
) -> dict[str, Estimate]:
    """Return estimates from the stored scores of a trial's runs, by recorded name.

    Args:
        client: of the record.
        runs: of one trial.
        metrics: recorded names; all, if None.
        groups: (n,) of the test rows; those that are stored with the scores, if None.
    """
    runs = [run if run.data.metrics else client.run(run.info.run_id) for run in runs]
    parts = [reading.scores(client, run.info.run_id, "test") for run in runs]
    if groups is not None:
        parts = [replace(part, groups=groups, check=False) for part in parts]
    rules = [reading.rules(client, run.info.run_id) for run in runs]
    values = [
        {name.removeprefix(TEST): value for name, value in run.data.metrics.items() if name.startswith(TEST)}
        for run in runs
    ]
    wanted = None if metrics is None else {name.removeprefix(TEST) for name in metrics if name.startswith(TEST)}
    found = estimate.estimates(parts, rules, values, wanted, own_metrics(runs))
    return {TEST + name: one for name, one in found.items()}


def own_metrics(runs: Sequence[Run]) -> tuple[OwnMetric, ...]:
    """Return the metrics of other packages that runs of one trial have, if these packages are installed.

    Raises:
        UserError: one of them cannot be used.
    """
    names = {name: None for run in runs for name in run.data.tags.get(OWN_METRICS, "").split()}
    return own_measures.installed_metrics(names)


def by_the_same_groups(
    client: Client, found: Mapping[str, Mapping[str, Estimate]], runs: Mapping[str, Sequence[Run]]
) -> dict[str, Mapping[str, Estimate]]:
    """Return the estimates of trials on one test part, all by the same groups of test rows.

    Rarelabels 0.4.2 stored no groups with the scores. Where one trial has them and another does not, those of the other
    are made anew from its scores, with the groups of the first.

    Args:
        client: of the record.
        found: of each trial, by name, its estimates by recorded name.
        runs: of each trial, by name, its runs.
    """
    sizes = {name: one.n_groups for name, of_trial in found.items() for one in of_trial.values()}
    if len(set(sizes.values())) < 2:
        return dict(found)
    fewest = min(sizes, key=lambda name: sizes[name])
    stored = (reading.scores(client, run.info.run_id, "test").groups for run in runs[fewest])
    groups = next((of_run for of_run in stored if of_run is not None), None)
    return {
        name: of_runs(client, runs[name], of_trial, groups) if sizes.get(name, 0) > sizes[fewest] else of_trial
        for name, of_trial in found.items()
    }


def store(folder: Path, found: Mapping[str, Estimate], metrics: Iterable[str]) -> None:
    """Write the estimates of these metrics to files; NaN for a metric that has none.

    A column is a metric. A row is a seed in one file, and a group of test rows in the other.
    """
    sizes = next(((one.by_seed.size, one.influence.size) for one in found.values()), (1, 1))
    none = Estimate(*(np.full(size, np.nan) for size in sizes))
    stored = {name: found.get(name, none) for name in sorted(metrics)}
    by_seed = pd.DataFrame({name: one.by_seed for name, one in stored.items()})
    influence = pd.DataFrame({name: one.influence.astype(np.float32) for name, one in stored.items()})
    by_seed.to_parquet(folder / BY_SEED, compression="zstd", index=False)
    influence.to_parquet(folder / INFLUENCE, compression="zstd", index=False)


def _stored(client: Client, parent: Run, wanted: Sequence[str]) -> dict[str, Estimate]:
    def read(file: Path) -> pd.DataFrame:
        with parquet.ParquetFile(file) as stored:
            frame: pd.DataFrame = stored.read([one for one in stored.schema_arrow.names if one in wanted]).to_pandas()
            return frame

    by_seed, influence = (
        run_files.read(client, parent.info.run_id, name, read, parent.data.tags) for name in (BY_SEED, INFLUENCE)
    )
    return {
        str(name): Estimate(by_seed[name].to_numpy(np.float64), influence[name].to_numpy(np.float64))
        for name in by_seed
    }
