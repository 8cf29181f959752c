"""Read the record: MLflow runs as tidy DataFrames, for notebooks, reports and the command line. Writes nothing.

:class:`Study` is the door for readers: the name of a study is all it needs. The functions below it are what the suite
reads single runs with.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from pyarrow import parquet

from rarelabels import thresholds, tracking
from rarelabels.calibration import Calibration
from rarelabels.evaluation import CALIBRATION, Scored
from rarelabels.picking import Epochs
from rarelabels.schema import UserError
from rarelabels.thresholds import Rules
from rarelabels.tracking import EPOCHS, Client, ParentKey, Run, parent_key

SCORES, PICKED = "scores", "picked"  # folders of a run: of the epoch that the training kept, and of one picked later
RunKey = tuple[str, str, str, str]  # trial, variant, overrides, fingerprint
KEYS = ["trial", "variant", "seed"]
HEADER = [*KEYS, "overrides", "status", "run_id"]
LABEL = ["label", "positives", "prevalence", "average_precision", "roc_auc"]  # columns that no rule changes
OF_RULE = ["threshold", "tp", "fp", "fn", "tn", "precision", "recall", "f1"]
Part = Literal["validation", "test"]
PARTS: tuple[Part, ...] = get_args(Part)


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
        self._client = tracking.connect(self.where)
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
            question = run.data.tags.get(tracking.NOTE, "").partition("\n")[0]
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
    return os.environ.get("MLFLOW_TRACKING_URI") or f"{tracking.SQLITE}{folder / 'runs' / 'mlflow.db'}"


def experiments() -> Path:
    """Return the nearest folder ``experiments/``, from here upwards: what is declared of what is recorded."""
    return _nearest(Path("experiments")) / "experiments"


def _nearest(name: Path) -> Path:
    """Return the nearest folder that holds ``name``, from the current one upwards; the current one if none does."""
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / name).exists()), here)


def _recorded(name: str, where: str) -> list[Run]:
    begun = tracking.is_begun(where)
    client = tracking.connect(where) if begun else None
    experiment = tracking.find_experiment(client, name) if client else None
    if client is None or experiment is None:
        studies = [one.name.removeprefix(tracking.ROOT) for one in tracking.experiments(client)] if client else []
        there = f"; there are: {', '.join(studies)}" if studies else ""
        raise UserError(f"nothing is recorded of {name!r} yet: `make {name}` runs it{there}")
    return tracking.all_runs(client, experiment)


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


# What the suite reads single runs with


def runs(found: list[Run]) -> pd.DataFrame:
    """Return one row per run, oldest first: ``trial, variant, seed, overrides, status, run_id``, then all metrics.

    ``overrides`` is what ``--set`` changed, as text; it is empty for a run as declared. Metrics are the final ones, by
    their MLflow names; curves are left out. A run that did not finish has what it logged.
    """
    rows = []
    for run in found:
        tags = run.data.tags
        if tags.get("kind") == "run":
            row = {"trial": tags["trial"], "variant": tags["variant"], "seed": int(tags["seed"])}
            row |= {"overrides": tags["overrides"], "status": run.info.status, "run_id": run.info.run_id}
            rows.append(row | {k: v for k, v in run.data.metrics.items() if not k.startswith("curve/")})
    frame = pd.DataFrame(rows, columns=None if rows else HEADER)
    return frame[HEADER + sorted(set(frame.columns) - set(HEADER))]


def finished(found: list[Run]) -> dict[RunKey, list[Run]]:
    """Return the FINISHED runs of trials by trial, variant, overrides and fingerprint, in the order they ended in."""
    by_key: dict[RunKey, list[Run]] = {}
    for run in sorted(found, key=lambda r: (r.info.end_time or 0, r.info.run_id)):
        tags = run.data.tags
        if tags.get("kind") == "run" and run.info.status == "FINISHED":
            key = tags["trial"], tags["variant"], tags["overrides"], tags["fingerprint"]
            by_key.setdefault(key, []).append(run)
    return by_key


def earliest_finished(found: list[Run]) -> dict[RunKey, Run]:
    """Return the runs that count: of those that are the same the one that ended first."""
    return {key: runs[0] for key, runs in finished(found).items()}


def below(found: list[Run]) -> dict[ParentKey, list[Run]]:
    """Return the runs that count of each trial, by its parent's key, by rising seed."""
    made: dict[ParentKey, list[Run]] = {}
    for run in sorted(earliest_finished(found).values(), key=lambda run: int(run.data.tags["seed"])):
        made.setdefault(parent_key(run), []).append(run)
    return made


def parents(found: list[Run]) -> dict[ParentKey, str]:
    """Return the run id of each trial's parent by its key; the earliest counts."""
    ids: dict[ParentKey, str] = {}
    for run in found:
        if run.data.tags.get("kind") == "trial":
            ids.setdefault(parent_key(run), run.info.run_id)
    return ids


def curves(client: Client, run_ids: list[str]) -> pd.DataFrame:
    """Return the learning curves of runs: columns ``run_id, curve, epoch, value``."""
    rows = [
        (run_id, point.key, point.step, point.value)
        for run_id in run_ids
        for point in client.read.histories(run_id, "curve/")
    ]
    return pd.DataFrame(rows, columns=["run_id", "curve", "epoch", "value"])


