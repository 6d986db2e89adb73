"""Checks that several ways of running one model give the same numbers."""

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt

TOLERANCE = 1e-4
# Of the largest number, for numbers above 10 such as prices: float32 rounds by a share of the number.
RELATIVE_TOLERANCE = 1e-5


def tolerance_for(*arrays: npt.NDArray[Any]) -> float:
    """The largest difference that two ways of computing these numbers may have."""
    largest = max(float(np.abs(numbers.astype(np.float64)).max(initial=0)) for numbers in arrays)
    return max(TOLERANCE, RELATIVE_TOLERANCE * largest) if np.isfinite(largest) else TOLERANCE


def largest_difference(outputs: dict[str, npt.NDArray[Any]]) -> float:
    """The largest difference between any two arrays. Raises ValueError if two differ by more than their tolerance."""
    largest = 0.0
    for (left, one), (right, other) in combinations(outputs.items(), 2):
        # As float64: NumPy cannot subtract booleans, and unsigned integers wrap around.
        difference = float(np.abs(one.astype(np.float64) - other.astype(np.float64)).max())
        allowed = tolerance_for(one, other)
        # "not <=" instead of ">", so that NaN fails the check.
        if not difference <= allowed:
            raise ValueError(f"{left} and {right} differ by {difference:.2g}, allowed {allowed:.2g}")
        largest = max(largest, difference)
    return largest
