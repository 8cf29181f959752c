"""Probes of accuracy are as pinned; by hand where that can be worked out."""

from collections.abc import Callable

import pytest

from rarelabels.learn.tensorflow_setup import keras
from rarelabels.probes import accuracy, all_probes
from rarelabels.probes import probe as probes_probe
from rarelabels.probes.probe import Observation

BY_HAND = {
    # The first of a row's labels counts, the third has the highest score: right in 010 and 001 and 100 alone, unless
    # the columns are reversed. A row that is given every label is given the first, which 4 of 7 have.
    "accuracy_by_column_order": {"as_given": 3 / 7, "highest": 1, "lowest_binary_accuracy": 1},
    "accuracy_of_every_label": {"all_right": 3 / 7, "every_label": 4 / 7, "every_label_binary": 12 / 21},
    # 9,900 of 10,000 decisions are right; as two classes, precision is 0.99 of the zeros and none of the ones
    "zeros_at_99_percent": {"binary_accuracy": 0.99, "recall": 0, "precision_over_both_classes": 0.99 * 0.99},
    "worked_example": {
        "keras_binary_accuracy": 7 / 9,
        "accuracy_score": 1 / 3,
        "first_row": 2 / 3,
        "keras_accuracy": 2 / 3,
    },
    # 3 wrong of 150: three rows or one
    "pair_bound": {
        "binary_accuracy": 1 - 3 / 150,
        "lowest_subset_accuracy": 1 - 3 / 50,
        "highest_subset_accuracy": 1 - 1 / 50,
    },
    "pair_by_argmax": {"accuracy": 49 / 50, "accuracy_score": 5 / 50, "binary_accuracy": 105 / 150},
    "pair_by_shuffled_rows": {"binary_accuracy": 1 - 42 / 2100, "accuracy_score_in_order": 1 - 42 / 700},
}


@pytest.mark.parametrize("name", [probe.name for probe in accuracy.PROBES])
def test_the_world_is_as_pinned(name: str, observed: Callable[[str], Observation]) -> None:
    assert observed(name).is_as_pinned, observed(name).complaint()


@pytest.mark.parametrize("name", BY_HAND)
def test_by_hand(name: str, numbers: Callable[[str], dict]) -> None:
    found = {number: numbers(name)[number] for number in BY_HAND[name]}
    assert found == pytest.approx(BY_HAND[name], rel=2e-4, abs=1e-6)


def test_another_keras_fails_the_pinned_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were "accuracy" ever binary accuracy again, as up to tf.keras 2.1, this is what one would read."""
    evaluate = keras.Model.evaluate

    def binary(self: keras.Model, *arguments: object, **named: object) -> dict:
        found = evaluate(self, *arguments, **named)
        return found | {"accuracy": found["binary_accuracy"]}

    monkeypatch.setattr(keras.Model, "evaluate", binary)
    probe = next(probe for probe in all_probes.PROBES if probe.name == "accuracy_of_every_label")
    observation = probes_probe.observe(probe)
    assert (
        "accuracy_of_every_label: the libraries have changed: all_right: pinned 0.428571, observed 1, with keras"
        in observation.complaint()
    )
    assert observation.text.startswith("CHANGED: ")
