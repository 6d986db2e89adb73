"""Reads the photos exactly as the gateway does: Pillow, RGB, nearest to 299 x 299, x / 127.5 - 1."""

import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from PIL import Image

from .settings import CLASSES, SIDE, middle

Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


class Photo(NamedTuple):
    """One labelled file, and the part of the split that it belongs to."""

    path: Path
    label: int
    part: str = ""


class Photos(NamedTuple):
    """Photos in memory: a uint8 tensor [n, side, side, 3] after the network's own averaging, and labels [n]."""

    pixels: tf.Tensor
    labels: npt.NDArray[np.int32]


def class_photos(folder: Path, part: str = "") -> list[Photo]:
    """The files of a folder with one folder for each class, sorted, so that every run sees the same order."""
    if not folder.is_dir():
        raise ValueError(f"{folder}: no such folder")
    folders = sorted(entry.name for entry in folder.iterdir() if entry.is_dir())
    if folders != list(CLASSES):
        raise ValueError(f"{folder}: folders {folders}, wanted {list(CLASSES)}")
    # A name that starts with a dot is a file manager's, not a photo.
    return [
        Photo(path, label, part)
        for label, name in enumerate(CLASSES)
        for path in sorted((folder / name).iterdir())
        if not path.name.startswith(".")
    ]


def photos_of(data: Path, part: str) -> list[Photo]:
    """The photos in the data set's own folder for train, validation or test."""
    return class_photos(data / part, part)


def data_sha256(photos: list[Photo]) -> str:
    """The data's fingerprint: over part, class, name and bytes of every photo, in whatever order they come."""
    lines = sorted(
        f"{photo.part}/{CLASSES[photo.label]}/{photo.path.name} {hashlib.sha256(photo.path.read_bytes()).hexdigest()}\n"
        for photo in photos
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_pixels(path: Path) -> Bytes:
    """The resized bytes [299, 299, 3]; EXIF orientation is not applied, as Pillow does not.

    Raises ValueError with the file's name.
    """
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.NEAREST))
    except (OSError, Image.DecompressionBombError) as error:
        raise ValueError(f"{path}: cannot be read as a picture ({error}); mend or remove it") from error


def normalise(pixels: Bytes) -> Floats:
    """Bytes to float32 in -1..1, rounded to float32 after each of the two steps."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def read_tensor(path: Path) -> Floats:
    """What the gateway sends: float32 [1, 299, 299, 3]."""
    return normalise(read_pixels(path))[np.newaxis]


def pooled(pixels: Bytes, pool: int, side: int) -> Bytes:
    """The network's first layer, done once per photo instead of once per epoch; rounded to bytes to stay small."""
    part = middle(pool, side)
    blocks = pixels[part, part].reshape(side, pool, side, pool, 3)
    return np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)


def load_pooled(photos: list[Photo], pool: int, side: int) -> Photos:
    """All photos, averaged down, read by threads: Pillow decodes without Python's lock, and errors keep their text."""
    with ThreadPoolExecutor() as threads:
        pixels = list(threads.map(lambda photo: pooled(read_pixels(photo.path), pool, side), photos))
    with tf.device("CPU"):
        return Photos(tf.constant(np.stack(pixels)), np.array([photo.label for photo in photos], np.int32))


def epoch_batches(photos: Photos, batch: int, seed: int, epoch: int) -> tf.data.Dataset:
    """Whole batches of (pixels, labels) in an order drawn from the seed and the epoch, gathered ahead of the step."""
    order = np.random.default_rng([seed, epoch]).permutation(len(photos.labels))
    batches = tf.data.Dataset.from_tensor_slices(order).batch(batch, drop_remainder=True)
    gathered = batches.map(lambda chosen: (tf.gather(photos.pixels, chosen), tf.gather(photos.labels, chosen)))
    return gathered.prefetch(tf.data.AUTOTUNE)


def tensors(photos: list[Photo], batch: int = 16) -> Iterator[Floats]:
    """Full-size tensors in batches, for checking the exported model."""
    for start in range(0, len(photos), batch):
        yield np.concatenate([read_tensor(photo.path) for photo in photos[start : start + batch]])
