"""Checks that several ways of running one model give the same numbers."""

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

TOLERANCE = 1e-4


def largest_difference(outputs: dict[str, npt.NDArray[Any]]) -> float:
    """The largest difference between any two arrays. Raises ValueError if two differ by more than 1e-4."""
    largest = 0.0
    for (left, one), (right, other) in combinations(outputs.items(), 2):
        # As float64: NumPy cannot subtract booleans, and unsigned integers wrap around.
        difference = float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max())
        # "not <=" instead of ">", so that NaN fails the check.
        if not difference <= TOLERANCE:
            raise ValueError(f"{left} and {right} differ by {difference:.2g}, allowed {TOLERANCE:g}")
        largest = max(largest, difference)
    return largest
