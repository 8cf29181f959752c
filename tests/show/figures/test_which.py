"""The figures that the trials of a study call for, from recorded numbers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from rarelabels.compare import comparison
from rarelabels.record import queries, reading
from rarelabels.record.identities import parent_key
from rarelabels.show.figures import which
from rarelabels.study import summary
from rarelabels.study.summary import SummaryTask
from small_record import Record, trial


@pytest.mark.long
def test_figures_across_trials_are_of_what_is_recorded(tmp_path: Path) -> None:
    record = Record(tmp_path)
    trials = [
        trial("head_sigmoid", model={"head": "sigmoid"}),
        trial("head_softmax", model={"head": "softmax"}),
        trial("every", training={"every_epoch": True}),
        trial("every_last", training={"every_epoch": True}, picked_by="last"),
        trial("few", dataset={"train_fraction": 0.5}).model_copy(update={"name": "tests/fractions"}),
        trial("all", dataset={"train_fraction": 1.0}, training={"epochs": 3}).model_copy(
            update={"name": "tests/fractions"}
        ),
    ]
    variants = ["", "", "", "", "dataset.train_fraction=0.5", "dataset.train_fraction=1.0"]
    asked = [replace(record.identity(one), variant=variant) for one, variant in zip(trials, variants, strict=True)]
    record.do(asked)
    for one in asked:
        parent, children = record.family(one)
        for again in (False, True)[: 2 if one is asked[0] else 1]:  # a second time, as when a seed is added
            summary.sum_up(record.where, SummaryTask(parent, children, f"stamp {again}"), lambda _: None)
    runs = queries.all_runs(record.client, record.experiment)
    names = {one.parent_key: " ".join(filter(None, [one.trial.short_name, one.variant])) for one in asked}
    compared = comparison.compare(record.client, runs, names, [])
    assert [one.data for one in compared] == ["simulated"]

    found = dict(which.figures(record.client, "tests", compared, runs, asked, []))
    assert set(found) == {"heads", "picked", "by_cardinality", "sweep_dataset_train_fraction"}
    assert [axes.get_title().splitlines()[-1] for axes in found["heads"].axes] == ["identical"]
    epochs = [line.get_xdata().tolist() for line in found["heads"].axes[0].lines]
    assert epochs == [[1, 2, 3, 4]] * 2
    assert [tick.get_text() for tick in found["picked"].axes[0].get_yticklabels()] == ["last", "macro AP"]
    assert found["sweep_dataset_train_fraction"].axes[0].lines[0].get_xdata().tolist() == [0.5, 1.0]
    told = [text.get_text() for text in found["by_cardinality"].axes[0].texts[:2]]
    first = next(row.name for row in compared[0].rows)
    run = next(run for run in runs if run.data.tags.get("kind") == "run" and names[parent_key(run)] == first)
    part = reading.scores(record.client, run.info.run_id, "test")
    single = part.y.sum(axis=1) == 1
    right = ((part.scores[single] >= 0.5) == (part.y[single] > 0)).all(axis=1).mean()
    assert told[1] == f"all right {right:.2f}"
