"""Outliers of a baseline, as the gateway computes them."""

import math

import numpy as np
import pytest

from ..baseline import category, number
from ..outliers import energies_of, outliers_of, typical_of


def test_energies_are_those_of_the_gateway_and_do_not_overflow() -> None:
    """The logits may be large."""
    logits = np.array([np.log([1, 2, 5]), [1000, 1000, -1000]])
    assert energies_of(logits) == pytest.approx([-math.log(8), -1000 - math.log(2)])


def test_outliers_do_not_change_what_is_typical() -> None:
    """The spread of a normal distribution is its standard deviation."""
    values = np.arange(1001) / 1000
    assert typical_of(values) == pytest.approx({"center": 0.5, "spread": 0.5 / 1.3489795})
    assert typical_of(np.append(values[:-1], 1e12))["spread"] == pytest.approx(0.5 / 1.3489795)
    assert typical_of(np.array([7.0, 7.0, np.nan])) == {"center": 7, "spread": 1}
    assert typical_of(np.array([0.0] * 9 + [10]))["spread"] == pytest.approx(3)


def test_distances_are_those_of_the_gateway() -> None:
    """The same rows are in gateway/cli/baseline/outliers.test.ts."""
    ages = np.array([*range(100), 1000.0])
    jobs = ["clerk"] * 80 + ["pilot"] * 20 + [""]
    features = {"input.age": number(ages), "input.job": category(jobs)}
    found = outliers_of(features, {"input.age": ages, "input.job": jobs}, energies=-np.arange(101.0))
    assert found["typical"]["input.age"] == pytest.approx({"center": 50, "spread": 50 / 1.3489795})
    assert found["energy"] == list(range(-100, 1))
    assert found["distance"][0] == 0
    age, job = (950 / (50 / 1.3489795)) ** 2, 2 * math.log(80 / 1)
    assert found["distance"][100] == pytest.approx(math.sqrt((age + job) / 2), rel=1e-6)
