"""A search's journal: half a line is dropped, a damaged one is said, and an older file goes on."""

from __future__ import annotations

import json
from pathlib import Path

import optuna
import pytest

from rarelabels.errors import UserError
from rarelabels.study.tuning import storage as tuning_storage


def test_half_a_line_that_a_killed_process_left_is_dropped_and_nothing_else(tmp_path: Path) -> None:
    journal = tmp_path / "x.journal"

    def opened() -> optuna.Study:
        return optuna.create_study(
            storage=tuning_storage.open_storage(str(journal)), study_name="x", load_if_exists=True
        )

    asked = opened()
    for value in (1.0, 2.0):
        asked.tell(asked.ask(), value)
    with journal.open("ab") as file:
        file.write(b'{"op_code":4,"worker_id":"')
    asked = opened()
    asked.tell(asked.ask(), 3.0)
    assert [trial.value for trial in opened().trials] == [1.0, 2.0, 3.0]


def spoil(lines: list[bytes], how: str) -> list[bytes]:
    middle = len(lines) // 2
    match how:
        case "garbage":
            return [*lines[:middle], b"\0\0garbage\n", *lines[middle + 1 :]]
        case "missing":
            return [*lines[:middle], *lines[middle + 1 :]]
        case "twice":
            return [*lines[:middle], lines[middle], *lines[middle:]]
        case "other":
            return [*lines[:middle], b'{"a": 1}\n', *lines[middle + 1 :]]
        case _:
            return [*lines[:-1], lines[-1][: len(lines[-1]) // 2] + b"\n"]


@pytest.mark.parametrize("how", ["garbage", "missing", "twice", "other", "last"])
def test_a_line_of_a_journal_that_is_damaged_or_missing_is_said_with_a_way_on(tmp_path: Path, how: str) -> None:
    """Optuna counts trials by lines: without one, the values of a trial would be another's."""
    journal = tmp_path / "x.journal"

    def opened() -> optuna.Study:
        return optuna.create_study(
            storage=tuning_storage.open_storage(str(journal)), study_name="x", load_if_exists=True
        )

    def tell() -> list[float | None]:
        asked = opened()
        asked.tell(asked.ask(), float(len(asked.trials)))
        return [trial.value for trial in opened().trials]

    for _ in range(4):
        told = tell()
    assert told == [1.0, 2.0, 3.0, 4.0]
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(spoil(lines, how)))
    damaged = journal.read_bytes()
    with pytest.raises(
        UserError, match=r"x\.journal: line \d+ of the search's journal .*; put back a copy of the file, or"
    ):
        tell()
    assert journal.read_bytes() == damaged
    with pytest.raises(UserError, match="of the search's journal"):
        opened()
    journal.rename(tmp_path / "away")
    assert tell() == [1.0]


def test_a_journal_of_an_earlier_version_is_read_and_goes_on_with_numbers(tmp_path: Path) -> None:
    journal = tmp_path / "x.journal"
    old = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(journal)))
    asked = optuna.create_study(storage=old, study_name="x")
    asked.tell(asked.ask(), 1.0)
    before = len(journal.read_bytes().splitlines())
    asked = optuna.load_study(storage=tuning_storage.open_storage(str(journal)), study_name="x")
    asked.tell(asked.ask(), 2.0)
    assert [trial.value for trial in asked.trials] == [1.0, 2.0]
    numbers = [json.loads(line).get("line") for line in journal.read_bytes().splitlines()]
    assert numbers == [None] * before + list(range(before, len(numbers)))
