"""What a baseline says of outliers, for the gateway's `outlier=true`: docs/drift.md defines the numbers.

gateway/model/outliers.ts computes the same from requests, and gateway/cli/baseline/outliers.ts from prediction logs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .baseline import Feature, Numbers

QUANTILES = 101
# The interquartile range of a normal distribution is 1.349 standard deviations.
IQR_OF_NORMAL = 1.3489795
MOST_SQUARE = 1e6
LEAST_COUNT = 0.5
# The values of each input, by the name of its feature: numbers, or categories.
Inputs = Mapping[str, Sequence[Any] | npt.NDArray[Any]]


def energies_of(logits: Numbers) -> Numbers:
    """The energy score -log sum exp of logits [n, classes] (Liu et al. 2020)."""
    largest = logits.max(1)
    energies: Numbers = -(largest + np.log(np.exp(logits - largest[:, None]).sum(1)))
    return energies


def typical_of(values: Numbers) -> dict[str, float]:
    """The median, and the interquartile range as a standard deviation. NaN does not count."""
    known = values[~np.isnan(values)]
    low, center, high = np.quantile(known, [0.25, 0.5, 0.75])
    spread = (high - low) / IQR_OF_NORMAL or known.std() or 1.0
    return {"center": float(center), "spread": float(spread)}


def _number_squares(values: Numbers, typical: dict[str, float]) -> Numbers:
    squares: Numbers = np.minimum(((values - typical["center"]) / typical["spread"]) ** 2, MOST_SQUARE)
    return squares


def _category_squares(values: Sequence[str], feature: Feature) -> Numbers:
    counts: dict[str, int] = {**feature["counts"], "": feature["missing"]}
    other: int = feature["other"]
    most = max(other, LEAST_COUNT, *counts.values())
    own = np.array([max(counts.get(value, other), LEAST_COUNT) for value in values])
    squares: Numbers = -2 * np.log(own / most)
    return squares


def _short(numbers: Numbers) -> list[float]:
    """Seven digits: enough for percentiles, and a line that people can read."""
    return [float(f"{number:.7g}") for number in numbers]


def outliers_of(features: Mapping[str, Feature], inputs: Inputs, energies: Numbers | None = None) -> dict[str, Any]:
    """The typical of each number, and quantiles of the distances of all rows and of their energies."""
    numbers = {name: np.asarray(inputs[name], np.float64) for name in inputs if features[name]["kind"] == "number"}
    typical = {name: typical_of(values) for name, values in numbers.items()}
    squares = [
        _number_squares(numbers[name], typical[name])
        if name in numbers
        else _category_squares([str(value) for value in values], features[name])
        for name, values in inputs.items()
    ]
    distances = np.sqrt(np.nanmean(squares, axis=0))
    known = {"energy": energies, "distance": distances[~np.isnan(distances)]}
    places = np.linspace(0, 1, QUANTILES)
    found = {name: _short(np.quantile(values, places)) for name, values in known.items() if values is not None}
    return {**found, "typical": typical}
