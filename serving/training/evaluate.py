"""Evaluates an exported version: accuracy and calibration of its SavedModel, sizes, and CPU time per photo."""

import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from .calibrate import Array, Labels, calibration_error, cross_entropy, reliability, softmax
from .data import Photo, tensors
from .served import onnx_scores, tensorflow_scores
from .settings import SIDE

Figures = dict[str, Any]


def confusion(logits: Array, labels: Labels) -> Array:
    """Confusion matrix [true class, predicted class]."""
    kinds = logits.shape[1]
    counts = np.zeros((kinds, kinds), int)
    np.add.at(counts, (labels, logits.argmax(1)), 1)
    return counts


def _rounded(figures: dict[str, float]) -> dict[str, float]:
    return {key: round(value, 4) for key, value in figures.items()}


def per_class(counts: Array, classes: tuple[str, ...]) -> list[Figures]:
    """Precision, recall and F1 of each class. 0 if the class was never predicted or has no photos."""
    rows = []
    for index, name in enumerate(classes):
        right, predicted, photos = (int(n) for n in (counts[index, index], counts[:, index].sum(), counts[index].sum()))
        figures = {
            "precision": right / max(predicted, 1),
            "recall": right / max(photos, 1),
            "f1": 2 * right / max(predicted + photos, 1),
        }
        rows.append({"class": name, "photos": photos, **_rounded(figures)})
    return rows


def measured(logits: Array, labels: Labels, classes: tuple[str, ...]) -> Figures:
    """All metrics of logits [n, classes] and labels [n]: the "test" or "validation" part of an evaluation."""
    probabilities, counts = softmax(logits), confusion(logits, labels)
    right, photos = int(counts.trace()), len(labels)
    return {
        "photos": photos,
        "correct": right,
        "accuracy": round(right / photos, 4),
        "loss": round(cross_entropy(probabilities, labels), 4),
        "calibration_error": round(calibration_error(probabilities, labels), 4),
        "reliability": [_rounded(row) for row in reliability(probabilities, labels)],
        "per_class": per_class(counts, classes),
        "confusion": counts.tolist(),
    }


def evaluate(version: Path, photos: list[Photo], classes: tuple[str, ...]) -> Figures:
    """Metrics of the photos, computed with serving_default of the version's SavedModel."""
    scores = tensorflow_scores(version)
    logits = np.concatenate([scores(batch) for batch in tensors(photos)])
    return measured(logits, np.array([photo.label for photo in photos]), classes)


def milliseconds(version: Path, threads: int, runs: int = 60) -> Figures:
    """Median wall-clock and CPU time of one photo through model.onnx. CPU time is less affected by other load."""
    scores, tensor = onnx_scores(version, threads), np.zeros((1, SIDE, SIDE, 3), np.float32)
    for _ in range(5):
        scores(tensor)
    clock, cpu = [], []
    for _ in range(runs):
        clock_start, cpu_start = time.perf_counter(), time.process_time()
        scores(tensor)
        clock.append(1000 * (time.perf_counter() - clock_start))
        cpu.append(1000 * (time.process_time() - cpu_start))
    return {"threads": threads, "clock": round(statistics.median(clock), 1), "cpu": round(statistics.median(cpu), 1)}


def sizes(version: Path) -> dict[str, int]:
    """The size of each format, in bytes."""
    onnx = sum(file.stat().st_size for file in version.glob("*.onnx"))
    everything = sum(file.stat().st_size for file in version.rglob("*") if file.is_file())
    return {"saved_model": everything - onnx, "onnx": onnx}
