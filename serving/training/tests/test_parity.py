"""The pictures that the gateway proves itself with."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.parity import PICTURES, draw, hashes, write_parity
from training.settings import CLASSES, NAME

COMMITTED = Path(__file__).resolve().parents[2] / "models" / NAME


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_small_and_drawn_the_same_each_time(name: str, tmp_path: Path) -> None:
    """And has the mode and size that make it worth having."""
    drawn = draw(name)
    assert drawn == draw(name)
    assert len(drawn) <= 15_000
    (tmp_path / name).write_bytes(drawn)
    with Image.open(tmp_path / name) as image:
        assert (image.mode, image.size) == PICTURES[name][:2]
        assert 299 not in image.size


def test_written_scores_have_a_row_for_each_picture(tmp_path: Path) -> None:
    """With a stand-in for the model."""
    write_parity(tmp_path, 2, lambda tensor: np.full((1, 10), tensor.mean()))
    samples = json.loads((tmp_path / "tensors.json").read_text())["samples"]
    written = json.loads((tmp_path / "2.json").read_text())
    assert [sample["file"] for sample in samples] == list(PICTURES) == list(written["scores"])
    assert written["version"] == 2 and written["tolerance"] == 1e-4
    assert all(len(row) == len(CLASSES) for row in written["scores"].values())


def test_each_tensor_has_its_hash(tmp_path: Path) -> None:
    """A black picture: bytes of 0, and floats of -1."""
    Image.new("RGB", (50, 50)).save(tmp_path / "black.png")
    assert hashes(tmp_path / "black.png") == {
        "sha256": sha256(np.full(299 * 299 * 3, -1, "<f4").tobytes()).hexdigest(),
        "pixels_sha256": sha256(bytes(299 * 299 * 3)).hexdigest(),
    }


@pytest.mark.skipif(not COMMITTED.exists(), reason="no model in this checkout")
def test_committed_hashes_are_those_of_the_committed_pictures() -> None:
    """Decoded by the Pillow at hand."""
    for sample in json.loads((COMMITTED / "parity" / "tensors.json").read_text())["samples"]:
        assert {"file": sample["file"], **hashes(COMMITTED / "parity" / sample["file"])} == sample


@pytest.mark.skipif(not COMMITTED.exists(), reason="no model in this checkout")
def test_committed_model_file_names_our_classes_in_order() -> None:
    """The order of the logits."""
    assert f"classes: [{', '.join(CLASSES)}]" in (COMMITTED / "model.yaml").read_text()