def scores(client: Client, run_id: str, part: str) -> Scored:
    """Return the scores of a part, ``validation`` or ``test``, that the rules of a run are about.

    Those are the stored ones, or what the run's calibration makes of them.
    """
    there = tracking.file_names(client, run_id)
    stored = Scored.from_frame(tracking.read(client, run_id, f"{_folder(there)}/{part}.parquet", pd.read_parquet))
    if CALIBRATION not in there:
        return stored
    calibration = Calibration.from_json(tracking.read(client, run_id, CALIBRATION, _json))
    return replace(stored, scores=calibration.apply(stored.scores))


def raw_scores(client: Client, run_id: str) -> tuple[tuple[str, ...], Scored, Scored]:
    """Return the labels of a run, and its scores of validation and test before any calibration."""
    return _both(client, run_id, _folder(tracking.file_names(client, run_id)))


def trained_scores(client: Client, run_id: str) -> tuple[tuple[str, ...], Scored, Scored]:
    """Return what :func:`raw_scores` does, of the epoch that the training kept, whichever was picked afterwards."""
    return _both(client, run_id, SCORES)


def epochs(client: Client, run_id: str) -> Epochs:
    """Return the scores of every epoch of a run's training, which recorded them."""

    def read(file: Path) -> Epochs:
        with np.load(file, allow_pickle=False) as stored:
            return Epochs.of(stored)

    trained_by = client.run(run_id).data.tags.get("trained_by", run_id)
    return tracking.read(client, trained_by, EPOCHS, read)


def stored_scores(folder: Path) -> tuple[tuple[str, ...], Scored, Scored]:
    """Return the labels and scores of validation and test that ``evaluation.save_scores`` wrote to a folder.

    What is measured is always measured on these: the last bits of a mean depend on how an array lies in memory.
    """
    return _parts(*(pd.read_parquet(folder / f"{part}.parquet") for part in PARTS))


def _both(client: Client, run_id: str, folder: str) -> tuple[tuple[str, ...], Scored, Scored]:
    return _parts(*(tracking.read(client, run_id, f"{folder}/{part}.parquet", pd.read_parquet) for part in PARTS))


def _parts(validation: pd.DataFrame, test: pd.DataFrame) -> tuple[tuple[str, ...], Scored, Scored]:
    names = tuple(name.removeprefix("true/") for name in validation.columns if name.startswith("true/"))
    return names, Scored.from_frame(validation), Scored.from_frame(test)


def _folder(names: Set[str]) -> str:
    """Return where the scores are that the rules of a run are about, which has files of these names."""
    return PICKED if PICKED in names else SCORES


def train_prevalence(client: Client, run_id: str) -> npt.NDArray[np.float64]:
    """Return the share of positives of each label in the training part, (n_labels,)."""
    stored = tracking.read(client, run_id, "data.json", _json)
    return np.array(list(stored["prevalence"]["train"].values()), np.float64)


def rules(client: Client, run_id: str) -> Rules:
    """Return the stored rules."""
    return thresholds.from_json(tracking.read(client, run_id, "thresholds.json", _json))


def searches(found: list[Run]) -> dict[str, Run]:
    """Return the finished searches by their fingerprint; of those that are the same the one with the most trials."""
    searched = [run for run in found if run.data.tags.get("kind") == "search" and run.info.status == "FINISHED"]
    return {run.data.tags["fingerprint"]: run for run in sorted(searched, key=lambda run: int(run.data.tags["trials"]))}


def best(client: Client, search: str) -> dict[str, Any]:
    """Return the best values that a search of parameters found, by dotted key."""
    values: dict[str, Any] = tracking.read(client, search, "best.json", _json)["values"]
    return values


def labels(client: Client, run_id: str) -> tuple[str, ...]:
    """Return the names of the labels of a run."""
    return tuple(per_label(client, run_id)["label"])


def per_label(client: Client, run_id: str) -> pd.DataFrame:
    """Return the per-label table of a run; see ``metrics.per_label``."""

    def read(file: Path) -> pd.DataFrame:
        return pd.read_csv(file, keep_default_na=False, na_values=[""])

    return tracking.read(client, run_id, "per_label.csv", read)


def summary(client: Client, parent: Run) -> pd.DataFrame:
    """Return a trial's aggregate: columns ``metric, mean, low, high``; empty if the trial has none yet."""
    return _frame_or_empty(client, parent, "summary.csv", pd.read_csv)


def replicates(client: Client, parent: Run, metrics: Iterable[str]) -> pd.DataFrame:
    """Return a trial's bootstrap replicates: a column per metric, a row per draw (the same draws for all trials).

    There are hundreds of columns: those of ``metrics`` are read that it has.
    """

    def read(file: Path) -> pd.DataFrame:
        with parquet.ParquetFile(file) as stored:
            wanted = set(metrics)
            frame: pd.DataFrame = stored.read([one for one in stored.schema_arrow.names if one in wanted]).to_pandas()
            return frame

    return _frame_or_empty(client, parent, "bootstrap.parquet", read)


def _frame_or_empty(client: Client, run: Run, name: str, read: Callable[[Path], pd.DataFrame]) -> pd.DataFrame:
    if run.data.tags.get("summed_up") is None:
        return pd.DataFrame()
    return tracking.read(client, run.info.run_id, name, read, run.data.tags)


def _json(file: Path) -> dict[str, Any]:
    stored: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return stored
