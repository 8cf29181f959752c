"""A published study says what its record says, without the record."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import rarelabels as rl
from old_record import unpack
from rarelabels.errors import UserError
from rarelabels.study.publishing import publish

FRAMES = ("comparison", "verdicts", "best", "trials", "runs", "summary", "curves", "per_label")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> rl.Study:
    """The study ``films`` of the record of 0.4.2; its folder ``results`` has what is published of it."""
    project = unpack(tmp_path_factory.mktemp("old"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(project.folder)
        publish("films", project.record, project.folder / "results")
        return rl.Study("films", project.record)


@pytest.fixture(scope="module")
def results(recorded: rl.Study) -> Path:
    return Path(recorded.where.removeprefix("sqlite:///")).parent.parent / "results"


@pytest.fixture
def published(results: Path) -> rl.Study:
    return rl.Study("films", published=results)


@pytest.mark.parametrize("name", FRAMES)
def test_every_table_is_that_of_the_record(
    name: str, recorded: rl.Study, published: rl.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = getattr(recorded, name)()
    monkeypatch.chdir(tmp_path)  # where there is no record, and no study is declared
    found = getattr(published, name)()
    assert list(found.columns) == list(expected.columns)
    assert len(found) == len(expected) > 0
    for column in expected:
        if pd.api.types.is_float_dtype(expected[column]):
            assert found[column].to_numpy() == pytest.approx(expected[column].to_numpy(), rel=1e-6, nan_ok=True), column
        else:
            shown = expected[column].where(expected[column].notna(), None).map(lambda cell: str(cell))
            assert list(found[column].map(str)) == list(shown), column


def test_some_trials_are_given(published: rl.Study) -> None:
    assert set(published.summary(["bce", "gone"])["trial"]) == {"bce"}
    assert published.finished("bce", "gone") == ["bce"]


def test_it_is_shown_like_the_record(recorded: rl.Study, published: rl.Study) -> None:
    assert repr(published) == repr(recorded)
    assert published._repr_html_() == recorded._repr_html_()
    assert published.bounds() == recorded.bounds()


def test_bins_are_those_of_the_scores(recorded: rl.Study, published: rl.Study) -> None:
    bins = published.reliability("bce", 1)
    assert len(bins) == 10
    scores = recorded.scores("bce", 1)
    assert bins["score"].mean() == pytest.approx(scores["score"].mean(), rel=0.01)
    assert np.all(np.diff(bins["score"]) > 0)
    parts = np.array_split(scores.sort_values("score", kind="stable")["true"].to_numpy(), 10)
    assert bins["true"].to_numpy() == pytest.approx(
        [part.mean() for part in parts], abs=0.03
    )  # a bin may end a cell later
    with pytest.raises(UserError, match="no run of bce with seed 99 is published"):
        published.reliability("bce", 99)
    with pytest.raises(UserError, match="no run of focla with seed 0 is published; did you mean 'focal'"):
        published.reliability("focla")


def test_figures_are_drawn_from_it(published: rl.Study, saved) -> None:
    saved(published.plot.comparison())
    saved(published.plot.calibration(["bce"]))


def test_what_is_not_published_is_refused(published: rl.Study) -> None:
    with pytest.raises(UserError, match="scores are not published; run films"):
        published.scores("bce")
    with pytest.raises(UserError, match=r"ranked by per_label/macro_f1; given 'half/macro_f1'"):
        published.best("half/macro_f1")


def test_an_unknown_study_is_told_with_a_near_name(results: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="'film' is not published here; did you mean 'films'"):
        rl.Study("film", published=results)
    with pytest.raises(UserError, match="'films' is not published here; there are: none"):
        rl.Study("films", published=tmp_path)


def test_a_damaged_file_is_told(results: Path, tmp_path: Path) -> None:
    folder = tmp_path / "films"
    folder.mkdir()
    for file in (results / "films").iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    study = rl.Study("films", published=tmp_path)
    (folder / "curves.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="the table curves cannot be read"):
        study.curves()
    about = json.loads((folder / "about.json").read_text("utf-8"))
    (folder / "about.json").write_text(json.dumps(about | {"format": 99}), "utf-8")
    with pytest.raises(UserError, match="has the format 99, this version reads 1"):
        rl.Study("films", published=tmp_path)
    (folder / "about.json").write_text(json.dumps({"format": 1, "title": "x"}), "utf-8")
    with pytest.raises(UserError, match="has no question, bounds, digest, missing, files; publish the study again"):
        rl.Study("films", published=tmp_path)
    (folder / "about.json").write_text("[]", "utf-8")
    with pytest.raises(UserError, match="has the format None"):
        rl.Study("films", published=tmp_path)
    (folder / "about.json").write_text("{", "utf-8")
    with pytest.raises(UserError, match=r"about\.json: cannot be read"):
        rl.Study("films", published=tmp_path)
