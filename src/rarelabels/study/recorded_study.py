"""A study by its name, from its record or from its published results: tidy DataFrames and figures."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rarelabels.compare import ranking
from rarelabels.errors import UserError
from rarelabels.record.reading import ScoredPart
from rarelabels.study import comparison_frame
from rarelabels.study.published_tables import PublishedTables
from rarelabels.study.recorded_tables import RecordedTables

if TYPE_CHECKING:
    from rarelabels.study.study_plots import StudyPlots


class Study:
    """A study: DataFrames, verdicts and figures, read from its record in MLflow or from published results.

    The runs are read once, when the object is made. Only the runs that count are read: finished runs of the definition
    of each trial and variant that was run last. Of identical runs, the run that ended first counts.

    A trial goes by its short name, ``bce``. A variant goes by what it varies, ``dataset.labels=3``, and is empty where
    nothing is varied. The argument ``trials`` narrows a frame to some trials. A trial without a finished run has no
    rows; :meth:`finished` tells which trials have one.

    >>> import rarelabels as rl
    >>> movies = rl.Study("movies")  # doctest: +SKIP
    >>> movies.runs().groupby("trial")["test/per_label/macro_f1"].mean()  # doctest: +SKIP
    >>> movies.plot.verdicts()  # doctest: +SKIP
    >>> rl.Study("movies", published="docs/results").verdicts()  # doctest: +SKIP

    Attributes:
        name: of the study.
        where: MLflow's tracking URI, or the folder of the published results.
    """

    def __init__(
        self,
        name: str,
        where: str | None = None,
        *,
        published: str | PathLike[str] | None = None,
        overridden: bool = False,
    ) -> None:
        """Read the runs of a study.

        Args:
            name: such as ``movies``.
            where: the tracking URI; by default ``MLFLOW_TRACKING_URI``, else the nearest ``runs/mlflow.db``, from the
                current folder upwards.
            published: a folder to which ``rarelabels publish`` wrote; then nothing is read from a record, and there are
                no scores and no overridden runs. Numbers have seven digits.
            overridden: also read the runs with ``--set``; their trials are named ``bce (training.epochs=3)``.

        Raises:
            UserError: the record does not answer, or it has no finished run of the study; the study is not published
                there, or a published file is damaged.
        """
        self._tables: RecordedTables | PublishedTables = (
            RecordedTables(name, where, overridden=overridden)
            if published is None
            else PublishedTables(name, Path(published))
        )
        self.name, self.where = name, self._tables.where

    def __repr__(self) -> str:
        return f"Study({self.name!r}): {len(self._tables.names)} trials, {len(self.runs())} runs"

    def _repr_html_(self) -> str:
        runs = self.runs()
        seeds = ", ".join(map(str, sorted(set(runs["seed"]))))
        counts = f"{len(self._tables.names)} trials, {len(runs)} finished runs, seeds {seeds}."
        table = self.summary()
        table["trial"] = (table["trial"] + " " + table["variant"]).str.strip()
        legend = "Test part: mean and 95 % interval over seeds and test rows."
        question = f"<p>{escape(self._tables.question)}</p>" if self._tables.question else ""
        title = ": ".join(filter(None, [self.name, self._tables.title]))
        return f"<p><b>{escape(title)}</b></p>{question}<p>{counts} {legend}</p>{comparison_frame.html(table)}"

    @property
    def about(self) -> dict[str, Any]:
        """When, where, with which versions and from which data published results were made.

        Raises:
            UserError: the study is read from a record.
        """
        if isinstance(self._tables, RecordedTables):
            raise UserError(f"{self.name} is read from a record; `rarelabels publish {self.name}` writes about.json")
        return self._tables.about

    @property
    def plot(self) -> StudyPlots:
        """The figures of the study, each a matplotlib ``Figure``: ``study.plot.comparison()``."""
        from rarelabels.study.study_plots import StudyPlots  # imports matplotlib

        return StudyPlots(self)

    def finished(self, *trials: str) -> list[str]:
        """Return the given trials that have a finished run, and print the names of the others."""
        known = {trial for trial, _ in self._tables.names}
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
        return self._tables.comparison()

    def verdicts(self) -> pd.DataFrame:
        """Judge the hypotheses that ``study.yaml`` declares, as ``rarelabels findings`` does.

        Returns:
            A row for each hypothesis; empty if none is declared. Among the columns: ``name``, ``claim``, ``trial``,
            ``against``, ``metric``, ``direction``, ``margin`` as declared; ``verdict`` (``upheld``, ``refuted`` or
            ``undecided``), ``value`` (the difference), ``low``, ``high`` (its interval at ``level``), ``late``
            (whether a run of either side was made, or looked at, before the hypothesis had its present form),
            ``reason`` (why the difference could not be measured).
        """
        return self._tables.verdicts()

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
        return self._tables.ranking(metric)

    def bounds(self) -> list[str]:
        """Return a sentence for each bound of ``study.yaml``: whether the stated numbers can hold together."""
        return self._tables.bounds()

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
        return self._tables.trials()

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
        return self._tables.runs()

    def summary(self, trials: Sequence[str] | None = None) -> pd.DataFrame:
        """Return one row per trial, variant and metric: its mean over seeds with the 95 % interval.

        Columns:
            trial, variant: its name.
            metric: MLflow's name, as in :meth:`runs`.
            mean: over seeds.
            low, high: ends of the interval, over test rows and seeds; missing where a metric has no
                interval, and until the runs of the trial have been summed up.
        """
        return self._tables.summary(trials)

    def curves(self, trials: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the learning curves: one row per run, curve and epoch.

        Columns:
            trial, variant, seed: which run it is.
            curve: MLflow's name: ``curve/loss`` of the training part, ``curve/val_loss`` of the validation part. A
                metric with a number for each label has a curve for each, ``curve/val_f1_none/<label>``.
            epoch: from 1.
            value: at the end of the epoch.
        """
        return self._tables.curves(trials)

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
        return self._tables.per_label(trials)

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
            UserError: there is no such run or part; the results are published ones.
        """
        if isinstance(self._tables, PublishedTables):
            raise UserError(f"{self.where}: scores are not published; run {self.name} to have them in a record")
        return self._tables.scores(trial, seed, part, variant)

    def reliability(self, trial: str, seed: int = 0, variant: str = "") -> pd.DataFrame:
        """Return how far scores can be taken for probabilities: the test scores of a run, sorted into ten equal bins.

        Columns:
            score: mean of the bin.
            true: share of the bin's cells that are true, among those that are known.

        Args:
            trial: its short name.
            seed: of the run.
            variant: of a trial that varies something.

        Raises:
            UserError: there is no such run.
        """
        return self._tables.reliability(trial, seed, variant)
