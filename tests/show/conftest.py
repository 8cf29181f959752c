"""Judgements that many tests look at, made once in a process."""

from __future__ import annotations

from pathlib import Path

import pytest

import judged_arrays
import judged_parts
import rarelabels as rl
from rarelabels.judging import score_files
from rarelabels.show import judgement as show_judgement
from rarelabels.show.judgement import Judgement


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> tuple[Path, Path]:
    """Return two written score files: validation and test."""
    folder = tmp_path_factory.mktemp("scores")
    paths = folder / "validation.parquet", folder / "test.parquet"
    for path, part in zip(paths, (judged_parts.random_part(400, 1), judged_parts.random_part(300, 0)), strict=True):
        part.frame(judged_parts.LABELS).assign(id=lambda frame, path=path: path.stem + frame["id"]).to_parquet(
            path, index=False
        )
    return paths


@pytest.fixture(scope="session")
def judgement(files) -> Judgement:
    """Return the judgement of both files; many tests look at it."""
    return show_judgement.judge_parts(score_files.read(*files))


@pytest.fixture(scope="session")
def alone(files) -> Judgement:
    """Return the judgement of the test file alone."""
    return show_judgement.judge_parts(score_files.read(None, files[1]))


@pytest.fixture(scope="session")
def judged():
    """Return the judgement that others are compared with."""
    of = judged_arrays
    return rl.judge(of.Y, of.S, validation=(of.Y_VAL, of.S_VAL), labels=of.LABELS)
