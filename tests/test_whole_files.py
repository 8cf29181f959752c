"""A file appears complete or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from rarelabels import whole_files


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    whole_files.write(tmp_path / "a", b"one")
    whole_files.write(tmp_path / "a", b"two")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"two")]


def test_a_write_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole_files.write(tmp_path / "a", b"one")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        whole_files.write(tmp_path / "a", b"two")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"one")]


def test_its_folder_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        whole_files.write(tmp_path / "none" / "a", b"one")
