"""What searches leave in a project, a declared search, and a study of Optuna that is in memory alone."""

from __future__ import annotations

from pathlib import Path

import optuna

from project import Project
from rarelabels.declare import declarations
from rarelabels.study import selection
from rarelabels.study.tuning import storage as tuning_storage

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
TUNED = "movies/pos_weight_tuned"
SHORT = ["--seeds", "0", "--set", "training.epochs=2", "--set", "tuning.seeds=[0]"]


def optuna_trials(project: Project, storage: str = "") -> list[optuna.trial.FrozenTrial]:
    """Every trial in the storage of a project, of all its searches."""
    storages = [storage] if storage else map(str, (project.folder / "runs" / "optuna").glob("*.journal"))
    opened = [tuning_storage.open_storage(one) for one in storages]
    return [t for store in opened for one in store.get_all_studies() for t in store.get_all_trials(one._study_id)]


def search_runs(project: Project) -> list:
    return project.runs("search", "movies/tuning")


def tuned(name: str, changes: dict[str, object]) -> selection.Named:
    return selection.Named(declarations.load_trial(EXPERIMENTS / f"{name}.yaml", changes), "")


def in_memory() -> optuna.Study:
    return optuna.create_study(storage=optuna.storages.InMemoryStorage())
