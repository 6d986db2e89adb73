"""Writes checkpoints as PyTorch does, without PyTorch, in both of its formats."""

import pickle
import sys
import zipfile
from collections import OrderedDict
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

from training.torch_file import MAGIC, PROTOCOL, Array


class FloatStorage:
    """Stands for the class of this name in torch."""


def _rebuild_tensor_v2() -> None:
    """Stands for the function of this name in torch._utils. Only its name gets into the file."""


class Stored(NamedTuple):
    """A storage of float32 numbers and its key in the file."""

    key: str
    numbers: Array


class Tensor:
    """A part of a storage. Strides and offset are in elements."""

    def __init__(self, stored: Stored, shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> None:
        self.arguments: tuple[Any, ...] = (stored, offset, shape, strides, False, OrderedDict())
        self.stored = stored

    def __reduce__(self) -> Any:
        return _rebuild_tensor_v2, self.arguments


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, Stored):
            return ("storage", FloatStorage, obj.key, "cpu", len(obj.numbers))
        return None


def _named() -> dict[str, ModuleType]:
    """Modules with the names that the pickle looks up."""
    torch, inner = ModuleType("torch"), ModuleType("torch._utils")
    FloatStorage.__module__, _rebuild_tensor_v2.__module__ = "torch", "torch._utils"
    torch.FloatStorage = FloatStorage  # type: ignore[attr-defined]
    inner._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    return {"torch": torch, "torch._utils": inner}


def _pickled(value: Any) -> bytes:
    file = BytesIO()
    with patch.dict(sys.modules, _named()):
        _Pickler(file, protocol=2).dump(value)
    return file.getvalue()


def tensor(key: str, numbers: Array) -> Tensor:
    """A whole array, stored in C order."""
    whole = np.array(numbers, order="C")
    return Tensor(Stored(key, whole.ravel()), whole.shape, tuple(stride // whole.itemsize for stride in whole.strides))


def write_zip(path: Path, tensors: dict[str, Tensor]) -> None:
    """The format since PyTorch 1.6."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("weights/data.pkl", _pickled(OrderedDict(tensors)))
        for stored in {value.stored.key: value.stored for value in tensors.values()}.values():
            archive.writestr(f"weights/data/{stored.key}", stored.numbers.astype("<f4").tobytes())


def write_stream(path: Path, tensors: dict[str, Tensor]) -> None:
    """The format before it."""
    storages = {value.stored.key: value.stored for value in tensors.values()}
    head = (MAGIC, PROTOCOL, {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {}})
    with path.open("wb") as file:
        for value in (*head, OrderedDict(tensors), sorted(storages)):
            file.write(_pickled(value))
        for key in sorted(storages):
            numbers = storages[key].numbers
            file.write(len(numbers).to_bytes(8, "little") + numbers.astype("<f4").tobytes())
