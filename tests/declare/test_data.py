"""Data sets as they are declared."""

import pytest

from plain_trial import TRIAL, refusal
from rarelabels.declare.data import backbone_of
from rarelabels.declare.trial import Trial

TABLE = {"kind": "table", "path": "films.csv", "text": ("title",), "labels": {"column": "genres", "separator": "|"}}
LITE0 = {"kind": "efficientnet_lite0"}
OF_EACH_KIND = {
    "films": {"kind": "movies"},
    "table": TABLE,
    "images": {**TABLE, "images": {"column": "poster"}, "backbone": LITE0},
    "emoji": {"kind": "emoji", "backbone": LITE0},
}


@pytest.mark.parametrize(
    ("dataset", "reason"),
    [
        ({"kind": "movies", "labels": ("Drama", "War", "Drama")}, "'Drama' is listed twice"),
        ({"kind": "movies", "labels": ("Drama",)}, "at least 2 items"),
        ({"kind": "movies", "train_fraction": 0.0}, "greater than 0"),
        ({"kind": "movies", "train_fraction": 1.1}, "less than or equal to 1"),
        (
            {"kind": "movies", "validation": "cross_validated", "train_fraction": 0.5},
            "train_fraction must be 1",
        ),
        ({"kind": "thread_rows", "validation": "last_rows"}, "all three parts are the same seven rows"),
        ({"kind": "thread_rows", "train_fraction": 0.5}, "all three parts are the same seven rows"),
        ({**TABLE, "split": "part", "validation": "cross_validated"}, "validation: cross_validated has no effect"),
        ({"kind": "simulated", "sets": 3}, "label_sets needs sets, and no other dependence takes it"),
        ({"kind": "simulated", "dependence": "label_sets"}, "dependence: label_sets needs sets"),
        (
            {"kind": "simulated", "dependence": "label_sets", "sets": 9},
            "sets must be at most 8, the number of different sets of 3 labels; given 9",
        ),
        ({"kind": "simulated", "dependence": "label_sets", "sets": 4, "prevalence": 0.1}, "prevalence has no effect"),
        ({"kind": "simulated", "rows": 99}, "greater than or equal to 100"),
        ({"kind": "simulated", "labels": 21}, "less than or equal to 20"),
        ({"kind": "simulated", "scale": 0}, "greater than 0"),
    ],
)
def test_data_are_declared_without_contradiction(dataset: dict[str, object], reason: str):
    assert reason in refusal(dataset=dataset)


def test_which_data_have_a_backbone():
    declared = {name: Trial.model_validate({**TRIAL, "dataset": one}).dataset for name, one in OF_EACH_KIND.items()}
    assert {name: backbone_of(spec) is not None for name, spec in declared.items()} == {
        "films": False,
        "table": False,
        "images": True,
        "emoji": True,
    }


@pytest.mark.parametrize(
    ("dataset", "fixed"),
    [
        ({"kind": "movies"}, False),
        ({"kind": "movies", "validation": "last_rows"}, True),
        ({"kind": "movies", "validation": "cross_validated"}, True),
        ({"kind": "movies", "validation": "last_rows", "test": "repeated"}, False),
        ({"kind": "thread_rows"}, True),
        ({"kind": "table", "path": "a.csv", "labels": {"prefix": "is_"}, "text": ("a",)}, False),
        ({"kind": "table", "path": "a.csv", "labels": {"prefix": "is_"}, "text": ("a",), "split": "part"}, True),
        ({"kind": "deepfashion", "zero": "negative", "backbone": {"kind": "vgg19"}}, True),
    ],
)
def test_whether_the_parts_are_the_same_for_all_seeds(dataset: dict[str, object], fixed: bool):
    assert Trial.model_validate({**TRIAL, "dataset": dataset}).dataset.has_fixed_parts == fixed
