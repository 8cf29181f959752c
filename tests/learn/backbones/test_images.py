"""Images of every form, as a network sees them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from emoji_images import EMOJI, png
from rarelabels.learn.backbones import images
from rarelabels.learn.tensorflow_setup import tf


def test_what_is_transparent_shows_white() -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:, :, 3] = 0
    np.testing.assert_allclose(images.decode(png(pixels), Path()).numpy(), 255, rtol=1e-5)
    pixels[:, :, 3] = 51
    np.testing.assert_allclose(images.decode(png(pixels), Path()).numpy(), 204, rtol=1e-5)


def test_a_palette_with_transparency_is_what_pillow_sees() -> None:
    path = EMOJI / "1f353.png"
    with Image.open(path) as opened:
        rgba = opened.convert("RGBA")
    white = Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    ours = images._on_white(tf.io.decode_png(path.read_bytes(), channels=4)).numpy()
    assert np.abs(ours - np.asarray(white, np.float32)).max() <= 1


@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "BMP"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_forms_of_images(form: str, mode: str, tmp_path: Path) -> None:
    path = tmp_path / "image"
    Image.new(mode, (300, 20), 70 if mode == "L" else (70, 70, 70)).save(path, form)
    image = images.decode(path.read_bytes(), path).numpy()
    assert image.shape == (224, 224, 3)
    assert image.dtype == np.float32
    np.testing.assert_allclose(image, 70, atol=1)
