"""Temperature scaling and calibration metrics.

Source: Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", 2017.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

BINS = 15
# Bounds of the fit: without them it would diverge if all photos are right, or all wrong.
TEMPERATURES = (0.05, 20.0)
Array = npt.NDArray[Any]
Labels = npt.NDArray[np.integer[Any]]
Row = dict[str, float]


def softmax(logits: Array) -> Array:
    """Logits [n, classes] to probabilities [n, classes], in float64."""
    powers: Array = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    powers /= powers.sum(1, keepdims=True)
    return powers


def cross_entropy(probabilities: Array, labels: Labels) -> float:
    """The mean negative log-likelihood of the labels, in nats."""
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(chosen, np.finfo(np.float64).tiny)).mean())


def fit_temperature(logits: Array, labels: Labels) -> float:
    """The temperature T, between 0.05 and 20, that maximises the likelihood of the labels under softmax(logits / T).

    The loss is convex in 1 / T. Its slope, the expected logit minus the label's, has one zero, found by bisection.
    """
    logits = logits.astype(np.float64)
    wanted = logits[np.arange(len(labels)), labels].mean()
    low, high = np.log(1 / np.array(TEMPERATURES[::-1]))
    for _ in range(50):
        middle = (low + high) / 2
        slope = (softmax(np.exp(middle) * logits) * logits).sum(1).mean() - wanted
        low, high = (middle, high) if slope < 0 else (low, middle)
    return float(np.exp(-(low + high) / 2))


def reliability(probabilities: Array, labels: Labels, bins: int = BINS) -> list[Row]:
    """Photos, mean confidence and accuracy per bin of confidence (low, high]. Empty bins have no row."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    edges = np.linspace(0, 1, bins + 1)
    step = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    rows = []
    for index in np.unique(step):
        inside = step == index
        rows.append(
            {
                "low": round(float(edges[index]), 4),
                "high": round(float(edges[index + 1]), 4),
                "photos": int(inside.sum()),
                "confidence": float(confidence[inside].mean()),
                "accuracy": float(right[inside].mean()),
            }
        )
    return rows


def calibration_error(probabilities: Array, labels: Labels, bins: int = BINS) -> float:
    """The expected calibration error: mean |confidence - accuracy| over the bins, weighted by photos."""
    rows = reliability(probabilities, labels, bins)
    return sum(row["photos"] * abs(row["confidence"] - row["accuracy"]) for row in rows) / len(labels)
