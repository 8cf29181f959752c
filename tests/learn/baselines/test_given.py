"""Scores that another program made, in the place of a model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rarelabels.data.dataset import Dataset, Part
from rarelabels.declare.models import ScoresSpec
from rarelabels.errors import UserError
from rarelabels.learn import fitting, weighting
from rarelabels.learn.baselines import baseline, given
from small_texts import trial


def renamed(part: Part, prefix: str) -> Part:
    return replace(part, ids=np.char.add(prefix, part.ids))


@pytest.fixture
def data(small: Dataset) -> Dataset:
    parts = {name: renamed(getattr(small, name), name) for name in ("train", "validation", "test")}
    return replace(small, **parts)


def write(path: Path, part: Part, labels: tuple[str, ...], seed: int = 0) -> pd.DataFrame:
    """Write random scores of a part, its rows in another order."""
    scores = np.random.default_rng(seed).random(part.y.shape)
    frame = pd.DataFrame(scores, columns=[f"score/{label}" for label in labels], index=part.ids)
    frame.sample(frac=1, random_state=1).rename_axis("id").reset_index().to_parquet(path)
    return frame


def declared(folder: Path, mark: str = "") -> ScoresSpec:
    names = {name: str(folder / f"{name}{mark}.parquet") for name in ("validation", "test")}
    return ScoresSpec(kind="scores", validation=names["validation"], test=names["test"])


def test_each_row_has_the_scores_of_its_file(data: Dataset, tmp_path: Path) -> None:
    written = {
        name: write(tmp_path / f"{name}.parquet", getattr(data, name), data.labels, seed)
        for seed, name in enumerate(("validation", "test"))
    }
    spec = declared(tmp_path)
    baseline.check(spec, data, 0)
    fitted = baseline.fit(trial(**spec.model_dump()), data, 7)
    for name, frame in written.items():
        assert (fitted.scores(getattr(data, name)) == frame.to_numpy()).all()
    assert fitted.notes == (given.NOTE, given.SAME)
    assert fitted.facts == {}
    fitted.save(tmp_path / "model")
    with pytest.raises(UserError, match="its model was not stored"):
        baseline.load_saved(tmp_path / "model")


def test_each_seed_has_its_own_files(data: Dataset, tmp_path: Path) -> None:
    spec = declared(tmp_path, "_{seed}")
    for seed in (0, 1):
        for name in ("validation", "test"):
            write(tmp_path / f"{name}_{seed}.parquet", getattr(data, name), data.labels, seed)
    one, two = (given.fit(spec, data, seed) for seed in (0, 1))
    assert (one.scores(data.test) != two.scores(data.test)).all()
    assert one.notes == (given.NOTE,)
    with pytest.raises(UserError, match=r"validation_2\.parquet: there is no such file; did you mean"):
        given.fit(spec, data, 2)


def test_out_of_fold_scores_are_joined_to_all_rows_outside_the_test_part(data: Dataset, tmp_path: Path) -> None:
    """The file of validation then has every training row, and one file may hold both parts."""
    whole = replace(data, validation=data.train, folds=np.arange(120) % 5)
    rows = [write(tmp_path / "a.parquet", part, data.labels) for part in (data.train, data.test)]
    pd.concat(rows).rename_axis("id").reset_index().to_parquet(tmp_path / "all.parquet")
    path = str(tmp_path / "all.parquet")
    one = trial(kind="scores", validation=path, test=path)
    weights = weighting.weights(one.weighting, whole.train.y, whole.labels)
    fitted, scored = fitting.fit(one, 0, whole, weights, (), lambda *_: None)
    assert (scored.ids == whole.train.ids).all()
    assert (scored.scores == rows[0].to_numpy()).all()
    assert (fitted.scores(data.test) == rows[1].to_numpy()).all()


def test_rows_that_share_an_id_cannot_be_told_apart(small: Dataset, tmp_path: Path) -> None:
    for name in ("validation", "test"):
        write(tmp_path / f"{name}.parquet", getattr(small, name), small.labels)
    with pytest.raises(UserError, match="share an id"):
        given.fit(declared(tmp_path), small, 0)


def test_rows_that_are_counted_from_0_are_not_those_that_are_counted_from_1(small: Dataset, tmp_path: Path) -> None:
    """Otherwise each row would get the scores of the one before it, if the last row is in the training part."""
    sizes = np.cumsum([0, len(small.test.ids), len(small.validation.ids), len(small.train.ids)])
    counted = np.arange(1, sizes[-1] + 1).astype(str)
    names = ("test", "validation", "train")
    parts = {
        name: replace(getattr(small, name), ids=counted[start:stop])
        for name, start, stop in zip(names, sizes, sizes[1:], strict=False)
    }
    data = replace(small, **parts)
    for name in ("validation", "test"):
        write(tmp_path / f"{name}.parquet", parts[name], data.labels)
    assert given.fit(declared(tmp_path), data, 0).given.shape[0] == sizes[2]
    for name in ("validation", "test"):
        whole = replace(small.train, ids=np.arange(sizes[-1]).astype(str), y=np.zeros((sizes[-1], len(data.labels))))
        write(tmp_path / f"{name}.parquet", whole, data.labels)
    with pytest.raises(UserError, match="has an id 0, but the ids of the data count its rows from 1 to"):
        given.fit(declared(tmp_path), data, 0)
