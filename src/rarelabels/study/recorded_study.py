"""A recorded study by its name, as tidy DataFrames, for notebooks and the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from rarelabels.errors import UserError
from rarelabels.record import connection, database, moved, queries, writing
from rarelabels.record.entities import Run
from rarelabels.record.identities import ParentKey, parent_key
from rarelabels.record.reading import (
    KEYS,
    LABEL,
    OF_RULE,
    PARTS,
    Part,
    curves,
    earliest_finished,
    labels,
    per_label,
    scores,
    summary,
)


class Study:
    """What is recorded of a study, as tidy DataFrames; the runs are read once, when it is made.

    Only the runs that count are in it: finished ones, of those that are the same the one that ended first, and of each
    trial and variant those of the definition that was run last. A trial is called by its short name, ``bce``; a variant
    by what it varies, ``dataset.labels=3``, and is empty where nothing is varied. ``trials`` narrows a frame to some
    trials; one that has no finished run has no rows, and :meth:`finished` says so.

        movies = results.Study("movies")
        movies.runs().groupby("trial")["test/per_label/macro_f1"].mean()

    Attributes:
        name: of the study.
        where: MLflow's tracking URI.
    """

    def __init__(self, name: str, where: str | None = None, *, overridden: bool = False) -> None:
        """Read the runs of a study.

        Args:
            name: such as ``movies``.
            where: the tracking URI; :func:`tracking_uri` by default.
            overridden: also give the runs with ``--set``; they are called ``bce (training.epochs=3)``.

        Raises:
            UserError: the record does not answer, or has no finished run of the study.
        """
        self.name, self.where = name, where or tracking_uri()
        found = _recorded(name, self.where)
        self._client = connection.connect(self.where)
        self._runs = sorted(_counted(found, overridden), key=_place)
        if not self._runs:
            raise UserError(f"no run of {name} is finished yet; `make {name}` goes on")
        self._trials: dict[tuple[str, str], list[Run]] = {}
        for run in self._runs:
            self._trials.setdefault(_place(run)[:2], []).append(run)
        self._parents: dict[ParentKey, Run] = {}
        for run in found:
            if run.data.tags.get("kind") == "trial":
                self._parents.setdefault(parent_key(run), run)

    def __repr__(self) -> str:
        return f"Study({self.name!r}): {len(self._trials)} trials, {len(self._runs)} runs"

    def finished(self, *trials: str) -> list[str]:
        """Return those of the trials that have a finished run, and print which have none yet."""
        known = {trial for trial, _ in self._trials}
        if missing := [trial for trial in trials if trial not in known]:
            print(f"not run yet: {', '.join(missing)} (`make {self.name}/{missing[0]}` runs it)")
        return [trial for trial in trials if trial in known]

    def trials(self) -> pd.DataFrame:
        """Return one row per trial and variant: what was declared.

        Columns:
            trial, variant: its name.
            overrides: what ``--set`` changed, as text; empty for a trial as declared.
            question: what it was run for.
            runs: how many of them count.
            loss.kind, dataset.labels, …: every declared value by its dotted key, as text; missing where a trial has no
                such key. Those of a tuned trial are what its search found.
        """
        rows = []
        for (trial, variant), of_trial in self._trials.items():
            run = of_trial[0]
            question = run.data.tags.get(writing.NOTE, "").partition("\n")[0]
            row: dict[str, object] = {"trial": trial, "variant": variant, "overrides": run.data.tags["overrides"]}
            row |= {"question": question, "runs": len(of_trial)}
            rows.append(row | {key: value for key, value in run.data.params.items() if key != "seed"})
        return pd.DataFrame(rows)

    def runs(self) -> pd.DataFrame:
        """Return one row per run that counts.

        Columns:
            trial, variant, seed: which run it is.
            overrides: what ``--set`` changed, as text; empty for a run as declared.
            run_id: MLflow's.
            test/half/macro_f1, …: every final metric by its MLflow name, missing where a run has no such number. These
                are ``<part>/<rule>/<metric>``, ``<part>/ranking/<metric>``, ``<part>/count/…``, ``crossfit/…``,
                ``floor/<floor>/<metric>`` and ``training/…``; the README says what they mean.
        """
        metrics = [{k: v for k, v in run.data.metrics.items() if not k.startswith("curve/")} for run in self._runs]
        heads = [dict(zip(KEYS, _place(run), strict=True)) for run in self._runs]
        names = sorted({name for one in metrics for name in one})
        frame = pd.DataFrame([head | one for head, one in zip(heads, metrics, strict=True)])
        frame["overrides"] = [run.data.tags["overrides"] for run in self._runs]
        frame["run_id"] = [run.info.run_id for run in self._runs]
        return frame[[*KEYS, "overrides", "run_id", *names]]

    def summary(self, trials: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per trial, variant and metric: its mean over seeds with the 95 % interval.

        Columns:
            trial, variant: its name.
            metric: MLflow's name, as in :meth:`runs`.
            mean: over seeds.
            low, high: ends of the interval, by resampling test rows and seeds together; missing where a metric has
                none, and as long as the command that runs the trial goes on.
        """
        frames = []
        for (trial, variant), of_trial in self._trials.items():
            if trials is None or trial in trials:
                parent = self._parents.get(parent_key(of_trial[0]))
                table = summary(self._client, parent) if parent else pd.DataFrame()
                table = table if len(table) else _means(of_trial)
                frames.append(table.assign(trial=trial, variant=variant))
        return _joined(frames, ["trial", "variant", "metric", "mean", "low", "high"])

    def curves(self, trials: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the learning curves: one row per run, curve and epoch.

        Columns:
            trial, variant, seed: which run it is.
            curve: MLflow's name, ``curve/loss`` of the training part, ``curve/val_loss`` of the validation part; of a
                metric with a number for each label ``curve/val_f1_none/<label>``.
            epoch: from 1.
            value: at the end of the epoch.
        """
        frames = [
            _of_run(curves(self._client, [run.info.run_id]).drop(columns="run_id"), run) for run in self._some(trials)
        ]
        return _joined(frames, [*KEYS, "curve", "epoch", "value"])

    def per_label(self, trials: Sequence[str] | None = None) -> pd.DataFrame:
        """Return how each label fares on the test part: one row per run, label and rule.

        Columns:
            trial, variant, seed: which run it is.
            label: its name.
            positives: test rows that have it.
            prevalence: their share.
            average_precision, roc_auc: of its scores, whatever the rule; missing where undefined.
            rule: ``half``, ``global``, ``per_label``, ``oracle`` (a bound), …; the README says what they mean.
            threshold: the label's under that rule; ``argmax``, ``at_least_one`` and ``top_k`` look at the row besides.
            tp, fp, fn, tn: the confusion matrix.
            precision, recall, f1: 0 where nothing is assigned, or nothing true.
        """
        frames = [_of_run(_by_rule(per_label(self._client, run.info.run_id)), run) for run in self._some(trials)]
        return _joined(frames, [*KEYS, *LABEL, "rule", *OF_RULE])

    def scores(self, trial: str, seed: int = 0, part: Part = "test", variant: str = "") -> pd.DataFrame:
        """Return the scores that the rules of a run are about: one row per row of the data and label.

        Of a calibrated trial they are the calibrated ones.

        Columns:
            id: of the row of the data.
            label: its name.
            true: 0 or 1.
            score: the probability that was predicted.

        Args:
            trial: its short name.
            seed: of the run.
            part: ``validation``, which chose the thresholds, or ``test``.
            variant: of a trial that varies something.

        Raises:
            UserError: there is no such run or part.
        """
        if part not in PARTS:
            raise UserError(f"part must be {' or '.join(PARTS)}; given {part!r}")
        run = self._one(trial, variant, seed)
        names, scored = labels(self._client, run.info.run_id), scores(self._client, run.info.run_id, part)
        rows, columns = scored.y.shape
        return pd.DataFrame(
            {
                "id": np.repeat(scored.ids, columns),
                "label": np.tile(np.array(names), rows),
                "true": scored.y.ravel(),
                "score": scored.scores.ravel(),
            }
        )

    def _some(self, trials: Sequence[str] | None) -> list[Run]:
        return [run for run in self._runs if trials is None or _called(run) in trials]

    def _one(self, trial: str, variant: str, seed: int) -> Run:
        asked = trial, variant, seed
        for run in self._runs:
            if _place(run) == asked:
                return run
        of_trial = [_place(run)[1:] for run in self._some([trial])]
        there = [f"seed {seed}{f' of {variant}' if variant else ''}" for variant, seed in of_trial]
        told = there or sorted({_called(run) for run in self._runs})
        wanted = " ".join(filter(None, [trial, variant]))
        raise UserError(f"{self.name}: no finished run of {wanted} with seed {seed}; there are: {', '.join(told)}")


def tracking_uri() -> str:
    """Return where the record is: ``MLFLOW_TRACKING_URI``, else the nearest ``runs/mlflow.db``, from here upwards."""
    folder = _nearest(Path("runs") / "mlflow.db")
    return os.environ.get("MLFLOW_TRACKING_URI") or f"{database.SQLITE}{folder / 'runs' / 'mlflow.db'}"


def experiments() -> Path:
    """Return the nearest folder ``experiments/``, from here upwards: what is declared of what is recorded."""
    return _nearest(Path("experiments")) / "experiments"


def _nearest(name: Path) -> Path:
    """Return the nearest folder that holds ``name``, from the current one upwards; the current one if none does."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / name).exists()), here)


def _recorded(name: str, where: str) -> list[Run]:
    begun = connection.is_begun(where)
    client = connection.connect(where) if begun else None
    experiment = queries.find_experiment(client, name) if client else None
    if client is None or experiment is None:
        studies = [one.name.removeprefix(moved.ROOT) for one in queries.experiments(client)] if client else []
        there = f"; there are: {', '.join(studies)}" if studies else ""
        raise UserError(f"nothing is recorded of {name!r} yet: `make {name}` runs it{there}")
    return queries.all_runs(client, experiment)


def _counted(found: list[Run], overridden: bool) -> Iterator[Run]:
    """Yield the runs that count, of each trial and variant those of the definition that was run last."""
    counted = [run for run in earliest_finished(found).values() if overridden or not run.data.tags["overrides"]]
    counted.sort(key=lambda run: (run.info.start_time, run.info.run_id))
    last = {_place(run)[:2]: parent_key(run) for run in counted}
    return (run for run in counted if last[_place(run)[:2]] == parent_key(run))


def _called(run: Run) -> str:
    """Return the short name of a run's trial, with its overrides."""
    tags = run.data.tags
    short = str(tags["trial"]).partition("/")[2]
    return f"{short} ({tags['overrides']})" if tags["overrides"] else short


def _place(run: Run) -> tuple[str, str, int]:
    return _called(run), str(run.data.tags["variant"]), int(run.data.tags["seed"])


def _means(runs: Sequence[Run]) -> pd.DataFrame:
    """Return what :func:`summary` does of runs that are not summed up yet: means without an interval."""
    rows = [(name, value) for run in runs for name, value in run.data.metrics.items() if not name.startswith("curve/")]
    table = pd.DataFrame(rows, columns=["metric", "mean"]).groupby("metric", as_index=False).mean()
    return table.assign(low=np.nan, high=np.nan)


def _of_run(frame: pd.DataFrame, run: Run) -> pd.DataFrame:
    trial, variant, seed = _place(run)
    return frame.assign(trial=trial, variant=variant, seed=seed)


def _joined(frames: Sequence[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True)[columns] if filled else pd.DataFrame(columns=columns)


def _by_rule(table: pd.DataFrame) -> pd.DataFrame:
    """Return a per-label table with a row for each label and rule, rules in their order."""
    rules = dict.fromkeys(name.rpartition("/")[0] for name in table.columns if "/" in name)
    blocks = []
    for rule in rules:
        own = table[[f"{rule}/{name}" for name in OF_RULE]].set_axis(OF_RULE, axis=1)
        blocks.append(pd.concat([table[LABEL], own], axis=1).assign(rule=rule))
    return pd.concat(blocks, ignore_index=True)
