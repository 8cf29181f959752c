"""Digests of score files, which enter the fingerprints of runs."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from rarelabels.errors import MissingDataError, UserError
from rarelabels.record import identities, score_digests
from small_texts import trial


def test_the_digest_is_that_of_the_content_as_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    for content in (b"one", b"twos"):
        file.write_bytes(content)
        assert score_digests.of_file(file) == hashlib.sha256(content).hexdigest()


def test_a_file_that_is_not_there_is_missing_data(tmp_path: Path) -> None:
    with pytest.raises(MissingDataError, match=r"a\.parquet: there is no such file of scores; another program makes"):
        score_digests.of_file(tmp_path / "a.parquet")
    with pytest.raises(UserError, match="cannot be read"):
        score_digests.of_file(tmp_path)


def test_a_run_is_known_by_the_content_of_its_files_not_by_their_names(tmp_path: Path) -> None:
    for name in ("v", "t", "t2"):
        (tmp_path / name).write_bytes(name[0].encode())
    one, two = (trial(kind="scores", validation=str(tmp_path / "v"), test=str(tmp_path / name)) for name in ("t", "t2"))
    assert identities.fingerprints(one, [0], "x") == identities.fingerprints(two, [0], "x")
    before = identities.fingerprints(one, [0], "x")
    (tmp_path / "t").write_bytes(b"other")
    after = identities.fingerprints(one, [0], "x")
    assert before.definition != after.definition
    assert before.runs != after.runs
    assert before.trainings != after.trainings
    assert identities.training_fingerprint(one, 0, "x") == after.trainings[0]


def test_the_files_of_all_declared_seeds_are_known_to_each_run(tmp_path: Path) -> None:
    names = {part: str(tmp_path / f"{part}_{{seed}}") for part in ("validation", "test")}
    one = trial(kind="scores", **names).model_copy(update={"seeds": (0, 1)})
    for seed in (0, 1):
        for part in names:
            (tmp_path / f"{part}_{seed}").write_bytes(f"{part}{seed}".encode())
    before = identities.fingerprints(one, [0, 1], "x")
    (tmp_path / "test_1").write_bytes(b"other")
    after = identities.fingerprints(one, [0, 1], "x")
    assert before.runs[0] != after.runs[0]
    assert before.runs[1] != after.runs[1]
    assert before.definition != after.definition
    with pytest.raises(MissingDataError, match=r"test_2|validation_2"):  # another seed than the declared ones
        identities.fingerprints(one, [2], "x")
