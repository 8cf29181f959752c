"""What an output layer takes, by hand, and numbers too large for a float."""

from __future__ import annotations

from rarelabels.learn import output_layer
from rarelabels.learn.output_layer import OutputLayer


def test_an_output_layer_by_hand() -> None:
    layer = OutputLayer(inputs=16, columns=2**17)
    assert layer.parameters == 2_228_224
    assert layer.bytes == 8_912_896
    assert layer.training_bytes(batch_size=128, moments=2) == {
        "weights": 8_912_896,
        "their gradient": 8_912_896,
        "moments of the optimizer": 17_825_792,
        "logits of 128 rows": 67_108_864,
        "their gradients": 67_108_864,
    }


def test_sizes_beyond_every_float_are_written() -> None:
    assert output_layer.in_words(0) == "0 bytes"
    assert output_layer.in_words(1023) == "1,023 bytes"
    assert output_layer.in_words(1536) == "1.5 KiB"
    assert output_layer.in_words(24 * 2**30) == "24.0 GiB"
    assert output_layer.in_words(3 * 2**60) == "3.0 EiB"
    assert output_layer.in_words(2**2060) == f"{output_layer.short(2**2000)} EiB"
    assert output_layer.short(2**17) == "131,072"
    assert output_layer.short(2**100) == "1.27e+30"
    assert output_layer.short(2**2000) == "1.15e+602"
