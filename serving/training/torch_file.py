"""Reads the tensors of a PyTorch checkpoint as NumPy arrays, without PyTorch and without running code of the file.

Both formats of `torch.save`: the zip archive of PyTorch 1.6 and later, and the stream of pickles before it.
"""

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
# Storages by their class in torch. Files are little-endian.
DTYPES = {
    "DoubleStorage": "<f8", "FloatStorage": "<f4", "HalfStorage": "<f2", "LongStorage": "<i8", "IntStorage": "<i4",
    "ShortStorage": "<i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "?",
}  # fmt: skip
# The first two values of the old format.
MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class StorageType(NamedTuple):
    """The class of a storage, as the pickle names it."""

    dtype: str


class StorageKey(NamedTuple):
    """A storage that tensors refer to: its key in the file, its type, and its number of elements."""

    key: str
    dtype: str
    length: int


class View(NamedTuple):
    """A tensor: a part of a storage with its own shape. Strides and offset are in elements."""

    storage: StorageKey
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _view(storage: StorageKey, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: object) -> View:
    """Takes the place of torch._utils._rebuild_tensor_v2, and ignores its flags for gradients."""
    return View(storage, offset, tuple(shape), tuple(strides))


class _Tensors(pickle.Unpickler):
    """Reads the pickle of a state dict. It knows only the names that one needs, so the file cannot call anything."""

    def find_class(self, module: str, name: str) -> Any:
        """The replacement of a class or function in the pickle."""
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _view
        if module == "torch" and name in DTYPES:
            return StorageType(DTYPES[name])
        raise pickle.UnpicklingError(f"it refers to {module}.{name}, which a state dict does not need")

    def persistent_load(self, pid: Any) -> StorageKey:
        """The storage behind ("storage", type, key, device, count)."""
        kind, storage, key, _, count = pid[:5]
        if kind != "storage" or not isinstance(storage, StorageType):
            raise pickle.UnpicklingError(f"unknown reference {kind!r}")
        return StorageKey(key, storage.dtype, count)


class _Plain(pickle.Unpickler):
    """Reads numbers, text, lists and dictionaries only."""

    def find_class(self, module: str, name: str) -> Any:
        """Refuses every name."""
        raise pickle.UnpicklingError(f"it refers to {module}.{name} where a plain value belongs")


def _array(view: View, storages: Mapping[str, bytes]) -> Array:
    """The elements of a view, copied. Raises ValueError if it reaches beyond its storage."""
    elements = np.frombuffer(storages[view.storage.key], view.storage.dtype)
    steps = [(size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True)]
    if min(view.offset, *view.strides, 0) < 0 or (0 not in view.shape and view.offset + sum(steps) >= len(elements)):
        raise ValueError(f"a tensor of shape {view.shape} reaches beyond its storage of {len(elements)}")
    strides = [stride * elements.itemsize for stride in view.strides]
    return np.lib.stride_tricks.as_strided(elements[view.offset :], view.shape, strides).copy()


def _from_zip(file: BinaryIO) -> tuple[Mapping[str, View], dict[str, bytes]]:
    with zipfile.ZipFile(file) as archive:
        head = next(name for name in archive.namelist() if name.endswith("data.pkl"))
        views = _Tensors(BytesIO(archive.read(head))).load()
        folder = head.removesuffix("data.pkl") + "data/"
        return views, {key: archive.read(folder + key) for key in {view.storage.key for view in views.values()}}


def _from_stream(file: BinaryIO) -> tuple[Mapping[str, View], dict[str, bytes]]:
    """The old format: magic number, protocol, system, tensors, keys, then each storage after its length."""
    if _Plain(file).load() != MAGIC or _Plain(file).load() != PROTOCOL:
        raise ValueError("not a checkpoint of PyTorch")
    if not _Plain(file).load()["little_endian"]:
        raise ValueError("written on a big-endian machine")
    views = _Tensors(file).load()
    sizes = {view.storage.key: view.storage for view in views.values()}
    storages = {}
    for key in _Plain(file).load():
        count = int.from_bytes(file.read(8), "little")
        size = count * np.dtype(sizes[key].dtype).itemsize
        storages[key] = file.read(size)
        if count != sizes[key].length or len(storages[key]) != size:
            raise ValueError("the file ends too early")
    return views, storages


def read_torch_file(path: Path) -> dict[str, Array]:
    """The state dict in a checkpoint: arrays by name. Raises ValueError, one line, for a file that is none."""
    try:
        with path.open("rb") as file:
            archive = file.read(2) == b"PK"
            file.seek(0)
            views, storages = _from_zip(file) if archive else _from_stream(file)
            return {name: _array(view, storages) for name, view in views.items()}
    except (
        ValueError,
        LookupError,
        EOFError,
        AttributeError,
        TypeError,
        StopIteration,
        pickle.UnpicklingError,
        zipfile.BadZipFile,
    ) as error:
        raise ValueError(f"{path}: cannot be read as weights of PyTorch: {error}") from error
