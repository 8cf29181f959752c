"""Files that are written into the folder of a run."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from rarelabels.record import connection, run_files


def test_a_file_of_a_run_appears_whole_or_stays_as_it_was(
    filled: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that is full leaves what was there, and a link is replaced, not followed."""
    client = connection.connect(filled)
    run = client.create_run(client.create_experiment("whole", (tmp_path / "there").as_uri())).info.run_id
    (tmp_path / "new" / "deep").mkdir(parents=True)
    (tmp_path / "new" / "deep" / "one.txt").write_text("one\n", "utf-8")
    client.log_artifacts(run, str(tmp_path / "new"), "below")
    place = run_files.file(client, run, "below/deep/one.txt")
    (tmp_path / "new" / "deep" / "one.txt").write_text("two\n", "utf-8")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        client.log_artifacts(run, str(tmp_path / "new"), "below")
    monkeypatch.undo()
    assert [(path.name, path.read_text("utf-8")) for path in place.parent.iterdir()] == [("one.txt", "one\n")]
    place.rename(tmp_path / "elsewhere.txt")
    place.symlink_to(tmp_path / "elsewhere.txt")
    client.log_artifacts(run, str(tmp_path / "new"), "below")
    assert (place.is_symlink(), place.read_text("utf-8")) == (False, "two\n")
    assert (tmp_path / "elsewhere.txt").read_text("utf-8") == "one\n"
