"""PyTorch's old files of named tensors (before its release 1.6), read without PyTorch, and running nothing of them.

Such a file is five pickles (a magic number, the format's version, facts about the machine, the tensors by name, the
keys of their storages) and then the storages: each the number of its elements (8 bytes) and these, little-endian.
A tensor names its storage and says where in it it lies; storages are shared and may be transposed.
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
    """Where raw numbers are: a key, and their type."""

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


# The names a file of tensors needs, and what they stand for here.
KNOWN = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _Unpickler(pickle.Unpickler):
    """Knows four names, and what it makes of them is plain data: whatever else a pickle asks for is refused."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name stands for here."""
        if (module, name) not in KNOWN:
            raise pickle.UnpicklingError(f"the file asks for {module}.{name}, which no file of tensors needs")
        return KNOWN[module, name]

    def persistent_load(self, stored: Any) -> _Storage:
        """Return which storage is meant."""
        _, dtype, key, *_ = stored
        return _Storage(key, dtype)


def read(path: Path, sha256: str) -> Arrays:
    """Return the tensors of a file by name, as read-only arrays with the shapes and strides that the file gives them.

    Args:
        path: the file.
        sha256: of its content, in hexadecimal. It is checked before anything is unpickled.

    Raises:
        UserError: the file is missing, or is not the expected one.
        pickle.UnpicklingError: it asks for anything but tensors.

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
    # NumPy refuses a view that leaves the content.
    return np.ndarray(tensor.shape, dtype, content, start + tensor.offset * dtype.itemsize, strides)
