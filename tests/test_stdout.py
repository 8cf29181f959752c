"""A pipe that is closed early, and a disk that is full, while a command prints."""

from __future__ import annotations

import subprocess
import sys

import pytest

from rarelabels import stdout

PRINTS = """
from rarelabels import stdout
stdout.guard()
try:
    for _ in range(100_000):
        print("a line of some length that fills a buffer soon enough")
except (stdout.ReaderGoneError, stdout.LostOutputError) as error:
    stdout.drop()
    import sys
    print(type(error).__name__, error, file=sys.stderr)
print("dropped")
"""


def run(target: str) -> subprocess.CompletedProcess[str]:
    command = f'"{sys.executable}" -c "$PRINTS" {target}'
    return subprocess.run(
        ["bash", "-c", command],
        env={"PRINTS": PRINTS, "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
    )


def test_a_reader_that_has_gone_is_an_error_of_its_own() -> None:
    ended = run("| head -1")
    assert ended.stdout.splitlines() == ["a line of some length that fills a buffer soon enough"]
    assert ended.stderr == "ReaderGoneError \n"


def test_a_full_disk_is_said_in_one_line() -> None:
    ended = run("> /dev/full")
    assert ended.stderr == "LostOutputError the output cannot be written to stdout: No space left on device\n"


def test_output_that_is_somebody_elses_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.stdout
    stdout.guard()
    assert sys.stdout is before
