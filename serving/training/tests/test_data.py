"""Photos are read as the same tensors as in the gateway."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.data import (
    Photo,
    Photos,
    class_names,
    class_photos,
    data_sha256,
    epoch_batches,
    load_pooled,
    normalise,
    pooled,
    read_tensor,
)
from training.split import split_photos

from .conftest import CLASSES


def test_nearest_takes_the_pixel_under_each_centre(tmp_path: Path) -> None:
    """598 to 299 pixels: steps of 2 with centres at 1, 3, 5 …"""
    ramp = np.arange(598) % 256
    pixels = np.stack([np.tile(ramp, (299, 1)), np.zeros((299, 598)), np.full((299, 598), 255)], axis=2)
    Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "ramp.png")
    tensor = read_tensor(tmp_path / "ramp.png")
    assert tensor.shape == (1, 299, 299, 3)
    assert tensor.dtype == np.float32
    assert np.array_equal(tensor[0, 7, :, 0], normalise(ramp[1::2].astype(np.uint8)))
    assert (tensor[..., 1] == -1).all() and (tensor[..., 2] == 1).all()


def test_exif_orientation_is_not_applied(tmp_path: Path) -> None:
    """A file with orientation 6 is not rotated."""
    image = Image.new("RGB", (299, 299), "black")
    image.paste("white", (0, 0, 299, 100))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "side.png", exif=exif)
    assert (read_tensor(tmp_path / "side.png")[0, 0] == 1).all()


def test_normalise_rounds_after_each_step() -> None:
    """100 / 127.5 is rounded to float32 before 1 is subtracted."""
    assert normalise(np.array([0, 100, 255], np.uint8)).tolist() == [-1, np.float32(100 / 127.5) - np.float32(1), 1]


def test_pooled_averages_the_central_blocks() -> None:
    """The result equals that of the network's first layers."""
    pixels = np.zeros((299, 299, 3), np.uint8)
    pixels[1:4, 1:4] = 90
    pixels[3, 3] = 0
    pixels[0] = pixels[298] = 255
    averages = pooled(pixels, 3, 99)
    assert averages.shape == (99, 99, 3)
    assert averages[0, 0].tolist() == [80, 80, 80]
    assert averages[1:].max() == 0
    assert pooled(pixels, 3, 97).shape == (97, 97, 3) and pooled(pixels, 3, 97).max() == 0


def test_unexpected_folders_are_refused(drawn: Path, tmp_path: Path) -> None:
    """Labels are folder positions: an extra folder would shift all later classes."""
    shutil.copytree(drawn / "train", tmp_path / "train")
    (tmp_path / "train" / "socks").mkdir()
    with pytest.raises(ValueError, match="socks"):
        class_photos(tmp_path / "train", CLASSES)


def test_f28_classes_are_the_folders(tmp_path: Path) -> None:
    """In alphabetical order. Hidden folders are none."""
    for name in ("wasp", "bee", ".cache"):
        (tmp_path / name).mkdir()
    assert class_names(tmp_path) == ("bee", "wasp")
    with pytest.raises(ValueError, match=r"bee: needs one folder of photos for each class, has none"):
        class_names(tmp_path / "bee")


def test_files_of_file_managers_are_ignored(tmp_path: Path, drawn: Path) -> None:
    """They are no photos."""
    shutil.copytree(drawn / "train", tmp_path / "train")
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / "train" / "hat" / name).write_bytes(b"1")
    assert len(class_photos(tmp_path / "train", CLASSES)) == 30


def test_a_broken_photo_is_named(tmp_path: Path, drawn: Path) -> None:
    """Truncated, non-image and empty files are errors."""
    whole = (drawn / "train" / "hat" / "train-hat-0.png").read_bytes()
    for name, content in (("cut.png", whole[:-300]), ("text.jpg", b"not a picture"), ("empty.jpg", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match=f"{name}: cannot be read as a picture"):
            load_pooled([Photo(tmp_path / name, 0)], CLASSES, 3, 99)


def test_photos_have_the_side_of_their_pool(drawn: Path) -> None:
    """One photo per row, with `side` rows and columns."""
    photos = split_photos(drawn).test[:2]
    for pool, side in ((1, 299), (2, 144), (3, 99)):
        assert load_pooled(photos, CLASSES, pool, side).pixels.shape == (2, side, side, 3)


def test_batches_depend_on_seed_and_epoch() -> None:
    """Each photo occurs at most once, with its label. The incomplete last batch is dropped."""
    numbers = np.arange(25)
    photos = Photos(
        np.tile(numbers.astype(np.uint8)[:, None, None, None], (1, 2, 2, 3)), numbers.astype(np.int32), CLASSES
    )

    def seen(seed: int, epoch: int) -> list[int]:
        batches = list(epoch_batches(photos, 10, seed, epoch))
        assert [pixels.shape for pixels, _ in batches] == [(10, 2, 2, 3)] * 2
        assert all((pixels[:, 0, 0, 0].numpy() == labels.numpy()).all() for pixels, labels in batches)
        return [int(label) for _, labels in batches for label in labels]

    first = seen(1, 0)
    assert len(set(first)) == 20
    assert first == seen(1, 0)
    assert first != seen(1, 1) and first != seen(2, 0)


def test_fingerprint_depends_on_bytes_name_class_and_part(tmp_path: Path, drawn: Path) -> None:
    """It does not depend on the order or the location of the files."""
    data = tmp_path / "copy"
    shutil.copytree(drawn, data)
    photos = split_photos(data).photos
    known = data_sha256(photos)
    assert data_sha256(split_photos(drawn).photos) == known == data_sha256(photos[::-1])
    first = photos[0]
    renamed = first.path.with_name("other.png")
    shutil.copy(first.path, renamed)
    moved = first.path.parents[1] / "hat" / first.path.name
    shutil.copy(first.path, moved)
    changes = [first._replace(path=renamed), first._replace(path=moved), first._replace(part="test")]
    seen = {known, data_sha256(photos[1:]), *(data_sha256([change, *photos[1:]]) for change in changes)}
    content = bytearray(first.path.read_bytes())
    content[-20] ^= 1
    first.path.write_bytes(content)
    seen.add(data_sha256(photos))
    assert len(seen) == 6
