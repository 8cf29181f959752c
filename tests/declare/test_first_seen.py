"""The file of first times: what is read, what is refused, and that adding to it loses nothing."""

from __future__ import annotations

import doctest
import random
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from rarelabels import whole_files
from rarelabels.declare import first_seen
from rarelabels.declare.first_seen import NOTHING_SEEN, FirstSeen
from rarelabels.errors import UserError

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
FORM, OTHER = "0123456789ab", "ba9876543210"
TEXT = f"hypotheses:\n  claim:\n    {FORM}: '2026-11-30T12:00:00.000Z'\ntrials:\n  bce: '2026-11-30T12:00:00.000Z'\n"


def after(seconds: float, **zone: int) -> datetime:
    return (NOON + timedelta(seconds=seconds)).astimezone(timezone(timedelta(**zone)))


def seen(form: str = FORM, **trials: datetime) -> FirstSeen:
    return FirstSeen(hypotheses={"claim": {form: NOON}}, trials=trials or {"bce": NOON})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a study; the current one is above it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "films").mkdir()
    return Path("films")


def written(folder: Path, text: str | bytes) -> None:
    (folder / first_seen.NAME).write_bytes(text if isinstance(text, bytes) else text.encode())


def test_its_example() -> None:
    assert doctest.testmod(first_seen).failed == 0


def test_what_is_kept_is_read(folder: Path) -> None:
    assert first_seen.read(folder) == NOTHING_SEEN
    path = first_seen.keep(folder, seen())
    assert path == folder / "_first_seen.yaml"
    comment, _, text = path.read_text("utf-8").partition("hypotheses:")
    assert "hypotheses:" + text == TEXT
    assert all(line.startswith("# ") for line in comment.splitlines())
    assert "`rarelabels findings films --keep-first-seen`" in comment
    assert first_seen.read(folder) == seen()


def test_kept_twice_it_is_the_same_bytes_and_not_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = first_seen.keep(folder, seen(bce=after(1), focal=NOON))
    once = path.read_bytes()
    monkeypatch.setattr(whole_files, "write", None)  # to call it would fail
    first_seen.keep(folder, seen(bce=after(1), focal=NOON))
    first_seen.keep(folder, seen(focal=NOON))
    first_seen.keep(folder, NOTHING_SEEN)
    assert path.read_bytes() == once


def test_in_whatever_order_it_is_added_the_file_is_the_same(folder: Path) -> None:
    """Five records that know some forms of some hypotheses, and some trials, at different times."""
    draw = random.Random(0)

    def some() -> dict[str, datetime]:
        return {f"{draw.randrange(8):012x}": after(draw.randrange(99)) for _ in range(4)}

    records = [
        FirstSeen(
            hypotheses={draw.choice("abc"): some() for _ in range(3)},
            trials={draw.choice("xyz"): after(draw.randrange(99)) for _ in range(2)},
        )
        for _ in range(5)
    ]
    texts = set()
    for order in (records, records[::-1], records[2:] + records[:2]):
        for one in order:
            first_seen.keep(folder, one)
        texts.add((folder / first_seen.NAME).read_bytes())
        (folder / first_seen.NAME).unlink()
    assert len(texts) == 1


def test_the_earliest_time_wins_and_nothing_is_dropped(folder: Path) -> None:
    first_seen.keep(folder, seen(bce=after(5), focal=after(5)))
    first_seen.keep(folder, seen(OTHER, bce=after(9), focal=after(1), floor=after(7)))
    found = first_seen.read(folder)
    assert found.hypotheses == {"claim": {FORM: NOON, OTHER: NOON}}
    assert found.trials == {"bce": after(5), "focal": after(1), "floor": after(7)}


def test_times_are_compared_across_time_zones(folder: Path) -> None:
    """11:30 in London is 12:30 in Zurich, and earlier than 12:00 in London; files and records may have any zone."""
    written(folder, TEXT.replace("bce: '2026-11-30T12:00:00.000Z'", "bce: 2026-11-30T12:30:00+01:00"))
    assert first_seen.read(folder).trials == {"bce": after(-1800)}
    first_seen.keep(folder, seen(bce=after(-1, hours=-11)))
    assert "bce: '2026-11-30T11:30:00.000Z'" in (folder / first_seen.NAME).read_text()
    first_seen.keep(folder, seen(bce=after(-3600, hours=5, minutes=45)))
    assert "bce: '2026-11-30T11:00:00.000Z'" in (folder / first_seen.NAME).read_text()


