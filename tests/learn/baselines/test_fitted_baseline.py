"""What a baseline says of what only networks have."""

from __future__ import annotations

import numpy as np

from rarelabels.data.dataset import Dataset
from rarelabels.learn.baselines import baseline
from small_texts import trial


def test_a_baseline_has_no_epochs_no_label_sets_and_as_a_rule_nothing_to_tell(small: Dataset) -> None:
    fitted = baseline.fit(trial(kind="floor", predicts="prior"), small, 0)
    assert fitted.labels == small.labels
    assert fitted.epochs is None
    assert fitted.label_sets(small.test) is None
    assert (fitted.facts, fitted.notes) == ({}, ())


def test_facts_and_notes_are_each_models_own(small: Dataset) -> None:
    one, other = (baseline.fit(trial(kind="linear", c=5.0), small, 0) for _ in range(2))
    one.facts["c"] = 5.0
    assert other.facts == {}
    np.testing.assert_array_equal(one.scores(small.test), other.scores(small.test))
