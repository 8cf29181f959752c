"""VGG-19 is Keras's own, with its preprocessing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emoji_images import EMOJI
from rarelabels.data.sources import backbone_files
from rarelabels.declare.backbones import Vgg19
from rarelabels.errors import UserError
from rarelabels.learn.backbones import extraction, images, vgg19
from rarelabels.learn.tensorflow_setup import keras


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> tuple[keras.Model, Path]:
    """Keras's own network without real weights, which are not here, and its file."""
    keras.utils.set_random_seed(5)
    whole = keras.applications.VGG19(include_top=False, weights=None, input_shape=(224, 224, 3), pooling="avg")
    path = tmp_path_factory.mktemp("vgg") / "notop.h5"
    whole.save_weights(path.with_suffix(".weights.h5"))
    whole.save(path)
    return whole, path


def test_vgg19_is_keras_with_its_own_preprocessing(vgg: tuple[keras.Model, Path]) -> None:
    whole, path = vgg
    image = images.decode((EMOJI / "1f353.png").read_bytes(), Path())
    given = keras.applications.vgg19.preprocess_input(image.numpy()[None].copy())
    expected = whole(given).numpy()[0]
    for file in (path, path.with_suffix(".weights.h5")):
        spec = Vgg19(kind="vgg19", file=str(file))
        features = extraction.network(spec)(image).numpy()
        assert features.shape == (512,) == (extraction.n_features(spec),)
        np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())
    cut = Vgg19(kind="vgg19", file=str(path), output="last_block")
    flat = extraction.network(cut)(image)
    numbers = keras.Input((extraction.n_features(cut),))
    block = keras.Model(numbers, extraction.last_block(cut, numbers))
    np.testing.assert_allclose(block(flat[None])[0], expected, rtol=1e-4, atol=1e-6 * np.abs(expected).max())


def test_layers_of_vgg19_are_named_as_in_kerass_file() -> None:
    body = vgg19.body()
    x = keras.Input(vgg19.BEFORE_LAST_BLOCK)
    end = keras.Model(x, vgg19.last_block(x))
    assert body.output.shape[1:] == vgg19.BEFORE_LAST_BLOCK
    named = [layer.name for model in (body, end) for layer in model.layers if layer.weights]
    assert named == [
        f"block{block}_conv{i + 1}"
        for block, convolutions in enumerate((2, 2, 4, 4, 4), 1)
        for i in range(convolutions)
    ]


def test_another_file_is_another_content(vgg: tuple[keras.Model, Path], tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    path.write_bytes(vgg[1].read_bytes())
    same, found = (backbone_files.content(Vgg19(kind="vgg19", file=str(one))) for one in (vgg[1], path))
    assert same == found
    path.write_bytes(vgg[1].read_bytes() + b"0")
    assert backbone_files.content(Vgg19(kind="vgg19", file=str(path))) != same
    assert backbone_files.content(Vgg19(kind="vgg19", file=str(path), weights="random")) == "random"


@pytest.mark.parametrize("content", [b"not HDF5", None], ids=["text", "missing"])
def test_a_wrong_file_of_weights_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "wrong.h5"
    if content:
        path.write_bytes(content)
    with pytest.raises(UserError, match=r"dataset\.backbone\.file: .*wrong\.h5 ") as caught:
        extraction.network(Vgg19(kind="vgg19", file=str(path)))
    assert len(str(caught.value).splitlines()) == 1


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.weights.h5"
    keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]).save_weights(path)
    with pytest.raises(UserError, match="does not hold VGG-19's weights without the top"):
        extraction.network(Vgg19(kind="vgg19", file=str(path)))


def test_without_internet_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = keras.applications.VGG19

    def offline(**given: Any) -> keras.Model:
        if given["weights"] == "imagenet":
            raise Exception("URL fetch failure on https://storage: None -- [Errno -3] No address\nand more")
        return whole(**given)

    monkeypatch.setattr(keras.applications, "VGG19", offline)
    with pytest.raises(UserError) as caught:
        extraction.network(Vgg19(kind="vgg19"))
    assert "No address); give vgg19_weights" in str(caught.value)
    assert str(caught.value).endswith("as dataset.backbone.file, or use dataset.backbone.kind efficientnet_lite0")
    assert len(str(caught.value).splitlines()) == 1


def test_random_vgg19_is_always_the_same() -> None:
    spec = Vgg19(kind="vgg19", weights="random")
    image = images.decode((EMOJI / "1f353.png").read_bytes(), Path())
    first = extraction.network(spec)(image).numpy()
    np.testing.assert_array_equal(extraction.network(spec)(image), first)
    assert (first > 0).mean() > 0.3


def test_a_file_that_fills_some_layers_only_is_refused(vgg: tuple[keras.Model, Path], tmp_path: Path) -> None:
    """Keras warns of layers that a file lacks, and leaves them as they were drawn."""
    path = tmp_path / "cut.weights.h5"
    keras.Model(vgg[0].input, vgg[0].get_layer("block4_pool").output).save_weights(path)
    with pytest.raises(UserError, match=r"cut\.weights\.h5 does not hold"):
        extraction.network(Vgg19(kind="vgg19", file=str(path)))
