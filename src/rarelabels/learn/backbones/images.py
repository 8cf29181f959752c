"""Image files -> RGB arrays of 224 × 224, the input size of frozen ImageNet networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rarelabels.errors import UserError
from rarelabels.learn.tensorflow_setup import tf

Tensor = Any

SIDE = 224
_PNG = b"\x89PNG"


class BrokenImageError(UserError):
    """An image cannot be decoded.

    Attributes:
        path: of the image.
    """

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(f"{path}: {message}")
        self.path = path


def read(path: Path) -> bytes:
    """Return the content of an image file.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: the image cannot be read ({error.strerror or error})") from error


def decode(content: bytes, path: Path) -> Tensor:
    """Return RGB between 0 and 255, float32 (224, 224, 3), from the content of a PNG, JPEG, GIF or BMP file.

    Transparent pixels become white. The whole image is resized without keeping its proportions, as Keras's image
    generators do. Resizing is bicubic. Where the image shrinks, the filter is wider, so that fine patterns do not
    alias.

    Args:
        content: of the file.
        path: of the file, for the error message.

    Raises:
        BrokenImageError: the content is not such an image.
    """
    try:
        if content.startswith(_PNG):
            image = _on_white(tf.io.decode_png(content, channels=4))
        else:
            image = tf.cast(tf.io.decode_image(content, channels=3, expand_animations=False), tf.float32)
    except tf.errors.InvalidArgumentError as error:
        raise BrokenImageError(path, "not an image of PNG, JPEG, GIF or BMP format, or a damaged one") from error
    resized = tf.image.resize(image, (SIDE, SIDE), method="bicubic", antialias=True)
    return tf.clip_by_value(resized, 0.0, 255.0)


def _on_white(image: Tensor) -> Tensor:
    image = tf.cast(image, tf.float32)
    alpha = image[..., 3:] / 255.0
    return image[..., :3] * alpha + 255.0 * (1.0 - alpha)
