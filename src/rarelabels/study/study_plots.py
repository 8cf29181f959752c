"""The figures of a recorded study, ``rl.Study("movies").plot``. Each is drawn from the study's DataFrames."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from rarelabels.errors import UserError
from rarelabels.judging import metrics as judging_metrics
from rarelabels.judging.metrics.table import LOWER_IS_BETTER
from rarelabels.show.figures import of_study, side_by_side
from rarelabels.show.figures.house_style import BLUE, GREEN, GREY, ORANGE, RED, Drawing, all_drawn, dots, drawn

if TYPE_CHECKING:
    from rarelabels.study.recorded_study import Study

FLOORS = ("zeros", "ones", "prior")
RULES = ("half", "global", "global_macro", "per_label", "oracle")
HEADS = ("sigmoid", "softmax")


class StudyPlots:
    """The figures of a study. Each method returns a matplotlib ``Figure``, which a notebook shows.

    Trials go by their short names. A trial without a finished run is left out of a figure.
    """

    def __init__(self, study: Study) -> None:
        self._study = study

    def comparison(self) -> Figure:
        """Draw macro-F1 under each rule and macro average precision of all trials, beside the best floor."""
        summary = self._study.summary()
        summary["trial"] = (summary["trial"] + " " + summary["variant"]).str.strip()
        floors = summary[summary["metric"].str.startswith("floor/")].groupby("metric")["mean"].max()
        best = {
            metric: max(floors.get(f"floor/{floor}/{metric.rpartition('/')[2]}", 0.0) for floor in FLOORS)
            for metric in ("test/half/macro_f1", "test/ranking/macro_average_precision")
        }
        title = f"{self._study.name}: mean and 95 % interval over seeds and test rows"
        return of_study.comparison(summary, best, title)

    def rules(self, trials: Sequence[str] | None = None, rules: Sequence[str] = RULES) -> Figure:
        """Draw macro-F1 of every trial (rows) under every rule (columns), with its 95 % interval.

        Args:
            trials: from top to bottom, floors last; all by default.
            rules: from left to right.
        """
        summary = self._study.summary(trials)
        names = list(dict.fromkeys(summary["trial"]))
        names = [name for name in trials if name in names] if trials is not None else names
        f1 = summary.assign(rule=summary["metric"].str.extract(r"^test/(\w+)/macro_f1$", expand=False))
        f1 = f1[f1["rule"].isin(list(rules))].drop_duplicates(["trial", "rule"]).set_index(["trial", "rule"])
        cells = pd.MultiIndex.from_product([names, rules], names=["trial", "rule"])
        floors = [name for name in names if name.startswith("floor")]
        return of_study.rule_table(f1.reindex(cells).reset_index(), floors, self._study.name)

    def verdicts(self) -> Figure:
        """Draw the measured difference of each declared hypothesis with its interval, beside the claimed difference.

        Raises:
            UserError: the study declares no hypotheses.
        """
        table = self._study.verdicts()
        if not len(table):
            raise UserError(
                f"{self._study.name} declares no hypotheses in its study.yaml: there are no verdicts to draw"
            )
        return of_study.verdicts(table, self._study.name)

    def metrics(self, trials: Sequence[str], metrics: Mapping[str, str], floors: Sequence[str] = ()) -> Figure:
        """Draw trials (rows) by several metrics, a panel each, with their 95 % intervals.

        Args:
            trials: from top to bottom.
            metrics: from the title of each panel to its metric, ``{"macro-F1": "test/half/macro_f1"}``; values must lie
                between 0 and 1.
            floors: those of the trials that are floors; a dashed line in each panel marks the best floor.
        """
        summary, width = self._study.summary(trials), max(11.0, 2.4 * len(metrics))
        figure = Drawing(figsize=(width, 1.2 + 0.35 * len(trials)))
        panels = np.atleast_1d(figure.subplots(1, len(metrics), sharey=True))
        for axes, (title, metric) in zip(panels, metrics.items(), strict=True):
            dots(axes, summary, trials, metric, BLUE, 0, title)
            of_floors = summary[summary["trial"].isin(list(floors)) & (summary["metric"] == metric)]
            if len(of_floors):
                axes.axvline(of_floors["mean"].max(), color=RED, linestyle="--", linewidth=1)
            axes.set(title=drawn(title), xlim=(-0.03, 1.03))
            axes.grid(alpha=0.25)
        panels[0].set_yticks(range(len(trials)), all_drawn(trials))
        panels[0].set_ylim(len(trials) - 0.5, -0.5)
        return figure

    def labels(self, trial: str, variant: str = "", most: int | None = None) -> Figure:
        """Draw F1 at 0.5, F1 at the label's own threshold, and average precision of each label, rarest label first.

        Args:
            trial: its short name.
            variant: of a trial that varies something.
            most: draw only this many of the rarest labels; all if None.

        Raises:
            UserError: the trial has no finished run.
        """
        table = self._study.per_label([trial])
        table = table[table["variant"] == variant]
        if not len(table):
            raise UserError(f"{self._study.name}: no finished run of {f'{trial} {variant}'.strip()}")
        of = table.groupby("label")[["positives", "average_precision"]].mean()
        f1 = table.groupby(["label", "rule"])["f1"].mean().unstack()
        rarest = of.join(f1[["half", "per_label"]]).sort_values("positives").head(most or len(of))
        y = np.arange(len(rarest))
        figure = Drawing(figsize=(8, 1 + 0.28 * len(rarest)))
        axes = figure.subplots()
        axes.hlines(y, rarest["half"], rarest["per_label"], color=GREY, linewidth=1)
        axes.plot(rarest["half"], y, "o", color=ORANGE, label="F1 at 0.5")
        axes.plot(rarest["per_label"], y, "D", color=BLUE, label="F1 with its own threshold")
        axes.plot(rarest["average_precision"], y, "x", color=GREEN, label="average precision")
        names = all_drawn([str(label) for label in rarest.index])
        axes.set_yticks(y, [f"{name} ({n:,.0f})" for name, n in zip(names, rarest["positives"], strict=True)])
        axes.set(
            xlabel=f"test part, {drawn(f'{trial} {variant}'.rstrip())}", xlim=(-0.02, 1), title="labels (positives)"
        )
        axes.grid(alpha=0.25, axis="x")
        axes.legend(frameon=False)
        return figure

    def calibration(self, trials: Sequence[str], seed: int = 0, variant: str = "") -> Figure:
        """Draw the share of true labels in ten bins of equal size over the mean score of each bin, on the test part.

        On the dashed line, a score of 0.3 is right three times in ten. Points below the line mean scores that are too
        high.

        Args:
            trials: their short names.
            seed: of the runs.
            variant: of trials that vary something.
        """
        figure = Drawing(figsize=(4.8, 4.4))
        axes = figure.subplots()
        axes.plot([0, 1], [0, 1], color=GREY, linestyle="--")
        for number, (trial, line) in enumerate(zip(trials, all_drawn(trials), strict=True)):
            points = self._study.reliability(trial, seed, variant)
            colours, markers = side_by_side.TRIAL_COLOURS, side_by_side.MARKERS
            colour, marker = colours[number % len(colours)], markers[number % len(markers)]
            axes.plot(points["score"], points["true"], marker=marker, color=colour, label=line)
        axes.set(xlabel="mean score of the bin", ylabel="share of true labels")
        axes.grid(alpha=0.25)
        axes.legend(frameon=False)
        return figure

    def heads(self, pairs: Mapping[str, tuple[str, str]]) -> Figure:
        """Draw the training loss of a sigmoid and of a softmax head for each loss.

        Args:
            pairs: from the name of each loss to two trials, with a sigmoid head and with a softmax head.

        Raises:
            UserError: none of the trials has a finished run.
        """
        trials = [trial for pair in pairs.values() for trial in pair]
        curves = self._study.curves(trials).query("curve == 'curve/loss'")
        if not len(curves):
            raise UserError(f"{self._study.name}: no finished run of {', '.join(trials)}")
        means = curves.groupby(["trial", "epoch"], as_index=False)["value"].mean()
        named = [
            means[means["trial"] == trial].assign(loss=loss, head=head)
            for loss, pair in pairs.items()
            for head, trial in zip(HEADS, pair, strict=True)
        ]
        return side_by_side.heads(pd.concat(named), self._study.name)

    def sweep(
        self, trials: Sequence[str], metrics: Mapping[str, str], of: str, logarithmic: Sequence[str] = ()
    ) -> Figure:
        """Draw metrics over the number that trials vary (``vary:``): a panel for each metric, a line for each trial.

        Args:
            trials: their short names.
            metrics: from each metric to the title of its panel.
            of: what is varied, in words.
            logarithmic: the metrics that get a logarithmic axis.

        Raises:
            UserError: no finished run of the trials varies a number.
        """
        summary = self._study.summary(trials)
        summary["value"] = pd.to_numeric(summary["variant"].str.rpartition("=")[2], errors="coerce")
        varied = summary.dropna(subset="value")
        if not len(varied):
            raise UserError(f"{self._study.name}: no finished run of {', '.join(trials)} varies a number")
        return side_by_side.sweep(varied, of, metrics, logarithmic, self._study.name)

    def groups(self, trials: Sequence[str]) -> Figure:
        """Draw the pooled F1 of rare, of medium and of frequent labels under several rules.

        Args:
            trials: from top to bottom; at least one has a finished run.
        """
        positives = self._study.per_label(trials).groupby("label")["positives"].first()
        edges = [0, judging_metrics.MEDIUM, judging_metrics.HEAD, np.inf]
        sizes = pd.cut(positives, edges, right=False, labels=["tail", "medium", "head"]).value_counts(sort=False)
        counts = {str(group): int(count) for group, count in sizes[sizes > 0].items()}
        return side_by_side.groups(self._study.summary(trials), counts, self._study.name)

    def picked(self, trials: Mapping[str, str], metrics: Mapping[str, str], title: str = "") -> Figure:
        """Draw the test metrics of trials that differ in the metric that picked the epoch, and what each choice costs.

        Args:
            trials: from short names to the names in the figure.
            metrics: from each metric to its name in the figure.
            title: of the figure; the study's name by default.

        Raises:
            UserError: none of the trials has all the metrics.
        """
        summary = self._study.summary(list(trials))
        means = summary[summary["metric"].isin(list(metrics))].pivot_table(
            index="trial", columns="metric", values="mean"
        )
        table = means.reindex(list(trials), columns=list(metrics)).dropna()
        if not len(table):
            raise UserError(f"{self._study.name}: none of {', '.join(trials)} has all of {', '.join(metrics)}")
        lower = [name for metric, name in metrics.items() if metric.rpartition("/")[2] in LOWER_IS_BETTER]
        shown = table.rename(index=dict(trials), columns=dict(metrics)).rename_axis(index=None)
        return side_by_side.picked(shown, lower, title or self._study.name)
