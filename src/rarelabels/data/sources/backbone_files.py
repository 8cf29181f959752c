"""The weights and the version that decide the features of images, for the digest of data, without TensorFlow."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from rarelabels.declare.backbones import Backbone, EfficientNetLite0, Vgg19
from rarelabels.errors import UserError

VERSION = 1
"""To be increased whenever the same images and weights give other features."""

LITE0_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"  # of the package's file
VGG19_MD5 = "253f8cb515780f3b799900260a226db6"  # of the file that Keras downloads; it refuses another


def content(spec: Backbone) -> str:
    """Return a checksum of the weights, or "random"; with the spec and VERSION it decides the features.

    Raises:
        UserError: a declared file cannot be read.
    """
    if spec.weights == "random":
        return "random"
    match spec:
        case EfficientNetLite0():
            return f"sha256 {LITE0_SHA256}"
        case Vgg19():
            return f"md5 {VGG19_MD5}" if spec.file is None else f"sha256 {sha256(Path(spec.file))}"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file of weights, in hexadecimal.

    Raises:
        UserError: the file cannot be read.
    """
    try:
        return _digest(path, path.stat().st_mtime_ns)
    except OSError as error:
        raise UserError(f"dataset.backbone.file: {path} cannot be read ({error.strerror or error})") from error


@functools.lru_cache(maxsize=1)
def _digest(path: Path, _changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
