"""A file of PyTorch is read without running what is in it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from rarelabels.errors import UserError
from rarelabels.learn.backbones import pytorch_file

OPEN = b"ccollections\nOrderedDict\n(tR(Vw\nctorch._utils\n_rebuild_tensor_v2\n("


STORAGE = b"(Vstorage\nctorch\nFloatStorage\nV7\nVcpu\nI6\nNtQ"


CLOSE = b"I0\n(I2\nI3\nt(I1\nI2\ntI00\ntRu."  # offset 0, shape (2, 3), strides (1, 2): transposed


GOOD = [
    b"L119547037146038801333356L\n.",
    b"I1001\n.",
    b"(d.",
    OPEN + STORAGE + CLOSE,
    b"(lV7\na.",
]


NUMBERS = (6).to_bytes(8, "little") + np.arange(6, dtype="<f4").tobytes()


def written(folder: Path, pickles: list[bytes]) -> tuple[Path, str]:
    content = b"".join(pickles) + NUMBERS
    path = folder / "weights.pth"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


def test_tensors_by_hand(tmp_path: Path) -> None:
    tensors = pytorch_file.read(*written(tmp_path, GOOD))
    assert list(tensors) == ["w"]
    assert tensors["w"].tolist() == [[0, 2, 4], [1, 3, 5]]
    assert not tensors["w"].flags.writeable


@pytest.mark.parametrize("place", range(5))
@pytest.mark.parametrize(
    "call",
    ["cos\nsystem\n(Vtouch {}\ntR.", "cposix\nsystem\n(Vtouch {}\ntR.", "cbuiltins\neval\n(Vopen('{}', 'w')\ntR."],
    ids=["os.system", "posix.system", "eval"],
)
def test_a_malicious_pickle_does_not_run(place: int, call: str, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    pickles = [call.format(victim).encode() if i == place else good for i, good in enumerate(GOOD)]
    with pytest.raises(Exception, match=r"names (os\.system|posix\.system|builtins\.eval)"):
        pytorch_file.read(*written(tmp_path, pickles))
    assert not victim.exists()


def test_what_has_another_checksum_is_not_even_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, _ = written(tmp_path, GOOD)
    monkeypatch.setattr(pytorch_file, "_Unpickler", None)
    with pytest.raises(UserError, match=r"weights\.pth: not the expected file; its SHA-256 is .*, expected 00"):
        pytorch_file.read(path, "00")


def test_a_missing_file_of_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"weights\.pth: cannot be read \(No such file"):
        pytorch_file.read(tmp_path / "weights.pth", "00")
