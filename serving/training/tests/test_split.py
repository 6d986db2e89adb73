"""Photos are split by folders or by hash, and never move between parts."""

import shutil
from pathlib import Path

import pytest

from training.data import Photo
from training.split import PARTS, Split, buckets, split_kind, split_photos

from .conftest import CLASSES


def _parts(split: Split) -> dict[str, str]:
    return {photo.path.name: photo.part for photo in split.photos}


def _named(data: Path, count: int) -> None:
    """Creates empty files: the split reads only names."""
    for name in CLASSES:
        (data / name).mkdir(parents=True, exist_ok=True)
        for number in range(count):
            (data / name / f"{name}-{number}.jpg").touch()


def test_buckets_are_stable() -> None:
    """FarmHash Fingerprint64 modulo 100 (empty name: 0x9ae16a3b2f90404f). Other buckets would move existing photos."""
    names = ["0a85c3ec-1a7b-4a5b-8a8e-0d2a8a4c1f11.jpg", "pants.jpg", "Größe 38.jpg", ""]
    assert buckets(names) == [47, 89, 41, 0x9AE16A3B2F90404F % 100]


def test_the_data_sets_folders_are_the_default(drawn: Path) -> None:
    """Sorted by class and name."""
    split = split_photos(drawn)
    assert [len(photos) for photos in split.parts] == [30, 30, 30]
    assert split.test[3] == Photo(drawn / "test" / "hat" / "test-hat-0.png", 1, "test")


def test_new_photos_do_not_move_old_ones(tmp_path: Path) -> None:
    """Removed photos do not either."""
    _named(tmp_path, 20)
    before = _parts(split_photos(tmp_path, "hash"))
    _named(tmp_path, 50)
    (tmp_path / "hat" / "hat-3.jpg").unlink()
    after = _parts(split_photos(tmp_path, "hash"))
    assert len(before) == 200 and len(after) == 499
    assert {name: part for name, part in after.items() if name in before} == {
        name: part for name, part in before.items() if name != "hat-3.jpg"
    }


def test_parts_have_their_shares(tmp_path: Path) -> None:
    """80, 10 and 10 % of 1000 names, within three standard deviations."""
    _named(tmp_path, 100)
    assert [len(photos) for photos in split_photos(tmp_path, "hash").parts] == pytest.approx([800, 100, 100], abs=38)


def test_the_folders_of_the_parts_are_merged_for_the_hash(tmp_path: Path) -> None:
    """The part of a photo depends only on its name, not on its folder or class."""
    _named(tmp_path / "plain", 20)
    for part in PARTS:
        _named(tmp_path / "parts" / part, 0)
    for number, photo in enumerate(sorted((tmp_path / "plain").glob("*/*"))):
        shutil.copy(photo, tmp_path / "parts" / PARTS[number % 3] / "dress")
    plain, merged = (split_photos(tmp_path / folder, "hash") for folder in ("plain", "parts"))
    assert _parts(merged) == _parts(plain)
    assert {photo.label for photo in merged.photos} == {0}


def test_a_part_without_photos_is_refused(tmp_path: Path) -> None:
    """One photo cannot fill three parts."""
    _named(tmp_path, 0)
    (tmp_path / "hat" / "a.jpg").touch()
    with pytest.raises(ValueError, match="no photos for"):
        split_photos(tmp_path, "hash")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """The error names the path."""
    with pytest.raises(ValueError, match=r"nowhere: no such folder"):
        split_photos(tmp_path / "nowhere")


def test_f28_class_folders_without_parts_are_split_by_hash(insects: Path, drawn: Path) -> None:
    """Folders train, validation and test are taken as they are."""
    assert split_kind(insects) == "hash" and split_kind(drawn) == "folders"
    split = split_photos(insects)
    assert split.classes == ("bee", "wasp") and len(split.photos) == 80
    assert {photo.path.parent.name: photo.label for photo in split.photos} == {"bee": 0, "wasp": 1}


def test_f28_a_missing_part_is_named(tmp_path: Path) -> None:
    """Otherwise train and test would be taken for classes. By hash they are merged."""
    for part in ("train", "test"):
        _named(tmp_path / part, 20)
        for photo in (tmp_path / part).glob("*/*"):
            photo.rename(photo.with_name(f"{part}-{photo.name}"))
    with pytest.raises(ValueError, match="has train, test, but no folder validation: add it, or use --split hash"):
        split_photos(tmp_path)
    assert len(split_photos(tmp_path, "hash").photos) == 400
