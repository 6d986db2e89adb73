"""Splits the photos into train, validation and test: by the data set's folders, or by a hash of each file name."""

from pathlib import Path
from typing import NamedTuple

import tensorflow as tf

from .data import Photo, class_names, class_photos

PARTS = ("train", "validation", "test")
BUCKETS = 100
# The end bucket (exclusive) of each part: 80 %, 10 %, 10 %.
ENDS = (80, 90, 100)


class Split(NamedTuple):
    """The photos of each part, and the names of the classes in the order of the labels."""

    train: list[Photo]
    validation: list[Photo]
    test: list[Photo]
    classes: tuple[str, ...]

    @property
    def parts(self) -> tuple[list[Photo], list[Photo], list[Photo]]:
        """The photos in the order of PARTS."""
        return self.train, self.validation, self.test

    @property
    def photos(self) -> list[Photo]:
        """All photos, as covered by the data's fingerprint."""
        return [*self.train, *self.validation, *self.test]


def buckets(names: list[str]) -> list[int]:
    """FarmHash Fingerprint64 of each name modulo 100. It depends only on the name and is stable across machines."""
    return [int(bucket) for bucket in tf.strings.to_hash_bucket_fast(names, BUCKETS).numpy()]


def _parts_there(data: Path) -> list[str]:
    return [part for part in PARTS if (data / part).is_dir()]


def split_kind(data: Path, how: str = "auto") -> str:
    """How a data set is split: "folders" or "hash". "auto": by its folders train, validation and test if there are any.

    Raises ValueError if some of the three are missing.
    """
    there = _parts_there(data)
    kind = how if how != "auto" else "folders" if there else "hash"
    if kind == "folders" and 0 < len(there) < len(PARTS):
        missing = ", ".join(part for part in PARTS if part not in there)
        raise ValueError(f"{data}: has {', '.join(there)}, but no folder {missing}: add it, or use --split hash")
    return kind


def _by_folders(data: Path) -> Split:
    classes = class_names(data / PARTS[0])
    train, validation, test = (class_photos(data / part, classes, part) for part in PARTS)
    return Split(train, validation, test, classes)


def _by_hash(data: Path) -> Split:
    """Splits a folder of class folders, or the merged folders of the parts. New photos do not move old ones."""
    folders = [data / part for part in _parts_there(data)] or [data]
    classes = class_names(folders[0])
    found = sorted(
        (photo for folder in folders for photo in class_photos(folder, classes)),
        key=lambda photo: (photo.label, photo.path.name),
    )
    split = Split([], [], [], classes)
    for photo, bucket in zip(found, buckets([photo.path.name for photo in found]), strict=True):
        index = next(index for index, end in enumerate(ENDS) if bucket < end)
        split.parts[index].append(photo._replace(part=PARTS[index]))
    return split


def split_photos(data: Path, how: str = "auto") -> Split:
    """The photos by part, in the same order in every run. Raises ValueError if a part has no photos."""
    split = _by_hash(data) if split_kind(data, how) == "hash" else _by_folders(data)
    for part, photos in zip(PARTS, split.parts, strict=True):
        if not photos:
            raise ValueError(
                f"{data}: no photos for {part}, of {len(split.photos)} photos of {len(split.classes)} classes"
            )
    return split
