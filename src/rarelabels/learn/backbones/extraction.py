"""Frozen feature extractors: they replace the images of a data set by numbers.

Each network has a module with its ``body`` up to the last block, its ``last_block``, and its ``imagenet_weights`` by
layer. The interface of these modules is :class:`_Kind`. The rest is here, the same for all networks: features, their
cache, and training the last block further.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import math
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from rarelabels import cache
from rarelabels.data.dataset import Dataset, Part
from rarelabels.data.sources import backbone_files
from rarelabels.declare.backbones import Backbone, EfficientNetLite0, Vgg19
from rarelabels.errors import UserError
from rarelabels.learn.backbones import efficientnet_lite0, images, vgg19
from rarelabels.learn.memory import machine_bytes
from rarelabels.learn.tensorflow_setup import keras, tf

Tensor = Any
Singles = npt.NDArray[np.float32]
LayerWeights = Mapping[str, list[Singles]]

CHUNK = 256  # images in one cache entry; so many are lost when a long extraction is cut off
LONG = 60  # seconds; a longer extraction is worth a warning
COPIES = 6  # so many copies of all features, as float32, are in memory at once while they are split and trained on

_log = logging.getLogger(__name__)


class _Kind(Protocol):
    """The interface of a network's module."""

    FEATURES: int
    """Channels of the last features."""
    BEFORE_LAST_BLOCK: tuple[int, int, int]
    """Height, width and channels of the input of the last block."""
    SECONDS: float
    """Time for one image on one thread, from which the user is told how long the extraction takes."""

    def preprocess(self, images: Tensor, /) -> Tensor:
        """Return the network's input, from RGB between 0 and 255, (n, 224, 224, 3)."""

    def body(self) -> keras.Model:
        """Return the network up to its last block; its weights are not set yet."""

    def last_block(self, x: Tensor, /) -> Tensor:
        """Return the last features, (n, height, width, FEATURES); the block's weights are not set yet."""

    def imagenet_weights(self, spec: Any, /) -> LayerWeights:
        """Return the arrays of each layer."""


def _kind(spec: Backbone) -> _Kind:
    match spec:
        case EfficientNetLite0():
            return efficientnet_lite0
        case Vgg19():
            return vgg19


def n_features(spec: Backbone) -> int:
    """Return how many numbers replace an image; see :func:`with_features`."""
    kind = _kind(spec)
    return kind.FEATURES if spec.output == "pooled" else math.prod(kind.BEFORE_LAST_BLOCK)


def with_features(data: Dataset, spec: Backbone) -> Dataset:
    """Return ``data`` with numbers in place of its images, after the numbers that stand beside them.

    ``pooled``: the last features averaged over the image, 1,280 numbers of EfficientNet-Lite0 or 512 of VGG-19.
    ``last_block``: the flattened input of the last block, 7 · 7 · 192 = 9,408 or 14 · 14 · 512 = 100,352 numbers. The
    model kind ``last_block`` reads these.

    Each image goes through the network alone. So its numbers depend on no other image, and batches are not faster:
    1,000 images through EfficientNet-Lite0 on one thread take 10 s alone, and 16 s in batches of 32. (With XLA, which
    is slow at depthwise convolutions, they take 120 and 280 s. To decode and resize them takes 2 s.) Features are
    cached as float32 by the image's content. So an image that several rows or parts share is processed once.

    Raises:
        UserError: an image or the weights cannot be read, or the features do not fit into memory.
    """
    assert data.image_folder is not None
    train, validation, test = _filled((data.train, data.validation, data.test), data.image_folder, spec)
    return replace(
        data,
        train=train,
        validation=validation,
        test=test,
        numeric=(*data.numeric, *(f"feature_{i}" for i in range(n_features(spec)))),
        image_folder=None,
    )


def part_with_features(part: Part, folder: Path, spec: Backbone) -> Part:
    """Return a part with numbers in place of its images, as :func:`with_features` does for a data set.

    Raises:
        UserError: see :func:`with_features`.
    """
    (filled,) = _filled((part,), folder, spec)
    return filled


def _filled(parts: Sequence[Part], folder: Path, spec: Backbone) -> list[Part]:
    names = {name for part in parts for name in _images(part)}
    _check_memory(spec, len(names))
    contents = {name: _sha256(images.read(folder / name)) for name in names}
    files = {digest: folder / name for name, digest in contents.items()}
    try:
        features = _features(spec, dict(sorted(files.items())))
    except images.BrokenImageError as error:
        row = next(name for part in parts for name in part.ids[[folder / one == error.path for one in _images(part)]])
        raise UserError(f"{error} (row {str(row)!r})") from error
    row = {digest: number for number, digest in enumerate(sorted(files))}

    def filled(part: Part) -> Part:
        rows = [row[contents[name]] for name in _images(part)]
        numbers = features[rows].astype(np.float64)
        return replace(part, numeric=np.hstack([part.numeric, numbers]), images=None)

    return [filled(part) for part in parts]


