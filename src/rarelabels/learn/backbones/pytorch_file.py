"""Read PyTorch's old files of named tensors (before release 1.6) without PyTorch and without running code from them.

Such a file is five pickles and then the storages. The pickles are a magic number, the format's version, facts about the
machine, the tensors by name, and the keys of the storages. Each storage is the number of its elements (8 bytes) and
then the elements, little-endian. A tensor names its storage and its place there. Tensors may share a storage, and may
be transposed.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from rarelabels.errors import UserError

Arrays = dict[str, npt.NDArray[Any]]

_MAGIC = 0x1950A86A20F9469CFC6C
_VERSION = 1001


@dataclass(frozen=True)
class _Storage:
    """A storage of raw numbers: its key, and the type of the numbers."""

    key: str
    dtype: np.dtype[Any]


@dataclass(frozen=True)
class _Tensor:
    """A view into a storage; offset and strides count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _tensor(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


# The names that a file of tensors needs, and the objects that stand for them here.
KNOWN = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _Unpickler(pickle.Unpickler):
    """An unpickler that knows only four names and makes plain data of them. It refuses every other name."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the object in ``KNOWN`` that stands for a name."""
        if (module, name) not in KNOWN:
            raise pickle.UnpicklingError(
                f"the file names {module}.{name}, which is not allowed, for a file of tensors does not need it"
            )
        return KNOWN[module, name]

    def persistent_load(self, stored: Any) -> _Storage:
        """Return the storage to which the pickle refers."""
        _, dtype, key, *_ = stored
        return _Storage(key, dtype)


def read(path: Path, sha256: str) -> Arrays:
    """Return the tensors of a file by name, as read-only arrays with the shapes and strides that the file states.

    Args:
        path: the file.
        sha256: of its content, in hexadecimal. It is checked before anything is unpickled.

    Raises:
        UserError: the file is missing, or its SHA-256 is another.
        pickle.UnpicklingError: the file is not of that format, or holds anything but tensors.

    Source: ``torch.serialization._legacy_save``.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror or error})") from error
    if (found := hashlib.sha256(content).hexdigest()) != sha256:
        raise UserError(f"{path}: not the expected file; its SHA-256 is {found}, expected {sha256}; install it anew")
    return _tensors(content)


def _tensors(content: bytes) -> Arrays:
    file = io.BytesIO(content)
    magic, version, _, tensors, keys = (_Unpickler(file).load() for _ in range(5))
    if (magic, version) != (_MAGIC, _VERSION):
        raise pickle.UnpicklingError("not a file of PyTorch's old format")
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    start, starts = file.tell(), {}
    for key in keys:
        starts[key] = start + 8
        start += 8 + int.from_bytes(content[start : start + 8], "little") * dtypes[key].itemsize
    return {name: _array(content, tensor, starts[tensor.storage.key]) for name, tensor in tensors.items()}


def _array(content: bytes, tensor: _Tensor, start: int) -> npt.NDArray[Any]:
    dtype = tensor.storage.dtype
    strides = tuple(step * dtype.itemsize for step in tensor.strides)
    # NumPy refuses a view that reaches beyond the content.
    return np.ndarray(tensor.shape, dtype, content, start + tensor.offset * dtype.itemsize, strides)
