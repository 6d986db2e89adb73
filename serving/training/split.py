"""Splits the photos into train, validation and test: by the data set's folders, or by a hash of each file name."""

from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from .data import Photo, class_photos, photos_of

PARTS = ("train", "validation", "test")
BUCKETS = 100
# The end bucket (exclusive) of each part: 80 %, 10 %, 10 %.
ENDS = (80, 90, 100)


class Split(NamedTuple):
    """The photos of each part."""

    train: list[Photo]
    validation: list[Photo]
    test: list[Photo]

    @property
    def photos(self) -> list[Photo]:
        """All photos, as covered by the data's fingerprint."""
        return [*self.train, *self.validation, *self.test]


def buckets(names: list[str]) -> list[int]:
    """FarmHash Fingerprint64 of each name modulo 100. It depends only on the name and is stable across machines."""
    return [int(bucket) for bucket in tf.strings.to_hash_bucket_fast(names, BUCKETS).numpy()]


def _by_hash(data: Path) -> Split:
    """Splits a folder of class folders, or the merged folders of the three parts. New photos do not move old ones."""
    merged = all((data / part).is_dir() for part in PARTS)
    folders = [data / part for part in PARTS] if merged else [data]
    found = sorted(
        (photo for folder in folders for photo in class_photos(folder)),
        key=lambda photo: (photo.label, photo.path.name),
    )
    split = Split([], [], [])
    for photo, bucket in zip(found, buckets([photo.path.name for photo in found]), strict=True):
        index = next(index for index, end in enumerate(ENDS) if bucket < end)
        split[index].append(photo._replace(part=PARTS[index]))
    return split


def split_photos(data: Path, how: str = "folders") -> Split:
    """The photos by part, in the same order in every run. Raises ValueError if a part has no photos."""
    split = _by_hash(data) if how == "hash" else Split(*(photos_of(data, part) for part in PARTS))
    for part, photos in zip(PARTS, split, strict=True):
        if not photos:
            raise ValueError(f"{data}: no photos for {part}")
    return split
