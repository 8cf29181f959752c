"""The figures of a recorded study show the numbers of its DataFrames."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from old_record import unpack
from rarelabels.errors import UserError
from rarelabels.study.recorded_study import Study


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Study:
    project = unpack(tmp_path_factory.mktemp("old"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        return Study("films", project.record)


def names_of(axes) -> list[str]:
    return [tick.get_text() for tick in axes.get_yticklabels()]


def mean(films: Study, trial: str, metric: str) -> float:
    return float(films.summary([trial]).set_index("metric")["mean"][metric])


def test_comparison_has_all_trials_and_the_best_floor(films: Study, saved) -> None:
    left, right = saved(films.plot.comparison()).axes
    assert set(names_of(left)) == {"bce", "floor_prior", "focal"}
    floors = films.runs().filter(regex="^floor/(zeros|ones|prior)/macro_average_precision$").max().max()
    (line,) = [line for line in right.lines if line.get_label() == "best floor"]
    assert line.get_xdata()[0] == pytest.approx(floors)


def test_rules_has_a_cell_for_each_trial_and_rule(films: Study, saved) -> None:
    figure = saved(films.plot.rules(["focal", "gone", "floor_prior"], ["half", "per_label"]))
    (axes,) = figure.axes
    assert names_of(axes) == ["focal", "floor_prior"]
    shown = [text.get_text() for text in axes.texts if len(text.get_text()) == 5]
    expected = [
        f"{mean(films, trial, f'test/{rule}/macro_f1'):.3f}"
        for trial in ("focal", "floor_prior")
        for rule in ("half", "per_label")
    ]
    assert shown == expected
    assert set(names_of(films.plot.rules().axes[0])) == {"bce", "floor_prior", "focal"}


def test_verdicts_has_each_hypothesis(films: Study, saved) -> None:
    (axes,) = saved(films.plot.verdicts()).axes
    assert names_of(axes) == ["focal ranks as well", "net beats its floor"]


def test_metrics_has_a_panel_each_and_the_best_floor(films: Study, saved) -> None:
    metrics = {"F1": "test/half/macro_f1", "ranks": "test/ranking/macro_average_precision"}
    first, second = saved(films.plot.metrics(["bce", "focal", "floor_prior"], metrics, ["floor_prior"])).axes
    assert [axes.get_title() for axes in (first, second)] == ["F1", "ranks"]
    assert names_of(first) == ["bce", "focal", "floor_prior"]
    points, floor = second.lines
    expected = [mean(films, name, metrics["ranks"]) for name in ("bce", "focal", "floor_prior")]
    assert points.get_xdata().tolist() == pytest.approx(expected)
    assert floor.get_xdata()[0] == pytest.approx(expected[-1])


def test_labels_has_the_rarest_first(films: Study, saved) -> None:
    (axes,) = saved(films.plot.labels("bce")).axes
    counts = [int(name.rpartition("(")[2].rstrip(")")) for name in names_of(axes)]
    assert counts == sorted(counts)
    table = films.per_label(["bce"]).groupby(["label", "rule"])["f1"].mean()
    half = next(line for line in axes.lines if line.get_label() == "F1 at 0.5")
    order = [name.rpartition(" (")[0] for name in names_of(axes)]
    assert half.get_xdata().tolist() == pytest.approx([table[label, "half"] for label in order])
    assert len(names_of(films.plot.labels("bce", most=2).axes[0])) == 2
    with pytest.raises(UserError, match="films: no finished run of bec"):
        films.plot.labels("bec")


def test_calibration_has_bins_of_equal_size(films: Study, saved) -> None:
    (axes,) = saved(films.plot.calibration(["bce", "focal"], seed=1)).axes
    _, bce, focal = axes.lines
    assert (bce.get_label(), focal.get_label()) == ("bce", "focal")
    scores = films.scores("bce", 1).sort_values("score", kind="stable")
    parts = np.array_split(scores["true"].to_numpy(), 10)
    assert bce.get_ydata().tolist() == pytest.approx(
        [part.mean() for part in parts], abs=0.03
    )  # a bin may end a cell later


def test_heads_pairs_the_losses(films: Study, saved) -> None:
    first, second = saved(films.plot.heads({"focal": ("focal", "bce"), "alone": ("bce", "gone")})).axes
    assert first.get_title() == "focal\ndifferent"
    assert second.get_title() == "alone\none head alone"
    curves = films.curves(["focal"]).query("curve == 'curve/loss'").groupby("epoch")["value"].mean()
    assert first.lines[0].get_ydata().tolist() == pytest.approx(curves.tolist())
    with pytest.raises(UserError, match="no finished run of a, b"):
        films.plot.heads({"x": ("a", "b")})


def test_groups_pools_labels_by_their_positives(films: Study, saved) -> None:
    figure = saved(films.plot.groups(["bce", "focal"]))
    positives = films.per_label(["bce"]).groupby("label")["positives"].first()
    assert len(figure.axes) == len({"tail" if n < 10 else "medium" if n < 100 else "head" for n in positives})


def test_picked_names_rows_and_columns(films: Study, saved) -> None:
    metrics = {"test/half/macro_f1": "macro_f1", "test/ranking/log_loss": "log_loss"}
    (axes,) = saved(films.plot.picked({"bce": "val loss", "focal": "AUC", "gone": "nothing"}, metrics, "films")).axes
    assert names_of(axes) == ["val loss", "AUC"]
    texts = [text.get_text() for text in axes.texts]
    assert texts[0] == f"{mean(films, 'bce', 'test/half/macro_f1'):.3f}"
    better = min(("bce", "focal"), key=lambda name: mean(films, name, "test/ranking/log_loss"))
    assert texts[{"bce": 3, "focal": 7}[better]] == "best", "of a loss the least is best"
    with pytest.raises(UserError, match="none of gone has all of"):
        films.plot.picked({"gone": "x"}, metrics)


def test_a_sweep_needs_a_number_that_varies(films: Study, saved, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="films: no finished run of bce varies a number"):
        films.plot.sweep(["bce"], {"test/half/macro_f1": "F1"}, "labels")
    rows = [("bce", f"dataset.labels={n}", "test/half/macro_f1", n / 10, 0.0, 1.0) for n in (8, 3)]
    swept = pd.DataFrame(rows, columns=["trial", "variant", "metric", "mean", "low", "high"])
    monkeypatch.setattr(films, "summary", lambda trials: swept.copy())
    (axes,) = saved(films.plot.sweep(["bce"], {"test/half/macro_f1": "F1"}, "labels")).axes
    assert axes.lines[0].get_xdata().tolist() == [3, 8]
    assert axes.get_xlabel() == "labels"
