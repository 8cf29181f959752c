"""VGG-19 of ``keras.applications``, as in the clothes thread, cut before its fifth block."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.data.sources import backbone_files
from rarelabels.declare.backbones import Vgg19
from rarelabels.errors import UserError, first_line
from rarelabels.learn.tensorflow_setup import keras

Tensor = Any

FEATURES = 512
BEFORE_LAST_BLOCK = (14, 14, 512)
SECONDS = 0.2
KERAS_FILE = "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"

preprocess = keras.applications.vgg19.preprocess_input


def body() -> keras.Model:
    """Return the network up to its last block: preprocessed images -> (n, 14, 14, 512)."""
    whole = _whole()
    return keras.Model(whole.input, whole.get_layer("block4_pool").output)


def last_block(x: Tensor) -> Tensor:
    """Return the last features, (n, 7, 7, 512), from (n, 14, 14, 512). All weights are zero."""
    for i in range(1, 5):
        x = keras.layers.Conv2D(
            FEATURES, 3, padding="same", activation="relu", kernel_initializer="zeros", name=f"block5_conv{i}"
        )(x)
    return keras.layers.MaxPooling2D(name="block5_pool")(x)


def imagenet_weights(spec: Vgg19) -> dict[str, list[npt.NDArray[np.float32]]]:
    """Return the arrays of each layer, from the declared file, else from the file that Keras downloads once.

    Raises:
        UserError: the file does not hold the weights of this network, or cannot be downloaded.
    """
    whole = _whole()
    if spec.file is None:
        _download(whole)
    else:
        _load(whole, Path(spec.file))
    return {layer.name: layer.get_weights() for layer in whole.layers if layer.weights}


def _whole() -> keras.Model:
    return keras.applications.VGG19(include_top=False, weights=None, input_shape=(224, 224, 3))


def _load(whole: keras.Model, path: Path) -> None:
    backbone_files.sha256(path)  # raises a UserError if the file cannot be read
    # Keras only warns of layers that are missing in a file. The weights of such layers stay NaN.
    whole.set_weights([np.full(weight.shape, np.nan) for weight in whole.weights])
    try:
        with warnings.catch_warnings(action="ignore"):
            whole.load_weights(str(path))
        if any(np.isnan(weight.numpy()).any() for weight in whole.weights):
            raise ValueError("it does not fill all layers")
    except Exception as error:  # it is not documented which errors Keras and HDF5 raise for a wrong file
        raise UserError(
            f"dataset.backbone.file: {path} does not hold VGG-19's weights without the top, as {KERAS_FILE} does: "
            f"{first_line(error)}"
        ) from error


def _download(whole: keras.Model) -> None:
    try:
        loaded = keras.applications.VGG19(include_top=False, weights="imagenet", input_shape=(224, 224, 3))
    except Exception as error:  # Keras turns every error of urllib into a bare Exception
        raise UserError(
            f"Keras cannot download the ImageNet weights of VGG-19 ({first_line(error)}); give "
            f"{KERAS_FILE} as dataset.backbone.file, or use dataset.backbone.kind efficientnet_lite0"
        ) from error
    whole.set_weights(loaded.get_weights())