def last_block(spec: Backbone, numbers: Tensor) -> Tensor:
    """Return the features averaged over the image, (n, FEATURES), from the flattened input of the last block, (n, k).

    Both are Keras tensors. The layers between them are the last block, with the weights of the backbone. They are
    trained, except the stored statistics of batch normalisations.
    """
    kind = _kind(spec)
    pooled = _pooled(kind.last_block(keras.layers.Reshape(kind.BEFORE_LAST_BLOCK)(numbers)))
    _fill(keras.Model(numbers, pooled), spec)
    return pooled


def _images(part: Part) -> list[str]:
    assert part.images is not None
    return list(map(str, part.images))


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _check_memory(spec: Backbone, rows: int) -> None:
    needed = COPIES * rows * n_features(spec) * np.dtype(np.float32).itemsize
    available = machine_bytes()
    if available is not None and needed > available:
        raise UserError(
            f"dataset.backbone: {n_features(spec):,} numbers of each of {rows:,} images need about "
            f"{needed / 2**30:,.0f} GiB of memory, and this machine has {available / 2**30:,.0f}; use "
            "output: pooled, or fewer rows"
        )


def _features(spec: Backbone, files: Mapping[str, Path]) -> Singles:
    """Return the features of files, (n, n_features), from the cache where they are cached.

    Each process goes through the chunks in its own random order. So processes that begin together share the work.

    Args:
        spec: of the backbone.
        files: from the SHA-256 of a file's content to its path.
    """
    extractor = _Extractor(spec, len(files))
    definition = [
        *(backbone_files.VERSION, spec.kind, spec.output, backbone_files.content(spec)),
        *(tf.__version__, keras.__version__),
    ]
    digests = list(files)
    found = np.empty((len(files), n_features(spec)), np.float32)
    for start in np.random.default_rng().permutation(np.arange(0, len(files), CHUNK)):
        chunk = {digest: files[digest] for digest in digests[start : start + CHUNK]}
        key = json.dumps([definition, list(chunk)])
        stored = cache.cached(f"{spec.kind}-{spec.output}", key, functools.partial(extractor.features, chunk))
        found[start : start + CHUNK] = stored["features"]
    return found


class _Extractor:
    """Puts images through the network. The network is built only when a chunk is not in the cache."""

    def __init__(self, spec: Backbone, n_files: int) -> None:
        self.spec, self.n_files = spec, n_files

    def features(self, files: Mapping[str, Path]) -> cache.Arrays:
        """Return ``features``, (n, n_features)."""
        found = np.empty((len(files), n_features(self.spec)), np.float32)
        for number, (digest, path) in enumerate(files.items()):
            encoded = images.read(path)
            if _sha256(encoded) != digest:
                raise UserError(f"{path}: the image changed while it was read; try again")
            found[number] = self._network(images.decode(encoded, path))
        return {"features": found}

    @functools.cached_property
    def _network(self) -> Any:
        seconds = self.n_files * _kind(self.spec).SECONDS
        _log.log(
            logging.WARNING if seconds > LONG else logging.INFO,
            "extracting the features of %d images with %s takes about %.0f minutes; finished features are kept, "
            "even if this is stopped",
            *(self.n_files, self.spec.kind, seconds / 60),
        )
        return network(self.spec)


def network(spec: Backbone) -> Any:
    """Return a function from an image, RGB between 0 and 255 of shape (224, 224, 3), to its features, (n_features,)."""
    kind = _kind(spec)
    body = kind.body()
    end = _pooled(kind.last_block(body.output)) if spec.output == "pooled" else keras.layers.Flatten()(body.output)
    model = keras.Model(body.input, end)
    _fill(model, spec)
    return tf.function(lambda image: model(kind.preprocess(image[None]), training=False)[0])


def _pooled(features: Tensor) -> Tensor:
    return keras.layers.GlobalAveragePooling2D()(features)


def _fill(model: keras.Model, spec: Backbone) -> None:
    """Give each layer its weights."""
    stored = _imagenet_weights(spec) if spec.weights == "imagenet" else None
    for layer in model.layers:
        if layer.weights:
            layer.set_weights(_random_weights(layer) if stored is None else stored[layer.name])


@functools.lru_cache(maxsize=1)
def _imagenet_weights(spec: Backbone) -> LayerWeights:
    return _kind(spec).imagenet_weights(spec)


def _random_weights(layer: keras.layers.Layer) -> list[Singles]:
    """Return random kernels with a variance of 2 / fan-in (He et al. 2015), and untrained values for the rest.

    The seed is the layer's name. So the last block gets the same weights alone and in the whole network.
    """
    rng = np.random.default_rng(zlib.crc32(layer.name.encode()))
    return [_random(variable.name, variable.shape, rng).astype(np.float32) for variable in layer.weights]


def _random(name: str, shape: tuple[int, ...], rng: np.random.Generator) -> npt.NDArray[np.float64]:
    if name == "kernel":
        depthwise = shape[-1] == 1  # (height, width, channels, 1): each output sees one channel
        fan_in = math.prod(shape[:2]) if depthwise else math.prod(shape[:-1])
        return rng.normal(0, math.sqrt(2 / fan_in), shape)
    return np.ones(shape) if name in ("gamma", "moving_variance") else np.zeros(shape)
