"""The history of a search: a table of its trials, and figures."""

from __future__ import annotations

from pathlib import Path

import optuna
from optuna.importance import FanovaImportanceEvaluator

from rarelabels import csv_tables
from rarelabels.show.figures import house_style, of_search

MOST_KEYS = 24  # only so many keys are drawn, the most important ones


def save_history(study: optuna.Study, metric: str, title: str, folder: Path) -> None:
    """Write ``trials.csv``, and the figures of the search: its history, the importance of each key, and slices."""
    trials = study.trials_dataframe()
    csv_tables.write(folder / "trials.csv", trials)
    lower = study.direction == optuna.study.StudyDirection.MINIMIZE
    figures = {"history": of_search.search_history(trials, metric, title, lower_is_better=lower)}
    scales = {key: bool(getattr(values, "log", False)) for key, values in study.best_trial.distributions.items()}
    if trials.loc[trials["state"] == "COMPLETE", "value"].nunique() > 1:  # else there is no variance to explain
        shares = optuna.importance.get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
        shares = dict(sorted(shares.items(), key=lambda one: -one[1])[:MOST_KEYS])
        figures["importance"] = of_search.importances(shares, metric, title)
        scales = {key: scales[key] for key in shares}
    figures["slices"] = of_search.slices(trials, dict(list(scales.items())[:MOST_KEYS]), metric, title)
    (folder / "figures").mkdir()
    for name, figure in figures.items():
        house_style.save(figure, folder / "figures" / f"{name}.png")
