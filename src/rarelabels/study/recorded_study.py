"""A recorded study by its name, as tidy DataFrames and figures, for notebooks and the command line."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rarelabels.compare import ranking
from rarelabels.compare import verdicts as compare_verdicts
from rarelabels.declare import declarations
from rarelabels.errors import UserError
from rarelabels.record import connection, reading, writing
from rarelabels.record.entities import Run
from rarelabels.record.identities import ParentKey, parent_key
from rarelabels.record.reading import KEYS, KNOWN, LABEL, OF_RULE, SCORED_PARTS, ScoredPart
from rarelabels.study import comparison_frame, counted_runs, project, standing

if TYPE_CHECKING:
    from rarelabels.study.study_plots import StudyPlots


class Study:
    """A recorded study, read from MLflow: DataFrames, verdicts and figures.

    The runs are read once, when the object is made. Only the runs that count are read: finished runs of the definition
    of each trial and variant that was run last. Of identical runs, the run that ended first counts.

    A trial goes by its short name, ``bce``. A variant goes by what it varies, ``dataset.labels=3``, and is empty where
    nothing is varied. The argument ``trials`` narrows a frame to some trials. A trial without a finished run has no
    rows; :meth:`finished` tells which trials have one.

    >>> import rarelabels as rl
    >>> movies = rl.Study("movies")  # doctest: +SKIP
    >>> movies.runs().groupby("trial")["test/per_label/macro_f1"].mean()  # doctest: +SKIP
    >>> movies.plot.verdicts()  # doctest: +SKIP

    Attributes:
        name: of the study.
        where: MLflow's tracking URI.
    """

    def __init__(self, name: str, where: str | None = None, *, overridden: bool = False) -> None:
        """Read the runs of a study.

        Args:
            name: such as ``movies``.
            where: the tracking URI; by default ``MLFLOW_TRACKING_URI``, else the nearest ``runs/mlflow.db``, from the
                current folder upwards.
            overridden: also read the runs with ``--set``; their trials are named ``bce (training.epochs=3)``.

        Raises:
            UserError: the record does not answer, or it has no finished run of the study.
        """
        self.name, self.where = name, where or project.tracking_uri()
        self._root = project.experiments()
        recorded = counted_runs.recorded(name, self.where)
        self._client = connection.connect(self.where)
        self._runs = counted_runs.counted(recorded, overridden=overridden)
        if not self._runs:
            raise UserError(f"no run of {name} is finished yet; `make {name}` goes on")
        self._trials: dict[tuple[str, str], list[Run]] = {}
        for run in self._runs:
            self._trials.setdefault(counted_runs.key(run)[:2], []).append(run)
        self._parents: dict[ParentKey, Run] = {}
        for run in recorded:
            if run.data.tags.get("kind") == "trial":
                self._parents.setdefault(parent_key(run), run)

    def __repr__(self) -> str:
        return f"Study({self.name!r}): {len(self._trials)} trials, {len(self._runs)} runs"

    def _repr_html_(self) -> str:
        stated = declarations.load_study(self._root / self.name)
        title = f"{self.name}: {stated.title}" if stated else self.name
        question = f"<p>{escape(stated.question)}</p>" if stated else ""
        seeds = sorted({int(run.data.tags["seed"]) for run in self._runs})
        counts = f"{len(self._trials)} trials, {len(self._runs)} finished runs, seeds {', '.join(map(str, seeds))}."
        table = self.summary()
        table["trial"] = (table["trial"] + " " + table["variant"]).str.strip()
        legend = "Test part: mean and 95 % interval over seeds and test rows."
        return f"<p><b>{escape(title)}</b></p>{question}<p>{counts} {legend}</p>{comparison_frame.html(table)}"

    @property
    def plot(self) -> StudyPlots:
        """The figures of the study, each a matplotlib ``Figure``: ``study.plot.comparison()``."""
        from rarelabels.study.study_plots import StudyPlots  # imports matplotlib

        return StudyPlots(self)

    def finished(self, *trials: str) -> list[str]:
        """Return the given trials that have a finished run, and print the names of the others."""
        known = {trial for trial, _ in self._trials}
        if missing := [trial for trial in trials if trial not in known]:
            print(f"not run yet: {', '.join(missing)} (`make {self.name}/{missing[0]}` runs it)")
        return [trial for trial in trials if trial in known]

    def comparison(self) -> pd.DataFrame:
        """Compare the trials as they are declared now, as ``rarelabels results`` does.

        Returns:
            A row for each trial, or floor, and headline metric. Columns: ``data`` (the data set), ``trial`` (with its
            variant, or ``floor: zeros``), ``overrides``, ``seeds`` (their number), ``metric`` (MLflow's name),
            ``mean``, ``low``, ``high`` (95 % interval over seeds and test rows), ``tied`` (it cannot be told from the
            best in that metric).
        """
        return comparison_frame.frame(standing.compare(self.name, self.where, root=self._root))

    def verdicts(self) -> pd.DataFrame:
        """Judge the hypotheses that ``study.yaml`` declares, as ``rarelabels findings`` does.

        Returns:
            A row for each hypothesis; empty if none is declared. Among the columns: ``name``, ``claim``, ``trial``,
            ``against``, ``metric``, ``direction``, ``margin`` as declared; ``verdict`` (``upheld``, ``refuted`` or
            ``undecided``), ``value`` (the difference), ``low``, ``high`` (its interval at ``level``), ``late``
            (whether a run of either side was made, or looked at, before the hypothesis had its present form),
            ``reason`` (why the difference could not be measured).
        """
        return compare_verdicts.long({self.name: standing.verdicts(self.name, self.where, self._root)})

    def best(self, metric: str = ranking.DEFAULT) -> pd.DataFrame:
        """Rank the trials by cross-fitted validation scores, best first, as ``rarelabels best`` does.

        This method registers no model; ``rarelabels best`` does.

        Args:
            metric: ``<rule>/<metric>`` on validation, such as ``per_label/macro_f1`` or ``ranking/log_loss``.

        Returns:
            A row for each trial that learns. Columns: ``trial`` (with its variant), ``searched`` (whether its settings
            were searched on the same validation rows that rank it), ``validation``, ``test``, ``low``, ``high``
            (interval of ``test``), ``tied`` (whether it cannot be told from the first trial on the test part).

        Raises:
            UserError: trials cannot be ranked by that metric, or no trial can be ranked.
        """
        ranked = standing.rank(self.name, self.where, metric, self._root).ranked
        rows = [(one.name, one.is_searched, one.value, one.test, one.low, one.high, one.tied) for one in ranked]
        return pd.DataFrame(rows, columns=["trial", "searched", "validation", "test", "low", "high", "tied"])

    def bounds(self) -> list[str]:
        """Return a sentence for each bound of ``study.yaml``: whether the stated numbers can hold together."""
        stated = declarations.load_study(self._root / self.name)
        return [bound.verdict() for bound in stated.bounds] if stated else []

    def trials(self) -> pd.DataFrame:
        """Return the declaration of each trial: one row per trial and variant.

        Columns:
            trial, variant: the name of the trial and its variant.
            overrides: what ``--set`` changed, as text; empty for a trial as declared.
            question: the question that the trial asks.
            runs: how many of its runs count.
            loss.kind, dataset.labels, …: every declared value by its dotted key, as text; missing where a trial has no
                such key. A tuned trial has the best values of its search.
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
            test/half/macro_f1, …: every final metric by its MLflow name, missing where a run has no such number. The
                names are ``<part>/<rule>/<metric>``, ``<part>/ranking/<metric>``, ``<part>/count/…``, ``crossfit/…``,
                ``floor/<floor>/<metric>`` and ``training/…``; the README explains them.
        """
        metrics = [{k: v for k, v in run.data.metrics.items() if not k.startswith("curve/")} for run in self._runs]
        heads = [dict(zip(KEYS, counted_runs.key(run), strict=True)) for run in self._runs]
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
            low, high: ends of the interval, by resampling test rows and seeds together; missing where a metric has no
                interval, and until the runs of the trial have been summed up.
        """
        frames = []
        for (trial, variant), of_trial in self._trials.items():
            if trials is None or trial in trials:
                parent = self._parents.get(parent_key(of_trial[0]))
                table = reading.summary(self._client, parent) if parent else pd.DataFrame()
                table = table if len(table) else _means(of_trial)
                frames.append(table.assign(trial=trial, variant=variant))
        return _joined(frames, ["trial", "variant", "metric", "mean", "low", "high"])

    def curves(self, trials: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the learning curves: one row per run, curve and epoch.

        Columns:
            trial, variant, seed: which run it is.
            curve: MLflow's name: ``curve/loss`` of the training part, ``curve/val_loss`` of the validation part. A
                metric with a number for each label has a curve for each, ``curve/val_f1_none/<label>``.
            epoch: from 1.
            value: at the end of the epoch.
        """
        frames = [
            _of_run(reading.curves(self._client, [run.info.run_id]).drop(columns="run_id"), run)
            for run in self._some(trials)
        ]
        return _joined(frames, [*KEYS, "curve", "epoch", "value"])

    def per_label(self, trials: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the results of each label on the test part: one row per run, label and rule.

        Columns:
            trial, variant, seed: which run it is.
            label: its name.
            positives: number of test rows that have the label.
            prevalence: share of test rows that have the label.
            average_precision, roc_auc: of the label's scores, the same for every rule; missing where undefined.
            known: number of test rows in which the label is known; only if not all labels are known in all rows. Then
                all other columns are of these rows alone.
            rule: ``half``, ``global``, ``per_label``, ``oracle`` (a bound), …; the README explains them.
            threshold: of the label under that rule. The rules ``argmax``, ``at_least_one`` and ``top_k`` also depend on
                the other scores of a row.
            tp, fp, fn, tn: the confusion matrix.
            precision, recall, f1: 0 where the label is assigned to no row, or no row has it.
        """
        frames = [
            _of_run(_by_rule(reading.per_label(self._client, run.info.run_id)), run) for run in self._some(trials)
        ]
        known = [KNOWN] if any(KNOWN in frame for frame in frames) else []
        return _joined(frames, [*KEYS, *LABEL, *known, "rule", *OF_RULE])

    def scores(self, trial: str, seed: int = 0, part: ScoredPart = "test", variant: str = "") -> pd.DataFrame:
        """Return the scores to which the rules of a run are applied: one row for each row of the data and each label.

        The scores of a calibrated trial are calibrated.

        Columns:
            id: of the row of the data.
            label: its name.
            true: 0 or 1; NaN where the label is not known.
            score: the predicted probability.

        Args:
            trial: its short name.
            seed: of the run.
            part: ``validation``, on which the thresholds were chosen, or ``test``.
            variant: of a trial that varies something.

        Raises:
            UserError: there is no such run or part.
        """
        if part not in SCORED_PARTS:
            raise UserError(f"part must be {' or '.join(SCORED_PARTS)}; given {part!r}")
        run = self._one(trial, variant, seed)
        names, scored = (
            reading.labels(self._client, run.info.run_id),
            reading.scores(self._client, run.info.run_id, part),
        )
        rows, columns = scored.y.shape
        return pd.DataFrame(
            {
                "id": np.repeat(scored.ids, columns),
                "label": np.tile(np.array(names), rows),
                "true": scored.y_or_nan.ravel(),
                "score": scored.scores.ravel(),
            }
        )

    def _some(self, trials: Sequence[str] | None) -> list[Run]:
        return [run for run in self._runs if trials is None or counted_runs.short_name(run) in trials]

    def _one(self, trial: str, variant: str, seed: int) -> Run:
        for run in self._runs:
            if counted_runs.key(run) == (trial, variant, seed):
                return run
        of_trial = [counted_runs.key(run)[1:] for run in self._some([trial])]
        there = [f"seed {seed}{f' of {variant}' if variant else ''}" for variant, seed in of_trial]
        listed = there or sorted({counted_runs.short_name(run) for run in self._runs})
        wanted = " ".join(filter(None, [trial, variant]))
        raise UserError(f"{self.name}: no finished run of {wanted} with seed {seed}; there are: {', '.join(listed)}")


def _means(runs: Sequence[Run]) -> pd.DataFrame:
    """Return a summary of runs that are not summed up yet: means without an interval."""
    rows = [(name, value) for run in runs for name, value in run.data.metrics.items() if not name.startswith("curve/")]
    table = pd.DataFrame(rows, columns=["metric", "mean"]).groupby("metric", as_index=False).mean()
    return table.assign(low=np.nan, high=np.nan)


def _of_run(frame: pd.DataFrame, run: Run) -> pd.DataFrame:
    trial, variant, seed = counted_runs.key(run)
    return frame.assign(trial=trial, variant=variant, seed=seed)


def _joined(frames: Sequence[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True)[columns] if filled else pd.DataFrame(columns=columns)


def _by_rule(table: pd.DataFrame) -> pd.DataFrame:
    """Turn a table with columns ``<rule>/<name>`` into a table with a row for each label and rule."""
    rules = dict.fromkeys(name.rpartition("/")[0] for name in table.columns if "/" in name)
    blocks, of_label = [], [*LABEL, *(name for name in table.columns if name == KNOWN)]
    for rule in rules:
        of_rule = table[[f"{rule}/{name}" for name in OF_RULE]].set_axis(OF_RULE, axis=1)
        blocks.append(pd.concat([table[of_label], of_rule], axis=1).assign(rule=rule))
    return pd.concat(blocks, ignore_index=True)
