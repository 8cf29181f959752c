"""DeepFashion: a small set in the official layout, worked by hand, and every way in which a list can be wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from rarelabels.data import loading
from rarelabels.data.sources import deepfashion
from rarelabels.declare.data import DeepFashionSpec
from rarelabels.errors import MissingDataError, UserError

BACKBONE = {"kind": "vgg19"}
SPEC = DeepFashionSpec(kind="deepfashion", labels=2, zero="negative", backbone=BACKBONE)

NAMES = ["a-line", "long sleeve v-neck", "denim"]
ROWS = [
    ("img/Red_Dress/img_00000001.jpg", "-1  1  0", "train"),
    ("img/Red_Dress/img_00000002.jpg", "-1 -1  1", "val"),
    ("img/Blue_Tee/img_00000001.jpg", " 1 -1  1", "test"),
    ("img/Blue_Tee/img_00000002.jpg", "-1  1 -1", "train"),
    ("img/Blue_Tee/img_00000003.jpg", " 1 -1  0", "train"),
    ("img/Blue_Tee/img_00000004.jpg", " 1  0  0", "train"),
]
PARTS_LINES = ["6", "image_name evaluation_status", *(f"{name}    {part}" for name, _, part in ROWS)]
VALUES_LINES = ["6", "image_name attribute_labels", *(f"{name}    {values}" for name, values, _ in ROWS)]
NAMES_LINES = ["3", "attribute_name attribute_type", *(f"{name}      {i + 1}" for i, name in enumerate(NAMES))]
FILES = {
    "Anno/list_attr_cloth.txt": NAMES_LINES,
    "Anno/list_attr_img.txt": VALUES_LINES,
    "Eval/list_eval_partition.txt": PARTS_LINES,
}


def write(path: Path, lines: list[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RARELABELS_DATA", str(tmp_path))
    monkeypatch.setenv("RARELABELS_CACHE", str(tmp_path / "cache"))
    root = tmp_path / "deepfashion"
    for name, lines in FILES.items():
        write(root / name, lines)
    for number, (name, _, _) in enumerate(ROWS):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (30, 40 + number), (200, 10 * number, 0)).save(root / name)
    return root


def test_the_table_worked_by_hand(folder: Path) -> None:
    table = deepfashion.parse(SPEC)
    # In the training part a-line and v-neck have 2 each, denim none: ties by the file's order.
    assert table.labels == ("a-line", "long sleeve v-neck")
    assert table.y.tolist() == [[0, 1], [0, 0], [1, 0], [0, 1], [1, 0], [1, 0]]
    assert table.y.dtype == np.uint8
    assert table.ids.tolist() == table.images.tolist() == [name for name, _, _ in ROWS]
    assert table.parts.tolist() == [0, 1, 2, 0, 0, 0]
    assert table.groups is None
    assert table.text == {}
    assert table.numeric.shape == (6, 0)


def test_what_unknown_is_taken_for(folder: Path) -> None:
    table = deepfashion.parse(SPEC.model_copy(update={"zero": "positive", "labels": 3}))
    # Now v-neck and denim have 3 in the training part, a-line 2.
    assert table.labels == ("long sleeve v-neck", "denim", "a-line")
    assert table.y.tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 1], [1, 0, 0], [0, 1, 1], [1, 1, 1]]
    assert loading.digest(SPEC) != loading.digest(SPEC.model_copy(update={"zero": "positive"}))


def test_unknown_annotations_are_not_known(folder: Path) -> None:
    table = deepfashion.parse(SPEC.model_copy(update={"zero": "unknown", "labels": 3}))
    # Known positives of the training part decide which labels there are, as with zero: negative.
    assert table.labels == ("a-line", "long sleeve v-neck", "denim")
    assert table.y.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 0], [1, 0, 0], [1, 0, 0]]
    assert table.known is not None
    assert table.known.astype(int).tolist() == [[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 1], [1, 1, 0], [1, 0, 0]]
    assert table.y.dtype == np.uint8


def test_the_official_parts_for_every_seed(folder: Path) -> None:
    for seed in (0, 3):
        data = loading.load(SPEC, seed)
        assert data.image_folder == folder
        assert data.test.images.tolist() == ["img/Blue_Tee/img_00000001.jpg"]
        assert data.validation.ids.tolist() == ["img/Red_Dress/img_00000002.jpg"]
        assert data.train.y.tolist() == [[0, 1], [0, 1], [1, 0], [1, 0]]
        with Image.open(data.image_folder / data.train.images[1]) as image:
            assert image.size == (30, 43)


def test_the_last_rows_are_no_validation_part_of_theirs() -> None:
    with pytest.raises(ValidationError, match="the official parts say which rows"):
        DeepFashionSpec(kind="deepfashion", zero="negative", validation="last_rows", backbone=BACKBONE)


def test_another_order_of_the_parts_and_a_newer_release(folder: Path) -> None:
    before = deepfashion.parse(SPEC)
    write(folder / "Eval/list_eval_partition.txt", [*PARTS_LINES[:2], *reversed(PARTS_LINES[2:]), "", ""])
    (folder / "Anno").rename(folder / "Anno_coarse")
    after = deepfashion.parse(SPEC)
    assert after.ids.tolist() == before.ids.tolist()
    assert after.parts.tolist() == before.parts.tolist()


def test_the_content_follows_the_lists_and_the_images(folder: Path) -> None:
    content = deepfashion.content(SPEC)
    assert len(content) == 64
    (folder / "img/Red_Dress/img_00000009.jpg").write_bytes(b"not listed")
    assert deepfashion.content(SPEC) == content
    image = folder / ROWS[0][0]
    image.write_bytes(image.read_bytes() + b"\0")
    changed = deepfashion.content(SPEC)
    assert changed != content
    for name in FILES:
        (folder / name).write_text((folder / name).read_text() + "\n")
        assert deepfashion.content(SPEC) not in (content, changed)
        changed = deepfashion.content(SPEC)


# What can be wrong


@pytest.mark.parametrize("read", [deepfashion.content, deepfashion.parse])
def test_missing_data(
    read: Callable[[DeepFashionSpec], object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RARELABELS_DATA", str(tmp_path))
    with pytest.raises(MissingDataError) as error:
        read(SPEC)
    message = str(error.value)
    assert message.startswith(f"{tmp_path}/deepfashion: Anno/list_attr_cloth.txt and 3 more is missing; ")
    for word in ("signed agreement", "Chinese University of Hong Kong", "Eval/list_eval_partition.txt", "img/"):
        assert word in message
    assert message.endswith("RARELABELS_DATA names the folder that holds deepfashion/")


@pytest.mark.parametrize("name", FILES)
def test_one_missing_file(name: str, folder: Path) -> None:
    (folder / name).unlink()
    with pytest.raises(MissingDataError, match=f"deepfashion: {name} is missing; "):
        deepfashion.parse(SPEC)


CASES = [
    (0, 0, "4", "line 1: says that there are 4 rows, but there are 3"),
    (0, 0, "three", "line 1: must be the number of rows; given 'three'"),
    (0, 0, "", "line 1: must be the number of rows; given ''"),
    (0, 3, "denim", "line 4: must be an attribute's name and a type; given 'denim'"),
    (0, 3, "denim x", "line 4: must be an attribute's name and a type; given 'denim x'"),
    (0, 4, "a-line 3", "line 5: attribute 'a-line' stands in line 3 too"),
    (1, 0, "7", "line 1: says that there are 7 rows, but there are 6"),
    (1, 3, f"{ROWS[1][0]} -1 -1", "line 4: has 2 values, but there are 3 attributes"),
    (1, 3, f"{ROWS[1][0]} -1 -1 1 1", "line 4: has 4 values, but there are 3 attributes"),
    (1, 3, f"{ROWS[1][0]}", "line 4: has 0 values, but there are 3 attributes"),
    (1, 4, f"{ROWS[2][0]} -1 2 1", "line 5: 'long sleeve v-neck' must be -1, 0 or 1; given '2'"),
    (1, 4, f"{ROWS[2][0]} -1 1 11", "line 5: 'denim' must be -1, 0 or 1; given '11'"),
    (1, 4, f"{ROWS[2][0]} - 1 11", "line 5: 'a-line' must be -1, 0 or 1; given '-'"),
    (1, 4, f"{ROWS[2][0]} 1 n 1", "line 5: 'long sleeve v-neck' must be -1, 0 or 1; given 'n'"),
    (1, 4, f"{ROWS[2][0]} 1 --1 1", "line 5: 'long sleeve v-neck' must be -1, 0 or 1; given '--1'"),
    (1, 4, f"{ROWS[1][0]} 1 1 1", "line 5: image 'img/Red_Dress/img_00000002.jpg' is listed twice"),
    (1, 4, "img/new.jpg 1 1 1", "line 5: image 'img/new.jpg' is not in {folder}/Eval/list_eval_partition.txt"),
    (2, 0, "5", "line 1: says that there are 5 rows, but there are 6"),
    (2, 5, f"{ROWS[3][0]} trial", "line 6: must be an image's name and one of train, val, test; given"),
    (2, 5, f"{ROWS[3][0]}", "line 6: must be an image's name and one of train, val, test; given"),
    (2, 5, f"{ROWS[2][0]} test", "line 6: image 'img/Blue_Tee/img_00000001.jpg' is listed twice"),
    (2, 3, f"{ROWS[1][0]} train", "list_eval_partition.txt: no image is in val; each of train, val, test needs some"),
]


@pytest.mark.parametrize(("file", "line", "text", "expected"), CASES)
def test_a_list_of_another_form(file: int, line: int, text: str, expected: str, folder: Path) -> None:
    name = list(FILES)[file]
    path = write(folder / name, [*FILES[name][:line], text, *FILES[name][line + 1 :]])
    with pytest.raises(UserError) as error:
        deepfashion.parse(SPEC)
    message = str(error.value)
    assert message.startswith(str(path))
    assert expected.format(folder=folder) in message
    assert "\n" not in message


def test_an_image_without_values(folder: Path) -> None:
    write(folder / "Anno/list_attr_img.txt", ["5", *VALUES_LINES[1:-1]])
    with pytest.raises(UserError, match=r"list_eval_partition.txt: image 'img/Blue_Tee/img_00000004.jpg' is not in "):
        deepfashion.parse(SPEC)


def test_an_image_that_is_listed_but_absent(folder: Path) -> None:
    (folder / ROWS[2][0]).unlink()
    for read, name in ((deepfashion.parse, "list_attr_img.txt"), (deepfashion.content, "list_eval_partition.txt")):
        with pytest.raises(UserError) as error:
            read(SPEC)
        assert f"{name}, line 5: image 'img/Blue_Tee/img_00000001.jpg' cannot be read in {folder}: " in str(error.value)


def test_more_labels_than_attributes(folder: Path) -> None:
    with pytest.raises(
        UserError, match=r"list_attr_cloth\.txt: dataset\.labels: asks for 5 attributes, but there are 3"
    ):
        deepfashion.parse(SPEC.model_copy(update={"labels": 5}))
