"""Tests that the statistics of pictures are those of the gateway: tests/golden/statistics.test.ts has the same file."""

import json
from pathlib import Path

from ..data import read_pixels
from ..statistics import statistics_of

GOLDEN = Path(__file__).resolve().parents[3] / "tests" / "golden"


def test_golden_images_have_the_statistics_of_the_gateway() -> None:
    """Equal numbers, not close ones."""
    expected = json.loads((GOLDEN / "statistics.json").read_text())
    given = {name: statistics_of(read_pixels(GOLDEN / "images" / name))._asdict() for name in expected}
    assert given == expected
