"""Reads photos exactly like the gateway: Pillow, RGB, resize to 299 x 299 (nearest), x / 127.5 - 1."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image

from .settings import SIDE, middle

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


# Files that file managers leave in folders of photos, beside those with a leading dot.
NOT_PHOTOS = ("Thumbs.db", "desktop.ini")


class Photo(NamedTuple):
    """A labelled file in the folder of its class, and its part of the split."""

    path: Path
    label: int
    part: str = ""


class Photos(NamedTuple):
    """Photos in memory: pixels uint8 [n, side, side, 3] after average pooling, labels [n], and names of the classes."""

    pixels: tf.Tensor
    labels: npt.NDArray[np.int32]
    classes: tuple[str, ...]


def class_names(folder: Path) -> tuple[str, ...]:
    """The names of a folder's sub-folders, one for each class. Their alphabetical order is that of the labels.

    Raises ValueError if there are fewer than two.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder")
    names = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    if len(names) < 2:
        raise ValueError(f"{folder}: needs one folder of photos for each class, has {', '.join(names) or 'none'}")
    return tuple(names)


def class_photos(folder: Path, classes: tuple[str, ...], part: str = "") -> list[Photo]:
    """The photos of a folder with one sub-folder per class, sorted, so that the order is the same in every run.

    Raises ValueError for other sub-folders: they would shift the labels.
    """
    found = class_names(folder)
    if found != classes:
        raise ValueError(f"{folder}: has the folders {', '.join(found)}, expected {', '.join(classes)}")
    return [
        Photo(path, label, part)
        for label, name in enumerate(classes)
        for path in sorted((folder / name).iterdir())
        if not path.name.startswith(".") and path.name not in NOT_PHOTOS
    ]


def data_sha256(photos: list[Photo]) -> str:
    """The fingerprint of the data: SHA-256 over part, class, name and bytes of all photos, independent of order."""
    lines = sorted(
        f"{part}/{path.parent.name}/{path.name} {hashlib.sha256(path.read_bytes()).hexdigest()}\n"
        for path, _, part in photos
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_pixels(path: Path) -> Bytes:
    """The resized pixels, uint8 [299, 299, 3]. Like Pillow, it does not apply the EXIF orientation.

    Raises ValueError with the file's name if it cannot be read.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.NEAREST))
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: cannot be read as a picture ({error}); fix or remove it") from error


def normalise(pixels: Bytes) -> Floats:
    """Pixels to float32 in -1..1, rounded to float32 after each of the two steps."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def read_tensor(path: Path) -> Floats:
    """The tensor that the gateway sends: float32 [1, 299, 299, 3]."""
    return normalise(read_pixels(path))[np.newaxis]


def pooled(pixels: Bytes, pool: int, side: int) -> Bytes:
    """The network's average pooling, computed once per photo, not in every epoch. Rounded to uint8 to save memory."""
    part = middle(pool, side)
    if pool == 1:
        return pixels[part, part]
    blocks = pixels[part, part].reshape(side, pool, side, pool, 3)
    return np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)


def load_pooled(photos: list[Photo], classes: tuple[str, ...], pool: int, side: int) -> Photos:
    """Loads all photos, average-pooled. Reads them in threads: Pillow releases the GIL while it decodes."""
    with ThreadPoolExecutor() as threads:
        pixels = list(threads.map(lambda photo: pooled(read_pixels(photo.path), pool, side), photos))
    with tf.device("CPU"):
        return Photos(tf.constant(np.stack(pixels)), np.array([photo.label for photo in photos], np.int32), classes)


def epoch_batches(photos: Photos, batch: int, seed: int, epoch: int) -> tf.data.Dataset:
    """Full batches of (pixels, labels), shuffled by seed and epoch, with prefetch."""
    order = np.random.default_rng([seed, epoch]).permutation(len(photos.labels))
    batches = tf.data.Dataset.from_tensor_slices(order).batch(batch, drop_remainder=True)
    gathered = batches.map(lambda chosen: (tf.gather(photos.pixels, chosen), tf.gather(photos.labels, chosen)))
    return gathered.prefetch(tf.data.AUTOTUNE)


def tensors(photos: list[Photo], batch: int = 16) -> Iterator[Floats]:
    """Full-size tensors in batches, to evaluate the exported model."""
    for start in range(0, len(photos), batch):
        yield np.concatenate([read_tensor(photo.path) for photo in photos[start : start + batch]])
