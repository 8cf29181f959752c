"""Images beside a table: each row names a file that exists, and their contents are part of which data these are."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rarelabels.data import loading
from rarelabels.data.table import image_files, parsing
from rarelabels.declare.table import TableSpec
from rarelabels.errors import UserError
from small_tables import TAGS, refused, rows_of, spec, write

PNG = b"\x89PNG the content of "
NAMES = ["a.png", "b.png", "c/a.png", "a.png", " b.png ", "a.png", "b.png", "c/a.png", "a.png", "./b.png"]
BACKBONE = {"kind": "efficientnet_lite0", "weights": "random"}


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RARELABELS_CACHE", str(tmp_path / "cache"))


def pictures(folder: Path) -> Path:
    for name in ("a.png", "b.png", "c/a.png", "unused.png"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(PNG + name.encode())
    return folder


def declared(where: Path, names: list[Any] = NAMES, name: str = "a.csv", **images: Any) -> TableSpec:
    table = write(where / name, rows_of(tags=TAGS, photo=names))
    return spec(table, text=(), images={"column": "photo"} | images, backbone=BACKBONE)


@pytest.mark.parametrize("name", ["a.csv", "a.tsv", "a.jsonl", "a.parquet"])
def test_each_row_names_its_image(tmp_path: Path, name: str) -> None:
    pictures(tmp_path)
    table = parsing.parse(declared(tmp_path, name=name))
    assert table.images is not None
    assert table.images.tolist() == [one.strip() for one in NAMES]
    assert (table.text, table.numeric.shape) == ({}, (10, 0))
    data = loading.load(declared(tmp_path, name=name), 0)
    assert data.image_folder == tmp_path
    assert data.train.images is not None
    rows = data.train.ids.astype(int) - 1
    assert data.train.images.tolist() == [NAMES[row].strip() for row in rows]


def test_the_folder_is_that_of_the_table_or_the_declared_one(tmp_path: Path) -> None:
    pictures(tmp_path / "raw")
    assert "there is no image 'a.png'" in refused(declared(tmp_path))
    one = declared(tmp_path, folder=str(tmp_path / "raw"))
    assert image_files.folder(one) == tmp_path / "raw"
    assert parsing.parse(one).images is not None


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("", "must name an image; given an empty cell"),
        ("none.png", "there is no image 'none.png' in "),
        ("../a.png", "must name a file below "),
        ("c/../../a.png", "without .. and not from the root; given 'c/../../a.png'"),
        ("/etc/passwd", "given '/etc/passwd'"),
        ("C:\\a.png", "must name a file below "),
        ("c\\..\\a.png", "must name a file below "),
        ("c", "the image 'c' in "),
        ("a\0.png", "cannot be read (embedded null byte)"),
        ("text.png", "is no image of PNG, JPEG, GIF or BMP format"),
        ("empty.png", "is no image of PNG, JPEG, GIF or BMP format"),
    ],
)
def test_what_is_no_image_is_refused_with_row_and_column(tmp_path: Path, cell: str, says: str) -> None:
    pictures(tmp_path)
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "empty.png").write_bytes(b"")
    line = refused(declared(tmp_path, [*NAMES[:6], cell, *NAMES[7:]], name="a.jsonl"))
    assert line.startswith("a.jsonl: row 7 (line 7), column 'photo': ")
    assert says in line
    with pytest.raises(UserError, match="row 7"):  # before a run, too
        loading.digest(declared(tmp_path, [*NAMES[:6], cell, *NAMES[7:]], name="a.jsonl"))


def test_a_missing_folder_and_a_missing_column_are_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert f"in {gone}, for there is no such folder" in refused(declared(tmp_path, folder=str(gone)))
    other = declared(tmp_path).model_copy(update={"images": declared(tmp_path, column="foto").images})
    for read in (parsing.parse, loading.digest):
        with pytest.raises(UserError, match=r"has no column 'foto' \(dataset.images.column; did you mean 'photo'\?"):
            read(other)


def test_a_link_is_followed_wherever_it_leads(tmp_path: Path) -> None:
    pictures(tmp_path / "store")
    folder = tmp_path / "data"
    folder.mkdir()
    for name in ("a.png", "b.png", "c"):
        (folder / name).symlink_to(tmp_path / "store" / name)
    assert parsing.parse(declared(folder)).images is not None


def test_contents_say_which_data_these_are_and_places_do_not(tmp_path: Path) -> None:
    pictures(tmp_path)
    before = loading.digest(declared(tmp_path))
    shutil.copytree(pictures(tmp_path / "there"), tmp_path / "moved")
    assert loading.digest(declared(tmp_path, folder=str(tmp_path / "moved"))) == before
    assert loading.digest(declared(tmp_path / "there")) == before
    (tmp_path / "unused.png").write_bytes(PNG)
    assert loading.digest(declared(tmp_path)) == before
    (tmp_path / "c/a.png").write_bytes(PNG + b"C/A.png")  # of the same length
    changed = loading.digest(declared(tmp_path))
    assert changed != before
    swapped = {"a.png": "b.png", "b.png": "a.png"}  # the same contents under each other's names
    for name, other in swapped.items():
        (tmp_path / name).write_bytes(PNG + other.encode())
    assert loading.digest(declared(tmp_path)) not in (before, changed)


def test_another_backbone_is_other_data(tmp_path: Path) -> None:
    pictures(tmp_path)
    one = declared(tmp_path)
    assert one.backbone is not None
    trained = one.model_copy(update={"backbone": one.backbone.model_copy(update={"weights": "imagenet"})})
    assert loading.digest(trained) != loading.digest(one)


def test_an_image_is_hashed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pictures(tmp_path)
    before = loading.digest(declared(tmp_path))
    for name in ("_digests", "_stored_names"):
        monkeypatch.setattr(image_files, name, lambda *_: pytest.fail("read again"))
    assert loading.digest(declared(tmp_path)) == before


def test_an_image_that_is_gone_since_is_named(tmp_path: Path) -> None:
    pictures(tmp_path)
    loading.load(declared(tmp_path), 0)
    (tmp_path / "c/a.png").unlink()
    with pytest.raises(UserError, match=r"a\.csv: row 3 \(line 4\), column 'photo': there is no image 'c/a\.png'"):
        loading.load(declared(tmp_path), 0)


def test_images_stand_beside_text_numbers_and_categories(tmp_path: Path) -> None:
    pictures(tmp_path)
    columns = {"plot": ["x y"] * 10, "price": list(range(10)), "shop": ["s", "t"] * 5}
    table = write(tmp_path / "a.csv", rows_of(tags=TAGS, photo=NAMES, **columns))
    beside = {"text": ("plot",), "numeric": ("price",), "categories": ("shop",)}
    read = parsing.parse(spec(table, images={"column": "photo"}, backbone=BACKBONE, **beside))
    assert read.images is not None
    assert read.numeric_names == ("price",)
    np.testing.assert_array_equal(read.numeric[:, 0], np.arange(10))
    assert [
        (one.name, one.holds)
        for one in parsing.raw_columns(spec(table, images={"column": "photo"}, backbone=BACKBONE, **beside))
    ] == [
        ("plot", "text"),
        ("price", "number"),
        ("shop", "text"),
        ("photo", "image"),
    ]
