"""Features of a data set: in the place of its images, each looked at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from emoji_images import CUT, EMOJI, LITE0, OF_EACH, Floats
from rarelabels.data.dataset import Dataset, Part
from rarelabels.declare.backbones import Backbone, EfficientNetLite0
from rarelabels.errors import UserError
from rarelabels.learn.backbones import extraction, images
from rarelabels.learn.tensorflow_setup import keras

RANDOM = EfficientNetLite0(kind="efficientnet_lite0", weights="random")


def few(data: Dataset) -> Dataset:
    """Three images, of which two parts share one."""
    rows = [np.array([0, 1]), np.array([1]), np.array([2])]
    train, validation, test = (data.train.take(row) for row in rows)
    return replace(data, train=train, validation=validation, test=test)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A network that gives the mean colour, and notes each image that it sees."""
    seen: list[int] = []

    def network(spec: Backbone) -> Callable[[Any], Floats]:
        def features(image: Any) -> Floats:
            seen.append(1)
            return np.full(extraction.n_features(spec), np.mean(image), np.float32)

        return features

    monkeypatch.setattr(extraction, "network", network)
    return seen


@pytest.fixture
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RARELABELS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_features_are_numbers_in_the_place_of_images(emoji: Dataset, lite0: Any) -> None:
    data = extraction.with_features(few(emoji), LITE0)
    assert data.numeric == tuple(f"feature_{i}" for i in range(1280))
    assert data.train.numeric.shape == (2, 1280)
    assert data.train.numeric.dtype == np.float64
    assert data.image_folder is None
    assert all(one.images is None for one in (data.train, data.validation, data.test))
    assert (data.labels, data.digest) == (emoji.labels, emoji.digest)
    np.testing.assert_array_equal(data.train.y, few(emoji).train.y)
    np.testing.assert_array_equal(data.validation.numeric[0], data.train.numeric[1])
    for row, name in enumerate(few(emoji).train.ids):
        alone = lite0(images.decode((EMOJI / name).read_bytes(), EMOJI / name))
        np.testing.assert_array_equal(data.train.numeric[row], alone)