def test_milliseconds_are_kept_because_runs_of_one_second_have_an_order(folder: Path) -> None:
    first_seen.keep(folder, seen(bce=after(0.123), focal=after(0.124)))
    found = first_seen.read(folder).trials
    assert (found["bce"], found["focal"]) == (after(0.123), after(0.124))


@pytest.mark.parametrize("form", ["012345678901", "123456789012", "1234e5678901", "000000000000", "0e1234567890"])
def test_digests_that_look_like_numbers_stay_text(folder: Path, form: str) -> None:
    first_seen.keep(folder, seen(form))
    assert first_seen.read(folder).hypotheses == {"claim": {form: NOON}}


TIME = "allowed a time with its zone, such as 2026-11-30T12:00:00.000Z"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty; allowed a mapping of keys to values"),
        (TEXT[: TEXT.index("trials:")], "trials: is missing; write it in films/_first_seen.yaml"),
        (TEXT[:-3], "line 5: not YAML: found unexpected end of stream"),
        (TEXT.encode()[:50] + b"\xff", "is not UTF-8 text (byte 51)"),
        (
            f"<<<<<<< HEAD\n{TEXT}=======\n{TEXT}>>>>>>> other\n",
            "line 2: not YAML: mapping values are not allowed here",
        ),
        (TEXT + "  bce: '2026-11-30T12:00:00Z'\n", "line 6: key 'bce' is given twice"),
        (
            TEXT.replace(FORM, "abc"),
            'hypotheses.claim.abc: wrong form; allowed text that matches {}; given "abc"',
        ),
        (TEXT.replace(FORM, "012345678901"), "hypotheses.claim.12345678901: wrong form; allowed text that "),
        (TEXT.replace("12:00:00.000Z", "noon"), f'trials.bce: {TIME}; given "2026-11-30Tnoon"'),
        (TEXT.replace("00.000Z", "00"), f'trials.bce: {TIME}; given "2026-11-30T12:00:00"'),
        (TEXT.replace("bce: '2026-11-30T12:00:00.000Z'", "bce: 1764504000"), f"trials.bce: {TIME}; given 1764504000"),
        (TEXT.replace("bce: '2026-11-30T12:00:00.000Z'", "bce:"), f"trials.bce: {TIME}; given null"),
        (
            TEXT.replace("bce: '2026-11-30T12:00:00.000Z'", "bce: 0001-01-01T00:00:00+02:00"),
            f"trials.bce: {TIME}; given",
        ),
        (TEXT.replace("trials:", "trial:"), "trial: unknown key; did you mean 'trials'?"),
        ("hypotheses: none\ntrials: {}", 'hypotheses: wrong type; allowed a mapping of keys to values; given "none"'),
    ],
)
def test_what_is_damaged_or_wrong_is_one_line(folder: Path, text: str | bytes, says: str) -> None:
    written(folder, text)
    before = (folder / first_seen.NAME).read_bytes()
    for do in (first_seen.read, lambda folder: first_seen.keep(folder, seen())):
        with pytest.raises(UserError) as error:
            do(folder)
        lines = str(error.value).splitlines()
        expected = f"films/_first_seen.yaml: {says.format('^[0-9a-f]{12}$')}"
        assert any(line.startswith(expected) for line in lines), lines
        assert all(line.startswith("films/_first_seen.yaml: ") for line in lines)
    assert (folder / first_seen.NAME).read_bytes() == before


def test_it_stays_readable_as_it_grows(folder: Path) -> None:
    """1,500 forms are more than a declaration may have bytes."""
    many = {f"{number:012x}": NOON for number in range(1_500)}
    path = first_seen.keep(folder, FirstSeen(hypotheses={"claim": many}, trials={}))
    assert path.stat().st_size > 60_000
    assert first_seen.read(folder).hypotheses["claim"] == many


def test_a_file_that_cannot_be_written_stays_as_it_was(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = first_seen.keep(folder, seen())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(whole_files, "write", full)
    with pytest.raises(UserError, match=r"^films/_first_seen.yaml: cannot be written: No space left on device$"):
        first_seen.keep(folder, seen(OTHER))
    assert first_seen.read(folder) == seen()
    assert [one.name for one in folder.iterdir()] == [path.name]
