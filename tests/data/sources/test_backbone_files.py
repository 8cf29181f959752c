"""What decides the features of images besides the images."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from rarelabels.data.sources import backbone_files
from rarelabels.declare.backbones import EfficientNetLite0, Vgg19
from rarelabels.errors import UserError


def test_pinned_weights_are_known_by_their_checksums_and_random_ones_by_that_word(tmp_path: Path) -> None:
    lite = EfficientNetLite0(kind="efficientnet_lite0")
    assert backbone_files.content(lite) == f"sha256 {backbone_files.LITE0_SHA256}"
    assert backbone_files.content(Vgg19(kind="vgg19")) == f"md5 {backbone_files.VGG19_MD5}"
    assert backbone_files.content(lite.model_copy(update={"weights": "random"})) == "random"


def test_a_file_is_read_again_when_it_has_changed(tmp_path: Path) -> None:
    file = tmp_path / "weights.h5"
    for number, content in enumerate((b"one", b"two")):
        file.write_bytes(content)
        os.utime(file, ns=(number, number))
        expected = f"sha256 {hashlib.sha256(content).hexdigest()}"
        assert backbone_files.content(Vgg19(kind="vgg19", file=str(file))) == expected


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"dataset\.backbone\.file: .*/weights\.h5 cannot be read \(No such file"):
        backbone_files.content(Vgg19(kind="vgg19", file=str(tmp_path / "weights.h5")))
