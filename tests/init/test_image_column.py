"""Which column names image files, and the study that is proposed for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rarelabels.declare import find as declared
from rarelabels.init import new_study
from rarelabels.init.column import Wish
from rarelabels.init.columns import TableColumns
from usual_columns import USUAL, cells, write

PHOTOS = cells(lambda i: f"{i % 12}.{('png', 'JPG', 'jpeg')[i % 3]}")


def pictures(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name in set(PHOTOS):
        (folder / name).write_bytes(b"\x89PNG")


@pytest.mark.parametrize("name", ["photo", "image_id"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
def test_names_of_files_that_are_there_are_images(
    find: Callable[..., TableColumns], tmp_path: Path, name: str, suffix: str
) -> None:
    pictures(tmp_path)
    found = find(USUAL | {name: PHOTOS}, suffix, labels="tags")
    assert found.spec.images is not None
    assert (found.spec.images.column, found.spec.images.folder) == (name, None)
    assert found.spec.backbone is not None
    assert found.spec.backbone.kind == "efficientnet_lite0"
    assert found.why[name] == "its cells name image files"
    assert (found.spec.text, found.spec.categories, found.spec.id) == (("plot",), (), None)


def test_files_that_are_elsewhere_are_asked_for(find: Callable[..., TableColumns], tmp_path: Path) -> None:
    pictures(tmp_path / "raw")
    columns = USUAL | {"photo": PHOTOS}
    found = find(columns, labels="tags")
    assert found.spec.images is None
    assert found.spec.backbone is None
    assert found.unused["photo"] == (
        f"names image files, but '0.png' is not in {tmp_path}; say where they are: --images 'photo:FOLDER'"
    )
    asked = find(columns, labels="tags", images=f"photo:{tmp_path / 'raw'}")
    assert asked.spec.images is not None
    assert asked.spec.images.folder == str(tmp_path / "raw")
    assert asked.why["photo"] == "as --images says"
    assert "photo" not in asked.unused


def test_one_column_of_images_is_used_and_it_is_filled(find: Callable[..., TableColumns], tmp_path: Path) -> None:
    pictures(tmp_path)
    two = find(USUAL | {"front": PHOTOS, "back": PHOTOS[::-1]}, labels="tags")
    assert two.spec.images is not None
    assert two.spec.images.column == "front"
    assert two.unused["back"] == "names images, as another column does"
    other = find(USUAL | {"front": PHOTOS, "back": PHOTOS[::-1]}, labels="tags", images="back")
    assert other.spec.images is not None
    assert other.spec.images.column == "back"
    assert other.unused["front"] == "names images, as another column does"
    gaps = find(USUAL | {"photo": ["", *PHOTOS[1:]]}, labels="tags")
    assert gaps.spec.images is None
    assert "some cells are empty" in gaps.unused["photo"]


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"images": "foto"}, "--images: my.csv has no column 'foto'; did you mean 'photo'?"),
        ({"images": "photo", "text": ("photo",)}, "--images: column 'photo' is given under --text, too"),
    ],
)
def test_a_wrong_option_is_refused(refused: Callable[..., str], wish: dict[str, Any], says: str) -> None:
    assert says in refused(USUAL | {"photo": PHOTOS}, labels="tags", **wish)


def test_a_study_of_images_is_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    pictures(tmp_path / "data/raw")
    write(tmp_path / "data/my.csv", {"tags": USUAL["tags"], "photo": PHOTOS})
    new_study.write_study(Path("data/my.csv"), Wish(labels="tags", images="photo:data/raw"), None, each_tuned=False)
    trials = {trial.short_name: trial for trial in declared.load_many(["my"])}
    assert trials["linear"].dataset.images.folder == str(tmp_path / "data/raw")
    assert trials["linear"].needs_tensorflow
    assert trials["bce"].model.kind == "mlp"
    said = capsys.readouterr().out
    assert "images      photo, files below data/raw, each 1,280 numbers" in said
    assert "60 rows have the same inputs as another row" in said  # twelve images


def test_images_beside_words_weigh_as_much_as_they(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    pictures(tmp_path)
    write(tmp_path / "my.csv", {"tags": USUAL["tags"], "plot": USUAL["plot"], "photo": PHOTOS})
    new_study.write_study(Path("my.csv"), Wish(labels="tags"), None, each_tuned=False)
    trials = {trial.short_name: trial for trial in declared.load_many(["my"])}
    assert trials["linear"].model.numeric_weight == pytest.approx(1280**-0.5, rel=0.02)
    assert trials["bce"].model.kind == "text_bag"
    assert (
        (tmp_path / "conf/datasets/my.yaml")
        .read_text()
        .endswith("  images: {column: photo}\n  backbone: {kind: efficientnet_lite0}\n")
    )
