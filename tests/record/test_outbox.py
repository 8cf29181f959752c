"""What waits for the record: journals of entries, each of a run, read and written by many processes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from rarelabels.record import outbox, writing

WHERE = "http://me:s3cret@127.0.0.1:5000"


@pytest.mark.parametrize("begun", ['{"status": "FINI', '{"status": "FINISHED", "at": 1}'])
def test_entries_wait_in_their_order_and_a_line_without_its_end_is_none(tmp_path: Path, begun: str) -> None:
    box = outbox.of_run(tmp_path, WHERE, "abc")
    box.add({"tags": {"a": "1"}})
    with box.files() as place:
        (place / "x.txt").write_text("x", "utf-8")
    box.leave()
    (folder,) = tmp_path.iterdir()
    with (folder / "journal.jsonl").open("a", encoding="utf-8") as file:
        file.write(begun)
    (left,) = outbox.left(tmp_path, WHERE)
    assert (left.run_id, left.waiting, left.status) == ("abc", [{"tags": {"a": "1"}}, {"files": "files-1"}], None)
    assert (left.folder / "files-1" / "x.txt").read_text("utf-8") == "x"
    assert "s3cret" not in str(folder)


def test_what_a_living_process_writes_is_left_alone_and_so_is_another_record(tmp_path: Path) -> None:
    box = outbox.of_run(tmp_path, WHERE, "abc")
    box.add({"status": "FINISHED", "at": 1})
    assert list(outbox.left(tmp_path, WHERE)) == []
    box.leave()
    assert list(outbox.left(tmp_path, "http://127.0.0.1:5001")) == []
    assert [one.status for one in outbox.left(tmp_path, WHERE)] == ["FINISHED"]


def test_a_record_is_the_same_whoever_asks_and_wherever_its_folder_is_moved(tmp_path: Path) -> None:
    box = outbox.of_run(tmp_path, WHERE, "abc")
    box.add({"status": "FINISHED", "at": 1})
    box.leave()
    for same in ("http://127.0.0.1:5000", "http://127.0.0.1:5000/", "http://me:new@127.0.0.1:5000"):
        assert [one.run_id for one in outbox.left(tmp_path, same)] == ["abc"]
    box = outbox.of_run(tmp_path, "sqlite:////old/runs/mlflow.db", "def")
    box.leave()
    assert [one.run_id for one in outbox.left(tmp_path, "sqlite:////new/runs/mlflow.db")] == ["def"]


@pytest.mark.parametrize("damage", [b"\0\0\0\0\n", b"{\xff}\n", b"17\n"])
def test_a_damaged_line_ends_a_journal_and_its_run_was_cut_off(tmp_path: Path, damage: bytes) -> None:
    box = outbox.of_run(tmp_path, WHERE, "abc")
    box.add({"tags": {"a": "1"}})
    with (box.folder / "journal.jsonl").open("ab") as file:
        file.write(damage)
    box.add({"status": "FINISHED", "at": 1})
    box.leave()
    (left,) = outbox.left(tmp_path, WHERE)
    assert (left.waiting, left.status) == ([{"tags": {"a": "1"}}], None)


BUSY = """
import sys
from pathlib import Path
from rarelabels.record import outbox
place, where, name = Path(sys.argv[1]), "http://127.0.0.1:5000", sys.argv[2]
sys.stdin.read(1)  # all at once
for number in range(200):
    for box in outbox.left(place, where):
        raise SystemExit(f"took up {box.run_id}, whose process lives")
    box = outbox.of_run(place, where, f"{name}x{number}")
    with box.files() as files:
        (files / "a").write_text("a", "utf-8")
    box.add({"status": "FINISHED", "at": number})
    box.remove()
"""


def test_processes_that_begin_and_end_runs_do_not_touch_those_of_others(tmp_path: Path) -> None:
    command = [sys.executable, "-c", BUSY, str(tmp_path / "outbox")]
    pipe = subprocess.PIPE
    running = [
        subprocess.Popen([*command, str(i)], stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)
        for i in range(4)
    ]
    for one in running:
        assert one.stdin is not None
        one.stdin.write("!")
        one.stdin.flush()
    said = [one.communicate(timeout=600)[0] for one in running]
    assert [one.returncode for one in running] == [0] * 4, said
    assert list((tmp_path / "outbox").iterdir()) == []


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PAUSE_SECONDS", "PATIENCE_HERE", "EVERY_SECONDS"):
        monkeypatch.setattr(writing, name, 0.0)
