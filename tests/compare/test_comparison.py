"""What the data sets of a comparison are called."""

from __future__ import annotations

from rarelabels.compare import comparison


def test_data_are_named_by_what_sets_them_apart() -> None:
    films = [{"dataset.kind": "movies", "dataset.labels": str(n), "dataset.rows": "all"} for n in (3, 8)]
    simulated = {"dataset.kind": "simulated", "dataset.sets": "None", "dataset.dependence": "independent"}
    sets = simulated | {"dataset.sets": "12", "dataset.dependence": "label_sets"}
    assert comparison._names(films) == ["movies (labels 3)", "movies (labels 8)"]
    assert comparison._names([films[0], simulated]) == ["movies", "simulated"]
    assert comparison._names([simulated, sets]) == [
        "simulated (dependence independent)",
        "simulated (dependence label_sets, sets 12)",
    ]
    # a group of trials with several fractions shares none, so it sets nothing apart
    assert comparison._names([films[0] | {"dataset.train_fraction": "1.0"}, films[1]])[0] == "movies (labels 3)"
