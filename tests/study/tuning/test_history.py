"""The history of a search: a table of its trials, and its figures."""

from __future__ import annotations

from pathlib import Path

import optuna
import pandas as pd
import pytest
from matplotlib.figure import Figure

from rarelabels.show.figures import house_style, of_search
from rarelabels.study.tuning import history

SPACE: dict[str, optuna.distributions.BaseDistribution] = {
    "rate": optuna.distributions.FloatDistribution(0.001, 1, log=True),
    "size": optuna.distributions.IntDistribution(1, 9),
}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> dict[str, Figure]:
    """The figures by their file's name; they are not written, for that takes longest."""
    figures: dict[str, Figure] = {}
    monkeypatch.setattr(house_style, "save", lambda figure, path: figures.update({path.name: figure}))
    return figures


def searched(*values: float, direction: str = "maximize") -> optuna.Study:
    study = optuna.create_study(direction=direction)
    for number, value in enumerate(values):
        params = {"rate": 0.001 * 2**number, "size": 1 + number % 9}
        study.add_trial(optuna.trial.create_trial(params=params, distributions=SPACE, value=value))
    return study


def test_a_search_leaves_its_trials_and_three_figures(tmp_path: Path, drawn: dict[str, Figure]) -> None:
    history.save_history(searched(0.1, 0.4, 0.2, 0.3), "macro_f1", "a trial", tmp_path)
    table = pd.read_csv(tmp_path / "trials.csv")
    assert table["value"].tolist() == [0.1, 0.4, 0.2, 0.3]
    assert {"number", "state", "params_rate", "params_size"} <= set(table)
    assert (tmp_path / "figures").is_dir()
    assert set(drawn) == {"history.png", "importance.png", "slices.png"}
    scales = {axes.get_xlabel(): axes.get_xscale() for axes in drawn["slices.png"].axes[:2]}
    assert scales == {"rate": "log", "size": "linear"}


def test_trials_that_are_all_alike_have_no_importances(tmp_path: Path, drawn: dict[str, Figure]) -> None:
    history.save_history(searched(0.5, 0.5, 0.5), "macro_f1", "a trial", tmp_path)
    assert set(drawn) == {"history.png", "slices.png"}


def test_of_a_metric_that_is_better_when_lower_the_best_so_far_falls(tmp_path: Path, drawn: dict[str, Figure]) -> None:
    history.save_history(searched(0.3, 0.4, 0.1, direction="minimize"), "brier", "a trial", tmp_path)
    (best,) = [line for line in drawn["history.png"].axes[0].lines if line.get_label() == "best so far"]
    assert best.get_ydata().tolist() == [0.3, 0.3, 0.1]


def test_only_the_most_important_keys_are_drawn(
    tmp_path: Path, drawn: dict[str, Figure], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "MOST_KEYS", 1)
    shares = {"rate": 0.1, "size": 0.9}
    monkeypatch.setattr(optuna.importance, "get_param_importances", lambda *_, **__: shares)
    history.save_history(searched(0.1, 0.4, 0.2), "macro_f1", "a trial", tmp_path)
    assert [tick.get_text() for tick in drawn["importance.png"].axes[0].get_yticklabels()] == ["size"]
    assert drawn["slices.png"].axes[0].get_xlabel() == "size"


def test_a_figure_that_fails_is_a_line_and_the_others_are_there(
    tmp_path: Path, drawn: dict[str, Figure], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no room")

    monkeypatch.setattr(of_search, "importances", fail)
    failures = history.save_history(searched(0.1, 0.4, 0.2, 0.3), "macro_f1", "a trial", tmp_path)
    assert failures == ["figures/importance.png: not drawn: ValueError: no room"]
    assert set(drawn) == {"history.png", "slices.png"}
    assert (tmp_path / "trials.csv").exists()
