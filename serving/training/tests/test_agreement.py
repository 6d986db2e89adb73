"""Tests of the check that several ways of running a model agree."""

import numpy as np
import pytest

from training.agreement import largest_difference, tolerance_for


def test_f26_large_numbers_may_differ_by_their_rounding() -> None:
    """The price of a house in float32 has steps of 0.03."""
    price = np.array([[412_345.0]], np.float32)
    assert largest_difference({"one": price, "other": price + np.float32(0.5)}) == 0.5
    with pytest.raises(ValueError, match=r"one and other differ by 10, allowed 4\.1"):
        largest_difference({"one": price, "other": price + np.float32(10)})
    assert tolerance_for(np.array([10.0])) == tolerance_for(np.array([])) == 1e-4


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_never_agree(broken: float) -> None:
    """Also not with themselves."""
    numbers = np.array([1.0, broken])
    for other in (numbers, np.array([1.0, 2.0])):
        with pytest.raises(ValueError, match="differ"):
            largest_difference({"one": numbers, "other": other})
