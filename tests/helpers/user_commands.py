"""Commands that a user calls in a folder, a trial of the user's own, and a check that mistakes are refused in words."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from project import Answer, clean_environment, command

LINEAR = "movies/linear_bce"
MINE = """
extends: {parent}
question: Does a trial of my own run from anywhere?
thread: beyond the threads
model: {{kind: floor, predicts: ones}}
"""


def python(folder: Path, *args: str) -> Answer:
    """Start Python as a user does."""
    done = subprocess.run(
        [sys.executable, *args],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=900,
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def rarelabels(folder: Path, *args: str, **environment: str) -> Answer:
    return command(folder, *args, environment=clean_environment() | environment)


def write_trial(house: Path, text: str | bytes) -> None:
    head = b"extends: _base.yaml\nquestion: What does this one do?\nthread: nowhere\n"
    content = head + text.encode() if isinstance(text, str) else text
    (house / "experiments/movies/mine.yaml").write_bytes(content)


def assert_refused(house: Path, args: list[str], *says: str, **environment: str) -> None:
    """Exit code 2, a line on stderr for each problem, nothing on stdout, nothing recorded."""
    answer = rarelabels(house, *args, **environment)
    assert answer.code == 2, answer
    assert answer.out == ""
    assert answer.err.startswith("rarelabels: ")
    assert answer.err.count("\n") >= len(says)
    assert "Traceback" not in answer.err
    for one in says:
        assert one in answer.err
    if len(says) == 1:
        assert answer.err.count("\n") == 1
    assert not (house / "runs").exists()
