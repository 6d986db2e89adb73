"""Tests the cuts and counts of a baseline."""

import json
from pathlib import Path

import numpy as np
import pytest

from ..baseline import category, edges_of, number, write_baseline


def test_quantiles_have_as_many_values_each() -> None:
    """Distinct values fall into deciles."""
    values = np.random.default_rng(1).normal(size=1000)
    feature = number(values)
    assert feature["counts"] == [100] * 10
    assert feature["edges"] == sorted(feature["edges"])


@pytest.mark.parametrize(
    ("values", "edges", "counts"),
    [
        ([0] * 98 + [1] * 2, [1], [98, 2]),
        ([0] * 2 + [1] * 98, [1], [2, 98]),
        ([5] * 10, [], [10]),
        ([0] * 60 + list(range(1, 41)), [1, 11, 21, 31], [60, 10, 10, 10, 10]),
        ([1, 2, 3], [2, 3], [1, 1, 1]),
    ],
)
def test_values_that_come_often_have_their_own_bucket_and_none_is_empty(
    values: list[int], edges: list[float], counts: list[int]
) -> None:
    """Ties never leave a bucket empty."""
    feature = number(values)
    assert (feature["edges"], feature["counts"]) == (edges, counts)


def test_edges_are_short_and_separate_neighbours() -> None:
    """Edges are for people, and still exact."""
    assert edges_of(np.array([0.123456789, 0.987654321]), 2) == [0.6]
    close = np.array([1.0, np.nextafter(1.0, 2.0)])
    assert edges_of(close, 2) == [close[1]]


def test_missing_numbers_are_counted_apart() -> None:
    """NaN is in no bucket of numbers."""
    assert number([1, np.nan, 2, np.nan])["missing"] == 2
    with pytest.raises(ValueError, match="without a value"):
        number([np.nan])


def test_rare_categories_are_counted_together() -> None:
    """What bounds the series of metrics."""
    names = [f"c{index:03}" for index in range(60)]
    feature = category([*names, *names[:50], "", "(other)"])
    assert list(feature["counts"]) == names[:50]
    assert (feature["other"], feature["missing"]) == (11, 1)


def test_known_categories_count_without_a_value() -> None:
    """A class that is never predicted still has a bucket."""
    assert category(["b", "b"], known=["a", "b"])["counts"] == {"a": 0, "b": 2}


def test_the_file_is_beside_the_other_files_of_its_version(tmp_path: Path) -> None:
    """Writes what gateway/model/baseline.ts reads."""
    write_baseline(tmp_path / "m", 3, 2, {"score": number([0.1, 0.9])}, "two rows")
    written = json.loads((tmp_path / "m" / "baseline" / "3.json").read_text())
    assert (written["schema"], written["model"], written["version"], written["rows"]) == (1, "m", 3, 2)
    assert written["features"]["score"]["counts"] == [1, 1]