def test_numbers_beside_images_come_before_their_features(
    emoji: Dataset, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(monkeypatch)
    data = few(emoji)
    beside = [np.array([[1.0, np.nan], [2.0, 3.0]]), np.array([[4.0, 5.0]]), np.array([[6.0, 7.0]])]
    parts = (data.train, data.validation, data.test)
    train, validation, test = (replace(part, numeric=x) for part, x in zip(parts, beside, strict=True))
    both = replace(data, train=train, validation=validation, test=test, numeric=("price", "size"))
    alone, found = extraction.with_features(data, LITE0), extraction.with_features(both, LITE0)
    assert found.numeric == ("price", "size", *alone.numeric)
    np.testing.assert_array_equal(found.train.numeric, np.hstack([beside[0], alone.train.numeric]))
    np.testing.assert_array_equal(found.test.numeric, np.hstack([beside[2], alone.test.numeric]))


def test_new_rows_get_the_features_that_they_would_have_had_in_training(
    emoji: Dataset, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted(monkeypatch)
    trained = extraction.with_features(emoji, LITE0)
    rows = np.array([5, 3, 5])
    new = extraction.part_with_features(emoji.test.take(rows), EMOJI, LITE0)
    assert new.images is None
    np.testing.assert_array_equal(new.numeric, trained.test.numeric[rows])


def test_an_image_is_looked_at_once(emoji: Dataset, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = counted(monkeypatch)
    first = extraction.with_features(few(emoji), LITE0)
    assert len(seen) == 3
    monkeypatch.delattr(extraction, "network")  # no network is even built
    other_parts = replace(few(emoji), train=few(emoji).test, test=few(emoji).train)
    again = extraction.with_features(other_parts, LITE0)
    np.testing.assert_array_equal(again.test.numeric, first.train.numeric)
    np.testing.assert_array_equal(again.train.numeric, first.test.numeric)


def test_chunks_are_put_together_in_the_order_of_the_rows(
    emoji: Dataset, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = counted(monkeypatch)
    whole = extraction.with_features(emoji, LITE0)
    monkeypatch.setattr(extraction, "CHUNK", 7)
    pieces = extraction.with_features(emoji, LITE0)
    assert len(seen) == 2 * 4 * OF_EACH
    assert len(list(own_cache.iterdir())) == 1 + -(-4 * OF_EACH // 7)
    for one in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(pieces, one).numeric, getattr(whole, one).numeric)


def test_other_content_weights_or_output_are_other_features(
    emoji: Dataset, own_cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = counted(monkeypatch)
    folder = tmp_path / "images"
    folder.mkdir()
    data = replace(few(emoji), image_folder=folder)
    for name in (*data.train.ids, *data.test.ids):
        (folder / name).write_bytes((EMOJI / name).read_bytes())
    extraction.with_features(data, LITE0)
    for spec in (RANDOM, CUT):
        extraction.with_features(data, spec)
    assert len(seen) == 9
    (folder / data.train.ids[0]).write_bytes((EMOJI / "1f353.png").read_bytes())
    changed = extraction.with_features(data, LITE0)
    assert len(seen) == 12
    strawberry = images.decode((EMOJI / "1f353.png").read_bytes(), Path())
    np.testing.assert_allclose(changed.train.numeric[0], np.mean(strawberry), rtol=1e-6)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, r"the image cannot be read \(No such file"),
        (b"not an image", "not an image of PNG, JPEG, GIF or BMP format, or a damaged one"),
        (b"", "not an image of PNG"),
        ((EMOJI / "1f353.png").read_bytes()[:300], "not an image of .* or a damaged one"),
    ],
    ids=["missing", "text", "empty", "cut short"],
)
def test_an_image_that_cannot_be_read_is_named(
    content: bytes | None, reason: str, emoji: Dataset, own_cache: Path, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / "bad.png").write_bytes(content)
    bad = Part(np.array(["x"]), np.zeros((1, 4), np.uint8), {}, images=np.array(["bad.png"]))
    row = "" if content is None else r" \(row 'x'\)$"
    with pytest.raises(UserError, match=rf"bad\.png: {reason}.*{row}"):
        extraction.with_features(replace(emoji, train=bad, validation=bad, test=bad, image_folder=tmp_path), RANDOM)
    assert not list(own_cache.glob("*"))


def test_what_does_not_fit_into_memory_is_refused(emoji: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 1000}.__getitem__)
    with pytest.raises(UserError, match=r"9,408 numbers of each of 200 images need about .* GiB .* use output: pooled"):
        extraction.with_features(emoji, CUT)


def test_long_work_is_announced(
    emoji: Dataset, own_cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    counted(monkeypatch)
    monkeypatch.setattr(extraction, "LONG", 1)
    extraction.with_features(emoji, LITE0)
    assert "extracting the features of 200 images with efficientnet_lite0" in caplog.text
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def accuracy(data: Dataset) -> float:
    """Of a logistic regression of the category, trained on the training part, on the other two."""
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
    model.fit(data.train.numeric, data.train.y.argmax(axis=1))
    X = np.concatenate([data.validation.numeric, data.test.numeric])
    y = np.concatenate([data.validation.y, data.test.y]).argmax(axis=1)
    return float(model.score(X, y))


@pytest.mark.long
def test_imagenet_beats_random_weights(emoji: Dataset) -> None:
    learnt, random = (extraction.with_features(emoji, spec) for spec in (LITE0, RANDOM))
    assert accuracy(learnt) > 0.85
    assert accuracy(random) < accuracy(learnt) - 0.1
    assert (random.train.numeric.std(axis=0) > 1e-3).mean() > 0.9  # nor is it a net of dead units


def test_random_weights_are_always_the_same() -> None:
    def drawn() -> list[Floats]:
        numbers = keras.Input((9408,))
        spec = EfficientNetLite0(kind="efficientnet_lite0", weights="random", output="last_block")
        return list(keras.Model(numbers, extraction.last_block(spec, numbers)).get_weights())

    first = drawn()
    keras.utils.set_random_seed(99)
    for one, again in zip(first, drawn(), strict=True):
        np.testing.assert_array_equal(one, again)
