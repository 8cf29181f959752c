"""Which column of a table names image files, and how the user names it and their folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rarelabels.data.table.image_files import SUFFIXES
from rarelabels.data.table.opening import shown
from rarelabels.declare.backbones import EfficientNetLite0
from rarelabels.declare.table import ImageColumn
from rarelabels.init.column import Column, with_separator

PROPOSED = EfficientNetLite0(kind="efficientnet_lite0")
FEATURES, SECONDS = 1280, 0.014  # of an image through it
LOOKED_FOR = 100  # files


def given_images(option: str | None, names: Sequence[str]) -> ImageColumn | None:
    """Return the column that ``--images COLUMN`` or ``--images COLUMN:FOLDER`` names.

    >>> given_images("photo:raw/img", ["photo"])
    ImageColumn(column='photo', folder='raw/img')
    """
    if option is None:
        return None
    column, folder = with_separator(option, names)
    return ImageColumn(column=column, folder=folder)


def find_images(folder: Path, columns: dict[str, Column]) -> tuple[list[ImageColumn], dict[str, str]]:
    """Return the columns that name image files below a folder, and those that name other image files, with a reason.

    Args:
        folder: of the table.
        columns: that the user does not name.
    """
    found, others = [], {}
    for name, column in columns.items():
        texts = list(dict.fromkeys(text.strip() for text in column.texts))
        if column.kinds != {"text"} or not all(text.lower().endswith(SUFFIXES) for text in texts):
            continue
        away = next((text for text in texts[:LOOKED_FOR] if not (folder / text).is_file()), None)
        if away is not None:
            others[name] = (
                f"names image files, but {shown(away)} is not in {folder.absolute()}; say where they are: "
                f"--images {shown(name + ':FOLDER')}"
            )
        elif column.empty:
            others[name] = "names image files, but some cells are empty; fill them in, or leave these rows out"
        else:
            found.append(ImageColumn(column=name))
    return found, others
