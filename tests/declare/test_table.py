"""Tables as they are declared."""

import pytest

from plain_trial import TRIAL, refusal
from rarelabels.declare.trial import Trial

TABLE = {"kind": "table", "path": "films.csv", "text": ("title",), "labels": {"column": "genres", "separator": "|"}}
LITE0 = {"kind": "efficientnet_lite0"}
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
