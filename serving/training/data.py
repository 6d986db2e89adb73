"""Reads the photos exactly as the gateway does: Pillow, RGB, nearest to 299 x 299, x / 127.5 - 1."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

from .settings import CLASSES, POOL, POOLED_SIDE, SIDE


class Photo(NamedTuple):
    """One labelled file."""

    path: Path
    label: int


class Photos(NamedTuple):
    """A split in memory: bytes [n, 99, 99, 3] after the network's own averaging, and labels [n]."""

    pixels: np.ndarray
    labels: np.ndarray


def photos_of(data: Path, split: str) -> list[Photo]:
    """The files of a split, sorted, so that every run sees the same order."""
    folders = sorted(entry.name for entry in (data / split).iterdir() if entry.is_dir())
    if folders != list(CLASSES):
        raise ValueError(f"{data / split}: folders {folders}, wanted {list(CLASSES)}")
    return [
        Photo(path, label) for label, name in enumerate(CLASSES) for path in sorted((data / split / name).iterdir())
    ]


def read_pixels(path: Path) -> np.ndarray:
    """The resized bytes [299, 299, 3]; EXIF orientation is not applied, as Pillow does not."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.NEAREST))


def normalise(pixels: np.ndarray) -> np.ndarray:
    """Bytes to float32 in -1..1, rounded to float32 after each of the two steps."""
    return pixels.astype(np.float32) / np.float32(127.5) - np.float32(1)


def read_tensor(path: Path) -> np.ndarray:
    """What the gateway sends: float32 [1, 299, 299, 3]."""
    return normalise(read_pixels(path))[np.newaxis]


def pooled(pixels: np.ndarray) -> np.ndarray:
    """The network's first layer, done once per photo instead of once per epoch; rounded to bytes to stay small."""
    cut = POOL * POOLED_SIDE
    blocks = pixels[:cut, :cut].reshape(POOLED_SIDE, POOL, POOLED_SIDE, POOL, 3)
    return np.rint(blocks.mean(axis=(1, 3))).astype(np.uint8)


def load_pooled(data: Path, split: str) -> Photos:
    """A whole split, averaged down."""
    photos = photos_of(data, split)
    pixels = np.stack([pooled(read_pixels(photo.path)) for photo in photos])
    return Photos(pixels, np.array([photo.label for photo in photos], np.int32))


def tensors(photos: list[Photo], batch: int = 16) -> Iterator[np.ndarray]:
    """Full-size tensors in batches, for checking the exported model."""
    for start in range(0, len(photos), batch):
        yield np.concatenate([read_tensor(photo.path) for photo in photos[start : start + batch]])
