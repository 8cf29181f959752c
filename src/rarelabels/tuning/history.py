"""What a search leaves to look at: a table of its trials, and figures."""

from __future__ import annotations

from pathlib import Path

import optuna
from optuna.importance import FanovaImportanceEvaluator

from rarelabels import plots


def save_history(asked_of: optuna.Study, metric: str, title: str, folder: Path) -> None:
    """Write ``trials.csv``, and the figures of the search: its history, the importance of each key, and slices."""
    trials = asked_of.trials_dataframe()
    trials.to_csv(folder / "trials.csv", index=False)
    lower = asked_of.direction == optuna.study.StudyDirection.MINIMIZE
    figures = {"history": plots.search_history(trials, metric, title, lower_is_better=lower)}
    space = asked_of.best_trial.distributions
    scales = {key: bool(getattr(values, "log", False)) for key, values in space.items()}
    figures["slices"] = plots.slices(trials, scales, metric, title)
    if trials.loc[trials["state"] == "COMPLETE", "value"].nunique() > 1:  # else there is no variance to explain
        found = optuna.importance.get_param_importances(asked_of, evaluator=FanovaImportanceEvaluator(seed=0))
        figures["importance"] = plots.importances(found, metric, title)
    (folder / "figures").mkdir()
    for name, figure in figures.items():
        plots.save(figure, folder / "figures" / f"{name}.png")
