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
CUT = {"kind": "efficientnet_lite0", "output": "last_block"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"text": ()},
            "needs at least one input: name columns under text, lists, numeric, categories, vectors or images",
        ),
        ({"numeric": ("title",)}, "names a column twice: title"),
        ({"images": {"column": "title"}, "backbone": LITE0}, "names a column twice: title"),
        ({"images": {"column": "poster"}}, "images needs a backbone"),
        ({"backbone": LITE0}, "backbone has no effect without images"),
        (
            {"images": {"column": "poster"}, "backbone": CUT, "numeric": ("year",)},
            "last_block gives the network images alone, and would ignore text, numeric; use output: pooled",
        ),
        ({"categories": ("title",)}, "names a column twice: title"),
        ({"split": "genres"}, "names a column twice: genres"),
        ({"labels": {}}, "exactly one of column, columns and prefix; given none"),
        ({"labels": {"column": "genres", "prefix": "is_"}}, "given column and prefix"),
        ({"labels": {"prefix": "is_", "separator": "|"}}, "separator goes with column, not with prefix"),
        ({"labels": {"columns": ("drama",)}}, "at least 2 items"),
        ({"split": "part", "validation": "last_rows"}, "validation: last_rows has no effect"),
        ({"split": "part", "test": "repeated"}, "split says which rows are the test part, so test: repeated has no"),
    ],
)
def test_a_table_is_declared_without_contradiction(changes: dict[str, object], reason: str):
    assert reason in refusal(dataset={**TABLE, **changes})


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


def test_where_a_table_lies_is_not_part_of_the_definition():
    here, there = (Trial.model_validate({**TRIAL, "dataset": {**TABLE, "path": path}}) for path in ("a.csv", "b/a.csv"))
    assert here.definition() == there.definition()
    assert here != there


def test_a_table_without_categories_is_defined_as_before_there_were_any():
    assert "categories" not in Trial.model_validate({**TRIAL, "dataset": TABLE}).dataset.content()
    of_two = Trial.model_validate({**TRIAL, "dataset": {**TABLE, "categories": ("studio",)}})
    assert of_two.dataset.content()["categories"] == ["studio"]


def test_images_are_defined_without_their_folder_and_only_where_there_are_any():
    plain = Trial.model_validate({**TRIAL, "dataset": TABLE}).dataset.content()
    assert not {"images", "backbone"} & plain.keys()
    of = {**TABLE, "images": {"column": "poster", "folder": "/my/raw"}, "backbone": {"kind": "vgg19", "file": "w.h5"}}
    content = Trial.model_validate({**TRIAL, "dataset": of}).dataset.content()
    assert content["images"] == {"column": "poster"}
    assert content["backbone"] == {"kind": "vgg19", "weights": "imagenet", "output": "pooled"}


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
