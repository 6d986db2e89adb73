"""Temperature and calibration error, on logits with known true probabilities."""

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
    """Logits scaled by `temperature`, with labels drawn from softmax(logits / temperature)."""
    chance = np.random.default_rng(1)
    logits = chance.normal(0, 2, (20_000, 10))
    labels = (softmax(logits).cumsum(1) < chance.uniform(size=(20_000, 1))).sum(1)
    return temperature * logits, labels


@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.5])
def test_fits_the_temperature_that_the_labels_were_sampled_with(temperature: float) -> None:
    """Within the sampling error of 20,000 labels. Dividing by the temperature calibrates the logits."""
    logits, labels = _sampled(temperature)
    found = fit_temperature(logits, labels)
    assert found == pytest.approx(temperature, rel=0.03)
    assert calibration_error(softmax(logits / found), labels) < 0.02
    if temperature != 1:
        assert calibration_error(softmax(logits), labels) > 0.1


def test_no_other_temperature_has_a_smaller_loss() -> None:
    """The loss at temperatures 2 % lower and higher is larger."""
    logits, labels = _sampled(1.5)
    found = fit_temperature(logits, labels)
    losses = [cross_entropy(softmax(logits / (found * factor)), labels) for factor in (0.98, 1, 1.02)]
    assert min(losses) == losses[1]


@pytest.mark.parametrize(("labels", "limit"), [([0, 1], TEMPERATURES[0]), ([1, 0], TEMPERATURES[1])])
def test_a_diverging_fit_stops_at_the_limit(labels: list[int], limit: float) -> None:
    """If all labels are right, T falls without limit. If all are wrong, it rises."""
    assert fit_temperature(np.eye(2), np.array(labels)) == pytest.approx(limit)


def test_calibration_error_is_the_weighted_distance() -> None:
    """Ten photos: six at confidence 0.8 with three right, four at 0.6 with all right."""
    confidence = np.array([0.8] * 6 + [0.6] * 4)
    probabilities = np.stack([confidence, 1 - confidence], axis=1)
    labels = np.array([0, 0, 0, 1, 1, 1, 0, 0, 0, 0])
    assert calibration_error(probabilities, labels) == pytest.approx(0.6 * 0.3 + 0.4 * 0.4)
    rows = reliability(probabilities, labels)
    assert [(row["photos"], row["accuracy"]) for row in rows] == [(4, 1), (6, 0.5)]
    assert [row["confidence"] for row in rows] == pytest.approx([0.6, 0.8])


def test_bins_include_their_upper_edge() -> None:
    """A confidence of 1 is in the last bin."""
    rows = reliability(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 0]), bins=2)
    assert [(row["low"], row["high"], row["photos"]) for row in rows] == [(0, 0.5, 1), (0.5, 1, 1)]


def test_a_label_of_probability_0_has_a_finite_loss() -> None:
    """The logarithm of 0 is avoided."""
    assert np.isfinite(cross_entropy(np.array([[1.0, 0.0]]), np.array([1])))
