"""The tables of a study, read from its record in MLflow."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from rarelabels.compare import verdicts as compare_verdicts
from rarelabels.declare import declarations
from rarelabels.errors import UserError
from rarelabels.record import connection, reading, writing
from rarelabels.record.entities import Run
from rarelabels.record.identities import ParentKey, parent_key
from rarelabels.record.reading import KEYS, KNOWN, LABEL, OF_RULE, SCORED_PARTS, ScoredPart
from rarelabels.study import comparison_frame, counted_runs, project, standing

RANKED = ["trial", "searched", "validation", "test", "low", "high", "tied"]
BINS = 10  # of a reliability table


class RecordedTables:
    """The tables of a recorded study; :class:`~rarelabels.study.recorded_study.Study` says what is in each.

    Attributes:
        where: MLflow's tracking URI.
        title: of the study; empty if no ``study.yaml`` declares it.
        question: likewise.
        names: short name and variant of each trial with a finished run.
        run_list: the runs that count.
    """

    def __init__(self, name: str, where: str | None, *, overridden: bool) -> None:
        """Read the runs of a study; see ``Study``."""
        self._study, self.where = name, where or project.tracking_uri()
        self.root = project.experiments()
        recorded = counted_runs.recorded(name, self.where)
        self._client = connection.connect(self.where)
        self.run_list = counted_runs.counted(recorded, overridden=overridden)
        if not self.run_list:
            raise UserError(f"no run of {name} is finished yet; `make {name}` goes on")
        self._trials: dict[tuple[str, str], list[Run]] = {}
        for run in self.run_list:
            self._trials.setdefault(counted_runs.key(run)[:2], []).append(run)
        self._parents: dict[ParentKey, Run] = {}
        for run in recorded:
            if run.data.tags.get("kind") == "trial":
                self._parents.setdefault(parent_key(run), run)
        stated = declarations.load_study(self.root / name)
        self.title, self.question = (stated.title, stated.question) if stated else ("", "")
        self.names = list(self._trials)

    def comparison(self) -> pd.DataFrame:
        """Return the comparison of the trials."""
        return comparison_frame.frame(standing.compare(self._study, self.where, root=self.root))

    def verdicts(self) -> pd.DataFrame:
        """Return the verdicts on the declared hypotheses."""
        return compare_verdicts.long({self._study: standing.verdicts(self._study, self.where, self.root)})

    def ranking(self, metric: str) -> pd.DataFrame:
        """Return the ranking by a validation metric."""
        ranked = standing.rank(self._study, self.where, metric, self.root).ranked
        rows = [(one.name, one.is_searched, one.value, one.test, one.low, one.high, one.tied) for one in ranked]
        return pd.DataFrame(rows, columns=RANKED)

    def bounds(self) -> list[str]:
        """Return a sentence for each declared bound."""
        stated = declarations.load_study(self.root / self._study)
        return [bound.verdict() for bound in stated.bounds] if stated else []

    def trials(self) -> pd.DataFrame:
        """Return the declarations of the trials."""
        rows = []
        for (trial, variant), of_trial in self._trials.items():
            run = of_trial[0]
            question = run.data.tags.get(writing.NOTE, "").partition("\n")[0]
            row: dict[str, object] = {"trial": trial, "variant": variant, "overrides": run.data.tags["overrides"]}
            row |= {"question": question, "runs": len(of_trial)}
            rows.append(row | {key: value for key, value in run.data.params.items() if key != "seed"})
        return pd.DataFrame(rows)

    def runs(self) -> pd.DataFrame:
        """Return the final metrics of the runs."""
        metrics = [{k: v for k, v in run.data.metrics.items() if not k.startswith("curve/")} for run in self.run_list]
        heads = [dict(zip(KEYS, counted_runs.key(run), strict=True)) for run in self.run_list]
        names = sorted({name for one in metrics for name in one})
        frame = pd.DataFrame([head | one for head, one in zip(heads, metrics, strict=True)])
        frame["overrides"] = [run.data.tags["overrides"] for run in self.run_list]
        frame["run_id"] = [run.info.run_id for run in self.run_list]
        return frame[[*KEYS, "overrides", "run_id", *names]]

    def summary(self, trials: Sequence[str] | None) -> pd.DataFrame:
        """Return means and intervals."""
        frames = []
        for (trial, variant), of_trial in self._trials.items():
            if trials is None or trial in trials:
                parent = self._parents.get(parent_key(of_trial[0]))
                table = reading.summary(self._client, parent) if parent else pd.DataFrame()
                table = table if len(table) else _means(of_trial)
                frames.append(table.assign(trial=trial, variant=variant))
        return _joined(frames, ["trial", "variant", "metric", "mean", "low", "high"])

    def curves(self, trials: Sequence[str] | None) -> pd.DataFrame:
        """Return learning curves."""
        frames = [
            _of_run(reading.curves(self._client, [run.info.run_id]).drop(columns="run_id"), run)
            for run in self._some(trials)
        ]
        return _joined(frames, [*KEYS, "curve", "epoch", "value"])

    def per_label(self, trials: Sequence[str] | None) -> pd.DataFrame:
        """Return the results of each label."""
        frames = [
            _of_run(_by_rule(reading.per_label(self._client, run.info.run_id)), run) for run in self._some(trials)
        ]
        known = [KNOWN] if any(KNOWN in frame for frame in frames) else []
        return _joined(frames, [*KEYS, *LABEL, *known, "rule", *OF_RULE])

    def scores(self, trial: str, seed: int, part: ScoredPart, variant: str) -> pd.DataFrame:
        """Return the scores of a run."""
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

    def reliability(self, trial: str, seed: int, variant: str) -> pd.DataFrame:
        """Return mean scores and shares of true labels in ten bins."""
        scored = reading.scores(self._client, self._one(trial, variant, seed).info.run_id, "test")
        true, score = scored.y_or_nan.ravel(), scored.scores.ravel()
        is_known = ~np.isnan(true)
        true, score = true[is_known], score[is_known]
        bins = np.array_split(np.argsort(score, kind="stable"), BINS)
        means = [(score[cells].mean(), true[cells].mean()) for cells in bins if len(cells)]
        return pd.DataFrame(means, columns=["score", "true"])

    def _some(self, trials: Sequence[str] | None) -> list[Run]:
        return [run for run in self.run_list if trials is None or counted_runs.short_name(run) in trials]

    def _one(self, trial: str, variant: str, seed: int) -> Run:
        for run in self.run_list:
            if counted_runs.key(run) == (trial, variant, seed):
                return run
        of_trial = [counted_runs.key(run)[1:] for run in self._some([trial])]
        there = [f"seed {seed}{f' of {variant}' if variant else ''}" for variant, seed in of_trial]
        listed = there or sorted({counted_runs.short_name(run) for run in self.run_list})
        wanted = " ".join(filter(None, [trial, variant]))
        raise UserError(f"{self._study}: no finished run of {wanted} with seed {seed}; there are: {', '.join(listed)}")


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
