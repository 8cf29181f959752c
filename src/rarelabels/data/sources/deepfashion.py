"""DeepFashion, Category and Attribute Prediction Benchmark: 289,222 images of clothes with 1,000 attributes.

Its licence allows no download by a program, so it is read as it is handed out, below ``RARELABELS_DATA/deepfashion``:

- ``Anno/list_attr_cloth.txt`` (newer releases: ``Anno_coarse/``): attributes, ``name of some words  type``;
- ``Anno/list_attr_img.txt``, in the same folder: ``img/item/img_00000001.jpg  -1 0 1 …``, a value for each attribute;
- ``Eval/list_eval_partition.txt``: ``img/item/img_00000001.jpg  train``, or ``val`` or ``test``;
- ``img/``: the unpacked images.

The first line of each list is the number of its rows, the second names its columns. A value of 1 is a positive, -1 a
negative, and 0 unknown: ``spec.zero`` says what 0 is taken for. The parts are the official ones, for every seed.

Source: Liu, Luo, Qiu, Wang and Tang (2016), "DeepFashion: Powering Robust Clothes Recognition and Retrieval with Rich
Annotations".
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rarelabels.data.sources import source
from rarelabels.data.splits import PARTS
from rarelabels.data.unsplit import UNKNOWN, Table, labels_and_known
from rarelabels.declare.data import DeepFashionSpec
from rarelabels.errors import MissingDataError, UserError

NAME = "deepfashion"
VERSION = 1
"""To be increased whenever the same source gives another table."""

ANNOTATIONS = ("Anno", "Anno_coarse")
PART_NAMES = {"train": "train", "val": "validation", "test": "test"}
VALUES = (b"-1", b"0", b"1")
HEADER = 2  # lines before the rows of a list

_BYTE_OF_MINUS_ONE = b"\t"  # stands for -1, so that a value is one byte; no word holds it


@dataclass(frozen=True)
class Lists:
    """The files with the attributes' names, their values for each image, and the part of each image."""

    names: Path
    values: Path
    parts: Path


@dataclass(frozen=True)
class ListedRow:
    """One row of a list: the file and line it stands in, and its words."""

    path: Path
    line: int
    words: list[bytes]

    @property
    def at(self) -> str:
        """Where it is, for a message."""
        return f"{self.path}, line {self.line}"


def content(_spec: DeepFashionSpec) -> str:
    """Return the SHA-256 of the three lists' bytes and of the name and the size of each image, in hexadecimal.

    The images' bytes are not read: 289,222 files would take minutes each time.

    Raises:
        MissingDataError: a list or the folder of images is missing.
        UserError: a list cannot be read or is not of the known form, or an image is missing.
    """
    lists = _lists()
    digest = hashlib.sha256()
    for path in (lists.names, lists.values, lists.parts):
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise _unreadable(path, error) from error
    folder = os.fspath(source.folder(NAME))
    for row in _rows(lists.parts):
        digest.update(b"%s %d\n" % (row.words[0], _size(folder, row)))
    return digest.hexdigest()


def parse(spec: DeepFashionSpec) -> Table:
    """Read the lists; rows have the order of ``list_attr_img.txt``, and the image's name there is a row's id.

    The labels are the ``spec.labels`` attributes with most positives in the training part, ties in the file's order.
    Memory holds one byte for each image and attribute, and for a moment two.

    Raises:
        MissingDataError: a list or the folder of images is missing.
        UserError: the message says in one line what is wrong, in which file and line.
    """
    lists = _lists()
    names = _names(lists.names)
    if len(names) < spec.labels:
        raise UserError(f"{lists.names}: dataset.labels: asks for {spec.labels} attributes, but there are {len(names)}")
    part_of = _part_of(lists.parts)
    images, values = _values(lists, names, part_of, spec.zero)
    parts = np.array([part_of[image] for image in images], dtype=np.uint8)
    frequency = (values[parts == PARTS.index("train")] == 1).sum(axis=0, dtype=np.int64)
    kept = np.argsort(-frequency, kind="stable")[: spec.labels]
    y, known = labels_and_known(values[:, kept])
    ids = np.array([os.fsdecode(image) for image in images], dtype=np.str_)
    return Table(
        ids=ids,
        labels=tuple(names[place] for place in kept.tolist()),
        y=y,
        strata=y,
        groups=None,
        text={},
        parts=parts,
        images=ids,
        known=known,
    )


def image_folder(_spec: DeepFashionSpec) -> Path:
    """Return the folder that ``Table.images`` are in; their names begin with ``img/``.

    Raises:
        UserError: see ``source.folder``.
    """
    return source.folder(NAME)


def _lists() -> Lists:
    """Return the files; all of them exist."""
    folder = source.folder(NAME)
    annotations = next((name for name in ANNOTATIONS if (folder / name).is_dir()), ANNOTATIONS[0])
    lists = Lists(
        folder / annotations / "list_attr_cloth.txt",
        folder / annotations / "list_attr_img.txt",
        folder / "Eval" / "list_eval_partition.txt",
    )
    wanted = [lists.names, lists.values, lists.parts, folder / "img"]
    if missing := [path.relative_to(folder) for path in wanted if not path.exists()]:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise MissingDataError(
            f"{folder}: {missing[0]}{more} is missing; DeepFashion is handed out after a signed agreement only: see "
            "its Category and Attribute Prediction Benchmark at mmlab.ie.cuhk.edu.hk/projects/DeepFashion.html "
            "(Multimedia Laboratory, The Chinese University of Hong Kong); unpacked must be Anno/list_attr_cloth.txt, "
            f"Anno/list_attr_img.txt, Eval/list_eval_partition.txt and img/; {source.VARIABLE} names the folder that "
            f"holds {NAME}/"
        )
    return lists


