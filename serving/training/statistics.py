"""Statistics of the pixels that a model gets, the same numbers as gateway/image/statistics.ts: docs/drift.md."""

import math
from typing import NamedTuple

import numpy as np

from .served import Array

GRID = 32


class Statistics(NamedTuple):
    """Of pixels from 0 to 255: the mean luma, its standard deviation, and the mean absolute Laplacian."""

    brightness: float
    contrast: float
    sharpness: float


def _grid(size: int) -> Array:
    count = min(GRID, size)
    return (2 * np.arange(count) + 1) * size // (2 * count)


def _luma(pixels: Array) -> Array:
    """Pillow's luma of RGB. Pixels with one channel have it already. Fractions are rounded, as by the gateway."""
    whole = np.clip(np.floor(pixels.astype(np.float64) + 0.5), 0, 255).astype(np.int64)
    if whole.shape[2] == 1:
        return whole[..., 0]
    return (whole @ np.array([19595, 38470, 7471]) + 0x8000) >> 16


def statistics_of(pixels: Array) -> Statistics:
    """Of pixels [height, width, channels], at the points of a grid. Pixels beyond the edge are those at the edge."""
    luma = np.pad(_luma(pixels), 1, mode="edge")
    rows, columns = (_grid(size) + 1 for size in pixels.shape[:2])
    chosen = luma[np.ix_(rows, columns)]
    neighbours = ((-1, 0), (1, 0), (0, -1), (0, 1))
    around = sum(luma[np.ix_(rows + down, columns + right)] for down, right in neighbours)
    count, total = chosen.size, int(chosen.sum())
    variance = (count * int((chosen**2).sum()) - total**2) / count**2
    return Statistics(total / count, math.sqrt(variance), int(np.abs(4 * chosen - around).sum()) / count)
