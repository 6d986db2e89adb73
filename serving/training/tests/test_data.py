"""Photos become the tensor that the gateway makes."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data import normalise, photos_of, pooled, read_tensor


def test_nearest_takes_the_pixel_under_each_centre(tmp_path: Path) -> None:
    """598 to 299: the steps are 2 wide, the centres 1, 3, 5 …"""
    ramp = np.arange(598) % 256
    pixels = np.stack([np.tile(ramp, (299, 1)), np.zeros((299, 598)), np.full((299, 598), 255)], axis=2)
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "ramp.png")
    tensor = read_tensor(tmp_path / "ramp.png")
    assert tensor.shape == (1, 299, 299, 3)
    assert tensor.dtype == np.float32
    assert np.array_equal(tensor[0, 7, :, 0], normalise(ramp[1::2]))
    assert (tensor[..., 1] == -1).all() and (tensor[..., 2] == 1).all()


def test_exif_orientation_is_not_applied(tmp_path: Path) -> None:
    """A file marked as lying on its side stays so."""
    image = Image.new("RGB", (299, 299), "black")
    image.paste("white", (0, 0, 299, 100))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "side.png", exif=exif)
    assert (read_tensor(tmp_path / "side.png")[0, 0] == 1).all()


def test_normalise_rounds_after_each_step() -> None:
    """100 / 127.5 is rounded to float32 before 1 is taken away."""
    assert normalise(np.array([0, 100, 255], np.uint8)).tolist() == [-1, np.float32(100 / 127.5) - np.float32(1), 1]


def test_pooled_averages_blocks_and_drops_the_last_two() -> None:
    """As the network's first layer does with 299 pixels."""
    pixels = np.zeros((299, 299, 3), np.uint8)
    pixels[:3, :3] = 90
    pixels[2, 2] = 0
    pixels[297:] = 255
    assert pooled(pixels).shape == (99, 99, 3)
    assert pooled(pixels)[0, 0].tolist() == [80, 80, 80]
    assert pooled(pixels)[1:].max() == 0


def test_other_folders_are_refused(tmp_path: Path) -> None:
    """Labels are folder positions: one folder more would rename every class after it."""
    (tmp_path / "train" / "socks").mkdir(parents=True)
    with pytest.raises(ValueError, match="socks"):
        photos_of(tmp_path, "train")