def _rows(path: Path) -> Iterator[ListedRow]:
    """Yield the rows of a list; their number is checked after the last one."""
    found = 0
    try:
        with path.open("rb") as file:
            declared = _count(path, file.readline())
            file.readline()
            for line, text in enumerate(file, start=HEADER + 1):
                if words := text.split():
                    found += 1
                    yield ListedRow(path, line, words)
    except OSError as error:
        raise _unreadable(path, error) from error
    if found != declared:
        raise UserError(f"{path}, line 1: says that there are {declared:,} rows, but there are {found:,}")


def _count(path: Path, text: bytes) -> int:
    if not text.strip().isdigit():
        raise UserError(f"{path}, line 1: must be the number of rows; given {_shown(text.strip())}")
    return int(text)


def _names(path: Path) -> list[str]:
    """Return the attributes' names: all words of a row but the last, which is the attribute's type."""
    names: dict[str, int] = {}
    for row in _rows(path):
        name = b" ".join(row.words[:-1]).decode("utf-8", "replace")
        if not name or not row.words[-1].isdigit():
            raise UserError(f"{row.at}: must be an attribute's name and a type; given {_shown(b' '.join(row.words))}")
        if name in names:
            raise UserError(f"{row.at}: attribute {name!r} stands in line {names[name]} too")
        names[name] = row.line
    return list(names)


def _part_of(path: Path) -> dict[bytes, int]:
    """Return the part of each image, as its place in ``PARTS``, by the image's name."""
    part_of: dict[bytes, int] = {}
    for row in _rows(path):
        part = PART_NAMES.get(row.words[-1].decode("utf-8", "replace"))
        if len(row.words) != 2 or part is None:
            raise UserError(
                f"{row.at}: must be an image's name and one of {', '.join(PART_NAMES)}; given "
                f"{_shown(b' '.join(row.words))}"
            )
        if row.words[0] in part_of:
            raise UserError(f"{row.at}: image {_shown(row.words[0])} is listed twice")
        part_of[row.words[0]] = PARTS.index(part)
    given = set(part_of.values())
    if lacking := [name for name, part in PART_NAMES.items() if PARTS.index(part) not in given]:
        raise UserError(f"{path}: no image is in {' or '.join(lacking)}; each of {', '.join(PART_NAMES)} needs some")
    return part_of


def _values(
    lists: Lists, names: list[str], part_of: dict[bytes, int], zero: str
) -> tuple[list[bytes], npt.NDArray[np.uint8]]:
    """Return the images' names and (n, n_names): 1 for a positive, 2 for what is unknown."""
    of_zero = {"negative": 0, "positive": 1, "unknown": UNKNOWN}[zero]
    flags = bytes.maketrans(_BYTE_OF_MINUS_ONE + b"01", bytes([0, of_zero, 1]))
    folder = os.fspath(source.folder(NAME))
    images: dict[bytes, None] = {}
    y = bytearray()
    for row in _rows(lists.values):
        image = row.words[0]
        if image in images:
            raise UserError(f"{row.at}: image {_shown(image)} is listed twice")
        if image not in part_of:
            raise UserError(f"{row.at}: image {_shown(image)} is not in {lists.parts}")
        _size(folder, row)
        images[image] = None
        y += _one_byte_each(row, names).translate(flags)
    if len(images) < len(part_of):
        other = next(image for image in part_of if image not in images)
        raise UserError(f"{lists.parts}: image {_shown(other)} is not in {lists.values}")
    return list(images), np.frombuffer(y, dtype=np.uint8).reshape(len(images), len(names))


def _one_byte_each(row: ListedRow, names: list[str]) -> bytes:
    """Return the values of a row, checked, each as one byte."""
    values = row.words[1:]
    if len(values) != len(names):
        raise UserError(f"{row.at}: has {len(values):,} values, but there are {len(names):,} attributes")
    spaced = b" ".join(values).replace(VALUES[0], _BYTE_OF_MINUS_ONE)
    joined = spaced[::2]
    # No value is empty: if there are as many bytes as values and spaces, each value is one byte.
    if len(spaced) != 2 * len(values) - 1 or joined.translate(None, _BYTE_OF_MINUS_ONE + b"01"):
        place = next(place for place, value in enumerate(values) if value not in VALUES)
        raise UserError(f"{row.at}: {names[place]!r} must be -1, 0 or 1; given {_shown(values[place])}")
    return joined


def _size(folder: str, row: ListedRow) -> int:
    """Return the size of a row's image in bytes."""
    try:
        return os.stat(f"{folder}/{os.fsdecode(row.words[0])}").st_size  # noqa: PTH116  # a Path takes as long again
    except OSError as error:
        raise UserError(
            f"{row.at}: image {_shown(row.words[0])} cannot be read in {folder}: {error.strerror or error}"
        ) from error


def _unreadable(path: Path, error: OSError) -> UserError:
    return UserError(f"{path}: cannot be read: {error.strerror or error}")


def _shown(text: bytes) -> str:
    shown = text.decode("utf-8", "replace")
    return repr(shown if len(shown) <= 80 else f"{shown[:77]}...")
