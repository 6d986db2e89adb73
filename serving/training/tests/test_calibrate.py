"""Temperature and calibration error, on logits whose truth is known."""

import numpy as np
import numpy.typing as npt
import pytest

from training.calibrate import (
    TEMPERATURES,
    calibration_error,
    cross_entropy,
    fit_temperature,
    reliability,
    softmax,
)


def _sampled(temperature: float) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Logits that are `temperature` times too sure: the labels are drawn from softmax(logits / temperature)."""
    chance = np.random.default_rng(1)
    logits = chance.normal(0, 2, (20_000, 10))
    labels = (softmax(logits).cumsum(1) < chance.uniform(size=(20_000, 1))).sum(1)
    return temperature * logits, labels


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_finds_the_temperature_that_made_the_labels(temperature: float) -> None:
    """Within what 20,000 draws allow; dividing by it calibrates."""
    logits, labels = _sampled(temperature)
    found = fit_temperature(logits, labels)
    assert found == pytest.approx(temperature, rel=0.03)
    assert calibration_error(softmax(logits / found), labels) < 0.02
    if temperature != 1:
        assert calibration_error(softmax(logits), labels) > 0.1


def test_no_other_temperature_has_a_smaller_loss() -> None:
    """Nor one nearby."""
    logits, labels = _sampled(1.5)
    found = fit_temperature(logits, labels)
    losses = [cross_entropy(softmax(logits / (found * factor)), labels) for factor in (0.98, 1, 1.02)]
    assert min(losses) == losses[1]


@pytest.mark.parametrize(("labels", "limit"), [([0, 1], TEMPERATURES[0]), ([1, 0], TEMPERATURES[1])])
def test_a_fit_without_an_end_stops_at_the_limit(labels: list[int], limit: float) -> None:
    """All right: surer is always better. All wrong: less sure is."""
    assert fit_temperature(np.eye(2), np.array(labels)) == pytest.approx(limit)


def test_error_is_the_weighted_distance() -> None:
    """Ten photos: six at 0.8 of which three are right, four at 0.6 of which all are."""
    confidence = np.array([0.8] * 6 + [0.6] * 4)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    labels = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0, 0])
    assert calibration_error(probabilities, labels) == pytest.approx(0.6 * 0.3 + 0.4 * 0.4)
    rows = reliability(probabilities, labels)
    assert [(row["photos"], row["accuracy"]) for row in rows] == [(4, 1), (6, 0.5)]
    assert [row["confidence"] for row in rows] == pytest.approx([0.6, 0.8])


def test_bins_take_their_upper_edge() -> None:
    """And certainty has a place."""
    rows = reliability(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 0]), bins=2)
    assert [(row["low"], row["high"], row["photos"]) for row in rows] == [(0, 0.5, 1), (0.5, 1, 1)]


def test_impossible_label_costs_a_finite_loss() -> None:
    """A probability of nothing has no logarithm."""
    assert np.isfinite(cross_entropy(np.array([[1.0, 0.0]]), np.array([1])))
