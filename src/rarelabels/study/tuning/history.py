"""The history of a search: a table of its trials, and figures."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import optuna
from matplotlib.figure import Figure
from optuna.importance import FanovaImportanceEvaluator

from rarelabels import csv_tables
from rarelabels.show.figures import house_style, of_search

FOLDER = "figures"  # of the run of a search
MOST_KEYS = 24  # only so many keys are drawn, the most important ones


def save_history(study: optuna.Study, metric: str, title: str, folder: Path) -> list[str]:
    """Write ``trials.csv``, and the figures of the search: its history, the importance of each key, and slices.

    Return a line for each figure that cannot be drawn.
    """
    trials = study.trials_dataframe()
    csv_tables.write(folder / "trials.csv", trials)
    (folder / FOLDER).mkdir()
    failures: list[str] = []
    lower = study.direction == optuna.study.StudyDirection.MINIMIZE
    with _saved(failures, folder, "history") as save:
        save(of_search.search_history(trials, metric, title, lower_is_better=lower))
    scales = {key: bool(getattr(values, "log", False)) for key, values in study.best_trial.distributions.items()}
    if trials.loc[trials["state"] == "COMPLETE", "value"].nunique() > 1:  # else there is no variance to explain
        with _saved(failures, folder, "importance") as save:
            shares = optuna.importance.get_param_importances(study, evaluator=FanovaImportanceEvaluator(seed=0))
            shares = dict(sorted(shares.items(), key=lambda one: -one[1])[:MOST_KEYS])
            scales = {key: scales[key] for key in shares}
            save(of_search.importances(shares, metric, title))
    with _saved(failures, folder, "slices") as save:
        save(of_search.slices(trials, dict(list(scales.items())[:MOST_KEYS]), metric, title))
    return failures


@contextmanager
def _saved(failures: list[str], folder: Path, name: str) -> Iterator[Callable[[Figure], None]]:
    """Yield a function that writes a figure; an error becomes a line of ``failures``."""
    with house_style.or_reported(failures, f"{FOLDER}/{name}.png"):
        yield lambda figure: house_style.save(figure, folder / FOLDER / f"{name}.png")
