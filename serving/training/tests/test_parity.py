"""The pictures that the gateway checks its preprocessing with."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.parity import PICTURES, draw, hashes, write_parity
from training.settings import NAME

from .conftest import CLASSES

COMMITTED = Path(__file__).resolve().parents[2] / "models" / NAME


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_small_and_reproducible(name: str, tmp_path: Path) -> None:
    """It has the expected mode and size."""
    drawn = draw(name)
    assert drawn == draw(name)
    assert len(drawn) <= 15_000
    (tmp_path / name).write_bytes(drawn)
    with Image.open(tmp_path / name) as image:
        assert (image.mode, image.size) == PICTURES[name][:2]
        assert 299 not in image.size


def test_written_scores_have_a_row_for_each_picture(tmp_path: Path) -> None:
    """The model is a stub."""
    write_parity(tmp_path, 2, lambda tensor: np.full((1, 10), tensor.mean()))
    samples = json.loads((tmp_path / "tensors.json").read_text())["samples"]
    written = json.loads((tmp_path / "2.json").read_text())
    assert [sample["file"] for sample in samples] == list(PICTURES) == list(written["scores"])
    assert written["version"] == 2 and written["tolerance"] == 1e-4
    assert all(len(row) == len(CLASSES) for row in written["scores"].values())


def test_hashes_cover_the_tensor_and_the_pixels(tmp_path: Path) -> None:
    """A black picture has pixels of 0 and floats of -1."""
    Image.new("RGB", (50, 50)).save(tmp_path / "black.png")
    assert hashes(tmp_path / "black.png") == {
        "sha256": sha256(np.full(299 * 299 * 3, -1, "<f4").tobytes()).hexdigest(),
        "pixels_sha256": sha256(bytes(299 * 299 * 3)).hexdigest(),
    }


@pytest.mark.skipif(not COMMITTED.exists(), reason="no model in this checkout")
def test_committed_hashes_match_the_committed_pictures() -> None:
    """Decoded with the installed Pillow."""
    for sample in json.loads((COMMITTED / "parity" / "tensors.json").read_text())["samples"]:
        assert {"file": sample["file"], **hashes(COMMITTED / "parity" / sample["file"])} == sample


@pytest.mark.skipif(not COMMITTED.exists(), reason="no model in this checkout")
def test_committed_model_file_lists_the_classes_in_order() -> None:
    """In the order of the logits."""
    assert f"classes: [{', '.join(CLASSES)}]" in (COMMITTED / "model.yaml").read_text()
