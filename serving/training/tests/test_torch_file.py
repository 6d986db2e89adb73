"""Checkpoints of PyTorch are read without PyTorch, and cannot run code."""

import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from training.torch_file import read_torch_file

from .torch_files import Stored, Tensor, tensor, write_stream, write_zip

Write = Callable[[Path, dict[str, Tensor]], None]
FORMATS = pytest.mark.parametrize("write", [write_zip, write_stream])
NUMBERS = np.arange(24, dtype=np.float32)


@FORMATS
def test_tensors_keep_their_shape_and_order(write: Write, tmp_path: Path) -> None:
    """Whole arrays, a permuted view, two views of one storage, and a scalar."""
    storage = Stored("7", NUMBERS)
    permuted = Tensor(storage, (4, 3, 2), (1, 4, 12))
    part = Tensor(storage, (2, 3), (3, 1), offset=5)
    scalar = Tensor(Stored("8", np.array([3.5], np.float32)), (), ())
    whole = tensor("6", NUMBERS.reshape(2, 12))
    write(tmp_path / "a.pth", {"whole": whole, "turned": permuted, "p": part, "s": scalar})
    found = read_torch_file(tmp_path / "a.pth")
    np.testing.assert_array_equal(found["whole"], NUMBERS.reshape(2, 12))
    np.testing.assert_array_equal(found["turned"], NUMBERS.reshape(2, 3, 4).transpose())
    np.testing.assert_array_equal(found["p"], NUMBERS[5:11].reshape(2, 3))
    assert found["s"].shape == () and found["s"] == 3.5
    assert list(found) == ["whole", "turned", "p", "s"]


class _Command:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.file}",)


def test_a_file_that_calls_something_is_refused(tmp_path: Path) -> None:
    """The call is not made."""
    with zipfile.ZipFile(tmp_path / "evil.pth", "w") as archive:
        archive.writestr("weights/data.pkl", pickle.dumps({"weight": _Command(tmp_path / "called")}))
    with pytest.raises(ValueError, match=r"evil\.pth: cannot be read .* refers to (posix|nt)\.system"):
        read_torch_file(tmp_path / "evil.pth")
    assert not (tmp_path / "called").exists()


@FORMATS
@pytest.mark.parametrize(
    ("shape", "strides", "offset"), [((5, 5), (5, 1), 0), ((2, 2), (2, 1), 21), ((2,), (1,), -1), ((3,), (-1,), 2)]
)
def test_a_tensor_outside_its_storage_is_refused(
    write: Write, tmp_path: Path, shape: tuple[int, ...], strides: tuple[int, ...], offset: int
) -> None:
    """It would read memory that is not part of the file."""
    write(tmp_path / "a.pth", {"view": Tensor(Stored("0", NUMBERS), shape, strides, offset)})
    with pytest.raises(ValueError, match="reaches beyond its storage of 24"):
        read_torch_file(tmp_path / "a.pth")


@FORMATS
def test_a_truncated_file_is_refused(write: Write, tmp_path: Path) -> None:
    """At any length."""
    write(tmp_path / "a.pth", {"whole": tensor("0", NUMBERS)})
    whole = (tmp_path / "a.pth").read_bytes()
    for length in range(0, len(whole), 7):
        (tmp_path / "cut.pth").write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"cut\.pth: cannot be read as weights of PyTorch"):
            read_torch_file(tmp_path / "cut.pth")


@pytest.mark.parametrize("content", [b"", b"not weights", b"PK but no archive", pickle.dumps({"a": 1})])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    """In one line with the file's name."""
    (tmp_path / "other.pth").write_bytes(content)
    with pytest.raises(ValueError, match=r"^[^\n]*other\.pth: cannot be read as weights of PyTorch: [^\n]*$"):
        read_torch_file(tmp_path / "other.pth")
