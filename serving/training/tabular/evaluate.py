"""Evaluates predictions about customers, against the outcome and against the true probabilities."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..calibrate import calibration_error, cross_entropy
from .customers import Customers
from .network import Doubles


def area_under_curve(probabilities: Doubles, left: NDArray[np.bool_]) -> float:
    """ROC AUC: the probability that a customer who left is ranked above one who stayed. Ties count half."""
    _, places, counts = np.unique(probabilities, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    positives, negatives = int(left.sum()), int((~left).sum())
    return float((ranks[left].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def _per_class(decided: NDArray[np.bool_], left: NDArray[np.bool_]) -> list[dict[str, Any]]:
    rows = []
    for name, value in (("stays", False), ("leaves", True)):
        right = int(((decided == value) & (left == value)).sum())
        predicted, there = int((decided == value).sum()), int((left == value).sum())
        figures = {"precision": right / max(predicted, 1), "recall": right / max(there, 1)}
        rows.append({"class": name, "customers": there} | figures)
    return rows


def _against(probabilities: Doubles, decided: NDArray[np.bool_], truth: Doubles) -> dict[str, float]:
    return {
        "accuracy_against_truth": float(np.where(decided, truth, 1 - truth).mean()),
        "distance_from_truth": float(np.abs(probabilities - truth).mean()),
    }


def measure(probabilities: Doubles, decided: NDArray[np.bool_], customers: Customers) -> dict[str, Any]:
    """Metrics of the predictions, against the outcome and against the truth, where that is known.

    `accuracy_against_truth` is the mean true probability that a decision is right. It does not depend on the sample.
    """
    left, truth = customers.left, customers.probabilities
    against_truth = {} if truth is None else _against(probabilities, decided, truth)
    both, labels = np.stack([1 - probabilities, probabilities], axis=1), left.astype(np.int64)
    return {
        "rows": len(left),
        "correct": int((decided == left).sum()),
        "accuracy": float((decided == left).mean()),
        "loss": cross_entropy(both, labels),
        "area_under_curve": area_under_curve(probabilities, left),
        "calibration_error": calibration_error(both, labels),
        **against_truth,
        "per_class": _per_class(decided, left),
    }
